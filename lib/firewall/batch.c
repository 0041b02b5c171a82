/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections as chains. */
#include "firewall/batch.h"

#include <string.h>

#include "firewall/batch-parts.h"
#include "util/mem.h"

#define COMMENT_PREFIX "machina:"

char *batch_chain(const char *link, enum fw_direction direction)
{
	return xasprintf("vm-%s-%s", link, fw_direction_names[direction]);
}

char *batch_link_of(const char *chain)
{
	size_t len = strlen(chain);
	for (int d = 0; d < N_FW_DIRECTIONS; d++) {
		CLEANUP(freep) char *ending = xasprintf("-%s", fw_direction_names[d]);
		size_t n = strlen(ending);
		if (!strncmp(chain, "vm-", 3) && len > 3 + n && !strcmp(chain + len - n, ending))
			return xstrndup(chain + 3, len - 3 - n);
	}
	return NULL;
}

char *batch_comment(const char *machine, const char *connection)
{
	char *comment = xasprintf(COMMENT_PREFIX "%s/%s", machine, connection);
	for (char *quote = comment; (quote = strchr(quote, '"'));)
		*quote = '\'';
	if (strlen(comment) > NFT_COMMENT_MAX)
		comment[NFT_COMMENT_MAX] = '\0';
	return comment;
}

char *batch_comment_prefix(const char *machine)
{
	return xasprintf(COMMENT_PREFIX "%s/", machine);
}

char *batch_machine_of(const char *comment)
{
	size_t n = strlen(COMMENT_PREFIX);
	const char *slash = strchr(comment, '/');
	if (strncmp(comment, COMMENT_PREFIX, n) != 0 || !slash)
		return NULL;
	return xstrndup(comment + n, (size_t)(slash - comment) - n);
}

/* Words of nft are made of these, and names in quotes have no way to hold a quote. */
bool batch_link_is_valid(const char *link)
{
	static const char letters[] =
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
	return link[0] && strspn(link, letters) == strlen(link);
}

/* ---- what is shared ---- */

static void add_shared(struct maker *m, const struct fw_port *port)
{
	for (int d = 0; d < N_FW_DIRECTIONS; d++) {
		const struct fw_entries *entries = &port->entries[d];
		for (size_t i = 0; i < entries->n; i++) {
			const struct fw_entry *entry = &entries->items[i];
			if (entry->kind == FW_ENTRY_STATE)
				maker_state(m);
			else if (entry->kind == FW_ENTRY_ESSENTIALS)
				maker_essentials(m);
			else if (entry->kind == FW_ENTRY_GROUP)
				maker_group(m, entry->group);
			else if (entry->kind == FW_ENTRY_RULE)
				maker_sets_of(m, entry->rule);
		}
	}
	for (size_t i = 0; i < port->n_groups; i++)
		maker_members(m, port->groups[i]->name);
}

/* ---- one connection ---- */

static void jump(struct maker *m, const char *prefix, const char *name)
{
	struct rule rule = {};
	rule_verdict(&rule, NFT_VERDICT_JUMP, maker_chain(m, prefix, name));
	maker_rule(m, &rule, NULL);
}

static void add_entry(struct maker *m, const struct fw_port *port, const struct fw_entry *entry)
{
	switch (entry->kind) {
	case FW_ENTRY_GUARD:
		maker_guard(m, port);
		return;
	case FW_ENTRY_STATE:
		jump(m, "state", "");
		return;
	case FW_ENTRY_ESSENTIALS:
		jump(m, "ess", "");
		return;
	case FW_ENTRY_GROUP:
		jump(m, "grp", entry->group->name);
		return;
	case FW_ENTRY_RULE:
		maker_fw_rule(m, entry->rule);
		return;
	case FW_ENTRY_DEFAULT:
		maker_default(m, &port->defaults[m->direction]);
		return;
	}
}

