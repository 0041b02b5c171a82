/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parts of rules as the kernel's expressions (linux/netfilter/nf_tables.h). */
#include "firewall/nft-expression.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h> /* libnftnl/expr.h needs what it includes */
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#include "util/mem.h"

/* Where a single value is loaded, and where fields that are looked up together begin. */
#define REGISTER NFT_REG_1
#define REGISTER_BYTES 4

static struct nftnl_expr *add(struct nftnl_rule *rule, const char *name)
{
	struct nftnl_expr *e = xgiven(nftnl_expr_alloc(name));
	nftnl_rule_add_expr(rule, e);
	return e;
}

static void set_data(struct nftnl_expr *e, uint16_t attribute, const void *data, size_t size)
{
	if (nftnl_expr_set(e, attribute, data, (uint32_t)size) < 0)
		out_of_memory();
}

static void set_text(struct nftnl_expr *e, uint16_t attribute, const char *text)
{
	if (nftnl_expr_set_str(e, attribute, text) < 0)
		out_of_memory();
}

static void add_load(struct nftnl_rule *rule, enum nft_field field, uint32_t to)
{
	static const char *const names[] = {
		[NFT_LOAD_PAYLOAD] = "payload",
		[NFT_LOAD_META] = "meta",
		[NFT_LOAD_CT] = "ct",
		[NFT_LOAD_EXTHDR] = "exthdr",
		[NFT_LOAD_FIB] = "fib",
	};
	const struct nft_field_row *row = &nft_fields[field];
	struct nftnl_expr *e = add(rule, names[row->load]);
	switch (row->load) {
	case NFT_LOAD_PAYLOAD:
		nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, to);
		nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, row->key);
		nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, row->offset);
		nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, row->size);
		break;
	case NFT_LOAD_META:
		nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, to);
		nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, row->key);
		break;
	case NFT_LOAD_CT:
		nftnl_expr_set_u32(e, NFTNL_EXPR_CT_DREG, to);
		nftnl_expr_set_u32(e, NFTNL_EXPR_CT_KEY, row->key);
		break;
	case NFT_LOAD_FIB:
		nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_DREG, to);
		nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
		nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_FLAGS, row->key);
		break;
	case NFT_LOAD_EXTHDR:
		nftnl_expr_set_u32(e, NFTNL_EXPR_EXTHDR_DREG, to);
		nftnl_expr_set_u8(e, NFTNL_EXPR_EXTHDR_TYPE, (uint8_t)row->key);
		nftnl_expr_set_u32(e, NFTNL_EXPR_EXTHDR_OFFSET, 0);
		nftnl_expr_set_u32(e, NFTNL_EXPR_EXTHDR_LEN, row->size);
		nftnl_expr_set_u32(e, NFTNL_EXPR_EXTHDR_FLAGS, NFT_EXTHDR_F_PRESENT);
		break;
	}
}

static void add_compare(struct nftnl_rule *rule, enum nft_cmp_ops op, const void *data, size_t size)
{
	struct nftnl_expr *e = add(rule, "cmp");
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, REGISTER);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, op);
	set_data(e, NFTNL_EXPR_CMP_DATA, data, size);
}

static void add_and(struct nftnl_rule *rule, const void *mask, size_t size)
{
	static const uint8_t zero[16];
	struct nftnl_expr *e = add(rule, "bitwise");
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_SREG, REGISTER);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_DREG, REGISTER);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_LEN, (uint32_t)size);
	set_data(e, NFTNL_EXPR_BITWISE_MASK, mask, size);
	set_data(e, NFTNL_EXPR_BITWISE_XOR, zero, size);
}

static void add_outside(struct nftnl_rule *rule, const struct fw_range *range, size_t size)
{
	struct nftnl_expr *e = add(rule, "range");
	nftnl_expr_set_u32(e, NFTNL_EXPR_RANGE_SREG, REGISTER);
	nftnl_expr_set_u32(e, NFTNL_EXPR_RANGE_OP, NFT_RANGE_NEQ);
	set_data(e, NFTNL_EXPR_RANGE_FROM_DATA, range->first, size);
	set_data(e, NFTNL_EXPR_RANGE_TO_DATA, range->last, size);
}

