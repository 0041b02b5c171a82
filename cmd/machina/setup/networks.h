/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The networks of the host that have a bridge and a unit of their own.
 */
#pragma once

#include "model/leases.h"
#include "setup/host-config.h"
#include "unit/network.h"

/*
 * Check them and make their units.
 *
 * @leases: of all machines, sorted
 * @add: called for each with its one unit, whose text it may take; NULL: they are only checked. Not
 *       called once there are errors
 *
 * Returns 0, also when findings were added to config->report, or a negative errno.
 */
MUST_CHECK int networks_make(struct config *config, const struct leases *leases,
		int (*add)(void *data, struct units *units, struct error *err), void *data,
		struct error *err);

/* Their names, appended in byte order. */
void networks_list(const struct host *host, struct strv *ret);

/* A copy of a network's unit, in the network's directory: what was prepared. */
#define NETWORK_COPY "unit"
/*
 * The network that it has. Without one that can be read, *ret has the name, and no bridge.
 *
 * @run_dir: of the network
 */
void network_recall(const char *run_dir, const char *name, struct network *ret);
/* The names of all networks that may be prepared, in byte order. */
MUST_CHECK int networks_recall_names(
		const struct config_paths *paths, struct strv *ret, struct error *err);

/*
 * Before a machine's interfaces are made on networks with rules of their own: those that somebody
 * has emptied, removed or changed by hand are made anew, and that is told. Else what an isolated
 * network keeps apart were open to it.
 */
MUST_CHECK int networks_mend_for(
		const struct config_paths *paths, const struct plan *plan, struct error *err);

/* The network of a unit on disk, for its hooks, and the unit's text. -ENOENT: no such unit. */
MUST_CHECK int network_of_unit(const struct config_paths *paths, const char *name,
		struct network *ret, struct buf *ret_text, struct error *err);
