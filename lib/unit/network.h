/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The unit of a network with a bridge of its own: makes the bridge, runs dnsmasq(8) for its DHCP
 * and names. Machines that are connected to it require it. It carries the network (model/network.h)
 * in the section [X-Machina], as a machine's unit carries its plan. Pure.
 */
#pragma once

#include "model/network.h"
#include "unit/service.h"

struct network_unit_input {
	const struct network *network;
	const char *run_dir;	    /* of the network */
	const char *program;	    /* absolute path of this program, for the hooks */
	const struct strv *sources; /* config files it was made from, for the first line */
};

/* "%s" stands for the network (unit_name()). */
#define UNIT_NETWORK "machina-network-%s.service"

/* Add the unit to @ret. Errors: EINVAL for text that no unit can hold. */
MUST_CHECK int unit_build_network(
		const struct network_unit_input *input, struct units *ret, struct error *err);

/* The network as a text of its own, that unit_read_network() reads. The caller frees it. */
MUST_CHECK int unit_network_text(const struct network *network, char **ret, struct error *err);

/* The network in a unit's text. @ret: released with network_done() in every case. */
MUST_CHECK int unit_read_network(const char *name, const char *text, size_t len,
		struct network *ret, struct error *err);
