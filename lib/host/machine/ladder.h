/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What shutting a guest down and rebooting it have in common (host/machine/shutdown.h): a monitor
 * to talk to, what QEMU tells meanwhile, and the rungs of the ladder. Private to lib/host.
 */
#pragma once

#include "host/agent/agent.h"
#include "host/machine/shutdown.h"
#include "host/qmp/qmp.h"
#include "host/qmp/run-state.h"

struct ladder {
	const struct shutdown_request *request;
	struct qmp *qmp;
	int pidfd; /* -1: the process is not known */
	uint64_t begin_usec;
	uint64_t deadline_usec; /* for the guest */
	uint64_t press_usec;
	uint64_t quit_wait_usec;
	unsigned n_presses;
	bool guest_done;	/* QEMU said that the guest has shut down */
	bool has_news;		/* that ask for a look at the guest */
	bool was_reset;		/* QEMU said that the guest begins anew */
	bool quitting;		/* QEMU was told to quit */
	bool complained;	/* about a monitor that does not answer */
	bool waits;		/* QEMU is busy with the guest: see STOP_WAIT */
	bool told_to_wait;	/* and that was told */
	bool settled;		/* what QEMU is to do at the end of the guest was set */
	bool agent_asked;	/* or tried to */
	bool told_no_agent;	/* that none runs in the guest */
	struct agent *agent;	/* one that has not answered yet; NULL: none is waited for */
	const char *agent_mode; /* what it is to do then */
};

/*
 * Begin with a request.
 *
 * Returns 1, 0 if QEMU has ended already, or a negative errno.
 */
MUST_CHECK int ladder_begin(
		struct ladder *l, const struct shutdown_request *request, struct error *err);
void ladder_end(struct ladder *l);

/* One line of what happens. */
void ladder_say(struct ladder *l, const char *format, ...) PRINTF(2, 3);

/*
 * Get the first monitor that is free; while none is, again until time is up. As qmp_open() returns:
 * QMP_ABSENT if there is none at all, QMP_CLOSED if QEMU has ended meanwhile.
 */
MUST_CHECK int ladder_open(struct ladder *l, struct error *err);

/* A command on the way; that it fails is told, and the ladder goes on. As qmp_execute() returns. */
MUST_CHECK int ladder_command(
		struct ladder *l, const char *name, uint64_t deadline_usec, struct error *err);

/*
 * What QEMU does when the guest shuts down (set-action), whoever has changed that before: it ends,
 * or it stays with a guest that is off. A QEMU that can't be told is not told.
 *
 * @pause: stay. As qmp_execute() returns.
 */
MUST_CHECK int ladder_set_end(
		struct ladder *l, bool pause, uint64_t deadline_usec, struct error *err);

/*
 * Call the request's resume(), if it has one, which has until the guest's time is up.
 *
 * Returns what that returns; SHUTDOWN_ELSEWHERE if there is none.
 */
MUST_CHECK int ladder_resume(struct ladder *l, bool moved, struct error *err);

/*
 * Let a guest that stands still run on, as its state asks for; what is refused is told. As
 * qmp_execute() returns.
 */
MUST_CHECK int ladder_wake(struct ladder *l, const struct run_state *state, uint64_t deadline_usec,
		struct error *err);

/*
 * Ask the guest agent, once and if the machine has one that listens, with the "mode" of
 * guest-shutdown. What it costs has a limit of a few seconds, a quarter of the time that is left if
 * that is less. For one that does not answer in this time, ladder_hear_agent() listens.
 *
 * Returns whether it was asked: what the guest makes of it remains to be seen.
 */
bool ladder_ask_agent(struct ladder *l, const char *mode);

/*
 * Has an agent that was slow answered meanwhile? Then it is told what to do. Until then it has got
 * nothing but a question, which does no harm to whoever reads it later.
 *
 * @deadline_usec: nothing is begun that might not be over by then
 */
void ladder_hear_agent(struct ladder *l, uint64_t deadline_usec);

/* Press the button. As qmp_execute() returns. */
MUST_CHECK int ladder_press(struct ladder *l, uint64_t deadline_usec, struct error *err);

/*
 * Take what QEMU tells, until the deadline.
 *
 * @until: also returns when this has become true; NULL: nothing
 *
 * Returns QMP_DONE for @until, QMP_LATE, QMP_CLOSED, or a negative errno (ECANCELED: the request's
 * is_canceled() said so).
 */
MUST_CHECK int ladder_watch(
		struct ladder *l, uint64_t deadline_usec, const bool *until, struct error *err);

double ladder_seconds(uint64_t usec);
