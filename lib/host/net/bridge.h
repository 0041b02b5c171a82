/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bridges of networks that make one themselves.
 *
 * The alias says whose a bridge is, and until it has one its MAC address does, which follows from
 * the network's name: what a killed process has left is known again. A link of the right name that
 * is neither is never touched.
 */
#pragma once

#include "host/net/netlink.h"
#include "model/network.h"
#include "util/error.h"

/* "machina:network:NAME": no machine's name has a ':'. The caller frees it. */
char *bridge_alias(const char *network);
/* The network whose bridge it is, borrowed; NULL for any other link. */
const char *bridge_network_of(const struct link *link) PURE;
/* Tell that the bridge of a network that is up has gone. Returns -ENODEV. */
int bridge_refuse_missing(const char *network, const char *bridge, struct error *err);

/*
 * May bridge_make() take the name of the network's bridge? Returns 0: it is free, or the bridge is
 * there. Errors: EEXIST: a link of that name is not ours; those of the kernel.
 */
MUST_CHECK int bridge_check(struct netlink *nl, const struct network *network, struct error *err);

/*
 * Make a network's bridge, or what of it is not yet there: its addresses, none made up by the
 * kernel, no router that guests announce is believed; up.
 *
 * Errors: EEXIST: a link of that name is not ours; those of the kernel.
 */
MUST_CHECK int bridge_make(struct netlink *nl, const struct network *network, struct error *err);

/* Is a network's bridge there, as bridge_make() left it? Returns 0, or 1: no. */
MUST_CHECK int bridge_find(
		struct netlink *nl, const char *network, const char *bridge, struct error *err);

/*
 * Delete the bridges of a network, whatever they are called.
 *
 * @network: a name is enough
 * @ret_port: the name of a port that is a machine's, in the caller's memory; the bridge stays then
 *
 * Returns 0, or 1 when a bridge stays.
 */
MUST_CHECK int bridge_remove(struct netlink *nl, const struct network *network,
		char ret_port[IFNAMSIZ], struct error *err);
