/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest has printed at its serial console, as QEMU keeps it.
 *
 * The log is a file that QEMU appends to. machina-console-logs.timer keeps it small: it copies what
 * is there to a second file, PATH.1, and cuts it (copytruncate of logrotate(8)). The two are one
 * here, and a cut while somebody follows loses nothing but what came between copy and cut.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "util/buf.h"
#include "util/error.h"

struct console_log {
	const char *path; /* borrowed */
	int fd;		  /* -1: not open */
	off_t at;	  /* it was read up to here */
	bool raw;	  /* all that the guest wrote is printed, not text alone */
	bool in_line;	  /* what was printed has not ended its line */
};

MUST_CHECK int console_log_open(
		struct console_log *ret, const char *path, bool raw, struct error *err);
void console_log_close(struct console_log *log);

/* All of it, to standard output. */
MUST_CHECK int console_log_print(const struct console_log *log, struct error *err);

/* Its last lines, of which the last one may not have ended. Sets where the next function goes on.
 *
 * @n_lines: 0: none
 */
MUST_CHECK int console_log_print_last(struct console_log *log, int n_lines, struct error *err);

/*
 * Append what has come since, or a piece of it, to @ret. Returns 0, 1 when nothing came and the
 * file has no name any more, for its machine has stopped, or a negative errno.
 */
MUST_CHECK int console_log_follow(struct console_log *log, struct buf *ret, struct error *err);

/* What is there by now was seen elsewhere. */
MUST_CHECK int console_log_skip(struct console_log *log, struct error *err);

/*
 * What a guest that has come to a bad end said last: the line of its kernel's panic, or else the
 * last one that is not empty. NULL: it said nothing, or there is no log. The caller frees it.
 */
char *console_log_last_words(const char *path);
