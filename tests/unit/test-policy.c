/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The filter of a connection: what it is made of, what is tried in which order, which default
 * counts, who its groups' members are. */
#include "firewall/policy.h"
#include "firewall/text.h"

#include "policy-sample.h"

/* The entries of a direction in short: "guard, state, essentials, group a, vm #1, drop". */
static char *order_of(const struct fw_port *port, enum fw_direction direction)
{
	static const char *const words[] = { [FW_ENTRY_GUARD] = "guard",
		[FW_ENTRY_STATE] = "state",
		[FW_ENTRY_ESSENTIALS] = "essentials",
		[FW_ENTRY_GROUP] = "group ",
		[FW_ENTRY_RULE] = "",
		[FW_ENTRY_DEFAULT] = "" };
	struct buf out = {};
	for (size_t i = 0; i < port->entries[direction].n; i++) {
		const struct fw_entry *e = &port->entries[direction].items[i];
		buf_printf(&out, "%s%s%s", i ? ", " : "", words[e->kind],
				e->group  ? e->group->name
				: e->rule ? e->rule->origin
					  : "");
		if (e->kind == FW_ENTRY_DEFAULT)
			buf_printf(&out, "%s (%s)",
					fw_action_names[port->defaults[direction].action],
					port->defaults[direction].origin);
	}
	return buf_take(&out);
}

#define CHECK_ORDER(made, direction, expected)                                                     \
	do {                                                                                       \
		CLEANUP(freep) char *order_ = order_of(&(made)->port, direction);                  \
		CHECK_STR(order_, expected);                                                       \
	} while (0)

static void check_orders(const char *firewall, const char *attrs, const char *connection,
		const char *in, const char *out)
{
	CLEANUP(made_done) struct made m = {};
	if (!make(&m, firewall, attrs, connection))
		return;
	CHECK_ORDER(&m, FW_IN, in);
	CHECK_ORDER(&m, FW_OUT, out);
}

#define GROUPS                                                                                     \
	"{'groups':{'a':{},'b':{},'c':{},'low':{'priority':50},'high':{'priority':200},"           \
	"'lock':{'locked':true},'first':{'locked':true,'priority':1}}}"

TEST(groups_come_by_priority_locked_ones_first)
{
	check_orders(GROUPS, "{'groups':['high','c','lock','low','a','first']}", "'network':'lan'",
			"state, essentials, group first, group lock, group low, group c, group a, "
			"group high, drop (closed by groups or rules)",
			"guard, state, essentials, group first, group lock, group low, group c, "
			"group a, group high, accept (open unless it is closed)");
}

TEST(rules_come_among_groups_by_priority_and_groups_first_on_a_tie)
{
	check_orders(GROUPS,
			"{'groups':['high','a','lock'],'rules':[{},{'priority':99},{'priority':100}"
			","
			"{'priority':100},{'direction':'out','priority':1},{'priority':999}]}",
			"'network':'lan'",
			"state, essentials, group lock, vm #2, group a, vm #3, vm #4, group high, "
			"vm #1, vm #6, drop (closed by groups or rules)",
			"guard, state, essentials, group lock, vm #5, group a, group high, accept "
			"(open unless it is closed)");
}

TEST(rules_of_a_group_come_by_their_priority_then_as_listed)
{
	CLEANUP(made_done) struct made m = {};
	if (!make(&m,
			    "{'groups':{'a':{'rules':[{},{'direction':'out'},{'priority':5},"
			    "{'enabled':false},{},{'priority':300}]}}}",
			    "{'groups':['a']}", "'network':'lan'"))
		return;
	const struct fw_rules *rules = m.policy.groups[0].rules;
	static const char *const in[] = { "group a #3", "group a #1", "group a #5", "group a #6" };
	CHECK_INT(rules[FW_IN].n, ARRAY_SIZE(in));
	for (size_t i = 0; i < rules[FW_IN].n && i < ARRAY_SIZE(in); i++)
		CHECK_STR(rules[FW_IN].items[i].origin, in[i]);
	CHECK_INT(rules[FW_OUT].n, 1);
	CHECK_STR(rules[FW_OUT].items[0].origin, "group a #2");
}

