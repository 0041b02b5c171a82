/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A connection's packet filter in a plan: its rows. */
#include "model/plan-filter.h"

#include <inttypes.h>
#include <string.h>

#include "model/words.h"
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

static void put_addresses(struct buf *rows, const char *key, const struct fw_addresses *addresses)
{
	for (int f = 0; f < N_FW_FAMILIES; f++)
		for (size_t i = 0; i < addresses->of[f].n; i++) {
			CLEANUP(buf_done) struct buf text = {};
			fw_range_put(&text, &addresses->of[f].items[i], (enum fw_family)f);
			row_add(rows, key, buf_text(&text));
		}
}

static void put_names(struct buf *rows, const char *key, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		row_add(rows, key, names[i]);
}

static void put_spans(struct buf *rows, const char *key, const struct fw_span *spans, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (spans[i].first == spans[i].last)
			row_addf(rows, "%s=%u", key, spans[i].first);
		else
			row_addf(rows, "%s=%u-%u", key, spans[i].first, spans[i].last);
}

static void put_guard(struct buf *rows, const struct fw_guard *guard)
{
	for (size_t i = 0; plan_guard_words[i].name; i++)
		if (*(const bool *)((const char *)guard + plan_guard_words[i].offset))
			row_add(rows, "guard", plan_guard_words[i].name);
	if (guard->address != FW_GUARD_ADDRESS_OFF)
		row_add(rows, "guard", plan_guard_address_words[guard->address]);
}

static void put_filter(struct buf *rows, const struct plan_fd *fd)
{
	const struct vm_filter *filter = fd->filter;
	row_begin(rows, "filter");
	row_add(rows, "name", fd->name);
	put_names(rows, "group", filter->groups, filter->n_groups);
	if (filter->has_any)
		row_add(rows, "any", "yes");
	for (int level = 0; level < N_FW_LEVELS; level++)
		for (int d = 0; d < N_FW_DIRECTIONS; d++)
			if (filter->defaults[level][d] != FW_DEFAULT_NONE)
				row_addf(rows, "%s-%s=%s", plan_filter_levels[level],
						fw_direction_names[d],
						fw_default_names[filter->defaults[level][d]]);
	put_guard(rows, &filter->guard);
	put_addresses(rows, "ip", &filter->ip);
	for (size_t i = 0; i < filter->n_vlans; i++)
		row_addf(rows, "vlan=%u", filter->vlans[i]);
	row_end(rows);
}

static void put_rule(struct buf *rows, const struct fw_rule *rule)
{
	row_begin(rows, "rule");
	row_add(rows, "direction", fw_direction_names[rule->direction]);
	row_add(rows, "action", fw_action_names[rule->action]);
	if (rule->protocol >= 0)
		row_addf(rows, "protocol=%d", rule->protocol);
	put_spans(rows, "port", rule->ports, rule->n_ports);
	put_spans(rows, "type", rule->types, rule->n_types);
	put_addresses(rows, "address", &rule->addresses);
	put_names(rows, "set", rule->sets, rule->n_sets);
	put_names(rows, "group", rule->groups, rule->n_groups);
	if (rule->log)
		row_add(rows, "log", "yes");
	if (rule->rate_count)
		row_addf(rows, "rate=%" PRIu32 "/%" PRIu32, rule->rate_count, rule->rate_seconds);
	row_addf(rows, "priority=%d", rule->priority);
	if (rule->comment[0])
		row_add(rows, "comment", rule->comment);
	row_add(rows, "origin", rule->origin);
	row_end(rows);
}

void plan_put_filter_rows(const struct plan *plan, struct buf *rows)
{
	for (size_t i = 0; i < plan->n_fds; i++) {
		const struct vm_filter *filter = plan->fds[i].filter;
		if (!filter)
			continue;
		put_filter(rows, &plan->fds[i]);
		for (size_t k = 0; k < filter->n_rules; k++)
			put_rule(rows, &filter->rules[k]);
	}
}
