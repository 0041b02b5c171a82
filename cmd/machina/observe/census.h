/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All machines at one moment: their units, what they have used, the state of their guests. For what
 * shows many of them.
 *
 * Of units, systemd is asked for those that it has in memory, and for those that somebody has
 * altered: it would read the file of each other one. The QEMUs are asked side by side, so that one
 * that hangs costs its own time limit and nothing to the others.
 */
#pragma once

#include "config/load.h"
#include "host/machine/sample.h"
#include "host/systemd/bus-unit.h"
#include "util/strv.h"

struct census_row {
	const char *machine;   /* of the names */
	struct unit_info info; /* its states and what was asked for */
	bool is_up;	       /* QEMU runs */
	bool is_prepared;      /* but by no unit: perhaps 'machina run' has it */
	bool is_saved;	       /* what was saved of its guest is there */
	struct sample sample;  /* empty while it is down */
	char *run_state;       /* QEMU's word (host/qmp/run-state.h); NULL: it was not to be had */
	char *version;	       /* of QEMU; NULL likewise */
	char *error;	       /* why QEMU did not answer; NULL: it did, or does not run */
};

struct census {
	struct census_row *rows; /* in the order of the names */
	size_t n;
};

void census_done(struct census *census);

/*
 * @names: borrowed by the rows
 * @what: is asked of units beside their states: of enum unit_questions
 *
 * The unit_file_state of most units is "": census_find_enabled() finds it.
 */
MUST_CHECK int census_take(const struct config_paths *paths, struct bus *bus,
		const struct strv *names, unsigned what, struct census *ret, struct error *err);

/*
 * The unit_file_state where it is not known, from units' files and links, in systemd's words
 * (systemctl(1), is-enabled): "enabled", "disabled", "static", "masked", "" without a file.
 */
void census_find_enabled(const struct config_paths *paths, struct census *census);

/*
 * One word for a machine, an index of census_states: those of "machina list" where each is one of a
 * few. CENSUS_UNKNOWN: the unit is up, and its QEMU does not answer.
 */
enum census_state {
	CENSUS_OFF,
	CENSUS_SAVED,
	CENSUS_STARTING,
	CENSUS_BOOTING,
	CENSUS_RUNNING,
	CENSUS_PAUSED,
	CENSUS_ASLEEP,
	CENSUS_BUSY, /* it is saved, moved, restored */
	CENSUS_CRASHED,
	CENSUS_ENDED,
	CENSUS_STOPPING,
	CENSUS_FAILED,
	CENSUS_REFUSED, /* systemd cannot use the unit's files */
	CENSUS_UNKNOWN,
	CENSUS_STATE_N,
};
extern const char *const census_states[CENSUS_STATE_N];
enum census_state census_state(const struct census_row *row) PURE;
