/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the kernel still has what this program gave it. */
#include "host/net/firewall-verify.h"

#include <string.h>

#include "firewall/batch.h"
#include "host/net/netlink-talk.h"
#include "util/mem.h"

/* What begins each digest. */
#define DIGEST_PREFIX "machina:"

/* ---- chains ---- */

static bool has_comment(const struct nft_item *rule, const struct nft_change *change)
{
	const char *comment = change->comment ? change->comment : "";
	return !strncmp(rule->comment, comment, NFT_COMMENT_MAX);
}

/* Are these the rules that follow on the chain in the batch? */
static bool has_rules(const struct nft_batch *batch, size_t chain, const struct nft_list *rules)
{
	size_t n = 0;
	for (size_t i = chain + 1; i < batch->n && batch->items[i].kind != NFT_ADD_CHAIN; i++) {
		if (batch->items[i].kind != NFT_ADD_RULE)
			continue;
		if (n >= rules->n || !has_comment(&rules->items[n], &batch->items[i]))
			return false;
		n++;
	}
	return n == rules->n;
}

/*
 * @i: of the change that adds it
 *
 * Returns 1: it is as it was made, 0: not so, or a negative errno.
 */
static int check_chain(
		struct netlink *nl, const struct nft_batch *batch, size_t i, struct error *err)
{
	const struct nft_change *change = &batch->items[i];
	CLEANUP(nft_list_done) struct nft_list rules = {};
	int r = nft_list_rules(nl, change->family, change->chain, &rules, err);
	return r < 0 ? r : has_rules(batch, i, &rules);
}

/* ---- sets ---- */

static int compare_elements(const void *a, const void *b)
{
	const struct nft_item *x = a, *y = b;
	int r = memcmp(x->key, y->key, sizeof(x->key));
	/* One interval ends where the next one begins. */
	return r ? r : y->is_end - x->is_end;
}

/* The last value before it. */
static void decrement(uint8_t *address, size_t size)
{
	while (size-- > 0 && address[size]-- == 0)
		;
}

/* The intervals that elements make; @ret has room for as many as these are. */
static size_t read_intervals(struct nft_list *elements, size_t size, struct fw_range *ret)
{
	size_t n = 0;
	bool is_open = false;
	if (elements->n)
		qsort(elements->items, elements->n, sizeof(*elements->items), compare_elements);
	for (size_t i = 0; i < elements->n; i++) {
		const struct nft_item *element = &elements->items[i];
		if (!element->is_end) {
			ret[n] = (struct fw_range){};
			memcpy(ret[n].first, element->key, size);
			memset(ret[n++].last, 0xff, size);
			is_open = true;
		} else if (is_open) {
			memcpy(ret[n - 1].last, element->key, size);
			decrement(ret[n - 1].last, size);
			is_open = false;
		}
	}
	return n;
}

static bool has_intervals(const struct nft_change *change, struct nft_list *elements)
{
	size_t size = nft_fields[change->set->fields[0]].size;
	CLEANUP(freep) struct fw_range *found = xcalloc(elements->n + 1, sizeof(*found));
	if (read_intervals(elements, size, found) != change->n_values)
		return false;
	for (size_t i = 0; i < change->n_values; i++)
		if (memcmp(found[i].first, change->values[i].first, size) != 0 ||
				memcmp(found[i].last, change->values[i].last, size) != 0)
			return false;
	return true;
}

static bool has_value(const struct nft_list *elements, const uint8_t *value, size_t size)
{
	for (size_t i = 0; i < elements->n; i++)
		if (!memcmp(elements->items[i].key, value, size))
			return true;
	return false;
}

static bool leads_to(const struct nft_list *elements, const char *interface, const char *chain)
{
	char key[16] = "";
	memcpy(key, interface, strnlen(interface, sizeof(key) - 1));
	for (size_t i = 0; i < elements->n; i++)
		if (!memcmp(elements->items[i].key, key, sizeof(key)))
			return !strcmp(elements->items[i].name, chain);
	return false;
}

/* All of an address set's; of a map and of a group's members others have theirs in it, too. */
static bool has_elements(const struct nft_change *change, struct nft_list *elements)
{
	size_t size = nft_fields[change->set->fields[0]].size;
	if (change->interface)
		return leads_to(elements, change->interface, change->jump);
	if (change->set->is_interval)
		return has_intervals(change, elements);
	for (size_t i = 0; i < change->n_values; i++)
		if (!has_value(elements, change->values[i].first, size))
			return false;
	return true;
}

