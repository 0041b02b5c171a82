/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes as messages of nfnetlink (linux/netfilter/nf_tables.h). */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "firewall/nft-expression.h"
#include "util/mem.h"

/* Room for one message: a rule has a dozen parts of at most 200 bytes. */
#define MESSAGE_MAX 4096
/* Elements in one message, and room for it: each has two keys of 16 bytes and what is around. */
#define ELEMENTS_MAX 200
#define ELEMENTS_MESSAGE_MAX (MESSAGE_MAX + ELEMENTS_MAX * 2 * 40)

/* nft's notes for itself, which the kernel keeps: type, length, value (libnftnl/udata.h). */
#define UDATA_COMMENT 0 /* of tables, chains and rules */
#define UDATA_SET_KEY_BYTE_ORDER 0
#define BYTE_ORDER_HOST 1
#define BYTE_ORDER_BIG_ENDIAN 2

/* Bits that one type takes in the number of several (TYPE_BITS in nftables' datatype.h). */
#define TYPE_BITS 6

struct writer {
	struct nft_messages *to;
	size_t change;
	enum nft_family family; /* of that change */
	uint32_t last_set_id;
	struct nlmsghdr *message; /* the one that is being written */
	size_t last;		  /* where the last one of a change begins */
};

static void put_u32(struct writer *w, uint16_t attribute, uint32_t value)
{
	mnl_attr_put_u32(w->message, attribute, htonl(value));
}

static void put_text(struct writer *w, uint16_t attribute, const char *text)
{
	mnl_attr_put_strz(w->message, attribute, text);
}

static void begin_message(struct writer *w, size_t size, uint16_t type, uint16_t flags)
{
	char *at = buf_reserve(&w->to->data, size);
	/* libmnl leaves the bytes between attributes as they are. */
	memset(at, 0, size);
	w->message = mnl_nlmsg_put_header(at);
	w->message->nlmsg_type = type;
	w->message->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	w->message->nlmsg_seq = w->to->first_sequence + (uint32_t)w->to->n;
}

static void put_header(struct writer *w, uint8_t family, uint16_t resource)
{
	struct nfgenmsg *header = mnl_nlmsg_put_extra_header(w->message, sizeof(*header));
	header->nfgen_family = family;
	header->version = NFNETLINK_V0;
	header->res_id = htons(resource);
}

static void end_message(struct writer *w)
{
	struct nft_messages *to = w->to;
	w->last = to->data.len;
	to->changes = grow_array(to->changes, &to->n_alloc, to->n, sizeof(*to->changes));
	to->changes[to->n++] = w->change;
	to->data.len += w->message->nlmsg_len;
	to->data.text[to->data.len] = '\0';
}

