/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waiting until a QEMU that was just started answers. */
#include "host/qmp/await.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "host/os/clock.h"

/* Between attempts while there is no listening socket yet. */
#define RETRY_USEC (10 * USEC_PER_MSEC)

void await_leave_mounts(void)
{
	CLEANUP(closep) int mounts = open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (mounts >= 0)
		(void)!setns(mounts, CLONE_NEWNS);
}

static int exited(pid_t pid, struct error *err)
{
	return error_set(err, ESRCH, "QEMU (pid %d) has exited before it answered", pid);
}

/* Connect, as often as it takes until somebody listens. Returns as qmp_open() does. */
static int connect_patiently(
		const struct await_request *request, int pidfd, struct qmp **ret, struct error *err)
{
	for (;;) {
		int r = qmp_open(request->path, pidfd, request->deadline_usec, ret, err);
		if (r != QMP_ABSENT || clock_now_usec() >= request->deadline_usec)
			return r;
		struct pollfd gone = { .fd = pidfd, .events = POLLIN };
		if (clock_poll(&gone, 1, clock_deadline_usec(RETRY_USEC)) > 0)
			return QMP_CLOSED;
	}
}

static int wait_for_state(const struct await_request *request, int pidfd,
		const struct run_state **ret, struct error *err)
{
	CLEANUP(qmp_freep) struct qmp *qmp = NULL;
	int r = connect_patiently(request, pidfd, &qmp, err);
	if (r == QMP_DONE)
		r = run_state_query(qmp, request->deadline_usec, ret, err);
	if (r == QMP_CLOSED && pidfd >= 0)
		return exited(request->main_pid, err);
	if (r != QMP_DONE)
		return r < 0 ? r : -err->code;
	if (!(*ret)->up)
		return error_set(err, EREMOTEIO, "QEMU answers, but %s (state '%s')",
				(*ret)->meaning, (*ret)->name);
	return 0;
}

int await_qmp(const struct await_request *request, const struct run_state **ret_state,
		struct error *err)
{
	CLEANUP(closep) int pidfd = -1;
	if (request->main_pid > 0) {
		pidfd = pidfd_open(request->main_pid, 0);
		if (pidfd < 0 && errno == ESRCH)
			return exited(request->main_pid, err);
		if (pidfd < 0)
			return error_errno(err, "cannot watch process %d", request->main_pid);
	}

	/* Attempts that failed before the good one are no news. */
	struct error own = {};
	const struct run_state *state = NULL;
	int r = wait_for_state(request, pidfd, &state, &own);
	if (r < 0 && err)
		*err = own;
	else if (r == 0 && ret_state)
		*ret_state = state;
	return r;
}
