/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A connection to QEMU's guest agent: sending, waiting, answers. */
#include "host/agent/agent.h"

#include <assert.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "host/agent/agent-parts.h"
#include "host/os/clock.h"
#include "json/jtree.h"
#include "util/mem.h"
#include "util/unicode.h"
#include "util/visible.h"

#define CHUNK 65536
#define TEXT_MAX 512
/* Numbers up to here are exact in all languages that agents are written in. */
#define SYNC_MASK ((UINT64_C(1) << 53) - 1)

void agent_rest(struct agent *a)
{
	if (!a->run_dir)
		return;
	closep(&a->fd);
	closep(&a->lock_fd);
	agent_reader_done(&a->reader);
	a->in_sync = false;
}

void agent_free(struct agent *a)
{
	if (!a)
		return;
	closep(&a->fd);
	closep(&a->lock_fd);
	agent_reader_done(&a->reader);
	free(a->machine);
	free(a->run_dir);
	free(a->path);
	free(a);
}

void agent_freep(struct agent **a)
{
	agent_free(*a);
	*a = NULL;
}

static int closed(const struct agent *a, struct error *err)
{
	error_set(err, ECONNRESET, "guest agent of '%s': QEMU has closed the connection",
			a->machine);
	return AGENT_CLOSED;
}

static int late(const struct agent *a, const char *command, struct error *err)
{
	error_set(err, ETIMEDOUT, "guest agent of '%s': no answer to '%s' in time", a->machine,
			command);
	return AGENT_LATE;
}

/* Returns AGENT_DONE, AGENT_LATE without a text, or a negative errno. */
static int wait_for(const struct agent *a, short events, uint64_t deadline_usec, struct error *err)
{
	struct pollfd fd = { .fd = a->fd, .events = events };
	int n = clock_poll(&fd, 1, deadline_usec);
	if (n < 0 && errno != EINTR)
		return error_errno(err, "cannot wait for the guest agent of '%s'", a->machine);
	return n == 0 ? AGENT_LATE : AGENT_DONE;
}

/* After anything but AGENT_DONE half a line may be out: the next one begins with a delimiter. */
static int send_text(struct agent *a, const char *command, const struct buf *text,
		uint64_t deadline_usec, struct error *err)
{
	for (size_t sent = 0; sent < text->len;) {
		ssize_t n = send(a->fd, text->text + sent, text->len - sent,
				MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n >= 0) {
			sent += (size_t)n;
			continue;
		}
		/* A connection over TCP may fail only here. */
		if (errno == ECONNREFUSED) {
			error_set(err, EHOSTDOWN,
					"guest agent of '%s': nobody listens at port %d of "
					"127.0.0.1",
					a->machine, a->port);
			return AGENT_ABSENT;
		}
		if (errno == EPIPE || errno == ECONNRESET)
			return closed(a, err);
		if (errno != EAGAIN && errno != EINTR)
			return error_errno(
					err, "cannot write to the guest agent of '%s'", a->machine);
		int r = wait_for(a, POLLOUT, deadline_usec, err);
		if (r != AGENT_DONE)
			return r == AGENT_LATE ? late(a, command, err) : r;
	}
	return AGENT_DONE;
}

