/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether chains still have the rules that this program gave them. */
#include "host/firewall-verify.h"

#include <string.h>

#include "firewall/batch.h"

/* What begins each digest. */
#define DIGEST_PREFIX "machina:"

static bool has_comment(const struct nft_item *rule, const struct nft_change *change)
{
	const char *comment = change->comment ? change->comment : "";
	return !strncmp(rule->comment, comment, NFT_COMMENT_MAX);
}

/* Are these the rules that the section gives the chain? */
static bool is_as_made(const struct nft_batch *batch, const struct nft_section *section,
		const char *chain, const struct nft_list *rules)
{
	size_t n = 0;
	for (size_t i = section->first; i < section->first + section->n; i++) {
		const struct nft_change *change = &batch->items[i];
		if (change->kind != NFT_ADD_RULE || strcmp(change->chain, chain) != 0)
			continue;
		if (n >= rules->n || !has_comment(&rules->items[n], change))
			return false;
		n++;
	}
	return n == rules->n;
}

/* Those of a section that are not as they were made. */
static int compare_section(struct netlink *nl, const struct nft_batch *batch,
		const struct nft_section *section, struct strv *ret_chains, struct error *err)
{
	for (size_t i = section->first; i < section->first + section->n; i++) {
		const struct nft_change *change = &batch->items[i];
		CLEANUP(nft_list_done) struct nft_list rules = {};
		if (change->kind != NFT_ADD_CHAIN)
			continue;
		int r = nft_list_rules(nl, change->chain, &rules, err);
		if (r < 0)
			return r;
		if (!is_as_made(batch, section, change->chain, &rules))
			strv_push(ret_chains, change->chain);
	}
	return 0;
}

int verify_current(struct netlink *nl, struct nft_batch *batch, struct error *err)
{
	for (size_t i = 0; i < batch->n_sections; i++) {
		struct nft_section *section = &batch->sections[i];
		CLEANUP(strv_done) struct strv changed = {};
		int r = section->is_current ? compare_section(nl, batch, section, &changed, err)
					    : 0;
		if (r < 0)
			return r;
		if (changed.n)
			section->is_current = false;
	}
	return 0;
}

/* Is there one of its chains? */
static int has_any(struct netlink *nl, const struct nft_batch *batch,
		const struct nft_section *section, struct error *err)
{
	int r = 1;
	for (size_t i = section->first; r == 1 && i < section->first + section->n; i++) {
		CLEANUP(nft_list_done) struct nft_list found = {};
		if (batch->items[i].kind == NFT_ADD_CHAIN)
			r = nft_get_chain(nl, batch->items[i].chain, &found, err);
	}
	return r < 0 ? r : r == 0;
}

static int verify_section(struct netlink *nl, const struct nft_batch *batch,
		const struct nft_section *section, struct strv *ret_chains, struct error *err)
{
	CLEANUP(nft_list_done) struct nft_list rules = {};
	int r = nft_list_rules(nl, section->chain, &rules, err);
	if (r < 0)
		return r;
	const char *first = rules.n ? rules.items[0].comment : "";
	if (strcmp(first, section->digest) != 0 &&
			!strncmp(first, DIGEST_PREFIX, strlen(DIGEST_PREFIX)))
		return 0;
	/* One that nobody uses now is not there. */
	r = has_any(nl, batch, section, err);
	return r <= 0 ? r : compare_section(nl, batch, section, ret_chains, err);
}

static int verify_own(
		struct netlink *nl, const char *chain, struct strv *ret_chains, struct error *err)
{
	CLEANUP(nft_list_done) struct nft_list found = {}, rules = {};
	int r = nft_get_chain(nl, chain, &found, err);
	if (r == 0)
		r = nft_list_rules(nl, chain, &rules, err);
	if (r == 0 && found.n && !rules.n && !strv_contains(ret_chains, chain))
		strv_push(ret_chains, chain);
	return r < 0 ? r : 0;
}

int verify_chains(struct netlink *nl, const struct nft_batch *batch, struct strv *ret_chains,
		struct error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < batch->n_sections; i++)
		r = verify_section(nl, batch, &batch->sections[i], ret_chains, err);
	for (size_t i = 0; r == 0 && i < batch->n; i++) {
		const struct nft_change *change = &batch->items[i];
		CLEANUP(freep) char *link = NULL;
		if (change->kind == NFT_ADD_CHAIN)
			link = batch_link_of(change->chain);
		if (link)
			r = verify_own(nl, change->chain, ret_chains, err);
	}
	return r;
}
