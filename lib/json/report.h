/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every finding in the user's files. Reading goes on after a finding, so that one run shows all.
 *
 *	machine.conf.d/web.conf.json:12:19: /attrs/memory/ram: expected a whole number...
 *
 * In a text, names of machines, networks, files and the like are in single quotes; keys and values
 * are written as they stand in the file, or are to stand there, in double quotes.
 *
 * `struct report r = {};` is an empty report. Texts are kept as they came; finding_format() makes
 * them fit for a terminal.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#include "util/buf.h"
#include "util/error.h"

enum severity {
	SEVERITY_ERROR,	 /* nothing is written while there is one */
	SEVERITY_ADVICE, /* works, but the user would want to know */
};

struct finding {
	enum severity severity;
	char *file;  /* NULL: not about a file */
	size_t line; /* 0: the file as a whole */
	size_t column;
	char *pointer; /* JSON pointer in that file; NULL: none */
	char *text;
	char *chain;   /* "machine web, tag desk, tag base" for what a tag brought in; or NULL */
	size_t number; /* in the order they came */
};

struct report {
	struct finding *items;
	size_t n;
	size_t n_alloc;
	size_t n_errors;
	size_t n_errors_told; /* with repeats, so that it grows whenever something goes wrong */
	size_t *index;	      /* hash table of positions in @items + 1, to know repeats */
	size_t n_index;	      /* power of two, or 0 */
};

void report_done(struct report *r);

/*
 * Add one finding; all texts are copied. An exact repeat (same place, same text) is dropped: a
 * tag that is wrong is wrong for each machine that has it. Repeats that differ in @chain alone are
 * repeats; the first chain stays.
 *
 * @at: at.file NULL: no file; at.line 0: no position
 * @pointer, @chain: may be NULL
 */
void report_add(struct report *r, enum severity severity, struct where at, const char *pointer,
		const char *chain, const char *format, ...) PRINTF(6, 7);
void report_vadd(struct report *r, enum severity severity, struct where at, const char *pointer,
		const char *chain, const char *format, va_list ap) PRINTF(6, 0);

/* One that is not worth telling, because it comes of another one that was told: it counts as a
 * repeat of that. */
void report_withhold(struct report *r, enum severity severity);

/* A failure that is not about a place inside a file (I/O), as an error finding. */
void report_error(struct report *r, const struct error *err);

/* By file, line, column; findings of one place stay in the order they came. No file comes first. */
void report_sort(struct report *r);

/*
 * "FILE:LINE:COL: /pointer: text (chain)", without a newline; parts that are missing are left
 * out. All of it goes through text_printable().
 */
void finding_format(const struct finding *f, struct buf *out);
