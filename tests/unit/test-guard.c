/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guard: hostile frames that a guest could send are dropped, and all that it needs passes. */
#include "host/net/firewall.h"

#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>

#include "frames.h"

static struct netlink nl;
static struct fw_policy policy;

static const uint8_t ip_own[] = { 10, 0, 0, 5 }, ip_peer[] = { 10, 0, 0, 9 },
		     ip_none[] = { 0, 0, 0, 0 }, ip_all[] = { 255, 255, 255, 255 };
static const uint8_t ip6_own[] = { 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5 };
static const uint8_t ip6_peer[] = { 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9 };
static const uint8_t ip6_local[] = { 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5 };
static const uint8_t ip6_all[] = { 0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 };
static const uint8_t ip6_none[16];

/* The filter of web: a guard, with or without addresses of each family. */
struct guarded {
	struct vm_filter filter;
	struct fw_range own[N_FW_FAMILIES];
};

static struct guarded all_parts(bool has_4, bool has_6)
{
	struct guarded g = {
		.filter.guard = { .mac = true,
				.address = FW_GUARD_ADDRESS_ON,
				.router = true,
				.dhcp_server = true,
				.fragments = true,
				.other = true },
	};
	memset(g.filter.defaults, 0xff, sizeof(g.filter.defaults));
	memcpy(g.own[FW_IPV4].first, ip_own, 4);
	memcpy(g.own[FW_IPV4].last, ip_own, 4);
	memcpy(g.own[FW_IPV6].first, ip6_own, 16);
	memcpy(g.own[FW_IPV6].last, ip6_own, 16);
	g.filter.ip.of[FW_IPV4].n = has_4;
	g.filter.ip.of[FW_IPV6].n = has_6;
	return g;
}

static const char *begin(struct guarded *g)
{
	const char *reason = frames_begin();
	struct error err = {};
	if (reason)
		return reason;
	if (!nl.socket && nft_open(&nl, &err) < 0)
		TEST_FAIL("%s", err.text);
	for (int f = 0; f < N_FW_FAMILIES; f++)
		g->filter.ip.of[f].items = &g->own[f];

	CLEANUP(fw_port_done) struct fw_port port = {};
	const struct vm vm = { .name = "web" };
	const struct vm_nic nic = { .name = "0",
		.network = "lan",
		.link = "web.0",
		.mac = "52:54:00:00:00:01",
		.filter = &g->filter };
	const struct firewall_port one = { .port = &port };
	const struct firewall_request request = {
		.policy = &policy, .ports = &one, .n = 1, .is_all = true
	};
	int r = fw_port_of_nic(&policy, &vm, &nic, &port, &err);
	if (r == 0)
		r = firewall_install(&nl, &request, &err);
	if (r == -EOPNOTSUPP || r == -EINVAL)
		return "the kernel has no nftables for bridges";
	if (r < 0)
		TEST_FAIL("%s", err.text);
	return NULL;
}

#define BEGIN(g)                                                                                   \
	do {                                                                                       \
		const char *reason_ = begin(g);                                                    \
		if (reason_)                                                                       \
			SKIP(reason_);                                                             \
	} while (0)

static void check(const char *what, struct frame frame, bool passes)
{
	if (frame_passes(PORT_WEB, PORT_UP, &frame) != passes)
		TEST_FAIL("%s: %s", what, passes ? "is dropped" : "passes");
}

static void drops(const char *what, struct frame frame)
{
	check(what, frame, false);
}

static void passes(const char *what, struct frame frame)
{
	check(what, frame, true);
}

/* ---- packets ---- */

static struct packet udp(bytes from, bytes to, int family, uint16_t from_port, uint16_t to_port)
{
	return (struct packet){ .from_mac = mac_web,
		.to_mac = mac_all,
		.family = family,
		.from = from,
		.to = to,
		.protocol = IPPROTO_UDP,
		.from_port = from_port,
		.to_port = to_port };
}

static struct packet icmp6(uint8_t type, bytes from, bytes target)
{
	return (struct packet){ .from_mac = mac_web,
		.to_mac = mac_all,
		.family = AF_INET6,
		.from = from,
		.to = ip6_all,
		.protocol = IPPROTO_ICMPV6,
		.type = type,
		.target = target };
}

