/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes as messages of nfnetlink (linux/netfilter/nf_tables.h). */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "firewall/nft-expression.h"
#include "util/cleanup.h"
#include "util/mem.h"

/* Room for one message: a rule has a dozen parts of at most 200 bytes. */
#define MESSAGE_MAX 4096
/* Elements in one message, and room for one: it has two keys of 16 bytes and what is around. */
#define ELEMENTS_MAX 200
#define ELEMENT_MAX ((size_t)2 * 40)

/* What nft notes about a set's keys (enum byteorder in nftables' include/datatype.h). */
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

static void table_freep(struct nftnl_table **table)
{
	nftnl_table_free(*table);
}

static void chain_freep(struct nftnl_chain **chain)
{
	nftnl_chain_free(*chain);
}

static void rule_freep(struct nftnl_rule **rule)
{
	nftnl_rule_free(*rule);
}

static void set_freep(struct nftnl_set **set)
{
	nftnl_set_free(*set);
}

static void udata_freep(struct nftnl_udata_buf **udata)
{
	nftnl_udata_buf_free(*udata);
}

/* libnftnl fails for want of memory alone: it gives no object, or a negative number. */
static void done(int result)
{
	if (result < 0)
		out_of_memory();
}

static void begin_sized(struct writer *w, size_t size)
{
	/* The bytes between attributes are left as they are. */
	memset(buf_reserve(&w->to->data, size), 0, size);
}

static uint32_t sequence(const struct writer *w)
{
	return w->to->first_sequence + (uint32_t)w->to->n;
}

static void begin_sized_change(struct writer *w, size_t size, uint16_t type, uint16_t flags)
{
	static const uint16_t families[N_NFT_FAMILIES] = {
		[NFT_BRIDGE] = NFPROTO_BRIDGE, [NFT_INET] = NFPROTO_INET
	};
	begin_sized(w, size);
	w->message = nftnl_nlmsg_build_hdr(w->to->data.text + w->to->data.len, type,
			families[w->family], flags, sequence(w));
}

static void begin_change(struct writer *w, uint16_t type, uint16_t flags)
{
	begin_sized_change(w, MESSAGE_MAX, type, flags);
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

static void write_begin(struct writer *w, uint32_t generation)
{
	begin_sized(w, MESSAGE_MAX);
	w->message = nftnl_batch_begin(w->to->data.text + w->to->data.len, sequence(w));
	if (generation)
		mnl_attr_put_u32(w->message, NFNL_BATCH_GENID, htonl(generation));
	end_message(w);
}

static void write_end(struct writer *w)
{
	begin_sized(w, MESSAGE_MAX);
	w->message = nftnl_batch_end(w->to->data.text + w->to->data.len, sequence(w));
	end_message(w);
}

static struct nftnl_udata_buf *comment_udata(uint8_t type, const char *comment)
{
	char text[NFT_COMMENT_MAX + 1] = "";
	struct nftnl_udata_buf *udata =
			xgiven(nftnl_udata_buf_alloc(NFTNL_UDATA_COMMENT_MAXLEN * 2));
	memcpy(text, comment, strnlen(comment, NFT_COMMENT_MAX));
	(void)nftnl_udata_put_strz(udata, type, text);
	return udata;
}

static void write_table(struct writer *w, uint16_t type)
{
	bool is_new = type == NFT_MSG_NEWTABLE;
	CLEANUP(table_freep) struct nftnl_table *table = xgiven(nftnl_table_alloc());
	CLEANUP(udata_freep)
	struct nftnl_udata_buf *comment =
			comment_udata(NFTNL_UDATA_TABLE_COMMENT, NFT_TABLE_COMMENT);
	done(nftnl_table_set_str(table, NFTNL_TABLE_NAME, NFT_TABLE));
	/* No flags: a table that somebody has switched off filters again. */
	if (is_new)
		nftnl_table_set_u32(table, NFTNL_TABLE_FLAGS, 0);
	if (is_new)
		done(nftnl_table_set_data(table, NFTNL_TABLE_USERDATA,
				nftnl_udata_buf_data(comment), nftnl_udata_buf_len(comment)));
	begin_change(w, type, is_new ? NLM_F_CREATE : 0);
	nftnl_table_nlmsg_build_payload(w->message, table);
	end_message(w);
}

static void set_hook(struct nftnl_chain *chain, const struct nft_hook_row *row)
{
	nftnl_chain_set_u32(chain, NFTNL_CHAIN_HOOKNUM, row->number);
	nftnl_chain_set_s32(chain, NFTNL_CHAIN_PRIO, row->priority);
	nftnl_chain_set_u32(chain, NFTNL_CHAIN_POLICY, NF_ACCEPT);
	done(nftnl_chain_set_str(chain, NFTNL_CHAIN_TYPE, row->type));
}

static void write_chain(struct writer *w, const struct nft_change *change, uint16_t type)
{
	bool is_new = type == NFT_MSG_NEWCHAIN;
	CLEANUP(chain_freep) struct nftnl_chain *chain = xgiven(nftnl_chain_alloc());
	done(nftnl_chain_set_str(chain, NFTNL_CHAIN_TABLE, NFT_TABLE));
	done(nftnl_chain_set_str(chain, NFTNL_CHAIN_NAME, change->chain));
	if (is_new && change->hook)
		set_hook(chain, &nft_hooks[change->hook]);
	if (is_new && change->comment) {
		CLEANUP(udata_freep)
		struct nftnl_udata_buf *comment =
				comment_udata(NFTNL_UDATA_CHAIN_COMMENT, change->comment);
		done(nftnl_chain_set_data(chain, NFTNL_CHAIN_USERDATA,
				nftnl_udata_buf_data(comment), nftnl_udata_buf_len(comment)));
	}
	begin_change(w, type, is_new ? NLM_F_CREATE : 0);
	nftnl_chain_nlmsg_build_payload(w->message, chain);
	end_message(w);
}

static struct nftnl_rule *rule_of(const struct nft_change *change)
{
	struct nftnl_rule *rule = xgiven(nftnl_rule_alloc());
	done(nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, NFT_TABLE));
	done(nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, change->chain));
	return rule;
}

