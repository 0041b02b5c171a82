/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waiting for a QEMU that starts and shutting it down: scripted ones, and a real one. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "host/await.h"
#include "host/clock.h"
#include "host/shutdown.h"
#include "test.h"
#include "util/buf.h"
#include "util/strv.h"

#define LIMIT_USEC (20 * USEC_PER_SEC)
/* For what must not come. */
#define SHORT_USEC (100 * USEC_PER_MSEC)
/* For what has to come before time is up, on a slow host under valgrind too. */
#define AMPLE_USEC USEC_PER_SEC

/* ---- a QEMU that follows a row ---- */

struct fake {
	const char *state; /* as query-status tells it */
	const char *next;  /* its state after cont or system_wakeup; NULL: they are refused */
	int hears;	   /* the press that shuts it down; 0: none */
	int lingers;	   /* goes on for so many looks at it then, as if it ran */
	bool no_shutdown;  /* stays in the state "shutdown" then */
	bool deaf_to_quit; /* goes on after "quit" */
	bool stays;	   /* closes its monitor at the end, but goes on as a process */
	bool silent;	   /* greets, then never answers */
	bool dies;	   /* at the first command */
	bool refuses_button;
	unsigned listens_late; /* milliseconds until it makes its socket */

	/* Of the request. 0: so long that nothing of the test is ever late. */
	uint64_t press_usec, quit_wait_usec;
};

struct run {
	char dir[40], path[64];
	int log[2]; /* pipe: one line for each command */
	pid_t pid;
	uint64_t press_usec, quit_wait_usec;
	struct buf said;
};

static void say(int fd, const char *format, ...) PRINTF(2, 3);

static void say(int fd, const char *format, ...)
{
	CLEANUP(buf_done) struct buf text = {};
	va_list ap;
	va_start(ap, format);
	buf_vprintf(&text, format, ap);
	va_end(ap);
	if (send(fd, text.text, text.len, MSG_NOSIGNAL) != (ssize_t)text.len)
		_exit(9);
}

/* Obey one command. Returns false at the end of this QEMU. */
static bool obey(int fd, struct fake *f, const char *command, const char *id)
{
	static int n_presses, n_left;
	bool goes_on = strcmp(command, "cont") == 0 || strcmp(command, "system_wakeup") == 0;

	if (f->dies)
		return false;
	if (f->silent && strcmp(command, "qmp_capabilities") != 0)
		return true;
	if ((goes_on && !f->next) ||
			(f->refuses_button && strcmp(command, "system_powerdown") == 0)) {
		say(fd,
				"{\"id\": \"%s\", \"error\": {\"class\": \"GenericError\", "
				"\"desc\": \"not "
				"now\"}}\r\n",
				id);
		return true;
	}
	if (strcmp(command, "query-status") == 0)
		say(fd, "{\"id\": \"%s\", \"return\": {\"status\": \"%s\"}}\r\n", id, f->state);
	else
		say(fd, "{\"id\": \"%s\", \"return\": {}}\r\n", id);
	if (goes_on)
		f->state = f->next;
	if (strcmp(command, "system_powerdown") == 0 && ++n_presses == f->hears) {
		say(fd, "{\"event\": \"POWERDOWN\"}\r\n{\"event\": \"SHUTDOWN\", \"data\": "
			"{\"guest\": true, \"reason\": \"guest-shutdown\"}}\r\n");
		n_left = f->lingers;
		f->state = f->lingers > 0 ? "running" : "shutdown";
		return f->no_shutdown || f->lingers > 0;
	}
	if (n_left > 0 && strcmp(command, "query-status") == 0 && --n_left == 0)
		return false;
	if (strcmp(command, "quit") == 0 && !f->deaf_to_quit) {
		say(fd, "{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": false, \"reason\": "
			"\"host-qmp-quit\"}}\r\n");
		return false;
	}
	return true;
}

