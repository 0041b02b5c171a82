/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Running another program: to its end (an administrator's script, a vendor's tool), or beside us
 * (QEMU in the foreground).
 *
 * A program begins without the signals that we block or ignore, with an empty input, and is killed
 * when this thread ends.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/cleanup.h"
#include "util/error.h"
#include "util/strv.h"

/* The number of the first descriptor that is handed over. */
#define PROCESS_FD_FIRST 3

struct process {
	/* argv[0] without a slash is looked for in $PATH. */
	const char *const *argv;
	/* NULL: this process's environment without what speaks to systemd in its name. */
	const char *const *environment;
	/*
	 * Called in the child before the program starts; may be NULL. A failure ends the child, and
	 * its text becomes that of process_run().
	 */
	int (*prepare)(const void *data, struct error *err);
	const void *data;

	/* What the program gets as PROCESS_FD_FIRST and up; borrowed. NULL: nothing. */
	const int *fds;
	size_t n_fds;
	/* Where its output and errors go, borrowed; NULL: where this process's go. */
	const int *output_fd;
};

/*
 * Start it. Returns when the program is there.
 *
 * @ret_pid: to be waited for by the caller
 *
 * Errors: ENOENT and others: it cannot be started; those of prepare().
 */
MUST_CHECK int process_start(const struct process *process, pid_t *ret_pid, struct error *err);

/* What a wait status (waitpid(2)) says: 0, or EIO with a text that names the program. */
MUST_CHECK int process_check(int status, const char *name, struct error *err);

/*
 * Run it to its end.
 *
 * Errors: ENOENT and others: it cannot be started; EIO: it ended with a status that is not 0, or by
 * a signal. The text names the program.
 */
MUST_CHECK int process_run(const struct process *process, struct error *err);

/*
 * When a process was started: ticks (sysconf(_SC_CLK_TCK)) since the host's boot, as field 22 of
 * proc_pid_stat(5) has it.
 *
 * Errors: ENOENT: there is no such process.
 */
MUST_CHECK int process_start_ticks(pid_t pid, uint64_t *ret, struct error *err);

/* The words that a process was executed with, appended; none of one that has ended. */
MUST_CHECK int process_argv(pid_t pid, struct strv *ret, struct error *err);

/* Send SIGTERM to a process that is there, and to none that has got its number since. 0: to none.
 */
void process_terminate(pid_t pid);

/*
 * Does the process of a descriptor (pidfd_open(2)) end before the deadline (host/os/clock.h)?
 * Without a descriptor (-1) that is waited for in vain.
 */
MUST_CHECK bool process_ends(int pidfd, uint64_t deadline_usec);