static void add_chain(struct maker *m, const struct batch_port *port, const char *comment)
{
	nft_batch_add(m->batch, &(struct nft_change){
						.kind = NFT_ADD_CHAIN,
						.chain = m->chain,
						.comment = comment,
				});
	if (port->known == BATCH_OURS)
		nft_batch_chain(m->batch, NFT_FLUSH_CHAIN, m->chain, NFT_HOOK_NONE);
}

/* The map that leads to the chain of a direction. */
static const struct nft_set *map_of(enum fw_direction direction)
{
	return batch_maps[direction == FW_OUT ? 0 : 1];
}

static const char *chain_of(struct nft_batch *batch, const char *link, enum fw_direction direction)
{
	CLEANUP(freep) char *chain = batch_chain(link, direction);
	return arena_strdup(&batch->arena, chain);
}

/* The next address. */
static void increment(uint8_t *address, size_t size)
{
	while (size-- > 0 && ++address[size] == 0)
		;
}

/* Each address by itself: neighbours may belong to several machines. */
static size_t single_addresses(struct nft_batch *batch, const struct fw_ranges *ranges,
		enum fw_family family, struct fw_range **ret)
{
	size_t size = fw_address_size(family), n = 0, n_alloc = 0;
	CLEANUP(freep) struct fw_range *items = NULL;
	for (size_t i = 0; i < ranges->n; i++) {
		struct fw_range address = { .last = {} };
		memcpy(address.first, ranges->items[i].first, size);
		for (bool more = true; more; increment(address.first, size)) {
			more = memcmp(address.first, ranges->items[i].last, size) < 0;
			memcpy(address.last, address.first, size);
			items = grow_array(items, &n_alloc, n, sizeof(*items));
			items[n++] = address;
		}
	}
	*ret = arena_array(&batch->arena, n, sizeof(**ret));
	if (items)
		memcpy(*ret, items, n * sizeof(**ret));
	return n;
}

static void add_members(struct maker *m, enum nft_change_kind kind, const struct vm_filter *filter)
{
	for (size_t i = 0; i < filter->n_groups; i++)
		for (int f = 0; f < N_FW_FAMILIES; f++) {
			const struct fw_ranges *ranges = &filter->ip.of[f];
			struct fw_range *single;
			if (!ranges->n)
				continue;
			size_t n = single_addresses(m->batch, ranges, (enum fw_family)f, &single);
			nft_batch_values(m->batch, kind,
					maker_set(m, "grp", filter->groups[i], (enum fw_family)f,
							false),
					single, n);
		}
}

static void add_port(struct maker *m, const struct batch_port *port)
{
	const struct fw_port *p = port->port;
	CLEANUP(freep) char *text = batch_comment(p->machine, p->connection);
	const char *comment = arena_strdup(&m->batch->arena, text);
	const char *link = arena_strdup(&m->batch->arena, p->link);
	enum fw_state state = m->state;

	/* Where nothing is dropped there is nothing to remember. */
	if (!p->has_state)
		m->state = FW_STATE_NONE;
	m->is_own = true;
	m->batch->subject = arena_printf(&m->batch->arena, "machine '%s', connection '%s'",
			p->machine, p->connection);
	if (port->known == BATCH_STALE)
		batch_remove(m->batch, link);
	for (int d = 0; d < N_FW_DIRECTIONS; d++) {
		m->direction = (enum fw_direction)d;
		m->chain = chain_of(m->batch, link, m->direction);
		add_chain(m, port, comment);
		for (size_t i = 0; i < p->entries[d].n; i++)
			add_entry(m, p, &p->entries[d].items[i]);
	}
	if (port->before && !m->is_all)
		batch_remove_members(m->batch, port->before);
	add_members(m, NFT_ADD_ELEMENTS, p->filter);
	for (int d = 0; d < N_FW_DIRECTIONS; d++)
		nft_batch_jump(m->batch, NFT_ADD_ELEMENTS, map_of((enum fw_direction)d), link,
				chain_of(m->batch, link, (enum fw_direction)d));
	m->batch->subject = NULL;
	m->state = state;
	m->is_own = false;
}