static void serve(int fd, struct fake *f, int log)
{
	static const char greeting[] = "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n";
	if (send(fd, greeting, sizeof(greeting) - 1, MSG_NOSIGNAL) < 0)
		return;
	FILE *in = fdopen(fd, "r");
	char line[1024], command[64], id[64];
	while (fgets(line, sizeof(line), in)) {
		const char *at = strstr(line, "\"id\":");
		if (sscanf(line, "{\"execute\":\"%63[^\"]", command) != 1 || !at ||
				sscanf(at, "\"id\":\"%63[^\"]", id) != 1)
			_exit(8);
		dprintf(log, "%s\n", command);
		if (!obey(fd, f, command, id))
			break;
	}
	fclose(in);
}

static void be_qemu(const struct run *run, struct fake f, int ready)
{
	alarm(60);
	poll(NULL, 0, (int)f.listens_late);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", run->path);
	int listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listen_fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
			listen(listen_fd, 1) < 0)
		_exit(7);
	close(ready);
	int fd = accept(listen_fd, NULL, NULL);
	close(listen_fd);
	serve(fd, &f, run->log[1]);
	if (f.stays)
		pause();
	_exit(0);
}

static struct run start(struct fake f)
{
	struct run run = {
		.dir = "/tmp/test-shutdown.XXXXXX",
		.press_usec = f.press_usec,
		.quit_wait_usec = f.quit_wait_usec,
	};
	int ready[2];
	if (!mkdtemp(run.dir) || pipe2(run.log, O_CLOEXEC) < 0 || pipe2(ready, O_CLOEXEC) < 0)
		abort();
	snprintf(run.path, sizeof(run.path), "%s/qmp", run.dir);
	fflush(stdout);
	run.pid = fork();
	if (run.pid == 0) {
		close(ready[0]);
		be_qemu(&run, f, ready[1]);
	}
	close(run.log[1]);
	close(ready[1]);
	char c;
	if (f.listens_late == 0 && read(ready[0], &c, 1) != 0)
		abort();
	close(ready[0]);
	return run;
}

static void end(struct run *run)
{
	kill(run->pid, SIGKILL);
	waitpid(run->pid, NULL, 0);
	close(run->log[0]);
	unlink(run->path);
	rmdir(run->dir);
	buf_done(&run->said);
}

/* What QEMU was told after the negotiation, each command where it came first. */
static const char *commands(const struct run *run)
{
	static char text[4096];
	CLEANUP(strv_done) struct strv all = {};
	char line[64];
	FILE *log = fdopen(dup(run->log[0]), "r");
	while (fgets(line, sizeof(line), log)) {
		line[strcspn(line, "\n")] = '\0';
		if (strcmp(line, "qmp_capabilities") != 0 && !strv_contains(&all, line))
			strv_push(&all, line);
	}
	fclose(log);
	text[0] = '\0';
	for (size_t i = 0; i < all.n; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i > 0 ? " " : "",
				all.items[i]);
	return text;
}

static void hear(void *data, const char *text)
{
	struct run *run = data;
	buf_printf(&run->said, "%s\n", text);
}

/* Missing under valgrind, which does not know the call. */
static bool have_pidfd(void)
{
	CLEANUP(closep) int fd = pidfd_open(getpid(), 0);
	return fd >= 0;
}

static int stop(struct run *run, pid_t pid, uint64_t timeout_usec, enum shutdown_outcome *ret,
		struct error *err)
{
	return shutdown_machine(
			&(struct shutdown_request){
					.path = run->path,
					.main_pid = pid <= 0 || have_pidfd() ? pid
									     : SHUTDOWN_PID_UNKNOWN,
					.timeout_usec = timeout_usec,
					.press_usec = run->press_usec ? run->press_usec
								      : LIMIT_USEC,
					.quit_wait_usec = run->quit_wait_usec ? run->quit_wait_usec
									      : LIMIT_USEC,
					.progress = hear,
					.data = run,
			},
			ret, err);
}

/* Stop it and compare what happened. */
static struct run check_stop(struct fake f, uint64_t timeout_usec, int expected,
		enum shutdown_outcome expected_outcome, const char *expected_commands)
{
	struct run run = start(f);
	struct error err = {};
	enum shutdown_outcome outcome = SHUTDOWN_NOT_RUNNING;
	int r = stop(&run, run.pid, timeout_usec, &outcome, &err);
	CHECK_INT(r, expected);
	if (r != expected)
		test_note("%s", err.text);
	CHECK_INT(err.code, -expected);
	if (r == 0)
		CHECK_INT(outcome, expected_outcome);
	if (f.stays || f.deaf_to_quit || timeout_usec == SHUTDOWN_PRESS_ONCE)
		kill(run.pid, SIGKILL);
	CHECK_STR(commands(&run), expected_commands);
	return run;
}

