/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Networks that the host routes (model/network.h) as changes to nftables (firewall/nft.h), in the
 * table "inet machina". Pure.
 *
 *	net-from, net-to, net-host	maps: bridge -> the chain of what comes from its
 *					guests, goes to them, is for the host itself
 *	forward, input			base chains, which look into them
 *	net-NAME-from			drops what no guest may send to others: all senders
 *					but its own addresses; if "isolated", everything
 *	net-NAME-to			lets answers and forwarded ports in; if "routed", all
 *	net-NAME-host			lets guests reach DHCP, DNS and ping
 *	net-NAME-dstnat, -output	base chains: forwarded ports, from elsewhere and from
 *					the host
 *	net-NAME-srcnat			base chain: guests speak as the host (mode "nat")
 *
 * What goes from one port of a bridge to another one is not its matter, also where br_netfilter
 * shows it such frames.
 */
#pragma once

#include "firewall/nft.h"
#include "model/network.h"

/* Append what installs a network; what the kernel has of it is replaced in the same transaction. */
void net_batch_install(struct nft_batch *batch, const struct network *network);

/*
 * Append what removes it. Succeeds whether it is there or not.
 *
 * @bridge: NULL: not known; then only its chains that nothing leads to can be removed
 */
void net_batch_remove(struct nft_batch *batch, const char *network, const char *bridge);

/* Append what removes the table with all that is in it. */
void net_batch_remove_table(struct nft_batch *batch);

/* Is it a chain of a network? Of which one: the caller frees the result. NULL: of none. */
char *net_batch_network_of(const char *chain);