/* A map's answer is a verdict; what is only found goes on with the rule. */
static void add_lookup(
		struct nftnl_rule *rule, const char *set, uint32_t set_id, bool negate, bool map)
{
	struct nftnl_expr *e = add(rule, "lookup");
	set_text(e, NFTNL_EXPR_LOOKUP_SET, set);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, REGISTER);
	if (map)
		nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_DREG, NFT_REG_VERDICT);
	if (set_id)
		nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SET_ID, set_id);
	if (negate)
		nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
}

/* The mask of a block: ones where both ends agree. Returns whether it is a block. */
static bool block_mask(const struct fw_range *range, size_t size, uint8_t mask[16])
{
	bool ones = true;
	for (size_t i = 0; i < 8 * size; i++) {
		uint8_t bit = (uint8_t)(0x80 >> i % 8);
		bool first = range->first[i / 8] & bit, last = range->last[i / 8] & bit;
		if (i % 8 == 0)
			mask[i / 8] = 0;
		if (ones && first == last)
			mask[i / 8] |= bit;
		else if (!first && last)
			ones = false;
		else
			return false;
	}
	return true;
}

/* One value, block or range. */
static void add_value(
		struct nftnl_rule *rule, const struct nft_part *part, const struct fw_range *value)
{
	const struct nft_field_row *row = &nft_fields[part->field];
	uint8_t mask[16];

	add_load(rule, part->field, REGISTER);
	if (!memcmp(value->first, value->last, row->size)) {
		add_compare(rule, part->negate ? NFT_CMP_NEQ : NFT_CMP_EQ, value->first, row->size);
	} else if (row->notation == NFT_NOTATION_ADDRESS && block_mask(value, row->size, mask)) {
		add_and(rule, mask, row->size);
		add_compare(rule, part->negate ? NFT_CMP_NEQ : NFT_CMP_EQ, value->first, row->size);
	} else if (part->negate) {
		add_outside(rule, value, row->size);
	} else {
		add_compare(rule, NFT_CMP_GTE, value->first, row->size);
		add_compare(rule, NFT_CMP_LTE, value->last, row->size);
	}
}

static void add_match(struct nftnl_rule *rule, const struct nft_part *part, uint32_t set_id)
{
	if (part->name) {
		add_load(rule, part->field, REGISTER);
		add_lookup(rule, part->name, 0, part->negate, false);
	} else if (nft_part_needs_set(part)) {
		add_load(rule, part->field, REGISTER);
		add_lookup(rule, NFT_ANONYMOUS_SET, set_id, part->negate, false);
	} else {
		for (size_t i = 0; i < part->n_values; i++)
			add_value(rule, part, &part->values[i]);
	}
}

static void add_bits(struct nftnl_rule *rule, const struct nft_part *part)
{
	static const uint8_t zero[4];
	const struct nft_field_row *row = &nft_fields[part->field];
	uint8_t byte = (uint8_t)part->bits;
	const void *mask = row->size == 1 ? (const void *)&byte : (const void *)&part->bits;

	add_load(rule, part->field, REGISTER);
	add_and(rule, mask, row->size);
	add_compare(rule, NFT_CMP_NEQ, zero, row->size);
}

static void add_together(struct nftnl_rule *rule, const struct nft_part *part)
{
	/* The first register of 16 bytes is four of the small ones. */
	uint32_t to = NFT_REG32_00;
	for (size_t i = 0; i < part->n_fields; i++) {
		add_load(rule, part->fields[i], to);
		to += (nft_fields[part->fields[i]].size + REGISTER_BYTES - 1) / REGISTER_BYTES;
	}
	if (part->kind == NFT_PART_KNOWN) {
		add_lookup(rule, part->name, 0, false, false);
		return;
	}
	struct nftnl_expr *e = add(rule, "dynset");
	set_text(e, NFTNL_EXPR_DYNSET_SET_NAME, part->name);
	nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_SREG_KEY, REGISTER);
	nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_OP, NFT_DYNSET_OP_UPDATE);
	nftnl_expr_set_u64(e, NFTNL_EXPR_DYNSET_TIMEOUT, (uint64_t)part->seconds * 1000);
}

