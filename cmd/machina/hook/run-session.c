/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine in the foreground. */
#include "hook/run-session.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "hook/run-child.h"
#include "host/machine/shutdown.h"
#include "host/os/account.h"
#include "host/os/clock.h"
#include "host/os/listen.h"
#include "host/prepare/connect.h"
#include "host/qmp/run-state.h"
#include "util/file.h"
#include "util/mem.h"

/* For QEMU to end when it is told to. */
#define QUIT_USEC (8 * USEC_PER_SEC)
#define REPEAT_USEC (500 * USEC_PER_MSEC)
#define ANSWER_USEC QMP_GREETING_USEC
#define LINE_MAX_BYTES ((size_t)4096)

static const int end_signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };

static void say(struct session *s, const char *format, ...) PRINTF(2, 3);

static void say(struct session *s, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	CLEANUP(freep) char *text = xvasprintf(format, ap);
	va_end(ap);
	console_say(&s->console, text);
}

/* ---- what is said once more ---- */

static void repeat_begin(struct repeat *repeat)
{
	*repeat = (struct repeat){ .until_usec = clock_deadline_usec(REPEAT_USEC) };
}

/* @begin_usec: of a look that has found nothing */
static void repeat_pass(struct repeat *repeat, uint64_t begin_usec)
{
	repeat->is_over |= repeat->until_usec && begin_usec >= repeat->until_usec;
}

/* When to look whether it is over. */
static uint64_t repeat_deadline(const struct repeat *repeat)
{
	return repeat->until_usec && !repeat->is_over ? repeat->until_usec : DEADLINE_NEVER;
}

/* ---- signals ---- */

static void make_set(sigset_t *ret)
{
	sigemptyset(ret);
	for (size_t i = 0; i < ARRAY_SIZE(end_signals); i++)
		sigaddset(ret, end_signals[i]);
	sigaddset(ret, SIGCHLD);
	sigaddset(ret, SIGCONT);
	/* Giving the terminal back from the background must not stop us. */
	sigaddset(ret, SIGTTOU);
}

int session_begin(struct session *ret, const struct plan *plan, struct error *err)
{
	sigset_t set;
	*ret = (struct session){
		.message_fds = { -1, -1 },
		.plan = plan,
		.console = { .machine = plan->machine, .guest_fd = -1 },
		.signal_fd = -1,
		.monitor_fd = -1,
		.kill_deadline_usec = DEADLINE_NEVER,
	};
	make_set(&set);
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return error_errno(err, "cannot block signals");
	ret->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (ret->signal_fd < 0 || pipe2(ret->message_fds, O_CLOEXEC) < 0 ||
			fcntl(ret->message_fds[0], F_SETFL, O_NONBLOCK) < 0)
		return error_errno(err, "cannot wait for signals and messages");
	return 0;
}

bool session_is_asked_to_end(void)
{
	sigset_t set;
	if (sigpending(&set) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(end_signals); i++)
		if (sigismember(&set, end_signals[i]) == 1)
			return true;
	return false;
}

/* ---- the end ---- */

static void tell(void *data, const char *text)
{
	int fd = *(int *)data;
	CLEANUP(freep) char *line = xasprintf("%s\n", text);
	(void)!write_all(fd, line, strlen(line));
}

