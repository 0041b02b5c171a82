/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A connection to QEMU's monitor: waiting, sending, replies and events. */
#include "host/qmp/qmp.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/os/clock.h"
#include "host/os/pass-fd.h"
#include "json/jtree.h"
#include "util/mem.h"
#include "util/visible.h"

#define CHUNK 65536
/* More than a unix socket's buffer holds: what a peer that is gone has left behind. */
#define CHUNKS_AT_ONCE 16
#define TEXT_MAX 512
/* A longer event is none of QEMU's, and all that are kept have to fit in memory. */
#define EVENT_LEN_MAX 16384

struct qmp {
	int fd;
	int pidfd; /* borrowed; -1: none */
	char *name;
	char *version;
	uint64_t limit_usec; /* 0: none */
	bool oob;
	bool greeted;

	struct qmp_reader reader;
	bool eof;		  /* nothing more comes */
	bool gone;		  /* the process behind pidfd has ended */
	bool cut_short;		  /* half a command was sent */
	char id[64];		  /* of the last command */
	bool wants;		  /* its reply is waited for */
	struct qmp_message reply; /* root is NULL until it came */

	struct qmp_event events[QMP_EVENTS_MAX]; /* a ring */
	size_t first_event;
	size_t n_events;
};

void qmp_limit(struct qmp *q, uint64_t deadline_usec)
{
	q->limit_usec = deadline_usec;
}

void qmp_reply_done(struct qmp_reply *reply)
{
	json_object_put(reply->value);
	free(reply->error_class);
	free(reply->error_desc);
	*reply = (struct qmp_reply){};
}

void qmp_event_done(struct qmp_event *event)
{
	free(event->name);
	json_object_put(event->data);
	*event = (struct qmp_event){};
}

void qmp_free(struct qmp *q)
{
	if (!q)
		return;
	closep(&q->fd);
	free(q->name);
	free(q->version);
	qmp_reader_done(&q->reader);
	qmp_message_done(&q->reply);
	for (size_t i = 0; i < QMP_EVENTS_MAX; i++)
		qmp_event_done(&q->events[i]);
	free(q);
}

void qmp_freep(struct qmp **q)
{
	qmp_free(*q);
	*q = NULL;
}

int qmp_fd(const struct qmp *q)
{
	return q->fd;
}

const char *qmp_version(const struct qmp *q)
{
	return q->version ? q->version : "";
}

bool qmp_is_at_least(const struct qmp *q, int major, int minor)
{
	int is_major, is_minor;
	if (sscanf(qmp_version(q), "%d.%d", &is_major, &is_minor) < 2)
		return false;
	return is_major > major || (is_major == major && is_minor >= minor);
}

static void keep_event(struct qmp *q, const struct qmp_message *m)
{
	if (m->len > EVENT_LEN_MAX)
		return;
	if (q->n_events == QMP_EVENTS_MAX) {
		qmp_event_done(&q->events[q->first_event]);
		q->first_event = (q->first_event + 1) % QMP_EVENTS_MAX;
		q->n_events--;
	}
	q->events[(q->first_event + q->n_events++) % QMP_EVENTS_MAX] = (struct qmp_event){
		.name = xstrdup(m->name),
		.data = json_object_get(m->value),
		.time_usec = m->time_usec,
	};
}

static void read_greeting(struct qmp *q, struct json_object *greeting)
{
	free(q->version);
	q->version = qmp_greeting_version(greeting);

	struct json_object *capabilities;
	if (json_object_object_get_ex(greeting, "capabilities", &capabilities) &&
			json_object_is_type(capabilities, json_type_array))
		for (size_t i = 0; i < json_object_array_length(capabilities); i++) {
			struct json_object *value = json_object_array_get_idx(capabilities, i);
			q->oob |= json_object_is_type(value, json_type_string) &&
				  strcmp(json_object_get_string(value), "oob") == 0;
		}
	q->greeted = true;
}

