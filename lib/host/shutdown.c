/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shutting a guest down in an orderly way: the ladder from the power button to quit. */
#include "host/shutdown.h"

#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/qmp.h"
#include "host/run-state.h"
#include "util/buf.h"
#include "util/visible.h"

/* How long a process may take to end after its socket has refused a connection. */
#define DYING_USEC USEC_PER_SEC
/* Of a reason that QEMU gives; real ones have at most 20 characters. */
#define REASON_MAX 60

struct ladder {
	const struct shutdown_request *request;
	struct qmp *qmp;
	int pidfd; /* -1: the process is not known */
	uint64_t begin_usec;
	uint64_t deadline_usec; /* then quit */
	uint64_t press_usec;
	uint64_t quit_wait_usec;
	unsigned n_presses;
	bool guest_done; /* QEMU said that the guest has shut down */
	bool quitting;	 /* QEMU was told to quit */
	bool complained; /* about a monitor that does not answer */
};

static void say(struct ladder *l, const char *format, ...) PRINTF(2, 3);

static void say(struct ladder *l, const char *format, ...)
{
	if (!l->request->progress)
		return;
	CLEANUP(buf_done) struct buf text = {};
	va_list ap;
	va_start(ap, format);
	buf_vprintf(&text, format, ap);
	va_end(ap);
	l->request->progress(l->request->data, buf_text(&text));
}

