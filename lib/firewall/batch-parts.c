/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules and sets of nftables, put together from parts. */
#include "firewall/batch-parts.h"

#include <string.h>

struct nft_part *rule_part(struct rule *rule, enum nft_part_kind kind)
{
	struct nft_part *part = &rule->parts[rule->n++];
	*part = (struct nft_part){ .kind = kind };
	return part;
}

void rule_match(struct rule *rule, enum nft_field field, bool negate, const struct fw_range *values,
		size_t n)
{
	struct nft_part *part = rule_part(rule, NFT_PART_MATCH);
	part->field = field;
	part->negate = negate;
	part->values = values;
	part->n_values = n;
}

void rule_match_set(struct rule *rule, enum nft_field field, const char *set)
{
	struct nft_part *part = rule_part(rule, NFT_PART_MATCH);
	part->field = field;
	part->name = set;
}

void rule_bits(struct rule *rule, enum nft_field field, uint32_t bits)
{
	struct nft_part *part = rule_part(rule, NFT_PART_BITS);
	part->field = field;
	part->bits = bits;
}

void rule_map(struct rule *rule, enum nft_field field, const char *map)
{
	struct nft_part *part = rule_part(rule, NFT_PART_MAP);
	part->field = field;
	part->name = map;
}

void rule_counter(struct rule *rule)
{
	rule_part(rule, NFT_PART_COUNTER);
}

void rule_verdict(struct rule *rule, enum nft_verdict verdict, const char *chain)
{
	struct nft_part *part = rule_part(rule, NFT_PART_VERDICT);
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

const char *maker_chain(const struct maker *m, const char *prefix, const char *name)
{
	return arena_printf(&m->batch->arena, "%s-%s%s%s", prefix, name, name[0] ? "-" : "",
			fw_direction_names[m->direction]);
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

const struct nft_set *maker_set(struct maker *m, const char *prefix, const char *name,
		enum fw_family family, bool is_interval)
{
	static const enum nft_field fields[] = {
		[FW_IPV4] = NFT_FIELD_IP_SOURCE, [FW_IPV6] = NFT_FIELD_IP6_SOURCE
	};
	static const char suffix[] = { [FW_IPV4] = '4', [FW_IPV6] = '6' };
	struct nft_set *set = ARENA_NEW(&m->batch->arena, struct nft_set);
	*set = (struct nft_set){
		.name = arena_printf(&m->batch->arena, "%s-%s-%c", prefix, name, suffix[family]),
		.fields = &fields[family],
		.n_fields = 1,
		.is_interval = is_interval,
	};
	return set;
}
