/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What became of a machine and why: its units, those that it needs, their runs in the journal, and
 * QEMU itself where it runs.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "config/load.h"
#include "host/machine/cause.h"
#include "host/qmp/qmp-many.h"
#include "host/systemd/bus-job.h"
#include "util/strv.h"

enum why_outcome {
	WHY_FAILED,	/* a unit of it has failed, or one that it needs */
	WHY_RUNS,	/* and all is well */
	WHY_STANDS,	/* it runs, but its guest does not: cause.sentence says why */
	WHY_COMES,	/* on its way up or down */
	WHY_ENDED,	/* in good order: cause.sentence says how */
	WHY_NEVER,	/* it was not started since the host was */
	WHY_NO_MACHINE, /* no unit; cause.advice says what to do */
	WHY_OUTCOME_N,
};
/* "failed", ... */
extern const char *const why_outcome_names[WHY_OUTCOME_N];

/* What "machina kill" leaves in the journal of a unit, after the user's name. */
#define WHY_KILLED "killed it with 'machina kill'"

/* And what is in the note of "machina shutdown", which says what it did. */
#define WHY_BY_SHUTDOWN "with 'machina shutdown"

struct why {
	char *machine;
	enum why_outcome outcome;
	uint64_t time_usec; /* since when it is so (CLOCK_REALTIME); 0: not known */
	char *unit;	    /* of the failure; NULL: none */
	char *other;	    /* another machine, whose failure or stop this is; NULL: none */
	char *phase;	    /* "while the host was prepared for it", or "" */
	char *result;	    /* systemd's word for it, "exit-code"; "" */
	bool is_retried;    /* systemd will start it again */
	bool is_given_up;   /* it will not, after too many tries */
	bool is_leaving;    /* WHY_COMES: on its way down */
	struct cause cause; /* texts may be NULL where there was nothing to find */
	/* That it was stopped, or begun anew, since a unit that it needs was; NULL: it was not. */
	char *reason;
	struct strv lines; /* of the journal, of the failed run */
	/* Of a machine that runs or has ended well: the failure before that; NULL: none. */
	struct why *before;
};

void why_done(struct why *why);

/* What the QEMUs of several machines say of their guests. */
struct why_guests {
	struct strv sockets;
	struct qmp_many *items; /* in the order of the machines */
};

/* All of them side by side, so that those that hang cost two seconds and not two each. */
void why_ask_guests(const struct config_paths *paths, const struct strv *machines,
		struct why_guests *ret);
void why_guests_done(struct why_guests *guests);

/*
 * Find out about one machine.
 *
 * @guest: of why_ask_guests()
 * @ret: released with why_done() in every case
 */
MUST_CHECK int why_look(const struct config_paths *paths, struct bus *bus, const char *machine,
		const struct qmp_many *guest, struct why *ret, struct error *err);

/*
 * Why a job on a machine has just failed, in a sentence, and what to do about it; that it runs, if
 * systemd has tried again by now. NULL: there is nothing to say beyond the job's own text. The
 * caller frees it.
 *
 * @result: of a start, JOB_DONE as well: to systemd the job is done, too, when a condition of the
 * unit does not hold. NULL then, if it is up or was.
 * @since_usec: when it was asked for (CLOCK_REALTIME): an earlier failure is another one
 */
char *why_job_failed(const struct config_paths *paths, struct bus *bus, const char *machine,
		enum job_result result, uint64_t since_usec);

/* All of it as one paragraph, without a newline. */
void why_tell(const struct why *why, struct buf *text);