#define CHECK_SAID(run, part)                                                                      \
	do {                                                                                       \
		if (!strstr(buf_text(&(run).said), (part)))                                        \
			TEST_FAIL("\"%s\" was not said, but:\n%s", (part), buf_text(&(run).said)); \
	} while (0)

/* ---- shutdown ---- */

TEST(button_is_pressed_and_the_end_awaited)
{
	struct run run = check_stop((struct fake){ .state = "running", .hears = 1 }, LIMIT_USEC, 0,
			SHUTDOWN_DONE, "query-status system_powerdown");
	CHECK_SAID(run, "pressed the power button\nguest is shutting down (guest-shutdown)\n"
			"stopped after ");
	/* The process, not only its socket, is gone. */
	if (have_pidfd())
		CHECK_INT(waitpid(run.pid, NULL, WNOHANG), run.pid);
	end(&run);
}

TEST(button_is_pressed_again_until_the_guest_listens)
{
	struct run run = check_stop((struct fake){ .state = "running",
						    .hears = 3,
						    .press_usec = 2 * SHORT_USEC },
			LIMIT_USEC, 0, SHUTDOWN_DONE, "query-status system_powerdown");
	CHECK_SAID(run, "pressed the power button\npressed the power button again (2)\n"
			"pressed the power button again (3)\nguest is shutting down");
	end(&run);
}

TEST(paused_guest_is_resumed_first)
{
	struct run run = check_stop(
			(struct fake){ .state = "paused", .next = "running", .hears = 1 },
			LIMIT_USEC, 0, SHUTDOWN_DONE, "query-status cont system_powerdown");
	CHECK_SAID(run, "the guest is paused, resuming it\npressed the power button\n");
	end(&run);
}

TEST(sleeping_guest_is_woken_first)
{
	struct run run = check_stop(
			(struct fake){ .state = "suspended", .next = "running", .hears = 1 },
			LIMIT_USEC, 0, SHUTDOWN_DONE,
			"query-status system_wakeup system_powerdown");
	CHECK_SAID(run, "the guest sleeps, waking it\n");
	end(&run);
}

TEST(guest_that_cannot_be_resumed_is_ended_when_time_is_up)
{
	struct run run = check_stop((struct fake){ .state = "io-error" }, AMPLE_USEC, 0,
			SHUTDOWN_QUIT, "query-status cont system_powerdown quit");
	CHECK_SAID(run, "the guest waits since a disk failed, resuming it\n");
	CHECK_SAID(run, "QEMU refuses 'cont': not now\n");
	CHECK_SAID(run, "still running after 1 s, telling QEMU to quit\n");
	end(&run);
}

TEST(where_no_guest_runs_qemu_is_told_to_quit_at_once)
{
	static const char *const states[] = { "prelaunch", "inmigrate", "postmigrate", "shutdown",
		"guest-panicked", "internal-error" };
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		struct run run = check_stop((struct fake){ .state = states[i], .next = "running" },
				LIMIT_USEC, 0, SHUTDOWN_DONE, "query-status quit");
		CHECK_SAID(run, ", telling QEMU to quit\nstopped after ");
		CHECK(!strstr(buf_text(&run.said), "still running"));
		end(&run);
	}
}

TEST(guest_that_ignores_the_button_is_ended_when_time_is_up)
{
	struct run run = check_stop(
			(struct fake){ .state = "running", .press_usec = 2 * SHORT_USEC },
			AMPLE_USEC, 0, SHUTDOWN_QUIT, "query-status system_powerdown quit");
	CHECK_SAID(run, "pressed the power button again (2)\n");
	CHECK_SAID(run, "still running after 1 s, telling QEMU to quit\nstopped after ");
	CHECK(!strstr(buf_text(&run.said), "QEMU is ending"));
	end(&run);
}

