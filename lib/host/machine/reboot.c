/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rebooting a guest: the ladder of a shutdown, with a QEMU that stays. */
#include <errno.h>
#include <string.h>

#include "host/machine/ladder.h"
#include "host/os/clock.h"

/* For a step of which QEMU alone decides how long it takes. */
#define STEP_USEC (10 * USEC_PER_SEC)

/* An outcome of host/qmp/qmp.h that ends it, as an error. */
static int broken_off(int r, struct error *err)
{
	if (r == QMP_CLOSED || r == QMP_ABSENT)
		return error_set(err, ECONNRESET, "QEMU has ended meanwhile");
	return r < 0 ? r : -err->code;
}

/* The guest is off and QEMU there: begin anew, and let QEMU end with the guest as before. */
static int start_over(struct ladder *l, struct error *err)
{
	uint64_t deadline = clock_deadline_usec(STEP_USEC);
	l->was_reset = false;
	agent_freep(&l->agent);
	int r = ladder_command(l, "system_reset", deadline, err);
	/* "cont" is refused until it has happened. */
	if (r == QMP_DONE)
		r = ladder_watch(l, deadline, &l->was_reset, err);
	if (r == QMP_DONE)
		r = ladder_set_end(l, false, deadline, err);
	if (r == QMP_DONE)
		r = ladder_command(l, "cont", deadline, err);
	return r == QMP_DONE ? 0 : broken_off(r, err);
}

static bool is_off(const struct run_state *state)
{
	return strcmp(state->name, "shutdown") == 0;
}

/* Do what the guest's state asks for. As qmp_execute() returns, or -ENOTSUP. */
static int ask_guest(struct ladder *l, const struct run_state *state, uint64_t deadline_usec,
		struct error *err)
{
	int r = QMP_DONE;
	if (state->stop == STOP_QUIT || state->stop == STOP_MOVED)
		return error_set(err, ENOTSUP, "%s, and can't be asked to reboot", state->meaning);
	if (state->stop == STOP_WAIT)
		return QMP_DONE;
	if (!l->settled)
		r = ladder_set_end(l, true, deadline_usec, err);
	l->settled |= r == QMP_DONE;
	if (r == QMP_DONE && state->stop != STOP_PRESS)
		r = ladder_wake(l, state, deadline_usec, err);
	if (r != QMP_DONE && (r != QMP_REFUSED || !l->settled))
		return r;
	if (l->guest_done || (r == QMP_DONE && ladder_ask_agent(l, "reboot")))
		return QMP_DONE;
	return ladder_press(l, deadline_usec, err);
}

/* Until the guest is off, or has rebooted by itself (was_reset). QMP_DONE, or as qmp_execute(). */
static int wait_off(struct ladder *l, struct error *err)
{
	while (clock_now_usec() < l->deadline_usec) {
		uint64_t next = clock_deadline_usec(l->press_usec);
		const struct run_state *state;
		if (next > l->deadline_usec)
			next = l->deadline_usec;
		l->has_news = false;
		int r = run_state_query(l->qmp, next, &state, err);
		if (r == QMP_DONE && is_off(state))
			return QMP_DONE;
		if (r == QMP_DONE)
			r = ask_guest(l, state, next, err);
		if (r != QMP_DONE && r != QMP_LATE)
			return r;
		r = ladder_watch(l, next, &l->has_news, err);
		if (l->was_reset || (r != QMP_DONE && r != QMP_LATE))
			return l->was_reset ? QMP_DONE : r;
	}
	error_set(err, ETIMEDOUT,
			"the guest did not shut down within %.6g s, and goes on ('machina reset' "
			"does not ask it)",
			ladder_seconds(l->request->timeout_usec));
	return QMP_LATE;
}

/* It is not to be any more. A guest that has shut down at this moment is not left so. */
static int give_up(struct ladder *l, int r, struct error *err)
{
	uint64_t deadline = clock_deadline_usec(STEP_USEC);
	const struct run_state *state;
	struct error own = {};
	if (l->settled && ladder_set_end(l, false, deadline, &own) == QMP_DONE &&
			run_state_query(l->qmp, deadline, &state, &own) == QMP_DONE &&
			is_off(state))
		return start_over(l, err);
	return broken_off(r, err);
}

static int run(struct ladder *l, struct error *err)
{
	int r = ladder_open(l, err);
	if (r == QMP_ABSENT || r == QMP_CLOSED)
		return error_set(err, EHOSTDOWN, "the machine does not run");
	if (r != QMP_DONE)
		return broken_off(r, err);
	r = wait_off(l, err);
	if (r != QMP_DONE)
		return give_up(l, r, err);
	if (!l->was_reset)
		return start_over(l, err);
	r = ladder_set_end(l, false, clock_deadline_usec(STEP_USEC), err);
	return r == QMP_DONE ? 0 : broken_off(r, err);
}

int reboot_machine(const struct shutdown_request *request, struct error *err)
{
	CLEANUP(ladder_end) struct ladder l;
	/* On the way, the ends of single waits fill the error; only the last one is news. */
	struct error own = {};
	int r = ladder_begin(&l, request, &own);
	if (r == 0)
		r = error_set(&own, EHOSTDOWN, "the machine does not run");
	if (r > 0)
		r = run(&l, &own);
	if (r < 0 && err)
		*err = own;
	return r;
}
