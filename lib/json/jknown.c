/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What to say about a key that is not known where it stands. */
#include "json/jknown.h"

#include <string.h>
#include <strings.h>

#include "json/jhabits.h"
#include "json/jnames.h"
#include "json/jtext.h"
#include "util/mem.h"
#include "util/strv.h"

#define DEPTH_MAX 2 /* levels of objects in which a misplaced key is looked for */
#define PATHS_MAX 2

/* The known keys; the caller frees the array. */
static const char **list_known(const struct field *fields, const char *const *names, size_t *ret_n)
{
	size_t n = 0;
	while (fields ? fields[n].name != NULL : names[n] != NULL)
		n++;
	const char **list = xcalloc(n + 1, sizeof(*list));
	for (size_t i = 0; i < n; i++)
		list[i] = fields ? fields[i].name : names[i];
	*ret_n = n;
	return list;
}

/* The row of a key, in which dots may lead into the objects below: "cpu.cores". */
static const struct field *find_dotted(const struct field *fields, const char *key)
{
	for (const char *dot; (dot = strchr(key, '.')); key = dot + 1) {
		CLEANUP(freep) char *step = xstrndup(key, (size_t)(dot - key));
		const struct field *f = field_find(fields, step);
		if (!f || f->kind != FIELD_KIND_OBJECT)
			return NULL;
		fields = f->fields;
	}
	return field_find(fields, key);
}

/* Append the path to each row of that name @depth objects below, as it is written in a file. */
static void find_paths(const struct field *fields, const char *key, unsigned depth,
		const char *before, struct strv *ret)
{
	if (depth == 0 && find_dotted(fields, key)) {
		CLEANUP(buf_done) struct buf path = {};
		buf_puts(&path, before);
		for (size_t len; key[len = strcspn(key, ".")]; key += len + 1)
			buf_printf(&path, "\"%.*s\": { ", (int)len, key);
		strv_pushf(ret, "%s\"%s\": ...", buf_text(&path), key);
	}
	for (const struct field *f = fields; depth && f->name; f++) {
		if (f->kind != FIELD_KIND_OBJECT)
			continue;
		CLEANUP(freep) char *path = xasprintf("%s\"%s\": { ", before, f->name);
		find_paths(f->fields, key, depth - 1, path, ret);
	}
}

/* A key that is known in many places ("enabled") may have been meant for any of them. */
static bool put_paths(const struct field *fields, const char *key, struct buf *text)
{
	CLEANUP(strv_done) struct strv paths = {};
	unsigned n_dots = 0;
	for (const char *dot = key; (dot = strchr(dot, '.')); dot++)
		n_dots++;
	unsigned depth = 0;
	if (fields && n_dots)
		find_paths(fields, key, depth, "", &paths);
	while (fields && !paths.n && depth++ < DEPTH_MAX)
		find_paths(fields, key, depth, "", &paths);
	if (!paths.n || paths.n > PATHS_MAX)
		return false;
	for (size_t i = 0; i < paths.n; i++) {
		buf_printf(text, "%s%s", i ? " or " : "; did you mean ", paths.items[i]);
		for (unsigned k = 0; k < depth + n_dots; k++)
			buf_puts(text, " }");
	}
	buf_putc(text, '?');
	return true;
}

/* What other programs call so: a key of this place before those of objects below, where a key of
 * the very name comes first ("memory" is in "attrs"). */
static bool put_habit(const struct field *fields, const char *key, struct buf *text)
{
	size_t cursor = 0;
	const char *ours;
	if (!fields || !jhabit_next(key, &cursor))
		return false;
	for (cursor = 0; (ours = jhabit_next(key, &cursor));)
		if (field_find(fields, ours)) {
			buf_printf(text, "; did you mean \"%s\"?", ours);
			return true;
		}
	if (put_paths(fields, key, text))
		return true;
	for (cursor = 0; (ours = jhabit_next(key, &cursor));)
		if (put_paths(fields, ours, text))
			return true;
	return false;
}

bool jknown_complaint(const struct field *fields, const char *const *names, const char *key,
		struct buf *text)
{
	size_t n;
	CLEANUP(freep) const char **known = list_known(fields, names, &n);
	const char *same = NULL;
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(known[i], key))
			return false;
		if (!strcasecmp(known[i], key))
			same = known[i];
	}
	if (same) {
		buf_printf(text, "the key is written \"%s\", not ", same);
		text_quoted(text, key);
		return true;
	}
	buf_puts(text, "unknown key ");
	text_quoted(text, key);
	if (put_habit(fields, key, text))
		return true;
	const char *near = jnames_nearest(key, known, n);
	if (near) {
		buf_printf(text, "; did you mean \"%s\"?", near);
		return true;
	}
	if (put_paths(fields, key, text))
		return true;
	CLEANUP(buf_done) struct buf list = {};
	if (jnames_list(&list, '"', known, n))
		buf_printf(text, "; %s %s",
				n == 1 ? "the only one here is" : "those known here are",
				buf_text(&list));
	return true;
}
