/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules of the config as rules of nftables: one of ours may need several of theirs. */
#include <netinet/in.h>
#include <string.h>

#include "firewall/batch-parts.h"

/* A guest must not fill the host's journal: that many lines of one rule. */
#define LOG_COUNT 10
#define LOG_SECONDS 1

#define RULES_WITHOUT_SET 4

/* ---- parts ---- */

static struct nft_part *push(struct rule *rule, enum nft_part_kind kind)
{
	struct nft_part *part = &rule->parts[rule->n++];
	*part = (struct nft_part){ .kind = kind };
	return part;
}

void rule_match(struct rule *rule, enum nft_field field, bool negate, const struct fw_range *values,
		size_t n)
{
	struct nft_part *part = push(rule, NFT_PART_MATCH);
	part->field = field;
	part->negate = negate;
	part->values = values;
	part->n_values = n;
}

void rule_match_set(struct rule *rule, enum nft_field field, const char *set)
{
	struct nft_part *part = push(rule, NFT_PART_MATCH);
	part->field = field;
	part->name = set;
}

void rule_bits(struct rule *rule, enum nft_field field, uint32_t bits)
{
	struct nft_part *part = push(rule, NFT_PART_BITS);
	part->field = field;
	part->bits = bits;
}

void rule_map(struct rule *rule, enum nft_field field, const char *map)
{
	struct nft_part *part = push(rule, NFT_PART_MAP);
	part->field = field;
	part->name = map;
}

void rule_counter(struct rule *rule)
{
	push(rule, NFT_PART_COUNTER);
}

void rule_verdict(struct rule *rule, enum nft_verdict verdict, const char *chain)
{
	struct nft_part *part = push(rule, NFT_PART_VERDICT);
	part->verdict = verdict;
	part->name = chain;
}

void rule_protocol(struct rule *rule, enum fw_family family)
{
	static const struct fw_range protocols[N_FW_FAMILIES] = {
		[FW_IPV4] = { { 0x08, 0x00 }, { 0x08, 0x00 } },
		[FW_IPV6] = { { 0x86, 0xdd }, { 0x86, 0xdd } },
	};
	rule_match(rule, NFT_FIELD_PROTOCOL, false, &protocols[family], 1);
	rule->rejection = family == FW_IPV4 ? NFT_FIELD_ICMP_TYPE : NFT_FIELD_ICMP6_TYPE;
}

void rule_arp(struct rule *rule)
{
	static const struct fw_range arp = { { 0x08, 0x06 }, { 0x08, 0x06 } };
	rule_match(rule, NFT_FIELD_PROTOCOL, false, &arp, 1);
}

/* A number of one or two bytes. */
static struct fw_range number_range(enum nft_field field, uint16_t first, uint16_t last)
{
	struct fw_range range = {};
	size_t size = nft_fields[field].size;
	range.first[0] = (uint8_t)(size == 2 ? first >> 8 : first);
	range.last[0] = (uint8_t)(size == 2 ? last >> 8 : last);
	if (size == 2) {
		range.first[1] = (uint8_t)first;
		range.last[1] = (uint8_t)last;
	}
	return range;
}

void rule_spans(struct maker *m, struct rule *rule, enum nft_field field,
		const struct fw_span *spans, size_t n)
{
	struct fw_range *values = arena_array(&m->batch->arena, n, sizeof(*values));
	for (size_t i = 0; i < n; i++)
		values[i] = number_range(field, spans[i].first, spans[i].last);
	rule_match(rule, field, false, values, n);
}

void rule_number(struct maker *m, struct rule *rule, enum nft_field field, uint16_t number)
{
	rule_spans(m, rule, field, &(struct fw_span){ number, number }, 1);
}

void rule_l4proto(struct maker *m, struct rule *rule, int protocol)
{
	rule_number(m, rule, NFT_FIELD_L4PROTO, (uint16_t)protocol);
}

void rule_accept(const struct maker *m, struct rule *rule)
{
	static const char *const track[] = { [FW_IN] = "track-in", [FW_OUT] = "track-out" };
	if (m->state == FW_STATE_FLOWS)
		rule_verdict(rule, NFT_VERDICT_GOTO, track[m->direction]);
	else
		rule_verdict(rule, NFT_VERDICT_ACCEPT, NULL);
}

void rule_drop(struct rule *rule)
{
	rule_counter(rule);
	rule_verdict(rule, NFT_VERDICT_DROP, NULL);
}

void maker_rule(struct maker *m, const struct rule *rule, const char *comment)
{
	struct nft_part *parts = arena_array(&m->batch->arena, rule->n, sizeof(*parts));
	memcpy(parts, rule->parts, rule->n * sizeof(*parts));
	nft_batch_add(m->batch, &(struct nft_change){
						.kind = NFT_ADD_RULE,
						.chain = m->chain,
						.parts = parts,
						.n_parts = rule->n,
						.comment = comment,
				});
}

/* ---- a rule of the config ---- */

static void add_limit(struct rule *rule, uint32_t count, uint32_t seconds)
{
	struct nft_part *part = push(rule, NFT_PART_LIMIT);
	part->count = count;
	part->seconds = seconds;
}

static void add_log(struct maker *m, struct rule *rule, const struct fw_rule *from)
{
	push(rule, NFT_PART_LOG)->name =
			arena_printf(&m->batch->arena, "machina %s: ", from->origin);
}

static void add_reject(struct maker *m, struct rule *rule, const struct fw_rule *from)
{
	/* Whoever is told by a TCP reset gives up at once; others are told by ICMP. */
	if (from->protocol < 0) {
		struct rule tcp = *rule;
		rule_l4proto(m, &tcp, IPPROTO_TCP);
		rule_counter(&tcp);
		push(&tcp, NFT_PART_REJECT)->reset = true;
		maker_rule(m, &tcp, from->origin);
	}
	rule_counter(rule);
	struct nft_part *reject = push(rule, NFT_PART_REJECT);
	reject->reset = from->protocol == IPPROTO_TCP;
	reject->field = rule->rejection;
	maker_rule(m, rule, from->origin);
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
	rule_counter(rule);
	if (from->action == FW_DROP)
		rule_verdict(rule, NFT_VERDICT_DROP, NULL);
	else
		rule_accept(m, rule);
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
	rule_counter(&rule);
	if (def->action == FW_DROP)
		rule_verdict(&rule, NFT_VERDICT_DROP, NULL);
	else
		rule_accept(m, &rule);
	maker_rule(m, &rule, arena_printf(&m->batch->arena, "default: %s", def->origin));
}
