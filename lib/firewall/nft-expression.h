/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parts of rules as the kernel's expressions, for nft-message.c alone. */
#pragma once

#include "firewall/nft.h"

struct nlmsghdr;

/*
 * Add the expressions of a part to a message, as elements of NFTA_RULE_EXPRESSIONS.
 *
 * @set_id: that of the set without a name that holds the part's values, if it is one that
 *          nft_part_needs_set(); else not looked at
 */
void nft_part_put(struct nlmsghdr *message, const struct nft_part *part, uint32_t set_id);

/* An attribute with a verdict in it; @chain: of jumps, else NULL. */
void nft_verdict_put(struct nlmsghdr *message, uint16_t attribute, int code, const char *chain);

/* The name of a set that the kernel names by itself. */
#define NFT_ANONYMOUS_SET "__set%d"
