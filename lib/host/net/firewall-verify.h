/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether the kernel still has what this program gave it, or somebody has emptied or changed it by
 * hand: chains by the number and the comments of their rules, address sets and maps by their
 * elements, the table by whether it is switched on. It costs a dump for each of them, some ten
 * microseconds.
 */
#pragma once

#include "host/net/nft.h"
#include "util/strv.h"

/*
 * Mark the sections that the kernel has as they are made now: the first rule of a section's first
 * chain has its digest, which changes with the config, and none of its chains and sets was changed
 * by hand.
 */
MUST_CHECK int verify_mark_current(struct netlink *nl, struct nft_batch *batch, struct error *err);

/*
 * After verify_mark_current(): is there a set of a group's members that somebody has emptied? Or
 * one that nobody has marked yet.
 *
 * Returns 1: there is one, 0: none, or a negative errno.
 */
MUST_CHECK int verify_find_lost(
		struct netlink *nl, const struct nft_batch *batch, struct error *err);

/*
 * What is not as it was made: "chain 'postrouting'", "map 'from-vm'", "set 'set-office-4'", each
 * once and, of a network, with its table.
 *
 * A section whose digest is that of another config is not looked at, as nobody can say what it was
 * made of; nor are the chains of the interfaces in @absent (sorted), and what leads to them.
 */
MUST_CHECK int verify_batch(struct netlink *nl, const struct nft_batch *batch,
		const struct strv *absent, struct strv *ret_changed, struct error *err);

/*
 * Look again until nobody has changed nftables meanwhile.
 *
 * @look: returns 0 or a negative errno, and appends what it finds
 *
 * Errors: those of @look; EAGAIN: somebody changes it all the time.
 */
typedef int verify_look(void *data, struct strv *ret_changed, struct error *err);
MUST_CHECK int verify_steadily(struct netlink *nl, verify_look *look, void *data,
		struct strv *ret_changed, struct error *err);
