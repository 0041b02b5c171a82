/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guard: hostile frames that a guest could send are dropped, and all that it needs passes. */
#include "host/net/firewall.h"
#include "host/net/port.h"

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

/* The checksum of an IPv4 header that was changed. */
static void mend_header(struct frame *f)
{
	size_t len = 4 * (size_t)(f->data[14] & 15);
	memset(f->data + 24, 0, 2);
	put_checksum(f->data + 24, sum_of(f->data + 14, len));
}

/* The same IPv4 packet with four bytes of options. */
static struct frame with_options(struct frame from)
{
	struct frame f = { .len = 34 };
	memcpy(f.data, from.data, f.len);
	put(&f, BYTES(1, 1, 1, 0), 4);
	put(&f, from.data + 34, from.len - 34);
	f.data[14]++;
	f.data[17] = (uint8_t)(f.data[17] + 4);
	mend_header(&f);
	return f;
}

/* The same as a fragment; @at: in units of 8 bytes. */
static struct frame fragment(struct frame f, bool more, uint8_t at)
{
	f.data[20] = more ? 0x20 : 0;
	f.data[21] = at;
	mend_header(&f);
	return f;
}

/* To one neighbour in place of all. */
static struct frame to_mac(bytes mac, struct frame f)
{
	memcpy(f.data, mac, 6);
	return f;
}

static struct frame arp_answer(bytes sender_mac, bytes sender)
{
	struct frame f = frame_arp(mac_web, sender_mac, sender, ip_peer);
	f.data[21] = 2;
	return to_mac(mac_up, f);
}

static struct packet of(struct packet p, uint8_t protocol, uint8_t type)
{
	p.protocol = protocol;
	p.type = type;
	return p;
}

/* ---- what is dropped ---- */

static void check_router(void (*expect)(const char *, struct frame))
{
	struct packet own = icmp6(ND_ROUTER_ADVERT, ip6_own, NULL);
	expect("router advertisement", router_advert());
	expect("router advertisement from the own address", made(own));
	expect("router advertisement to one neighbour", to_mac(mac_up, router_advert()));
	expect("redirect behind hop-by-hop options",
			frame_ip(&(struct packet){ .from_mac = mac_web,
					.to_mac = mac_all,
					.family = AF_INET6,
					.from = ip6_local,
					.to = ip6_all,
					.protocol = IPPROTO_ICMPV6,
					.type = ND_REDIRECT,
					.target = ip6_peer,
					.header = 0,
					.headers = BYTES(58, 0, 1, 4, 0, 0, 0, 0),
					.headers_len = 8 }));
	expect("router advertisement behind a routing header",
			hidden_advert(43, BYTES(58, 0, 0, 0, 0, 0, 0, 0), 8));
	expect("router advertisement behind eight headers",
			hidden_advert(0,
					BYTES(60, 0, 1, 4, 0, 0, 0, 0, 60, 0, 1, 4, 0, 0, 0, 0, 60,
							0, 1, 4, 0, 0, 0, 0, 60, 0, 1, 4, 0, 0, 0,
							0, 60, 0, 1, 4, 0, 0, 0, 0, 60, 0, 1, 4, 0,
							0, 0, 0, 43, 0, 1, 4, 0, 0, 0, 0, 58, 0, 0,
							0, 0, 0, 0, 0),
					64));
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
	struct frame offer = made(udp(ip_own, ip_all, AF_INET, 67, 68));
	expect("DHCP offer", offer);
	expect("DHCP offer to one neighbour",
			to_mac(mac_up, made(udp(ip_own, ip_peer, AF_INET, 67, 68))));
	expect("DHCP offer from another port", made(udp(ip_own, ip_all, AF_INET, 1067, 68)));
	expect("DHCP offer with IP options",
			with_options(made(udp(ip_own, ip_all, AF_INET, 67, 68))));
	expect("first fragment of a DHCP offer",
			fragment(made(udp(ip_own, ip_all, AF_INET, 67, 68)), true, 0));
	expect("DHCPv6 advertisement from another port",
			made(udp(ip6_local, ip6_all, AF_INET6, 1547, 546)));
	expect("DHCPv6 advertisement", made(udp(ip6_local, ip6_all, AF_INET6, 547, 546)));
}

