/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guard: what must not come from a machine, whatever its rules say. */
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <string.h>

#include "firewall/batch-parts.h"
#include "util/parse.h"

static void drop(struct maker *m, struct rule *rule, const char *comment)
{
	rule_drop(rule);
	maker_rule(m, rule, comment);
}

static void guard_mac(struct maker *m, const struct fw_port *port)
{
	/* What is no address stays all zeros, which no frame comes from. */
	struct fw_range *mac = ARENA_NEW(&m->batch->arena, struct fw_range);
	(void)!parse_mac(port->mac, mac->first);
	memcpy(mac->last, mac->first, sizeof(mac->last));

	struct rule frame = {}, arp = {};
	rule_match(&frame, NFT_FIELD_ETHER_SOURCE, true, mac, 1);
	drop(m, &frame, "guard mac");
	rule_arp(&arp);
	rule_match(&arp, NFT_FIELD_ARP_MAC, true, mac, 1);
	drop(m, &arp, "guard mac");
}

/* The connection's own addresses and those that a machine has before it has any: sorted. */
static const struct fw_ranges *allowed(
		struct maker *m, const struct fw_port *port, enum fw_family family)
{
	/* 0.0.0.0: DHCP and ARP probes; "::": duplicate address detection, see guard_nobody();
	 * fe80::/10: every interface has one. */
	static const struct fw_range always[N_FW_FAMILIES][2] = {
		[FW_IPV4] = { {} },
		[FW_IPV6] = { {}, { { 0xfe, 0x80 }, { 0xfe, 0xbf, 255, 255, 255, 255, 255, 255, 255,
								    255, 255, 255, 255, 255, 255,
								    255 } } },
	};
	const struct fw_ranges *own = &port->filter->ip.of[family];
	size_t n_always = family == FW_IPV4 ? 1 : 2;
	struct fw_ranges *ret = ARENA_NEW(&m->batch->arena, struct fw_ranges);
	struct fw_range *items = arena_array(&m->batch->arena, own->n + n_always, sizeof(*items));
	memcpy(items, own->items, own->n * sizeof(*items));
	memcpy(items + own->n, always[family], n_always * sizeof(*items));
	*ret = (struct fw_ranges){ .items = items,
		.n = fw_ranges_merge(items, own->n + n_always, family) };
	return ret;
}

/* @sources: NULL: none is allowed */
static void guard_source(struct maker *m, enum nft_field field, const struct fw_ranges *sources,
		enum fw_family family)
{
	struct rule rule = {};
	if (field == NFT_FIELD_ARP_IP)
		rule_arp(&rule);
	else
		rule_protocol(&rule, family);
	if (sources)
		rule_match(&rule, field, true, sources->items, sources->n);
	drop(m, &rule, "guard address");
}

/*
 * What an interface has to say before it has an address: by IPv4 DHCP, and IGMP for groups that it
 * is in already (RFC 3376, 4.2.13); by IPv6 neighbour discovery and MLD.
 */
static void guard_nobody(struct maker *m, enum fw_family family)
{
	static const struct fw_range nobody = {}, dhcp = { { 0, 67 }, { 0, 67 } },
				     ip[] = { { { IPPROTO_IGMP }, { IPPROTO_IGMP } },
					     { { IPPROTO_UDP }, { IPPROTO_UDP } } },
				     ip6[] = { { { IPPROTO_ICMPV6 }, { IPPROTO_ICMPV6 } } };
	bool six = family == FW_IPV6;
	struct rule others = {};
	rule_protocol(&others, family);
	rule_match(&others, six ? NFT_FIELD_IP6_SOURCE : NFT_FIELD_IP_SOURCE, false, &nobody, 1);
	struct rule ports = others;
	rule_match(&others, NFT_FIELD_L4PROTO, true, six ? ip6 : ip,
			six ? ARRAY_SIZE(ip6) : ARRAY_SIZE(ip));
	drop(m, &others, "guard address");
	if (six)
		return;
	rule_l4proto(m, &ports, IPPROTO_UDP);
	rule_match(&ports, NFT_FIELD_DEST_PORT, true, &dhcp, 1);
	drop(m, &ports, "guard address");
}

/* Whose address a neighbour advertisement says it is. */
static void guard_target(struct maker *m, const struct fw_ranges *sources)
{
	struct rule rule = {};
	rule_protocol(&rule, FW_IPV6);
	rule_l4proto(m, &rule, IPPROTO_ICMPV6);
	rule_number(m, &rule, NFT_FIELD_ICMP6_TYPE, ND_NEIGHBOR_ADVERT);
	rule_match(&rule, NFT_FIELD_ND_TARGET, true, sources->items, sources->n);
	drop(m, &rule, "guard address");
}

