/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ports of bridges, with frames that guests would send, in a network namespace of this process.
 */
#include "host/net/port.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include "host/net/tap.h"
#include "own-network.h"
#include "test.h"
#include "util/buf.h"
#include "util/mem.h"

#define LIMIT_MSEC 5000

static struct netlink nl;

/* NULL, or why there can be no taps here. */
static const char *enter_own_network(void)
{
	static bool entered;
	struct error err = {};
	if (entered)
		return NULL;
	const char *why_not = own_network_with_taps();
	if (why_not)
		return why_not;
	if (netlink_open(&nl, &err) < 0)
		return "no netlink";
	entered = true;
	return NULL;
}

#define NEED_NETWORK() SKIP_BECAUSE(enter_own_network())

static void check_shell(const char *command)
{
	if (!shell_works(command))
		TEST_FAIL("'%s' has failed", command);
}

/* Line breaks and repeated blanks are one blank each. */
static void check_has(const char *command, const char *part)
{
	CLEANUP(freep) char *line = xasprintf("%s | tr -s ' \\n' ' '", command);
	CLEANUP(freep) char *text = shell_output(line);
	if (!strstr(text, part))
		TEST_FAIL("'%s' says '%s', not '%s'", command, text, part);
}

/* ---- guests ---- */

/* The guest of a tap: 52:54:00:00:00:NUMBER. */
static int add_guest(const char *name, uint8_t number, const struct port_settings *port)
{
	struct tap_request r = {
		.name = name,
		.alias = "machina:web/lan",
		.network = "lan",
		.bridge = "br0",
		.mac = { 0x52, 0x54, 0, 0, 0, number },
		.port = port,
	};
	struct error err = {};
	int fd = -1;
	if (tap_create(&nl, &r, &fd, &err) < 0)
		TEST_FAIL("%s", err.text);
	return fd;
}

struct frame {
	uint8_t to, from; /* 0xff: to all */
	uint16_t vlan;	  /* 0: no tag */
	uint8_t mark;	  /* by which it is known again */
};

#define VNET_HDR_LEN 10
#define FRAME_LEN 60
/* Of IEEE's for experiments, so that no one else sends it. */
#define TYPE_HIGH 0x88
#define TYPE_LOW 0xb5

static void put_address(uint8_t *at, uint8_t number)
{
	static const uint8_t guest[6] = { 0x52, 0x54 };
	memcpy(at, guest, 6);
	at[5] = number;
	if (number == 0xff)
		memset(at, 0xff, 6);
}

static void send_frame(int fd, struct frame frame)
{
	uint8_t header[VNET_HDR_LEN] = {}, data[FRAME_LEN + 4] = {};
	put_address(data, frame.to);
	put_address(data + 6, frame.from);
	uint8_t *at = data + 12;
	if (frame.vlan) {
		*at++ = 0x81;
		*at++ = 0;
		*at++ = (uint8_t)(frame.vlan >> 8);
		*at++ = (uint8_t)frame.vlan;
	}
	*at++ = TYPE_HIGH;
	*at++ = TYPE_LOW;
	*at = frame.mark;
	struct iovec parts[] = { { header, sizeof(header) }, { data, sizeof(data) } };
	if (writev(fd, parts, 2) < 0)
		TEST_FAIL("cannot send a frame: %m");
}

/* The mark of the next frame of ours, and its VLAN in *ret_vlan; -1 for none in time. */
static int next_frame(int fd, uint16_t *ret_vlan)
{
	uint8_t data[2048];
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		if (poll(&p, 1, LIMIT_MSEC) <= 0)
			return -1;
		ssize_t n = read(fd, data, sizeof(data));
		const uint8_t *type = data + VNET_HDR_LEN + 12;
		if (n < VNET_HDR_LEN + FRAME_LEN)
			continue;
		*ret_vlan = 0;
		if (type[0] == 0x81 && type[1] == 0) {
			*ret_vlan = (uint16_t)(type[2] << 8 | type[3]);
			type += 4;
		}
		if (type[0] == TYPE_HIGH && type[1] == TYPE_LOW)
			return type[2];
	}
}

/* Frames come in order, so what comes before the one with the mark 0xee is all there is. */
static void check_gets(int fd, const char *expected)
{
	CLEANUP(buf_done) struct buf got = {};
	uint16_t vlan;
	int mark;
	while ((mark = next_frame(fd, &vlan)) >= 0 && mark != 0xee) {
		buf_printf(&got, "%d", mark);
		buf_printf(&got, vlan ? "@%u " : " ", vlan);
	}
	if (mark < 0)
		TEST_FAIL("the last frame has not come");
	CHECK_STR(buf_text(&got), expected);
}