/*
 * Returns whether the message is what may be waited for. Replies that nobody waits for belong to
 * commands that were given up.
 */
static bool take_message(struct qmp *q, struct qmp_message *m)
{
	switch (m->kind) {
	case QMP_GREETING:
		if (q->greeted)
			return false;
		read_greeting(q, m->value);
		return true;
	case QMP_EVENT:
		keep_event(q, m);
		/* Before the greeting it is that which is waited for. */
		return !q->wants && q->greeted;
	case QMP_ERROR:
	case QMP_RETURN:
		/* An error without an id is about a line that QEMU could not even parse: ours. The
		 * first answer counts. */
		if (!q->wants || q->reply.root ||
				(m->id ? strcmp(m->id, q->id) != 0 : m->kind == QMP_RETURN))
			return false;
		q->reply = *m;
		*m = (struct qmp_message){};
		return true;
	}
	return false;
}

/*
 * Take messages up to the first that may be waited for, so that a fault in a later one does not
 * hide it. Returns 1 if there was such a message, 0, or a negative errno.
 */
static int take_messages(struct qmp *q, struct error *err)
{
	struct qmp_message m = {};
	int r;
	bool found = false;
	while (!found && (r = qmp_reader_next(&q->reader, &m, err)) > 0) {
		found = take_message(q, &m);
		qmp_message_done(&m);
	}
	if (found)
		return 1;
	if (r < 0)
		error_wrap(err, "'%s'", q->name);
	return r;
}

/* Take what has arrived, without waiting. Returns 0 or a negative errno; the end is no fault. */
static int pump(struct qmp *q, struct error *err)
{
	char chunk[CHUNK];
	int r = take_messages(q, err);
	for (int i = 0; r == 0 && i < CHUNKS_AT_ONCE && !q->eof; i++) {
		ssize_t n = recv(q->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0 && errno != ECONNRESET && errno != EPIPE)
			return error_errno(err, "cannot read from '%s'", q->name);
		if (n <= 0) {
			q->eof = true;
			break;
		}
		qmp_reader_feed(&q->reader, chunk, (size_t)n);
		r = take_messages(q, err);
	}
	return r < 0 ? r : 0;
}

static int closed(struct qmp *q, struct error *err)
{
	if (q->cut_short)
		error_set(err, ECONNRESET, "'%s': the connection ended in the middle of a command",
				q->name);
	else if (q->gone)
		error_set(err, ECONNRESET, "'%s': QEMU has exited", q->name);
	else
		error_set(err, ECONNRESET, "'%s': QEMU has closed the connection", q->name);
	return QMP_CLOSED;
}

/*
 * Wait until the socket is ready or QEMU is gone; what is sought has not been among what arrived.
 *
 * Returns QMP_DONE to look again, or QMP_CLOSED, or QMP_LATE without a text, or a negative errno.
 */
static int wait_more(struct qmp *q, short events, uint64_t deadline_usec, struct error *err)
{
	if (q->eof || q->gone)
		return closed(q, err);
	if (q->limit_usec && q->limit_usec < deadline_usec)
		deadline_usec = q->limit_usec;
	if (clock_now_usec() >= deadline_usec)
		return QMP_LATE;

	struct pollfd fds[] = {
		{ .fd = q->fd, .events = events },
		{ .fd = q->pidfd, .events = POLLIN },
	};
	if (clock_poll(fds, ARRAY_SIZE(fds), deadline_usec) < 0 && errno != EINTR)
		return error_errno(err, "cannot wait for '%s'", q->name);
	if (fds[1].revents)
		q->gone = true;
	return QMP_DONE;
}

static int send_line(struct qmp *q, const struct buf *line, const int *fd, uint64_t deadline_usec,
		struct error *err)
{
	size_t sent = 0;

