/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What passes before any rule: without it a machine has no address and learns of no error. */
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>

#include "firewall/policy.h"

/* RFC 2710 (MLD), RFC 3810 (MLDv2): bridges that snoop drop neighbour solicitations to groups that
 * nobody has reported. */
#define MLD2_REPORT 143

const struct fw_essential fw_essentials[] = {
	{ .what = "ARP", .direction = FW_OUT, .arp = true },
	{ .what = "ARP", .direction = FW_IN, .arp = true },
	{
			.what = "neighbour discovery",
			.direction = FW_OUT,
			.family = FW_IPV6,
			.protocol = IPPROTO_ICMPV6,
			.types = { { MLD_LISTENER_REPORT, ND_ROUTER_SOLICIT },
					{ ND_NEIGHBOR_SOLICIT, ND_NEIGHBOR_ADVERT },
					{ MLD2_REPORT, MLD2_REPORT } },
	},
	{
			.what = "neighbour discovery",
			.direction = FW_IN,
			.family = FW_IPV6,
			.protocol = IPPROTO_ICMPV6,
			.types = { { MLD_LISTENER_QUERY, ND_REDIRECT },
					{ MLD2_REPORT, MLD2_REPORT } },
	},
	{
			.what = "DHCP client",
			.direction = FW_OUT,
			.family = FW_IPV4,
			.protocol = IPPROTO_UDP,
			.from_port = 68,
			.to_port = 67,
	},
	{
			.what = "DHCP client",
			.direction = FW_IN,
			.family = FW_IPV4,
			.protocol = IPPROTO_UDP,
			.from_port = 67,
			.to_port = 68,
	},
	{
			.what = "DHCPv6 client",
			.direction = FW_OUT,
			.family = FW_IPV6,
			.protocol = IPPROTO_UDP,
			.from_port = 546,
			.to_port = 547,
	},
	{
			.what = "DHCPv6 client",
			.direction = FW_IN,
			.family = FW_IPV6,
			.protocol = IPPROTO_UDP,
			.from_port = 547,
			.to_port = 546,
	},
	{
			.what = "ICMP errors",
			.direction = FW_OUT,
			.family = FW_IPV4,
			.protocol = IPPROTO_ICMP,
			.types = { { ICMP_DEST_UNREACH, ICMP_DEST_UNREACH },
					{ ICMP_TIME_EXCEEDED, ICMP_PARAMETERPROB } },
	},
	{
			.what = "ICMP errors",
			.direction = FW_IN,
			.family = FW_IPV4,
			.protocol = IPPROTO_ICMP,
			.types = { { ICMP_DEST_UNREACH, ICMP_DEST_UNREACH },
					{ ICMP_TIME_EXCEEDED, ICMP_PARAMETERPROB } },
	},
	{
			.what = "ICMPv6 errors",
			.direction = FW_OUT,
			.family = FW_IPV6,
			.protocol = IPPROTO_ICMPV6,
			.types = { { ICMP6_DST_UNREACH, ICMP6_PARAM_PROB } },
	},
	{
			.what = "ICMPv6 errors",
			.direction = FW_IN,
			.family = FW_IPV6,
			.protocol = IPPROTO_ICMPV6,
			.types = { { ICMP6_DST_UNREACH, ICMP6_PARAM_PROB } },
	},
	{},
};
