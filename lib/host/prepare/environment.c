/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file of variables: "NAME=value" a line. */
#include "host/prepare/environment.h"

#include <string.h>

#include "util/file.h"
#include "util/mem.h"

#define ENVIRONMENT_SIZE_MAX ((size_t)1 << 20)

static char *path_of(const char *run_dir)
{
	return path_join(run_dir, "environment");
}

/* No file: no lines. */
static int read_lines(const char *run_dir, struct strv *ret, struct error *err)
{
	CLEANUP(freep) char *path = path_of(run_dir);
	CLEANUP(buf_done) struct buf text = {};
	int r = file_read(path, ENVIRONMENT_SIZE_MAX, &text, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	CLEANUP(freep) char *copy = buf_take(&text);
	char *rest = copy;
	for (char *line; (line = strsep(&rest, "\n"));)
		if (line[0])
			strv_push(ret, line);
	return 0;
}

int environment_put(const char *run_dir, const char *line, struct error *err)
{
	CLEANUP(freep) char *path = path_of(run_dir);
	CLEANUP(strv_done) struct strv lines = {};
	CLEANUP(buf_done) struct buf text = {};
	size_t len = strcspn(line, "=") + 1;
	int r = read_lines(run_dir, &lines, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < lines.n; i++)
		if (strncmp(lines.items[i], line, len) != 0)
			buf_printf(&text, "%s\n", lines.items[i]);
	buf_printf(&text, "%.*s\n", (int)strcspn(line, "\n"), line);
	return file_replace(path, buf_text(&text), text.len, 0600, err);
}

int environment_clear(const char *run_dir, struct error *err)
{
	CLEANUP(freep) char *path = path_of(run_dir);
	if (unlink(path) < 0 && errno != ENOENT)
		return error_errno(err, "cannot remove '%s'", path);
	return 0;
}

/* @line: "NAME=value" */
static char *expand(const char *word, const char *line)
{
	const char *value = strchr(line, '=');
	CLEANUP(buf_done) struct buf text = {};
	CLEANUP(freep)
	char *reference = xasprintf("${%.*s}", value ? (int)(value - line) : 0, line);
	for (const char *at; value && (at = strstr(word, reference));) {
		buf_add(&text, word, (size_t)(at - word));
		buf_puts(&text, value + 1);
		word = at + strlen(reference);
	}
	buf_puts(&text, word);
	return buf_take(&text);
}

int environment_expand(const char *run_dir, struct strv *argv, struct error *err)
{
	CLEANUP(strv_done) struct strv lines = {};
	CLEANUP(strv_done) struct strv out = {};
	int r = read_lines(run_dir, &lines, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < argv->n; i++) {
		CLEANUP(freep) char *word = xstrdup(argv->items[i]);
		for (size_t k = 0; k < lines.n; k++) {
			char *next = expand(word, lines.items[k]);
			free(word);
			word = next;
		}
		strv_push(&out, word);
	}
	strv_clear(argv);
	strv_move(argv, &out);
	return 0;
}
