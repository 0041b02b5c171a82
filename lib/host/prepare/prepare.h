/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Preparing the host for the start of a machine, as its plan says (model/plan.h), and undoing that.
 *
 * A plan becomes a list of steps, in this order: directories are checked, files opened and copied,
 * the run directory and devices made, filters installed, taps made and connected, sockets made;
 * then all descriptors are given to systemd (host/systemd/fdstore.h) or to the caller. What can be
 * wrong in the configuration fails before anything is made.
 *
 * prepare_run() does all steps or none. prepare_teardown() undoes what it finds of any of them,
 * whoever was killed in the middle of what, and succeeds on a host where nothing was prepared.
 * One process at a time works on a machine (lock_machine() of host/os/lock.h).
 *
 * The thread enters the host's network namespace meanwhile and comes back; the process's umask
 * changes for moments.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "host/prepare/prepare-options.h"
#include "model/plan.h"
#include "util/cleanup.h"
#include "util/error.h"
#include "util/strv.h"

/*
 * Do what the plan says. On failure all that was done is undone; what cannot be undone is told at
 * the end of the error's text.
 *
 * @ret_fds: room for plan->n_fds descriptors, which become the caller's, in the plan's order: for
 *           who starts QEMU himself, as his own user. Those that may be missing are -1 then. NULL:
 *           systemd gets them, through @options->notify_socket
 *
 * Errors: those of the steps, each with a text that names what it was for; ENOTCONN: there is no
 * systemd to give them to; EBUSY: another process prepares this machine.
 */
MUST_CHECK int prepare_run(const struct plan *plan, const struct prepare_options *options,
		int *ret_fds, struct error *err);

/*
 * What is missing for it: each step that would fail now, as far as that shows without changing
 * anything. For a machine that runs, which has all that it needs but may not get it again.
 *
 * @ret_faults: a text for each, with what to do about it, is appended
 */
void prepare_check(const struct plan *plan, const struct prepare_options *options,
		struct strv *ret_faults);

/*
 * Undo it, in reverse, going on after failures.
 *
 * @options: without notify_socket nothing is taken back from systemd, which forgets everything
 *           by itself when the unit is down
 * @ret_failures: a text for each failure is appended
 *
 * Returns 0 or the first failure's negative errno.
 */
MUST_CHECK int prepare_teardown(const struct plan *plan, const struct prepare_options *options,
		struct strv *ret_failures);

/*
 * After QEMU was started: wait until it answers (host/qmp/await.h), give the sockets that it has
 * made itself to the operators' group, and take the descriptors back from systemd, so that files,
 * taps and clients depend on QEMU alone.
 *
 * @main_pid: $MAINPID; 0: not known
 *
 * Errors: those of await_qmp() and of the store; EINVAL: the plan is not of a QEMU.
 */
MUST_CHECK int prepare_await(const struct plan *plan, const struct prepare_options *options,
		pid_t main_pid, uint64_t deadline_usec, struct error *err);

/*
 * A line for each step, or for each that is undone, in order: what a dry run shows. Pure.
 *
 * @keeps_fds: as prepare_run() does them with @ret_fds
 */
void prepare_describe(const struct plan *plan, bool keeps_fds, struct strv *ret_lines);
void prepare_describe_teardown(const struct plan *plan, struct strv *ret_lines);
/* The same of prepare_await(). Errors: EINVAL: the plan is not of a QEMU. */
MUST_CHECK int prepare_describe_await(
		const struct plan *plan, struct strv *ret_lines, struct error *err);
