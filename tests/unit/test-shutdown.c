/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waiting for a QEMU that starts and shutting it down: scripted ones, and a real one. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "host/machine/shutdown.h"
#include "host/os/clock.h"
#include "host/qmp/await.h"
#include "pidfd.h"
#include "test.h"
#include "util/buf.h"
#include "util/mem.h"
#include "util/strv.h"

#define LIMIT_USEC (120 * USEC_PER_SEC)
/* Longer than be_qemu() lives. */
#define LONG_USEC (180 * USEC_PER_SEC)
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
	bool hangs;	   /* never answers "cont", which is a callback that would wait long */
	bool refuses_button;
	bool is_old;		   /* does not know set-action */
	bool stays_with_guest_off; /* as set-action says, or what another has left */
	/* At the press of that number: */
	int panics, pauses, reboots;
	bool keeps_pausing;    /* and at each */
	bool floods;	       /* tells of events without end from the first press on */
	bool no_agent;	       /* nobody in the guest has opened its channel */
	int opens_late;	       /* nor for so many looks at it */
	int busy;	       /* in its state for so many looks, then in the next */
	unsigned listens_late; /* milliseconds until it makes its socket */

	/* Of the request. 0: so long that nothing of the test is ever late. */
	uint64_t press_usec, quit_wait_usec, timeout_usec;
};

struct run {
	char *dir, path[108]; /* as long as a socket's may be */
	int log[2];	      /* pipe: one line for each command */
	pid_t pid;
	uint64_t press_usec, quit_wait_usec, timeout_usec;
	bool has_callback;
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

/* The guest has shut down. Returns whether QEMU goes on. */
static bool shut_down(int fd, struct fake *f, int *n_left)
{
	say(fd, "{\"event\": \"POWERDOWN\"}\r\n{\"event\": \"SHUTDOWN\", \"data\": "
		"{\"guest\": true, \"reason\": \"guest-shutdown\"}}\r\n");
	*n_left = f->lingers;
	f->state = f->lingers > 0 ? "running" : "shutdown";
	if (f->stays_with_guest_off && f->lingers == 0)
		say(fd, "{\"event\": \"STOP\"}\r\n");
	return f->no_shutdown || f->stays_with_guest_off || f->lingers > 0;
}

/* What the guest makes of its power button. Returns whether QEMU goes on. */
static bool take_press(int fd, struct fake *f, int *n_left)
{
	static int n_presses;
	n_presses++;
	if (n_presses == f->panics) {
		f->state = "guest-panicked";
		say(fd, "{\"event\": \"GUEST_PANICKED\", \"data\": {\"action\": \"pause\"}}\r\n");
	}
	if (n_presses == f->pauses || f->keeps_pausing) {
		f->state = "paused";
		say(fd, "{\"event\": \"STOP\"}\r\n");
	}
	if (n_presses == f->reboots)
		say(fd, "{\"event\": \"RESET\", \"data\": {\"guest\": true, \"reason\": "
			"\"guest-reset\"}}\r\n");
	return n_presses != f->hears || shut_down(fd, f, n_left);
}

static void reset(int fd, struct fake *f)
{
	say(fd, "{\"event\": \"RESET\", \"data\": {\"guest\": false, \"reason\": "
		"\"host-qmp-system-reset\"}}\r\n");
	f->state = "prelaunch";
	f->next = "running";
	f->hears = 0;
}

/* What a guest does to its CD drive is told as often as it does it. */
static void flood(int fd)
{
	struct pollfd command = { .fd = fd, .events = POLLIN };
	CLEANUP(buf_done) struct buf events = {};
	for (int i = 0; i < 500; i++)
		buf_puts(&events, "{\"event\": \"DEVICE_TRAY_MOVED\"}\r\n");
	while (poll(&command, 1, 0) == 0)
		say(fd, "%s", buf_text(&events));
}

static bool is_refused(const struct fake *f, const char *command)
{
	bool goes_on = strcmp(command, "cont") == 0 || strcmp(command, "system_wakeup") == 0;
	return (goes_on && !f->next) ||
	       (f->refuses_button && strcmp(command, "system_powerdown") == 0) ||
	       (f->is_old && strcmp(command, "set-action") == 0);
}

/* Obey one command. Returns false at the end of this QEMU. */
static bool obey(int fd, struct fake *f, const char *line, const char *command, const char *id)
{
	static int n_left;

	if (f->dies)
		return false;
	if (f->silent && strcmp(command, "qmp_capabilities") != 0)
		return true;
	if (f->hangs && strcmp(command, "cont") == 0)
		return true;
	if (is_refused(f, command)) {
		say(fd,
				"{\"id\": \"%s\", \"error\": {\"class\": \"GenericError\", "
				"\"desc\": \"not "
				"now\"}}\r\n",
				id);
		return true;
	}
	if (strcmp(command, "query-status") == 0)
		say(fd, "{\"id\": \"%s\", \"return\": {\"status\": \"%s\"}}\r\n", id, f->state);
	else if (strcmp(command, "query-chardev") == 0)
		say(fd,
				"{\"id\": \"%s\", \"return\": [{\"label\": \"qmp.0\", "
				"\"frontend-open\": false}, {\"label\": \"guestagent\", "
				"\"frontend-open\": %s}]}\r\n",
				id, f->no_agent || f->opens_late-- > 0 ? "false" : "true");
	else
		say(fd, "{\"id\": \"%s\", \"return\": {}}\r\n", id);
	if (strcmp(command, "query-status") == 0 && f->busy > 0 && --f->busy == 0)
		f->state = f->next;
	if (strcmp(command, "cont") == 0 || strcmp(command, "system_wakeup") == 0)
		f->state = f->next;
	if (strcmp(command, "set-action") == 0)
		f->stays_with_guest_off = strstr(line, "pause") != NULL;
	if (strcmp(command, "system_reset") == 0)
		reset(fd, f);
	if (strcmp(command, "system_powerdown") == 0)
		return take_press(fd, f, &n_left);
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
		dprintf(log, "%s%s\n", command,
				strstr(line, "poweroff") ? " poweroff"
				: strstr(line, "pause")	 ? " pause"
							 : "");
		if (!obey(fd, f, line, command, id))
			break;
		if (f->floods && strcmp(command, "system_powerdown") == 0)
			flood(fd);
	}
	fclose(in);
}

