/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kill-at FILE PROGRAM [ARGUMENT...]: run a program, and kill it just before the Nth of its system
 * calls that changes something outside of the process. N is what FILE holds.
 *
 * This process becomes the program, so that a hook of a unit is still what systemd expects to hear
 * from; a child watches it.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/cleanup.h"

static const unsigned long long changing[] = {
	SYS_bind,
	SYS_chmod,
	SYS_connect,
	SYS_fchmod,
	SYS_fchmodat,
	SYS_fchown,
	SYS_fchownat,
	SYS_flock,
	SYS_ftruncate,
	SYS_ioctl,
	SYS_link,
	SYS_linkat,
	SYS_listen,
	SYS_memfd_create,
	SYS_mkdir,
	SYS_mkdirat,
	SYS_mount,
	SYS_rename,
	SYS_renameat,
	SYS_renameat2,
	SYS_rmdir,
	SYS_sendmsg,
	SYS_sendto,
	SYS_setns,
	SYS_symlink,
	SYS_symlinkat,
	SYS_unlink,
	SYS_unlinkat,
	SYS_umask,
	SYS_write,
};

static bool changes(const struct __ptrace_syscall_info *call)
{
	if (call->entry.nr == SYS_openat)
		return call->entry.args[2] & (O_CREAT | O_WRONLY | O_RDWR);
	for (size_t i = 0; i < ARRAY_SIZE(changing); i++)
		if (call->entry.nr == changing[i])
			return true;
	return false;
}

static bool begins_to_run(int status)
{
	return WIFSTOPPED(status) && status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8);
}

/* Is the stopped process about to make a call that counts? */
static bool is_change(pid_t pid)
{
	struct __ptrace_syscall_info call;
	return ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(call), &call) >= 0 &&
	       call.op == PTRACE_SYSCALL_INFO_ENTRY && changes(&call);
}

static void follow(pid_t pid, unsigned long n)
{
	bool runs = false;
	int status, signal = 0;
	while (ptrace(PTRACE_SYSCALL, pid, NULL, signal) == 0 &&
			waitpid(pid, &status, __WALL) > 0) {
		if (!WIFSTOPPED(status))
			return;
		bool is_call = WSTOPSIG(status) == (SIGTRAP | 0x80);
		runs |= begins_to_run(status);
		signal = is_call || status >> 16 ? 0 : WSTOPSIG(status);
		if (!runs || !is_call || !is_change(pid) || --n > 0)
			continue;
		kill(pid, SIGKILL);
		return;
	}
	perror("kill-at");
}

static void watch(pid_t pid, const char *file, int ready)
{
	int status;
	FILE *f = fopen(file, "re");
	unsigned long n;
	if (!f || fscanf(f, "%lu", &n) != 1 || n == 0)
		return;
	fclose(f);
	if (ptrace(PTRACE_SEIZE, pid, NULL,
			    PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL) < 0 ||
			ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) < 0 ||
			waitpid(pid, &status, __WALL) < 0) {
		perror("kill-at: cannot watch");
		return;
	}
	if (write(ready, "", 1) == 1)
		follow(pid, n);
}

int main(int argc, char **argv)
{
	int ready[2];
	char byte;
	if (argc < 3 || pipe2(ready, O_CLOEXEC) < 0) {
		fputs("usage: kill-at FILE PROGRAM [ARGUMENT...]\n", stderr);
		return 2;
	}
	pid_t child = fork();
	if (child == 0) {
		close(ready[0]);
		watch(getppid(), argv[1], ready[1]);
		_exit(0);
	}
	close(ready[1]);
	if (child < 0 || read(ready[0], &byte, 1) != 1)
		return 126;
	execv(argv[2], argv + 2);
	perror(argv[2]);
	return 126;
}
