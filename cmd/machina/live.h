/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What systemd and the QEMUs say of many machines, found out beside other work: most of that time
 * is spent waiting for them, and in loading what speaks with systemd.
 *
 *	CLEANUP(live_done) struct live live = {};
 *	live_begin(&live, &call->paths, &names);
 *	...                       reading files, say
 *	live_wait(&live);
 *	live.states[i].word, live.units.rows[i], ...
 */
#pragma once

#include <pthread.h>

#include "config/load.h"
#include "host/bus-unit.h"
#include "state.h"
#include "util/strv.h"

/* `{}` is an empty one. Nothing of it may be looked at between live_begin() and live_wait(). */
struct live {
	const struct config_paths *paths;
	const struct strv *names;
	/* In the order of the names. */
	struct machine_state *states;
	struct unit_list units; /* empty: there is no systemd to ask, or it did not answer */
	struct unit_run *runs;	/* of these units */
	struct error err;	/* why it did not; code 0: it did, or there is none */
	pthread_t thread;
	bool is_beside; /* the thread runs */
};

/* @paths, @names: borrowed until live_done() */
void live_begin(struct live *live, const struct config_paths *paths, const struct strv *names);
/* All of the result is there when this returns. */
void live_wait(struct live *live);
/* Also without the two others. */
void live_done(struct live *live);
