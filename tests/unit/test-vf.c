/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages about virtual functions: to the byte, and to a kernel that has a card without any. */
#include "host/device/vf.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"
#include "util/buf.h"

static const struct vf_settings settings = {
	.mac = { 0x52, 0x54, 0, 1, 2, 3 }, .vlan = 20, .spoof_check = 1, .trust = 1
};

/* The bytes from @from on as hexadecimal digits, without zeros at the end. */
static void check_bytes(const char *message, size_t from, size_t len, const char *expected)
{
	CLEANUP(buf_done) struct buf text = {};
	while (len > from && !message[len - 1])
		len--;
	for (size_t i = from; i < len; i++)
		buf_printf(&text, "%02x", (unsigned char)message[i]);
	CHECK_STR(buf_text(&text), expected);
}

/* As "ip link set eth0 vf 3 ..." of iproute2 sends them, but for its order of attributes. */
TEST(each_setting_is_a_request)
{
	/* IFLA_IFNAME "eth0"; IFLA_VFINFO_LIST, IFLA_VF_INFO */
	static const struct {
		enum vf_part part;
		size_t len;
		const char *expected;
	} rows[] = {
		{ VF_MAC, 92,
				"09000300657468300000000030001680"
				"2c000180"
				"28000100"
				"03000000525400010203" },
		{ VF_VLAN, 68,
				"09000300657468300000000018001680"
				"14000180"
				"10000200"
				"0300000014" },
		{ VF_SPOOF_CHECK, 64,
				"09000300657468300000000014001680"
				"10000180"
				"0c000400"
				"0300000001" },
		{ VF_TRUST, 64,
				"09000300657468300000000014001680"
				"10000180"
				"0c000900"
				"0300000001" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char space[LINK_MESSAGE_MAX];
		size_t len = vf_message_set("eth0", 3, rows[i].part, &settings, 7, space);
		const struct nlmsghdr *message = (const void *)space;
		CHECK_INT(message->nlmsg_type, RTM_SETLINK);
		CHECK_INT(message->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
		CHECK_INT(message->nlmsg_seq, 7);
		CHECK_INT(len, message->nlmsg_len);
		check_bytes(space, sizeof(*message) + sizeof(struct ifinfomsg), len,
				rows[i].expected);
		CHECK_INT(len, rows[i].len);
	}
}

/* A kernel's answer about a card with three functions, each told in the kernel's order. */
static size_t answer(char space[LINK_MESSAGE_MAX], uint32_t spoof_check)
{
	memset(space, 0, LINK_MESSAGE_MAX);
	struct nlmsghdr *message = mnl_nlmsg_put_header(space);
	message->nlmsg_type = RTM_NEWLINK;
	mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(message, IFLA_IFNAME, "eth0");
	struct nlattr *list = mnl_attr_nest_start(message, IFLA_VFINFO_LIST);
	for (uint32_t i = 0; i < 3; i++) {
		struct ifla_vf_mac mac = { .vf = i, .mac = { 2, 0, 0, 0, 0, (uint8_t)i } };
		struct ifla_vf_vlan vlan = { .vf = i, .vlan = 100 + i };
		struct ifla_vf_spoofchk check = { .vf = i, .setting = spoof_check };
		struct ifla_vf_trust trust = { .vf = i, .setting = i == 1 };
		struct nlattr *info = mnl_attr_nest_start(message, IFLA_VF_INFO);
		mnl_attr_put(message, IFLA_VF_MAC, sizeof(mac), &mac);
		mnl_attr_put(message, IFLA_VF_VLAN, sizeof(vlan), &vlan);
		mnl_attr_put(message, IFLA_VF_SPOOFCHK, sizeof(check), &check);
		mnl_attr_put(message, IFLA_VF_TRUST, sizeof(trust), &trust);
		mnl_attr_nest_end(message, info);
	}
	mnl_attr_nest_end(message, list);
	return message->nlmsg_len;
}

TEST(a_function_is_found_in_an_answer)
{
	char space[LINK_MESSAGE_MAX];
	struct vf_settings got = {};
	answer(space, 1);
	CHECK_INT(vf_parse((const void *)space, 1, &got), 0);
	CHECK_INT(got.mac[0], 2);
	CHECK_INT(got.mac[5], 1);
	CHECK_INT(got.vlan, 101);
	CHECK_INT(got.spoof_check, 1);
	CHECK_INT(got.trust, 1);
	CHECK_INT(vf_parse((const void *)space, 0, &got), 0);
	CHECK_INT(got.mac[5], 0);
	CHECK_INT(got.trust, 0);
	CHECK_INT(vf_parse((const void *)space, 3, &got), 1);
	/* What a card does not tell. */
	answer(space, UINT32_MAX);
	CHECK_INT(vf_parse((const void *)space, 2, &got), 0);
	CHECK_INT(got.spoof_check, -1);
}

/* A kernel understands the requests: it finds the interface, which has no functions. */
TEST(a_kernel_knows_these_requests)
{
	if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0)
		SKIP("only root makes network namespaces");
	if (system("PATH=$PATH:/sbin:/usr/sbin; ip link add card type bridge") != 0)
		SKIP("no interface can be made (package iproute2)");
	CLEANUP(netlink_done) struct netlink nl = {};
	struct error err = {};
	struct vf_settings now = { .spoof_check = -1, .trust = -1 };
	CHECK_INT(netlink_open(&nl, &err), 0);
	CHECK_INT(vf_get(&nl, "card", 0, &now, &err), -ENODEV);
	CHECK_STR(err.text, "'card' has no virtual function 0");
	CHECK_INT(vf_get(&nl, "nothing", 0, &now, &err), -ENODEV);
	CHECK_STR(err.text, "cannot look at the functions of 'nothing': No such device");

	/* Nothing differs: nothing is asked for. */
	CHECK_INT(vf_set(&nl, "card", 2, &now, &(struct vf_settings){}, &err), 0);
	CHECK_INT(vf_set(&nl, "card", 2, &settings, &settings, &err), 0);
	static const struct {
		struct vf_settings wanted;
		const char *text;
	} rows[] = {
		{ { .mac = { 2 }, .spoof_check = -1, .trust = -1 },
				"cannot give function 2 of 'card' the MAC address "
				"02:00:00:00:00:00: Operation not supported" },
		{ { .vlan = 20, .spoof_check = -1, .trust = -1 },
				"cannot give function 2 of 'card' VLAN 20: Operation not "
				"supported" },
		{ { .spoof_check = 1, .trust = -1 },
				"cannot give function 2 of 'card' a check for spoofed addresses "
				"that is on: Operation not supported (\"spoof-check\": false does "
				"without)" },
		{ { .spoof_check = -1, .trust = 1 },
				"cannot give function 2 of 'card' trust that is on: Operation not "
				"supported" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CHECK_INT(vf_set(&nl, "card", 2, &now, &rows[i].wanted, &err), -EOPNOTSUPP);
		CHECK_STR(err.text, rows[i].text);
	}
}

TEST_MAIN()
