/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One JSON document: its text, its json-c tree, its name.
 *
 * The format is RFC 8259 and nothing else, plus comments of both C forms, which are blanked so
 * that positions stay true. The document is an object. Beyond the grammar, these are findings: a
 * key given twice, an integer that does not fit in a signed 64-bit number, a number beyond what a
 * double can hold, "\u0000", half of a surrogate pair, bad UTF-8 (also in comments), a byte-order
 * mark. Nesting is limited to JDOC_DEPTH_MAX.
 *
 * The tree is made by our own parser (json/jparse.h); json-c's takes too much for JSON. Integers
 * and other numbers differ by type: 1 is json_type_int, 1.0 and 1e0 are json_type_double, and
 * jtree_text() gives both as they are written.
 */
#pragma once

#include <json-c/json_object.h>
#include <stddef.h>

#include "json/report.h"
#include "util/error.h"

#define JDOC_SIZE_MAX ((size_t)16 << 20)
#define JDOC_DEPTH_MAX 64
#define JDOC_FINDINGS_MAX 200 /* in one file; then reading it, or checking it, stops */

struct jdoc {
	char *name; /* as shown in messages */
	char *text; /* with comments blanked; NUL at text[len] */
	size_t len;
	struct json_object *root; /* an object; NULL when the text was not JSON or no object */
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
 * not (a duplicate key, of which the last counts); or a negative errno when the file cannot be
 * read or is longer than JDOC_SIZE_MAX (EFBIG).
 */
MUST_CHECK int jdoc_load_at(int dirfd, const char *path, const char *name, struct jdoc *ret,
		struct report *report, struct error *err);

/* The same for text in memory, which is copied. Returns 0 or 1. */
MUST_CHECK int jdoc_parse(const char *name, const char *text, size_t len, struct jdoc *ret,
		struct report *report);
