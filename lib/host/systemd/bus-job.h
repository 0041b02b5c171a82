/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting and stopping units, and waiting for what becomes of it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "host/systemd/bus.h"
#include "util/cleanup.h"
#include "util/error.h"
#include "util/strv.h"

enum bus_verb {
	BUS_START,
	BUS_STOP,
	BUS_RESTART,
	BUS_RELOAD,
	/* Stop this unit now: none that needs it is stopped before it. For one that has ended, or
	 * is about to, whatever others do (mode "ignore-dependencies"). */
	BUS_STOP_ALONE,
};
/* "start", ... */
extern const char *const bus_verb_names[];

/* Signal JobRemoved in org.freedesktop.systemd1(5), and two of our own. */
enum job_result {
	JOB_DONE,
	JOB_CANCELED,
	JOB_TIMEOUT,
	JOB_FAILED,
	JOB_DEPENDENCY,
	JOB_SKIPPED,
	JOB_INVALID,
	JOB_ASSERT,
	JOB_UNSUPPORTED,
	JOB_COLLECTED,
	JOB_ONCE,
	JOB_OTHER,   /* of a newer systemd */
	JOB_REFUSED, /* systemd made no job of the call */
	JOB_RESULT_N,
};

struct bus_job {
	const char *unit;
	enum job_result result;
	const char *text; /* why not: "a unit that it needs has failed"; "" for JOB_DONE */
};

/*
 * Ask for all units at once and wait until each job has ended. Jobs that exist already are joined,
 * and a contrary one is replaced (mode "replace").
 *
 * @units: full names ("web.service")
 * @done: called for each unit when its job ends, in that order; @i is its index. May be NULL
 * @deadline_usec: for all (host/os/clock.h). Units have time limits of their own
 *
 * A connection that ends, as it does when systemd executes itself anew, is made again. What has
 * become of a job that has ended meanwhile is told by the state of its unit: JOB_DONE or
 * JOB_FAILED.
 *
 * Returns the number of jobs that did not end with JOB_DONE, or a negative errno: ETIMEDOUT, or
 * the connection ended and can't be made again. Jobs go on then.
 */
MUST_CHECK int bus_run_jobs(struct bus *bus, enum bus_verb verb, const struct strv *units,
		void (*done)(void *data, size_t i, const struct bus_job *job), void *data,
		uint64_t deadline_usec, struct error *err);

/*
 * Have a job made and don't wait for its end: for hooks of the unit itself, whose end comes first.
 */
MUST_CHECK int bus_queue_job(
		struct bus *bus, enum bus_verb verb, const char *unit, struct error *err);

/*
 * SIGKILL for a unit's main process. To systemd that is a failure: a stop has to be queued before,
 * or the unit is started again.
 */
MUST_CHECK int bus_kill_main(struct bus *bus, const char *unit, struct error *err);

/*
 * Forget that units have failed, and how often they were started: a person who starts a unit again
 * has seen to the reason, and should not meet the start limit. What never failed, or is not known,
 * stays as it is.
 */
MUST_CHECK int bus_reset_failed(struct bus *bus, const struct strv *units, struct error *err);
