/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taps: the host's ends of a guest's network cards.
 *
 * A tap lives as long as a descriptor of it is open, here, in systemd's store or in QEMU, so that
 * nothing is left of it after any kind of end. One that is to outlive QEMU, because a script wants
 * to see it then, is made persistent and deleted by tap_remove().
 *
 * The alias says whose a link is; a link of the right name and with another alias is never touched.
 */
#pragma once

#include "host/net/port.h"
#include "util/cleanup.h"
#include "util/error.h"

struct tap_request {
	const char *name;
	const char *alias;
	const char *network; /* for messages */
	const char *bridge;  /* to join; NULL: none, and the tap stays down */
	bool own_bridge;     /* it has to be the one that the network's unit makes */
	uint8_t mac[6];	     /* the guest's */
	uint32_t mtu;	     /* 0: the bridge's, or the kernel's default without a bridge */
	bool persistent;
	size_t queues; /* descriptors of it; 0 and 1: one, of a tap that can have no more */
	/* Of the port; NULL: as bridges make new ones. Its mac does not count. */
	const struct port_settings *port;
};

/* The first byte of a tap's own address; the rest is its guest's. */
#define TAP_ADDRESS_BEGIN 0xfe

/* What the aliases of all links of machines begin with, and those of networks' bridges. */
#define TAP_ALIASES "machina:"
/*
 * "machina:MACHINE/CONNECTION", cut to the kernel's limit. A '/' is in no name of a machine, so
 * that the links of "a" and of "a.b" are told apart. The caller frees it.
 */
char *tap_alias(const char *machine, const char *connection);
/* What the aliases of all links of a machine begin with. The caller frees it. */
char *tap_alias_prefix(const char *machine);

/*
 * Make a tap (IFF_TAP, IFF_NO_PI, IFF_VNET_HDR; of several queues IFF_MULTI_QUEUE) in the thread's
 * network namespace, connect it to its bridge and set it up. A link of the same name and alias is
 * replaced.
 *
 * @ret_fds: one for each queue
 *
 * Errors: ENODEV: the bridge is missing; EINVAL: it is none, or has no VLANs; EEXIST: a link of
 * that name is not ours; those of the kernel. Nothing is left behind.
 */
MUST_CHECK int tap_create(struct netlink *nl, const struct tap_request *request, int *ret_fds,
		struct error *err);

/*
 * Let a tap that is there be a port of its bridge as tap_create() makes it: packets pass when all
 * is set up. What fails leaves it without a bridge.
 *
 * Returns 0; 1 when it is one already; or a negative errno: ENODEV, there is no tap of ours, or as
 * tap_create().
 */
MUST_CHECK int tap_join(struct netlink *nl, const struct tap_request *request, struct error *err);

/*
 * Give a tap that is a port of a bridge what belongs to its filter anew (port_renew()).
 *
 * Returns 0; 1: it is no port, or there is none of ours; or a negative errno.
 */
MUST_CHECK int tap_renew(struct netlink *nl, const struct tap_request *request, struct error *err);

/* Take a tap out of any bridge and switch it off. 1: that it was, or there is none of ours. */
MUST_CHECK int tap_leave(
		struct netlink *nl, const char *name, const char *alias, struct error *err);

/* 0: it is a port of its bridge and up; 1: it is not, or there is none of ours. */
MUST_CHECK int tap_check(struct netlink *nl, const struct tap_request *request, struct error *err);

/* Will this link do as the bridge? Errors: EINVAL: it is none, or has no VLANs. */
MUST_CHECK int tap_check_bridge(
		const struct tap_request *request, const struct link *bridge, struct error *err);

/* Would tap_create() find its bridge now? Errors: those it has then. */
MUST_CHECK int tap_look(struct netlink *nl, const struct tap_request *request, struct error *err);

/* Delete the link of that name if it has that alias. 1: there was none of ours. */
MUST_CHECK int tap_remove(
		struct netlink *nl, const char *name, const char *alias, struct error *err);

/* 0: a link of that name and alias is there; 1: none, or not ours. */
MUST_CHECK int tap_find(struct netlink *nl, const char *name, const char *alias, struct link *ret,
		struct error *err);

/* Errors: EEXIST: a link of that name is there and has another alias. */
MUST_CHECK int tap_check_name(
		struct netlink *nl, const char *name, const char *alias, struct error *err);

/* Delete all links whose alias begins so. Goes on after a failure and reports the first. */
MUST_CHECK int tap_remove_all(struct netlink *nl, const char *alias_prefix, struct error *err);
