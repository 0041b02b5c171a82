/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waiting until a QEMU that was just started answers: `machina await`, ExecStartPost= of the unit.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "host/run-state.h"
#include "util/cleanup.h"
#include "util/error.h"

struct await_request {
	const char *path; /* of a QMP socket that nobody else uses */
	pid_t main_pid;	  /* QEMU ($MAINPID); 0: not known, then its death shows only in time */
	uint64_t deadline_usec; /* host/clock.h */
};

/*
 * Wait until QEMU tells a state that counts as up, a guest that is awaited from elsewhere
 * included.
 *
 * A socket that is missing or that nobody listens at yet is tried again. The end of QEMU is
 * reported at once: systemd waits for this process before it looks at the other.
 *
 * @ret_state: may be NULL
 *
 * Errors: ESRCH QEMU has exited; ETIMEDOUT; EREMOTEIO its state is one to give up on; those of
 * qmp_open().
 */
MUST_CHECK int await_qmp(const struct await_request *request, const struct run_state **ret_state,
		struct error *err);
