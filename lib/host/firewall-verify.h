/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether chains still have the rules that this program gave them, or somebody has emptied or
 * changed them by hand. A digest stands for chains that change together and is in the first of
 * them alone, which is enough for who only asks whether the config has changed. Here each is looked
 * at, by the comments of its rules; that costs a dump a chain.
 */
#pragma once

#include "host/nft.h"
#include "util/strv.h"

/*
 * Sections that nft_mark_current() has found, and of which a chain is not as it was made, are
 * marked as not current: so they are filled anew.
 */
MUST_CHECK int verify_current(struct netlink *nl, struct nft_batch *batch, struct error *err);

/*
 * The names of chains that are not as they were made, in the order of the batch.
 *
 * A section whose digest is that of another config is not looked at, as nobody can say what it was
 * made of. A chain that is a connection's is found when it has no rules at all.
 */
MUST_CHECK int verify_chains(struct netlink *nl, const struct nft_batch *batch,
		struct strv *ret_chains, struct error *err);