TEST(qemu_that_stays_after_the_guest_is_told_to_quit)
{
	struct run run = check_stop((struct fake){ .state = "running",
						    .hears = 1,
						    .no_shutdown = true,
						    .press_usec = 2 * SHORT_USEC },
			LIMIT_USEC, 0, SHUTDOWN_DONE, "query-status system_powerdown quit");
	CHECK_SAID(run, "the guest has shut down, telling QEMU to quit\n");
	end(&run);
}

TEST(guest_that_is_going_is_left_alone)
{
	struct run run = check_stop((struct fake){ .state = "running",
						    .hears = 1,
						    .lingers = 3,
						    .press_usec = 2 * SHORT_USEC },
			LIMIT_USEC, 0, SHUTDOWN_DONE, "query-status system_powerdown");
	CHECK(!strstr(buf_text(&run.said), "again"));
	end(&run);
}

TEST(qemu_that_does_not_quit_is_an_error)
{
	struct run idle = start((struct fake){ .state = "prelaunch",
			.deaf_to_quit = true,
			.quit_wait_usec = 2 * SHORT_USEC });
	struct error why = {};
	enum shutdown_outcome unchanged;
	uint64_t begin = clock_now_usec();
	CHECK_INT(stop(&idle, idle.pid, LIMIT_USEC, &unchanged, &why), -ETIMEDOUT);
	CHECK(clock_now_usec() - begin < LIMIT_USEC / 4);
	end(&idle);

	struct run run = start((struct fake){ .state = "running",
			.deaf_to_quit = true,
			.quit_wait_usec = 2 * SHORT_USEC });
	struct error err = {};
	enum shutdown_outcome outcome;
	CHECK_INT(stop(&run, run.pid, SHORT_USEC, &outcome, &err), -ETIMEDOUT);
	if (!strstr(err.text, "QEMU still answers, 0.2 s after it was told to quit"))
		TEST_FAIL("it said: %s", err.text);
	end(&run);
}

TEST(qemu_that_closes_its_monitor_but_stays_is_an_error)
{
	if (!have_pidfd())
		SKIP("pidfd_open(2) is missing");
	struct run run = start((struct fake){ .state = "running",
			.hears = 1,
			.stays = true,
			.quit_wait_usec = 2 * SHORT_USEC });
	struct error err = {};
	enum shutdown_outcome outcome;
	CHECK_INT(stop(&run, run.pid, AMPLE_USEC, &outcome, &err), -ETIMEDOUT);
	if (!strstr(err.text, "has closed its monitor, but does not exit"))
		TEST_FAIL("it said: %s", err.text);
	end(&run);
	/* Who does not know the process takes the end of the monitor for the end. */
	run = start((struct fake){ .state = "running", .hears = 1, .stays = true });
	CHECK_INT(stop(&run, SHUTDOWN_PID_UNKNOWN, LIMIT_USEC, &outcome, &err), 0);
	CHECK_INT(outcome, SHUTDOWN_DONE);
	end(&run);
}

TEST(qemu_that_hangs_is_told_to_quit_and_then_an_error)
{
	struct run run = start((struct fake){
			.state = "running", .silent = true, .quit_wait_usec = 2 * SHORT_USEC });
	struct error err = {};
	enum shutdown_outcome outcome;
	CHECK_INT(stop(&run, run.pid, AMPLE_USEC, &outcome, &err), -ETIMEDOUT);
	CHECK_SAID(run, "QEMU does not answer 'query-status'\nstill running");
	kill(run.pid, SIGKILL);
	CHECK_STR(commands(&run), "query-status quit");
	end(&run);
}

TEST(qemu_that_dies_is_gone_and_it_is_said)
{
	struct run run = start((struct fake){ .state = "running", .dies = true });
	struct error err = {};
	enum shutdown_outcome outcome = SHUTDOWN_QUIT;
	CHECK_INT(stop(&run, run.pid, LIMIT_USEC, &outcome, &err), 0);
	CHECK_INT(outcome, SHUTDOWN_DONE);
	end(&run);
}

