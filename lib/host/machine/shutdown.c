/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shutting a guest down in an orderly way: the ladder from the power button to quit. */
#include "host/machine/shutdown.h"

#include <errno.h>

#include "host/machine/ladder.h"
#include "host/os/clock.h"
#include "host/os/process.h"

/* Between two looks at what QEMU is busy with. */
#define LOOK_USEC (200 * USEC_PER_MSEC)

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The guest is to end, so QEMU is to end with it, also if a reboot was about to keep it. */
static int settle(struct ladder *l, uint64_t deadline_usec, struct error *err)
{
	if (l->settled)
		return QMP_DONE;
	int r = ladder_set_end(l, false, deadline_usec, err);
	l->settled = r == QMP_DONE || r == QMP_REFUSED;
	return r == QMP_REFUSED ? QMP_DONE : r;
}

/* QEMU is at something with the guest that ends by itself, and tells nobody. */
static int wait_for_it(struct ladder *l, const struct run_state *state)
{
	if (!l->told_to_wait)
		ladder_say(l, "%s, waiting for that to end", state->meaning);
	l->told_to_wait = true;
	l->waits = true;
	return QMP_DONE;
}

static int ask_guest(struct ladder *l, const struct run_state *state, uint64_t deadline_usec,
		struct error *err)
{
	int r = settle(l, deadline_usec, err);
	if (r == QMP_DONE && state->stop != STOP_PRESS)
		r = ladder_wake(l, state, deadline_usec, err);
	/* What was refused may still be so that the button works: the refusal has been told. */
	if (r != QMP_DONE && r != QMP_REFUSED)
		return r;
	if (l->guest_done || (r == QMP_DONE && ladder_ask_agent(l, "powerdown")))
		return QMP_DONE;
	return ladder_press(l, deadline_usec, err);
}

static int quit_now(struct ladder *l, const struct run_state *state, uint64_t deadline_usec,
		struct error *err)
{
	ladder_say(l, "%s, telling QEMU to quit", state->meaning);
	l->quitting = true;
	return ladder_command(l, "quit", deadline_usec, err);
}

/* The guest has moved into a file, or elsewhere, or that broke off. */
static int look_after(struct ladder *l, const struct run_state *state, uint64_t deadline_usec,
		struct error *err)
{
	int r = ladder_resume(l, true, err);
	if (r == SHUTDOWN_ELSEWHERE)
		return quit_now(l, state, deadline_usec, err);
	if (r < 0)
		ladder_say(l, "%s", err->text);
	if (r != SHUTDOWN_RESUMED)
		return wait_for_it(l, state);
	ladder_say(l, "the guest was about to be saved, which broke off: resuming it");
	return ladder_press(l, deadline_usec, err);
}

/*
 * Look at the guest and do what its state asks for.
 *
 * Returns as qmp_execute() does; after QMP_DONE, quitting tells whether QEMU was told to.
 */
static int nudge(struct ladder *l, uint64_t deadline_usec, struct error *err)
{
	const struct run_state *state;
	l->has_news = false;
	l->waits = false;
	int r = run_state_query(l->qmp, deadline_usec, &state, err);
	if (r != QMP_DONE)
		return r;

	switch (state->stop) {
	case STOP_QUIT:
		return quit_now(l, state, deadline_usec, err);
	case STOP_MOVED:
		return look_after(l, state, deadline_usec, err);
	case STOP_WAIT:
		return wait_for_it(l, state);
	case STOP_RESUME:
	case STOP_WAKE:
	case STOP_PRESS:
		break;
	}
	return ask_guest(l, state, deadline_usec, err);
}

/*
 * Wait for the next look: when it is due, or, once in between, when there is news.
 * As ladder_watch() returns; QMP_LATE: look again.
 */
static int rest(struct ladder *l, bool *may_hurry, uint64_t next_usec, struct error *err)
{
	int r = ladder_watch(l, next_usec, *may_hurry ? &l->has_news : NULL, err);
	/* One that stops again at once, for a disk that has failed, is not to keep us busy. */
	*may_hurry = r != QMP_DONE;
	return r == QMP_DONE ? QMP_LATE : r;
}

/*
 * Press and watch until QEMU ends or is told to (QMP_CLOSED), or time is up (QMP_LATE). With
 * SHUTDOWN_PRESS_ONCE, as nudge() returns.
 */
