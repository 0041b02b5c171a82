/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fork(2), exec(3), waitpid(2). */
#include "host/os/process.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/os/clock.h"
#include "util/file.h"
#include "util/mem.h"
#include "util/parse.h"

#define STAT_MAX 4096
#define CMDLINE_MAX ((size_t)4 << 20)

/* A child with these could answer to systemd for us, or take descriptors that are not its own. */
static const char *const systemd_variables[] = {
	"NOTIFY_SOCKET",
	"LISTEN_FDS",
	"LISTEN_FDNAMES",
	"LISTEN_PID",
	"WATCHDOG_PID",
	"WATCHDOG_USEC",
};

static int to_number(int fd, int number)
{
	/* dup2(2) of a descriptor to itself would leave it to be closed. */
	if (fd == number)
		return fcntl(fd, F_SETFD, 0);
	return dup2(fd, number);
}

/*
 * Put descriptors where the program looks for them. Numbers that are wanted may be in use, by
 * another one of the list for instance: all move out of the way first.
 *
 * @tell_fd: may move as well
 */
static int arrange_fds(const struct process *process, int *tell_fd, struct error *err)
{
	const int end = PROCESS_FD_FIRST + (int)process->n_fds;
	const int output_fd = process->output_fd ? *process->output_fd : -1;
	CLEANUP(freep) int *moved = xcalloc(process->n_fds + 1, sizeof(*moved));
	if (output_fd >= 0 && (to_number(output_fd, STDOUT_FILENO) < 0 ||
					      to_number(output_fd, STDERR_FILENO) < 0))
		return error_errno(err, "cannot redirect the output");
	for (size_t i = 0; i < process->n_fds; i++)
		if ((moved[i] = fcntl(process->fds[i], F_DUPFD_CLOEXEC, end)) < 0)
			return error_errno(err, "cannot hand over a descriptor");
	if ((*tell_fd = fcntl(*tell_fd, F_DUPFD_CLOEXEC, end)) < 0)
		return error_errno(err, "cannot hand over descriptors");
	for (size_t i = 0; i < process->n_fds; i++)
		if (to_number(moved[i], PROCESS_FD_FIRST + (int)i) < 0)
			return error_errno(err, "cannot hand over a descriptor");
	/* What we were given by whoever has started us is none of its business. */
	if (process->n_fds && close_range((unsigned)end, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		return error_errno(err, "cannot close descriptors");
	return 0;
}

static void reset_signals(void)
{
	sigset_t none;
	sigemptyset(&none);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Everything between fork() and the program. Returns when it could not be started. */
static int start(const struct process *process, pid_t parent, int *tell_fd, struct error *err)
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
	int r = arrange_fds(process, tell_fd, err);
	reset_signals();
	file_allow_as_given();
	if (r == 0 && process->prepare)
		r = process->prepare(process->data, err);
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

int process_check(int status, const char *name, struct error *err)
{
	if (WIFSIGNALED(status))
		return error_set(err, EIO, "'%s' was ended by signal %d (%s)", name,
				WTERMSIG(status), strsignal(WTERMSIG(status)));
	if (WEXITSTATUS(status) != 0)
		return error_set(err, EIO, "'%s' has failed with status %d", name,
				WEXITSTATUS(status));
	return 0;
}

static int wait_for(pid_t child, int *ret_status)
{
	while (waitpid(child, ret_status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

int process_start(const struct process *process, pid_t *ret_pid, struct error *err)
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
		(void)!start(process, parent, &write_end, &failure);
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
	if (n != (ssize_t)sizeof(failure)) {
		*ret_pid = child;
		return 0;
	}
	int status;
	(void)!wait_for(child, &status);
	return error_set(err, failure.code, "%s", failure.text);
}

int process_run(const struct process *process, struct error *err)
{
	pid_t child = -1;
	int status;
	int r = process_start(process, &child, err);
	if (r < 0)
		return r;
	r = wait_for(child, &status);
	if (r < 0)
		return error_code(err, r, "cannot wait for '%s'", process->argv[0]);
	return process_check(status, process->argv[0], err);
}

int process_start_ticks(pid_t pid, uint64_t *ret, struct error *err)
{
	enum { FIELD = 22, FIRST_AFTER_NAME = 3 };
	CLEANUP(freep) char *path = xasprintf("/proc/%d/stat", pid);
	CLEANUP(buf_done) struct buf text = {};
	int r = file_read(path, STAT_MAX, &text, err);
	if (r < 0)
		return r;
	/* The name of the program may hold anything, also blanks. */
	char *rest = text.len ? strrchr(text.text, ')') : NULL;
	rest = rest && rest[1] ? rest + 2 : NULL;
	for (int i = FIRST_AFTER_NAME; rest && i < FIELD; i++)
		strsep(&rest, " ");
	const char *word = strsep(&rest, " ");
	if (!word || parse_u64(word, ret) < 0)
		return error_set(err, EINVAL, "'%s' does not say when it started", path);
	return 0;
}

int process_argv(pid_t pid, struct strv *ret, struct error *err)
{
	CLEANUP(freep) char *path = xasprintf("/proc/%d/cmdline", pid);
	CLEANUP(buf_done) struct buf words = {};
	int r = file_read(path, CMDLINE_MAX, &words, err);
	for (size_t i = 0; r == 0 && i < words.len; i += strlen(&words.text[i]) + 1)
		strv_push(ret, &words.text[i]);
	return r;
}

void process_terminate(pid_t pid)
{
	CLEANUP(closep) int pidfd = pid > 0 ? pidfd_open(pid, 0) : -1;
	if (pidfd >= 0)
		pidfd_send_signal(pidfd, SIGTERM, NULL, 0);
}

bool process_ends(int pidfd, uint64_t deadline_usec)
{
	struct pollfd gone = { .fd = pidfd, .events = POLLIN };
	int n;
	do
		n = clock_poll(&gone, 1, deadline_usec);
	while (n < 0 && errno == EINTR);
	return n > 0;
}
