/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The states of machines in a person's words: what systemd says of the unit, and where that is up,
 * what QEMU says of the guest, with all QEMUs asked side by side.
 *
 *	off		nothing runs
 *	starting	the host is being prepared
 *	booting		QEMU runs, the machine is not ready yet
 *	running, paused, asleep, saving, moving, incoming, restoring, away, preparing
 *			as QEMU says (host/qmp/run-state.h)
 *	saved		nothing runs, and the next start goes on from memory on disk
 *	crashed		the guest does not run on: panic, error of a disk, watchdog
 *	ended		the guest has shut down, QEMU is still there
 *	shutting down	it is being stopped
 *	failed		the unit is; or systemd is about to start it again
 *	refused		nothing runs, and systemd cannot use the unit's files
 *	up		the unit is, and this user may not ask QEMU
 *	?		QEMU did not tell
 */
#pragma once

#include "cli/output.h"
#include "config/load.h"
#include "host/qmp/run-state.h"
#include "util/strv.h"

struct machine_state {
	const char *machine;	  /* borrowed, as those that follow */
	const char *active, *sub; /* of the unit; "": not known */
	uint64_t since_usec;	  /* the unit is so; CLOCK_REALTIME, 0: not known */
	bool is_foreground;	  /* 'machina run' runs it, and no unit does */
	bool is_stranded;	  /* its guest stands still since a save did not come to its end */
	const char *refusal; /* why systemd does not load the unit; "": not told; NULL: it does */
	const char *word;    /* ""; as above */
	char *reason;	     /* more than the word says; NULL: nothing */
	const struct run_state *in_qemu; /* NULL: not asked, or not told */
	enum style style;
};

/*
 * Would a machine that is prepared run in the foreground, with its unit in this state? So would
 * what is left of one; systemd may have tried in vain to start that as well.
 *
 * @active: "": not known
 */
bool state_leaves_foreground(const char *active, const char *sub) PURE;

/*
 * Ask the QEMUs of all that is prepared to run, before systemd has told which of them do: so
 * they work while it does. What it says then decides whose answer counts.
 */
struct states_asked;
struct states_asked *states_ask(const struct config_paths *paths, const struct strv *machines);

/*
 * @asked: for as many machines in the same order, is released; NULL: nobody was asked before
 * @states: machine, active, sub, since_usec and refusal are filled; the rest will be. Released with
 *	states_done().
 *
 * Cannot fail: what can't be found out is a state, too.
 */
void states_find(const struct config_paths *paths, struct states_asked *asked,
		struct machine_state *states, size_t n);
void states_done(struct machine_state *states, size_t n);