static void check_fragments(void (*expect)(const char *, struct frame))
{
	expect("first fragment of a router advertisement",
			hidden_advert(44, BYTES(58, 0, 0, 1, 0, 0, 0, 7), 8));
	expect("router advertisement that is a fragment by itself",
			hidden_advert(44, BYTES(58, 0, 0, 0, 0, 0, 0, 7), 8));
	expect("fragment behind other headers",
			hidden_advert(0,
					BYTES(60, 0, 1, 4, 0, 0, 0, 0, 44, 0, 1, 4, 0, 0, 0, 0, 58,
							0, 0, 1, 0, 0, 0, 7),
					24));
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
	expect("IPX", llc(BYTES(0xff, 0xff, 0, 40, 0, 0, 0, 0), 8));
	expect("NetBIOS", llc(BYTES(0xf0, 0xf0, 3, 0, 0, 0, 0, 0), 8));
	expect("Cisco discovery", llc(BYTES(0xaa, 0xaa, 3, 0, 0, 0xc, 0x20, 0), 8));
	expect("ARP in SNAP", llc(BYTES(0xaa, 0xaa, 3, 0, 0, 0, 8, 6), 8));
	expect("IPv6 in SNAP", llc(BYTES(0xaa, 0xaa, 3, 0, 0, 0, 0x86, 0xdd), 8));
	expect("IPv4 in SNAP", snap());
	expect("router advertisement with a tag of old switches",
			frame_tagged(&advert, 0x9100, 20));
	expect("router advertisement with a provider's tag alone",
			frame_tagged(&advert, 0x88a8, 20));
	static const struct {
		const char *name;
		unsigned type;
	} protocols[] = { { "LLDP", 0x88cc }, { "EAPOL", 0x888e }, { "LACP", 0x8809 },
		{ "RARP", 0x8035 }, { "PPPoE discovery", 0x8863 }, { "PPPoE", 0x8864 },
		{ "MPLS", 0x8847 }, { "MACsec", 0x88e5 }, { "Ethernet in Ethernet", 0x6558 },
		{ "PTP", 0x88f7 }, { "CFM", 0x8902 }, { "MRP", 0x88e3 }, { "FCoE", 0x8906 },
		{ "AoE", 0x88a2 }, { "wake on LAN", 0x0842 }, { "loopback test", 0x9000 },
		{ "the type before IPv4", 0x07ff }, { "the type behind IPv4", 0x0801 },
		{ "the type behind IPv6", 0x86de }, { "the last type", 0xffff },
		{ "a protocol that nobody knows", 0x1234 } };
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		expect(protocols[i].name, with_type(protocols[i].type));
}

static void check_mac(void (*expect)(const char *, struct frame))
{
	expect("source MAC of another", from_mac(mac_peer, udp(ip_own, ip_all, AF_INET, 1, 2)));
	expect("ARP from the MAC of another", frame_arp(mac_peer, mac_peer, ip_own, ip_peer));
	expect("ARP sender MAC of another", frame_arp(mac_web, mac_peer, ip_own, ip_peer));
	expect("ARP answer with the MAC of another", arp_answer(mac_peer, ip_own));
	expect("ARP answer with the MAC of all", arp_answer(mac_all, ip_own));
	expect("IPv6 from the MAC of another",
			from_mac(mac_peer, udp(ip6_own, ip6_all, AF_INET6, 1, 2)));
}

static void check_address_4(void (*expect)(const char *, struct frame))
{
	expect("IPv4 source of another", made(udp(ip_peer, ip_all, AF_INET, 1000, 2000)));
	expect("ARP sender address of another", frame_arp(mac_web, mac_web, ip_peer, ip_own));
	expect("gratuitous ARP for another", frame_arp(mac_web, mac_web, ip_peer, ip_peer));
	expect("broadcast as source", made(udp(ip_all, ip_own, AF_INET, 1000, 2000)));
	expect("ARP answer for another", arp_answer(mac_web, ip_peer));
	expect("IPv4 source of another with options",
			with_options(made(udp(ip_peer, ip_all, AF_INET, 1000, 2000))));
	expect("first fragment of another",
			fragment(made(udp(ip_peer, ip_all, AF_INET, 1000, 2000)), true, 0));
	expect("last fragment of another",
			fragment(made(udp(ip_peer, ip_all, AF_INET, 1000, 2000)), false, 8));
	expect("the host itself as source",
			made(udp(BYTES(127, 0, 0, 1), ip_peer, AF_INET, 1000, 2000)));
	expect("a group as source", made(udp(BYTES(224, 0, 0, 1), ip_peer, AF_INET, 1, 2)));
	expect("IPv4 source of the link",
			made(udp(BYTES(169, 254, 0, 5), ip_peer, AF_INET, 1000, 2000)));
	expect("the address before the own", made(udp(BYTES(10, 0, 0, 4), ip_peer, AF_INET, 1, 2)));
	expect("the address behind the own", made(udp(BYTES(10, 0, 0, 6), ip_peer, AF_INET, 1, 2)));
	expect("UDP from 0.0.0.0", made(udp(ip_none, ip_all, AF_INET, 1000, 2000)));
	expect("TCP from 0.0.0.0",
			made(of(udp(ip_none, ip_peer, AF_INET, 68, 67), IPPROTO_TCP, 0)));
	expect("ping from 0.0.0.0",
			made(of(udp(ip_none, ip_all, AF_INET, 7, 0), IPPROTO_ICMP, ICMP_ECHO)));
}