/* ---- sections ---- */

/* As check_chain(), of all that is in it. */
static int check_section(struct netlink *nl, const struct nft_batch *batch,
		const struct nft_section *section, struct error *err)
{
	int r = 1;
	for (size_t i = section->first; r == 1 && i < section->first + section->n; i++) {
		const struct nft_change *change = &batch->items[i];
		CLEANUP(nft_list_done) struct nft_list elements = {};
		if (change->kind == NFT_ADD_CHAIN)
			r = check_chain(nl, batch, i, err);
		if (change->kind != NFT_ADD_ELEMENTS)
			continue;
		r = nft_list_elements(nl, change->family, change->set->name, &elements, err);
		if (r == 0)
			r = has_elements(change, &elements);
	}
	return r;
}

/* The same of a set to which machines add themselves; there may be thousands in it. */
static int check_members(struct netlink *nl, const struct nft_batch *batch,
		const struct nft_section *section, struct error *err)
{
	const struct nft_change *mark = &batch->items[section->first + section->n - 1];
	size_t size = nft_fields[mark->set->fields[0]].size;
	int r = nft_get_element(nl, mark->set->name, mark->values[0].first, size, err);
	return r < 0 ? r : r == 0;
}

int verify_mark_current(struct netlink *nl, struct nft_batch *batch, struct error *err)
{
	for (size_t i = 0; i < batch->n_sections; i++) {
		struct nft_section *section = &batch->sections[i];
		int r = section->chain ? check_section(nl, batch, section, err)
				       : check_members(nl, batch, section, err);
		if (r < 0)
			return r;
		section->is_current = r == 1;
	}
	return 0;
}

int verify_find_lost(struct netlink *nl, const struct nft_batch *batch, struct error *err)
{
	int r = 1;
	for (size_t i = 0; r == 1 && i < batch->n_sections; i++) {
		const struct nft_section *section = &batch->sections[i];
		if (!section->chain && !section->is_current)
			r = nft_get_set(nl, batch->items[section->first].set->name, err);
	}
	return r < 0 ? r : r == 0;
}

/* ---- all that is there ---- */

/* What was read of a set, which many changes may be about. */
struct known_set {
	const char *name;
	struct nft_list elements;
};

struct verification {
	struct netlink *nl;
	const struct nft_batch *batch;
	struct strv *changed;
	struct known_set *sets;
	size_t n_sets, n_sets_alloc;
	bool *skips; /* for each change: it is of a section that is not looked at */
};

static void verification_done(struct verification *v)
{
	for (size_t i = 0; i < v->n_sets; i++)
		nft_list_done(&v->sets[i].elements);
	free(v->sets);
	free(v->skips);
}

static void tell(struct verification *v, const char *kind, const char *name)
{
	bool is_network = v->batch->items[0].family == NFT_INET;
	CLEANUP(freep)
	char *text = xasprintf("%s '%s'%s", kind, name,
			is_network ? " of table 'inet " NFT_TABLE "'" : "");
	if (!strv_contains(v->changed, text))
		strv_push(v->changed, text);
}

static int read_set(struct verification *v, const struct nft_change *change, struct nft_list **ret,
		struct error *err)
{
	const char *name = change->set->name;
	for (size_t i = 0; i < v->n_sets; i++)
		if (!strcmp(v->sets[i].name, name)) {
			*ret = &v->sets[i].elements;
			return 0;
		}
	v->sets = grow_array(v->sets, &v->n_sets_alloc, v->n_sets, sizeof(*v->sets));
	struct known_set *set = &v->sets[v->n_sets++];
	*set = (struct known_set){ .name = name };
	*ret = &set->elements;
	return nft_list_elements(v->nl, change->family, name, &set->elements, err);
}

/* Returns 1: the digest in it is that of another config; 0: not so; or a negative errno. */
static int is_of_other_config(
		struct netlink *nl, const struct nft_section *section, struct error *err)
{
	CLEANUP(nft_list_done) struct nft_list rules = {};
	int r = nft_list_rules(nl, NFT_BRIDGE, section->chain, &rules, err);
	if (r < 0)
		return r;
	const char *first = rules.n ? rules.items[0].comment : "";
	return strcmp(first, section->digest) != 0 &&
	       !strncmp(first, DIGEST_PREFIX, strlen(DIGEST_PREFIX));
}

