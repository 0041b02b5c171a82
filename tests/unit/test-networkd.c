/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of systemd-networkd for a bridge, and what is read back from them. */
#include "unit/networkd.h"

#include "test.h"
#include "util/mem.h"

/* All files of a bridge: "== NAME", then what follows the first line. */
static char *build(struct networkd_bridge bridge)
{
	CLEANUP(units_done) struct units units = {};
	CLEANUP(strv_done) struct strv sources = {};
	CLEANUP(buf_done) struct buf text = {};
	struct error err = {};
	strv_push(&sources, "/etc/machina/machina.conf.json");
	bridge.sources = &sources;
	CHECK_INT(networkd_build(&bridge, &units, &err), 0);
	for (size_t i = 0; i < units.n; i++) {
		const char *end = strchr(units.items[i].text, '\n');
		CHECK(!strncmp(units.items[i].text, UNIT_MARK "from /etc/machina/machina.conf.json",
				strlen(UNIT_MARK "from /etc/machina/machina.conf.json")));
		buf_printf(&text, "== %s%s", units.items[i].name, end);
	}
	return buf_take(&text);
}

static struct networkd_choice choose(const char *uplink)
{
	return (struct networkd_choice){
		.uplink = uplink ? xstrdup(uplink) : NULL,
		.mac = xstrdup("52:54:00:00:00:01"),
	};
}

TEST(a_bridge_with_an_uplink)
{
	CLEANUP(networkd_choice_done) struct networkd_choice choice = choose("eth0");
	strv_push(&choice.addresses, "dhcp");
	CLEANUP(freep)
	char *text = build((struct networkd_bridge){ .name = "br0", .choice = &choice });
	CHECK_STR(text, "== 05-machina-bridge-br0.netdev\n"
			"\n[NetDev]\nName=br0\nKind=bridge\nMACAddress=52:54:00:00:00:01\n"
			"\n[Bridge]\nSTP=no\nForwardDelaySec=0\n"
			"== 05-machina-bridge-br0.network\n"
			"\n[Match]\nName=br0\n"
			"\n[Link]\nRequiredForOnline=yes\n"
			"\n[Network]\nDHCP=yes\nIPv6AcceptRA=yes\nConfigureWithoutCarrier=yes\n"
			"\n[X-Machina]\nUplink=eth0\nMACAddress=52:54:00:00:00:01\nAddress=dhcp\n"
			"== 05-machina-uplink-br0.network\n"
			"\n[Match]\nName=eth0\n"
			"\n[Network]\nBridge=br0\nDHCP=no\nLinkLocalAddressing=no\n"
			"IPv6AcceptRA=no\n");
}

TEST(a_bridge_of_guests_alone)
{
	CLEANUP(networkd_choice_done) struct networkd_choice choice = choose(NULL);
	CLEANUP(freep)
	char *text = build((struct networkd_bridge){ .name = "br0", .choice = &choice });
	const char *network = strstr(text, "== 05-machina-bridge-br0.network");
	CHECK_STR(network ? network : text,
			"== 05-machina-bridge-br0.network\n"
			"\n[Match]\nName=br0\n"
			"\n[Link]\nRequiredForOnline=no\n"
			"\n[Network]\nDHCP=no\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n"
			"ConfigureWithoutCarrier=yes\n"
			"\n[X-Machina]\nMACAddress=52:54:00:00:00:01\n");
}

