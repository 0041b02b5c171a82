/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Macvtaps: a guest's network card as a neighbour of the host on one of the host's interfaces,
 * without a bridge (drivers/net/macvlan.c and tap.c in the kernel's source).
 *
 * Unlike a tap it stays when nobody has it open: macvtap_remove() deletes it. The alias says whose
 * it is, as with taps (host/net/tap.h), whose functions find these links too.
 */
#pragma once

#include "config/network.h"
#include "host/net/netlink.h"

struct macvtap_request {
	const char *name;
	const char *alias;
	const char *network; /* for messages */
	const char *device;  /* the interface that it sits on */
	enum macvtap_mode mode;
	uint8_t mac[LINK_ADDRESS_LEN]; /* the guest's; in mode passthru the device gets it, too */
	uint32_t mtu;		       /* 0: the device's */
	size_t queues;		       /* descriptors of it; 0 and 1: one */
};

/*
 * Make a macvtap in the thread's network namespace and open it. A link of the same name and alias
 * is replaced, as is one that somebody who was killed has not finished.
 *
 * Nothing of /dev is used: where there is no udev nothing may be there, and numbers of interfaces,
 * after which its nodes are called, are unique in one network namespace only.
 *
 * @ret_fds: one for each queue, for TUNGETIFF and the like (IFF_TAP, IFF_NO_PI, IFF_VNET_HDR)
 *
 * Errors: ENODEV: the device is missing; ENETDOWN: it is down; EBUSY: it is a port of a bridge, or
 * the like; EEXIST: a link of that name is not ours; those of the kernel. Nothing is left behind.
 */
MUST_CHECK int macvtap_create(struct netlink *nl, const struct macvtap_request *request,
		int *ret_fds, struct error *err);

/* Would macvtap_create() find an interface to sit on now? Errors: those it has then. */
MUST_CHECK int macvtap_look(
		struct netlink *nl, const struct macvtap_request *request, struct error *err);

/* Delete it, also an unfinished one. 1: there was none of ours. */
MUST_CHECK int macvtap_remove(
		struct netlink *nl, const struct macvtap_request *request, struct error *err);

/* Fills @space and returns the message's length. @device: its index. */
size_t macvtap_message_create(const struct macvtap_request *request, int device, uint32_t sequence,
		char space[LINK_MESSAGE_MAX]);

/*
 * The number of the character device that a macvtap of this thread's network namespace is.
 *
 * Errors: those of mounting and reading sysfs.
 */
MUST_CHECK int macvtap_number(const struct link *link, dev_t *ret, struct error *err);
