/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What nftables' rules look at: where it lies in a packet, and what nft calls it; and hooks. */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_bridge.h>

#include "firewall/nft.h"

#define PAYLOAD(base, at, length)                                                                  \
	.load = NFT_LOAD_PAYLOAD, .key = NFT_PAYLOAD_##base##_HEADER, .offset = (at),              \
	.size = (length)
#define META(what, length) .load = NFT_LOAD_META, .key = NFT_META_##what, .size = (length)
/* Numbers of enum datatypes. */
#define TYPE(name, number) .type = (name), .type_number = (number)

const char *const nft_family_names[] = { [NFT_BRIDGE] = "bridge", [NFT_INET] = "inet", NULL };

/* Priorities as nft's names "filter", "dstnat" and "srcnat" say them. */
const struct nft_hook_row nft_hooks[N_NFT_HOOKS] = {
	[NFT_HOOK_PREROUTING] = { "prerouting", "filter", NF_BR_PRE_ROUTING, -150 },
	[NFT_HOOK_POSTROUTING] = { "postrouting", "filter", NF_BR_POST_ROUTING, -150 },
	[NFT_HOOK_INPUT] = { "input", "filter", NF_INET_LOCAL_IN, 0 },
	[NFT_HOOK_FORWARD] = { "forward", "filter", NF_INET_FORWARD, 0 },
	[NFT_HOOK_NAT_PREROUTING] = { "prerouting", "nat", NF_INET_PRE_ROUTING, -100 },
	[NFT_HOOK_NAT_OUTPUT] = { "output", "nat", NF_INET_LOCAL_OUT, -100 },
	[NFT_HOOK_NAT_POSTROUTING] = { "postrouting", "nat", NF_INET_POST_ROUTING, 100 },
};

const struct nft_field_row nft_fields[N_NFT_FIELDS] = {
	[NFT_FIELD_ETHER_DEST] = { "ether daddr", PAYLOAD(LL, 0, 6), .notation = NFT_NOTATION_MAC,
			TYPE("ether_addr", 9) },
	[NFT_FIELD_ETHER_SOURCE] = { "ether saddr", PAYLOAD(LL, 6, 6), .notation = NFT_NOTATION_MAC,
			TYPE("ether_addr", 9) },
	[NFT_FIELD_ETHER_TYPE] = { "ether type", PAYLOAD(LL, 12, 2),
			.notation = NFT_NOTATION_ETHER_TYPE, TYPE("ether_type", 10) },
	[NFT_FIELD_PROTOCOL] = { "meta protocol", META(PROTOCOL, 2),
			.notation = NFT_NOTATION_ETHER_TYPE, TYPE("ether_type", 10) },
	[NFT_FIELD_FAMILY] = { "meta nfproto", META(NFPROTO, 1), .notation = NFT_NOTATION_FAMILY },
	[NFT_FIELD_ARP_MAC] = { "arp saddr ether", PAYLOAD(NETWORK, 8, 6),
			.notation = NFT_NOTATION_MAC, TYPE("ether_addr", 9) },
	[NFT_FIELD_ARP_IP] = { "arp saddr ip", PAYLOAD(NETWORK, 14, 4),
			.notation = NFT_NOTATION_ADDRESS, TYPE("ipv4_addr", 7) },
	[NFT_FIELD_IP_SOURCE] = { "ip saddr", PAYLOAD(NETWORK, 12, 4),
			.notation = NFT_NOTATION_ADDRESS, TYPE("ipv4_addr", 7) },
	[NFT_FIELD_IP_DEST] = { "ip daddr", PAYLOAD(NETWORK, 16, 4),
			.notation = NFT_NOTATION_ADDRESS, TYPE("ipv4_addr", 7) },
	[NFT_FIELD_IP6_SOURCE] = { "ip6 saddr", PAYLOAD(NETWORK, 8, 16),
			.notation = NFT_NOTATION_ADDRESS, TYPE("ipv6_addr", 8) },
	[NFT_FIELD_IP6_DEST] = { "ip6 daddr", PAYLOAD(NETWORK, 24, 16),
			.notation = NFT_NOTATION_ADDRESS, TYPE("ipv6_addr", 8) },
	[NFT_FIELD_L4PROTO] = { "meta l4proto", META(L4PROTO, 1), .notation = NFT_NOTATION_L4PROTO,
			TYPE("inet_proto", 12) },
	[NFT_FIELD_SOURCE_PORT] = { "th sport", PAYLOAD(TRANSPORT, 0, 2),
			TYPE("inet_service", 13) },
	[NFT_FIELD_DEST_PORT] = { "th dport", PAYLOAD(TRANSPORT, 2, 2), TYPE("inet_service", 13) },
	[NFT_FIELD_ICMP_TYPE] = { "icmp type", PAYLOAD(TRANSPORT, 0, 1), TYPE("icmp_type", 14) },
	[NFT_FIELD_ICMP6_TYPE] = { "icmpv6 type", PAYLOAD(TRANSPORT, 0, 1),
			TYPE("icmpv6_type", 29) },
	/* nft has a name for it ("icmpv6 taddr") since 1.0.8 only. */
	[NFT_FIELD_ND_TARGET] = { "@th,64,128", PAYLOAD(TRANSPORT, 8, 16),
			.notation = NFT_NOTATION_HEX, TYPE("integer", 4) },
	[NFT_FIELD_TCP_FLAGS] = { "tcp flags", PAYLOAD(TRANSPORT, 13, 1),
			.notation = NFT_NOTATION_TCP_FLAGS },
	[NFT_FIELD_CT_STATE] = { "ct state", .load = NFT_LOAD_CT, .key = NFT_CT_STATE, .size = 4,
			.notation = NFT_NOTATION_CT_STATE, .host_order = true },
	[NFT_FIELD_CT_STATUS] = { "ct status", .load = NFT_LOAD_CT, .key = NFT_CT_STATUS, .size = 4,
			.notation = NFT_NOTATION_CT_STATUS, .host_order = true },
	[NFT_FIELD_DEST_KIND] = { "fib daddr type", .load = NFT_LOAD_FIB, .key = NFTA_FIB_F_DADDR,
			.size = 4, .notation = NFT_NOTATION_ADDRESS_KIND, .host_order = true },
	/* The number of the header, IPPROTO_FRAGMENT. */
	[NFT_FIELD_IP6_FRAGMENT] = { "exthdr frag", .load = NFT_LOAD_EXTHDR, .key = 44, .size = 1,
			.notation = NFT_NOTATION_EXISTS },
	[NFT_FIELD_IN_NAME] = { "iifname", META(IIFNAME, 16), .notation = NFT_NOTATION_NAME,
			TYPE("ifname", 41), .host_order = true },
	[NFT_FIELD_OUT_NAME] = { "oifname", META(OIFNAME, 16), .notation = NFT_NOTATION_NAME,
			TYPE("ifname", 41), .host_order = true },
};
