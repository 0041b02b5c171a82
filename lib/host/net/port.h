/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ports of bridges: which VLANs they carry, whom they reach, and what they take from the guest.
 *
 * What stands here is in the bridge itself and not in the packet filter: it holds also when
 * somebody flushes all filter rules.
 */
#pragma once

#include "host/net/netlink.h"

struct port_settings {
	/* Frames that shape the tree of bridges (STP) don't come from it: it is closed by one, or
	 * with @catch_reserved the packet filter drops them. */
	bool protect;
	/* It does not reach other ports that are isolated. */
	bool isolate;
	/*
	 * Only @mac sends from it: the bridge learns nothing there and drops other senders' frames.
	 * Kernels before 5.18 only don't learn.
	 */
	bool lock;
	/*
	 * Frames to the addresses that bridges keep for themselves (01:80:c2:00:00:00 to 0f) go the
	 * way of all others, through the packet filter, which has to drop them. Without it the host
	 * takes them from the port itself, whatever is in them, and no filter of bridges or of the
	 * bridge's interface sees that (br_handle_frame() in net/bridge/br_input.c).
	 */
	bool catch_reserved;
	uint8_t mac[LINK_ADDRESS_LEN];
	/* In place of those that the bridge gives new ports, if there is any. */
	uint16_t vlan;	       /* without tags; 0: frames without tags are dropped */
	const uint16_t *vlans; /* with tags, sorted */
	size_t n_vlans;
};

bool port_has_vlans(const struct port_settings *settings) PURE;

/*
 * Set up a new port of a bridge, before it is switched on.
 *
 * @port: has a master
 *
 * Errors: those of the kernel.
 */
MUST_CHECK int port_set_up(struct netlink *nl, const struct link *port,
		const struct port_settings *settings, struct error *err);

/*
 * Give a port that is in use @lock and @catch_reserved, which belong to its filter, anew. All else
 * stays as it is: a script may have changed it.
 *
 * Errors: those of the kernel.
 */
MUST_CHECK int port_renew(struct netlink *nl, const struct link *port,
		const struct port_settings *settings, struct error *err);

/*
 * Let a port of a bridge pass frames, or none at all, whatever filters there are. In a bridge whose
 * kernel runs the spanning tree protocol, the interface itself is switched.
 *
 * Errors: those of the kernel.
 */
MUST_CHECK int port_set_open(
		struct netlink *nl, const struct link *port, bool open, struct error *err);
