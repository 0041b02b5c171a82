/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What to say about a key that is not known where it stands. */
#include "json/jknown.h"

#include <string.h>
#include <strings.h>

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

/* Append the path to each row of that name @depth objects below, as it is written in a file. */
static void find_paths(const struct field *fields, const char *key, unsigned depth,
		const char *before, struct strv *ret)
{
	if (depth == 0 && field_find(fields, key))
		strv_pushf(ret, "%s\"%s\": ...", before, key);
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
	unsigned depth = 0;
	while (fields && !paths.n && depth++ < DEPTH_MAX)
		find_paths(fields, key, depth, "", &paths);
	if (!paths.n || paths.n > PATHS_MAX)
		return false;
	for (size_t i = 0; i < paths.n; i++) {
		buf_printf(text, "%s%s", i ? " or " : "; did you mean ", paths.items[i]);
		for (unsigned k = 0; k < depth; k++)
			buf_puts(text, " }");
	}
	buf_putc(text, '?');
	return true;
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
	const char *near = jnames_nearest(key, known, n);
	if (near) {
		buf_printf(text, "; did you mean \"%s\"?", near);
		return true;
	}
	if (put_paths(fields, key, text))
		return true;
	CLEANUP(buf_done) struct buf list = {};
	if (jnames_list(&list, known, n))
		buf_printf(text, "; %s %s",
				n == 1 ? "the only one here is" : "those known here are",
				buf_text(&list));
	return true;
}
