/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IP addresses of the host's interfaces (rtnetlink(7)), in the network namespace of the thread.
 */
#pragma once

#include "host/netlink.h"
#include "model/network.h"

/*
 * Give an interface exactly these addresses: what it lacks is added, what it has besides is taken
 * away. IPv6 addresses of the link's own scope stay. New ones can be used at once: nobody is asked
 * whether he has them (no duplicate address detection).
 *
 * Errors: those of the kernel.
 */
MUST_CHECK int address_set_all(struct netlink *nl, const struct link *link,
		const struct network_address *addresses, size_t n, struct error *err);
