/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A firewall with one of everything, made by hand: for tests of what becomes of it.
 *
 *	sample_begin(FW_STATE_CONNTRACK);
 *	... sample_policy, sample_ports ...
 *	sample_end();
 */
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "firewall/policy.h"
#include "test.h"

/* web: everything there is; plain: a guard and nothing else; free: not even that. */
enum { SAMPLE_WEB, SAMPLE_PLAIN, SAMPLE_FREE, N_SAMPLE_PORTS };

/* Not every kernel can answer on bridges: without it, "drop" stands in place of "reject". */
static bool sample_rejects = true;

static struct fw_policy sample_policy;
static struct fw_port sample_ports[N_SAMPLE_PORTS];

static inline struct fw_range sample_range(const char *text)
{
	struct fw_range range;
	enum fw_family family;
	struct error err;
	if (fw_range_parse(text, &range, &family, &err) < 0)
		TEST_FAIL("%s", err.text);
	return range;
}

#define SAMPLE_RANGES(name, ...)                                                                   \
	static struct fw_range name[ARRAY_SIZE(((const char *[]){ __VA_ARGS__ }))];                \
	for (size_t i_ = 0; i_ < ARRAY_SIZE(name); i_++)                                           \
	name[i_] = sample_range(((const char *[]){ __VA_ARGS__ })[i_])

#define SAMPLE_OF(array)                                                                           \
	{                                                                                          \
		.items = array, .n = ARRAY_SIZE(array)                                             \
	}

static inline void sample_groups(struct fw_group *groups)
{
	static const struct fw_span web_ports[] = { { 80, 80 }, { 443, 443 } },
				    ssh[] = { { 22, 22 } }, smtp[] = { { 25, 25 } };
	static const char *const office[] = { "office" }, *const corp[] = { "corp" };
	static struct fw_rule corp_out[1];
	corp_out[0] = (struct fw_rule){
		.direction = FW_OUT,
		.action = sample_rejects ? FW_REJECT : FW_DROP,
		.protocol = IPPROTO_TCP,
		.ports = smtp,
		.n_ports = 1,
		.origin = "group corp #1",
	};
	static struct fw_rule web_in[] = {
		{ .protocol = IPPROTO_TCP,
				.ports = web_ports,
				.n_ports = 2,
				.origin = "group web #1" },
		{ .protocol = IPPROTO_ICMP, .origin = "group web #2" },
		{ .protocol = IPPROTO_TCP,
				.ports = ssh,
				.n_ports = 1,
				.sets = office,
				.n_sets = 1,
				.origin = "group web #3" },
		{ .protocol = -1, .groups = corp, .n_groups = 1, .origin = "group web #4" },
	};
	groups[0] = (struct fw_group){
		.name = "corp",
		.priority = 100,
		.locked = true,
		.defaults = { FW_DEFAULT_DROP, FW_DEFAULT_NONE },
		.rules = { [FW_OUT] = SAMPLE_OF(corp_out) },
	};
	groups[1] = (struct fw_group){
		.name = "web",
		.priority = 100,
		.defaults = { FW_DEFAULT_NONE, FW_DEFAULT_NONE },
		.rules = { [FW_IN] = SAMPLE_OF(web_in) },
	};
}

static inline void sample_sets(struct fw_set *sets)
{
	SAMPLE_RANGES(office_4, "192.0.2.0/24", "198.51.100.1-198.51.100.9", "255.255.255.0/24");
	SAMPLE_RANGES(office_6, "2001:db8:1::/48");
	sets[0] = (struct fw_set){
		.name = "office",
		.addresses = { .of = { SAMPLE_OF(office_4), SAMPLE_OF(office_6) } },
	};
}

