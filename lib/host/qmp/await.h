/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waiting until a QEMU that was just started answers: `machina await`, ExecStartPost= of the unit.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "host/qmp/run-state.h"
#include "util/cleanup.h"
#include "util/error.h"

/*
 * Take part in PID 1's mounts instead of those that systemd has made for this process alone, which
 * it does for each command of a unit that has any, "+" or not. Who is last in a mount namespace
 * takes it down as it ends, and is held in exit(2) until all processors have noticed (RCU, in
 * namespace_unlock() of the kernel's fs/namespace.c): mostly a part of a millisecond, many
 * milliseconds on a busy host. At the end that would be time in which a machine that is up does not
 * count as started; while QEMU starts it is nobody's. A failure changes nothing.
 */
void await_leave_mounts(void);

struct await_request {
	const char *path; /* of a QMP socket that nobody else uses */
	pid_t main_pid;	  /* QEMU ($MAINPID); 0: not known, then its death shows only in time */
	uint64_t deadline_usec; /* host/os/clock.h */
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