TEST(where_nothing_runs_nothing_is_done)
{
	if (!have_pidfd())
		SKIP("pidfd_open(2) is missing");
	struct run run = { .path = "/nonexistent/qmp" };
	struct error err = {};
	enum shutdown_outcome outcome = SHUTDOWN_QUIT;
	CHECK_INT(stop(&run, SHUTDOWN_PID_NONE, LIMIT_USEC, &outcome, &err), 0);
	CHECK_INT(outcome, SHUTDOWN_NOT_RUNNING);

	outcome = SHUTDOWN_QUIT;
	CHECK_INT(stop(&run, SHUTDOWN_PID_UNKNOWN, LIMIT_USEC, &outcome, &err), 0);
	CHECK_INT(outcome, SHUTDOWN_NOT_RUNNING);

	/* A process that was there when systemd looked, and is not any more. */
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	outcome = SHUTDOWN_QUIT;
	CHECK_INT(stop(&run, pid, LIMIT_USEC, &outcome, &err), 0);
	CHECK_INT(outcome, SHUTDOWN_NOT_RUNNING);
	CHECK_STR(buf_text(&run.said), "");
}

TEST(qemu_that_runs_without_its_socket_is_an_error)
{
	if (!have_pidfd())
		SKIP("pidfd_open(2) is missing");
	struct run run = start((struct fake){ .state = "running", .listens_late = 60000 });
	struct error err = {};
	enum shutdown_outcome outcome;
	CHECK_INT(stop(&run, run.pid, LIMIT_USEC, &outcome, &err), -ENOENT);
	if (!strstr(err.text, "runs, but cannot be talked to: there is no QMP socket"))
		TEST_FAIL("it said: %s", err.text);
	end(&run);
}

TEST(button_can_be_pressed_once_without_waiting)
{
	struct run run = check_stop((struct fake){ .state = "running" }, SHUTDOWN_PRESS_ONCE, 0,
			SHUTDOWN_PRESSED, "query-status system_powerdown");
	CHECK_STR(buf_text(&run.said), "pressed the power button\n");
	end(&run);
	run = check_stop((struct fake){ .state = "running", .refuses_button = true },
			SHUTDOWN_PRESS_ONCE, -EREMOTEIO, 0, "query-status system_powerdown");
	end(&run);
}

/* ---- await ---- */

static int await(const struct run *run, pid_t pid, uint64_t timeout_usec,
		const struct run_state **ret_state, struct error *err)
{
	return await_qmp(
			&(struct await_request){
					.path = run->path,
					.main_pid = have_pidfd() ? pid : 0,
					.deadline_usec = clock_deadline_usec(timeout_usec),
			},
			ret_state, err);
}

TEST(answer_with_a_state_that_is_up_ends_the_wait)
{
	static const char *const up[] = { "running", "paused", "inmigrate", "prelaunch", "newer" };
	for (size_t i = 0; i < ARRAY_SIZE(up); i++) {
		struct run run = start((struct fake){ .state = up[i] });
		const struct run_state *state = NULL;
		CHECK_INT(await(&run, run.pid, LIMIT_USEC, &state, NULL), 0);
		CHECK_STR(state ? state->name : NULL, i < 4 ? up[i] : "unknown");
		end(&run);
	}
}

TEST(state_that_is_not_up_is_a_failure)
{
	static const char *const down[] = { "internal-error", "shutdown", "guest-panicked" };
	for (size_t i = 0; i < ARRAY_SIZE(down); i++) {
		struct run run = start((struct fake){ .state = down[i] });
		struct error err = {};
		CHECK_INT(await(&run, run.pid, LIMIT_USEC, NULL, &err), -EREMOTEIO);
		CHECK(strncmp(err.text, "QEMU answers, but ", 18) == 0 &&
				strstr(err.text, down[i]));
		end(&run);
	}
}

TEST(socket_that_comes_late_is_awaited)
{
	struct run run = start((struct fake){ .state = "running", .listens_late = 50 });
	struct error err = {};
	CHECK_INT(await(&run, run.pid, LIMIT_USEC, NULL, &err), 0);
	CHECK_INT(err.code, 0);
	end(&run);
}