/* A group that nobody is in has no chains; what a hook calls is always there. */
static int has_no_chains(struct netlink *nl, const struct nft_batch *batch,
		const struct nft_section *section, struct error *err)
{
	int r = batch->items[section->first].hook == NFT_HOOK_NONE;
	for (size_t i = section->first; r == 1 && i < section->first + section->n; i++) {
		CLEANUP(nft_list_done) struct nft_list found = {};
		if (batch->items[i].kind == NFT_ADD_CHAIN)
			r = nft_get_chain(nl, batch->items[i].chain, &found, err);
	}
	return r;
}

static int skip_sections(struct verification *v, struct error *err)
{
	const struct nft_batch *batch = v->batch;
	for (size_t i = 0; i < batch->n_sections; i++) {
		const struct nft_section *section = &batch->sections[i];
		/* What is lost of a set of members is seen by these. */
		int r = section->chain ? is_of_other_config(v->nl, section, err) : 1;
		if (r == 0)
			r = has_no_chains(v->nl, batch, section, err);
		if (r < 0)
			return r;
		memset(v->skips + section->first, r, section->n);
	}
	return 0;
}

static int verify_chain(struct verification *v, size_t i, struct error *err)
{
	int r = check_chain(v->nl, v->batch, i, err);
	if (r == 0)
		tell(v, "chain", v->batch->items[i].chain);
	return r < 0 ? r : 0;
}

static int verify_elements(
		struct verification *v, const struct nft_change *change, struct error *err)
{
	struct nft_list *elements;
	int r = read_set(v, change, &elements, err);
	if (r == 0 && !has_elements(change, elements))
		tell(v, change->set->is_map ? "map" : "set", change->set->name);
	return r;
}

static int verify_table(struct verification *v, struct error *err)
{
	enum nft_family family = v->batch->items[0].family;
	bool sleeps = false;
	int r = nft_table_sleeps(v->nl, family, &sleeps, err);
	if (sleeps)
		strv_push_take(v->changed,
				xasprintf("table '%s " NFT_TABLE "', which is \"dormant\"",
						nft_family_names[family]));
	return r;
}

int verify_batch(struct netlink *nl, const struct nft_batch *batch, const struct strv *absent,
		struct strv *ret_changed, struct error *err)
{
	CLEANUP(verification_done)
	struct verification v = { .nl = nl,
		.batch = batch,
		.changed = ret_changed,
		.skips = xcalloc(batch->n + 1, sizeof(*v.skips)) };
	bool is_absent = false;
	int r = batch->n ? verify_table(&v, err) : 0;
	if (r == 0)
		r = skip_sections(&v, err);
	for (size_t i = 0; r == 0 && i < batch->n; i++) {
		const struct nft_change *change = &batch->items[i];
		CLEANUP(freep) char *link = NULL;
		if (change->kind == NFT_ADD_CHAIN)
			link = batch_link_of(change->chain);
		/* What follows the chains of an interface leads to them. */
		if (link)
			is_absent = strv_contains_sorted(absent, link);
		if (v.skips[i] || is_absent)
			continue;
		if (change->kind == NFT_ADD_CHAIN)
			r = verify_chain(&v, i, err);
		else if (change->kind == NFT_ADD_ELEMENTS)
			r = verify_elements(&v, change, err);
	}
	return r;
}

int verify_steadily(struct netlink *nl, verify_look *look, void *data, struct strv *ret_changed,
		struct error *err)
{
	/* Between two looks somebody may have installed other rules: that is no damage. */
	for (struct netlink_tries tries = {}; netlink_may_try(&tries);) {
		CLEANUP(strv_done) struct strv changed = {};
		uint32_t before = 0, after = 0;
		int r = nft_generation(nl, &before, err);
		if (r == 0)
			r = look(data, &changed, err);
		if (r == 0)
			r = nft_generation(nl, &after, err);
		if (r == 0 && before != after)
			continue;
		if (r == 0)
			strv_extend(ret_changed, &changed);
		return r;
	}
	return error_set(err, EAGAIN, "cannot look at nftables: it changes all the time");
}