static void be_qemu(const struct run *run, struct fake f, int ready)
{
	alarm(300);
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
		.dir = test_directory(),
		.press_usec = f.press_usec,
		.quit_wait_usec = f.quit_wait_usec,
		.timeout_usec = f.timeout_usec,
		.has_callback = f.hangs,
	};
	int ready[2];
	if (pipe2(run.log, O_CLOEXEC) < 0 || pipe2(ready, O_CLOEXEC) < 0)
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
	freep(&run->dir);
	buf_done(&run->said);
}

/* What QEMU was told last to do at the guest's end: set by commands(). */
static char last_action[16];

/* What QEMU was told after the negotiation, each command where it came first. */
static const char *commands(const struct run *run)
{
	static char text[4096];
	CLEANUP(strv_done) struct strv all = {};
	char line[64];
	FILE *log = fdopen(dup(run->log[0]), "r");
	last_action[0] = '\0';
	while (fgets(line, sizeof(line), log)) {
		char *action = line + strcspn(line, " \n");
		if (*action == ' ')
			snprintf(last_action, sizeof(last_action), "%.*s",
					(int)strcspn(action + 1, "\n"), action + 1);
		*action = '\0';
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

/* As the tool's own does, which may have a save to call off. */
static int let_run(void *data, struct qmp *qmp, bool moved, struct error *err)
{
	(void)data;
	(void)moved;
	return qmp_call(qmp, "cont", NULL, clock_deadline_usec(LONG_USEC), NULL, err);
}

static int stop(struct run *run, pid_t pid, uint64_t timeout_usec, enum shutdown_outcome *ret,
		struct error *err)
{
	return shutdown_machine(
			&(struct shutdown_request){
					.paths = (const char *const[]){ run->path, NULL },
					.main_pid = pid <= 0 || have_pidfd() ? pid
									     : SHUTDOWN_PID_UNKNOWN,
					.timeout_usec = timeout_usec,
					.press_usec = run->press_usec ? run->press_usec
								      : LIMIT_USEC,
					.quit_wait_usec = run->quit_wait_usec ? run->quit_wait_usec
									      : LIMIT_USEC,
					.resume = run->has_callback ? let_run : NULL,
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
			SHUTDOWN_DONE, "query-status set-action system_powerdown");
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
			LIMIT_USEC, 0, SHUTDOWN_DONE, "query-status set-action system_powerdown");
	CHECK_SAID(run, "pressed the power button\npressed the power button again (2)\n"
			"pressed the power button again (3)\nguest is shutting down");
	end(&run);
}

TEST(paused_guest_is_resumed_first)
{
	struct run run = check_stop(
			(struct fake){ .state = "paused", .next = "running", .hears = 1 },
			LIMIT_USEC, 0, SHUTDOWN_DONE,
			"query-status set-action cont system_powerdown");
	CHECK_SAID(run, "the guest is paused, resuming it\npressed the power button\n");
	end(&run);
}

TEST(sleeping_guest_is_woken_first)
{
	struct run run = check_stop(
			(struct fake){ .state = "suspended", .next = "running", .hears = 1 },
			LIMIT_USEC, 0, SHUTDOWN_DONE,
			"query-status set-action system_wakeup system_powerdown");
	CHECK_SAID(run, "the guest sleeps, waking it\n");
	end(&run);
}

TEST(guest_that_cannot_be_resumed_is_ended_when_time_is_up)
{
	struct run run = check_stop((struct fake){ .state = "io-error" }, AMPLE_USEC, 0,
			SHUTDOWN_QUIT, "query-status set-action cont system_powerdown quit");
	CHECK_SAID(run, "the guest waits since a disk failed, resuming it\n");
	CHECK_SAID(run, "QEMU refuses 'cont': not now\n");
	CHECK_SAID(run, "still running after 1 s, telling QEMU to quit\n");
	end(&run);
}

TEST(qemu_that_hangs_while_it_resumes_is_told_to_quit_when_time_is_up)
{
	struct run run = check_stop((struct fake){ .state = "paused", .hangs = true }, AMPLE_USEC,
			0, SHUTDOWN_QUIT, "query-status set-action cont quit");
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
			AMPLE_USEC, 0, SHUTDOWN_QUIT,
			"query-status set-action system_powerdown quit");
	CHECK_SAID(run, "pressed the power button again (2)\n");
	CHECK_SAID(run, "still running after 1 s, telling QEMU to quit\nstopped after ");
	CHECK(!strstr(buf_text(&run.said), "QEMU is ending"));
	end(&run);
}

TEST(guest_that_keeps_qemu_talking_is_ended_when_time_is_up)
{
	struct run run = check_stop((struct fake){ .state = "running", .floods = true }, AMPLE_USEC,
			0, SHUTDOWN_QUIT, "query-status set-action system_powerdown quit");
	CHECK_SAID(run, "still running after 1 s, telling QEMU to quit\nstopped after ");
	end(&run);
}

TEST(qemu_that_stays_after_the_guest_is_told_to_quit)
{
	struct run run = check_stop((struct fake){ .state = "running",
						    .hears = 1,
						    .no_shutdown = true,
						    .press_usec = 2 * SHORT_USEC },
			LIMIT_USEC, 0, SHUTDOWN_DONE,
			"query-status set-action system_powerdown quit");
	CHECK_SAID(run, "the guest has shut down, telling QEMU to quit\n");
	end(&run);
}

TEST(guest_that_is_going_is_left_alone)
{
	struct run run = check_stop((struct fake){ .state = "running",
						    .hears = 1,
						    .lingers = 3,
						    .press_usec = 2 * SHORT_USEC },
			LIMIT_USEC, 0, SHUTDOWN_DONE, "query-status set-action system_powerdown");
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
			SHUTDOWN_PRESSED, "query-status set-action system_powerdown");
	CHECK_STR(buf_text(&run.said), "pressed the power button\n");
	end(&run);
	run = check_stop((struct fake){ .state = "running", .refuses_button = true },
			SHUTDOWN_PRESS_ONCE, -EREMOTEIO, 0,
			"query-status set-action system_powerdown");
	end(&run);
}

