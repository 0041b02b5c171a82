/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a bridge takes over of an interface: real ones, in a network namespace of this process. */
#include "host/net/uplink.h"

#include "own-network.h"
#include "scratch.h"

static const char *enter_own_network(void)
{
	static bool entered;
	if (entered)
		return NULL;
	const char *why_not = own_network("only root makes interfaces");
	if (why_not)
		return why_not;
	if (!shell_works("ip link add eth0 type veth peer name far && ip link set eth0 address "
			 "52:54:00:00:00:09 && ip link set eth0 up && ip link set far up"))
		return "no pair of interfaces can be made";
	entered = true;
	return NULL;
}

#define NEED_NETWORK() SKIP_BECAUSE(enter_own_network())

/* "ADDRESS... | GATEWAY...", with "lent" in front where others gave addresses. */
static const char *seen(const char *name)
{
	static char text[512];
	CLEANUP(netlink_done) struct netlink nl = {};
	CLEANUP(uplink_done) struct uplink uplink = {};
	CLEANUP(buf_done) struct buf buf = {};
	struct error err = {};
	CHECK_INT(netlink_open(&nl, &err), 0);
	int r = uplink_read(&nl, scratch_path("sys"), name, &uplink, &err);
	if (r > 0)
		return "none";
	CHECK_INT(r, 0);
	if (uplink.is_wireless)
		buf_puts(&buf, "wireless ");
	if (uplink.is_lent)
		buf_puts(&buf, "lent ");
	for (size_t i = 0; i < uplink.addresses.n; i++)
		buf_printf(&buf, "%s ", uplink.addresses.items[i]);
	buf_puts(&buf, "|");
	for (size_t i = 0; i < uplink.gateways.n; i++)
		buf_printf(&buf, " %s", uplink.gateways.items[i]);
	buf_printf(&buf, " | %02x", uplink.mac[5]);
	snprintf(text, sizeof(text), "%s", buf_text(&buf));
	return text;
}

TEST(addresses_and_gateways_are_found)
{
	NEED_NETWORK();
	scratch_begin();
	CHECK_STR(seen("eth7"), "none");
	CHECK_STR(seen("eth0"), "| | 09");
	CHECK(shell_works("ip addr add 192.0.2.5/24 dev eth0; ip addr add 2001:db8::5/64 dev eth0 "
			  "nodad; ip route add default via 192.0.2.1; ip -6 route add default via "
			  "2001:db8::1 dev eth0"));
	CHECK_STR(seen("eth0"), "192.0.2.5/24 2001:db8::5/64 | 192.0.2.1 2001:db8::1 | 09");
	/* Of no use to a bridge: other routes, those that a router told. */
	CHECK(shell_works("ip route add 10.0.0.0/8 via 192.0.2.7; ip -6 route replace default via "
			  "2001:db8::9 dev eth0 proto ra metric 5; ip addr add 169.254.3.4/16 dev "
			  "eth0"));
	CHECK_STR(seen("eth0"), "192.0.2.5/24 2001:db8::5/64 | 192.0.2.1 2001:db8::1 | 09");
	CHECK(shell_works("ip addr flush dev eth0 scope global; ip -6 route flush default"));
	scratch_end();
}

TEST(of_an_address_with_another_end_the_own_one_counts)
{
	NEED_NETWORK();
	scratch_begin();
	CHECK(shell_works("ip addr add 192.0.2.5 peer 192.0.2.9/32 dev eth0; ip addr add "
			  "2001:db8::5 peer 2001:db8::9/128 dev eth0 nodad"));
	CHECK_STR(seen("eth0"), "192.0.2.5/32 2001:db8::5/128 | | 09");
	CHECK(shell_works("ip addr flush dev eth0 scope global"));
	scratch_end();
}

TEST(what_was_lent_is_not_taken)
{
	NEED_NETWORK();
	scratch_begin();
	CHECK(shell_works("ip addr add 192.0.2.77/24 dev eth0 valid_lft 3600 preferred_lft 3600; "
			  "ip addr add 2001:db8::5/64 dev eth0 nodad; ip route add default via "
			  "192.0.2.1"));
	CHECK_STR(seen("eth0"), "lent 2001:db8::5/64 | | 09");
	CHECK(shell_works("ip addr flush dev eth0 scope global"));
	scratch_end();
}

TEST(wireless_interfaces_are_known)
{
	NEED_NETWORK();
	scratch_begin();
	put_file("sys/class/net/eth0/phy80211", "");
	CHECK_STR(seen("eth0"), "wireless | | 09");
	scratch_end();
}

TEST_MAIN()
