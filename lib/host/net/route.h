/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the host's routes lead, in the network namespace of the thread. */
#pragma once

#include "host/net/netlink.h"
#include "model/network.h"

/*
 * Does the host have all of an address's network, or a part with this address, elsewhere? Two
 * interfaces with one network take each other's packets. Wider routes are no matter: the bridge's
 * own will be nearer.
 *
 * @ret_link: the interface; written if there is one
 *
 * Returns 0: no, 1: yes, or a negative errno.
 */
MUST_CHECK int route_find(struct netlink *nl, const struct network_address *address,
		char ret_link[IFNAMSIZ], struct error *err);