TEST(guest_that_stops_in_between_is_resumed_at_once)
{
	struct run run = check_stop(
			(struct fake){
					.state = "running",
					.next = "running",
					.pauses = 1,
					.hears = 2,
			},
			LIMIT_USEC, 0, SHUTDOWN_DONE,
			"query-status set-action system_powerdown cont");
	CHECK_SAID(run, "pressed the power button\nthe guest is paused, resuming it\n"
			"pressed the power button again (2)\nguest is shutting down");
	end(&run);
}

TEST(guest_that_stops_again_and_again_keeps_nobody_busy)
{
	struct run run = check_stop((struct fake){ .state = "running",
						    .next = "running",
						    .keeps_pausing = true,
						    .press_usec = 2 * SHORT_USEC },
			AMPLE_USEC, 0, SHUTDOWN_QUIT,
			"query-status set-action system_powerdown cont quit");
	/* In a second with a look every 0.2, each with one at once after it. */
	CHECK(strstr(buf_text(&run.said), "again (4)"));
	CHECK(!strstr(buf_text(&run.said), "again (13)"));
	end(&run);
}

TEST(guest_that_panics_in_between_is_not_waited_for)
{
	struct run run = check_stop((struct fake){ .state = "running", .panics = 1 }, LIMIT_USEC, 0,
			SHUTDOWN_DONE, "query-status set-action system_powerdown quit");
	CHECK_SAID(run, "guest has panicked\nthe guest has panicked, telling QEMU to quit\n");
	end(&run);
}