static void check_address_6(void (*expect)(const char *, struct frame))
{
	expect("IPv6 source of another", made(udp(ip6_peer, ip6_all, AF_INET6, 1000, 2000)));
	struct packet hidden = udp(ip6_peer, ip6_all, AF_INET6, 1000, 2000);
	hidden.header = 60;
	hidden.headers = BYTES(IPPROTO_UDP, 0, 1, 4, 0, 0, 0, 0);
	hidden.headers_len = 8;
	expect("IPv6 source of another with options", made(hidden));
	expect("neighbour solicitation of another",
			made(icmp6(ND_NEIGHBOR_SOLICIT, ip6_peer, ip6_own)));
	struct packet answer = icmp6(ND_NEIGHBOR_ADVERT, ip6_own, ip6_peer);
	answer.header = 0;
	answer.headers = BYTES(58, 0, 1, 4, 0, 0, 0, 0);
	answer.headers_len = 8;
	expect("neighbour advertisement for another behind options", made(answer));
	expect("a group as source of IPv6", made(udp(ip6_all, ip6_peer, AF_INET6, 1000, 2000)));
	expect("an address of IPv4 as source of IPv6",
			made(udp(BYTES(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 0, 0, 5),
					ip6_peer, AF_INET6, 1000, 2000)));
	expect("UDP from ::", made(udp(ip6_none, ip6_all, AF_INET6, 1000, 2000)));
	expect("TCP from ::", made(of(udp(ip6_none, ip6_peer, AF_INET6, 1, 2), IPPROTO_TCP, 0)));
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
	expect("ARP answer", arp_answer(mac_web, ip_own));
	expect("DHCP discovery", made(udp(ip_none, ip_all, AF_INET, 68, 67)));
	expect("DHCP renewal", made(udp(ip_own, ip_peer, AF_INET, 68, 67)));
	expect("IGMP before there is an address",
			made(of(udp(ip_none, ip_all, AF_INET, 0, 0), IPPROTO_IGMP, 0x22)));
	expect("IP options", with_options(made(udp(ip_own, ip_peer, AF_INET, 1000, 2000))));
	expect("first fragment",
			fragment(made(udp(ip_own, ip_peer, AF_INET, 1000, 2000)), true, 0));
	expect("last fragment",
			fragment(made(udp(ip_own, ip_peer, AF_INET, 1000, 2000)), false, 8));
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
	struct packet report = icmp6(143, ip6_none, NULL);
	report.header = 0;
	report.headers = BYTES(58, 0, 5, 2, 0, 0, 1, 0);
	report.headers_len = 8;
	expect("multicast listener report before there is an address", made(report));
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

/* The bridge itself drops these, and must go on doing so. */
TEST(what_is_no_sender_passes_nowhere)
{
	struct guarded g = all_parts(true, true);
	BEGIN(&g);
	struct packet own = udp(ip_own, ip_peer, AF_INET, 1000, 2000);
	drops("no source MAC", from_mac(BYTES(0, 0, 0, 0, 0, 0), own));
	drops("a group as source MAC", from_mac(BYTES(1, 0, 0x5e, 0, 0, 1), own));
	drops("all as source MAC", from_mac(mac_all, own));
	drops("the own MAC as destination", to_mac(mac_web, made(own)));
}

/* Has the host got a datagram? */
static bool host_gets(int fd, uint8_t last)
{
	const uint8_t to[] = { 0x01, 0x80, 0xc2, 0, 0, last };
	static const uint8_t ip_host[] = { 10, 0, 0, 200 };
	char data[64];
	struct frame f = to_mac(to, made(udp(ip_own, ip_host, AF_INET, 1000, 2000)));
	struct frame passed = to_mac(to, made(udp(ip_own, ip_host, AF_INET, 1000, 2000)));
	if (frame_passes(PORT_WEB, PORT_UP, &passed))
		TEST_FAIL("the frame to address %d is on the network", last);
	send_frame(PORT_WEB, &f);
	bool got = false;
	/* What was sent has been taken in when send() is back, on one processor. */
	while (recv(fd, data, sizeof(data), MSG_DONTWAIT) > 0)
		got = true;
	return got;
}

/* Where no filter of bridges, nor of the bridge as an interface, would see them. */
TEST(the_host_gets_nothing_by_the_addresses_of_bridges)
{
	struct guarded g = all_parts(true, true);
	BEGIN(&g);
	struct netlink rt;
	struct link link = {};
	struct error err = {};
	const struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(2000) };
	CLEANUP(closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	CHECK(frames_run("ip addr add 10.0.0.200/24 dev br0"));
	CHECK_INT(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	CHECK_INT(netlink_open(&rt, &err), 0);
	CHECK_INT(netlink_get(&rt, "web.0", &link, &err), 0);
	/* What this is for: without it they do arrive. */
	CHECK(host_gets(fd, 0x03));
	CHECK(host_gets(fd, 0x0e));
	if (port_set_up(&rt, &link, &(struct port_settings){ .catch_reserved = true }, &err) < 0)
		TEST_FAIL("%s", err.text);
	for (uint8_t last = 0; last < 16; last++)
		if (host_gets(fd, last))
			TEST_FAIL("the host gets what is sent to address %d", last);
	CHECK(frames_run("ip addr del 10.0.0.200/24 dev br0"));
	CHECK(frames_run("ip link set web.0 type bridge_slave group_fwd_mask 0"));
	netlink_done(&rt);
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