TEST(socket_that_never_comes_is_late)
{
	struct run run = start((struct fake){ .state = "running", .listens_late = 60000 });
	struct error err = {};
	CHECK_INT(await(&run, run.pid, SHORT_USEC, NULL, &err), -ENOENT);
	end(&run);
}

TEST(answer_that_never_comes_is_late)
{
	struct run run = start((struct fake){ .silent = true });
	struct error err = {};
	CHECK_INT(await(&run, run.pid, SHORT_USEC, NULL, &err), -ETIMEDOUT);
	end(&run);
}

TEST(end_of_qemu_ends_the_wait_at_once)
{
	if (!have_pidfd())
		SKIP("pidfd_open(2) is missing");
	/* Before it listens, while it listens, and when it is long gone. */
	struct run run = start((struct fake){ .listens_late = 60000 });
	struct error err = {};
	kill(run.pid, SIGKILL);
	uint64_t begin = clock_now_usec();
	CHECK_INT(await(&run, run.pid, LIMIT_USEC, NULL, &err), -ESRCH);
	char text[64];
	snprintf(text, sizeof(text), "QEMU (pid %d) has exited before it answered", run.pid);
	CHECK_STR(err.text, text);
	end(&run);

	run = start((struct fake){ .dies = true });
	CHECK_INT(await(&run, run.pid, LIMIT_USEC, NULL, &err), -ESRCH);
	pid_t pid = run.pid;
	end(&run);
	CHECK_INT(await(&run, pid, LIMIT_USEC, NULL, &err), -ESRCH);
	CHECK(clock_now_usec() - begin < LIMIT_USEC / 4);
}

/* ---- a real QEMU: its firmware runs and knows no power button ---- */

static bool start_qemu(struct run *run, const char *first, const char *second)
{
	*run = (struct run){ .dir = "/tmp/test-shutdown.XXXXXX", .press_usec = 2 * SHORT_USEC };
	if (!mkdtemp(run->dir) || pipe2(run->log, O_CLOEXEC) < 0)
		abort();
	snprintf(run->path, sizeof(run->path), "%s/qmp", run->dir);
	char monitor[128];
	snprintf(monitor, sizeof(monitor), "unix:%s,server=on,wait=off", run->path);
	fflush(stdout);
	run->pid = fork();
	if (run->pid == 0) {
		execlp("qemu-system-x86_64", "qemu-system-x86_64", "-nodefaults", "-display",
				"none", "-qmp", monitor, first, second, NULL);
		_exit(127);
	}
	close(run->log[1]);
	struct error err = {};
	if (await(run, run->pid, LIMIT_USEC, NULL, &err) == 0)
		return true;
	int status = 0;
	waitpid(run->pid, &status, WNOHANG);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 127)
		TEST_FAIL("QEMU is not up: %s", err.text);
	return false;
}

TEST(real_qemu_that_never_ran_quits)
{
	struct run run;
	if (!start_qemu(&run, "-S", NULL)) {
		end(&run);
		SKIP("qemu-system-x86_64 is not installed");
	}
	enum shutdown_outcome outcome = SHUTDOWN_NOT_RUNNING;
	CHECK_INT(stop(&run, run.pid, LIMIT_USEC, &outcome, NULL), 0);
	CHECK_INT(outcome, SHUTDOWN_DONE);
	CHECK_SAID(run, "the guest was never started, telling QEMU to quit\nstopped after ");
	end(&run);
}

TEST(real_qemu_whose_guest_ignores_the_button_quits_when_time_is_up)
{
	struct run run;
	if (!start_qemu(&run, "-accel", "tcg")) {
		end(&run);
		SKIP("qemu-system-x86_64 is not installed");
	}
	enum shutdown_outcome outcome = SHUTDOWN_NOT_RUNNING;
	struct error err = {};
	CHECK_INT(stop(&run, run.pid, AMPLE_USEC, &outcome, &err), 0);
	CHECK_INT(outcome, SHUTDOWN_QUIT);
	CHECK_SAID(run, "pressed the power button again (2)\n");
	CHECK_SAID(run, "still running after 1 s, telling QEMU to quit\nstopped after ");
	end(&run);
}

TEST_MAIN()