TEST(what_qemu_does_with_the_guest_is_waited_for)
{
	static const char *const states[] = { "finish-migrate", "save-vm", "restore-vm" };
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		struct run run = check_stop(
				(struct fake){
						.state = states[i],
						.next = "running",
						.busy = 2,
						.hears = 1,
				},
				LIMIT_USEC, 0, SHUTDOWN_DONE,
				"query-status set-action system_powerdown");
		CHECK_SAID(run, ", waiting for that to end\npressed the power button\n");
		end(&run);
	}
}

TEST(what_does_not_end_is_ended_when_time_is_up)
{
	struct run run = check_stop((struct fake){ .state = "finish-migrate" }, AMPLE_USEC, 0,
			SHUTDOWN_QUIT, "query-status quit");
	end(&run);
}

TEST(qemu_ends_with_the_guest_whatever_a_reboot_has_left)
{
	struct run run = check_stop(
			(struct fake){
					.state = "running",
					.hears = 1,
					.stays_with_guest_off = true,
			},
			LIMIT_USEC, 0, SHUTDOWN_DONE, "query-status set-action system_powerdown");
	end(&run);
	/* One that is too old to be told has no reboot that leaves anything. */
	run = check_stop((struct fake){ .state = "running", .hears = 1, .is_old = true },
			LIMIT_USEC, 0, SHUTDOWN_DONE, "query-status set-action system_powerdown");
	CHECK(!strstr(buf_text(&run.said), "not now"));
	end(&run);
}

TEST(forced_end_asks_no_guest)
{
	struct run run = start((struct fake){ .state = "running", .hears = 1 });
	const char *const paths[] = { run.path, NULL };
	enum shutdown_outcome outcome = SHUTDOWN_NOT_RUNNING;
	CHECK_INT(shutdown_machine(
				  &(struct shutdown_request){
						  .paths = paths,
						  .main_pid = SHUTDOWN_PID_UNKNOWN,
						  .force = true,
						  .progress = hear,
						  .data = &run,
				  },
				  &outcome, NULL),
			0);
	CHECK_INT(outcome, SHUTDOWN_QUIT);
	CHECK_STR(commands(&run), "quit");
	CHECK_SAID(run, "the guest is not asked: telling QEMU to quit\nstopped after ");
	end(&run);
}