/* Take in what has arrived. Returns AGENT_DONE, AGENT_CLOSED or a negative errno. */
static int receive(struct agent *a, struct error *err)
{
	char chunk[CHUNK];
	ssize_t n = recv(a->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return closed(a, err);
	if (n < 0 && errno != EINTR && errno != EAGAIN)
		return error_errno(err, "cannot read from the guest agent of '%s'", a->machine);
	if (n > 0)
		agent_reader_feed(&a->reader, chunk, (size_t)n);
	return AGENT_DONE;
}

/* The next message. Returns an enum agent_outcome or a negative errno. */
static int next_message(struct agent *a, const struct agent_command *command,
		uint64_t deadline_usec, struct qmp_message *ret, struct error *err)
{
	const size_t max = command->reply_max ? command->reply_max : AGENT_REPLY_MAX;
	for (;;) {
		int r = agent_reader_next(&a->reader, max, ret, err);
		if (r > 0)
			return AGENT_DONE;
		if (r < 0) {
			error_wrap(err, "guest agent of '%s'", a->machine);
			return r;
		}
		/* A guest that never stops to talk must not keep us from looking at the clock. */
		if (clock_now_usec() >= deadline_usec)
			return late(a, command->name, err);
		r = wait_for(a, POLLIN, deadline_usec, err);
		if (r == AGENT_DONE)
			r = receive(a, err);
		else if (r == AGENT_LATE)
			return late(a, command->name, err);
		if (r != AGENT_DONE)
			return r;
	}
}

/* ---- finding the way into the stream ---- */

/* A number that no answer to another client, nor a guest that guesses, has. */
static uint64_t draw_number(void)
{
	uint64_t number;
	if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
		number = clock_now_usec();
	return number & SYNC_MASK;
}

static void add_sync(struct buf *text, const char *name, uint64_t number)
{
	struct json_object *arguments = jtree_object();
	jtree_set(arguments, "id", jtree_int((int64_t)number));
	qmp_format_command(text, "execute", name, arguments, NULL);
	json_object_put(arguments);
}

static bool is_number(const struct qmp_message *m, uint64_t number)
{
	return m->kind == QMP_RETURN && json_object_is_type(m->value, json_type_int) &&
	       json_object_get_int64(m->value) == (int64_t)number;
}

static const struct agent_command sync_command = { .name = "guest-sync-delimited" };

int agent_sync_begin(struct agent *a, uint64_t deadline_usec, struct error *err)
{
	CLEANUP(buf_done) struct buf text = {};
	a->number = draw_number();
	/* The agent, too, may have half a line of somebody else in front of this one. */
	buf_putc(&text, (char)AGENT_DELIMITER);
	add_sync(&text, sync_command.name, a->number);

	agent_reader_seek(&a->reader);
	return send_text(a, sync_command.name, &text, deadline_usec, err);
}

int agent_sync_end(struct agent *a, uint64_t deadline_usec, struct error *err)
{
	for (;;) {
		struct qmp_message message = {};
		int r = next_message(a, &sync_command, deadline_usec, &message, err);
		bool found = r == AGENT_DONE && is_number(&message, a->number);
		qmp_message_done(&message);
		if (found) {
			agent_reader_settle(&a->reader);
			a->in_sync = true;
			return AGENT_DONE;
		}
		if (r == AGENT_DONE && clock_now_usec() >= deadline_usec)
			r = late(a, sync_command.name, err);
		if (r != AGENT_DONE)
			return r;
	}
}

int agent_sync(struct agent *a, uint64_t deadline_usec, struct error *err)
{
	int r = agent_sync_begin(a, deadline_usec, err);
	return r == AGENT_DONE ? agent_sync_end(a, deadline_usec, err) : r;
}

int agent_attach_take(int fd, const char *machine, uint64_t deadline_usec, struct agent **ret,
		struct error *err)
{
	CLEANUP(agent_freep) struct agent *a = xcalloc(1, sizeof(*a));
	*a = (struct agent){ .machine = xstrdup(machine), .fd = fd, .lock_fd = -1 };
	int r = agent_sync(a, deadline_usec, err);
	if (r == AGENT_DONE)
		*ret = take_ptr(a);
	return r;
}

/* ---- commands ---- */

static int refused(const struct agent *a, const char *command, const struct qmp_message *m,
		struct error *err)
{
	CLEANUP(buf_done) struct buf text = {};
	visible_add(&text, m->desc, strlen(m->desc), TEXT_MAX);
	if (strcmp(m->name, "CommandNotFound") == 0) {
		error_set(err, EOPNOTSUPP,
				"guest agent of '%s': '%s' is unknown to it or forbidden by its "
				"configuration in the guest: %s",
				a->machine, command, buf_text(&text));
		return AGENT_LACKS;
	}
	error_set(err, EREMOTEIO, "guest agent of '%s': '%s': %s", a->machine, command,
			buf_text(&text));
	return AGENT_REFUSED;
}

static int take_reply(const struct agent *a, const char *command, const struct qmp_message *m,
		struct qmp_reply *ret, struct error *err)
{
	*ret = (struct qmp_reply){};
	if (m->kind == QMP_RETURN) {
		ret->value = json_object_get(m->value);
		return AGENT_DONE;
	}
	ret->error_class = xstrdup(m->name);
	ret->error_desc = xstrdup(m->desc);
	return refused(a, command, m, err);
}

/* From here until the answer has come the stream is as good as lost. */
static int begin(struct agent *a, const struct agent_command *command, const struct buf *text,
		uint64_t deadline_usec, struct error *err)
{
	int r = AGENT_DONE;
	/* Words of a command line, names of files: no JSON could hold them. */
	if (!unicode_is_valid(buf_text(text), text->len))
		return error_set(err, EILSEQ,
				"guest agent of '%s': '%s' takes only text in UTF-8, and what it "
				"would be given is none",
				a->machine, command->name);
	if (a->fd < 0)
		r = agent_connect(a, deadline_usec, err);
	else if (!a->in_sync)
		r = agent_sync(a, deadline_usec, err);
	if (r != AGENT_DONE)
		return r;
	a->in_sync = false;
	return send_text(a, command->name, text, deadline_usec, err);
}

int agent_execute(struct agent *a, const struct agent_command *command, uint64_t deadline_usec,
		struct qmp_reply *ret, struct error *err)
{
	CLEANUP(buf_done) struct buf text = {};
	CLEANUP(qmp_message_done) struct qmp_message message = {};
	/* Without an id: agents before 2.12 refuse it, and there is one answer to one command. */
	qmp_format_command(&text, "execute", command->name, command->arguments, NULL);
	int r = begin(a, command, &text, deadline_usec, err);
	if (r == AGENT_DONE)
		r = next_message(a, command, deadline_usec, &message, err);
	if (r != AGENT_DONE)
		return r;
	a->in_sync = true;
	return take_reply(a, command->name, &message, ret, err);
}

int agent_call(struct agent *a, const char *name, struct json_object *arguments,
		uint64_t deadline_usec, struct json_object **ret, struct error *err)
{
	/* The outcome's errno is in the error; a caller who gave none must get one all the same. */
	struct error own = {};
	CLEANUP(qmp_reply_done) struct qmp_reply reply = {};
	struct error *e = err ? err : &own;
	int r = agent_execute(a, &(struct agent_command){ .name = name, .arguments = arguments },
			deadline_usec, &reply, e);
	if (r != AGENT_DONE)
		return -e->code;
	if (ret)
		*ret = take_ptr(reply.value);
	return 0;
}

int agent_tell(struct agent *a, const struct agent_command *command, uint64_t deadline_usec,
		struct error *err)
{
	const uint64_t number = draw_number();
	CLEANUP(buf_done) struct buf text = {};
	CLEANUP(qmp_message_done) struct qmp_message message = {};
	CLEANUP(qmp_reply_done) struct qmp_reply reply = {};
	/* The agent does one thing after the other: this answer comes when the command is over. */
	qmp_format_command(&text, "execute", command->name, command->arguments, NULL);
	add_sync(&text, "guest-sync", number);
	int r = begin(a, command, &text, deadline_usec, err);
	if (r == AGENT_DONE)
		r = next_message(a, command, deadline_usec, &message, err);
	if (r != AGENT_DONE)
		return r;
	if (is_number(&message, number)) {
		a->in_sync = true;
		return AGENT_DONE;
	}
	return take_reply(a, command->name, &message, &reply, err);
}
