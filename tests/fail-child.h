/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Failing a child's n-th system call, whoever makes it: the call is not done, and returns an error.
 *
 *	for (unsigned n = 0;; n++) {
 *		pid_t child = kill_child_fork();
 *		if (child == 0)
 *			_exit(do_it() < 0);
 *		struct fail_result result = fail_child_at(child, n, EPERM, NULL, 0);
 *		if (!result.failed)
 *			break;
 *		...
 *	}
 *
 * Memory is not among them, nor what cannot fail in a way that a program could do something about.
 */
#pragma once

#include <errno.h>
#include <sys/user.h>

#include "kill-child.h"

#if defined(__x86_64__)
#define FAIL_CHILD_WORKS true
#else
#define FAIL_CHILD_WORKS false
#endif

struct fail_result {
	bool failed; /* there was an n-th call */
	long call;   /* which one */
	int status;  /* as the child has ended; -1: by a signal */
};

static inline bool fail_child_passes(unsigned long long call)
{
	static const unsigned long long never[] = { SYS_mmap, SYS_munmap, SYS_mprotect, SYS_mremap,
		SYS_brk, SYS_madvise, SYS_close, SYS_close_range, SYS_exit, SYS_exit_group,
		SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sigaltstack,
		SYS_restart_syscall, SYS_futex, SYS_getpid, SYS_gettid, SYS_getuid, SYS_geteuid,
		SYS_getgid, SYS_getegid, SYS_umask, SYS_clock_gettime, SYS_getrandom,
		SYS_sched_yield };
	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		if (call == never[i])
			return true;
	return false;
}

/* At the beginning of a call: make it one that does not exist, and at its end, its result. */
static inline void fail_child_call(pid_t child, int code)
{
#if defined(__x86_64__)
	struct user_regs_struct regs;
	int status;
	if (ptrace(PTRACE_GETREGS, child, NULL, &regs) < 0)
		return;
	regs.orig_rax = (unsigned long long)-1;
	if (ptrace(PTRACE_SETREGS, child, NULL, &regs) < 0 ||
			ptrace(PTRACE_SYSCALL, child, NULL, NULL) < 0 ||
			waitpid(child, &status, 0) != child || !WIFSTOPPED(status))
		return;
	regs.rax = (unsigned long long)-code;
	ptrace(PTRACE_SETREGS, child, NULL, &regs);
#else
	(void)child, (void)code;
#endif
}

/* @only: the calls that count; NULL: all */
static inline struct fail_result fail_child_at(
		pid_t child, unsigned n, int code, const long *only, size_t n_only)
{
	struct fail_result result = { .status = -1 };
	int status, signal = 0;
	if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status) ||
			ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESYSGOOD) < 0)
		return result;
	while (ptrace(PTRACE_SYSCALL, child, NULL, signal) == 0 &&
			waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
		bool is_call = WSTOPSIG(status) == (SIGTRAP | 0x80);
		struct __ptrace_syscall_info info = {};
		signal = is_call ? 0 : WSTOPSIG(status);
		if (!is_call || result.failed ||
				ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof(info), &info) < 0 ||
				info.op != PTRACE_SYSCALL_INFO_ENTRY ||
				fail_child_passes(info.entry.nr))
			continue;
		bool counts = !only;
		for (size_t i = 0; i < n_only; i++)
			counts |= info.entry.nr == (unsigned long long)only[i];
		if (!counts || n-- > 0)
			continue;
		fail_child_call(child, code);
		result.failed = true;
		result.call = (long)info.entry.nr;
	}
	if (WIFEXITED(status))
		result.status = WEXITSTATUS(status);
	return result;
}