/* A process that is connected to a socket and does nothing, as a client that holds a monitor. */
static pid_t hold(const char *path, int *ret_listening, int *ret_taken)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	int listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), ready[2];
	if (bind(listen_fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
			listen(listen_fd, 4) < 0 || pipe2(ready, O_CLOEXEC) < 0)
		abort();
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
			_exit(1);
		close(ready[1]);
		pause();
	}
	close(ready[1]);
	char c;
	while (read(ready[0], &c, 1) < 0 && errno == EINTR)
		;
	close(ready[0]);
	*ret_taken = accept(listen_fd, NULL, NULL);
	*ret_listening = listen_fd;
	return pid;
}

TEST(another_monitor_is_taken_where_the_first_is_held)
{
	struct run run = start((struct fake){ .state = "running", .hears = 1 });
	CLEANUP(freep) char *held = xasprintf("%s.held", run.path);
	char who[64];
	int listening, taken;
	pid_t holder = hold(held, &listening, &taken);
	const char *const paths[] = { held, "/nonexistent/qmp", run.path, NULL };
	enum shutdown_outcome outcome = SHUTDOWN_NOT_RUNNING;
	struct error err = {};
	int r = shutdown_machine(
			&(struct shutdown_request){
					.paths = paths,
					.main_pid = SHUTDOWN_PID_UNKNOWN,
					.timeout_usec = LIMIT_USEC,
					.press_usec = LIMIT_USEC,
					.progress = hear,
					.data = &run,
			},
			&outcome, &err);
	CHECK_INT(r, 0);
	CHECK_INT(outcome, SHUTDOWN_DONE);
	snprintf(who, sizeof(who), "(pid %d) is connected; trying another one\n", holder);
	CHECK_SAID(run, "QEMU did not greet within 1.0 s; it serves one client at a time, and ");
	CHECK_SAID(run, who);
	kill(holder, SIGKILL);
	waitpid(holder, NULL, 0);
	close(taken);
	close(listening);
	unlink(held);
	end(&run);
}

/* ---- the guest agent ---- */

enum agent_kind {
	AGENT_GOOD,
	AGENT_LIAR,
	AGENT_MUTE,
	AGENT_SILENT,
	AGENT_HELD,
	AGENT_UNWILLING,
	AGENT_SLOW,    /* answers in time only when it is asked for the second time */
	AGENT_DRIPS,   /* answers byte by byte, without end */
	AGENT_FORGERY, /* answers at once, again and again, with another number */
	AGENT_LENT,    /* a good one, which another client has for a while */
};

/* Longer than the agent is waited for at first, and than the others need to be noticed. */
#define SLOW_MSEC 4000
#define DRIP_MSEC 20

static void annoy(int fd, const char *piece, int pause_msec)
{
	while (send(fd, piece, strlen(piece), MSG_NOSIGNAL) > 0)
		poll(NULL, 0, pause_msec);
}

/* Answers guest-sync and guest-sync-delimited; kills QEMU when it is told to. */
static void be_agent(int listen_fd, enum agent_kind kind, pid_t qemu)
{
	alarm(300);
	for (int n = 0;; n++) {
		int fd = accept(listen_fd, NULL, NULL);
		FILE *in = fdopen(fd, "r");
		char line[1024];
		while (fgets(line, sizeof(line), in)) {
			const char *at = strstr(line, "\"id\":");
			if (kind == AGENT_SILENT || (kind == AGENT_SLOW && n == 0))
				continue;
			if (kind == AGENT_DRIPS)
				annoy(fd, "\xff{\"return\":", DRIP_MSEC);
			if (kind == AGENT_FORGERY)
				annoy(fd, "\xff{\"return\": 4711}\n", 0);
			if (kind == AGENT_DRIPS || kind == AGENT_FORGERY)
				continue;
			if (kind == AGENT_SLOW && strstr(line, "delimited"))
				poll(NULL, 0, SLOW_MSEC);
			if (kind == AGENT_MUTE && !strstr(line, "delimited"))
				continue;
			if (strstr(line, "guest-shutdown") &&
					(kind == AGENT_GOOD || kind == AGENT_SLOW ||
							kind == AGENT_LENT))
				kill(qemu, SIGKILL);
			else if (strstr(line, "guest-shutdown") && kind == AGENT_UNWILLING)
				say(fd, "{\"error\": {\"class\": \"GenericError\", \"desc\": "
					"\"busy\"}}\n");
			else if (strstr(line, "guest-sync") && at)
				say(fd, "%s{\"return\": %lld}\n",
						strstr(line, "delimited") ? "\xff" : "",
						strtoll(at + 5, NULL, 10));
		}
		fclose(in);
	}
}