static void write_flush_chain(struct writer *w, const struct nft_change *change)
{
	CLEANUP(rule_freep) struct nftnl_rule *all = rule_of(change);
	begin_change(w, NFT_MSG_DELRULE, 0);
	nftnl_rule_nlmsg_build_payload(w->message, all);
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
static void set_byte_order(struct nftnl_set *to, const struct nft_set *set)
{
	CLEANUP(udata_freep)
	struct nftnl_udata_buf *udata = xgiven(nftnl_udata_buf_alloc(NFTNL_UDATA_COMMENT_MAXLEN));
	if (set->n_fields > 1)
		return;
	(void)nftnl_udata_put_u32(udata, NFTNL_UDATA_SET_KEYBYTEORDER,
			nft_fields[set->fields[0]].host_order ? BYTE_ORDER_HOST
							      : BYTE_ORDER_BIG_ENDIAN);
	done(nftnl_set_set_data(to, NFTNL_SET_USERDATA, nftnl_udata_buf_data(udata),
			nftnl_udata_buf_len(udata)));
}

static uint32_t set_flags(const struct nft_set *set)
{
	return (set->is_interval ? NFT_SET_INTERVAL : 0u) | (set->is_map ? NFT_SET_MAP : 0u) |
	       (set->size ? NFT_SET_EVAL | NFT_SET_TIMEOUT : 0u);
}

/* What tells which set is meant. @id: of one without a name, else 0 */
static struct nftnl_set *set_of(const struct nft_set *set, uint32_t id)
{
	struct nftnl_set *to = xgiven(nftnl_set_alloc());
	done(nftnl_set_set_str(to, NFTNL_SET_TABLE, NFT_TABLE));
	done(nftnl_set_set_str(to, NFTNL_SET_NAME, set->name));
	if (id)
		nftnl_set_set_u32(to, NFTNL_SET_ID, id);
	return to;
}

/* @n_values: of a set that never changes; else 0 */
static void write_set(struct writer *w, const struct nft_set *set, uint32_t flags, size_t n_values)
{
	uint32_t size = n_values ? (uint32_t)n_values : set->size;
	CLEANUP(set_freep) struct nftnl_set *to = set_of(set, ++w->last_set_id);
	nftnl_set_set_u32(to, NFTNL_SET_FLAGS, flags | set_flags(set));
	nftnl_set_set_u32(to, NFTNL_SET_KEY_TYPE, type_number(set));
	nftnl_set_set_u32(to, NFTNL_SET_KEY_LEN, key_size(set));
	if (set->is_map)
		nftnl_set_set_u32(to, NFTNL_SET_DATA_TYPE, NFT_DATA_VERDICT);
	if (size)
		nftnl_set_set_u32(to, NFTNL_SET_DESC_SIZE, size);
	set_byte_order(to, set);
	begin_change(w, NFT_MSG_NEWSET, NLM_F_CREATE);
	nftnl_set_nlmsg_build_payload(w->message, to);
	end_message(w);
}

static void write_delete_set(struct writer *w, const struct nft_set *set)
{
	CLEANUP(set_freep) struct nftnl_set *to = set_of(set, 0);
	begin_change(w, NFT_MSG_DELSET, 0);
	nftnl_set_nlmsg_build_payload(w->message, to);
	end_message(w);
}

static struct nftnl_set_elem *add_key(struct nftnl_set *to, const void *key, size_t size)
{
	struct nftnl_set_elem *element = xgiven(nftnl_set_elem_alloc());
	nftnl_set_elem_add(to, element);
	done(nftnl_set_elem_set(element, NFTNL_SET_ELEM_KEY, key, (uint32_t)size));
	return element;
}

/* An interval ends at an element of its own, the first value behind it; one that goes on to the
 * highest value has none. */
static void add_range(struct nftnl_set *to, const struct fw_range *range, size_t size)
{
	uint8_t behind[16];
	size_t i = size;
	(void)add_key(to, range->first, size);
	memcpy(behind, range->last, size);
	while (i > 0 && ++behind[i - 1] == 0)
		i--;
	if (i > 0)
		nftnl_set_elem_set_u32(add_key(to, behind, size), NFTNL_SET_ELEM_FLAGS,
				NFT_SET_ELEM_INTERVAL_END);
}

/* @n: of its elements */
static void write_listed(struct writer *w, uint16_t type, struct nftnl_set *to, size_t n)
{
	begin_sized_change(w, MESSAGE_MAX + n * ELEMENT_MAX, type,
			type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0);
	nftnl_set_elems_nlmsg_build_payload(w->message, to);
	end_message(w);
}

static void write_port(struct writer *w, uint16_t type, const struct nft_change *change)
{
	char key[16] = "";
	CLEANUP(set_freep) struct nftnl_set *to = set_of(change->set, 0);
	memcpy(key, change->interface, strnlen(change->interface, sizeof(key) - 1));
	struct nftnl_set_elem *element = add_key(to, key, sizeof(key));
	nftnl_set_elem_set_u32(element, NFTNL_SET_ELEM_VERDICT, (uint32_t)NFT_JUMP);
	done(nftnl_set_elem_set_str(element, NFTNL_SET_ELEM_CHAIN, change->jump));
	write_listed(w, type, to, 1);
}

static void write_values(struct writer *w, uint16_t type, const struct nft_set *set,
		uint32_t set_id, const struct fw_range *values, size_t n)
{
	size_t size = nft_fields[set->fields[0]].size;
	for (size_t i = 0; i < n; i += ELEMENTS_MAX) {
		CLEANUP(set_freep) struct nftnl_set *to = set_of(set, set_id);
		size_t end = n - i > ELEMENTS_MAX ? i + ELEMENTS_MAX : n;
		for (size_t k = i; k < end; k++) {
			if (set->is_interval)
				add_range(to, &values[k], size);
			else
				(void)add_key(to, values[k].first, size);
		}
		write_listed(w, type, to, end - i);
	}
}

static void write_elements(struct writer *w, const struct nft_change *change, uint16_t type)
{
	if (change->interface)
		write_port(w, type, change);
	write_values(w, type, change->set, 0, change->values, change->n_values);
}

static void write_flush_set(struct writer *w, const struct nft_set *set)
{
	CLEANUP(set_freep) struct nftnl_set *all = set_of(set, 0);
	write_listed(w, NFT_MSG_DELSETELEM, all, 0);
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

	CLEANUP(rule_freep) struct nftnl_rule *rule = rule_of(change);
	for (size_t i = 0; i < change->n_parts; i++) {
		set_id += nft_part_needs_set(&change->parts[i]);
		nft_part_add(rule, &change->parts[i], set_id);
	}
	if (change->comment) {
		CLEANUP(udata_freep)
		struct nftnl_udata_buf *comment =
				comment_udata(NFTNL_UDATA_RULE_COMMENT, change->comment);
		done(nftnl_rule_set_data(rule, NFTNL_RULE_USERDATA, nftnl_udata_buf_data(comment),
				nftnl_udata_buf_len(comment)));
	}
	begin_change(w, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	nftnl_rule_nlmsg_build_payload(w->message, rule);
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

	write_begin(&w, generation);
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
		write_end(&w);
}