static void add_limit(struct nftnl_rule *rule, const struct nft_part *part)
{
	struct nftnl_expr *e = add(rule, "limit");
	nftnl_expr_set_u64(e, NFTNL_EXPR_LIMIT_RATE, part->count);
	nftnl_expr_set_u64(e, NFTNL_EXPR_LIMIT_UNIT, part->seconds);
	/* nft's default. */
	nftnl_expr_set_u32(e, NFTNL_EXPR_LIMIT_BURST, 5);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LIMIT_TYPE, NFT_LIMIT_PKTS);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LIMIT_FLAGS, 0);
}

static void add_log(struct nftnl_rule *rule, const char *prefix)
{
	struct nftnl_expr *e = add(rule, "log");
	set_text(e, NFTNL_EXPR_LOG_PREFIX, prefix);
}

static void add_reject(struct nftnl_rule *rule, const struct nft_part *part)
{
	struct nftnl_expr *e = add(rule, "reject");
	uint32_t type = NFT_REJECT_ICMPX_UNREACH;
	uint8_t code = NFT_REJECT_ICMPX_PORT_UNREACH;
	if (part->reset) {
		type = NFT_REJECT_TCP_RST;
		code = 0;
	} else if (part->field == NFT_FIELD_ICMP_TYPE) {
		type = NFT_REJECT_ICMP_UNREACH;
		code = ICMP_PORT_UNREACH;
	} else if (part->field == NFT_FIELD_ICMP6_TYPE) {
		type = NFT_REJECT_ICMP_UNREACH;
		code = ICMP6_DST_UNREACH_NOPORT;
	}
	nftnl_expr_set_u32(e, NFTNL_EXPR_REJECT_TYPE, type);
	nftnl_expr_set_u8(e, NFTNL_EXPR_REJECT_CODE, code);
}

static void add_verdict(struct nftnl_rule *rule, const struct nft_part *part)
{
	static const int codes[] = {
		[NFT_VERDICT_ACCEPT] = NF_ACCEPT,
		[NFT_VERDICT_DROP] = NF_DROP,
		[NFT_VERDICT_CONTINUE] = NFT_CONTINUE,
		[NFT_VERDICT_JUMP] = NFT_JUMP,
		[NFT_VERDICT_GOTO] = NFT_GOTO,
	};
	struct nftnl_expr *e = add(rule, "immediate");
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, (uint32_t)codes[part->verdict]);
	if (part->name)
		set_text(e, NFTNL_EXPR_IMM_CHAIN, part->name);
}

static void add_immediate(struct nftnl_rule *rule, uint32_t to, const void *data, size_t size)
{
	struct nftnl_expr *e = add(rule, "immediate");
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, to);
	set_data(e, NFTNL_EXPR_IMM_DATA, data, size);
}

static void add_dnat(struct nftnl_rule *rule, const struct nft_part *part)
{
	size_t size = nft_fields[part->field].size;
	uint16_t port = htons((uint16_t)part->count);
	add_immediate(rule, NFT_REG_1, part->values->first, size);
	add_immediate(rule, NFT_REG_2, &port, sizeof(port));
	struct nftnl_expr *e = add(rule, "nat");
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_TYPE, NFT_NAT_DNAT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_FAMILY, size == 4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_ADDR_MIN, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_PROTO_MIN, NFT_REG_2);
}

void nft_part_add(struct nftnl_rule *rule, const struct nft_part *part, uint32_t set_id)
{
	switch (part->kind) {
	case NFT_PART_MATCH:
		add_match(rule, part, set_id);
		return;
	case NFT_PART_BITS:
		add_bits(rule, part);
		return;
	case NFT_PART_KNOWN:
	case NFT_PART_REMEMBER:
		add_together(rule, part);
		return;
	case NFT_PART_COUNTER:
		(void)add(rule, "counter");
		return;
	case NFT_PART_LIMIT:
		add_limit(rule, part);
		return;
	case NFT_PART_LOG:
		add_log(rule, part->name);
		return;
	case NFT_PART_MAP:
		add_load(rule, part->field, REGISTER);
		add_lookup(rule, part->name, 0, false, true);
		return;
	case NFT_PART_VERDICT:
		add_verdict(rule, part);
		return;
	case NFT_PART_REJECT:
		add_reject(rule, part);
		return;
	case NFT_PART_MASQUERADE:
		(void)add(rule, "masq");
		return;
	case NFT_PART_DNAT:
		add_dnat(rule, part);
		return;
	}
}
