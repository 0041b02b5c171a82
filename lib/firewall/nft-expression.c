/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parts of rules as the kernel's expressions (linux/netfilter/nf_tables.h). */
#include "firewall/nft-expression.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

/* Where a single value is loaded, and where fields that are looked up together begin. */
#define REGISTER NFT_REG_1
#define REGISTER_BYTES 4

static void put_u32(struct nlmsghdr *m, uint16_t attribute, uint32_t value)
{
	mnl_attr_put_u32(m, attribute, htonl(value));
}

static void put_u64(struct nlmsghdr *m, uint16_t attribute, uint64_t value)
{
	mnl_attr_put_u64(m, attribute, htobe64(value));
}

static void put_data(struct nlmsghdr *m, uint16_t attribute, const void *data, size_t size)
{
	struct nlattr *nest = mnl_attr_nest_start(m, attribute);
	mnl_attr_put(m, NFTA_DATA_VALUE, size, data);
	mnl_attr_nest_end(m, nest);
}

struct expression {
	struct nlattr *element, *data;
};

static struct expression begin(struct nlmsghdr *m, const char *name)
{
	struct expression e = { .element = mnl_attr_nest_start(m, NFTA_LIST_ELEM) };
	mnl_attr_put_strz(m, NFTA_EXPR_NAME, name);
	e.data = mnl_attr_nest_start(m, NFTA_EXPR_DATA);
	return e;
}

static void end(struct nlmsghdr *m, struct expression e)
{
	mnl_attr_nest_end(m, e.data);
	mnl_attr_nest_end(m, e.element);
}

