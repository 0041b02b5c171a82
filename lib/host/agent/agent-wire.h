/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What QEMU's guest agent says, without the socket: bytes to messages.
 *
 * The agent speaks as QEMU does (host/qmp/qmp-wire.h), but into a channel that outlives both ends:
 * what comes first may be the rest of an answer to somebody else, from before the guest was started
 * anew. So a talk begins with guest-sync-delimited, whose answer follows a byte 0xff, which no JSON
 * has (QEMU's qga/qapi-schema.json).
 */
#pragma once

#include <stdbool.h>

#include "host/qmp/qmp-wire.h"

#define AGENT_DELIMITER 0xff
/* More in one answer is an attack on our memory. The largest real ones are lists of interfaces. */
#define AGENT_VALUES_MAX 65536

/* `{}` takes all bytes; one that is to find its way into the stream was given to _seek() first. */
struct agent_reader {
	struct qmp_reader lines;
	bool seeks;    /* a delimiter forgets what came before it */
	bool is_found; /* there was one */
};

void agent_reader_done(struct agent_reader *reader);

/* Forget all, and all that comes before the next delimiter; and all before the one after it, ... */
void agent_reader_seek(struct agent_reader *reader);
/* The answer with the right number has come: from here on a delimiter is garbage. */
void agent_reader_settle(struct agent_reader *reader);

/* Holds no more than qmp_reader_feed() does, and nothing before the first delimiter. */
void agent_reader_feed(struct agent_reader *reader, const void *data, size_t len);

/*
 * As qmp_reader_next(), for lines of at most @line_max bytes. Errors: EPROTO also for what QEMU
 * says and an agent never does (greeting, event).
 */
MUST_CHECK int agent_reader_next(struct agent_reader *reader, size_t line_max,
		struct qmp_message *ret, struct error *err);
