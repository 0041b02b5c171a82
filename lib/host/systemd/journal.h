/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last lines that one run of a unit has left in the journal: shown when a start has failed.
 *
 * Opening the journal maps all of its files, which takes milliseconds where it is big: only for
 * when something has failed, or was asked for.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/cleanup.h"
#include "util/error.h"
#include "util/strv.h"

/*
 * Append the last messages of a run, oldest first: those of its processes, hooks included, and
 * systemd's own about it. One line each, fit for a terminal:
 *
 *	Nov 21 08:51:13 machina[4711]: cannot open '/dev/net/tun': Operation not permitted
 *
 * A message of several lines makes several. Messages that are still on their way to the journal are
 * waited for, one second at most; only root can do that.
 *
 * A message whose run journald could not tell, since its sender was gone, is one of the run around
 * it in the journal. Between two runs it may be of either, and is one of both.
 *
 * @unit: its full name
 * @invocation_id: of the run, 32 hex digits (struct unit_info)
 * @n_max: of messages
 *
 * Nothing found, also for lack of permission, is no error: nothing is appended.
 */
MUST_CHECK int journal_tail(const char *unit, const char *invocation_id, size_t n_max,
		struct strv *ret_lines, struct error *err);

/* A line of journal_tail() in its parts, which point into it. */
struct journal_words {
	const char *speaker; /* "machina", "systemd"; @speaker_len bytes */
	size_t speaker_len;
	const char *message;
};

/* A line of another form is a message without a speaker. */
void journal_split(const char *line, struct journal_words *ret);

#define JOURNAL_ID_MAX 33
#define JOURNAL_UNMET_MAX 256

/* What systemd had to say of a unit. */
struct journal_event {
	uint64_t time_usec;		    /* CLOCK_REALTIME */
	char invocation_id[JOURNAL_ID_MAX]; /* of the run; "": it came to none */
	bool is_dependency;		    /* it was not even tried: a unit that it needs failed */
	bool is_condition, is_assert;	    /* nor here: such a setting of it does not hold */
	char unmet[JOURNAL_UNMET_MAX];	    /* which: "ConditionPathExists=/srv"; "": not known */
};

/*
 * Look for the last time that it did not come up, or went down in a bad way.
 *
 * Returns 1, or 0 if there is none (also for lack of permission), or a negative errno.
 *
 * @unit: its full name
 */
MUST_CHECK int journal_last_failure(const char *unit, struct journal_event *ret, struct error *err);

/*
 * The same for what was said last of all, since this host was started: systemd forgets the runs of
 * units that are down and did not fail.
 */
MUST_CHECK int journal_last_event(const char *unit, struct journal_event *ret, struct error *err);

/* A job of systemd's that stopped a unit. */
struct journal_stop {
	uint64_t time_usec; /* CLOCK_REALTIME; of a stop that goes on: when it began */
	uint64_t job_id;
	char invocation_id[JOURNAL_ID_MAX]; /* of the run that it ended */
	bool is_restart;
};

/*
 * Look for the job that ended the last run of a unit, or began the one that goes on, as a restart;
 * since this host was started.
 *
 * @of: NULL, or the stop of a unit that needs this one: then the first one that ended no sooner, as
 * systemd stops a unit's dependants first
 *
 * Returns as journal_last_failure(); 0 also where the unit was started by another job since (with
 * @of: whatever came later).
 */
MUST_CHECK int journal_last_stop(const char *unit, const struct journal_stop *of,
		struct journal_stop *ret, struct error *err);

/*
 * Say something of a unit, as systemd does: it is among the lines of that run, for journal_tail()
 * and for journalctl -u. Only what root says is found there. What can't be said is lost.
 *
 * @invocation_id: of the run; "": of the one around it
 * @text: one line
 */
void journal_note(const char *unit, const char *invocation_id, const char *text);
