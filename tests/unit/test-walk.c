/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the guard makes of packets; of rules, tests/property/firewall tells more. */
#include "firewall/walk.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "policy-sample.h"

/* What the guest may claim to be although it is not its address. */
TEST(the_guard_lets_pass_who_has_no_address_yet)
{
	static const struct {
		const char *source;
		enum fw_family family;
		int protocol;
		uint16_t port;
		enum fw_action action;
	} rows[] = {
		{ "10.0.0.5", FW_IPV4, IPPROTO_TCP, 80, FW_ACCEPT },
		{ "0.0.0.0", FW_IPV4, IPPROTO_UDP, 67, FW_ACCEPT },
		{ "0.0.0.0", FW_IPV4, IPPROTO_IGMP, 0, FW_ACCEPT },
		{ "0.0.0.0", FW_IPV4, IPPROTO_UDP, 53, FW_DROP },
		{ "0.0.0.0", FW_IPV4, IPPROTO_TCP, 67, FW_DROP },
		{ "10.0.0.6", FW_IPV4, IPPROTO_TCP, 80, FW_DROP },
		{ "169.254.0.1", FW_IPV4, IPPROTO_TCP, 80, FW_DROP },
		{ "254.128.0.1", FW_IPV4, IPPROTO_TCP, 80, FW_DROP },
		{ "fd00::5", FW_IPV6, IPPROTO_TCP, 80, FW_ACCEPT },
		{ "::", FW_IPV6, IPPROTO_ICMPV6, 0, FW_ACCEPT },
		{ "::", FW_IPV6, IPPROTO_UDP, 547, FW_DROP },
		{ "fe80::1", FW_IPV6, IPPROTO_TCP, 80, FW_ACCEPT },
		{ "febf:ffff::1", FW_IPV6, IPPROTO_TCP, 80, FW_ACCEPT },
		{ "fec0::1", FW_IPV6, IPPROTO_TCP, 80, FW_DROP },
		{ "fd00::6", FW_IPV6, IPPROTO_TCP, 80, FW_DROP },
	};
	CLEANUP(made_done) struct made m = {};
	if (!make(&m, "{}", "", "'network':'lan','ip':['10.0.0.5','fd00::5']"))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t source[16] = {};
		CHECK_INT(inet_pton(rows[i].family == FW_IPV4 ? AF_INET : AF_INET6, rows[i].source,
					  source),
				1);
		const struct fw_packet packet = { .direction = FW_OUT,
			.family = rows[i].family,
			.protocol = rows[i].protocol,
			.to_port = rows[i].port,
			.source = source };
		struct fw_decision decision = fw_walk(&m.policy, &m.port, &packet);
		if (decision.action != rows[i].action)
			TEST_FAIL("%s, protocol %d: got %s by %s", rows[i].source, rows[i].protocol,
					fw_action_names[decision.action], decision.origin);
	}
}

/* Clients take an answer of DHCP from whatever port. */
TEST(the_guard_knows_a_dhcp_server_by_whom_it_answers)
{
	CLEANUP(made_done) struct made m = {};
	if (!make(&m, "{}", "", "'network':'lan'"))
		return;
	for (int f = 0; f < N_FW_FAMILIES; f++) {
		struct fw_packet packet = { .direction = FW_OUT,
			.family = (enum fw_family)f,
			.protocol = IPPROTO_UDP,
			.from_port = 1067,
			.to_port = f == FW_IPV4 ? 68 : 546 };
		struct fw_decision decision = fw_walk(&m.policy, &m.port, &packet);
		CHECK_INT(decision.action, FW_DROP);
		CHECK_STR(decision.origin, "guard dhcp-server");
		packet.to_port++;
		CHECK_INT(fw_walk(&m.policy, &m.port, &packet).action, FW_ACCEPT);
	}
}

TEST(a_strict_guard_drops_the_family_that_has_no_address)
{
	CLEANUP(made_done) struct made m = {};
	if (!make(&m, "{}", "{'guard':{'address':'strict'}}", "'network':'lan','ip':'10.0.0.5'"))
		return;
	struct fw_packet packet = {
		.direction = FW_OUT, .family = FW_IPV6, .protocol = IPPROTO_TCP, .to_port = 80
	};
	struct fw_decision decision = fw_walk(&m.policy, &m.port, &packet);
	CHECK_INT(decision.action, FW_DROP);
	CHECK_STR(decision.origin, "guard address");
	packet.family = FW_IPV4;
	CHECK_INT(fw_walk(&m.policy, &m.port, &packet).action, FW_ACCEPT);
	packet.direction = FW_IN;
	packet.family = FW_IPV6;
	CHECK_INT(fw_walk(&m.policy, &m.port, &packet).action, FW_ACCEPT);
}

TEST_MAIN()
