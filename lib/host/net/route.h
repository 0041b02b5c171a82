/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the host's routes lead, in the network namespace of the thread. */
#pragma once

#include "host/net/netlink.h"
#include "model/network.h"

/* What the kernel tells of one (rtnetlink(7)). */
struct route {
	int domain; /* AF_INET, ... */
	int prefix; /* 0: a default route */
	uint8_t type, protocol;
	uint32_t table;
	int index;	     /* of the interface; 0: none */
	const void *gateway; /* of its domain, in the message; NULL: none */
};

/* Returns false: the message is about something else. */
bool route_read(const struct nlmsghdr *message, struct route *ret);

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
