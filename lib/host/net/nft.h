/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The conversation with the kernel about nftables: batches of changes (firewall/nft.h) are sent as
 * one transaction each, and what is there is read. All in the network namespace of the thread.
 *
 *	CLEANUP(netlink_done) struct netlink nl = {};
 *	r = nft_open(&nl, err);
 *	r = nft_commit(&nl, &batch, 0, NULL, err);
 */
#pragma once

#include "firewall/nft.h"
#include "host/net/netlink.h"
#include "util/cleanup.h"
#include "util/error.h"

/* Errors: EPROTONOSUPPORT and the like: a kernel without netfilter. */
MUST_CHECK int nft_open(struct netlink *ret, struct error *err);

/* What can be wrong with a batch. */
struct nft_failure {
	int code;	 /* positive errno */
	bool has_change; /* @change is known */
	size_t change;	 /* the one that the kernel has refused, of batch->items */
};

/*
 * Send a batch, without the sections that the kernel has: all of it happens or nothing. A kernel
 * that is busy with another transaction is asked again.
 *
 * @generation: nft_generation() of what the batch was made for; 0: it doesn't matter
 * @ret: filled on failure; may be NULL
 *
 * Returns 0, or 1: somebody has changed rules since that generation, and nothing was done.
 * Errors: the kernel's, with the change that it refuses and what it needs in the text; EIO: it has
 * not answered.
 */
MUST_CHECK int nft_commit(struct netlink *nl, const struct nft_batch *batch, uint32_t generation,
		struct nft_failure *ret, struct error *err);

/* The same, but the kernel only looks whether it would take the batch. */
MUST_CHECK int nft_check(struct netlink *nl, const struct nft_batch *batch, struct nft_failure *ret,
		struct error *err);

/* A number that changes with every change of nftables, whoever makes it. */
MUST_CHECK int nft_generation(struct netlink *nl, uint32_t *ret, struct error *err);

enum nft_table { NFT_TABLE_NONE, NFT_TABLE_OURS, NFT_TABLE_FOREIGN };
/* Whose the table of our name is. A kernel without nftables has none. */
MUST_CHECK int nft_find_table(
		struct netlink *nl, enum nft_family family, enum nft_table *ret, struct error *err);

/* Has somebody switched our table off (the flag "dormant")? NFT_ADD_TABLE switches it on. */
MUST_CHECK int nft_table_sleeps(
		struct netlink *nl, enum nft_family family, bool *ret, struct error *err);

/* A chain, set, rule or element of our table; where no family is asked for it is the bridge's. */
struct nft_item {
	char *name; /* of a chain or set; of a map's element the chain that it leads to; else "" */
	char *comment;	 /* "" for none */
	bool is_asleep;	 /* a table that is switched off */
	bool is_base;	 /* a chain that is called from a hook */
	bool counts;	 /* a rule with a counter */
	bool is_end;	 /* an element: the first value behind an interval */
	uint8_t key[16]; /* of an element: as long as the set's field, then zeros */
	uint64_t packets, bytes;
};
struct nft_list {
	struct nft_item *items;
	size_t n, n_alloc;
};
void nft_list_done(struct nft_list *list);

/* One by its name. Returns 0, or 1: there is none. @ret: appended to */
MUST_CHECK int nft_get_chain(
		struct netlink *nl, const char *name, struct nft_list *ret, struct error *err);
/* Is there a set of that name? 0: yes, 1: no. */
MUST_CHECK int nft_get_set(struct netlink *nl, const char *name, struct error *err);
/* Is a single value in a set of addresses? 0: yes, 1: no. */
MUST_CHECK int nft_get_element(struct netlink *nl, const char *set, const uint8_t *value,
		size_t size, struct error *err);
/* All; none if there is no table. */
MUST_CHECK int nft_list_chains(struct netlink *nl, enum nft_family family, struct nft_list *ret,
		struct error *err);
/*
 * Is there a chain of which @is_wanted says so? Looks no further than to the first one, on a socket
 * of its own: the rest of the list is never made.
 *
 * Returns 0, or 1: there is none, or no table.
 */
MUST_CHECK int nft_find_chain(bool (*is_wanted)(const void *data, const struct nft_item *chain),
		const void *data, struct error *err);
MUST_CHECK int nft_list_sets(struct netlink *nl, struct nft_list *ret, struct error *err);
/* In their order; none if there is no such chain. */
MUST_CHECK int nft_list_rules(struct netlink *nl, enum nft_family family, const char *chain,
		struct nft_list *ret, struct error *err);
/* In the kernel's order; none if there is no such set. */
MUST_CHECK int nft_list_elements(struct netlink *nl, enum nft_family family, const char *set,
		struct nft_list *ret, struct error *err);
