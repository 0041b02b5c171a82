/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shutting a guest down in an orderly way: `machina shutdown`, ExecStop= of the unit.
 *
 * A ladder: let the guest run if it stands still, press its power button again and again until it
 * reacts, tell QEMU to quit when time is up, and wait until QEMU is gone. A button that is pressed
 * before the guest listens to it is lost, hence the repetition.
 *
 * One call is for one machine and blocks; for several at once, call it in a process each.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

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

struct shutdown_request {
	const char *path; /* of a QMP socket that nobody else uses */
	pid_t main_pid;	  /* QEMU ($MAINPID), so that the end is its end; or see above */

	/* For the guest to go, from now; then QEMU is told to quit. Or see above. */
	uint64_t timeout_usec;
	uint64_t press_usec;	 /* between two looks at the guest; 0: SHUTDOWN_PRESS_USEC */
	uint64_t quit_wait_usec; /* for QEMU to quit; 0: SHUTDOWN_QUIT_WAIT_USEC */

	/* What happens, line by line, without newline: "pressed the power button". May be NULL. */
	void (*progress)(void *data, const char *text);
	void *data;
};

enum shutdown_outcome {
	SHUTDOWN_NOT_RUNNING, /* there was no QEMU */
	SHUTDOWN_PRESSED,     /* SHUTDOWN_PRESS_ONCE: done, and not waited for */
	SHUTDOWN_DONE,	      /* QEMU is gone in time: the guest has shut down, or there was none */
	SHUTDOWN_QUIT,	      /* QEMU is gone because time was up and it was told to quit */
};

/*
 * Errors: ETIMEDOUT QEMU is still there, or its monitor could not be had in time; EREMOTEIO QEMU
 * refuses the button; those of qmp_open().
 */
MUST_CHECK int shutdown_machine(const struct shutdown_request *request, enum shutdown_outcome *ret,
		struct error *err);