/* ---- tests ---- */

TEST(a_locked_port_takes_its_guests_frames_only)
{
	NEED_NETWORK();
	check_shell("ip link add br0 type bridge && ip link set br0 up");
	const struct port_settings locked = { .protect = true, .lock = true };
	int other = add_guest("t0", 1, NULL), guest = add_guest("t1", 2, &locked);
	bool has_lock = shell_works("bridge -d link show dev t1 | grep -q 'locked on'");

	check_has("bridge -d link show dev t1", "guard on");
	check_has("bridge -d link show dev t1", "root_block on");
	check_has("bridge -d link show dev t1", "learning off");
	check_has("bridge fdb show dev t1", "52:54:00:00:00:02 sticky master br0 static");

	/* 2 is the guest's own address, 3 one that it has made up. */
	send_frame(guest, (struct frame){ .to = 0xff, .from = 2, .mark = 1 });
	send_frame(guest, (struct frame){ .to = 0xff, .from = 3, .mark = 2 });
	send_frame(guest, (struct frame){ .to = 1, .from = 3, .mark = 3 });
	send_frame(guest, (struct frame){ .to = 1, .from = 2, .mark = 4 });
	send_frame(guest, (struct frame){ .to = 0xff, .from = 2, .mark = 0xee });
	check_gets(other, has_lock ? "1 4 " : "1 2 3 4 ");
	if (!has_lock)
		printf("# this kernel can't lock ports\n");

	/* Its address stays its own whatever others say. */
	send_frame(other, (struct frame){ .to = 0xff, .from = 2, .mark = 5 });
	check_has("bridge fdb show dev t1", "52:54:00:00:00:02 sticky master br0 static");
	send_frame(other, (struct frame){ .to = 2, .from = 1, .mark = 6 });
	send_frame(other, (struct frame){ .to = 2, .from = 1, .mark = 0xee });
	check_gets(guest, "5 6 ");
	close(other);
	close(guest);
	check_shell("ip link del br0");
}

/*
 * Who holds the tap, which is QEMU, may change the address of its host's end. The one whose address
 * that is is cut off, as machina(8) says; but nobody can send under it, and the guest's own stays.
 */
TEST(who_changes_the_address_of_the_hosts_end_gains_no_other_one)
{
	NEED_NETWORK();
	check_shell("ip link add br0 type bridge && ip link set br0 up");
	const struct port_settings locked = { .protect = true, .lock = true };
	int other = add_guest("t0", 1, NULL), guest = add_guest("t1", 2, &locked);
	struct ifreq request = { .ifr_hwaddr = { .sa_family = ARPHRD_ETHER } };
	if (!shell_works("bridge -d link show dev t1 | grep -q 'locked on'"))
		SKIP("this kernel can't lock ports");
	put_address((uint8_t *)request.ifr_hwaddr.sa_data, 3);
	CHECK_INT(ioctl(guest, SIOCSIFHWADDR, &request), 0);
	check_has("ip link show dev t1", "52:54:00:00:00:03");

	send_frame(guest, (struct frame){ .to = 0xff, .from = 3, .mark = 1 });
	send_frame(guest, (struct frame){ .to = 1, .from = 3, .mark = 2 });
	send_frame(guest, (struct frame){ .to = 0xff, .from = 2, .mark = 3 });
	send_frame(guest, (struct frame){ .to = 0xff, .from = 2, .mark = 0xee });
	check_gets(other, "3 ");
	close(other);
	close(guest);
	check_shell("ip link del br0");
}

TEST(an_open_port_learns)
{
	NEED_NETWORK();
	check_shell("ip link add br0 type bridge && ip link set br0 up");
	const struct port_settings open = { .protect = true };
	int other = add_guest("t0", 1, NULL), guest = add_guest("t1", 2, &open);
	send_frame(guest, (struct frame){ .to = 0xff, .from = 3, .mark = 1 });
	send_frame(guest, (struct frame){ .to = 0xff, .from = 2, .mark = 0xee });
	check_gets(other, "1 ");
	check_has("bridge fdb show dev t1", "52:54:00:00:00:03 master br0");
	close(other);
	close(guest);
	check_shell("ip link del br0");
}

