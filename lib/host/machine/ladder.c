/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rungs of the ladder that shuts a guest down or reboots it. */
#include "host/machine/ladder.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "host/os/clock.h"
#include "host/os/process.h"
#include "json/jtree.h"
#include "util/buf.h"
#include "util/visible.h"

/* How long a process may take to end after its socket has refused a connection. */
#define DYING_USEC USEC_PER_SEC
/* Of a reason that QEMU gives; real ones have at most 20 characters. */
#define REASON_MAX 60
/* How soon a request that is called off is noticed, and an agent that answers late. */
#define LOOK_USEC (200 * USEC_PER_MSEC)

int ladder_begin(struct ladder *l, const struct shutdown_request *request, struct error *err)
{
	bool once = request->timeout_usec == SHUTDOWN_PRESS_ONCE;
	*l = (struct ladder){
		.request = request,
		.pidfd = -1,
		.begin_usec = clock_now_usec(),
		.deadline_usec = clock_deadline_usec(
				once ? QMP_GREETING_USEC : request->timeout_usec),
		.press_usec = request->press_usec ? request->press_usec : SHUTDOWN_PRESS_USEC,
		.quit_wait_usec = request->quit_wait_usec ? request->quit_wait_usec
							  : SHUTDOWN_QUIT_WAIT_USEC,
	};
	if (request->main_pid == SHUTDOWN_PID_NONE)
		return 0;
	if (request->main_pid == SHUTDOWN_PID_UNKNOWN)
		return 1;
	l->pidfd = pidfd_open(request->main_pid, 0);
	if (l->pidfd < 0 && errno == ESRCH)
		return 0;
	if (l->pidfd < 0)
		return error_errno(err, "cannot watch process %d", request->main_pid);
	return 1;
}

void ladder_end(struct ladder *l)
{
	agent_freep(&l->agent);
	qmp_freep(&l->qmp);
	closep(&l->pidfd);
}

void ladder_say(struct ladder *l, const char *format, ...)
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

double ladder_seconds(uint64_t usec)
{
	return (double)usec / (double)USEC_PER_SEC;
}

/* Each monitor once, the best first. As qmp_open() returns; QMP_LATE if one of them is taken. */
static int open_first(struct ladder *l, struct error *err)
{
	int worst = QMP_ABSENT;
	for (const char *const *path = l->request->paths; *path; path++) {
		struct error own = {};
		uint64_t patience = clock_deadline_usec(QMP_GREETING_USEC);
		if (patience > l->deadline_usec)
			patience = l->deadline_usec;
		int r = qmp_open_free(*path, l->pidfd, patience, &l->qmp, &own);
		/* What is first in the list is what its messages are about. */
		if (path == l->request->paths || r != QMP_ABSENT)
			*err = own;
		if (r != QMP_ABSENT && r != QMP_LATE)
			return r;
		if (r == QMP_LATE && !l->complained)
			ladder_say(l, "%s; trying %s", own.text, path[1] ? "another one" : "again");
		if (r == QMP_LATE)
			worst = r;
	}
	l->complained |= worst == QMP_LATE;
	return worst;
}

int ladder_open(struct ladder *l, struct error *err)
{
	for (;;) {
		int r = open_first(l, err);
		if (r == QMP_ABSENT && l->pidfd >= 0) {
			if (process_ends(l->pidfd, clock_deadline_usec(DYING_USEC)))
				return QMP_CLOSED;
			return error_wrap(err, "QEMU (pid %d) runs, but cannot be talked to",
					l->request->main_pid);
		}
		if (r != QMP_LATE || l->request->timeout_usec == SHUTDOWN_PRESS_ONCE ||
				clock_now_usec() >= l->deadline_usec)
			return r;
	}
}

int ladder_command(struct ladder *l, const char *name, uint64_t deadline_usec, struct error *err)
{
	CLEANUP(qmp_reply_done) struct qmp_reply reply = {};
	int r = qmp_execute(
			l->qmp, &(struct qmp_command){ .name = name }, deadline_usec, &reply, err);
	if (r == QMP_REFUSED)
		ladder_say(l, "%s", err->text);
	return r;
}

