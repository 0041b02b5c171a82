/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fork(2), exec(3), waitpid(2). */
#include "host/process.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* A child with these could answer to systemd for us, or take descriptors that are not its own. */
static const char *const systemd_variables[] = {
	"NOTIFY_SOCKET",
	"LISTEN_FDS",
	"LISTEN_FDNAMES",
	"LISTEN_PID",
	"WATCHDOG_PID",
	"WATCHDOG_USEC",
};

/* Everything between fork() and the program. Returns when it could not be started. */
static int start(const struct process *process, pid_t parent, struct error *err)
{
	/* Also when this process is killed, nothing goes on behind its back. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return error_errno(err, "cannot tie the child to its parent");
	if (getppid() != parent)
		return error_set(err, ESRCH, "its parent has ended");
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0)
		return error_errno(err, "cannot open '/dev/null'");
	for (size_t i = 0; i < ARRAY_SIZE(systemd_variables); i++)
		unsetenv(systemd_variables[i]);
	int r = process->prepare ? process->prepare(process->data, err) : 0;
	if (r < 0)
		return r;

	/* execvp(3) does not write to its arguments. */
	union {
		const char *const *in;
		char *const *out;
	} argv = { .in = process->argv }, environment = { .in = process->environment };
	if (process->environment)
		execvpe(process->argv[0], argv.out, environment.out);
	else
		execvp(process->argv[0], argv.out);
	return error_errno(err, "cannot run '%s'", process->argv[0]);
}

static int wait_for(pid_t child, const char *name, struct error *err)
{
	int status;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return error_errno(err, "cannot wait for '%s'", name);
	if (WIFSIGNALED(status))
		return error_set(err, EIO, "'%s' was ended by signal %d (%s)", name,
				WTERMSIG(status), strsignal(WTERMSIG(status)));
	if (WEXITSTATUS(status) != 0)
		return error_set(err, EIO, "'%s' has failed with status %d", name,
				WEXITSTATUS(status));
	return 0;
}

int process_run(const struct process *process, struct error *err)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	CLEANUP(closep) int read_end = ends[0];
	CLEANUP(closep) int write_end = ends[1];

	pid_t parent = getpid();
	pid_t child = fork();
	if (child < 0)
		return error_errno(err, "cannot start '%s'", process->argv[0]);
	if (child == 0) {
		/* A struct error has no pointers but the names of files, which are not set here. */
		struct error failure = {};
		(void)!start(process, parent, &failure);
		(void)!write(write_end, &failure, sizeof(failure));
		_exit(127);
	}
	closep(&write_end);

	/* The pipe closes when the program starts; a failure before that comes through it. */
	struct error failure = {};
	ssize_t n;
	do
		n = read(read_end, &failure, sizeof(failure));
	while (n < 0 && errno == EINTR);
	int r = wait_for(child, process->argv[0], err);
	if (n == (ssize_t)sizeof(failure))
		return error_set(err, failure.code, "%s", failure.text);
	return r;
}
