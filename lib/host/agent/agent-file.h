/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of a guest, read and written by its agent (guest-file-open, -read, -write, -close).
 *
 * The agent closes no file by itself: each that is opened stays open until it is closed or the
 * agent ends.
 */
#pragma once

#include <stdint.h>

#include "host/agent/agent.h"
#include "util/buf.h"

/* In one command. The agent parses some 10 MB a second whatever the size is, from 16 KiB to 4 MiB.
 */
#define AGENT_CHUNK ((size_t)256 << 10)

struct agent_file {
	struct agent *agent; /* borrowed */
	const char *path;    /* for messages; borrowed */
	int64_t handle;
};

/*
 * @mode: of fopen(3): "r", "w"
 *
 * Returns an enum agent_outcome or a negative errno, as all of these. @ret is closed with
 * agent_file_close() alone: it can fail, as the last bytes may be written only then.
 */
MUST_CHECK int agent_file_open(struct agent *agent, const char *path, const char *mode,
		uint64_t deadline_usec, struct agent_file *ret, struct error *err);
MUST_CHECK int agent_file_close(struct agent_file *file, uint64_t deadline_usec, struct error *err);

/* Append at most AGENT_CHUNK bytes; none at the end of the file. */
MUST_CHECK int agent_file_read(
		struct agent_file *file, uint64_t deadline_usec, struct buf *to, struct error *err);
/* All of it, at most AGENT_CHUNK bytes. */
MUST_CHECK int agent_file_write(struct agent_file *file, const void *data, size_t len,
		uint64_t deadline_usec, struct error *err);
/* How long it is, as the guest says; it is read from the beginning afterwards. */
MUST_CHECK int agent_file_size(struct agent_file *file, uint64_t deadline_usec, uint64_t *ret_bytes,
		struct error *err);
