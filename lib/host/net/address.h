/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IP addresses of the host's interfaces (rtnetlink(7)), in the network namespace of the thread.
 */
#pragma once

#include "host/net/netlink.h"
#include "model/network.h"

/* One that an interface has. */
struct address {
	enum fw_family family;
	uint8_t bytes[16];
	uint8_t prefix;
	bool is_permanent; /* not lent for a time by DHCP, not made up from a router's word */
};
struct address_list {
	struct address *items;
	size_t n, n_alloc;
};
void address_list_done(struct address_list *list);

/* Without those of IPv6 of the link's own scope. They replace what @ret, which began as {}, held.
 */
MUST_CHECK int address_list(struct netlink *nl, const struct link *link, struct address_list *ret,
		struct error *err);

/*
 * Give an interface exactly these addresses: what it lacks is added, what it has besides is taken
 * away. IPv6 addresses of the link's own scope stay. New ones can be used at once: nobody is asked
 * whether he has them (no duplicate address detection).
 *
 * Errors: those of the kernel.
 */
MUST_CHECK int address_set_all(struct netlink *nl, const struct link *link,
		const struct network_address *addresses, size_t n, struct error *err);