	while (sent < line->len) {
		/* The descriptor goes with the first byte, so it is there when the line ends. */
		ssize_t n = pass_fd_send(q->fd, line->text + sent, line->len - sent,
				fd && sent == 0 ? *fd : -1, MSG_DONTWAIT);
		if (n >= 0) {
			sent += (size_t)n;
			q->cut_short = sent < line->len;
			continue;
		}
		if (n == -EPIPE || n == -ECONNRESET) {
			/* It may have said something before it went. */
			int r = pump(q, err);
			q->eof = true;
			return r < 0 ? r : closed(q, err);
		}
		if (n != -EAGAIN)
			return error_code(err, (int)n, "cannot write to '%s'", q->name);

		/* QEMU may wait for us to read before it reads on. */
		int r = pump(q, err);
		if (r == 0)
			r = wait_more(q, POLLIN | POLLOUT, deadline_usec, err);
		if (r == QMP_LATE)
			error_set(err, ETIMEDOUT, "'%s': QEMU does not read its commands", q->name);
		if (r != QMP_DONE)
			return r;
	}
	return QMP_DONE;
}

static int refused(struct qmp *q, const char *name, struct qmp_reply *reply, struct error *err)
{
	CLEANUP(buf_done) struct buf text = {};
	visible_add(&text, reply->error_desc, strlen(reply->error_desc), TEXT_MAX);
	/* The class says more than the description only where it is not the general one. */
	bool general = strcmp(reply->error_class, "GenericError") == 0;
	if (!general) {
		buf_puts(&text, " (");
		visible_add(&text, reply->error_class, strlen(reply->error_class), TEXT_MAX);
		buf_putc(&text, ')');
	}
	error_set(err, EREMOTEIO, "'%s': QEMU refuses '%s': %s", q->name, name, buf_text(&text));
	return QMP_REFUSED;
}

/* Wait for the reply to the command that was sent. */
static int wait_reply(struct qmp *q, const char *name, uint64_t deadline_usec,
		struct qmp_reply *ret, struct error *err)
{
	for (;;) {
		int r = pump(q, err);
		if (r < 0)
			return r;
		if (q->reply.root && q->reply.kind == QMP_RETURN) {
			*ret = (struct qmp_reply){ .value = json_object_get(q->reply.value) };
			return QMP_DONE;
		}
		if (q->reply.root) {
			*ret = (struct qmp_reply){
				.error_class = xstrdup(q->reply.name),
				.error_desc = xstrdup(q->reply.desc),
			};
			return refused(q, name, ret, err);
		}
		r = wait_more(q, POLLIN, deadline_usec, err);
		if (r == QMP_LATE)
			error_set(err, ETIMEDOUT, "'%s': QEMU does not answer '%s'", q->name, name);
		if (r != QMP_DONE)
			return r;
	}
}

/* Send a command. Whatever it returns, end_command() is next. */
static int begin_command(struct qmp *q, const struct qmp_command *command, uint64_t deadline_usec,
		struct error *err)
{
	/* One count for all connections: an id seen in a trace belongs to one command. */
	static unsigned n_commands;
	snprintf(q->id, sizeof(q->id), "machina.%d.%u", getpid(),
			__atomic_add_fetch(&n_commands, 1, __ATOMIC_RELAXED));

	assert(!command->oob || q->oob);
	if (q->eof || q->gone || q->cut_short)
		return closed(q, err);

	CLEANUP(buf_done) struct buf line = {};
	qmp_format_command(&line, command->oob ? "exec-oob" : "execute", command->name,
			command->arguments, q->id);
	q->wants = true;
	return send_line(q, &line, command->fd, deadline_usec, err);
}

static void end_command(struct qmp *q)
{
	q->wants = false;
	qmp_message_done(&q->reply);
}

int qmp_execute(struct qmp *q, const struct qmp_command *command, uint64_t deadline_usec,
		struct qmp_reply *ret, struct error *err)
{
	int r = begin_command(q, command, deadline_usec, err);
	if (r == QMP_DONE)
		r = wait_reply(q, command->name, deadline_usec, ret, err);
	end_command(q);
	return r;
}

