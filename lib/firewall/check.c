/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules and machines against the host's sets and groups. */
#include "firewall/check.h"

#include <json-c/json_object.h>
#include <netinet/in.h>
#include <string.h>

#include "firewall/batch.h"
#include "json/jlocate.h"
#include "json/jnames.h"
#include "json/jtree.h"
#include "util/mem.h"

/* Is there such an entry, if it were not for faults? */
static bool is_flawed(const struct fw_policy *policy, const char *section, const char *name)
{
	struct json_object *map = jtree_get(policy->flawed, section);
	return jtree_is_flaw(policy->flawed) || jtree_is_flaw(map) ||
	       jtree_is_flaw(jtree_get(map, "")) || jtree_has_flaw(jtree_get(map, name));
}

/* The host's config has no @kind @name; did you mean ... Each item begins with its name. */
static void report_unknown(const struct filter_reader *reader, const char *pointer,
		const char *kind, const char *name, const void *items, size_t n, size_t item_size)
{
	CLEANUP(buf_done) struct buf text = {};
	CLEANUP(freep) const char **names = xcalloc(n + 1, sizeof(*names));
	for (size_t i = 0; i < n; i++)
		memcpy(&names[i], (const char *)items + i * item_size, sizeof(names[i]));
	buf_printf(&text, "the host's \"firewall\" has no %s '%s'", kind, name);
	jnames_hint(&text, name, names, n);
	filter_report(reader, pointer, "%s", buf_text(&text));
}

void check_report_group(const struct fw_policy *policy, const struct filter_reader *reader,
		const char *pointer, const char *name)
{
	if (!is_flawed(policy, "groups", name))
		report_unknown(reader, pointer, "group", name, policy->groups, policy->n_groups,
				sizeof(*policy->groups));
}

static const char *peer_key(const struct fw_rule *rule)
{
	return rule->direction == FW_IN ? "from" : "to";
}

char *check_peer_pointer(
		struct json_object *merged, const struct fw_rule *rule, char mark, const char *name)
{
	CLEANUP(freep) char *list = xasprintf("%s/%s", rule->pointer, peer_key(rule));
	struct json_object *texts = jpointer_get(merged, list);
	size_t n = json_object_is_type(texts, json_type_array) ? json_object_array_length(texts)
							       : 0;
	for (size_t i = 0; i < n; i++) {
		const char *text = json_object_get_string(json_object_array_get_idx(texts, i));
		if (text[0] == mark && !strcmp(text + 1, name))
			return xasprintf("%s/%zu", list, i);
	}
	return take_ptr(list);
}

/* An empty set names no family: such a rule matches nothing until there is something in it. */
static void check_families(const struct fw_policy *policy, const struct filter_reader *reader,
		const struct fw_rule *rule)
{
	static const char *const names[] = { [FW_IPV4] = "IPv4", [FW_IPV6] = "IPv6" };
	struct fw_rule any = *rule;
	any.protocol = -1;
	if (fw_rule_families(policy, rule) || !fw_rule_families(policy, &any))
		return;
	enum fw_family own = rule->protocol == IPPROTO_ICMP ? FW_IPV4 : FW_IPV6;
	CLEANUP(freep) char *at = xasprintf("%s/%s", rule->pointer, peer_key(rule));
	CLEANUP(buf_done) struct buf protocol = {};
	fw_protocol_put(&protocol, rule->protocol);
	filter_report(reader, at, "the protocol \"%s\" is of %s, and all addresses are of %s",
			buf_text(&protocol), names[own], names[!own]);
}

void check_rule(const struct fw_policy *policy, const struct filter_reader *reader,
		struct json_object *merged, const struct fw_rule *rule)
{
	bool all_there = true;
	for (size_t i = 0; i < rule->n_sets; i++) {
		if (fw_policy_set(policy, rule->sets[i]))
			continue;
		all_there = false;
		if (is_flawed(policy, "addresses", rule->sets[i]))
			continue;
		CLEANUP(freep) char *at = check_peer_pointer(merged, rule, '@', rule->sets[i]);
		report_unknown(reader, at, "address set", rule->sets[i], policy->sets,
				policy->n_sets, sizeof(*policy->sets));
	}
	for (size_t i = 0; i < rule->n_groups; i++) {
		if (fw_policy_group(policy, rule->groups[i]))
			continue;
		CLEANUP(freep) char *at = check_peer_pointer(merged, rule, '&', rule->groups[i]);
		check_report_group(policy, reader, at, rule->groups[i]);
	}
	if (all_there)
		check_families(policy, reader, rule);
}

