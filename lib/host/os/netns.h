/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's network, for hooks of a unit with PrivateNetwork=yes: "+" in front of a command lifts
 * most of the unit's confinement, but not this (systemd.service(5), table of prefixes).
 *
 *	CLEANUP(netns_done) struct netns outside = {};
 *	int r = netns_enter(NETNS_HOST, &outside, err);
 *
 * What is opened from then on belongs to the other namespace: netlink sockets, taps, TCP
 * listeners, child processes. netns_done() goes back.
 */
#pragma once

#include <stdbool.h>

#include "util/cleanup.h"
#include "util/error.h"

#define NETNS_HOST "/proc/1/ns/net"
/* For who is where its machines belong: none is entered. */
#define NETNS_OWN "/proc/thread-self/ns/net"

struct netns {
	bool entered; /* false: it was the same one, nothing to go back to */
	int back_fd;
};

/*
 * @path: of the namespace. If it is the thread's own, or may not be looked at because this process
 *        has no privileges, nothing is done.
 *
 * Errors: those of open(2) and setns(2).
 */
MUST_CHECK int netns_enter(const char *path, struct netns *ret, struct error *err);
void netns_done(struct netns *netns);
