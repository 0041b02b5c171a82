/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Work in processes of its own. */
#include "util/worker.h"

#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "util/file.h"

static void __attribute__((noreturn))
work(int fd, pid_t parent, worker_function *function, void *context)
{
	CLEANUP(buf_done) struct buf result = {};
	/* It may have ended before the first call had an effect. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	bool done = function(context, &result) && write_all(fd, buf_text(&result), result.len) == 0;
	/* Not exit(): what waits to be written in the streams belongs to the other process. */
	_exit(done ? 0 : 1);
}

void worker_start(struct worker *w, worker_function *function, void *context)
{
	*w = (struct worker){ .fd = memfd_create("result", MFD_CLOEXEC) };
	if (w->fd < 0)
		return;
	pid_t parent = getpid(), pid = fork();
	if (pid == 0)
		work(w->fd, parent, function, context);
	w->pid = pid > 0 ? pid : 0;
}

int worker_finish(struct worker *w, struct buf *ret)
{
	CLEANUP(closep) int fd = take_fd(&w->fd);
	int status = 1;
	if (!w->pid)
		return 0;
	while (waitpid(w->pid, &status, 0) < 0)
		if (errno != EINTR)
			return 0;
	w->pid = 0;
	if (status != 0 || lseek(fd, 0, SEEK_SET) < 0)
		return 0;
	return file_read_fd(fd, "the result", SIZE_MAX / 4, ret, NULL) == 0;
}

unsigned worker_cpus(void)
{
	cpu_set_t set;
	/* It fails where there are more than fit. */
	return sched_getaffinity(0, sizeof(set), &set) < 0 ? CPU_SETSIZE
							   : (unsigned)CPU_COUNT(&set);
}