static void end_helper(struct session *s)
{
	if (s->helper_pid <= 0)
		return;
	kill(s->helper_pid, SIGKILL);
	while (waitpid(s->helper_pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	s->helper_pid = 0;
}

/* Pressing the button and watching what comes of it waits for QEMU: in a process of its own. */
static void press_button(struct session *s)
{
	uint64_t limit_usec = (uint64_t)plan_shutdown_sec(s->plan) * USEC_PER_SEC;
	pid_t parent = getpid();
	/* It serves one client at a time. */
	qmp_free(take_ptr(s->qmp));
	closep(&s->monitor_fd);
	s->helper_pid = fork();
	if (s->helper_pid != 0)
		return;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	const struct shutdown_request request = {
		.paths = (const char *const[]){ plan_find(s->plan, PLAN_MONITOR_HOOKS)->path,
				NULL },
		.plan = s->plan,
		.main_pid = s->qemu_pid,
		.timeout_usec = s->has_limit ? limit_usec : SHUTDOWN_WAIT_FOREVER,
		.progress = tell,
		.data = &s->message_fds[1],
	};
	struct error err = {};
	enum shutdown_outcome outcome;
	if (shutdown_machine(&request, &outcome, &err) == 0)
		_exit(0);
	tell(&s->message_fds[1], err.text);
	_exit(1);
}

static void end_qemu(struct session *s)
{
	kill(s->qemu_pid, CHILD_END_SIGNAL);
	s->kill_deadline_usec = clock_deadline_usec(QUIT_USEC);
}

static void stop_at_once(struct session *s)
{
	/* It has just been seen to end, and number 0 would be the process group. */
	if (!s->qemu_pid)
		return;
	say(s, "stopping QEMU at once");
	end_qemu(s);
}

/*
 * @has_limit: the guest has as long to go as its unit would give it (ExecStop=); so has one that
 * was asked before without a limit, from now on
 */
static void ask_guest(struct session *s, bool has_limit)
{
	if (!s->qemu_pid || (s->is_asked && (s->has_limit || !has_limit)))
		return;
	if (s->is_asked)
		say(s, "the guest has %d s to shut down", plan_shutdown_sec(s->plan));
	else
		say(s, "asking the guest to shut down; %s stops QEMU at once",
				s->console.is_terminal ? "Ctrl-] again" : "a second signal");
	s->is_asked = true;
	s->has_limit = has_limit;
	/* What shuts down says so on its console, and must not wait for a reader. */
	s->console.skips = true;
	end_helper(s);
	press_button(s);
	if (s->helper_pid < 0) {
		s->helper_pid = 0;
		say(s, "cannot make a process: %s", strerror(errno));
		end_qemu(s);
	}
}

static void take_keys(struct session *s, int n_leave)
{
	if (!n_leave)
		return;
	/* A key that is held down repeats; only a new press is another request. */
	bool is_held = s->key.until_usec && !s->key.is_over;
	repeat_begin(&s->key);
	if (is_held)
		return;
	if (s->is_asked)
		stop_at_once(s);
	else
		ask_guest(s, false);
}

/*
 * Nobody has lost patience where several signals come at once, as timeout(1) sends them, or SIGHUP
 * with others: for a terminal that is closed it comes from the shell and from the kernel, and where
 * a session ends systemd sends SIGTERM as well.
 */
static void take_end_signal(struct session *s, int signo)
{
	if (signo != SIGHUP && s->signal.is_over) {
		stop_at_once(s);
		return;
	}
	if (signo != SIGHUP && !s->signal.until_usec)
		repeat_begin(&s->signal);
	ask_guest(s, true);
}

/* ---- what children have to say ---- */

/* The whole lines so far; @all: the rest as well. */
static void say_messages(struct session *s, bool all)
{
	struct buf *b = &s->messages;
	char *line = b->text, *end;
	while (line && (end = memchr(line, '\n', b->len - (size_t)(line - b->text)))) {
		*end = '\0';
		if (*line)
			console_say(&s->console, line);
		line = end + 1;
	}
	size_t n_said = line ? (size_t)(line - b->text) : 0, n_left = b->len - n_said;
	if (n_left && (all || n_left > LINE_MAX_BYTES)) {
		console_say(&s->console, line);
		n_left = 0;
	}
	if (n_left)
		memmove(b->text, line, n_left);
	buf_truncate(b, n_left);
}

static void read_messages(struct session *s)
{
	char text[1024];
	ssize_t n;
	while ((n = read(s->message_fds[0], text, sizeof(text))) > 0) {
		buf_add(&s->messages, text, (size_t)n);
		say_messages(s, false);
	}
}

static void take_end(struct session *s, pid_t pid, int status)
{
	if (pid == s->qemu_pid) {
		s->qemu_pid = 0;
		s->qemu_status = status;
	} else if (pid == s->swtpm_pid) {
		s->swtpm_pid = 0;
		/* It goes with QEMU; alone, it leaves a guest without its TPM. */
		if (s->qemu_pid && !s->is_asked && (!WIFEXITED(status) || WEXITSTATUS(status)))
			say(s, "the TPM (swtpm) has ended");
	} else if (pid == s->helper_pid) {
		s->helper_pid = 0;
		/* It has said why. Who gave the guest no limit can still ask again. */
		if ((!WIFEXITED(status) || WEXITSTATUS(status)) && s->has_limit && s->qemu_pid)
			end_qemu(s);
	}
}

static void reap(struct session *s)
{
	const pid_t known[] = { s->qemu_pid, s->swtpm_pid, s->helper_pid };
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		int status;
		if (known[i] > 0 && waitpid(known[i], &status, WNOHANG) == known[i])
			take_end(s, known[i], status);
	}
}

static void take_signals(struct session *s)
{
	struct signalfd_siginfo info;
	while (read(s->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			reap(s);
		else if (info.ssi_signo == SIGCONT)
			console_resume(&s->console);
		else if (info.ssi_signo != SIGTTOU)
			take_end_signal(s, (int)info.ssi_signo);
	}
}

/* ---- QEMU's monitor ---- */

/* What is told of a guest that has no console to speak for itself. */
static const struct {
	const char *event, *text;
} states[] = {
	{ "GUEST_PANICKED", "the guest has panicked" },
	{ "POWERDOWN", "the power button was pressed" },
	{ "RESET", "the guest restarts" },
	{ "RESUME", "the guest runs on" },
	{ "SHUTDOWN", "the guest has shut down" },
	{ "STOP", "the guest is paused" },
	{ "SUSPEND", "the guest sleeps" },
	{ "WAKEUP", "the guest has woken up" },
};

static bool tells_states(const struct session *s)
{
	return !plan_find(s->plan, "console");
}

static void forget_monitor(struct session *s, const struct error *err)
{
	say(s, "%s", err->text);
	qmp_free(take_ptr(s->qmp));
}

static void share_sockets(struct session *s)
{
	struct sharing sharing = {};
	struct error err = {};
	sharing.is_shared = account_operators(&sharing.group) == 0;
	for (size_t i = 0; i < s->plan->n_sockets; i++) {
		if (listen_share(s->plan->sockets[i].path, &sharing, &err) < 0)
			say(s, "%s", err.text);
		else
			say(s, "%s listens at '%s'", s->plan->sockets[i].name,
					s->plan->sockets[i].path);
	}
}

/* QEMU greets when it is ready. */
static void take_greeting(struct session *s)
{
	const struct run_state *state;
	struct error err = {};
	int r = qmp_attach_take(take_fd(&s->monitor_fd),
			plan_find(s->plan, PLAN_MONITOR_HOOKS)->path, -1,
			clock_deadline_usec(ANSWER_USEC), &s->qmp, &err);
	if (r == QMP_DONE)
		r = run_state_query(s->qmp, clock_deadline_usec(ANSWER_USEC), &state, &err);
	/* That QEMU has ended is told where it is noticed. */
	if (r == QMP_CLOSED) {
		qmp_free(take_ptr(s->qmp));
		return;
	}
	if (r != QMP_DONE) {
		forget_monitor(s, &err);
		return;
	}
	share_sockets(s);
	if (connect_begin_links(s->plan, s->qmp, &err) < 0)
		say(s, "%s", err.text);
	if (tells_states(s))
		say(s, "%s", state->meaning);
}

static void take_events(struct session *s)
{
	for (;;) {
		CLEANUP(qmp_event_done) struct qmp_event event = {};
		struct error err = {};
		int r = qmp_next_event(s->qmp, 0, &event, &err);
		if (r == QMP_LATE)
			return;
		if (r == QMP_CLOSED) {
			qmp_free(take_ptr(s->qmp));
			return;
		}
		if (r < 0) {
			forget_monitor(s, &err);
			return;
		}
		for (size_t i = 0; tells_states(s) && i < ARRAY_SIZE(states); i++)
			if (!strcmp(event.name, states[i].event))
				say(s, "%s", states[i].text);
	}
}

/* ---- from start to end ---- */

int session_connect(struct session *s, bool raw, struct error *err)
{
	const struct plan_fd *console = plan_find(s->plan, "console");
	CLEANUP(closep) int guest_fd = -1;
	int r = connect_unix(plan_find(s->plan, PLAN_MONITOR_HOOKS)->path, &s->monitor_fd, err);
	if (r == 0 && console)
		r = connect_unix(console->path, &guest_fd, err);
	if (r < 0)
		return r;
	console_open_take(&s->console, s->plan->machine, take_fd(&guest_fd));
	s->filter.mode = console_mode(raw);
	s->console.filter = &s->filter;
	return 0;
}

static void say_how_to_leave(struct session *s)
{
	const char *what = s->console.guest_fd < 0 ? "it has no serial console (\"serial\"); " : "";
	if (s->console.is_terminal)
		say(s, "%sCtrl-] shuts the guest down, once more stops QEMU at once", what);
	else if (*what)
		say(s, "%sa signal shuts the guest down, a second one stops QEMU at once", what);
}

enum { POLL_SIGNAL, POLL_MESSAGE, POLL_MONITOR, POLL_CONSOLE, N_POLL = POLL_CONSOLE + CONSOLE_FDS };

static uint64_t next_deadline(const struct session *s)
{
	const uint64_t deadlines[] = { console_deadline(&s->console), s->kill_deadline_usec,
		repeat_deadline(&s->key), repeat_deadline(&s->signal) };
	uint64_t next = DEADLINE_NEVER;
	for (size_t i = 0; i < ARRAY_SIZE(deadlines); i++)
		if (deadlines[i] < next)
			next = deadlines[i];
	return next;
}

/* One round of waiting, and doing what there is to do. */
static int work(struct session *s, struct error *err)
{
	struct pollfd fds[N_POLL] = {
		[POLL_SIGNAL] = { .fd = s->signal_fd, .events = POLLIN },
		[POLL_MESSAGE] = { .fd = s->message_fds[0], .events = POLLIN },
		[POLL_MONITOR] = { .fd = s->qmp ? qmp_fd(s->qmp) : s->monitor_fd,
				.events = POLLIN },
	};
	console_poll(&s->console, &fds[POLL_CONSOLE]);
	uint64_t begin_usec = clock_now_usec();
	int n = clock_poll(fds, N_POLL, next_deadline(s));
	if (n < 0)
		return errno == EINTR ? 0 : error_errno(err, "cannot wait for QEMU");
	if (n == 0 && clock_now_usec() >= s->kill_deadline_usec) {
		kill(s->qemu_pid, SIGKILL);
		s->kill_deadline_usec = DEADLINE_NEVER;
		return 0;
	}
	int n_leave = console_work(&s->console, &fds[POLL_CONSOLE]);
	if (fds[POLL_MESSAGE].revents)
		read_messages(s);
	if (fds[POLL_MONITOR].revents && s->qmp)
		take_events(s);
	else if (fds[POLL_MONITOR].revents)
		take_greeting(s);
	take_keys(s, n_leave);
	if (!n_leave)
		repeat_pass(&s->key, begin_usec);
	if (console_is_gone(&s->console))
		ask_guest(s, true);
	if (fds[POLL_SIGNAL].revents)
		take_signals(s);
	else
		repeat_pass(&s->signal, begin_usec);
	return 0;
}

int session_run(struct session *s, struct error *err)
{
	int r = 0;
	say_how_to_leave(s);
	while (r == 0 && s->qemu_pid)
		r = work(s, err);
	console_drain(&s->console);
	console_restore_screen(&s->console);
	read_messages(s);
	console_close(&s->console);
	return r;
}

void session_done(struct session *s)
{
	end_helper(s);
	read_messages(s);
	say_messages(s, true);
	console_close(&s->console);
	qmp_free(take_ptr(s->qmp));
	closep(&s->monitor_fd);
	closep(&s->message_fds[0]);
	closep(&s->message_fds[1]);
	closep(&s->signal_fd);
	buf_done(&s->messages);
}