static struct frame made(struct packet p)
{
	return frame_ip(&p);
}

static struct frame router_advert(void)
{
	return made(icmp6(ND_ROUTER_ADVERT, ip6_local, NULL));
}

/* A router advertisement behind extension headers. */
static struct frame hidden_advert(uint8_t first, bytes headers, size_t len)
{
	struct packet p = icmp6(ND_ROUTER_ADVERT, ip6_local, NULL);
	p.header = first;
	p.headers = headers;
	p.headers_len = len;
	return frame_ip(&p);
}

static struct frame with_type(unsigned type)
{
	struct frame f = frame_ether(mac_web, mac_all, type);
	put(&f, "whatever", 8);
	put_mark(&f);
	return f;
}

/* IEEE 802.3: a length in place of the type, then LLC. */
static struct frame llc(bytes header, size_t len)
{
	struct frame f = frame_ether(mac_web, mac_all, (unsigned)len + MARK_LEN);
	put(&f, header, len);
	put_mark(&f);
	return f;
}

/* An IPv4 packet in SNAP (RFC 1042), which hosts may take like any other. */
static struct frame snap(void)
{
	struct frame ip = made(udp(ip_peer, ip_all, AF_INET, 1000, 2000));
	struct frame f = frame_ether(mac_web, mac_all, (unsigned)ip.len - 14 + 8);
	put(&f, BYTES(0xaa, 0xaa, 3, 0, 0, 0, 8, 0), 8);
	put(&f, ip.data + 14, ip.len - 14);
	return f;
}

static struct frame from_mac(bytes mac, struct packet p)
{
	p.from_mac = mac;
	return frame_ip(&p);
}

/* ---- what is dropped ---- */

static void check_router(void (*expect)(const char *, struct frame))
{
	expect("router advertisement", router_advert());
	expect("redirect", made(icmp6(ND_REDIRECT, ip6_local, ip6_peer)));
	expect("router advertisement behind hop-by-hop options",
			hidden_advert(0, BYTES(58, 0, 1, 4, 0, 0, 0, 0), 8));
	expect("router advertisement behind destination options",
			hidden_advert(60, BYTES(58, 0, 1, 4, 0, 0, 0, 0), 8));
	expect("router advertisement behind two headers",
			hidden_advert(0, BYTES(60, 0, 1, 4, 0, 0, 0, 0, 58, 0, 1, 4, 0, 0, 0, 0),
					16));
}

static void check_servers(void (*expect)(const char *, struct frame))
{
	expect("DHCP offer", made(udp(ip_own, ip_all, AF_INET, 67, 68)));
	expect("DHCPv6 advertisement", made(udp(ip6_local, ip6_all, AF_INET6, 547, 546)));
}

static void check_fragments(void (*expect)(const char *, struct frame))
{
	expect("first fragment of a router advertisement",
			hidden_advert(44, BYTES(58, 0, 0, 1, 0, 0, 0, 7), 8));
	expect("router advertisement that is a fragment by itself",
			hidden_advert(44, BYTES(58, 0, 0, 0, 0, 0, 0, 7), 8));
	expect("second fragment", hidden_advert(44, BYTES(58, 0, 0, 8, 0, 0, 0, 7), 8));
}

static void check_other(void (*expect)(const char *, struct frame))
{
	struct frame advert = router_advert(), tagged = frame_tagged(&advert, 0x8100, 20);
	struct frame arp = frame_arp(mac_web, mac_web, ip_own, ip_peer);
	expect("tagged router advertisement", tagged);
	expect("router advertisement with a priority tag", frame_tagged(&advert, 0x8100, 0xe000));
	expect("router advertisement with two tags (QinQ)", frame_tagged(&tagged, 0x88a8, 10));
	expect("router advertisement with two tags", frame_tagged(&tagged, 0x8100, 10));
	expect("tagged ARP", frame_tagged(&arp, 0x8100, 20));
	expect("spanning tree", llc(BYTES(0x42, 0x42, 3, 0, 0, 0, 0, 0), 8));
	expect("IPv4 in SNAP", snap());
	expect("LLDP", with_type(0x88cc));
	expect("PPPoE", with_type(0x8863));
	expect("a protocol that nobody knows", with_type(0x1234));
}

