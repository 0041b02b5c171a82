/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel has of a machine's filters, taken away. */
#include "host/net/firewall.h"

#include <string.h>

#include "firewall/batch.h"
#include "util/mem.h"

/* What a machine has. */
struct belongings {
	const struct firewall_removal *removal;
	char *prefix; /* of its chains' comments */
	struct strv links;
	bool is_alone;	  /* nobody else has any */
	bool is_doubtful; /* some of it may have gone meanwhile */
};

static void belongings_done(struct belongings *b)
{
	free(b->prefix);
	strv_done(&b->links);
}

static bool is_own(const struct belongings *b, const struct nft_item *chain)
{
	return !strncmp(chain->comment, b->prefix, strlen(b->prefix));
}

static void take_own(struct belongings *b, const struct nft_item *chain)
{
	CLEANUP(freep) char *link = batch_link_of(chain->name);
	if (link && !strv_contains(&b->links, link))
		strv_push(&b->links, link);
}

/* For nft_find_chain(). */
static bool is_of_other(const void *data, const struct nft_item *chain)
{
	CLEANUP(freep) char *link = is_own(data, chain) ? NULL : batch_link_of(chain->name);
	return link != NULL;
}

/* Among all chains. */
static int search_belongings(struct netlink *nl, struct belongings *b, struct error *err)
{
	CLEANUP(nft_list_done) struct nft_list chains = {};
	int r = nft_list_chains(nl, NFT_BRIDGE, &chains, err);
	b->is_alone = true;
	for (size_t i = 0; r == 0 && i < chains.n; i++) {
		const struct nft_item *chain = &chains.items[i];
		if (is_own(b, chain))
			take_own(b, chain);
		/* There may be thousands of others, and one is enough. */
		else if (b->is_alone)
			b->is_alone = !is_of_other(b, chain);
	}
	return r;
}

/* By their names. */
static int get_belongings(struct netlink *nl, struct belongings *b, struct error *err)
{
	CLEANUP(nft_list_done) struct nft_list chains = {};
	const struct strv *links = b->removal->links;
	for (size_t i = 0; i < links->n; i++)
		for (int d = 0; d < N_FW_DIRECTIONS; d++) {
			CLEANUP(freep)
			char *name = batch_chain(links->items[i], (enum fw_direction)d);
			int r = nft_get_chain(nl, name, &chains, err);
			if (r < 0)
				return r;
		}
	for (size_t i = 0; i < chains.n; i++)
		if (is_own(b, &chains.items[i]))
			take_own(b, &chains.items[i]);
	int r = nft_find_chain(is_of_other, b, err);
	b->is_alone = r == 1;
	return r < 0 ? r : 0;
}

static void build_removal(struct nft_batch *batch, const struct belongings *b)
{
	const struct firewall_removal *removal = b->removal;
	if (b->is_alone) {
		batch_remove_table(batch);
		return;
	}
	for (size_t i = 0; i < b->links.n; i++)
		if (b->is_doubtful)
			batch_remove(batch, b->links.items[i]);
		else
			batch_remove_present(batch, b->links.items[i]);
	for (size_t i = 0; i < removal->n_filters; i++)
		if (removal->filters[i])
			batch_remove_members(batch, removal->filters[i]);
}

/* Returns 0, 1: try again, not so sure of what was found, or a negative errno. */
static int remove_once(struct netlink *nl, const struct firewall_removal *removal, bool is_doubtful,
		struct error *err)
{
	CLEANUP(belongings_done)
	struct belongings own = { .removal = removal,
		.prefix = batch_comment_prefix(removal->machine),
		.is_doubtful = is_doubtful };
	struct nft_failure failure = {};
	CLEANUP(nft_batch_done) struct nft_batch batch = {};
	enum nft_table table;
	uint32_t generation = 0;
	int r = nft_find_table(nl, NFT_BRIDGE, &table, err);
	if (r < 0 || table != NFT_TABLE_OURS)
		return r;
	r = nft_generation(nl, &generation, err);
	if (r == 0)
		r = removal->links ? get_belongings(nl, &own, err)
				   : search_belongings(nl, &own, err);
	if (r < 0 || (!own.links.n && !own.is_alone))
		return r;
	build_removal(&batch, &own);
	/* Only who removes the table must be sure that nobody has come meanwhile. */
	r = nft_commit(nl, &batch, own.is_alone ? generation : 0, &failure, err);
	return r < 0 && failure.code == ENOENT && !is_doubtful ? 1 : r;
}

int firewall_remove(struct netlink *nl, const struct firewall_removal *removal, struct error *err)
{
	/* The table goes with the last machine, unless others come meanwhile. */
	bool is_doubtful = false;
	for (struct netlink_tries tries = {}; netlink_may_try(&tries); is_doubtful = true) {
		int r = remove_once(nl, removal, is_doubtful, err);
		if (r <= 0)
			return r;
	}
	return error_set(err, EAGAIN,
			"cannot remove the firewall of machine '%s': nftables changes all the time",
			removal->machine);
}
