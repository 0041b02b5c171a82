/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel has in our table for bridges and a batch of everything doesn't make. */
#pragma once

#include "host/net/nft.h"

/*
 * Append what removes it.
 *
 * @chains: all that there are
 */
MUST_CHECK int firewall_sweep(struct netlink *nl, struct nft_batch *batch,
		const struct nft_list *chains, struct error *err);