TEST(where_nothing_is_dropped_there_is_no_state_and_nothing_essential)
{
	check_orders("{}", "", "'network':'lan'", "accept (open without groups and rules)",
			"guard, accept (open unless it is closed)");
	check_orders("{}", "", "'network':'old','default':{'out':'drop'}",
			"state, essentials, accept (open without groups and rules)",
			"state, essentials, drop (connection)");
}

TEST(without_state_only_what_is_essential_comes_before_rules)
{
	CLEANUP(made_done) struct made m = {};
	struct error err = {};
	if (!make(&m, "{}", "", "'network':'lan','rules':[{}],'default':{'in':'accept'}"))
		return;
	m.policy.state = FW_STATE_NONE;
	fw_port_done(&m.port);
	CHECK_INT(fw_port_of_nic(&m.policy, &m.s.vm, &m.s.vm.nics[0], &m.port, &err), 0);
	CHECK_ORDER(&m, FW_IN, "essentials, connection #1, accept (connection)");
	CHECK_ORDER(&m, FW_OUT, "guard, essentials, accept (open unless it is closed)");
}

TEST(a_disabled_rule_closes_and_does_nothing_else)
{
	check_orders("{}", "{'rules':[{'enabled':false}]}", "'network':'old'",
			"state, essentials, drop (closed by groups or rules)",
			"state, essentials, accept (open unless it is closed)");
}

