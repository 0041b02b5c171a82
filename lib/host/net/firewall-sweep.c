/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of the table nobody uses any more. */
#include "host/net/firewall-sweep.h"

#include <stdlib.h>
#include <string.h>

#include "firewall/batch.h"
#include "util/strv.h"

struct names {
	const char **items;
	size_t n;
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The chains or sets that a batch makes, or leaves as they are. */
static struct names names_in(struct nft_batch *batch, enum nft_change_kind kind)
{
	struct names names = { .items = arena_array(
					       &batch->arena, batch->n, sizeof(*names.items)) };
	for (size_t i = 0; i < batch->n; i++)
		if (batch->items[i].kind == kind)
			names.items[names.n++] = kind == NFT_ADD_CHAIN ? batch->items[i].chain
								       : batch->items[i].set->name;
	if (names.n > 1)
		qsort(names.items, names.n, sizeof(*names.items), compare_names);
	return names;
}

static bool contains(const struct names *names, const char *name)
{
	return names->n &&
	       bsearch(&name, names->items, names->n, sizeof(*names->items), compare_names);
}

/* First what leads somewhere, then what it led to. */
static void sweep_chains(
		struct nft_batch *batch, const struct names *made, const struct nft_list *chains)
{
	CLEANUP(strv_done) struct strv links = {}, shared = {};
	for (size_t i = 0; i < chains->n; i++) {
		const struct nft_item *chain = &chains->items[i];
		CLEANUP(freep) char *link = batch_link_of(chain->name);
		if (chain->is_base || contains(made, chain->name))
			continue;
		if (!link)
			strv_push(&shared, chain->name);
		else if (!strv_contains(&links, link))
			strv_push(&links, link);
	}
	for (size_t i = 0; i < links.n; i++)
		batch_remove(batch, links.items[i]);
	for (size_t i = 0; i < shared.n; i++)
		batch_flush_chain(batch, shared.items[i]);
	for (size_t i = 0; i < shared.n; i++)
		batch_remove_chain(batch, shared.items[i]);
}

static void sweep_sets(struct nft_batch *batch, const struct nft_list *sets)
{
	const struct names made = names_in(batch, NFT_ADD_SET);
	for (size_t i = 0; i < sets->n; i++)
		/* Sets of one rule go with it. */
		if (strncmp(sets->items[i].name, "__", 2) != 0 &&
				!contains(&made, sets->items[i].name))
			batch_remove_set(batch, sets->items[i].name);
}

int firewall_sweep(struct netlink *nl, struct nft_batch *batch, const struct nft_list *chains,
		struct error *err)
{
	CLEANUP(nft_list_done) struct nft_list sets = {};
	const struct names made = names_in(batch, NFT_ADD_CHAIN);
	int r = nft_list_sets(nl, &sets, err);
	if (r < 0)
		return r;
	sweep_chains(batch, &made, chains);
	sweep_sets(batch, &sets);
	return 0;
}
