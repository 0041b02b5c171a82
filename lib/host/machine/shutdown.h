/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shutting a guest down in an orderly way: `machina shutdown`, ExecStop= of the unit; and rebooting
 * it.
 *
 * A ladder: let the guest run if it stands still, ask its agent, press its power button again and
 * again until it reacts, tell QEMU to quit when time is up, and wait until QEMU is gone. A button
 * that is pressed before the guest listens to it is lost, hence the repetition; and an agent that
 * says that all is well may be wrong, so the button follows. One that takes its time is told when
 * it answers.
 *
 * One call is for one machine and blocks; for several at once, call it in a process each.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "host/qmp/qmp.h"
#include "model/plan.h"
#include "util/cleanup.h"
#include "util/error.h"

#define SHUTDOWN_PRESS_USEC (5 * UINT64_C(1000000))
#define SHUTDOWN_QUIT_WAIT_USEC (8 * UINT64_C(1000000))

/* Values of timeout_usec. */
#define SHUTDOWN_PRESS_ONCE 0
#define SHUTDOWN_WAIT_FOREVER UINT64_MAX

/* Values of main_pid. */
#define SHUTDOWN_PID_NONE 0 /* QEMU is known to be gone: nothing to do */
#define SHUTDOWN_PID_UNKNOWN ((pid_t)-1)

/* What became of a guest that was to run on. */
enum shutdown_resume {
	SHUTDOWN_RESUMED,
	SHUTDOWN_ELSEWHERE, /* it runs elsewhere, or was saved: only QEMU is left to end */
	SHUTDOWN_NOT_YET,   /* this will show in a moment */
};

struct shutdown_request {
	/* Of QMP sockets, NULL at the end. A monitor serves one client at a time: the first that is
	 * free counts. */
	const char *const *paths;
	/* As the machine was started, for its guest agent; NULL: none is asked. */
	const struct plan *plan;
	pid_t main_pid; /* QEMU ($MAINPID), so that the end is its end; or see above */

	/* For the guest to go, from now; then QEMU is told to quit. Or see above. */
	uint64_t timeout_usec;
	uint64_t press_usec;	 /* between two looks at the guest; 0: SHUTDOWN_PRESS_USEC */
	uint64_t quit_wait_usec; /* for QEMU to quit; 0: SHUTDOWN_QUIT_WAIT_USEC */
	bool force;		 /* shutdown: leave the guest out, tell QEMU to quit at once */

	/*
	 * Called in place of "cont", and when QEMU says that the guest has moved away (@moved).
	 * Returns an enum shutdown_resume, or a negative errno, which is told and not the end. What
	 * it asks QEMU is answered until the guest's time is up, or not at all (qmp_limit()).
	 * NULL: "cont", and what has moved has moved.
	 */
	int (*resume)(void *data, struct qmp *qmp, bool moved, struct error *err);

	/* What happens, line by line, without newline: "pressed the power button". May be NULL. */
	void (*progress)(void *data, const char *text);
	/* Asked several times a second: no more of it? May be NULL. */
	bool (*is_canceled)(void *data);
	void *data;
};

enum shutdown_outcome {
	SHUTDOWN_NOT_RUNNING, /* there was no QEMU */
	SHUTDOWN_PRESSED,     /* SHUTDOWN_PRESS_ONCE: done, and not waited for */
	SHUTDOWN_DONE,	      /* QEMU is gone in time: the guest has shut down, or there was none */
	SHUTDOWN_QUIT,	      /* QEMU is gone because it was told to quit, without the guest */
};

/*
 * Errors: ETIMEDOUT QEMU is still there, or no monitor could be had in time; EREMOTEIO QEMU
 * refuses the button; ECANCELED; those of qmp_open().
 */
MUST_CHECK int shutdown_machine(const struct shutdown_request *request, enum shutdown_outcome *ret,
		struct error *err);

/*
 * Have the guest reboot: QEMU, its process and its devices stay.
 *
 * The agent can do that. No button means it: so QEMU is told to stay when the guest is off, the
 * guest is shut down by its power button, and then reset, and let run. If this process is killed in
 * between, a guest that has shut down stays off with its QEMU: another reboot lets it begin, a stop
 * ends QEMU.
 *
 * Returns 0 when the guest begins anew.
 *
 * Errors: EHOSTDOWN: QEMU does not run; ECONNRESET: it has ended meanwhile; ENOTSUP: no guest is
 * there that could shut down; ETIMEDOUT: it did not in time, or no monitor could be had; ECANCELED.
 * The guest goes on then, and what it may still do is what it would have done before: to power off
 * is that.
 */
MUST_CHECK int reboot_machine(const struct shutdown_request *request, struct error *err);
