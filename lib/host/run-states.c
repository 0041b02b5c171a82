/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The states of many guests, asked for side by side. */
#include "host/run-states.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "host/clock.h"
#include "host/listen.h"
#include "host/unix-peer.h"
#include "util/mem.h"

#define CHUNK 65536
/* Ids of the two commands. */
#define ID_CAPABILITIES "0"
#define ID_STATUS "1"

struct talk {
	struct run_states_item *item;
	int fd; /* -1: it is over */
	struct qmp_reader reader;
	bool is_greeted;
};

static void end(struct talk *t)
{
	closep(&t->fd);
	qmp_reader_done(&t->reader);
}

static void fail(struct talk *t, const char *reason)
{
	t->item->reason = xstrdup(reason);
	end(t);
}

static void begin(struct talk *t, struct run_states_item *item)
{
	*t = (struct talk){ .item = item, .fd = -1 };
	*item = (struct run_states_item){ .path = item->path };
	if (!item->path)
		return;
	int r = connect_unix_now(item->path, &t->fd);
	item->is_absent = r == -ENOENT || r == -ECONNREFUSED;
	item->is_forbidden = r == -EACCES || r == -EPERM;
	if (item->is_absent)
		fail(t, "QEMU is not there");
	else if (r == -EAGAIN)
		fail(t, "many wait for its monitor");
	else if (r < 0)
		fail(t, strerror(-r));
}

/* Both at once: QEMU answers in turn. They fit the buffer of a socket that is new. */
static bool ask(struct talk *t)
{
	CLEANUP(buf_done) struct buf text = {};
	qmp_format_command(&text, "execute", "qmp_capabilities", NULL, ID_CAPABILITIES);
	qmp_format_command(&text, "execute", "query-status", NULL, ID_STATUS);
	t->is_greeted = true;
	return send(t->fd, text.text, text.len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)text.len;
}

static void take_status(struct talk *t, const struct qmp_message *m)
{
	struct json_object *status;
	if (m->kind == QMP_RETURN && json_object_object_get_ex(m->value, "status", &status) &&
			json_object_is_type(status, json_type_string)) {
		t->item->state = run_state_find(json_object_get_string(status));
		end(t);
	} else {
		fail(t, "QEMU does not tell its state");
	}
}

static void take_message(struct talk *t, const struct qmp_message *m)
{
	if (m->kind == QMP_GREETING && !t->is_greeted) {
		if (!ask(t))
			fail(t, "QEMU has closed its monitor");
	} else if ((m->kind == QMP_RETURN || m->kind == QMP_ERROR) && m->id &&
			!strcmp(m->id, ID_STATUS)) {
		take_status(t, m);
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

/* Somebody else is served, or QEMU hangs. */
static void give_up(struct talk *t)
{
	CLEANUP(strv_done) struct strv holders = {};
	if (t->fd < 0)
		return;
	/* Ours would be found as one that waits. */
	closep(&t->fd);
	if (!t->is_greeted && unix_peer_list(t->item->path, &holders, NULL) >= 0 && holders.n) {
		CLEANUP(freep)
		char *text = xasprintf("its monitor is held by %s", holders.items[0]);
		fail(t, text);
	} else {
		fail(t, "QEMU does not answer");
	}
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

void run_states_query(struct run_states_item *items, size_t n, uint64_t deadline_usec)
{
	CLEANUP(freep) struct talk *talks = xcalloc(n + 1, sizeof(*talks));
	CLEANUP(freep) struct pollfd *fds = xcalloc(n + 1, sizeof(*fds));
	for (size_t i = 0; i < n; i++)
		begin(&talks[i], &items[i]);
	while (wait_for(talks, fds, n, deadline_usec))
		;
	for (size_t i = 0; i < n; i++)
		give_up(&talks[i]);
}

void run_states_done(struct run_states_item *items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(items[i].reason);
		items[i].reason = NULL;
	}
}
