/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The same questions to many QEMUs, side by side. */
#include "host/qmp/qmp-many.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "host/os/clock.h"
#include "host/os/listen.h"
#include "host/os/unix-peer.h"
#include "host/qmp/qmp-wire.h"
#include "util/file.h"
#include "util/mem.h"

#define CHUNK 65536
/* A line of the largest machine's disks has a fiftieth of it. */
#define LINE_LEN_MAX ((size_t)4 << 20)
#define VALUES_MAX 200000

struct talk {
	struct qmp_many *item;
	const char *const *commands;
	int fd; /* -1: it is over */
	struct qmp_reader reader;
	bool is_greeted;
	size_t n_replies; /* so far, that to the negotiation included */
};

struct qmp_round {
	struct talk *talks;
	size_t n;
	struct json_tokener *tokener; /* of all readers */
};

static void end(struct talk *t)
{
	closep(&t->fd);
	qmp_reader_done(&t->reader);
}

static void drop_replies(struct qmp_many *item)
{
	for (size_t i = 0; i < QMP_MANY_COMMANDS_MAX; i++) {
		json_object_put(item->replies[i]);
		item->replies[i] = NULL;
	}
}

static void fail(struct talk *t, const char *reason)
{
	drop_replies(t->item);
	t->item->reason = xstrdup(reason);
	end(t);
}

/* Somebody else is served, or QEMU hangs. */
static void blame(struct talk *t)
{
	CLEANUP(strv_done) struct strv holders = {};
	t->item->is_late = true;
	if (!t->is_greeted && unix_peer_list(t->item->path, &holders) >= 0 && holders.n) {
		CLEANUP(freep)
		char *text = xasprintf("its monitor is held by %s", holders.items[0]);
		fail(t, text);
	} else {
		fail(t, "QEMU does not answer");
	}
}

/*
 * What is said to each: QEMU answers in turn. It reads a monitor byte by byte until version 9.1,
 * with seven system calls for each, which is most of what it has to do here: so there are no ids.
 */
static void format(const char *const *commands, struct buf *text)
{
	qmp_format_command(text, "execute", "qmp_capabilities", NULL, NULL);
	for (size_t i = 0; commands[i]; i++)
		qmp_format_command(text, "execute", commands[i], NULL, NULL);
}

/* The greeting is not waited for: QEMU reads nothing before it has sent it. All of the text fits
 * the buffer of a socket that is new. */
static void begin(struct talk *t, struct qmp_many *item, const char *const *commands,
		struct json_tokener *tokener, const struct buf *text)
{
	*t = (struct talk){ item, commands, -1,
		.reader = { .line_max = LINE_LEN_MAX, .values_max = VALUES_MAX, .lent = tokener } };
	*item = (struct qmp_many){
		.path = item->path,
		.occupied = item->occupied,
		.is_partial = item->is_partial,
	};
	if (!item->path)
		return;
	if (item->occupied) {
		item->is_late = true;
		fail(t, item->occupied);
		return;
	}
	int r = connect_unix_now(item->path, &t->fd);
	item->is_absent = r == -ENOENT || r == -ECONNREFUSED;
	item->is_forbidden = r == -EACCES || r == -EPERM;
	if (item->is_absent)
		fail(t, "QEMU is not there");
	/* The queue is full: also those who have gone count until they are accepted. */
	else if (r == -EAGAIN)
		blame(t);
	else if (r < 0)
		fail(t, strerror(-r));
	else if (send(t->fd, text->text, text->len, MSG_NOSIGNAL | MSG_DONTWAIT) !=
			(ssize_t)text->len)
		fail(t, "QEMU has closed its monitor");
}

