/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules of networks that the host routes, in the kernel (firewall/net-batch.h). A table of our
 * name that another program made is never touched.
 */
#pragma once

#include "host/net/nft.h"
#include "model/network.h"

/*
 * Install a network's rules in one transaction; those that are there are replaced.
 *
 * Errors: EEXIST: a foreign table has our name; the kernel's. Nothing is changed then.
 */
MUST_CHECK int net_rules_install(
		struct netlink *nl, const struct network *network, struct error *err);

/* The same transaction as text of nft(8). */
void net_rules_text(const struct network *network, struct buf *ret);

/*
 * Remove them; with the last network's the table goes. Succeeds where there is nothing.
 *
 * @bridge: NULL: not known
 */
MUST_CHECK int net_rules_remove(
		struct netlink *nl, const char *network, const char *bridge, struct error *err);

/*
 * What of a network's rules somebody has emptied, removed or changed by hand: see verify_batch().
 * Nothing if the network is not up.
 *
 * @links: a socket of rtnetlink
 */
MUST_CHECK int net_rules_find_changed(struct netlink *nl, struct netlink *links,
		const struct network *network, struct strv *ret_changed, struct error *err);

/* The networks that have rules, in byte order. */
MUST_CHECK int net_rules_list(struct netlink *nl, struct strv *ret, struct error *err);
