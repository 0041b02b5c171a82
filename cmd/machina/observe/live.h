/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What systemd and the QEMUs say of many machines. All of them are asked before other work, and
 * answer beside it:
 *
 *	CLEANUP(live_done) struct live live = {};
 *	live_begin(&live, &call->paths, &names);
 *	...                       reading files, say
 *	live_wait(&live);
 *	live.states[i].word, live.units.rows[i], ...
 */
#pragma once

#include "config/load.h"
#include "host/systemd/bus-unit.h"
#include "host/systemd/bus.h"
#include "observe/state.h"
#include "util/strv.h"

/* `{}` is an empty one. */
struct live {
	const struct config_paths *paths;
	const struct strv *names;
	struct bus *bus; /* NULL: there is no systemd */
	struct states_asked *asked;
	/* In the order of the names; filled by live_wait(). */
	struct machine_state *states;
	struct unit_list units; /* empty: there is no systemd to ask, or it did not answer */
	struct unit_run *runs;	/* of these units */
	char **refusals;	/* why systemd does not load them; NULL: it does */
	struct error err;	/* why it did not; code 0: it did, or there is none */
};

/* @paths, @names: borrowed until live_done() */
void live_begin(struct live *live, const struct config_paths *paths, const struct strv *names);
/* Once. All of the result is there when this returns. */
void live_wait(struct live *live);
void live_done(struct live *live);
