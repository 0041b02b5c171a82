/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules of the config as rules of nftables: one of ours may need several of theirs. */
#include <netinet/in.h>

#include "firewall/batch-parts.h"

/* A guest must not fill the host's journal: that many lines of one rule. */
#define LOG_COUNT 10
#define LOG_SECONDS 1

#define RULES_WITHOUT_SET 4

static void add_limit(struct rule *rule, uint32_t count, uint32_t seconds)
{
	struct nft_part *part = rule_part(rule, NFT_PART_LIMIT);
	part->count = count;
	part->seconds = seconds;
}

static void add_log(struct maker *m, struct rule *rule, const struct fw_rule *from)
{
	rule_part(rule, NFT_PART_LOG)->name =
			arena_printf(&m->batch->arena, "machina %s: ", from->origin);
}

static void add_reject(struct maker *m, struct rule *rule, const struct fw_rule *from)
{
	/* Whoever is told by a TCP reset gives up at once; others are told by ICMP. */
	if (from->protocol < 0) {
		struct rule tcp = *rule;
		rule_l4proto(m, &tcp, IPPROTO_TCP);
		rule_counter(&tcp);
		rule_part(&tcp, NFT_PART_REJECT)->reset = true;
		maker_rule(m, &tcp, from->origin);
	}
	rule_counter(rule);
	struct nft_part *reject = rule_part(rule, NFT_PART_REJECT);
	reject->reset = from->protocol == IPPROTO_TCP;
	reject->field = rule->rejection;
	maker_rule(m, rule, from->origin);
}

/* Counted, and decided. @action: not FW_REJECT */
static void add_action(const struct maker *m, struct rule *rule, enum fw_action action)
{
	rule_counter(rule);
	if (action == FW_DROP)
		rule_verdict(rule, NFT_VERDICT_DROP, NULL);
	else
		rule_accept(m, rule);
}

/* The conditions are there: what comes of them. */
static void add_verdict(struct maker *m, struct rule *rule, const struct fw_rule *from)
{
	if (from->log && !from->rate_count) {
		struct rule log = *rule;
		add_limit(&log, LOG_COUNT, LOG_SECONDS);
		add_log(m, &log, from);
		maker_rule(m, &log, from->origin);
	}
	if (from->rate_count)
		add_limit(rule, from->rate_count, from->rate_seconds);
	if (from->log && from->rate_count)
		add_log(m, rule, from);
	if (from->action == FW_REJECT) {
		add_reject(m, rule, from);
		return;
	}
	add_action(m, rule, from->action);
	maker_rule(m, rule, from->origin);
}

/*
 * How many values of a list stand in one rule. In what is shared, all; what each machine has makes
 * do without sets if it can (nft_part_needs_set()), with a rule for each value. Each of these would
 * have a rate of its own.
 */
static size_t values_at_once(const struct maker *m, const struct fw_rule *from, size_t n)
{
	return m->is_own && !from->rate_count && n <= RULES_WITHOUT_SET ? 1 : n;
}

/* The rest of the conditions. */
static void add_protocol(struct maker *m, struct rule *rule, const struct fw_rule *from)
{
	enum nft_field types =
			from->protocol == IPPROTO_ICMP ? NFT_FIELD_ICMP_TYPE : NFT_FIELD_ICMP6_TYPE;
	enum nft_field field = from->n_ports ? NFT_FIELD_DEST_PORT : types;
	const struct fw_span *spans = from->n_ports ? from->ports : from->types;
	size_t n = from->n_ports ? from->n_ports : from->n_types;
	size_t step = values_at_once(m, from, n);

	if (from->protocol >= 0)
		rule_l4proto(m, rule, from->protocol);
	if (!n)
		add_verdict(m, rule, from);
	for (size_t i = 0; i < n; i += step) {
		struct rule one = *rule;
		rule_spans(m, &one, field, spans + i, step);
		add_verdict(m, &one, from);
	}
}

/* The field of the other end's address. */
static enum nft_field peer_field(const struct maker *m, enum fw_family family)
{
	static const enum nft_field fields[N_FW_DIRECTIONS][N_FW_FAMILIES] = {
		[FW_IN] = { NFT_FIELD_IP_SOURCE, NFT_FIELD_IP6_SOURCE },
		[FW_OUT] = { NFT_FIELD_IP_DEST, NFT_FIELD_IP6_DEST },
	};
	return fields[m->direction][family];
}

static void add_named(struct maker *m, const struct fw_rule *from, enum fw_family family,
		const char *prefix, const char *name)
{
	struct rule rule = {};
	rule_protocol(&rule, family);
	rule_match_set(&rule, peer_field(m, family),
			maker_set(m, prefix, name, family, true)->name);
	add_protocol(m, &rule, from);
}

/* One for each kind of list: a rule of nftables can't look into two sets for one of them. */
static void add_family(struct maker *m, const struct fw_rule *from, enum fw_family family)
{
	const struct fw_ranges *addresses = &from->addresses.of[family];
	size_t step = values_at_once(m, from, addresses->n);
	if (!fw_rule_has_peers(from)) {
		struct rule rule = {};
		rule_protocol(&rule, family);
		add_protocol(m, &rule, from);
	}
	for (size_t i = 0; i < addresses->n; i += step) {
		struct rule rule = {};
		rule_protocol(&rule, family);
		rule_match(&rule, peer_field(m, family), false, addresses->items + i, step);
		add_protocol(m, &rule, from);
	}
	for (size_t i = 0; i < from->n_sets; i++) {
		const struct fw_set *set = fw_policy_set(m->policy, from->sets[i]);
		if (set && set->addresses.of[family].n)
			add_named(m, from, family, "set", from->sets[i]);
	}
	for (size_t i = 0; i < from->n_groups; i++)
		add_named(m, from, family, "grp", from->groups[i]);
}

void maker_fw_rule(struct maker *m, const struct fw_rule *from)
{
	unsigned families = fw_rule_families(m->policy, from);
	bool is_icmp = from->protocol == IPPROTO_ICMP || from->protocol == IPPROTO_ICMPV6;
	if (!fw_rule_has_peers(from) && !is_icmp) {
		struct rule rule = {};
		add_protocol(m, &rule, from);
		return;
	}
	for (int f = 0; f < N_FW_FAMILIES; f++)
		if (families & FW_FAMILY_BIT(f))
			add_family(m, from, (enum fw_family)f);
}

void maker_default(struct maker *m, const struct fw_resolved_default *def)
{
	struct rule rule = {};
	add_action(m, &rule, def->action);
	maker_rule(m, &rule, arena_printf(&m->batch->arena, "default: %s", def->origin));
}