/* Somebody who has the channel for a while, as 'machina exec' may. */
static pid_t borrow(const char *run_dir)
{
	int lock_fd = open(run_dir, O_RDONLY | O_DIRECTORY);
	if (flock(lock_fd, LOCK_EX) < 0)
		abort();
	pid_t pid = fork();
	if (pid == 0) {
		poll(NULL, 0, SLOW_MSEC);
		_exit(0);
	}
	close(lock_fd);
	return pid;
}

/* Stop a machine that has an agent of this kind. */
static struct run stop_with_agent(struct fake f, enum agent_kind kind, const char *expected)
{
	struct run run = start(f);
	char path[sizeof(run.path)];
	snprintf(path, sizeof(path), "%s/agent", run.dir);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	int listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listen_fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
			listen(listen_fd, 4) < 0)
		abort();
	fflush(stdout);
	pid_t agent = fork();
	if (agent == 0 && kind == AGENT_HELD)
		pause();
	if (agent == 0)
		be_agent(listen_fd, kind, run.pid);
	pid_t borrower = kind == AGENT_LENT ? borrow(run.dir) : 0;
	struct plan_fd channel = { .kind = PLAN_FD_LISTEN, .name = "agent", .path = path };
	const struct plan plan = {
		.machine = "web", .run_dir = run.dir, .fds = &channel, .n_fds = 1
	};
	enum shutdown_outcome outcome = SHUTDOWN_NOT_RUNNING;
	struct error err = {};
	CHECK_INT(shutdown_machine(
				  &(struct shutdown_request){
						  .paths = (const char *const[]){ run.path, NULL },
						  .plan = &plan,
						  .main_pid = SHUTDOWN_PID_UNKNOWN,
						  .timeout_usec = run.timeout_usec
										  ? run.timeout_usec
										  : 12 * USEC_PER_SEC,
						  .press_usec = run.press_usec ? run.press_usec
									       : LIMIT_USEC,
						  .progress = hear,
						  .data = &run,
				  },
				  &outcome, &err),
			0);
	CHECK_INT(outcome, SHUTDOWN_DONE);
	CHECK_STR(commands(&run), expected);
	kill(agent, SIGKILL);
	waitpid(agent, NULL, 0);
	if (borrower > 0)
		waitpid(borrower, NULL, 0);
	close(listen_fd);
	unlink(path);
	return run;
}

TEST(agent_is_asked_before_the_button_is_pressed)
{
	struct run run = stop_with_agent((struct fake){ .state = "running" }, AGENT_GOOD,
			"query-status set-action query-chardev");
	CHECK_SAID(run, "asked the guest agent to shut down the guest\n");
	end(&run);
	run = stop_with_agent((struct fake){ .state = "paused", .next = "running" }, AGENT_GOOD,
			"query-status set-action cont query-chardev");
	end(&run);
}

TEST(agent_that_lies_is_followed_by_the_button)
{
	struct run run = stop_with_agent(
			(struct fake){
					.state = "running",
					.hears = 2,
					.press_usec = 2 * SHORT_USEC,
			},
			AGENT_LIAR, "query-status set-action query-chardev system_powerdown");
	CHECK_SAID(run, "asked the guest agent to shut down the guest\npressed the power button\n");
	end(&run);
	/* One that is gone before it has answered looks like one that never will. */
	run = stop_with_agent(
			(struct fake){
					.state = "running",
					.hears = 1,
					.press_usec = 2 * SHORT_USEC,
			},
			AGENT_MUTE, "query-status set-action query-chardev system_powerdown");
	CHECK_SAID(run, "asked the guest agent to shut down the guest\npressed the power button\n");
	end(&run);
}