int qmp_call(struct qmp *q, const char *name, struct json_object *arguments, uint64_t deadline_usec,
		struct json_object **ret, struct error *err)
{
	/* The outcome's errno is in the error; a caller who gave none must get one all the same. */
	struct error own = {};
	CLEANUP(qmp_reply_done) struct qmp_reply reply = {};
	struct error *e = err ? err : &own;
	int r = qmp_execute(q, &(struct qmp_command){ .name = name, .arguments = arguments },
			deadline_usec, &reply, e);
	if (r != QMP_DONE)
		return -e->code;
	if (ret)
		*ret = take_ptr(reply.value);
	return 0;
}

int qmp_next_event(struct qmp *q, uint64_t deadline_usec, struct qmp_event *ret, struct error *err)
{
	for (;;) {
		/* What came first goes out first, also before a fault that came after it. */
		int r = q->n_events > 0 ? 0 : pump(q, err);
		if (q->n_events > 0) {
			*ret = q->events[q->first_event];
			q->events[q->first_event] = (struct qmp_event){};
			q->first_event = (q->first_event + 1) % QMP_EVENTS_MAX;
			q->n_events--;
			return QMP_DONE;
		}
		if (r == 0)
			r = wait_more(q, POLLIN, deadline_usec, err);
		if (r == QMP_LATE)
			error_set(err, ETIMEDOUT, "'%s': no event", q->name);
		if (r != QMP_DONE)
			return r;
	}
}

#define NEGOTIATION "qmp_capabilities"

/* "oob" is asked for only where it is offered: QEMU leaves it out for some character devices. */
static int begin_negotiation(struct qmp *q, uint64_t deadline_usec, struct error *err)
{
	CLEANUP(jtree_putp) struct json_object *arguments = NULL;
	if (q->oob) {
		struct json_object *enable = jtree_list();
		jtree_push(enable, jtree_string("oob"));
		arguments = jtree_object();
		jtree_set(arguments, "enable", enable);
	}
	const struct qmp_command command = { .name = NEGOTIATION, .arguments = arguments };
	return begin_command(q, &command, deadline_usec, err);
}

static int wait_negotiation(struct qmp *q, uint64_t deadline_usec, struct error *err)
{
	CLEANUP(qmp_reply_done) struct qmp_reply reply = {};
	return wait_reply(q, NEGOTIATION, deadline_usec, &reply, err);
}

struct qmp *qmp_new_take(int fd, const char *name, int pidfd)
{
	struct qmp *q = xcalloc(1, sizeof(*q));
	q->fd = fd;
	q->pidfd = pidfd;
	q->name = xstrdup(name);
	return q;
}

int qmp_proceed(struct qmp *q, struct error *err)
{
	int r = pump(q, err);
	if (r < 0)
		return r;
	if (!q->greeted)
		return q->eof ? closed(q, err) : QMP_LATE;
	if (!q->wants)
		r = begin_negotiation(q, 0, err);
	if (r == QMP_DONE)
		r = wait_negotiation(q, 0, err);
	if (r != QMP_LATE)
		end_command(q);
	return r;
}

int qmp_attach_take(int fd, const char *name, int pidfd, uint64_t deadline_usec, struct qmp **ret,
		struct error *err)
{
	CLEANUP(qmp_freep) struct qmp *q = qmp_new_take(fd, name, pidfd);
	for (;;) {
		int r = pump(q, err);
		if (r < 0)
			return r;
		if (q->greeted)
			break;
		r = wait_more(q, POLLIN, deadline_usec, err);
		if (r == QMP_LATE)
			error_set(err, ETIMEDOUT, "'%s': QEMU does not greet", name);
		if (r != QMP_DONE)
			return r;
	}

	int r = begin_negotiation(q, deadline_usec, err);
	if (r == QMP_DONE)
		r = wait_negotiation(q, deadline_usec, err);
	end_command(q);
	if (r == QMP_DONE)
		*ret = take_ptr(q);
	return r;
}
