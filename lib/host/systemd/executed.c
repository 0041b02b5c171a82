/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processes of units before they are what they will be. */
#include "host/systemd/executed.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/os/clock.h"
#include "host/os/process.h"
#include "util/mem.h"

enum look { ENDED, FORKED, EXECUTED };

static enum look look(pid_t pid)
{
	CLEANUP(freep) char *exe_link = xasprintf("/proc/%d/exe", pid);
	char target[PATH_MAX];
	struct stat own, first;
	ssize_t n = readlink(exe_link, target, sizeof(target) - 1);
	if (n < 0)
		return errno == EACCES || errno == EPERM ? EXECUTED : ENDED;
	target[n] = '\0';
	bool is_systemd = strstr(target, "/systemd-executor") ||
			  (stat(exe_link, &own) == 0 && stat("/proc/1/exe", &first) == 0 &&
					  own.st_dev == first.st_dev && own.st_ino == first.st_ino);
	return is_systemd ? FORKED : EXECUTED;
}

bool executed_is(pid_t pid)
{
	return look(pid) != FORKED;
}

int executed_argv(pid_t pid, uint64_t deadline_usec, struct strv *ret, struct error *err)
{
	for (;;) {
		enum look now = look(pid);
		if (now == ENDED)
			return error_set(err, ESRCH, "process %d has ended", pid);
		/* They stand in its memory a moment later than the program itself. */
		int r = now == EXECUTED ? process_argv(pid, ret, err) : 0;
		if (r < 0 || ret->n > 0)
			return r;
		if (clock_now_usec() >= deadline_usec)
			return error_set(err, EAGAIN, "systemd has not executed process %d yet",
					pid);
		clock_pause(USEC_PER_MSEC);
	}
}