static void write_frame(struct writer *w, uint16_t type, uint32_t generation)
{
	begin_message(w, MESSAGE_MAX, type, 0);
	put_header(w, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	if (generation)
		put_u32(w, NFNL_BATCH_GENID, generation);
	end_message(w);
}

static void begin_sized_change(struct writer *w, size_t size, int type, uint16_t flags)
{
	begin_message(w, size, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags);
	static const uint8_t families[N_NFT_FAMILIES] = {
		[NFT_BRIDGE] = NFPROTO_BRIDGE, [NFT_INET] = NFPROTO_INET
	};
	put_header(w, families[w->family], 0);
}

static void begin_change(struct writer *w, int type, uint16_t flags)
{
	begin_sized_change(w, MESSAGE_MAX, type, flags);
}

static void put_comment(struct writer *w, uint16_t attribute, const char *comment)
{
	uint8_t data[2 + NFT_COMMENT_MAX + 1] = { UDATA_COMMENT };
	size_t len = comment ? strnlen(comment, NFT_COMMENT_MAX) : 0;
	if (!comment)
		return;
	data[1] = (uint8_t)(len + 1);
	memcpy(data + 2, comment, len);
	mnl_attr_put(w->message, attribute, 2 + len + 1, data);
}

static void write_table(struct writer *w, int type)
{
	begin_change(w, type, type == NFT_MSG_NEWTABLE ? NLM_F_CREATE : 0);
	put_text(w, NFTA_TABLE_NAME, NFT_TABLE);
	if (type == NFT_MSG_NEWTABLE)
		put_comment(w, NFTA_TABLE_USERDATA, NFT_TABLE_COMMENT);
	end_message(w);
}

static void write_chain(struct writer *w, const struct nft_change *change, int type)
{
	const struct nft_hook_row *row = &nft_hooks[change->hook];
	begin_change(w, type, type == NFT_MSG_NEWCHAIN ? NLM_F_CREATE : 0);
	put_text(w, NFTA_CHAIN_TABLE, NFT_TABLE);
	put_text(w, NFTA_CHAIN_NAME, change->chain);
	if (type == NFT_MSG_NEWCHAIN && change->hook) {
		struct nlattr *hook = mnl_attr_nest_start(w->message, NFTA_CHAIN_HOOK);
		put_u32(w, NFTA_HOOK_HOOKNUM, row->number);
		put_u32(w, NFTA_HOOK_PRIORITY, (uint32_t)row->priority);
		mnl_attr_nest_end(w->message, hook);
		put_u32(w, NFTA_CHAIN_POLICY, NF_ACCEPT);
		put_text(w, NFTA_CHAIN_TYPE, row->type);
	}
	if (type == NFT_MSG_NEWCHAIN)
		put_comment(w, NFTA_CHAIN_USERDATA, change->comment);
	end_message(w);
}

static void write_flush_chain(struct writer *w, const struct nft_change *change)
{
	begin_change(w, NFT_MSG_DELRULE, 0);
	put_text(w, NFTA_RULE_TABLE, NFT_TABLE);
	put_text(w, NFTA_RULE_CHAIN, change->chain);
	end_message(w);
}

/* ---- sets ---- */

static uint32_t type_number(const struct nft_set *set)
{
	uint32_t number = 0;
	for (size_t i = 0; i < set->n_fields; i++)
		number = number << TYPE_BITS | nft_fields[set->fields[i]].type_number;
	return number;
}

/* Of one field as it is, of several each in whole registers. */
static uint32_t key_size(const struct nft_set *set)
{
	uint32_t size = 0;
	if (set->n_fields == 1)
		return nft_fields[set->fields[0]].size;
	for (size_t i = 0; i < set->n_fields; i++)
		size += (nft_fields[set->fields[i]].size + 3) / 4 * 4;
	return size;
}

/* Without it, or with a wrong one, nft lists elements that it can't read again. */
static void put_byte_order(struct writer *w, const struct nft_set *set)
{
	struct {
		uint8_t type, len;
		uint8_t order[4];
	} data = { UDATA_SET_KEY_BYTE_ORDER, 4, {} };
	uint32_t order = nft_fields[set->fields[0]].host_order ? BYTE_ORDER_HOST
							       : BYTE_ORDER_BIG_ENDIAN;
	if (set->n_fields > 1)
		return;
	memcpy(data.order, &order, sizeof(order));
	mnl_attr_put(w->message, NFTA_SET_USERDATA, sizeof(data), &data);
}

static uint32_t set_flags(const struct nft_set *set)
{
	return (set->is_interval ? NFT_SET_INTERVAL : 0u) | (set->is_map ? NFT_SET_MAP : 0u) |
	       (set->size ? NFT_SET_EVAL | NFT_SET_TIMEOUT : 0u);
}

/* @n_values: of a set that never changes; else 0 */
static void write_set(struct writer *w, const struct nft_set *set, uint32_t flags, size_t n_values)
{
	uint32_t size = n_values ? (uint32_t)n_values : set->size;
	begin_change(w, NFT_MSG_NEWSET, NLM_F_CREATE);
	put_text(w, NFTA_SET_TABLE, NFT_TABLE);
	put_text(w, NFTA_SET_NAME, set->name);
	put_u32(w, NFTA_SET_FLAGS, flags | set_flags(set));
	put_u32(w, NFTA_SET_KEY_TYPE, type_number(set));
	put_u32(w, NFTA_SET_KEY_LEN, key_size(set));
	if (set->is_map)
		put_u32(w, NFTA_SET_DATA_TYPE, NFT_DATA_VERDICT);
	put_u32(w, NFTA_SET_ID, ++w->last_set_id);
	if (size) {
		struct nlattr *description = mnl_attr_nest_start(w->message, NFTA_SET_DESC);
		put_u32(w, NFTA_SET_DESC_SIZE, size);
		mnl_attr_nest_end(w->message, description);
	}
	put_byte_order(w, set);
	end_message(w);
}

static void write_delete_set(struct writer *w, const struct nft_set *set)
{
	begin_change(w, NFT_MSG_DELSET, 0);
	put_text(w, NFTA_SET_TABLE, NFT_TABLE);
	put_text(w, NFTA_SET_NAME, set->name);
	end_message(w);
}

static void put_key(struct writer *w, const void *key, size_t size, uint32_t flags)
{
	struct nlattr *element = mnl_attr_nest_start(w->message, NFTA_LIST_ELEM);
	struct nlattr *data = mnl_attr_nest_start(w->message, NFTA_SET_ELEM_KEY);
	mnl_attr_put(w->message, NFTA_DATA_VALUE, size, key);
	mnl_attr_nest_end(w->message, data);
	if (flags)
		put_u32(w, NFTA_SET_ELEM_FLAGS, flags);
	mnl_attr_nest_end(w->message, element);
}

/* An interval ends at an element of its own, the first value behind it; one that goes on to the
 * highest value has none. */
static void put_range(struct writer *w, const struct fw_range *range, size_t size)
{
	uint8_t behind[16];
	size_t i = size;
	put_key(w, range->first, size, 0);
	memcpy(behind, range->last, size);
	while (i > 0 && ++behind[i - 1] == 0)
		i--;
	if (i > 0)
		put_key(w, behind, size, NFT_SET_ELEM_INTERVAL_END);
}

static void put_port(struct writer *w, const char *interface, const char *chain)
{
	char key[16] = "";
	memcpy(key, interface, strnlen(interface, sizeof(key) - 1));
	struct nlattr *element = mnl_attr_nest_start(w->message, NFTA_LIST_ELEM);
	struct nlattr *data = mnl_attr_nest_start(w->message, NFTA_SET_ELEM_KEY);
	mnl_attr_put(w->message, NFTA_DATA_VALUE, sizeof(key), key);
	mnl_attr_nest_end(w->message, data);
	nft_verdict_put(w->message, NFTA_SET_ELEM_DATA, NFT_JUMP, chain);
	mnl_attr_nest_end(w->message, element);
}

static struct nlattr *begin_elements(
		struct writer *w, int type, const struct nft_set *set, uint32_t set_id)
{
	begin_sized_change(w, ELEMENTS_MESSAGE_MAX, type,
			type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0);
	put_text(w, NFTA_SET_ELEM_LIST_TABLE, NFT_TABLE);
	put_text(w, NFTA_SET_ELEM_LIST_SET, set->name);
	if (set_id)
		put_u32(w, NFTA_SET_ELEM_LIST_SET_ID, set_id);
	return mnl_attr_nest_start(w->message, NFTA_SET_ELEM_LIST_ELEMENTS);
}

static void end_elements(struct writer *w, struct nlattr *list)
{
	mnl_attr_nest_end(w->message, list);
	end_message(w);
}

static void write_values(struct writer *w, int type, const struct nft_set *set, uint32_t set_id,
		const struct fw_range *values, size_t n)
{
	size_t size = nft_fields[set->fields[0]].size;
	for (size_t i = 0; i < n; i += ELEMENTS_MAX) {
		struct nlattr *list = begin_elements(w, type, set, set_id);
		for (size_t k = i; k < n && k < i + ELEMENTS_MAX; k++) {
			if (set->is_interval)
				put_range(w, &values[k], size);
			else
				put_key(w, values[k].first, size, 0);
		}
		end_elements(w, list);
	}
}

static void write_elements(struct writer *w, const struct nft_change *change, int type)
{
	if (change->interface) {
		struct nlattr *list = begin_elements(w, type, change->set, 0);
		put_port(w, change->interface, change->jump);
		end_elements(w, list);
	}
	write_values(w, type, change->set, 0, change->values, change->n_values);
}

static void write_flush_set(struct writer *w, const struct nft_set *set)
{
	begin_change(w, NFT_MSG_DELSETELEM, 0);
	put_text(w, NFTA_SET_ELEM_LIST_TABLE, NFT_TABLE);
	put_text(w, NFTA_SET_ELEM_LIST_SET, set->name);
	end_message(w);
}

/* ---- rules ---- */

/* Returns its number. */
static uint32_t write_anonymous_set(struct writer *w, const struct nft_part *part)
{
	struct nft_set set = { .name = NFT_ANONYMOUS_SET, .fields = &part->field, .n_fields = 1 };
	size_t size = nft_fields[part->field].size, n_elements = part->n_values;
	for (size_t i = 0; i < part->n_values; i++)
		set.is_interval |= memcmp(part->values[i].first, part->values[i].last, size) != 0;
	if (set.is_interval)
		n_elements *= 2;
	write_set(w, &set, NFT_SET_ANONYMOUS | NFT_SET_CONSTANT, n_elements);
	write_values(w, NFT_MSG_NEWSETELEM, &set, w->last_set_id, part->values, part->n_values);
	return w->last_set_id;
}

static void write_rule(struct writer *w, const struct nft_change *change)
{
	uint32_t set_id = w->last_set_id;
	for (size_t i = 0; i < change->n_parts; i++)
		if (nft_part_needs_set(&change->parts[i]))
			(void)write_anonymous_set(w, &change->parts[i]);

	begin_change(w, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	put_text(w, NFTA_RULE_TABLE, NFT_TABLE);
	put_text(w, NFTA_RULE_CHAIN, change->chain);
	struct nlattr *list = mnl_attr_nest_start(w->message, NFTA_RULE_EXPRESSIONS);
	for (size_t i = 0; i < change->n_parts; i++) {
		set_id += nft_part_needs_set(&change->parts[i]);
		nft_part_put(w->message, &change->parts[i], set_id);
	}
	mnl_attr_nest_end(w->message, list);
	put_comment(w, NFTA_RULE_USERDATA, change->comment);
	end_message(w);
}

static void write_change(struct writer *w, const struct nft_change *change)
{
	switch (change->kind) {
	case NFT_ADD_TABLE:
		write_table(w, NFT_MSG_NEWTABLE);
		return;
	case NFT_DELETE_TABLE:
		write_table(w, NFT_MSG_DELTABLE);
		return;
	case NFT_ADD_CHAIN:
		write_chain(w, change, NFT_MSG_NEWCHAIN);
		return;
	case NFT_FLUSH_CHAIN:
		write_flush_chain(w, change);
		return;
	case NFT_DELETE_CHAIN:
		write_chain(w, change, NFT_MSG_DELCHAIN);
		return;
	case NFT_ADD_RULE:
		write_rule(w, change);
		return;
	case NFT_ADD_SET:
		write_set(w, change->set, 0, 0);
		return;
	case NFT_FLUSH_SET:
		write_flush_set(w, change->set);
		return;
	case NFT_DELETE_SET:
		write_delete_set(w, change->set);
		return;
	case NFT_ADD_ELEMENTS:
		write_elements(w, change, NFT_MSG_NEWSETELEM);
		return;
	case NFT_DELETE_ELEMENTS:
		write_elements(w, change, NFT_MSG_DELSETELEM);
		return;
	case N_NFT_CHANGES:
		return;
	}
}

void nft_messages_done(struct nft_messages *messages)
{
	buf_done(&messages->data);
	free(messages->changes);
	*messages = (struct nft_messages){};
}

void nft_messages_build(const struct nft_batch *batch, uint32_t sequence, uint32_t generation,
		bool commit, struct nft_messages *ret)
{
	*ret = (struct nft_messages){ .first_sequence = sequence };
	struct writer w = { .to = ret };

	write_frame(&w, NFNL_MSG_BATCH_BEGIN, generation);
	for (size_t i = 0; i < batch->n; i++) {
		if (nft_batch_skips(batch, i))
			continue;
		w.change = i;
		w.family = batch->items[i].family;
		write_change(&w, &batch->items[i]);
	}
	/* Not BATCH_END: kernels before 6.10 don't acknowledge it (net/netfilter/nfnetlink.c). */
	struct nlmsghdr *last = (void *)(ret->data.text + w.last);
	last->nlmsg_flags |= NLM_F_ACK;
	if (commit)
		write_frame(&w, NFNL_MSG_BATCH_END, 0);
}
