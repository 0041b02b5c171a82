/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processes of units before they are what they will be. */
#include "host/systemd/executed.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/os/clock.h"
#include "scratch.h"
#include "test.h"

TEST(a_program_has_its_words)
{
	CLEANUP(strv_done) struct strv argv = {};
	struct error err = {};
	CHECK(executed_is(getpid()));
	CHECK_INT(executed_argv(getpid(), 0, &argv, &err), 0);
	CHECK(argv.n > 0);
}

/* A program of the name that systemd's executor has, which pauses until it is killed; 0: it is not
 * there. */
static pid_t begin_executor(void)
{
	CLEANUP(buf_done) struct buf program = {};
	struct error err = {};
	if (file_read("/bin/sleep", 1 << 24, &program, &err) < 0) {
		TEST_FAIL("%s", err.text);
		return 0;
	}
	put_bytes("systemd-executor", buf_text(&program), program.len);
	const char *path = scratch_path("systemd-executor");
	int started[2];
	if (chmod(path, 0700) < 0 || pipe2(started, O_CLOEXEC) < 0) {
		TEST_FAIL("%s: %m", path);
		return 0;
	}
	pid_t pid = fork();
	if (pid == 0) {
		execl(path, path, "infinity", (char *)NULL);
		_exit(127);
	}
	close(started[1]);
	char none;
	CHECK_INT(read(started[0], &none, 1), 0);
	close(started[0]);
	return pid;
}

TEST(systemd_is_not_what_it_executes)
{
	CLEANUP(strv_done) struct strv argv = {};
	struct error err = {};
	scratch_begin();
	pid_t pid = begin_executor();
	if (pid > 0) {
		uint64_t begin = clock_now_usec();
		CHECK(!executed_is(pid));
		CHECK_INT(executed_argv(pid, clock_deadline_usec(20 * USEC_PER_MSEC), &argv, &err),
				-EAGAIN);
		CHECK(clock_now_usec() - begin >= 20 * USEC_PER_MSEC);
		CHECK_INT(argv.n, 0);
		CHECK_INT(kill(pid, SIGKILL), 0);
		CHECK_INT(waitpid(pid, NULL, 0), pid);
	}
	scratch_end();
}

/* Not even until its parent has asked for its status. */
TEST(what_has_ended_is_not_waited_for)
{
	CLEANUP(strv_done) struct strv argv = {};
	struct error err = {};
	siginfo_t info;
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	CHECK_INT(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	CHECK_INT(executed_argv(pid, DEADLINE_NEVER, &argv, &err), -ESRCH);
	CHECK_INT(waitpid(pid, NULL, 0), pid);
	CHECK_INT(executed_argv(pid, DEADLINE_NEVER, &argv, &err), -ESRCH);
}

TEST_MAIN()
