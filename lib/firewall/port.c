/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One connection's filter: what is tried in which order, and what happens at the end of it. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "firewall/policy.h"

void fw_port_done(struct fw_port *port)
{
	arena_done(&port->arena);
	*port = (struct fw_port){};
}

unsigned fw_rule_families(const struct fw_policy *policy, const struct fw_rule *rule)
{
	unsigned families = rule->n_groups || !fw_rule_has_peers(rule) ? FW_BOTH_FAMILIES : 0;
	for (int f = 0; f < N_FW_FAMILIES; f++) {
		if (rule->addresses.of[f].n)
			families |= FW_FAMILY_BIT(f);
		for (size_t i = 0; i < rule->n_sets; i++) {
			const struct fw_set *set = fw_policy_set(policy, rule->sets[i]);
			if (set && set->addresses.of[f].n)
				families |= FW_FAMILY_BIT(f);
		}
	}
	if (rule->protocol == IPPROTO_ICMP)
		families &= FW_FAMILY_BIT(FW_IPV4);
	if (rule->protocol == IPPROTO_ICMPV6)
		families &= FW_FAMILY_BIT(FW_IPV6);
	return families;
}

/* A group or a rule, for sorting. */
struct candidate {
	struct fw_entry entry;
	int priority;
	size_t index; /* as listed */
};

/* By priority; of one priority groups first, then as listed. */
static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	if (x->entry.kind != y->entry.kind)
		return x->entry.kind == FW_ENTRY_GROUP ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static void push(struct fw_entry *entries, size_t *n, enum fw_entry_kind kind)
{
	entries[(*n)++] = (struct fw_entry){ .kind = kind };
}

static void push_sorted(
		struct fw_entry *entries, size_t *n, struct candidate *candidates, size_t n_found)
{
	if (n_found > 1)
		qsort(candidates, n_found, sizeof(*candidates), compare_candidates);
	for (size_t i = 0; i < n_found; i++)
		entries[(*n)++] = candidates[i].entry;
}

static size_t find_groups(const struct fw_port *port, bool locked, struct candidate *ret)
{
	size_t n = 0;
	for (size_t i = 0; i < port->n_groups; i++)
		if (port->groups[i]->locked == locked)
			ret[n++] = (struct candidate){
				.entry = { .kind = FW_ENTRY_GROUP, .group = port->groups[i] },
				.priority = port->groups[i]->priority,
				.index = i,
			};
	return n;
}

/* The order of machina-firewall.7. */
static void order(struct fw_port *port, enum fw_direction direction)
{
	const struct vm_filter *filter = port->filter;
	size_t n_max = port->n_groups + filter->n_rules, n = 0, n_found;
	struct fw_entry *entries = arena_array(&port->arena, n_max + 4, sizeof(*entries));
	struct candidate *found = arena_array(&port->arena, n_max, sizeof(*found));

	if (direction == FW_OUT && fw_guard_is_on(&filter->guard))
		push(entries, &n, FW_ENTRY_GUARD);
	if (port->has_state)
		push(entries, &n, FW_ENTRY_STATE);
	if (port->has_essentials)
		push(entries, &n, FW_ENTRY_ESSENTIALS);
	push_sorted(entries, &n, found, find_groups(port, true, found));
	n_found = find_groups(port, false, found);
	for (size_t i = 0; i < filter->n_rules; i++)
		if (filter->rules[i].direction == direction)
			found[n_found++] = (struct candidate){
				.entry = { .kind = FW_ENTRY_RULE, .rule = &filter->rules[i] },
				.priority = filter->rules[i].priority,
				.index = i,
			};
	push_sorted(entries, &n, found, n_found);
	push(entries, &n, FW_ENTRY_DEFAULT);
	port->entries[direction] = (struct fw_entries){ .items = entries, .n = n };
}

static struct fw_resolved_default resolved(
		enum fw_default value, enum fw_default_source source, const char *origin)
{
	return (struct fw_resolved_default){
		.action = value == FW_DEFAULT_DROP ? FW_DROP : FW_ACCEPT,
		.source = source,
		.origin = origin,
	};
}

/* Of several locked groups "drop" wins; of the others the first that says something. */
static const struct fw_group *deciding_group(
		const struct fw_port *port, enum fw_direction direction, bool locked)
{
	const struct fw_group *found = NULL;
	for (size_t i = 0; i < port->n_groups; i++) {
		const struct fw_group *group = port->groups[i];
		if (group->locked != locked || group->defaults[direction] == FW_DEFAULT_NONE)
			continue;
		if (!found || (locked && found->defaults[direction] != FW_DEFAULT_DROP &&
					      group->defaults[direction] == FW_DEFAULT_DROP))
			found = group;
	}
	return found;
}

static struct fw_resolved_default group_default(
		struct fw_port *port, const struct fw_group *group, enum fw_direction direction)
{
	struct fw_resolved_default found = resolved(group->defaults[direction], FW_SOURCE_GROUP,
			arena_printf(&port->arena, "group %s%s", group->name,
					group->locked ? " (locked)" : ""));
	found.group = group;
	return found;
}