TEST(addresses_mtu_and_vlans)
{
	static const uint16_t vlans[] = { 1, 2, 20, 30, 31, 32, 4094 };
	CLEANUP(networkd_choice_done) struct networkd_choice choice = choose("eth0");
	strv_push(&choice.addresses, "192.0.2.5/24");
	strv_push(&choice.addresses, "2001:db8::5/64");
	strv_push(&choice.gateways, "192.0.2.1");
	strv_push(&choice.gateways, "fe80::1");
	strv_push(&choice.dns, "192.0.2.53");
	CLEANUP(freep)
	char *text = build((struct networkd_bridge){ .name = "br0",
			.choice = &choice,
			.mtu = 9000,
			.has_vlans = true,
			.vlans = vlans,
			.n_vlans = ARRAY_SIZE(vlans) });
	CHECK_STR(text, "== 05-machina-bridge-br0.netdev\n"
			"\n[NetDev]\nName=br0\nKind=bridge\nMACAddress=52:54:00:00:00:01\n"
			"MTUBytes=9000\n"
			"\n[Bridge]\nSTP=no\nForwardDelaySec=0\nVLANFiltering=yes\n"
			"== 05-machina-bridge-br0.network\n"
			"\n[Match]\nName=br0\n"
			"\n[Link]\nRequiredForOnline=yes\n"
			"\n[Network]\nDHCP=no\nAddress=192.0.2.5/24\nAddress=2001:db8::5/64\n"
			"Gateway=192.0.2.1\nGateway=fe80::1\nDNS=192.0.2.53\n"
			"ConfigureWithoutCarrier=yes\n"
			"\n[X-Machina]\nUplink=eth0\nMACAddress=52:54:00:00:00:01\n"
			"Address=192.0.2.5/24 2001:db8::5/64\nGateway=192.0.2.1 fe80::1\n"
			"DNS=192.0.2.53\n"
			"== 05-machina-uplink-br0.network\n"
			"\n[Match]\nName=eth0\n"
			"\n[Link]\nMTUBytes=9000\n"
			"\n[Network]\nBridge=br0\nDHCP=no\nLinkLocalAddressing=no\n"
			"IPv6AcceptRA=no\n"
			"\n[BridgeVLAN]\nVLAN=1\nPVID=1\nEgressUntagged=1\n"
			"\n[BridgeVLAN]\nVLAN=2\n"
			"\n[BridgeVLAN]\nVLAN=20\n"
			"\n[BridgeVLAN]\nVLAN=30-32\n"
			"\n[BridgeVLAN]\nVLAN=4094\n");
}

/* VLAN 1 alone is the one without a tag. */
TEST(vlan_1_has_no_tag)
{
	static const uint16_t vlans[] = { 1 };
	CLEANUP(networkd_choice_done) struct networkd_choice choice = choose("eth0");
	CLEANUP(freep)
	char *text = build((struct networkd_bridge){ .name = "br0",
			.choice = &choice,
			.has_vlans = true,
			.vlans = vlans,
			.n_vlans = 1 });
	const char *at = strstr(text, "\n[BridgeVLAN]");
	CHECK_STR(at ? at : text, "\n[BridgeVLAN]\nVLAN=1\nPVID=1\nEgressUntagged=1\n");
}

TEST(what_was_said_is_read_back)
{
	CLEANUP(networkd_choice_done) struct networkd_choice choice = choose("eth0.5");
	CLEANUP(networkd_choice_done) struct networkd_choice back = {};
	CLEANUP(units_done) struct units units = {};
	CLEANUP(strv_done) struct strv sources = {};
	struct error err = {};
	strv_push(&choice.addresses, "dhcp");
	strv_push(&choice.addresses, "192.0.2.5/24");
	strv_push(&choice.gateways, "192.0.2.1");
	const struct networkd_bridge bridge = {
		.name = "br0", .choice = &choice, .sources = &sources
	};
	CHECK_INT(networkd_build(&bridge, &units, &err), 0);
	const struct unit *file = &units.items[1];
	CHECK_INT(networkd_read(file->name, file->text, file->len, &back, &err), 0);
	CHECK_STR(back.uplink, "eth0.5");
	CHECK_STR(back.mac, "52:54:00:00:00:01");
	CHECK_INT(back.addresses.n, 2);
	CHECK_STR(back.addresses.items[1], "192.0.2.5/24");
	CHECK_INT(back.gateways.n, 1);
	CHECK_INT(back.dns.n, 0);
}

TEST(names_that_mean_more_are_refused)
{
	CHECK(networkd_name_valid("br0"));
	CHECK(networkd_name_valid("enp0s31f6.20"));
	CHECK(networkd_name_valid("a_b-c"));
	CHECK(!networkd_name_valid(""));
	CHECK(!networkd_name_valid("eth*"));
	CHECK(!networkd_name_valid("!eth0"));
	CHECK(!networkd_name_valid("eth?"));
	CHECK(!networkd_name_valid("e[01]"));
	CHECK(!networkd_name_valid("a\"b"));
	CHECK(!networkd_name_valid("100%"));
}

TEST_MAIN()
