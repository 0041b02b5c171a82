/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which machines a cluster manager starts and stops.
 *
 *	CLEANUP(clusters_done) struct clusters clusters = {};
 *	clusters_begin(&clusters, &call->paths);
 *	... clusters_has(&clusters, "web") ...
 *	r = clusters_check(&clusters, &machines, err);
 *
 * A machine's config says so. Where that has faults or can't be read, its unit still tells it of
 * most: one that can start with the host belongs to no cluster manager. What neither tells is not
 * guessed: one that a cluster manager has moved may run on another host.
 */
#pragma once

#include "setup/host-config.h"

struct clusters {
	struct config config;
	bool has_host;	      /* the host's config is there, without faults */
	struct error unread;  /* why it can't be read; code 0: it can */
	struct strv doubtful; /* nothing tells it of these */
};

void clusters_done(struct clusters *c);

void clusters_begin(struct clusters *c, const struct config_paths *paths);
/* Not where nothing tells; clusters_check() fails then. */
bool clusters_has(struct clusters *c, const char *machine);
/*
 * @machines: all that there are
 *
 * EINVAL: nothing told it of a machine that was asked about. Findings are printed. Other errors:
 * there is no machine, and no config of the host: that is no host without machines.
 */
MUST_CHECK int clusters_check(struct clusters *c, const struct strv *machines, struct error *err);