TEST(isolated_ports_reach_others_but_not_each_other)
{
	NEED_NETWORK();
	check_shell("ip link add br0 type bridge && ip link set br0 up");
	const struct port_settings isolated = { .protect = true, .isolate = true, .lock = true };
	int uplink = add_guest("t0", 1, NULL);
	int a = add_guest("t1", 2, &isolated), b = add_guest("t2", 3, &isolated);
	send_frame(a, (struct frame){ .to = 0xff, .from = 2, .mark = 1 });
	send_frame(a, (struct frame){ .to = 3, .from = 2, .mark = 2 });
	send_frame(a, (struct frame){ .to = 1, .from = 2, .mark = 3 });
	send_frame(b, (struct frame){ .to = 1, .from = 3, .mark = 0xee });
	check_gets(uplink, "1 3 ");
	send_frame(uplink, (struct frame){ .to = 3, .from = 1, .mark = 4 });
	send_frame(uplink, (struct frame){ .to = 0xff, .from = 1, .mark = 0xee });
	check_gets(b, "4 ");
	close(uplink);
	close(a);
	close(b);
	check_shell("ip link del br0");
}

TEST(a_closed_port_passes_nothing_either_way)
{
	NEED_NETWORK();
	check_shell("ip link add br0 type bridge && ip link set br0 up");
	const struct port_settings open = { .protect = true };
	int other = add_guest("t0", 1, NULL), third = add_guest("t2", 4, NULL);
	int guest = add_guest("t1", 2, &open);
	struct error err = {};
	struct link link;
	CHECK_INT(netlink_get(&nl, "t1", &link, &err), 0);
	if (port_set_open(&nl, &link, false, &err) < 0)
		TEST_FAIL("%s", err.text);
	send_frame(guest, (struct frame){ .to = 0xff, .from = 2, .mark = 1 });
	send_frame(third, (struct frame){ .to = 0xff, .from = 4, .mark = 2 });
	CHECK_INT(netlink_get(&nl, "t1", &link, &err), 0);
	if (port_set_open(&nl, &link, true, &err) < 0)
		TEST_FAIL("%s", err.text);
	send_frame(guest, (struct frame){ .to = 0xff, .from = 2, .mark = 3 });
	send_frame(third, (struct frame){ .to = 0xff, .from = 4, .mark = 0xee });
	check_gets(other, "2 3 ");
	check_gets(guest, "");
	close(other);
	close(third);
	close(guest);
	check_shell("ip link del br0");
}

static void renew(const char *name, uint8_t number, const struct port_settings *port)
{
	struct error err = {};
	const struct tap_request r = { .name = name,
		.alias = "machina:web/lan",
		.network = "lan",
		.mac = { 0x52, 0x54, 0, 0, 0, number },
		.port = port };
	CHECK_INT(tap_renew(&nl, &r, &err), 0);
	CHECK_STR(err.text, "");
}

/* As of a machine that was started by an older version, or before its guard was changed. */
TEST(a_port_in_use_is_set_up_anew)
{
	NEED_NETWORK();
	check_shell("ip link add br0 type bridge && ip link set br0 up");
	const struct port_settings before = { .isolate = true };
	const struct port_settings after = { .lock = true, .catch_reserved = true };
	int other = add_guest("t0", 1, NULL), guest = add_guest("t1", 2, &before);
	check_has("ip -d link show dev t1", "group_fwd_mask 0 ");
	check_shell("bridge link set dev t1 guard on root_block on");
	renew("t1", 2, &after);
	check_has("ip -d link show dev t1", "group_fwd_mask 0xfffd");
	check_has("bridge -d link show dev t1", "learning off");
	check_has("bridge -d link show dev t1", "isolated on");
	check_has("bridge fdb show dev t1", "52:54:00:00:00:02 sticky master br0 static");
	send_frame(guest, (struct frame){ .to = 0xff, .from = 2, .mark = 1 });
	send_frame(guest, (struct frame){ .to = 0xff, .from = 2, .mark = 0xee });
	check_gets(other, "1 ");
	/* Nothing of the guard is left, also where there are no other settings. */
	renew("t1", 2, NULL);
	check_has("ip -d link show dev t1", "group_fwd_mask 0 ");
	check_has("bridge -d link show dev t1", "learning on");
	/* What is no part of the guard may be a script's. */
	check_has("bridge -d link show dev t1", "guard on root_block on");
	check_has("bridge -d link show dev t1", "isolated on");
	send_frame(guest, (struct frame){ .to = 0xff, .from = 3, .mark = 2 });
	send_frame(guest, (struct frame){ .to = 0xff, .from = 2, .mark = 0xee });
	check_gets(other, "2 ");
	close(other);
	close(guest);
	check_shell("ip link del br0");
}

TEST(what_is_no_port_is_left_alone)
{
	NEED_NETWORK();
	const struct port_settings locked = { .lock = true };
	struct tap_request r = {
		.name = "t1",
		.alias = "machina:web/lan",
		.network = "lan",
		.port = &locked,
	};
	struct error err = {};
	int fd = -1;
	CHECK_INT(tap_renew(&nl, &r, &err), 1);
	CHECK_INT(tap_create(&nl, &r, &fd, &err), 0);
	CHECK_INT(tap_renew(&nl, &r, &err), 1);
	r.alias = "machina:other/lan";
	CHECK_INT(tap_renew(&nl, &r, &err), 1);
	close(fd);
}

