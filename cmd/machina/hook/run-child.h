/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU and swtpm as children of 'machina run', with what their units would give them: the plan's
 * descriptors at the plan's numbers, a user without privileges, none of the caller's terminal.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>

#include "host/os/account.h"
#include "util/error.h"
#include "util/strv.h"

/* Ends it, also when we are killed: QEMU flushes its disks then. SIGTERM does not reach it. */
#define CHILD_END_SIGNAL SIGINT

struct child_request {
	const struct strv *argv; /* the program's path first */
	const int *fds;		 /* become PLAN_FD_FIRST and up */
	size_t n_fds;
	int output_fd; /* where the program's messages go */

	/* Who runs it; NULL: who we are. */
	const struct account *account;
	bool needs_kvm;	  /* the group that may open /dev/kvm comes along */
	bool pins_memory; /* locked memory is not limited (VFIO) */
};

MUST_CHECK int child_start(const struct child_request *request, pid_t *ret, struct error *err);

/*
 * End it: CHILD_END_SIGNAL, and SIGKILL after a while. @pid: 0: there is none. Returns its wait
 * status, 0 if there was none.
 */
int child_end(pid_t pid);
