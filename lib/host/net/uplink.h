/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's way to the world as it is now: what of it a bridge has to take over when an interface
 * becomes its port.
 */
#pragma once

#include "host/net/netlink.h"
#include "util/strv.h"

struct uplink {
	uint8_t mac[LINK_ADDRESS_LEN];
	bool is_lent;	       /* it has addresses that somebody else gave it: DHCP, a router */
	struct strv addresses; /* the others: "192.0.2.5/24" */
	struct strv gateways;  /* of default routes of their families */
	bool is_wireless;      /* it can't be a port */
};
void uplink_done(struct uplink *uplink);

/*
 * Look at an interface, with what a router or DHCP server had it add left out.
 *
 * @sys: "/sys"
 *
 * Returns 0, or 1 when there is no such interface.
 */
MUST_CHECK int uplink_read(struct netlink *nl, const char *sys, const char *name,
		struct uplink *ret, struct error *err);
