/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts of the config as texts of the machine. */
#include "model/build.h"

#include <ctype.h>
#include <string.h>

#include "json/jlocate.h"
#include "util/file.h"
#include "util/mem.h"

const char *build_text(struct build *b, const char *text)
{
	return text && text[0] ? arena_strdup(&b->vm->arena, text) : "";
}

struct jstrings build_texts(struct build *b, const struct jstrings *from)
{
	const char **items = arena_array(&b->vm->arena, from->n, sizeof(*items));
	for (size_t i = 0; i < from->n; i++)
		items[i] = build_text(b, from->items[i]);
	return (struct jstrings){ .items = items, .n = from->n };
}

const char *build_lower(struct build *b, const char *text)
{
	if (!text || !text[0])
		return NULL;
	char *copy = arena_strdup(&b->vm->arena, text);
	for (char *c = copy; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return copy;
}

bool build_lists(const struct jstrings *list, const char *text)
{
	for (size_t i = 0; i < list->n; i++)
		if (!strcmp(list->items[i], text))
			return true;
	return false;
}

void build_gather(struct strv *names, const struct jstrings *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (!strv_contains(names, list->items[i]))
			strv_push(names, list->items[i]);
}

void build_entry_error(struct build *b, const char *section, const char *name, const char *key,
		const char *format, ...)
{
	CLEANUP(buf_done) struct buf at = {};
	va_list ap;
	va_start(ap, format);
	CLEANUP(freep) char *text = xvasprintf(format, ap);
	va_end(ap);
	jpointer_push(&at, section);
	jpointer_push(&at, name);
	jpointer_push(&at, key);
	host_report(b->host, b->report, SEVERITY_ERROR, buf_text(&at), "%s (used by machine '%s')",
			text, b->vm->name);
}

const char *build_host_path(
		struct build *b, const char *pattern, const char *pointer, const char *what)
{
	CLEANUP(buf_done) struct buf path = {};
	struct error err = {};
	struct vars vars = build_port_vars(b);
	if (vars_expand(&vars, pattern, &path, &err) < 0) {
		BUILD_ERROR_WITH(b, "/vars", pointer, "%s: %s", what, err.text);
		return NULL;
	}
	if (buf_text(&path)[0] != '/') {
		BUILD_ERROR(b, pointer, "%s: a path of the host begins with \"/\"", what);
		return NULL;
	}
	CLEANUP(freep) char *clean = path_clean(buf_text(&path));
	return build_text(b, clean);
}

const char *build_socket_path(struct build *b, const char *text, const char *pointer)
{
	CLEANUP(freep) char *path = path_join("/", text);
	if (!strcmp(path, "/")) {
		BUILD_ERROR(b, pointer, "expected the path of a socket, found \"%s\"", text);
		return NULL;
	}
	if (strlen(path) <= SOCKET_PATH_MAX)
		return build_text(b, path);
	BUILD_ERROR(b, pointer, "the socket's path is %zu bytes long; the kernel takes %zu",
			strlen(path), SOCKET_PATH_MAX);
	return NULL;
}
