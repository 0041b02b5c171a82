/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection to QEMU's monitor (QMP) over a unix socket.
 *
 *	CLEANUP(qmp_freep) struct qmp *qmp = NULL;
 *	int r = qmp_open_free(path, -1, clock_deadline_usec(QMP_GREETING_USEC), &qmp, err);
 *	if (r != QMP_DONE)
 *		return r < 0 ? r : -err->code;
 *	r = qmp_call(qmp, "query-status", NULL, clock_deadline_usec(USEC_PER_SEC), &value, err);
 *
 * Every call has a deadline (host/os/clock.h) and none raises SIGPIPE. Events that arrive while a
 * call waits for its reply are kept for qmp_next_event(). Commands and replies: QEMU QMP Reference
 * Manual; the reply to a command that was given up is dropped when it comes.
 *
 * A QEMU monitor serves one client at a time: another one is accepted by the kernel and never
 * greeted.
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "host/qmp/qmp-wire.h"
#include "util/cleanup.h"
#include "util/error.h"

/* How long another client of the monitor is waited for. */
#define QMP_HELD_USEC (1 * UINT64_C(1000000))
/* How long a QEMU whose monitor is free may take to greet: on a busy host, many seconds. */
#define QMP_GREETING_USEC (20 * UINT64_C(1000000))

/* Events kept while nobody asks for them; then the oldest ones are lost. One of more than 16 KiB,
 * which QEMU does not send, is never kept. */
#define QMP_EVENTS_MAX 256

/* How a talk with QEMU ended. With all but QMP_DONE the error says why. */
enum qmp_outcome {
	QMP_DONE,
	QMP_REFUSED, /* QEMU answered with an error (EREMOTEIO) */
	QMP_LATE,    /* not before the deadline (ETIMEDOUT) */
	QMP_CLOSED,  /* the connection or QEMU has ended, for good (ECONNRESET) */
	QMP_ABSENT,  /* qmp_open(): nobody listens, or there is no socket (ECONNREFUSED, ENOENT) */
};

struct qmp;

/*
 * Connect, wait for the greeting, negotiate capabilities ("oob" where QEMU offers it).
 *
 * @path: of the socket, at most 107 bytes
 * @pidfd: pidfd of QEMU (pidfd_open(2)) to notice its end even where somebody else holds the
 *         listening socket open, or -1. Borrowed: must stay open as long as the connection
 *
 * Returns an enum qmp_outcome or a negative errno (EPROTO, EMSGSIZE: what answers is no QMP).
 * QMP_LATE names the process that holds the monitor, if that can be found.
 */
MUST_CHECK int qmp_open(const char *path, int pidfd, uint64_t deadline_usec, struct qmp **ret,
		struct error *err);

/*
 * The same, for who has something else to try or to say where the monitor is taken: QMP_LATE as
 * soon as another client has had it for QMP_HELD_USEC. A QEMU that is merely slow is waited for.
 */
MUST_CHECK int qmp_open_free(const char *path, int pidfd, uint64_t deadline_usec, struct qmp **ret,
		struct error *err);

/*
 * The same on a connected stream socket. Takes @fd over, also on failure.
 *
 * @name: for messages
 */
MUST_CHECK int qmp_attach_take(int fd, const char *name, int pidfd, uint64_t deadline_usec,
		struct qmp **ret, struct error *err);

/*
 * The same for who serves several connections and may wait for none of them: connect, and then
 * proceed each time when the socket can be read (qmp_fd()).
 *
 * @ret: connected, but of no use before qmp_proceed() has returned QMP_DONE
 *
 * Returns QMP_DONE, QMP_ABSENT, or QMP_LATE: try again; or a negative errno.
 */
MUST_CHECK int qmp_begin(const char *path, struct qmp **ret, struct error *err);

/* The beginning of both: around a connected socket, which it takes over. */
struct qmp *qmp_new_take(int fd, const char *name, int pidfd);

/*
 * Does not wait: QEMU's monitor greets by itself, and answers the negotiation only when the rest of
 * QEMU does not hang.
 *
 * Returns QMP_DONE: it can be used; QMP_LATE: not yet; QMP_REFUSED; QMP_CLOSED; or a negative
 * errno.
 */