/* Its chains are there: only its groups don't know it any more. */
static void add_other(struct maker *m, const struct vm_filter *filter)
{
	for (size_t i = 0; i < filter->n_groups; i++)
		maker_members(m, filter->groups[i]);
	add_members(m, NFT_ADD_ELEMENTS, filter);
}

void batch_install(struct nft_batch *batch, const struct batch_request *request)
{
	struct maker m = {
		.batch = batch,
		.policy = request->policy,
		.state = request->state,
		.is_all = request->is_all,
	};
	nft_batch_add(batch, &(struct nft_change){ .kind = NFT_ADD_TABLE });
	maker_base(&m);
	for (size_t i = 0; i < request->n; i++)
		add_shared(&m, request->ports[i].port);
	for (size_t i = 0; i < request->n; i++)
		add_port(&m, &request->ports[i]);
	for (size_t i = 0; i < request->n_others; i++)
		add_other(&m, request->others[i]);
	strv_done(&m.done);
}

/* ---- removal ---- */

static void remove_link(struct nft_batch *batch, const char *name, bool is_present)
{
	const char *link = arena_strdup(&batch->arena, name);
	for (int d = 0; d < N_FW_DIRECTIONS; d++) {
		const struct nft_set *map = map_of((enum fw_direction)d);
		const char *chain = chain_of(batch, link, (enum fw_direction)d);
		if (!is_present) {
			nft_batch_set(batch, NFT_ADD_SET, map);
			nft_batch_chain(batch, NFT_ADD_CHAIN, chain, NFT_HOOK_NONE);
			nft_batch_jump(batch, NFT_ADD_ELEMENTS, map, link, chain);
		}
		nft_batch_jump(batch, NFT_DELETE_ELEMENTS, map, link, chain);
		nft_batch_chain(batch, NFT_DELETE_CHAIN, chain, NFT_HOOK_NONE);
	}
}

void batch_remove(struct nft_batch *batch, const char *link)
{
	nft_batch_add(batch, &(struct nft_change){ .kind = NFT_ADD_TABLE });
	remove_link(batch, link, false);
}

void batch_remove_present(struct nft_batch *batch, const char *link)
{
	remove_link(batch, link, true);
}

void batch_remove_members(struct nft_batch *batch, const struct vm_filter *filter)
{
	struct maker m = { .batch = batch };
	for (size_t i = 0; i < filter->n_groups; i++)
		for (int f = 0; f < N_FW_FAMILIES; f++)
			nft_batch_set(batch, NFT_ADD_SET,
					maker_set(&m, "grp", filter->groups[i], (enum fw_family)f,
							false));
	add_members(&m, NFT_ADD_ELEMENTS, filter);
	add_members(&m, NFT_DELETE_ELEMENTS, filter);
}

void batch_flush_chain(struct nft_batch *batch, const char *chain)
{
	nft_batch_chain(batch, NFT_FLUSH_CHAIN, arena_strdup(&batch->arena, chain), NFT_HOOK_NONE);
}

void batch_remove_chain(struct nft_batch *batch, const char *chain)
{
	nft_batch_chain(batch, NFT_DELETE_CHAIN, arena_strdup(&batch->arena, chain), NFT_HOOK_NONE);
}

void batch_remove_set(struct nft_batch *batch, const char *name)
{
	static const enum nft_field any = NFT_FIELD_IP_SOURCE;
	struct nft_set *set = ARENA_NEW(&batch->arena, struct nft_set);
	*set = (struct nft_set){
		.name = arena_strdup(&batch->arena, name), .fields = &any, .n_fields = 1
	};
	nft_batch_set(batch, NFT_DELETE_SET, set);
}

void batch_remove_table(struct nft_batch *batch)
{
	nft_batch_add(batch, &(struct nft_change){ .kind = NFT_DELETE_TABLE });
}