/* Each thing that a rule can say. */
static inline struct fw_rules sample_rules(void)
{
	SAMPLE_RANGES(block, "10.1.0.0/16");
	SAMPLE_RANGES(range, "10.2.0.1-10.2.0.200");
	SAMPLE_RANGES(list_4, "10.3.0.1", "10.4.0.0/24");
	SAMPLE_RANGES(list_6, "2001:db8:2::1", "2001:db8:3::/64");
	static const struct fw_span high[] = { { 1000, 2000 } },
				    mixed[] = { { 1, 9 }, { 500, 500 } }, types[] = { { 8, 8 } },
				    types_6[] = { { 128, 128 }, { 1, 4 } };
	static const char *const office[] = { "office" };
	static struct fw_rule rules[13];
	const struct fw_rule all[] = {
		{ .protocol = IPPROTO_UDP,
				.ports = high,
				.n_ports = 1,
				.addresses.of[FW_IPV4] = SAMPLE_OF(block) },
		{ .protocol = IPPROTO_SCTP,
				.ports = mixed,
				.n_ports = 2,
				.addresses.of[FW_IPV4] = SAMPLE_OF(range) },
		{ .protocol = 47, .addresses = { .of = { SAMPLE_OF(list_4), SAMPLE_OF(list_6) } } },
		{ .protocol = IPPROTO_ICMP,
				.types = types,
				.n_types = 1,
				.rate_count = 10,
				.rate_seconds = 1 },
		{ .protocol = IPPROTO_ICMPV6,
				.types = types_6,
				.n_types = 2,
				.sets = office,
				.n_sets = 1 },
		{ .protocol = IPPROTO_TCP, .action = FW_DROP, .log = true },
		{ .protocol = IPPROTO_UDP,
				.action = FW_DROP,
				.log = true,
				.rate_count = 3,
				.rate_seconds = 60 },
		{ .protocol = -1, .addresses.of[FW_IPV6] = SAMPLE_OF(list_6) },
		{ .direction = FW_OUT,
				.protocol = -1,
				.action = FW_REJECT,
				.sets = office,
				.n_sets = 1,
				.addresses.of[FW_IPV4] = SAMPLE_OF(block) },
		{ .direction = FW_OUT,
				.protocol = IPPROTO_UDP,
				.action = FW_REJECT,
				.ports = high,
				.n_ports = 1 },
		{ .direction = FW_OUT, .protocol = -1 },
	};
	static char origins[ARRAY_SIZE(all)][16];
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		rules[i] = all[i];
		snprintf(origins[i], sizeof(origins[i]), "vm #%zu", i + 1);
		rules[i].origin = origins[i];
		rules[i].priority = 200;
		if (rules[i].action == FW_REJECT && !sample_rejects)
			rules[i].action = FW_DROP;
	}
	return (struct fw_rules){ .items = rules, .n = ARRAY_SIZE(all) };
}

static inline void sample_port(
		size_t i, const char *machine, const char *mac, const struct vm_filter *filter)
{
	static char links[N_SAMPLE_PORTS][16];
	snprintf(links[i], sizeof(links[i]), "%s.0", machine);
	const struct vm vm = { .name = machine };
	const struct vm_nic nic = {
		.name = "0",
		.network = "lan",
		.link = links[i],
		.mac = mac,
		.filter = filter,
	};
	struct error err = {};
	if (fw_port_of_nic(&sample_policy, &vm, &nic, &sample_ports[i], &err) < 0)
		TEST_FAIL("%s", err.text);
}

static inline void sample_begin(enum fw_state state)
{
	static struct fw_group groups[2];
	static struct fw_set sets[1], members[2];
	static const char *const names[] = { "web", "corp" };
	static struct vm_filter web, plain, no_filter;
	SAMPLE_RANGES(own_4, "10.0.0.5-10.0.0.6");
	SAMPLE_RANGES(own_6, "2001:db8::5");
	const struct fw_rules rules = sample_rules();

	sample_groups(groups);
	sample_sets(sets);
	sample_policy = (struct fw_policy){
		.state = state,
		.sets = sets,
		.n_sets = 1,
		.groups = groups,
		.n_groups = 2,
		.members = members,
	};
	no_filter = (struct vm_filter){};
	memset(no_filter.defaults, 0xff, sizeof(no_filter.defaults));
	plain = no_filter;
	plain.guard = (struct fw_guard){
		.mac = true, .router = true, .dhcp_server = true, .fragments = true, .other = true
	};
	web = plain;
	web.guard.address = FW_GUARD_ADDRESS_STRICT;
	web.groups = names;
	web.n_groups = 2;
	web.rules = rules.items;
	web.n_rules = rules.n;
	web.has_any = true;
	web.ip = (struct fw_addresses){ .of = { SAMPLE_OF(own_4), SAMPLE_OF(own_6) } };
	sample_port(SAMPLE_WEB, "web", "52:54:00:12:34:56", &web);
	sample_port(SAMPLE_PLAIN, "plain", "52:54:00:12:34:57", &plain);
	sample_port(SAMPLE_FREE, "free", "52:54:00:12:34:58", &no_filter);
}

static inline void sample_end(void)
{
	for (size_t i = 0; i < N_SAMPLE_PORTS; i++)
		fw_port_done(&sample_ports[i]);
	fw_policy_done(&sample_policy);
}