TEST(with_spanning_tree_the_interface_is_switched)
{
	NEED_NETWORK();
	if (!shell_works("ip link add br0 type bridge stp_state 1 forward_delay 0 && ip link set "
			 "br0 up"))
		SKIP("no bridge with a spanning tree can be made");
	int guest = add_guest("t1", 2, NULL);
	struct error err = {};
	struct link link;
	for (int i = 0; i < 2; i++) {
		CHECK_INT(netlink_get(&nl, "t1", &link, &err), 0);
		if (port_set_open(&nl, &link, i == 1, &err) < 0)
			TEST_FAIL("%s", err.text);
		CHECK_INT(netlink_get(&nl, "t1", &link, &err), 0);
		CHECK_INT(link.up, i == 1);
	}
	close(guest);
	check_shell("ip link del br0");
}

TEST(vlans_need_a_bridge_that_tells_them_apart)
{
	NEED_NETWORK();
	check_shell("ip link add br0 type bridge");
	const struct port_settings tagged = { .protect = true, .vlan = 20 };
	const struct tap_request r = {
		.name = "t1",
		.alias = "machina:web/lan",
		.network = "lan",
		.bridge = "br0",
		.port = &tagged,
	};
	struct error err = {};
	int fd = -1;
	CHECK_INT(tap_create(&nl, &r, &fd, &err), -EINVAL);
	CHECK_STR(err.text,
			"network 'lan': the bridge 'br0' does not tell VLANs apart; switch it on "
			"('ip link set br0 type bridge vlan_filtering 1'), or take 'vlan' and "
			"'vlans' out of the network");
	CHECK(!shell_works("ip link show t1"));
	check_shell("ip link del br0");
}

TEST(vlans_of_a_port)
{
	NEED_NETWORK();
	static const uint16_t trunk[] = { 30, 31, 32, 40 };
	const struct port_settings untagged = { .protect = true, .lock = true, .vlan = 30 };
	const struct port_settings tagged = {
		.protect = true, .lock = true, .vlans = trunk, .n_vlans = ARRAY_SIZE(trunk)
	};
	const struct port_settings moved = { .protect = true, .lock = true, .vlan = 31 };
	if (!shell_works("ip link add br0 type bridge vlan_filtering 1 && ip link set br0 up"))
		SKIP("this kernel's bridges know no VLANs");
	int other = add_guest("t0", 1, NULL), guest = add_guest("t1", 2, &untagged),
	    router = add_guest("t2", 3, &tagged);
	check_has("{ bridge vlan show dev t1; echo end; }", " t1 30 PVID Egress Untagged end");
	check_has("bridge vlan show dev t2", "t2 30 31 32 40 ");
	check_has("bridge vlan show dev t0", "t0 1 PVID Egress Untagged");
	renew("t1", 2, &moved);
	check_has("{ bridge vlan show dev t1; echo end; }", " t1 30 PVID Egress Untagged end");
	check_has("bridge fdb show dev t2", "52:54:00:00:00:03 vlan 40 sticky master br0 static");

	/* To the trunk, with a tag; not to others. */
	send_frame(guest, (struct frame){ .to = 0xff, .from = 2, .mark = 1 });
	send_frame(guest, (struct frame){ .to = 0xff, .from = 2, .vlan = 40, .mark = 2 });
	send_frame(guest, (struct frame){ .to = 3, .from = 2, .mark = 0xee });
	check_gets(router, "1@30 ");
	/* Back, without; of the trunk's VLANs only one's own; nothing that has no tag. */
	send_frame(router, (struct frame){ .to = 0xff, .from = 3, .vlan = 31, .mark = 3 });
	send_frame(router, (struct frame){ .to = 0xff, .from = 3, .mark = 4 });
	send_frame(router, (struct frame){ .to = 0xff, .from = 3, .vlan = 50, .mark = 5 });
	send_frame(router, (struct frame){ .to = 2, .from = 3, .vlan = 30, .mark = 6 });
	send_frame(router, (struct frame){ .to = 2, .from = 3, .vlan = 30, .mark = 0xee });
	check_gets(guest, "6 ");
	send_frame(guest, (struct frame){ .to = 1, .from = 2, .mark = 7 });
	int last = add_guest("t3", 4, NULL);
	send_frame(last, (struct frame){ .to = 0xff, .from = 4, .mark = 0xee });
	check_gets(other, "");
	close(other);
	close(guest);
	close(router);
	close(last);
	check_shell("ip link del br0");
}

TEST_MAIN()
