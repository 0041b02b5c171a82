/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What to say about a key that is not known where it stands. */
#include "json/jknown.h"

#include <string.h>
#include <strings.h>

#include "json/jtext.h"
#include "util/parse.h"

#define LISTED_MAX 12 /* more known keys than this are not listed in a message */
#define DEPTH_MAX 4   /* levels of objects in which a misplaced key is looked for */

/* The @i-th known key, NULL at the end. */
static const char *known(const struct field *fields, const char *const *names, size_t i)
{
	return fields ? fields[i].name : names[i];
}

/* How many edits still look like a slip. */
static unsigned tolerance(const char *key)
{
	size_t len = strlen(key);
	return len < 4 ? 1 : len < 8 ? 2 : 3;
}

static const char *nearest(const struct field *fields, const char *const *names, const char *key)
{
	const char *best = NULL, *name;
	unsigned best_distance = tolerance(key) + 1;
	for (size_t i = 0; (name = known(fields, names, i)); i++) {
		unsigned distance = edit_distance(key, name);
		/* A key that shares nothing with the known one is no slip of it. */
		if (distance < best_distance && distance < strlen(name)) {
			best = name;
			best_distance = distance;
		}
	}
	return best;
}

/*
 * The path to a row of that name @depth objects below, as it would be written in the file.
 *
 * Returns false if there is none.
 */
static bool put_path(const struct field *fields, const char *key, unsigned depth, struct buf *out)
{
	if (depth == 0 && field_find(fields, key)) {
		buf_printf(out, "\"%s\": ...", key);
		return true;
	}
	for (const struct field *f = fields; depth && f->name; f++) {
		size_t len = out->len;
		if (f->kind != FIELD_KIND_OBJECT)
			continue;
		buf_printf(out, "\"%s\": { ", f->name);
		if (put_path(f->fields, key, depth - 1, out)) {
			buf_puts(out, " }");
			return true;
		}
		buf_truncate(out, len);
	}
	return false;
}

static void put_known(const struct field *fields, const char *const *names, struct buf *out)
{
	size_t n = 0;
	while (known(fields, names, n))
		n++;
	if (n == 0 || n > LISTED_MAX)
		return;
	buf_puts(out, n == 1 ? "; the only one here is " : "; those known here are ");
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "%s\"%s\"",
				!i	    ? ""
				: i + 1 < n ? ", "
					    : " and ",
				known(fields, names, i));
}

bool jknown_complaint(const struct field *fields, const char *const *names, const char *key,
		struct buf *text)
{
	const char *name, *same = NULL;
	for (size_t i = 0; (name = known(fields, names, i)); i++) {
		if (!strcmp(name, key))
			return false;
		if (!strcasecmp(name, key))
			same = name;
	}
	if (same) {
		buf_printf(text, "the key is written \"%s\", not ", same);
		text_quoted(text, key);
		return true;
	}
	buf_puts(text, "unknown key ");
	text_quoted(text, key);
	const char *near = nearest(fields, names, key);
	if (near) {
		buf_printf(text, "; did you mean \"%s\"?", near);
		return true;
	}
	CLEANUP(buf_done) struct buf path = {};
	for (unsigned depth = 1; fields && depth <= DEPTH_MAX; depth++) {
		if (put_path(fields, key, depth, &path)) {
			buf_printf(text, "; did you mean %s?", buf_text(&path));
			return true;
		}
	}
	put_known(fields, names, text);
	return true;
}
