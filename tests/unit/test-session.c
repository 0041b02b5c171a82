/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine in the foreground: what an order of events does that no guest can be made to have. */
#include "hook/run-session.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/output.h"
#include "test.h"

/* What the session says goes nowhere, but for these: */
static bool is_busy, said_at_once;

void style_begin(FILE *to, enum style style)
{
	(void)to, (void)style;
}

void style_end(FILE *to, enum style style)
{
	(void)to, (void)style;
}

void put_text(FILE *to, const char *text)
{
	(void)to;
	said_at_once |= strstr(text, "stopping QEMU at once") != NULL;
	if (!is_busy || !strstr(text, "asking the guest"))
		return;
	/* Sent right behind the first one, and read later. */
	kill(getpid(), SIGTERM);
	usleep(700000);
}

char *format_size(uint64_t bytes)
{
	(void)bytes;
	return calloc(1, 1);
}

static pid_t start_bystander(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		alarm(300);
		pause();
		_exit(0);
	}
	return pid;
}

/* In a process group of its own. Returns what is wrong, 0: nothing. */
static int ask_twice_behind_the_end(void)
{
	struct plan_fd monitor = {
		.kind = PLAN_FD_LISTEN, .name = PLAN_MONITOR_HOOKS, .path = "/nonexistent/qmp"
	};
	const struct plan plan = { .machine = "web", .fds = &monitor, .n_fds = 1 };
	struct session session;
	struct error err = {};
	siginfo_t info;
	/* Whoever tells the whole group tells itself, again and again. */
	alarm(300);
	if (setpgid(0, 0) < 0 || session_begin(&session, &plan, &err) < 0)
		return 1;
	pid_t bystander = start_bystander();
	session.qemu_pid = fork();
	if (session.qemu_pid == 0)
		_exit(0);
	if (waitid(P_PID, (id_t)session.qemu_pid, &info, WEXITED | WNOWAIT) < 0)
		return 2;
	/* That of the thread is read before those of the process. */
	raise(SIGCHLD);
	kill(getpid(), SIGINT);
	kill(getpid(), SIGTERM);
	if (session_run(&session, &err) < 0)
		return 3;
	session_done(&session);
	bool is_alive = waitpid(bystander, NULL, WNOHANG) == 0;
	kill(bystander, SIGKILL);
	return !is_alive ? 4 : session.is_asked ? 5 : 0;
}

/* On a host that is busy with other things. Returns what is wrong, 0: nothing. */
static int ask_twice_in_one_go(void)
{
	struct plan_fd monitor = {
		.kind = PLAN_FD_LISTEN, .name = PLAN_MONITOR_HOOKS, .path = "/nonexistent/qmp"
	};
	const struct plan plan = { .machine = "web", .fds = &monitor, .n_fds = 1 };
	struct session session;
	struct error err = {};
	alarm(300);
	pid_t qemu = start_bystander();
	if (session_begin(&session, &plan, &err) < 0)
		return 1;
	session.qemu_pid = qemu;
	is_busy = true;
	kill(getpid(), SIGTERM);
	/* Without a monitor the guest can't be asked, and QEMU is told to end. */
	if (session_run(&session, &err) < 0)
		return 2;
	session_done(&session);
	return !session.is_asked ? 3 : said_at_once ? 4 : 0;
}

static void check_in_child(int (*fn)(void))
{
	int status = -1;
	pid_t pid = fork();
	if (pid == 0)
		_exit(fn());
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status));
	CHECK_INT(WEXITSTATUS(status), 0);
}

TEST(who_asks_again_when_qemu_has_just_ended_ends_nobody_else)
{
	check_in_child(ask_twice_behind_the_end);
}

TEST(what_was_sent_at_once_and_is_read_late_is_one_request)
{
	check_in_child(ask_twice_in_one_go);
}

TEST_MAIN()