MUST_CHECK int qmp_proceed(struct qmp *qmp, struct error *err);

void qmp_free(struct qmp *qmp);
void qmp_freep(struct qmp **qmp);

/*
 * From now on no call waits longer than until @deadline_usec, whatever deadline of its own it has:
 * for a piece of work that is made of many calls. 0: no such limit.
 */
void qmp_limit(struct qmp *qmp, uint64_t deadline_usec);

/* The socket, for poll(2) (POLLIN: there may be something for qmp_next_event). Stays owned. */
int qmp_fd(const struct qmp *qmp);
/* "7.2.22 (Debian 1:7.2+dfsg-7)"; "" if the greeting did not say. Valid until qmp_free(). */
const char *qmp_version(const struct qmp *qmp);
/* Is that this version, or a later one? Not if the greeting did not say. */
bool qmp_is_at_least(const struct qmp *qmp, int major, int minor);

struct qmp_command {
	const char *name;
	struct json_object *arguments; /* an object, or NULL; borrowed */
	const int *fd; /* NULL, or a descriptor that goes along (for getfd, add-fd); borrowed */
	bool oob;      /* ahead of commands that still run; only where QEMU offers that */
};

/* Contents are NULL where they do not apply. */
struct qmp_reply {
	struct json_object *value; /* QMP_DONE: what "return" held; NULL is JSON's null */
	char *error_class;	   /* QMP_REFUSED: "GenericError", "DeviceNotFound", ... */
	char *error_desc;
};

void qmp_reply_done(struct qmp_reply *reply);

/*
 * Send a command and wait for its reply.
 *
 * Returns an enum qmp_outcome or a negative errno. @ret is set on QMP_DONE and QMP_REFUSED.
 * After a deadline in the middle of sending, the connection is QMP_CLOSED: half a command is out.
 */
MUST_CHECK int qmp_execute(struct qmp *qmp, const struct qmp_command *command,
		uint64_t deadline_usec, struct qmp_reply *ret, struct error *err);

/*
 * The same for callers to whom everything but QMP_DONE is a failure: 0 or a negative errno.
 *
 * @ret: the value, to be released with json_object_put(); NULL: not wanted
 */
MUST_CHECK int qmp_call(struct qmp *qmp, const char *name, struct json_object *arguments,
		uint64_t deadline_usec, struct json_object **ret, struct error *err);

struct qmp_event {
	char *name;
	struct json_object *data; /* NULL: none */
	uint64_t time_usec;	  /* QEMU's CLOCK_REALTIME, 0: not told */
};

void qmp_event_done(struct qmp_event *event);

/*
 * The next event, in the order of arrival.
 *
 * @deadline_usec: one in the past looks at what has arrived without waiting
 *
 * Returns QMP_DONE with *ret set, QMP_LATE, QMP_CLOSED (after the last event), or negative errno.
 */
MUST_CHECK int qmp_next_event(
		struct qmp *qmp, uint64_t deadline_usec, struct qmp_event *ret, struct error *err);

/*
 * The next event of a name; others that come before it are dropped. Returns as qmp_next_event().
 *
 * @name: NULL: none, all are dropped until the deadline or the end
 * @ret: NULL: what it says is not wanted
 */
MUST_CHECK int qmp_await_event(struct qmp *qmp, const char *name, uint64_t deadline_usec,
		struct qmp_event *ret, struct error *err);

/*
 * Who takes events until a deadline has to look at the clock himself: QEMU, or a guest by what QEMU
 * tells of it, may tell something new at any moment.
 *
 * @n: events that were taken so far
 *
 * Returns whether the deadline has passed and they are more than had arrived until then.
 */
bool qmp_is_flood(unsigned n, uint64_t deadline_usec);

/* Drop all events until the deadline. 0 then, or a negative errno: the connection has ended. */
MUST_CHECK int qmp_pass_time(struct qmp *qmp, uint64_t deadline_usec, struct error *err);