/* Replies come in the order of the commands, as nothing is sent ahead of others ("oob"). */
static void take_reply(struct talk *t, const struct qmp_message *m)
{
	const size_t n = t->n_replies++;
	const char *command = n ? t->commands[n - 1] : "qmp_capabilities";
	bool may_fail = n && t->item->is_partial;
	if (m->kind == QMP_ERROR ? !may_fail : n && !m->value) {
		CLEANUP(freep) char *text = xasprintf("QEMU refuses '%s'", command);
		fail(t, text);
		return;
	}
	if (n)
		t->item->replies[n - 1] = json_object_get(m->value);
	if (!t->commands[n]) {
		t->item->is_answered = true;
		end(t);
	}
}

static void take_message(struct talk *t, const struct qmp_message *m)
{
	if (m->kind == QMP_GREETING && !t->is_greeted) {
		t->item->version = qmp_greeting_version(m->value);
		t->is_greeted = true;
	} else if ((m->kind == QMP_RETURN || m->kind == QMP_ERROR) && t->is_greeted) {
		take_reply(t, m);
	}
}

static void take_bytes(struct talk *t)
{
	char chunk[CHUNK];
	ssize_t len = recv(t->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (len <= 0) {
		fail(t, "QEMU has closed its monitor");
		return;
	}
	struct error err = {};
	int r = 0;
	qmp_reader_feed(&t->reader, chunk, (size_t)len);
	while (t->fd >= 0) {
		struct qmp_message m = {};
		r = qmp_reader_next(&t->reader, &m, &err);
		if (r <= 0)
			break;
		take_message(t, &m);
		qmp_message_done(&m);
	}
	if (r < 0)
		fail(t, err.text);
}

static void give_up(struct talk *t)
{
	if (t->fd < 0)
		return;
	/* Ours would be found as one that waits. */
	closep(&t->fd);
	blame(t);
}

/* Returns false when nothing more can be waited for. */
static bool wait_for(struct talk *talks, struct pollfd *fds, size_t n, uint64_t deadline_usec)
{
	size_t n_open = 0;
	for (size_t i = 0; i < n; i++) {
		fds[i] = (struct pollfd){ .fd = talks[i].fd, .events = POLLIN };
		n_open += talks[i].fd >= 0;
	}
	if (!n_open)
		return false;
	int found = clock_poll(fds, n, deadline_usec);
	if (found < 0 && errno != EINTR)
		return false;
	for (size_t i = 0; found > 0 && i < n; i++)
		if (fds[i].revents && talks[i].fd >= 0)
			take_bytes(&talks[i]);
	/* Who has an answer for each look must not keep the others waiting. */
	return found != 0 && clock_now_usec() < deadline_usec;
}

struct qmp_round *qmp_many_begin(struct qmp_many *items, size_t n, const char *const *commands)
{
	CLEANUP(buf_done) struct buf text = {};
	struct qmp_round *round = xcalloc(1, sizeof(*round));
	*round = (struct qmp_round){ xcalloc(n + 1, sizeof(*round->talks)), n, qmp_tokener_new() };
	format(commands, &text);
	file_allow_many();
	for (size_t i = 0; i < n; i++)
		begin(&round->talks[i], &items[i], commands, round->tokener, &text);
	return round;
}

void qmp_many_drop(struct qmp_round *round, size_t i)
{
	end(&round->talks[i]);
}

void qmp_many_end(struct qmp_round *round, uint64_t deadline_usec)
{
	CLEANUP(freep) struct pollfd *fds = xcalloc(round->n + 1, sizeof(*fds));
	while (wait_for(round->talks, fds, round->n, deadline_usec))
		;
	for (size_t i = 0; i < round->n; i++)
		give_up(&round->talks[i]);
	free(round->talks);
	json_tokener_free(round->tokener);
	free(round);
}

void qmp_many_ask(struct qmp_many *items, size_t n, const char *const *commands,
		uint64_t deadline_usec)
{
	qmp_many_end(qmp_many_begin(items, n, commands), deadline_usec);
}

void qmp_many_done(struct qmp_many *items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		drop_replies(&items[i]);
		free(items[i].reason);
		free(items[i].version);
	}
}
