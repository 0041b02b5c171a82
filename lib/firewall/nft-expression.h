/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parts of rules as the kernel's expressions, for nft-message.c alone. */
#pragma once

#include "firewall/nft.h"

struct nftnl_rule;

/*
 * Add the expressions of a part to a rule.
 *
 * @set_id: that of the set without a name that holds the part's values, if it is one that
 *          nft_part_needs_set(); else not looked at
 */
void nft_part_add(struct nftnl_rule *rule, const struct nft_part *part, uint32_t set_id);

/* The name of a set that the kernel names by itself. */
#define NFT_ANONYMOUS_SET "__set%d"
