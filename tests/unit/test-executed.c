/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processes of units before they are what they will be. */
#include "host/systemd/executed.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/os/clock.h"
#include "test.h"

TEST(a_program_has_its_words)
{
	CLEANUP(strv_done) struct strv argv = {};
	struct error err = {};
	CHECK(executed_is(getpid()));
	CHECK_INT(executed_argv(getpid(), 0, &argv, &err), 0);
	CHECK(argv.n > 0);
}

/* Whose program that of PID 1 is has not become another one yet, as PID 1 itself. */
TEST(systemd_is_not_what_it_executes)
{
	CLEANUP(strv_done) struct strv argv = {};
	struct error err = {};
	if (access("/proc/1/exe", R_OK) < 0)
		SKIP("the program of PID 1 can't be looked at");
	uint64_t begin = clock_now_usec();
	CHECK(!executed_is(1));
	CHECK_INT(executed_argv(1, clock_deadline_usec(20 * USEC_PER_MSEC), &argv, &err), -EAGAIN);
	CHECK(clock_now_usec() - begin >= 20 * USEC_PER_MSEC);
	CHECK_INT(argv.n, 0);
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