TEST(agent_that_does_not_help_costs_little_time)
{
	static const struct {
		enum agent_kind kind;
		bool no_agent;
		const char *said;
		double least, most; /* seconds */
	} rows[] = {
		{ AGENT_SILENT, false, "guest agent of 'web': no answer within ", 2, 60 },
		{ AGENT_HELD, false, "guest agent of 'web': ", 2, 60 },
		{ AGENT_UNWILLING, false, "busy\npressed the power button\n", 0, 60 },
		{ AGENT_HELD, true, "no guest agent runs\npressed the power button\n", 0, 60 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t begin = clock_now_usec();
		struct run run = stop_with_agent(
				(struct fake){
						.state = "running",
						.hears = 1,
						.no_agent = rows[i].no_agent,
				},
				rows[i].kind,
				"query-status set-action query-chardev system_powerdown");
		double took = (double)(clock_now_usec() - begin) / USEC_PER_SEC;
		if (took < rows[i].least || took > rows[i].most)
			TEST_FAIL("row %zu: it took %.1f s", i, took);
		CHECK_SAID(run, rows[i].said);
		end(&run);
	}
}

TEST(agent_that_is_slow_or_lent_is_told_when_it_can_be)
{
	static const enum agent_kind kinds[] = { AGENT_SLOW, AGENT_LENT };
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		/* The guest ignores its button. */
		struct run run = stop_with_agent(
				(struct fake){ .state = "running", .timeout_usec = LIMIT_USEC },
				kinds[i], "query-status set-action query-chardev system_powerdown");
		CHECK_SAID(run, "pressed the power button\nasked the guest agent to shut down the "
				"guest\n");
		end(&run);
	}
}

TEST(agent_that_comes_late_is_asked)
{
	struct run run = stop_with_agent((struct fake){ .state = "running",
							 .opens_late = 2,
							 .press_usec = 2 * SHORT_USEC },
			AGENT_GOOD, "query-status set-action query-chardev system_powerdown");
	CHECK_SAID(run, "no guest agent runs\npressed the power button\n"
			"pressed the power button again (2)\nasked the guest agent");
	end(&run);
}

TEST(that_no_agent_runs_is_told_once)
{
	struct run run = stop_with_agent((struct fake){ .state = "running",
							 .refuses_button = true,
							 .opens_late = 3,
							 .press_usec = SHORT_USEC },
			AGENT_GOOD, "query-status set-action query-chardev system_powerdown");
	static const char none[] = "no guest agent runs\n";
	const char *first = strstr(buf_text(&run.said), none);
	CHECK(first && !strstr(first + 1, none));
	CHECK_SAID(run, "asked the guest agent");
	end(&run);
}

TEST(guest_that_restarts_has_its_new_agent_asked)
{
	struct run run = stop_with_agent((struct fake){ .state = "running",
							 .reboots = 1,
							 .opens_late = 1,
							 .press_usec = LIMIT_USEC },
			AGENT_GOOD, "query-status set-action query-chardev system_powerdown");
	CHECK_SAID(run, "guest is restarting (guest-reset)\nasked the guest agent");
	end(&run);
}

TEST(agent_that_keeps_us_busy_delays_no_button)
{
	static const enum agent_kind kinds[] = { AGENT_DRIPS, AGENT_FORGERY };
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		/* A press after a quarter of the time, and then at 2.5 and 5 s. */
		struct run run = stop_with_agent((struct fake){ .state = "running",
								 .hears = 3,
								 .press_usec = 5 * USEC_PER_SEC / 2,
								 .timeout_usec = 8 * USEC_PER_SEC },
				kinds[i], "query-status set-action query-chardev system_powerdown");
		CHECK_SAID(run, "pressed the power button again (3)\nguest is shutting down");
		CHECK(!strstr(buf_text(&run.said), "asked the guest agent"));
		end(&run);
	}
}

