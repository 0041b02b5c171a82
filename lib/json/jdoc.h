/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One JSON document: its text, its json-c tree, its name.
 *
 * The format is RFC 8259 and nothing else, plus comments of both C forms, which are blanked before parsing
 * so that positions stay true. A strict scan comes first: it gives the position of a
 * syntax error and finds what json-c lets pass (a key given twice, a number that json-c would
 * round or clamp, control characters, bad UTF-8, lone surrogates, text after the value). Integers
 * must fit in a signed 64-bit number. Nesting is limited to 64. json-c then builds the tree.
 */
#pragma once

#include <json-c/json_object.h>
#include <stddef.h>

#include "json/report.h"
#include "util/error.h"

#define JDOC_SIZE_MAX ((size_t)16 << 20)

struct jdoc {
	char *name; /* as shown in messages */
	char *text; /* with comments blanked */
	size_t len;
	struct json_object *root; /* NULL when the text was not valid */
};

void jdoc_done(struct jdoc *doc);

/*
 * Read and parse a file.
 *
 * @dirfd, @path: as for openat(2)
 * @name: what messages call it; copied
 * @ret: released with jdoc_done() in every case
 *
 * Returns 0; 1 when findings were added to @report, @ret->root may be NULL then (a syntax error) or
 * not (a duplicate key); or a negative errno when the file cannot be read.
 */
MUST_CHECK int jdoc_load_at(int dirfd, const char *path, const char *name, struct jdoc *ret,
		struct report *report, struct error *err);

/* The same for text in memory, which is copied. Returns 0 or 1. */
MUST_CHECK int jdoc_parse(const char *name, const char *text, size_t len, struct jdoc *ret,
		struct report *report);