static void check_mac(void (*expect)(const char *, struct frame))
{
	expect("source MAC of another", from_mac(mac_peer, udp(ip_own, ip_all, AF_INET, 1, 2)));
	expect("ARP from the MAC of another", frame_arp(mac_peer, mac_peer, ip_own, ip_peer));
	expect("ARP sender MAC of another", frame_arp(mac_web, mac_peer, ip_own, ip_peer));
}

static void check_address_4(void (*expect)(const char *, struct frame))
{
	expect("IPv4 source of another", made(udp(ip_peer, ip_all, AF_INET, 1000, 2000)));
	expect("ARP sender address of another", frame_arp(mac_web, mac_web, ip_peer, ip_own));
	expect("gratuitous ARP for another", frame_arp(mac_web, mac_web, ip_peer, ip_peer));
	expect("broadcast as source", made(udp(ip_all, ip_own, AF_INET, 1000, 2000)));
}

static void check_address_6(void (*expect)(const char *, struct frame))
{
	expect("IPv6 source of another", made(udp(ip6_peer, ip6_all, AF_INET6, 1000, 2000)));
	expect("neighbour advertisement for another",
			made(icmp6(ND_NEIGHBOR_ADVERT, ip6_local, ip6_peer)));
	expect("neighbour advertisement for another from the own address",
			made(icmp6(ND_NEIGHBOR_ADVERT, ip6_own, ip6_peer)));
}

/* ---- what passes ---- */

static void check_own_4(void (*expect)(const char *, struct frame))
{
	expect("ARP probe", frame_arp(mac_web, mac_web, ip_none, ip_own));
	expect("ARP request", frame_arp(mac_web, mac_web, ip_own, ip_peer));
	expect("gratuitous ARP", frame_arp(mac_web, mac_web, ip_own, ip_own));
	expect("DHCP discovery", made(udp(ip_none, ip_all, AF_INET, 68, 67)));
	expect("UDP", made(udp(ip_own, ip_peer, AF_INET, 1000, 2000)));
	expect("DNS", made(udp(ip_own, ip_peer, AF_INET, 1000, 53)));
	struct packet ping = udp(ip_own, ip_peer, AF_INET, 7, 0);
	ping.protocol = IPPROTO_ICMP;
	ping.type = ICMP_ECHO;
	expect("ping", made(ping));
	struct packet syn = udp(ip_own, ip_peer, AF_INET, 1001, 80);
	syn.protocol = IPPROTO_TCP;
	expect("TCP", made(syn));
}

static void check_own_6(void (*expect)(const char *, struct frame))
{
	expect("duplicate address detection", made(icmp6(ND_NEIGHBOR_SOLICIT, ip6_none, ip6_own)));
	expect("neighbour solicitation", made(icmp6(ND_NEIGHBOR_SOLICIT, ip6_own, ip6_peer)));
	expect("neighbour solicitation from the link",
			made(icmp6(ND_NEIGHBOR_SOLICIT, ip6_local, ip6_peer)));
	expect("neighbour advertisement", made(icmp6(ND_NEIGHBOR_ADVERT, ip6_own, ip6_own)));
	expect("neighbour advertisement of the link",
			made(icmp6(ND_NEIGHBOR_ADVERT, ip6_local, ip6_local)));
	expect("router solicitation", made(icmp6(ND_ROUTER_SOLICIT, ip6_none, NULL)));
	expect("multicast listener report", made(icmp6(143, ip6_local, NULL)));
	expect("DHCPv6 solicitation", made(udp(ip6_local, ip6_all, AF_INET6, 546, 547)));
	expect("UDP over IPv6", made(udp(ip6_own, ip6_peer, AF_INET6, 1000, 2000)));
	expect("ping over IPv6", made(icmp6(ICMP6_ECHO_REQUEST, ip6_own, NULL)));
}

TEST(hostile_frames_are_dropped)
{
	struct guarded g = all_parts(true, true);
	BEGIN(&g);
	check_mac(drops);
	check_address_4(drops);
	check_address_6(drops);
	check_router(drops);
	check_servers(drops);
	check_fragments(drops);
	check_other(drops);
}

