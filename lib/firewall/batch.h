/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's firewall and the filters of connections (firewall/policy.h) as changes to nftables
 * (firewall/nft.h). Pure.
 *
 *	CLEANUP(nft_batch_done) struct nft_batch batch = {};
 *	batch_install(&batch, &request);
 *	nft_text_batch(&batch, &text);
 *
 * What there is in the table:
 *
 *	from-vm, to-vm             maps: interface -> the chain of what it sends, gets
 *	prerouting, postrouting    base chains, which look into them
 *	state-in, state-out        answers to what was allowed
 *	track-in, track-out        accept and remember, where there is no connection tracking
 *	ess-in, ess-out            the essentials; in: and what is invalid
 *	grp-NAME-in, grp-NAME-out  the rules of a group
 *	set-NAME-4, set-NAME-6     the addresses of a set, and chain set-NAME, which only says which
 *	grp-NAME-4, grp-NAME-6     the addresses of a group's members that are prepared, and
 *				   224.0.0.0 or ff00::, which goes when somebody empties it
 *	flow-...                   what is remembered
 *	vm-LINK-in, vm-LINK-out    one pair for each connection, with the comment
 *				   "machina:MACHINE/CONNECTION"
 *
 * "in" and "out" are the machine's. All but the last line is shared.
 */
#pragma once

#include "firewall/nft.h"
#include "firewall/policy.h"

/* What the kernel has of a connection already. */
enum batch_known {
	BATCH_NEW,   /* no chains; nothing has to be emptied, which would take the kernel longer */
	BATCH_OURS,  /* chains with its comment: they are filled anew */
	BATCH_STALE, /* chains of another connection that had its link: removed first, for a
			chain's comment can't be changed */
};

struct batch_port {
	const struct fw_port *port;
	enum batch_known known;
	const struct vm_filter *before; /* what it was installed with: its addresses are no longer
					   members of its groups; NULL: nothing to take away */
};

struct batch_request {
	const struct fw_policy *policy;
	enum fw_state state; /* CONNTRACK, FLOWS or NONE */
	const struct batch_port *ports;
	size_t n;
	bool is_all; /* there are no others: the members of groups are these alone */
	const struct vm_filter *const *others; /* of machines that are only added to their groups */
	size_t n_others;
};

/*
 * Append what installs connections: first what they share, in sections, then each of them.
 * Whatever the kernel has of it already is replaced in the same transaction.
 */
void batch_install(struct nft_batch *batch, const struct batch_request *request);

/*
 * Append what removes the chains of an interface, or the addresses of a connection from its
 * groups. It succeeds whether they are there or not: what is to be removed is made first.
 */
void batch_remove(struct nft_batch *batch, const char *link);
/*
 * The same for chains that are there; ENOENT if they have gone meanwhile. When a jump to a chain is
 * made, the kernel goes through the chains of all machines (nft_table_validate() in
 * net/netfilter/nf_tables_api.c): beside a thousand, milliseconds in which nobody else changes a
 * rule. What is only deleted spares it that.
 */
void batch_remove_present(struct nft_batch *batch, const char *link);
void batch_remove_members(struct nft_batch *batch, const struct vm_filter *filter);

/* Append what empties a chain, or removes a chain, a set or all of the table. What is in use can't
 * be removed (EBUSY). */
void batch_flush_chain(struct nft_batch *batch, const char *chain);
void batch_remove_chain(struct nft_batch *batch, const char *chain);
void batch_remove_set(struct nft_batch *batch, const char *set);
void batch_remove_table(struct nft_batch *batch);

/*
 * Names and comments of the chains of a connection. The caller frees the results.
 *
 * The comment is cut to nft's limit, and has no double quotes, which nft's language can't write in
 * a text; the machine's name is always whole.
 */
char *batch_chain(const char *link, enum fw_direction direction);
char *batch_comment(const char *machine, const char *connection);
/* What the comments of all chains of a machine begin with. */
char *batch_comment_prefix(const char *machine);
/* Back from a name and a comment; NULL: it is none of these. The caller frees the results. */
char *batch_link_of(const char *chain);
char *batch_machine_of(const char *comment);

/* An interface of another name can't be written in nft's language. */
bool batch_link_is_valid(const char *link) PURE;