int ladder_set_end(struct ladder *l, bool pause, uint64_t deadline_usec, struct error *err)
{
	CLEANUP(qmp_reply_done) struct qmp_reply reply = {};
	struct json_object *arguments = jtree_object();
	jtree_set(arguments, "shutdown", jtree_string(pause ? "pause" : "poweroff"));
	int r = qmp_execute(l->qmp,
			&(struct qmp_command){ .name = "set-action", .arguments = arguments },
			deadline_usec, &reply, err);
	json_object_put(arguments);
	return r;
}

int ladder_resume(struct ladder *l, bool moved, struct error *err)
{
	if (!l->request->resume)
		return SHUTDOWN_ELSEWHERE;
	qmp_limit(l->qmp, l->deadline_usec);
	int r = l->request->resume(l->request->data, l->qmp, moved, err);
	qmp_limit(l->qmp, 0);
	return r;
}

int ladder_wake(struct ladder *l, const struct run_state *state, uint64_t deadline_usec,
		struct error *err)
{
	bool sleeps = state->stop == STOP_WAKE;
	ladder_say(l, "%s, %s it", state->meaning, sleeps ? "waking" : "resuming");
	if (sleeps || !l->request->resume)
		return ladder_command(l, sleeps ? "system_wakeup" : "cont", deadline_usec, err);
	int r = ladder_resume(l, false, err);
	if (r >= 0)
		return QMP_DONE;
	if (r == -ECONNRESET)
		return QMP_CLOSED;
	if (r == -ETIMEDOUT)
		return QMP_LATE;
	ladder_say(l, "%s", err->text);
	return QMP_REFUSED;
}

int ladder_press(struct ladder *l, uint64_t deadline_usec, struct error *err)
{
	int r = ladder_command(l, "system_powerdown", deadline_usec, err);
	if (r != QMP_DONE)
		return r;
	if (l->n_presses++ == 0)
		ladder_say(l, "pressed the power button");
	else
		ladder_say(l, "pressed the power button again (%u)", l->n_presses);
	return QMP_DONE;
}

static void take_event(struct ladder *l, const struct qmp_event *event)
{
	const char *why = jtree_get_text(event->data, "reason");
	CLEANUP(buf_done) struct buf reason = {};
	if (*why) {
		buf_puts(&reason, " (");
		visible_add(&reason, why, strlen(why), REASON_MAX);
		buf_puts(&reason, ")");
	}
	bool by_guest = jtree_get_bool(event->data, "guest");

	if (strcmp(event->name, "SHUTDOWN") == 0) {
		l->guest_done = true;
		if (by_guest)
			ladder_say(l, "guest is shutting down%s", buf_text(&reason));
		else if (!l->quitting)
			ladder_say(l, "QEMU is ending%s", buf_text(&reason));
	} else if (strcmp(event->name, "RESET") == 0) {
		/* It is another run of the guest, which has not heard of anything. */
		l->guest_done = false;
		l->was_reset = true;
		l->has_news = true;
		l->agent_asked = false;
		l->told_no_agent = false;
		agent_freep(&l->agent);
		ladder_say(l, "guest is restarting%s", buf_text(&reason));
	} else if (strcmp(event->name, "GUEST_PANICKED") == 0) {
		l->has_news = true;
		ladder_say(l, "guest has panicked");
	} else if (strcmp(event->name, "STOP") == 0 || strcmp(event->name, "SUSPEND") == 0) {
		l->has_news = true;
	}
}

int ladder_watch(struct ladder *l, uint64_t deadline_usec, const bool *until, struct error *err)
{
	const struct shutdown_request *request = l->request;
	for (unsigned n = 0;; n++) {
		CLEANUP(qmp_event_done) struct qmp_event event = {};
		uint64_t next = deadline_usec, soon = clock_deadline_usec(LOOK_USEC);
		if ((request->is_canceled || l->agent) && soon < next)
			next = soon;
		int r = qmp_next_event(l->qmp, next, &event, err);
		if (request->is_canceled && request->is_canceled(request->data))
			return error_set(err, ECANCELED, "called off");
		if (r == QMP_DONE)
			take_event(l, &event);
		else if (r != QMP_LATE || next >= deadline_usec)
			return r;
		else
			ladder_hear_agent(l, deadline_usec);
		if (until && *until)
			return QMP_DONE;
		/* What goes on and on must not keep it from the next rung. */
		if (qmp_is_flood(n, deadline_usec))
			return QMP_LATE;
	}
}