static double seconds(uint64_t usec)
{
	return (double)usec / (double)USEC_PER_SEC;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* True if the process is known and ends before the deadline. */
static bool process_ends(const struct ladder *l, uint64_t deadline_usec)
{
	struct pollfd gone = { .fd = l->pidfd, .events = POLLIN };
	int n;
	do
		n = clock_poll(&gone, l->pidfd >= 0, deadline_usec);
	while (n < 0 && errno == EINTR);
	return n > 0;
}

/* A monitor that somebody else holds is tried again until time is up. As qmp_open() returns. */
static int get_monitor(struct ladder *l, struct error *err)
{
	for (;;) {
		uint64_t patience = clock_deadline_usec(QMP_GREETING_USEC);
		int r = qmp_open(l->request->path, l->pidfd, earlier(patience, l->deadline_usec),
				&l->qmp, err);
		if (r == QMP_ABSENT && l->pidfd >= 0) {
			if (process_ends(l, clock_deadline_usec(DYING_USEC)))
				return QMP_CLOSED;
			return error_wrap(err, "QEMU (pid %d) runs, but cannot be talked to",
					l->request->main_pid);
		}
		if (r != QMP_LATE || clock_now_usec() >= l->deadline_usec)
			return r;
		if (!l->complained)
			say(l, "%s; trying again", err->text);
		l->complained = true;
	}
}

static void take_event(struct ladder *l, const struct qmp_event *event)
{
	struct json_object *value;
	bool by_guest = json_object_object_get_ex(event->data, "guest", &value) &&
			json_object_get_boolean(value);
	CLEANUP(buf_done) struct buf reason = {};
	if (json_object_object_get_ex(event->data, "reason", &value) &&
			json_object_is_type(value, json_type_string)) {
		buf_puts(&reason, " (");
		visible_add(&reason, json_object_get_string(value),
				(size_t)json_object_get_string_len(value), REASON_MAX);
		buf_puts(&reason, ")");
	}

	if (strcmp(event->name, "SHUTDOWN") == 0) {
		l->guest_done = true;
		if (by_guest)
			say(l, "guest is shutting down%s", buf_text(&reason));
		else if (!l->quitting)
			say(l, "QEMU is ending%s", buf_text(&reason));
	} else if (strcmp(event->name, "RESET") == 0) {
		say(l, "guest is restarting%s", buf_text(&reason));
	} else if (strcmp(event->name, "GUEST_PANICKED") == 0) {
		say(l, "guest has panicked");
	}
}

/* Tell what happens until the deadline. Returns QMP_LATE then, or QMP_CLOSED, or negative errno. */
static int watch(struct ladder *l, uint64_t deadline_usec, struct error *err)
{
	for (;;) {
		CLEANUP(qmp_event_done) struct qmp_event event = {};
		int r = qmp_next_event(l->qmp, deadline_usec, &event, err);
		if (r != QMP_DONE)
			return r;
		take_event(l, &event);
	}
}

/* A command on the way; that it fails is told, and the ladder goes on. As qmp_execute() returns. */
static int try_command(
		struct ladder *l, const char *name, uint64_t deadline_usec, struct error *err)
{
	CLEANUP(qmp_reply_done) struct qmp_reply reply = {};
	int r = qmp_execute(
			l->qmp, &(struct qmp_command){ .name = name }, deadline_usec, &reply, err);
	if (r == QMP_REFUSED)
		say(l, "%s", err->text);
	return r;
}

static int press(struct ladder *l, uint64_t deadline_usec, struct error *err)
{
	int r = try_command(l, "system_powerdown", deadline_usec, err);
	if (r != QMP_DONE)
		return r;
	if (l->n_presses++ == 0)
		say(l, "pressed the power button");
	else
		say(l, "pressed the power button again (%u)", l->n_presses);
	return QMP_DONE;
}

/*
 * Look at the guest and do what its state asks for.
 *
 * Returns as qmp_execute() does; after QMP_DONE, quitting tells whether QEMU was told to.
 */
static int nudge(struct ladder *l, uint64_t deadline_usec, struct error *err)
{
	const struct run_state *state;
	int r = run_state_query(l->qmp, deadline_usec, &state, err);
	if (r != QMP_DONE)
		return r;

	switch (state->stop) {
	case STOP_QUIT:
		say(l, "%s, telling QEMU to quit", state->meaning);
		l->quitting = true;
		return try_command(l, "quit", deadline_usec, err);
	case STOP_RESUME:
		say(l, "%s, resuming it", state->meaning);
		r = try_command(l, "cont", deadline_usec, err);
		break;
	case STOP_WAKE:
		say(l, "%s, waking it", state->meaning);
		r = try_command(l, "system_wakeup", deadline_usec, err);
		break;
	case STOP_PRESS:
		break;
	}
	/* What was refused may still be so that the button works: the refusal has been told. */
	if (r != QMP_DONE && r != QMP_REFUSED)
		return r;
	return l->guest_done ? QMP_DONE : press(l, deadline_usec, err);
}

/*
 * Press and watch until QEMU ends or is told to (QMP_CLOSED), or time is up (QMP_LATE). With
 * SHUTDOWN_PRESS_ONCE, as nudge() returns.
 */
static int climb(struct ladder *l, struct error *err)
{
	for (;;) {
		uint64_t next = earlier(clock_deadline_usec(l->press_usec), l->deadline_usec);
		int r = nudge(l, next, err);
		if (r == QMP_LATE && !l->complained) {
			say(l, "%s", err->text);
			l->complained = true;
		}
		if (r < 0 || r == QMP_CLOSED || l->request->timeout_usec == SHUTDOWN_PRESS_ONCE)
			return r;
		if (l->quitting)
			return QMP_CLOSED;
		r = watch(l, next, err);
		if (r != QMP_LATE || clock_now_usec() >= l->deadline_usec)
			return r;
	}
}

/* Wait for the end of QEMU: of its socket, and of the process where that is known. */
static int wait_end(struct ladder *l, uint64_t deadline_usec, struct error *err)
{
	int r = l->qmp ? watch(l, deadline_usec, err) : QMP_CLOSED;
	if (r < 0)
		return r;
	if (r == QMP_LATE)
		return error_set(err, ETIMEDOUT,
				"'%s': QEMU still answers, %.6g s after it was "
				"told to quit",
				l->request->path, seconds(l->quit_wait_usec));
	if (l->pidfd >= 0 && !process_ends(l, deadline_usec))
		return error_set(err, ETIMEDOUT,
				"QEMU (pid %d) has closed its monitor, but does "
				"not exit",
				l->request->main_pid);
	if (l->qmp && !l->guest_done && !l->quitting)
		say(l, "QEMU has ended although the guest did not shut down");
	say(l, "stopped after %.1f s", seconds(clock_now_usec() - l->begin_usec));
	return 0;
}

static int run_ladder(struct ladder *l, enum shutdown_outcome *ret, struct error *err)
{
	enum shutdown_outcome outcome = SHUTDOWN_DONE;
	int r = get_monitor(l, err);
	if (r == QMP_ABSENT) {
		*ret = SHUTDOWN_NOT_RUNNING;
		return 0;
	}
	if (r < 0 || r == QMP_LATE || r == QMP_REFUSED)
		return -err->code;

	if (r == QMP_DONE) {
		if (l->request->timeout_usec == SHUTDOWN_PRESS_ONCE)
			l->deadline_usec = clock_deadline_usec(l->press_usec);
		r = climb(l, err);
	}
	if (l->request->timeout_usec == SHUTDOWN_PRESS_ONCE && r != QMP_CLOSED) {
		*ret = SHUTDOWN_PRESSED;
		return r == QMP_DONE ? 0 : -err->code;
	}
	if (r < 0)
		return r;
	if (r == QMP_LATE) {
		say(l, "still running after %.6g s, telling QEMU to quit",
				seconds(l->request->timeout_usec));
		outcome = SHUTDOWN_QUIT;
		l->quitting = true;
		r = try_command(l, "quit", clock_deadline_usec(l->quit_wait_usec), err);
		if (r < 0 || r == QMP_REFUSED)
			return -err->code;
	}

	uint64_t now = clock_now_usec();
	uint64_t from = l->quitting || l->deadline_usec < now ? now : l->deadline_usec;
	r = wait_end(l, clock_add_usec(from, l->quit_wait_usec), err);
	if (r == 0)
		*ret = outcome;
	return r;
}

int shutdown_machine(const struct shutdown_request *request, enum shutdown_outcome *ret,
		struct error *err)
{
	*ret = SHUTDOWN_NOT_RUNNING;
	if (request->main_pid == SHUTDOWN_PID_NONE)
		return 0;

	CLEANUP(closep) int pidfd = -1;
	if (request->main_pid != SHUTDOWN_PID_UNKNOWN) {
		pidfd = pidfd_open(request->main_pid, 0);
		if (pidfd < 0 && errno == ESRCH)
			return 0;
		if (pidfd < 0)
			return error_errno(err, "cannot watch process %d", request->main_pid);
	}

	bool once = request->timeout_usec == SHUTDOWN_PRESS_ONCE;
	struct error own = {};
	struct ladder l = {
		.request = request,
		.pidfd = pidfd,
		.begin_usec = clock_now_usec(),
		.deadline_usec = clock_deadline_usec(
				once ? QMP_GREETING_USEC : request->timeout_usec),
		.press_usec = request->press_usec ? request->press_usec : SHUTDOWN_PRESS_USEC,
		.quit_wait_usec = request->quit_wait_usec ? request->quit_wait_usec
							  : SHUTDOWN_QUIT_WAIT_USEC,
	};
	int r = run_ladder(&l, ret, &own);
	qmp_free(l.qmp);
	/* On the way up, the ends of single waits fill the error; only the last one is news. */
	if (r < 0 && err)
		*err = own;
	return r;
}