/* ---- reboot ---- */

static int reboot(struct run *run, uint64_t timeout_usec, bool (*is_canceled)(void *),
		struct error *err)
{
	return reboot_machine(
			&(struct shutdown_request){
					.paths = (const char *const[]){ run->path, NULL },
					.main_pid = SHUTDOWN_PID_UNKNOWN,
					.timeout_usec = timeout_usec,
					.press_usec = run->press_usec ? run->press_usec
								      : LIMIT_USEC,
					.progress = hear,
					.is_canceled = is_canceled,
					.data = run,
			},
			err);
}

TEST(guest_that_has_shut_down_is_reset_and_let_run)
{
	static const struct {
		struct fake fake;
		const char *commands;
	} rows[] = {
		{ { .state = "running", .hears = 1 },
				"query-status set-action system_powerdown system_reset cont" },
		{ { .state = "running", .hears = 2, .press_usec = 2 * SHORT_USEC },
				"query-status set-action system_powerdown system_reset cont" },
		{ { .state = "paused", .next = "running", .hears = 1 },
				"query-status set-action cont system_powerdown system_reset" },
		/* What a reboot leaves that was killed. */
		{ { .state = "shutdown" }, "query-status system_reset set-action cont" },
		/* It has rebooted by itself. */
		{ { .state = "running", .reboots = 1 },
				"query-status set-action system_powerdown" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct run run = start(rows[i].fake);
		struct error err = {};
		CHECK_INT(reboot(&run, LIMIT_USEC, NULL, &err), 0);
		if (err.code)
			test_note("row %zu: %s", i, err.text);
		/* It would be left with nobody but us. */
		kill(run.pid, SIGKILL);
		CHECK_STR(commands(&run), rows[i].commands);
		CHECK_SAID(run, "guest is restarting (");
		end(&run);
	}
}

static bool at_once(void *data)
{
	(void)data;
	return true;
}

TEST(reboot_that_fails_leaves_a_qemu_that_ends_with_its_guest)
{
	static const struct {
		struct fake fake;
		int code;
		const char *text, *commands, *last_action;
		bool canceled;
	} rows[] = {
		{ { .state = "running", .press_usec = 2 * SHORT_USEC }, ETIMEDOUT,
				"the guest did not shut down within 1 s, and goes on ('machina "
				"reset' does not ask it)",
				"query-status set-action system_powerdown", "poweroff", false },
		{ { .state = "running" }, ECANCELED, "called off",
				"query-status set-action system_powerdown", "poweroff", true },
		{ { .state = "guest-panicked" }, ENOTSUP,
				"the guest has panicked, and can't be asked to reboot",
				"query-status", "", false },
		{ { .state = "running", .is_old = true }, EREMOTEIO, "", "query-status set-action",
				"pause", false },
		{ { .state = "running", .dies = true }, EHOSTDOWN, "", "", "", false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct run run = start(rows[i].fake);
		struct error err = {};
		CHECK_INT(reboot(&run, AMPLE_USEC, rows[i].canceled ? at_once : NULL, &err),
				-rows[i].code);
		if (rows[i].text[0])
			CHECK_STR(err.text, rows[i].text);
		kill(run.pid, SIGKILL);
		CHECK_STR(commands(&run), rows[i].commands);
		CHECK_STR(last_action, rows[i].last_action);
		end(&run);
	}
	struct run none = { .path = "/nonexistent/qmp" };
	struct error err = {};
	CHECK_INT(reboot(&none, LIMIT_USEC, NULL, &err), -EHOSTDOWN);
	CHECK_STR(err.text, "the machine does not run");
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
	*run = (struct run){ .dir = test_directory(), .press_usec = 2 * SHORT_USEC };
	if (pipe2(run->log, O_CLOEXEC) < 0)
		abort();
	snprintf(run->path, sizeof(run->path), "%s/qmp", run->dir);
	CLEANUP(freep) char *monitor = xasprintf("unix:%s,server=on,wait=off", run->path);
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