void check_rules(const struct fw_policy *policy, const struct filter_reader *reader,
		struct json_object *merged, const struct fw_rules *rules)
{
	for (size_t i = 0; i < rules->n; i++)
		check_rule(policy, reader, merged, &rules->items[i]);
}

/* A machine while it is checked. */
struct checking {
	const struct fw_policy *policy;
	const struct machine *machine;
	const struct vm *vm;
	struct report *report;
	struct filter_reader reader;
};

static void report_machine(void *context, const char *pointer, const char *text)
{
	struct checking *c = context;
	machine_report(c->machine, c->report, SEVERITY_ERROR, pointer, "%s", text);
}

static void check_groups(struct checking *c, size_t i)
{
	const struct vm_filter *filter = c->vm->nics[i].filter;
	const struct connection_conf *confs = c->machine->conf.connections.items;
	if (!filter->n_groups)
		return;
	CLEANUP(freep) char *own = xasprintf("/connections/%zu/groups", i);
	const char *list = confs[i].filter.groups.items ? own : "/attrs/firewall/groups";
	for (size_t k = 0; k < filter->n_groups; k++) {
		if (fw_policy_group(c->policy, filter->groups[k]))
			continue;
		CLEANUP(freep) char *at = xasprintf("%s/%zu", list, k);
		check_report_group(c->policy, &c->reader, at, filter->groups[k]);
	}
}

static void check_link(struct checking *c, size_t i)
{
	const char *link = c->vm->nics[i].link;
	if (batch_link_is_valid(link))
		return;
	CLEANUP(freep) char *at = xasprintf("/connections/%zu/name", i);
	filter_report(&c->reader, at,
			"the connection's interface '%s' has a name that nftables can't write: a "
			"packet filter needs names of letters, digits, '.', '_' and '-'",
			link);
}

/* Without state the answers to what a guest began itself would be dropped. */
static void check_state(struct checking *c, size_t i)
{
	const struct vm_nic *nic = &c->vm->nics[i];
	CLEANUP(fw_port_done) struct fw_port port = {};
	struct error err = {};
	if (c->policy->state != FW_STATE_NONE ||
			fw_port_of_nic(c->policy, c->vm, nic, &port, &err) < 0)
		return;
	for (int d = 0; d < N_FW_DIRECTIONS; d++) {
		const struct fw_resolved_default *found = &port.defaults[d];
		/* Those of groups and networks are told by fw_policy_build(). */
		if (found->action != FW_DROP || found->source == FW_SOURCE_GROUP ||
				found->source == FW_SOURCE_NETWORK)
			continue;
		CLEANUP(freep) char *at = xasprintf("/connections/%zu", i);
		filter_report(&c->reader, at,
				"connection '%s' drops by default in direction \"%s\" (%s), and "
				"the host's firewall has \"state\": \"none\", so that answers "
				"would be dropped too: give it \"default\": { \"%s\": \"accept\" }",
				nic->name, fw_direction_names[d], found->origin,
				fw_direction_names[d]);
	}
}

int fw_check_machine(const struct fw_policy *policy, const struct machine *machine,
		const struct vm *vm, struct report *report)
{
	struct checking c = { .policy = policy, .machine = machine, .vm = vm, .report = report };
	c.reader = (struct filter_reader){ .report = report_machine, .context = &c };
	size_t before = report->n_errors_told;
	for (size_t i = 0; i < vm->n_nics; i++) {
		const struct vm_filter *filter = vm->nics[i].filter;
		if (!filter)
			continue;
		const struct fw_rules rules = { .items = filter->rules, .n = filter->n_rules };
		check_link(&c, i);
		check_groups(&c, i);
		check_rules(policy, &c.reader, machine->merged, &rules);
		check_state(&c, i);
	}
	return report->n_errors_told > before;
}