static struct fw_resolved_default find_default(struct fw_port *port, enum fw_direction direction)
{
	const struct vm_filter *filter = port->filter;
	const enum fw_default *connection = filter->defaults[FW_LEVEL_CONNECTION],
			      *machine = filter->defaults[FW_LEVEL_MACHINE],
			      *network = filter->defaults[FW_LEVEL_NETWORK];
	const struct fw_group *group = deciding_group(port, direction, true);
	if (group)
		return group_default(port, group, direction);
	if (connection[direction] != FW_DEFAULT_NONE)
		return resolved(connection[direction], FW_SOURCE_CONNECTION, "connection");
	if (machine[direction] != FW_DEFAULT_NONE)
		return resolved(machine[direction], FW_SOURCE_MACHINE, "machine");
	group = deciding_group(port, direction, false);
	if (group)
		return group_default(port, group, direction);
	if (network[direction] != FW_DEFAULT_NONE)
		return resolved(network[direction], FW_SOURCE_NETWORK,
				arena_printf(&port->arena, "network %s", port->network));
	if (direction == FW_OUT)
		return resolved(FW_DEFAULT_ACCEPT, FW_SOURCE_NONE, "open unless it is closed");
	if (filter->has_any)
		return resolved(FW_DEFAULT_DROP, FW_SOURCE_NONE, "closed by groups or rules");
	return resolved(FW_DEFAULT_ACCEPT, FW_SOURCE_NONE, "open without groups and rules");
}

static int find_all_groups(const struct fw_policy *policy, struct fw_port *port, struct error *err)
{
	const struct vm_filter *filter = port->filter;
	port->groups = arena_array(&port->arena, filter->n_groups, sizeof(*port->groups));
	for (size_t i = 0; i < filter->n_groups; i++) {
		const struct fw_group *group = fw_policy_group(policy, filter->groups[i]);
		if (!group)
			return error_set(err, ENOENT,
					"connection '%s' is in the firewall group '%s', which the "
					"host's config does not have: add it, or take it from the "
					"machine and run 'machina generate %s'",
					port->connection, filter->groups[i], port->machine);
		port->groups[port->n_groups++] = group;
	}
	return 0;
}

static int check_names(const struct fw_policy *policy, const struct fw_port *port,
		const struct fw_rule *rule, struct error *err)
{
	for (size_t i = 0; i < rule->n_sets; i++)
		if (!fw_policy_set(policy, rule->sets[i]))
			return error_set(err, ENOENT,
					"rule '%s' of connection '%s' names the address set '@%s', "
					"which the host's config does not have",
					rule->origin, port->connection, rule->sets[i]);
	for (size_t i = 0; i < rule->n_groups; i++)
		if (!fw_policy_group(policy, rule->groups[i]))
			return error_set(err, ENOENT,
					"rule '%s' of connection '%s' names the group '&%s', which "
					"the host's config does not have",
					rule->origin, port->connection, rule->groups[i]);
	return 0;
}

/* @port: its names and its filter are there. */
static int resolve(const struct fw_policy *policy, struct fw_port *port, struct error *err)
{
	int r = find_all_groups(policy, port, err);
	for (size_t i = 0; r == 0 && i < port->filter->n_rules; i++)
		r = check_names(policy, port, &port->filter->rules[i], err);
	if (r < 0)
		return r;
	bool drops = port->filter->has_any;
	for (int d = 0; d < N_FW_DIRECTIONS; d++) {
		port->defaults[d] = find_default(port, (enum fw_direction)d);
		drops |= port->defaults[d].action == FW_DROP;
	}
	port->has_essentials = drops;
	port->has_state = drops && policy->state != FW_STATE_NONE;
	for (int d = 0; d < N_FW_DIRECTIONS; d++)
		order(port, (enum fw_direction)d);
	return 0;
}

static const char *copy(struct fw_port *port, const char *text)
{
	return arena_strdup(&port->arena, text ? text : "");
}

int fw_port_of_nic(const struct fw_policy *policy, const struct vm *vm, const struct vm_nic *nic,
		struct fw_port *ret, struct error *err)
{
	*ret = (struct fw_port){ .filter = nic->filter };
	ret->machine = copy(ret, vm->name);
	ret->connection = copy(ret, nic->name);
	ret->network = copy(ret, nic->network);
	ret->link = copy(ret, nic->link);
	ret->mac = copy(ret, nic->mac);
	return resolve(policy, ret, err);
}

int fw_port_of_plan(const struct fw_policy *policy, const struct plan *plan,
		const struct plan_fd *fd, struct fw_port *ret, struct error *err)
{
	*ret = (struct fw_port){ .filter = fd->filter };
	ret->machine = copy(ret, plan->machine);
	ret->connection = copy(ret, fd->connection);
	ret->network = copy(ret, fd->network);
	ret->link = copy(ret, fd->link);
	ret->mac = copy(ret, fd->mac);
	return resolve(policy, ret, err);
}