static int climb(struct ladder *l, struct error *err)
{
	bool may_hurry = true;
	for (;;) {
		uint64_t next = earlier(clock_deadline_usec(l->press_usec), l->deadline_usec);
		int r = nudge(l, next, err);
		if (r == QMP_LATE && !l->complained) {
			ladder_say(l, "%s", err->text);
			l->complained = true;
		}
		if (r < 0 || r == QMP_CLOSED || l->request->timeout_usec == SHUTDOWN_PRESS_ONCE)
			return r;
		if (l->quitting)
			return QMP_CLOSED;
		if (l->waits)
			next = earlier(clock_deadline_usec(LOOK_USEC), l->deadline_usec);
		r = rest(l, &may_hurry, next, err);
		if (r != QMP_LATE || clock_now_usec() >= l->deadline_usec)
			return r;
	}
}

/* Wait for the end of QEMU: of its socket, and of the process where that is known. */
static int wait_end(struct ladder *l, uint64_t deadline_usec, struct error *err)
{
	int r = l->qmp ? ladder_watch(l, deadline_usec, NULL, err) : QMP_CLOSED;
	if (r < 0)
		return r;
	if (r == QMP_LATE)
		return error_set(err, ETIMEDOUT,
				"QEMU still answers, %.6g s after it was told to quit",
				ladder_seconds(l->quit_wait_usec));
	if (l->pidfd >= 0 && !process_ends(l->pidfd, deadline_usec))
		return error_set(err, ETIMEDOUT,
				"QEMU (pid %d) has closed its monitor, but does not exit",
				l->request->main_pid);
	if (l->qmp && !l->guest_done && !l->quitting)
		ladder_say(l, "QEMU has ended although the guest did not shut down");
	ladder_say(l, "stopped after %.1f s", ladder_seconds(clock_now_usec() - l->begin_usec));
	return 0;
}

/* Time is up, or it was to be at once: the guest is left out. */
static int quit(struct ladder *l, uint64_t until_usec, struct error *err)
{
	if (l->request->force)
		ladder_say(l, "the guest is not asked: telling QEMU to quit");
	else
		ladder_say(l, "still running after %.6g s, telling QEMU to quit",
				ladder_seconds(l->request->timeout_usec));
	l->quitting = true;
	int r = ladder_command(l, "quit", until_usec, err);
	return r == QMP_REFUSED ? -err->code : r;
}

static int run_ladder(struct ladder *l, enum shutdown_outcome *ret, struct error *err)
{
	bool once = l->request->timeout_usec == SHUTDOWN_PRESS_ONCE && !l->request->force;
	enum shutdown_outcome outcome = SHUTDOWN_DONE;
	int r = ladder_open(l, err);
	if (r == QMP_ABSENT) {
		*ret = SHUTDOWN_NOT_RUNNING;
		return 0;
	}
	if (r < 0 || r == QMP_LATE || r == QMP_REFUSED)
		return -err->code;

	if (r == QMP_DONE && l->request->force) {
		r = QMP_LATE;
	} else if (r == QMP_DONE) {
		if (once)
			l->deadline_usec = clock_deadline_usec(l->press_usec);
		r = climb(l, err);
	}
	if (once && r != QMP_CLOSED) {
		*ret = SHUTDOWN_PRESSED;
		return r == QMP_DONE ? 0 : -err->code;
	}
	if (r < 0)
		return r;
	/* One limit for the command and its effect: systemd waits little longer than that. */
	uint64_t now = clock_now_usec();
	bool ends = r == QMP_LATE || l->quitting || l->deadline_usec < now;
	uint64_t until = clock_add_usec(ends ? now : l->deadline_usec, l->quit_wait_usec);
	if (r == QMP_LATE) {
		outcome = SHUTDOWN_QUIT;
		r = quit(l, until, err);
		if (r < 0)
			return r;
	}
	r = wait_end(l, until, err);
	if (r == 0)
		*ret = outcome;
	return r;
}

int shutdown_machine(const struct shutdown_request *request, enum shutdown_outcome *ret,
		struct error *err)
{
	CLEANUP(ladder_end) struct ladder l;
	/* On the way up, the ends of single waits fill the error; only the last one is news. */
	struct error own = {};
	*ret = SHUTDOWN_NOT_RUNNING;
	int r = ladder_begin(&l, request, &own);
	if (r > 0)
		r = run_ladder(&l, ret, &own);
	if (r < 0 && err)
		*err = own;
	return r;
}
