/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's machine protocol without the socket: bytes to messages, and a command to bytes.
 *
 * Each message is a JSON object on a line of its own (qemu-doc, "QEMU QMP Reference Manual"; QEMU's
 * docs/interop/qmp-spec). A reader is fed with whatever arrived and asked for messages until it has
 * no more:
 *
 *	struct qmp_reader reader = {};
 *	qmp_reader_feed(&reader, data, len);
 *	while ((r = qmp_reader_next(&reader, &message, err)) > 0) {
 *		...
 *		qmp_message_done(&message);
 *	}
 *	qmp_reader_done(&reader);
 */
#pragma once

#include <json-c/json.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/cleanup.h"
#include "util/error.h"

/* A longer line is an error. The longest real one, query-qmp-schema's reply, has 0.2 MB. */
#define QMP_LINE_MAX ((size_t)16 << 20)

/* So are more values in one: each takes up to a hundred times its text in memory. That longest one
 * has not a tenth of it. */
#define QMP_VALUES_MAX ((size_t)1000000)

/* As deep as QEMU's own parser goes (qobject/json-parser.c, MAX_NESTING). */
#define QMP_DEPTH_MAX 1024

enum qmp_kind {
	QMP_GREETING, /* value: the object under "QMP" */
	QMP_RETURN,   /* value: under "return"; id */
	QMP_ERROR,    /* name: the class; desc; id */
	QMP_EVENT,    /* name; value: under "data"; time_usec */
};

/* Pointers are into @root and live as long as it does. */
struct qmp_message {
	enum qmp_kind kind;
	struct json_object *root;
	struct json_object *value; /* NULL: JSON's null, or an event without data */
	const char *name;	   /* EVENT, ERROR; else NULL */
	const char *desc;	   /* ERROR; else NULL */
	const char *id;		   /* of the command; NULL: none, or not a string */
	size_t len;		   /* of its text */
	uint64_t time_usec;	   /* EVENT: QEMU's clock (CLOCK_REALTIME), 0 if not told */
};

void qmp_message_done(struct qmp_message *message);

/* `{}` is a new one. */
struct qmp_reader {
	size_t line_max;   /* 0: QMP_LINE_MAX; may change at any time */
	size_t values_max; /* in one line; 0: QMP_VALUES_MAX */
	struct buf pending;
	size_t begin; /* of the first line not given out */
	size_t seen;  /* no newline from begin to here */
	/* NULL: it makes one of its own. Borrowed; several readers can use one in turns. */
	struct json_tokener *lent;
	struct json_tokener *own;
};

/* For readers. The caller frees it with json_tokener_free(). */
struct json_tokener *qmp_tokener_new(void) __attribute__((returns_nonnull));

void qmp_reader_done(struct qmp_reader *reader);

/* Add bytes. Holds them all: ask for messages after each call, then memory stays bounded. */
void qmp_reader_feed(struct qmp_reader *reader, const void *data, size_t len);

/*
 * The next message.
 *
 * Returns 1 with *ret set; 0 if more bytes are needed; or a negative errno, and then again at each
 * call, since nothing that follows could be trusted. Errors: EMSGSIZE a line over a limit; EPROTO a
 * line that is not a message, its beginning is quoted in the text.
 */
MUST_CHECK int qmp_reader_next(
		struct qmp_reader *reader, struct qmp_message *ret, struct error *err);

/*
 * Append a command as one line.
 *
 * @execute: "execute", or "exec-oob" for a command that overtakes others
 * @arguments: an object, or NULL for none; borrowed
 * @id: comes back in the reply; NULL: none
 */
void qmp_format_command(struct buf *buf, const char *execute, const char *name,
		struct json_object *arguments, const char *id);

/*
 * Which QEMU greets, "7.2.22 (Debian ...)", from the value of a greeting. "" where it does not
 * tell: that is not worth a failure. The caller frees it.
 */
char *qmp_greeting_version(struct json_object *greeting);