/* The strongest that says something counts, for each direction by itself. */
TEST(defaults_have_a_rank)
{
	static const char groups[] =
			"{'groups':{'a':{'default':{'in':'accept'}},'b':{'default':{'in':'drop',"
			"'out':'drop'}},'c':{'locked':true,'default':{'in':'accept'}},'d':{'locked'"
			":"
			"true,'default':{'in':'drop'}},'e':{'locked':true}}}";
	static const struct {
		const char *attrs, *connection, *in, *out;
	} rows[] = {
		{ "", "'network':'shut'", "drop (network shut)", "drop (network shut)" },
		{ "{'groups':['a','b']}", "'network':'shut'", "accept (group a)",
				"drop (group b)" },
		{ "{'groups':['b','a']}", "'network':'shut'", "drop (group b)", "drop (group b)" },
		{ "{'groups':['b'],'default':{'in':'accept'}}", "'network':'shut'",
				"accept (machine)", "drop (group b)" },
		{ "{'groups':['b'],'default':{'in':'accept','out':'accept'}}",
				"'network':'shut','default':{'in':'drop'}", "drop (connection)",
				"accept (machine)" },
		{ "{'groups':['c'],'default':{'in':'drop'}}", "'network':'shut'",
				"accept (group c (locked))", "drop (network shut)" },
		{ "{'groups':['c','d'],'default':{'in':'accept'}}",
				"'network':'shut','default':{'in':'accept','out':'accept'}",
				"drop (group d (locked))", "accept (connection)" },
		{ "{'groups':['d','c']}", "'network':'shut'", "drop (group d (locked))",
				"drop (network shut)" },
		{ "{'groups':['e']}", "'network':'shut'", "drop (network shut)",
				"drop (network shut)" },
		{ "{'groups':['e']}", "'network':'old'", "drop (closed by groups or rules)",
				"accept (open unless it is closed)" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(made_done) struct made m = {};
		if (!make(&m, groups, rows[i].attrs, rows[i].connection))
			continue;
		const char *const expected[] = { rows[i].in, rows[i].out };
		for (int d = 0; d < N_FW_DIRECTIONS; d++) {
			CLEANUP(freep) char *order = order_of(&m.port, (enum fw_direction)d);
			const char *end = strrchr(order, ',');
			CHECK_STR(end + 2, expected[d]);
		}
	}
}

TEST(tags_add_up_and_a_connection_replaces)
{
	static const char firewall[] = "{'groups':{'a':{},'b':{},'c':{},'x':{}}}";
	static const struct {
		const char *tags, *attrs, *connection, *groups, *rules;
	} rows[] = {
		{ "'t1','t2'", "", "", "b a c", "t1 t2" },
		{ "'t2','t1'", "", "", "c b a", "t2 t1" },
		{ "'t1'", "{'groups':['x','a'],'rules':[{'comment':'own'}]}", "", "x a b",
				"own t1" },
		{ "'t1'", "{'groups':['x']}", ",'groups':['c']", "c", "t1" },
		{ "'t1'", "", ",'groups':[],'rules':[]", "", "" },
		{ "'t1'", "", ",'rules':[{'comment':'nic'}]", "b a", "nic" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(sample_done) struct sample s = {};
		CLEANUP(buf_done) struct buf groups = {}, rules = {};
		CLEANUP(freep)
		char *host = xasprintf(
				"{" NETWORKS ",'firewall':%s,'tag':{'t1':{'attrs':{'firewall':"
				"{'groups':['b','a'],'rules':[{'comment':'t1'}]}}},'t2':{"
				"'attrs':{'firewall':{'groups':['c','b'],'rules':[{'comment':"
				"'t2'}]}}}}}",
				firewall);
		CLEANUP(freep)
		char *machine = xasprintf("{'tags':[%s],'attrs':{" RAM
					  "%s%s},'connections':[{'name':"
					  "'0','network':'lan'%s}]}",
				rows[i].tags, rows[i].attrs[0] ? ",'firewall':" : "", rows[i].attrs,
				rows[i].connection);
		sample_host(&s, host);
		sample_machine(&s, "web", machine);
		if (!sample_build(&s))
			continue;
		const struct vm_filter *filter = s.vm.nics[0].filter;
		for (size_t k = 0; k < filter->n_groups; k++)
			buf_printf(&groups, "%s%s", k ? " " : "", filter->groups[k]);
		for (size_t k = 0; k < filter->n_rules; k++)
			buf_printf(&rules, "%s%s", k ? " " : "", filter->rules[k].comment);
		CHECK_STR(buf_text(&groups), rows[i].groups);
		CHECK_STR(buf_text(&rules), rows[i].rules);
		CHECK_INT(filter->has_any, rows[i].groups[0] || rows[i].rules[0]);
	}
}

/* "mac address router dhcp fragments other", or "none": no filter at all. */
static char *guard_text(const struct vm_filter *filter)
{
	struct buf out = {};
	if (!filter)
		return xstrdup("none");
	const struct fw_guard *g = &filter->guard;
	buf_printf(&out, "%s%s%s%s%s%s", g->mac ? "mac " : "",
			g->address == FW_GUARD_ADDRESS_STRICT ? "strict "
			: g->address == FW_GUARD_ADDRESS_ON   ? "address "
							      : "",
			g->router ? "router " : "", g->dhcp_server ? "dhcp " : "",
			g->fragments ? "fragments " : "", g->other ? "other " : "");
	return buf_take(&out);
}

#define ALL_BUT_ADDRESS "mac router dhcp fragments other "

TEST(a_mode_has_a_guard_unless_somebody_says_otherwise)
{
	static const struct {
		const char *attrs, *connection, *expected;
	} rows[] = {
		{ "", "'network':'old'", "none" },
		{ "{}", "'network':'old'", "none" },
		{ "", "'network':'nat'", "none" },
		{ "{'guard':false}", "'network':'nat'", "none" },
		{ "{'default':{'in':'accept'},'groups':[],'rules':[]}", "'network':'nat'", "none" },
		{ "", "'network':'lan'", ALL_BUT_ADDRESS },
		{ "", "'network':'lan','ip':'10.0.0.1/24'",
				"mac address router dhcp fragments other " },
		{ "{'guard':false}", "'network':'lan'", "" },
		{ "{'guard':{'enabled':false,'mac':true}}", "'network':'lan'", "" },
		{ "{'guard':{'mac':false,'router':false}}", "'network':'lan'",
				"dhcp fragments other " },
		{ "{'guard':{'mac':false}}", "'network':'lan','guard':true", ALL_BUT_ADDRESS },
		{ "{'guard':true}", "'network':'old'", ALL_BUT_ADDRESS },
		{ "{'groups':[]}", "'network':'old'", "" },
		{ "", "'network':'old','guard':{}", ALL_BUT_ADDRESS },
		{ "", "'network':'shut'", "" },
		{ "{'guard':{'address':'strict'}}", "'network':'lan','ip':'fd00::1'",
				"mac strict router dhcp fragments other " },
		{ "{'guard':{'address':false}}", "'network':'lan','ip':'fd00::1'",
				ALL_BUT_ADDRESS },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(made_done) struct made m = {};
		if (!make(&m, "{}", rows[i].attrs, rows[i].connection))
			continue;
		CLEANUP(freep) char *guard = guard_text(m.s.vm.nics[0].filter);
		if (strcmp(guard, rows[i].expected) != 0)
			TEST_FAIL("%s %s: expected \"%s\", got \"%s\"", rows[i].attrs,
					rows[i].connection, rows[i].expected, guard);
	}
}

TEST(a_rule_is_of_the_families_that_occur_in_it)
{
	static const struct {
		const char *rule;
		unsigned families;
	} rows[] = {
		{ "{}", FW_BOTH_FAMILIES },
		{ "{'protocol':'tcp'}", FW_BOTH_FAMILIES },
		{ "{'protocol':'icmp'}", FW_FAMILY_BIT(FW_IPV4) },
		{ "{'protocol':58}", FW_FAMILY_BIT(FW_IPV6) },
		{ "{'from':'10.0.0.1'}", FW_FAMILY_BIT(FW_IPV4) },
		{ "{'from':['fd00::1']}", FW_FAMILY_BIT(FW_IPV6) },
		{ "{'from':['10.0.0.1','fd00::1']}", FW_BOTH_FAMILIES },
		{ "{'protocol':'icmp','from':['10.0.0.1','fd00::1']}", FW_FAMILY_BIT(FW_IPV4) },
		{ "{'from':'@both'}", FW_BOTH_FAMILIES },
		{ "{'from':['@four','10.0.0.1']}", FW_FAMILY_BIT(FW_IPV4) },
		{ "{'from':'@none'}", 0 },
		{ "{'from':['@none','fd00::1']}", FW_FAMILY_BIT(FW_IPV6) },
		{ "{'from':'&a'}", FW_BOTH_FAMILIES },
		{ "{'protocol':'icmp6','from':['&a','10.0.0.1']}", FW_FAMILY_BIT(FW_IPV6) },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(made_done) struct made m = {};
		CLEANUP(freep) char *attrs = xasprintf("{'rules':[%s]}", rows[i].rule);
		if (!make(&m,
				    "{'addresses':{'both':['10.0.0.0/8','fd00::/8'],'four':"
				    "['10.0.0.0/8'],'none':[]},'groups':{'a':{}}}",
				    attrs, "'network':'lan'"))
			continue;
		unsigned got = fw_rule_families(&m.policy, &m.s.vm.nics[0].filter->rules[0]);
		if (got != rows[i].families)
			TEST_FAIL("%s: expected %u, got %u", rows[i].rule, rows[i].families, got);
	}
}

TEST(members_are_the_addresses_of_who_belongs_to_a_group)
{
	CLEANUP(made_done) struct made m = {};
	CLEANUP(buf_done) struct buf a = {}, b = {};
	if (!make(&m, "{'groups':{'b':{},'a':{}}}", "{'groups':['a']}",
			    "'network':'lan','ip':['10.0.0.2/24','fd00::1','10.0.0.1']"))
		return;
	const struct vm_filter *filter = m.s.vm.nics[0].filter;
	fw_policy_add_members(&m.policy, filter);
	fw_policy_add_members(&m.policy, filter);
	fw_addresses_put(&a, &fw_policy_members(&m.policy, "a")->addresses);
	fw_addresses_put(&b, &fw_policy_members(&m.policy, "b")->addresses);
	CHECK_STR(buf_text(&a), "10.0.0.1-10.0.0.2, fd00::1");
	CHECK_STR(buf_text(&b), "");
	CHECK(!fw_policy_members(&m.policy, "c"));
}

TEST(sets_are_found_sorted_and_merged)
{
	CLEANUP(made_done) struct made m = {};
	CLEANUP(buf_done) struct buf text = {};
	if (!make(&m,
			    "{'addresses':{'z':[],'office':['10.0.1.0/24','fd00::1','10.0.0.0/24',"
			    "'10.0.0.9'],'a':['10.0.0.1']},'state':'flows'}",
			    "", "'network':'lan'"))
		return;
	CHECK_INT(m.policy.state, FW_STATE_FLOWS);
	CHECK_INT(m.policy.n_sets, 3);
	fw_addresses_put(&text, &fw_policy_set(&m.policy, "office")->addresses);
	CHECK_STR(buf_text(&text), "10.0.0.0/23, fd00::1");
	CHECK(!fw_policy_set(&m.policy, "ofice") && !fw_policy_group(&m.policy, "a"));
}

TEST(a_unit_whose_groups_are_gone_is_told)
{
	CLEANUP(made_done) struct made m = {};
	CLEANUP(plan_done) struct plan plan = {};
	CLEANUP(fw_port_done) struct fw_port port = {};
	struct fw_policy other = {};
	struct error err = {};
	if (!make(&m, "{'groups':{'a':{}},'addresses':{'s':[]}}",
			    "{'groups':['a'],'rules':[{'from':'@s'}]}", "'network':'lan'"))
		return;
	plan_build(&m.s.vm, "/run/machina", &plan);
	CHECK_INT(fw_port_of_plan(&m.policy, &plan, plan_find(&plan, "net.0"), &port, &err), 0);
	CHECK_STR(port.link, "web.0");
	CHECK_STR(port.machine, "web");
	CHECK_ORDER(&(struct made){ .port = port }, FW_IN,
			"state, essentials, group a, vm #1, drop (closed by groups or rules)");
	fw_port_done(&port);
	CHECK_INT(fw_port_of_plan(&other, &plan, plan_find(&plan, "net.0"), &port, &err), -ENOENT);
	CHECK_STR(err.text, "connection '0' is in the firewall group 'a', which the host's config "
			    "does not have: add it, or take it from the machine and run 'machina "
			    "generate web'");
}

/* A rule that names what is not there is no rule that is left out. */
TEST(a_unit_whose_rules_name_what_is_gone_is_told)
{
	static const struct {
		const char *firewall, *text;
	} table[] = {
		{ "{'groups':{'a':{}}}", "rule 'vm #1' of connection '0' names the address set "
					 "'@s', which the host's config does not have" },
		{ "{'addresses':{'s':[]}}", "rule 'vm #2' of connection '0' names the group '&a', "
					    "which the host's config does not have" },
	};
	CLEANUP(made_done) struct made m = {};
	CLEANUP(plan_done) struct plan plan = {};
	if (!make(&m, "{'groups':{'a':{}},'addresses':{'s':[]}}",
			    "{'rules':[{'from':'@s'},{'from':'&a'}]}", "'network':'lan'"))
		return;
	plan_build(&m.s.vm, "/run/machina", &plan);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		CLEANUP(made_done) struct made later = {};
		CLEANUP(fw_port_done) struct fw_port port = {};
		struct error err = {};
		if (!make(&later, table[i].firewall, "", "'network':'lan'"))
			continue;
		CHECK_INT(fw_port_of_plan(&later.policy, &plan, plan_find(&plan, "net.0"), &port,
					  &err),
				-ENOENT);
		CHECK_STR(err.text, table[i].text);
	}
}

/* What a rule says is what it is shown as. */
TEST(rules_are_told_in_words)
{
	static const struct {
		const char *rule, *expected;
	} rows[] = {
		{ "{}", "everything" },
		{ "{'protocol':'tcp','port':[443,80,'1000-2000'],'log':true}",
				"tcp 80, 443, 1000-2000, logged" },
		{ "{'protocol':'icmp','type':['echo-request',0,200]}",
				"icmp echo-reply, echo-request, 200" },
		{ "{'protocol':'icmp6','type':[1,2]}",
				"icmp6 destination-unreachable, packet-too-big" },
		{ "{'protocol':47,'from':['fd00::1','@s','10.0.0.0/8','&a']}",
				"47 from 10.0.0.0/8, fd00::1, @s, &a" },
		{ "{'direction':'out','to':'10.0.0.1','rate':'5/hour'}",
				"everything to 10.0.0.1, at most 5 an hour" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(made_done) struct made m = {};
		CLEANUP(buf_done) struct buf text = {};
		CLEANUP(freep) char *attrs = xasprintf("{'rules':[%s]}", rows[i].rule);
		if (!make(&m, "{'addresses':{'s':[]},'groups':{'a':{}}}", attrs, "'network':'lan'"))
			continue;
		fw_rule_put(&text, &m.s.vm.nics[0].filter->rules[0]);
		CHECK_STR(buf_text(&text), rows[i].expected);
	}
}

TEST_MAIN()
