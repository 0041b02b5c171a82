/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ending a child at any point where it makes a difference: before its n-th system call that can
 * change anything that others see.
 *
 *	unsigned n = 0;
 *	for (int r = 1; r > 0; n++) {
 *		pid_t child = kill_child_fork();
 *		if (child == 0)
 *			_exit(do_it() < 0);
 *		r = kill_child_at(child, n);
 *		...
 *	}
 */
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/cleanup.h"

/* fork(2); the child waits to be driven. */
static inline pid_t kill_child_fork(void)
{
	pid_t child = fork();
	if (child != 0)
		return child;
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		_exit(3);
	raise(SIGSTOP);
	return 0;
}

/* Does the call that the child is about to make change nothing? */
static inline bool kill_child_looks_only(pid_t child)
{
	static const long quiet[] = { SYS_read, SYS_close, SYS_fstat, SYS_newfstatat, SYS_lseek,
		SYS_mmap, SYS_munmap, SYS_mprotect, SYS_brk, SYS_access, SYS_faccessat,
		SYS_faccessat2, SYS_readlink, SYS_readlinkat, SYS_getdents64, SYS_getpid,
		SYS_getppid, SYS_gettid, SYS_madvise, SYS_rt_sigprocmask, SYS_rt_sigaction,
		SYS_clock_gettime, SYS_ppoll, SYS_poll, SYS_getuid, SYS_geteuid, SYS_dup, SYS_fcntl,
		SYS_getrandom, SYS_futex, SYS_socket, SYS_recvfrom, SYS_lstat, SYS_stat,
		SYS_sigaltstack, SYS_umask, SYS_pipe2, SYS_wait4, SYS_close_range, SYS_dup2,
		SYS_fsync, SYS_connect, SYS_flock, SYS_exit_group, SYS_lseek };
	struct __ptrace_syscall_info info = {};
	if (ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof(info), &info) < 0 ||
			info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return true;
	if (info.entry.nr == SYS_openat)
		return !(info.entry.args[2] & O_CREAT);
	for (size_t i = 0; i < ARRAY_SIZE(quiet); i++)
		if (info.entry.nr == (unsigned long)quiet[i])
			return true;
	return false;
}

/* 1: it was ended; 0: it came to its own end, with status 0; -1: with another one. */
static inline int kill_child_at(pid_t child, unsigned n)
{
	int status;
	if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status) ||
			ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESYSGOOD) < 0)
		return -1;
	for (;;) {
		if (ptrace(PTRACE_SYSCALL, child, NULL, NULL) < 0 ||
				waitpid(child, &status, 0) != child)
			return -1;
		if (WIFEXITED(status))
			return WEXITSTATUS(status) == 0 ? 0 : -1;
		/* Its own children come and go: no stop at a call. */
		if (!WIFSTOPPED(status) || WSTOPSIG(status) != (SIGTRAP | 0x80) ||
				kill_child_looks_only(child))
			continue;
		if (n-- == 0)
			break;
	}
	kill(child, SIGKILL);
	while (waitpid(child, &status, 0) == child && !WIFSIGNALED(status) && !WIFEXITED(status))
		continue;
	return 1;
}