static void put_load(struct nlmsghdr *m, enum nft_field field, uint32_t to)
{
	static const char *const names[] = {
		[NFT_LOAD_PAYLOAD] = "payload",
		[NFT_LOAD_META] = "meta",
		[NFT_LOAD_CT] = "ct",
		[NFT_LOAD_EXTHDR] = "exthdr",
		[NFT_LOAD_FIB] = "fib",
	};
	const struct nft_field_row *row = &nft_fields[field];
	struct expression e = begin(m, names[row->load]);
	switch (row->load) {
	case NFT_LOAD_PAYLOAD:
		put_u32(m, NFTA_PAYLOAD_DREG, to);
		put_u32(m, NFTA_PAYLOAD_BASE, row->key);
		put_u32(m, NFTA_PAYLOAD_OFFSET, row->offset);
		put_u32(m, NFTA_PAYLOAD_LEN, row->size);
		break;
	case NFT_LOAD_META:
		put_u32(m, NFTA_META_DREG, to);
		put_u32(m, NFTA_META_KEY, row->key);
		break;
	case NFT_LOAD_CT:
		put_u32(m, NFTA_CT_DREG, to);
		put_u32(m, NFTA_CT_KEY, row->key);
		break;
	case NFT_LOAD_FIB:
		put_u32(m, NFTA_FIB_DREG, to);
		put_u32(m, NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
		put_u32(m, NFTA_FIB_FLAGS, row->key);
		break;
	case NFT_LOAD_EXTHDR:
		put_u32(m, NFTA_EXTHDR_DREG, to);
		mnl_attr_put_u8(m, NFTA_EXTHDR_TYPE, (uint8_t)row->key);
		put_u32(m, NFTA_EXTHDR_OFFSET, 0);
		put_u32(m, NFTA_EXTHDR_LEN, row->size);
		put_u32(m, NFTA_EXTHDR_FLAGS, NFT_EXTHDR_F_PRESENT);
		break;
	}
	end(m, e);
}

static void put_compare(struct nlmsghdr *m, enum nft_cmp_ops op, const void *data, size_t size)
{
	struct expression e = begin(m, "cmp");
	put_u32(m, NFTA_CMP_SREG, REGISTER);
	put_u32(m, NFTA_CMP_OP, op);
	put_data(m, NFTA_CMP_DATA, data, size);
	end(m, e);
}

static void put_and(struct nlmsghdr *m, const void *mask, size_t size)
{
	static const uint8_t zero[16];
	struct expression e = begin(m, "bitwise");
	put_u32(m, NFTA_BITWISE_SREG, REGISTER);
	put_u32(m, NFTA_BITWISE_DREG, REGISTER);
	put_u32(m, NFTA_BITWISE_LEN, (uint32_t)size);
	put_data(m, NFTA_BITWISE_MASK, mask, size);
	put_data(m, NFTA_BITWISE_XOR, zero, size);
	end(m, e);
}

static void put_outside(struct nlmsghdr *m, const struct fw_range *range, size_t size)
{
	struct expression e = begin(m, "range");
	put_u32(m, NFTA_RANGE_SREG, REGISTER);
	put_u32(m, NFTA_RANGE_OP, NFT_RANGE_NEQ);
	put_data(m, NFTA_RANGE_FROM_DATA, range->first, size);
	put_data(m, NFTA_RANGE_TO_DATA, range->last, size);
	end(m, e);
}

/* A map's answer is a verdict; what is only found goes on with the rule. */
static void put_lookup(struct nlmsghdr *m, const char *set, uint32_t set_id, bool negate, bool map)
{
	struct expression e = begin(m, "lookup");
	mnl_attr_put_strz(m, NFTA_LOOKUP_SET, set);
	put_u32(m, NFTA_LOOKUP_SREG, REGISTER);
	if (map)
		put_u32(m, NFTA_LOOKUP_DREG, NFT_REG_VERDICT);
	if (set_id)
		put_u32(m, NFTA_LOOKUP_SET_ID, set_id);
	if (negate)
		put_u32(m, NFTA_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
	end(m, e);
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
static void put_value(struct nlmsghdr *m, const struct nft_part *part, const struct fw_range *value)
{
	const struct nft_field_row *row = &nft_fields[part->field];
	uint8_t mask[16];

	put_load(m, part->field, REGISTER);
	if (!memcmp(value->first, value->last, row->size)) {
		put_compare(m, part->negate ? NFT_CMP_NEQ : NFT_CMP_EQ, value->first, row->size);
	} else if (row->notation == NFT_NOTATION_ADDRESS && block_mask(value, row->size, mask)) {
		put_and(m, mask, row->size);
		put_compare(m, part->negate ? NFT_CMP_NEQ : NFT_CMP_EQ, value->first, row->size);
	} else if (part->negate) {
		put_outside(m, value, row->size);
	} else {
		put_compare(m, NFT_CMP_GTE, value->first, row->size);
		put_compare(m, NFT_CMP_LTE, value->last, row->size);
	}
}

static void put_match(struct nlmsghdr *m, const struct nft_part *part, uint32_t set_id)
{
	if (part->name) {
		put_load(m, part->field, REGISTER);
		put_lookup(m, part->name, 0, part->negate, false);
	} else if (nft_part_needs_set(part)) {
		put_load(m, part->field, REGISTER);
		put_lookup(m, NFT_ANONYMOUS_SET, set_id, part->negate, false);
	} else {
		for (size_t i = 0; i < part->n_values; i++)
			put_value(m, part, &part->values[i]);
	}
}

static void put_bits(struct nlmsghdr *m, const struct nft_part *part)
{
	static const uint8_t zero[4];
	const struct nft_field_row *row = &nft_fields[part->field];
	uint8_t byte = (uint8_t)part->bits;
	const void *mask = row->size == 1 ? (const void *)&byte : (const void *)&part->bits;

	put_load(m, part->field, REGISTER);
	put_and(m, mask, row->size);
	put_compare(m, NFT_CMP_NEQ, zero, row->size);
}

static void put_together(struct nlmsghdr *m, const struct nft_part *part)
{
	/* The first register of 16 bytes is four of the small ones. */
	uint32_t to = NFT_REG32_00;
	for (size_t i = 0; i < part->n_fields; i++) {
		put_load(m, part->fields[i], to);
		to += (nft_fields[part->fields[i]].size + REGISTER_BYTES - 1) / REGISTER_BYTES;
	}
	if (part->kind == NFT_PART_KNOWN) {
		put_lookup(m, part->name, 0, false, false);
		return;
	}
	struct expression e = begin(m, "dynset");
	mnl_attr_put_strz(m, NFTA_DYNSET_SET_NAME, part->name);
	put_u32(m, NFTA_DYNSET_SREG_KEY, REGISTER);
	put_u32(m, NFTA_DYNSET_OP, NFT_DYNSET_OP_UPDATE);
	put_u64(m, NFTA_DYNSET_TIMEOUT, (uint64_t)part->seconds * 1000);
	end(m, e);
}

static void put_limit(struct nlmsghdr *m, const struct nft_part *part)
{
	struct expression e = begin(m, "limit");
	put_u64(m, NFTA_LIMIT_RATE, part->count);
	put_u64(m, NFTA_LIMIT_UNIT, part->seconds);
	/* nft's default. */
	put_u32(m, NFTA_LIMIT_BURST, 5);
	put_u32(m, NFTA_LIMIT_TYPE, NFT_LIMIT_PKTS);
	put_u32(m, NFTA_LIMIT_FLAGS, 0);
	end(m, e);
}

static void put_log(struct nlmsghdr *m, const char *prefix)
{
	struct expression e = begin(m, "log");
	mnl_attr_put_strz(m, NFTA_LOG_PREFIX, prefix);
	end(m, e);
}

static void put_reject(struct nlmsghdr *m, bool reset)
{
	struct expression e = begin(m, "reject");
	put_u32(m, NFTA_REJECT_TYPE, reset ? NFT_REJECT_TCP_RST : NFT_REJECT_ICMPX_UNREACH);
	mnl_attr_put_u8(m, NFTA_REJECT_ICMP_CODE, reset ? 0 : NFT_REJECT_ICMPX_PORT_UNREACH);
	end(m, e);
}

static void put_verdict(struct nlmsghdr *m, const struct nft_part *part)
{
	static const int codes[] = {
		[NFT_VERDICT_ACCEPT] = NF_ACCEPT,
		[NFT_VERDICT_DROP] = NF_DROP,
		[NFT_VERDICT_CONTINUE] = NFT_CONTINUE,
		[NFT_VERDICT_JUMP] = NFT_JUMP,
		[NFT_VERDICT_GOTO] = NFT_GOTO,
	};
	struct expression e = begin(m, "immediate");
	put_u32(m, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	nft_verdict_put(m, NFTA_IMMEDIATE_DATA, codes[part->verdict], part->name);
	end(m, e);
}

static void put_immediate(struct nlmsghdr *m, uint32_t to, const void *data, size_t size)
{
	struct expression e = begin(m, "immediate");
	put_u32(m, NFTA_IMMEDIATE_DREG, to);
	put_data(m, NFTA_IMMEDIATE_DATA, data, size);
	end(m, e);
}

static void put_dnat(struct nlmsghdr *m, const struct nft_part *part)
{
	size_t size = nft_fields[part->field].size;
	uint16_t port = htons((uint16_t)part->count);
	put_immediate(m, NFT_REG_1, part->values->first, size);
	put_immediate(m, NFT_REG_2, &port, sizeof(port));
	struct expression e = begin(m, "nat");
	put_u32(m, NFTA_NAT_TYPE, NFT_NAT_DNAT);
	put_u32(m, NFTA_NAT_FAMILY, size == 4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
	put_u32(m, NFTA_NAT_REG_ADDR_MIN, NFT_REG_1);
	put_u32(m, NFTA_NAT_REG_PROTO_MIN, NFT_REG_2);
	end(m, e);
}

void nft_verdict_put(struct nlmsghdr *m, uint16_t attribute, int code, const char *chain)
{
	struct nlattr *data = mnl_attr_nest_start(m, attribute);
	struct nlattr *verdict = mnl_attr_nest_start(m, NFTA_DATA_VERDICT);
	put_u32(m, NFTA_VERDICT_CODE, (uint32_t)code);
	if (chain)
		mnl_attr_put_strz(m, NFTA_VERDICT_CHAIN, chain);
	mnl_attr_nest_end(m, verdict);
	mnl_attr_nest_end(m, data);
}

void nft_part_put(struct nlmsghdr *m, const struct nft_part *part, uint32_t set_id)
{
	switch (part->kind) {
	case NFT_PART_MATCH:
		put_match(m, part, set_id);
		return;
	case NFT_PART_BITS:
		put_bits(m, part);
		return;
	case NFT_PART_KNOWN:
	case NFT_PART_REMEMBER:
		put_together(m, part);
		return;
	case NFT_PART_COUNTER:
		end(m, begin(m, "counter"));
		return;
	case NFT_PART_LIMIT:
		put_limit(m, part);
		return;
	case NFT_PART_LOG:
		put_log(m, part->name);
		return;
	case NFT_PART_MAP:
		put_load(m, part->field, REGISTER);
		put_lookup(m, part->name, 0, false, true);
		return;
	case NFT_PART_VERDICT:
		put_verdict(m, part);
		return;
	case NFT_PART_REJECT:
		put_reject(m, part->reset);
		return;
	case NFT_PART_MASQUERADE:
		end(m, begin(m, "masq"));
		return;
	case NFT_PART_DNAT:
		put_dnat(m, part);
		return;
	}
}
