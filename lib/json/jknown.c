/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What to say about a key that is not known where it stands. */
#include "json/jknown.h"

#include <string.h>
#include <strings.h>

#include "json/jhabits.h"
#include "json/jlocate.h"
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

/* Append the pointer to each row of that name @depth objects below. @before: ends in "/" */
static void find_paths(const struct field *fields, const char *key, unsigned depth,
		const char *before, struct strv *ret)
{
	if (depth == 0 && find_dotted(fields, key)) {
		char *path = xasprintf("%s%s", before, key);
		for (char *dot = path; (dot = strchr(dot, '.'));)
			*dot = '/';
		strv_push_take(ret, path);
	}
	for (const struct field *f = fields; depth && f->name; f++) {
		if (f->kind != FIELD_KIND_OBJECT)
			continue;
		CLEANUP(freep) char *path = xasprintf("%s%s/", before, f->name);
		find_paths(f->fields, key, depth - 1, path, ret);
	}
}

/* A pointer as it is written in a file. */
static void put_path(struct buf *text, const char *pointer)
{
	unsigned depth = 0;
	CLEANUP(buf_done) struct buf token = {};
	while (jpointer_next(&pointer, &token)) {
		buf_printf(text, "\"%s\": %s", buf_text(&token), *pointer ? "{ " : "...");
		depth += *pointer != '\0';
	}
	while (depth--)
		buf_puts(text, " }");
}

/* A key that is known in many places ("enabled") may have been meant for any of them. */
static bool put_paths(const struct field *fields, const char *key, struct buf *text,
		struct strv *ret_meant)
{
	CLEANUP(strv_done) struct strv paths = {};
	unsigned depth = 0;
	if (fields && strchr(key, '.'))
		find_paths(fields, key, depth, "/", &paths);
	while (fields && !paths.n && depth++ < DEPTH_MAX)
		find_paths(fields, key, depth, "/", &paths);
	if (!paths.n || paths.n > PATHS_MAX)
		return false;
	for (size_t i = 0; i < paths.n; i++) {
		buf_puts(text, i ? " or " : "; did you mean ");
		put_path(text, paths.items[i]);
	}
	buf_putc(text, '?');
	if (ret_meant)
		strv_extend(ret_meant, &paths);
	return true;
}

/* A key of the place itself. */
static void put_meant(struct buf *text, const char *ours, struct strv *ret_meant)
{
	buf_printf(text, "; did you mean \"%s\"?", ours);
	if (ret_meant)
		strv_pushf(ret_meant, "/%s", ours);
}

/* What other programs call so: a key of this place before those of objects below, where a key of
 * the very name comes first ("memory" is in "attrs"). */
static bool put_habit(const struct field *fields, const char *key, struct buf *text,
		struct strv *ret_meant)
{
	size_t cursor = 0;
	const char *ours;
	if (!fields || !jhabit_next(key, &cursor))
		return false;
	for (cursor = 0; (ours = jhabit_next(key, &cursor));)
		if (field_find(fields, ours)) {
			put_meant(text, ours, ret_meant);
			return true;
		}
	if (put_paths(fields, key, text, ret_meant))
		return true;
	for (cursor = 0; (ours = jhabit_next(key, &cursor));)
		if (put_paths(fields, ours, text, ret_meant))
			return true;
	return false;
}

bool jknown_complaint(const struct field *fields, const char *const *names, const char *key,
		struct buf *text, struct strv *ret_meant)
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
		if (ret_meant)
			strv_pushf(ret_meant, "/%s", same);
		return true;
	}
	buf_puts(text, "unknown key ");
	text_quoted(text, key);
	if (put_habit(fields, key, text, ret_meant))
		return true;
	const char *near = jnames_nearest(key, known, n);
	if (near) {
		put_meant(text, near, ret_meant);
		return true;
	}
	if (put_paths(fields, key, text, ret_meant))
		return true;
	CLEANUP(buf_done) struct buf list = {};
	if (jnames_list(&list, '"', known, n))
		buf_printf(text, "; %s %s",
				n == 1 ? "the only one here is" : "those known here are",
				buf_text(&list));
	return true;
}
