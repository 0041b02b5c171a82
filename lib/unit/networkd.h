/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files with which systemd-networkd makes a bridge for networks of mode "bridge", for hosts
 * that have nothing else which does: systemd.netdev(5), systemd.network(5). Pure.
 *
 *	05-machina-bridge-br0.netdev	the bridge itself
 *	05-machina-bridge-br0.network	the host's addresses on it
 *	05-machina-uplink-br0.network	the interface that leads to the world becomes its port
 *
 * The number is low because of several files that fit an interface only the first one counts, and
 * the uplink has most likely one already.
 */
#pragma once

#include "unit/service.h"

#define NETWORKD_NETDEV "05-machina-bridge-%s.netdev"
#define NETWORKD_BRIDGE "05-machina-bridge-%s.network"
#define NETWORKD_UPLINK "05-machina-uplink-%s.network"
/* All of them; NULL-terminated. */
extern const char *const networkd_name_patterns[];

/* What the administrator says of a bridge. The files carry it, so that it need be said once. */
struct networkd_choice {
	char *uplink;	       /* NULL: none */
	char *mac;	       /* NULL: not said */
	struct strv addresses; /* "192.0.2.5/24", and "dhcp" */
	struct strv gateways;
	struct strv dns;
};
void networkd_choice_done(struct networkd_choice *choice);

struct networkd_bridge {
	const char *name;
	const struct networkd_choice *choice; /* with its MAC address */
	int64_t mtu;			      /* 0: what the kernel and the uplink have */
	bool has_vlans;			      /* it tells VLANs apart */
	const uint16_t *vlans; /* those of guests, sorted: the uplink has tags for them */
	size_t n_vlans;
	const struct strv *sources; /* config files, for the first line */
};

/* Can it stand in these files? Patterns of systemd and what has to be quoted cannot. */
bool networkd_name_valid(const char *interface) PURE;

/* Add the files to @ret. Errors: EINVAL for text that no file can hold. */
MUST_CHECK int networkd_build(
		const struct networkd_bridge *bridge, struct units *ret, struct error *err);

/* What a NETWORKD_BRIDGE file carries. @ret: released with networkd_choice_done() in every case. */
MUST_CHECK int networkd_read(const char *name, const char *text, size_t len,
		struct networkd_choice *ret, struct error *err);