TEST(what_a_guest_needs_passes)
{
	struct guarded g = all_parts(true, true);
	BEGIN(&g);
	check_own_4(passes);
	check_own_6(passes);
}

TEST(addresses_are_guarded_by_family)
{
	struct guarded g = all_parts(true, false);
	BEGIN(&g);
	check_address_4(drops);
	check_address_6(passes);
	check_own_4(passes);
	check_own_6(passes);
	g = all_parts(false, true);
	BEGIN(&g);
	check_address_4(passes);
	check_address_6(drops);
	check_own_4(passes);
	check_own_6(passes);
}

TEST(strict_leaves_no_family_without_addresses)
{
	struct guarded g = all_parts(true, false);
	g.filter.guard.address = FW_GUARD_ADDRESS_STRICT;
	BEGIN(&g);
	check_own_4(passes);
	check_own_6(drops);
	g = all_parts(false, true);
	g.filter.guard.address = FW_GUARD_ADDRESS_STRICT;
	BEGIN(&g);
	check_own_4(drops);
	check_own_6(passes);
}

TEST(each_part_can_be_turned_off)
{
	struct guarded g = all_parts(true, true);
	g.filter.guard.mac = false;
	BEGIN(&g);
	check_mac(passes);
	check_address_4(drops);
	g = all_parts(true, true);
	g.filter.guard.address = FW_GUARD_ADDRESS_OFF;
	BEGIN(&g);
	check_address_4(passes);
	check_address_6(passes);
	check_mac(drops);
	g = all_parts(true, true);
	g.filter.guard.router = false;
	BEGIN(&g);
	check_router(passes);
	check_fragments(drops);
	g = all_parts(true, true);
	g.filter.guard.dhcp_server = false;
	BEGIN(&g);
	check_servers(passes);
	g = all_parts(true, true);
	g.filter.guard.fragments = g.filter.guard.router = false;
	BEGIN(&g);
	check_fragments(passes);
	g = all_parts(true, true);
	g.filter.guard.other = g.filter.guard.router = g.filter.guard.mac = false;
	g.filter.guard.address = FW_GUARD_ADDRESS_OFF;
	BEGIN(&g);
	check_other(passes);
}

TEST(a_trunk_has_tags_and_no_more)
{
	static const uint16_t vlans[] = { 20 };
	struct guarded g = all_parts(true, true);
	g.filter.vlans = vlans;
	g.filter.n_vlans = 1;
	BEGIN(&g);
	struct packet own = udp(ip_own, ip_peer, AF_INET, 1000, 2000);
	struct frame plain = made(own), advert = router_advert();
	struct frame spoofed = made(udp(ip_peer, ip_all, AF_INET, 1000, 2000));
	struct frame tagged = frame_tagged(&plain, 0x8100, 20);
	passes("tagged UDP", tagged);
	plain = made(own);
	tagged = frame_tagged(&plain, 0x8100, 20);
	drops("two tags", frame_tagged(&tagged, 0x8100, 10));
	plain = made(own);
	tagged = frame_tagged(&plain, 0x8100, 20);
	drops("QinQ", frame_tagged(&tagged, 0x88a8, 10));
	drops("tagged router advertisement", frame_tagged(&advert, 0x8100, 20));
	drops("tagged IPv4 of another", frame_tagged(&spoofed, 0x8100, 20));
	struct frame unknown = with_type(0x1234);
	drops("a tagged protocol that nobody knows", frame_tagged(&unknown, 0x8100, 20));
}

TEST(other_ports_are_left_alone)
{
	struct guarded g = all_parts(true, true);
	BEGIN(&g);
	struct frame frames[] = { router_advert(), with_type(0x1234), with_type(0x88cc), snap(),
		made(udp(ip_peer, ip_all, AF_INET, 67, 68)) };
	for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
		CHECK(frame_passes(PORT_OTHER, PORT_UP, &frames[i]));
		/* What a guest gets is not guarded. */
		CHECK(frame_passes(PORT_OTHER, PORT_WEB, &frames[i]));
	}
}

TEST_MAIN()
