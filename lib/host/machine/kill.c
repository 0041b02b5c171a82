/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ending a machine at once. */
#include "host/machine/kill.h"

#include <errno.h>
#include <string.h>
#include <sys/pidfd.h>

#include "host/os/clock.h"
#include "host/os/process.h"
#include "host/qmp/qmp.h"
#include "host/systemd/bus-job.h"
#include "host/systemd/bus-unit.h"
#include "host/systemd/journal.h"

/* For the unit's own clean-up, its scripts included. */
#define STOP_USEC (120 * USEC_PER_SEC)

/* An enum qmp_outcome, or a negative errno; QMP_CLOSED: it has ended. */
static int quit(const char *socket, int pidfd, struct error *err)
{
	CLEANUP(qmp_freep) struct qmp *qmp = NULL;
	CLEANUP(qmp_reply_done) struct qmp_reply reply = {};
	const struct qmp_command command = { .name = "quit" };
	int r = qmp_open(socket, pidfd, clock_deadline_usec(KILL_GREETING_USEC), &qmp, err);
	uint64_t deadline = clock_deadline_usec(KILL_QUIT_USEC);
	if (r == QMP_DONE)
		r = qmp_execute(qmp, &command, deadline, &reply, err);
	return r == QMP_DONE ? qmp_await_event(qmp, NULL, deadline, NULL, err) : r;
}

int kill_qemu(const char *socket, enum kill_outcome *ret, struct error *err)
{
	struct error own = {};
	int r = quit(socket, -1, &own);
	if (r == QMP_CLOSED || r == QMP_ABSENT) {
		*ret = r == QMP_CLOSED ? KILL_QUIT : KILL_NOT_RUNNING;
		return 0;
	}
	if (r == QMP_LATE)
		return error_set(err, ETIMEDOUT, "QEMU does not quit: %s",
				own.text[0] ? own.text : "it is still there");
	return error_set(err, own.code, "%s", own.text);
}

/* A process that has ended meanwhile is no failure. */
static bool quits(const char *socket, pid_t pid)
{
	CLEANUP(closep) int pidfd = pidfd_open(pid, 0);
	struct error unused = {};
	if (pidfd < 0)
		return errno == ESRCH;
	if (quit(socket, pidfd, &unused) < 0)
		return false;
	/* It has closed its monitor first of all. */
	return process_ends(pidfd, clock_deadline_usec(KILL_GREETING_USEC));
}

/* With the stop on its way, systemd takes the end for a part of it. */
static int kill_main(struct bus *bus, const char *unit, struct error *err)
{
	int r = bus_queue_job(bus, BUS_STOP_ALONE, unit, err);
	return r < 0 ? r : bus_kill_main(bus, unit, err);
}

static void keep_failure(void *data, size_t i, const struct bus_job *job)
{
	(void)i;
	if (job->result != JOB_DONE)
		error_set(data, EIO, "cannot stop '%s': %s", job->unit, job->text);
}

/* What has ended is cleaned up, and no start that systemd has in mind comes. */
static int stop(struct bus *bus, const char *unit, struct error *err)
{
	CLEANUP(strv_done) struct strv units = {};
	struct error failure = {};
	strv_push(&units, unit);
	int r = bus_run_jobs(bus, BUS_STOP_ALONE, &units, keep_failure, &failure,
			clock_deadline_usec(STOP_USEC), err);
	if (r > 0)
		return error_set(err, failure.code, "%s", failure.text);
	/* That it was killed is no failure to be told again and again: somebody wanted it. An
	 * answer to the call after it says that systemd has heard it. */
	CLEANUP(unit_info_done) struct unit_info info = {};
	if (r == 0)
		r = bus_reset_failed(bus, &units, err);
	return r < 0 ? r : bus_get_unit(bus, unit, &info, err);
}

int kill_unit(struct bus *bus, const char *unit, const char *socket, const char *note,
		enum kill_outcome *ret, struct error *err)
{
	CLEANUP(unit_info_done) struct unit_info info = {};
	enum kill_outcome outcome = KILL_QUIT;
	int r = bus_get_unit(bus, unit, &info, err);
	if (r < 0)
		return r;
	if (unit_is_down(info.active_state)) {
		*ret = KILL_NOT_RUNNING;
		return 0;
	}
	journal_note(unit, info.invocation_id, note);
	if (info.main_pid && !quits(socket, info.main_pid)) {
		outcome = KILL_KILLED;
		r = kill_main(bus, unit, err);
	}
	if (r >= 0)
		r = stop(bus, unit, err);
	if (r >= 0)
		*ret = outcome;
	return r < 0 ? r : 0;
}