static void guard_address(struct maker *m, const struct fw_port *port)
{
	static const enum nft_field fields[] = {
		[FW_IPV4] = NFT_FIELD_IP_SOURCE, [FW_IPV6] = NFT_FIELD_IP6_SOURCE
	};
	bool strict = port->filter->guard.address == FW_GUARD_ADDRESS_STRICT;
	for (int f = 0; f < N_FW_FAMILIES; f++) {
		enum fw_family family = (enum fw_family)f;
		const struct fw_ranges *sources =
				port->filter->ip.of[f].n ? allowed(m, port, family) : NULL;
		if (!sources && !strict)
			continue;
		guard_source(m, fields[f], sources, family);
		if (family == FW_IPV4)
			guard_source(m, NFT_FIELD_ARP_IP, sources, family);
		if (sources)
			guard_nobody(m, family);
		if (sources && family == FW_IPV6)
			guard_target(m, sources);
	}
}

static void guard_router(struct maker *m)
{
	static const uint16_t types[] = { ND_ROUTER_ADVERT, ND_REDIRECT };
	/* Two rules and not one with a set of types: see nft_part_needs_set(). */
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct rule rule = {};
		rule_protocol(&rule, FW_IPV6);
		rule_l4proto(m, &rule, IPPROTO_ICMPV6);
		rule_number(m, &rule, NFT_FIELD_ICMP6_TYPE, types[i]);
		drop(m, &rule, "guard router");
	}
}

static void guard_dhcp_server(struct maker *m)
{
	/* Clients don't look from which port an answer comes. */
	static const struct {
		enum fw_family family;
		uint16_t port;
	} clients[] = { { FW_IPV4, 68 }, { FW_IPV6, 546 } };
	for (size_t i = 0; i < ARRAY_SIZE(clients); i++) {
		struct rule rule = {};
		rule_protocol(&rule, clients[i].family);
		rule_l4proto(m, &rule, IPPROTO_UDP);
		rule_number(m, &rule, NFT_FIELD_DEST_PORT, clients[i].port);
		drop(m, &rule, "guard dhcp-server");
	}
}

static void guard_fragments(struct maker *m)
{
	struct rule rule = {};
	rule_protocol(&rule, FW_IPV6);
	rule_number(m, &rule, NFT_FIELD_IP6_FRAGMENT, 1);
	drop(m, &rule, "guard fragments");
}

/*
 * The type that the frame carries and the one behind its first tag are both looked at: the kernel
 * takes the tag off before it looks for addresses, and whoever reads a tag may read a second one.
 */
static void guard_other(struct maker *m, bool tagged)
{
	static const struct fw_range types[] = {
		{ { 0x08, 0x00 }, { 0x08, 0x00 } },
		{ { 0x08, 0x06 }, { 0x08, 0x06 } },
		{ { 0x81, 0x00 }, { 0x81, 0x00 } },
		{ { 0x86, 0xdd }, { 0x86, 0xdd } },
	};
	static const struct fw_range untagged[] = {
		{ { 0x08, 0x00 }, { 0x08, 0x00 } },
		{ { 0x08, 0x06 }, { 0x08, 0x06 } },
		{ { 0x86, 0xdd }, { 0x86, 0xdd } },
	};
	/* Of the bridge itself (IEEE 802.1D, table 7-10): see catch_reserved in host/net/port.h. */
	static const struct fw_range reserved = { { 0x01, 0x80, 0xc2, 0, 0, 0 },
		{ 0x01, 0x80, 0xc2, 0, 0, 0x0f } };
	struct rule to_bridge = {}, rule = {};
	rule_match(&to_bridge, NFT_FIELD_ETHER_DEST, false, &reserved, 1);
	drop(m, &to_bridge, "guard other");
	rule_match(&rule, NFT_FIELD_ETHER_TYPE, true, tagged ? types : untagged,
			tagged ? ARRAY_SIZE(types) : ARRAY_SIZE(untagged));
	drop(m, &rule, "guard other");
	if (!tagged)
		return;
	struct rule inner = {};
	rule_match(&inner, NFT_FIELD_PROTOCOL, true, untagged, ARRAY_SIZE(untagged));
	drop(m, &inner, "guard other");
}

void maker_guard(struct maker *m, const struct fw_port *port)
{
	const struct fw_guard *guard = &port->filter->guard;
	/* First what hides other things. */
	if (guard->other)
		guard_other(m, port->filter->n_vlans > 0);
	if (guard->fragments)
		guard_fragments(m);
	if (guard->mac)
		guard_mac(m, port);
	if (guard->address != FW_GUARD_ADDRESS_OFF)
		guard_address(m, port);
	if (guard->router)
		guard_router(m);
	if (guard->dhcp_server)
		guard_dhcp_server(m);
}
