/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of networks that the host routes, in the kernel. */
#include "host/net/net-rules.h"

#include <string.h>

#include "firewall/net-batch.h"
#include "host/net/bridge.h"
#include "host/net/firewall-verify.h"
#include "util/mem.h"

int net_rules_install(struct netlink *nl, const struct network *network, struct error *err)
{
	CLEANUP(nft_batch_done) struct nft_batch batch = {};
	enum nft_table table;
	int r = nft_find_table(nl, NFT_INET, &table, err);
	if (r < 0)
		return r;
	if (table == NFT_TABLE_FOREIGN)
		return error_set(err, EEXIST,
				"nftables has a table 'inet " NFT_TABLE
				"' that this program has not made; it is left alone: rename it, or "
				"delete it with 'nft delete table inet " NFT_TABLE "'");
	net_batch_install(&batch, network);
	return nft_commit(nl, &batch, 0, NULL, err);
}

void net_rules_text(const struct network *network, struct buf *ret)
{
	CLEANUP(nft_batch_done) struct nft_batch batch = {};
	net_batch_install(&batch, network);
	nft_text_batch(&batch, ret);
}

/* Are there chains of this network, and of others? */
static void sort_out(const struct nft_list *chains, const char *network, bool *ret_there,
		bool *ret_others)
{
	*ret_there = *ret_others = false;
	for (size_t i = 0; i < chains->n; i++) {
		CLEANUP(freep) char *whose = net_batch_network_of(chains->items[i].name);
		if (!whose)
			continue;
		if (!strcmp(whose, network))
			*ret_there = true;
		else
			*ret_others = true;
	}
}

int net_rules_remove(struct netlink *nl, const char *network, const char *bridge, struct error *err)
{
	for (struct netlink_tries tries = {}; netlink_may_try(&tries);) {
		CLEANUP(nft_list_done) struct nft_list chains = {};
		CLEANUP(nft_batch_done) struct nft_batch batch = {};
		enum nft_table table;
		uint32_t generation = 0;
		bool there, others;
		int r = nft_find_table(nl, NFT_INET, &table, err);
		if (r < 0 || table != NFT_TABLE_OURS)
			return r;
		r = nft_generation(nl, &generation, err);
		if (r == 0)
			r = nft_list_chains(nl, NFT_INET, &chains, err);
		if (r < 0)
			return r;
		sort_out(&chains, network, &there, &others);
		if (!there && others)
			return 0;
		if (others)
			net_batch_remove(&batch, network, bridge);
		else
			net_batch_remove_table(&batch);
		/* Only who removes the table must be sure that nobody has come meanwhile. */
		r = nft_commit(nl, &batch, others ? 0 : generation, NULL, err);
		if (r <= 0)
			return r;
	}
	return error_set(err, EAGAIN, "cannot remove the rules: nftables changes all the time");
}

struct looking {
	struct netlink *nl, *links;
	const struct network *network;
};

static int find_changed(void *data, struct strv *ret_changed, struct error *err)
{
	static const struct strv none = {};
	const struct looking *looking = data;
	const struct network *network = looking->network;
	CLEANUP(nft_batch_done) struct nft_batch batch = {};
	enum nft_table table;
	int r = bridge_find(looking->links, network->name, network->bridge, err);
	if (r != 0)
		return r < 0 ? r : 0; /* it is not up */
	r = nft_find_table(looking->nl, NFT_INET, &table, err);
	if (r < 0)
		return r;
	if (table == NFT_TABLE_NONE) {
		strv_push(ret_changed, "table 'inet " NFT_TABLE "'");
		return 0;
	}
	net_batch_install(&batch, network);
	return verify_batch(looking->nl, &batch, &none, ret_changed, err);
}

int net_rules_find_changed(struct netlink *nl, struct netlink *links, const struct network *network,
		struct strv *ret_changed, struct error *err)
{
	struct looking looking = { nl, links, network };
	return verify_steadily(nl, find_changed, &looking, ret_changed, err);
}

int net_rules_list(struct netlink *nl, struct strv *ret, struct error *err)
{
	CLEANUP(nft_list_done) struct nft_list chains = {};
	enum nft_table table;
	int r = nft_find_table(nl, NFT_INET, &table, err);
	if (r == 0 && table == NFT_TABLE_OURS)
		r = nft_list_chains(nl, NFT_INET, &chains, err);
	for (size_t i = 0; r == 0 && i < chains.n; i++) {
		CLEANUP(freep) char *network = net_batch_network_of(chains.items[i].name);
		if (network && !strv_contains(ret, network))
			strv_push(ret, network);
	}
	strv_sort(ret);
	return r;
}
