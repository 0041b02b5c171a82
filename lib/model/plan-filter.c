/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A connection's packet filter in a plan: a copy of it, and its rows. */
#include "model/plan-filter.h"

#include <inttypes.h>
#include <string.h>

#include "util/mem.h"

const char *const plan_filter_levels[N_FW_LEVELS] = {
	[FW_LEVEL_CONNECTION] = "connection",
	[FW_LEVEL_MACHINE] = "machine",
	[FW_LEVEL_NETWORK] = "network",
};

const struct plan_guard_word plan_guard_words[] = {
	{ "mac", offsetof(struct fw_guard, mac) },
	{ "router", offsetof(struct fw_guard, router) },
	{ "dhcp-server", offsetof(struct fw_guard, dhcp_server) },
	{ "fragments", offsetof(struct fw_guard, fragments) },
	{ "other", offsetof(struct fw_guard, other) },
	{},
};
const char *const plan_guard_address_words[] = {
	[FW_GUARD_ADDRESS_ON] = "address",
	[FW_GUARD_ADDRESS_STRICT] = "address-strict",
	NULL,
};

static void *copy_array(struct arena *arena, const void *items, size_t n, size_t size)
{
	void *copy = arena_array(arena, n, size);
	if (n)
		memcpy(copy, items, n * size);
	return copy;
}

static struct fw_addresses copy_addresses(struct arena *arena, const struct fw_addresses *from)
{
	struct fw_addresses copy = *from;
	for (int f = 0; f < N_FW_FAMILIES; f++)
		copy.of[f].items = copy_array(arena, from->of[f].items, from->of[f].n,
				sizeof(*from->of[f].items));
	return copy;
}

static const char *const *copy_names(struct arena *arena, const char *const *names, size_t n)
{
	const char **copy = arena_array(arena, n, sizeof(*copy));
	for (size_t i = 0; i < n; i++)
		copy[i] = arena_strdup(arena, names[i]);
	return copy;
}

static struct fw_rule copy_rule(struct arena *arena, const struct fw_rule *from)
{
	struct fw_rule copy = *from;
	copy.ports = copy_array(arena, from->ports, from->n_ports, sizeof(*from->ports));
	copy.types = copy_array(arena, from->types, from->n_types, sizeof(*from->types));
	copy.addresses = copy_addresses(arena, &from->addresses);
	copy.sets = copy_names(arena, from->sets, from->n_sets);
	copy.groups = copy_names(arena, from->groups, from->n_groups);
	copy.comment = arena_strdup(arena, from->comment);
	copy.origin = arena_strdup(arena, from->origin);
	copy.pointer = NULL;
	return copy;
}

struct vm_filter *plan_filter_copy(struct arena *arena, const struct vm_filter *filter)
{
	if (!filter)
		return NULL;
	struct vm_filter *copy = ARENA_NEW(arena, struct vm_filter);
	*copy = *filter;
	copy->groups = copy_names(arena, filter->groups, filter->n_groups);
	copy->ip = copy_addresses(arena, &filter->ip);
	copy->vlans = copy_array(arena, filter->vlans, filter->n_vlans, sizeof(*filter->vlans));
	copy->rules = arena_array(arena, filter->n_rules, sizeof(*copy->rules));
	for (size_t i = 0; i < filter->n_rules; i++)
		copy->rules[i] = copy_rule(arena, &filter->rules[i]);
	return copy;
}

static void put_addresses(struct strv *out, const char *key, const struct fw_addresses *addresses)
{
	for (int f = 0; f < N_FW_FAMILIES; f++)
		for (size_t i = 0; i < addresses->of[f].n; i++) {
			CLEANUP(buf_done) struct buf text = {};
			fw_range_put(&text, &addresses->of[f].items[i], (enum fw_family)f);
			strv_push_join(out, key, "=", buf_text(&text));
		}
}

static void put_names(struct strv *out, const char *key, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		strv_push_join(out, key, "=", names[i]);
}

static void put_spans(struct strv *out, const char *key, const struct fw_span *spans, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (spans[i].first == spans[i].last)
			strv_pushf(out, "%s=%u", key, spans[i].first);
		else
			strv_pushf(out, "%s=%u-%u", key, spans[i].first, spans[i].last);
}

static void put_guard(struct strv *out, const struct fw_guard *guard)
{
	for (size_t i = 0; plan_guard_words[i].name; i++)
		if (*(const bool *)((const char *)guard + plan_guard_words[i].offset))
			strv_push_join(out, "guard", "=", plan_guard_words[i].name);
	if (guard->address != FW_GUARD_ADDRESS_OFF)
		strv_push_join(out, "guard", "=", plan_guard_address_words[guard->address]);
}

static void filter_row(const struct plan_fd *fd, struct strv *out)
{
	const struct vm_filter *filter = fd->filter;
	strv_push(out, "filter");
	strv_push_join(out, "name", "=", fd->name);
	put_names(out, "group", filter->groups, filter->n_groups);
	if (filter->has_any)
		strv_push(out, "any=yes");
	for (int level = 0; level < N_FW_LEVELS; level++)
		for (int d = 0; d < N_FW_DIRECTIONS; d++)
			if (filter->defaults[level][d] != FW_DEFAULT_NONE)
				strv_pushf(out, "%s-%s=%s", plan_filter_levels[level],
						fw_direction_names[d],
						fw_default_names[filter->defaults[level][d]]);
	put_guard(out, &filter->guard);
	put_addresses(out, "ip", &filter->ip);
	for (size_t i = 0; i < filter->n_vlans; i++)
		strv_pushf(out, "vlan=%u", filter->vlans[i]);
}

static void rule_row(const struct fw_rule *rule, struct strv *out)
{
	strv_push(out, "rule");
	strv_push_join(out, "direction", "=", fw_direction_names[rule->direction]);
	strv_push_join(out, "action", "=", fw_action_names[rule->action]);
	if (rule->protocol >= 0)
		strv_pushf(out, "protocol=%d", rule->protocol);
	put_spans(out, "port", rule->ports, rule->n_ports);
	put_spans(out, "type", rule->types, rule->n_types);
	put_addresses(out, "address", &rule->addresses);
	put_names(out, "set", rule->sets, rule->n_sets);
	put_names(out, "group", rule->groups, rule->n_groups);
	if (rule->log)
		strv_push(out, "log=yes");
	if (rule->rate_count)
		strv_pushf(out, "rate=%" PRIu32 "/%" PRIu32, rule->rate_count, rule->rate_seconds);
	strv_pushf(out, "priority=%d", rule->priority);
	if (rule->comment[0])
		strv_push_join(out, "comment", "=", rule->comment);
	strv_push_join(out, "origin", "=", rule->origin);
}

size_t plan_filter_n_rows(const struct plan *plan)
{
	size_t n = 0;
	for (size_t i = 0; i < plan->n_fds; i++)
		if (plan->fds[i].filter)
			n += 1 + plan->fds[i].filter->n_rules;
	return n;
}

void plan_filter_row(const struct plan *plan, size_t i, struct strv *ret_words)
{
	for (size_t k = 0; k < plan->n_fds; k++) {
		const struct vm_filter *filter = plan->fds[k].filter;
		if (!filter)
			continue;
		if (i == 0) {
			filter_row(&plan->fds[k], ret_words);
			return;
		}
		i--;
		if (i < filter->n_rules) {
			rule_row(&filter->rules[i], ret_words);
			return;
		}
		i -= filter->n_rules;
	}
}
