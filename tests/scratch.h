/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A directory of a test's own.
 *
 *	scratch_begin();
 *	put_file("a/b", "text");	// makes "a"
 *	int fd = open(scratch_path("a/b"), O_RDONLY);
 *	scratch_end();
 *
 * Messages hold paths that differ from run to run: without_scratch() takes them out.
 */
#pragma once

#include <stdio.h>
#include <sys/stat.h>

#include "test.h"
#include "util/buf.h"
#include "util/file.h"
#include "util/mem.h"

static char *scratch_dir;

static inline void scratch_begin(void)
{
	scratch_dir = test_directory();
}

static inline void scratch_end(void)
{
	struct error err = {};
	if (remove_tree(scratch_dir, &err) != 0)
		TEST_FAIL("%s", err.text);
	free(take_ptr(scratch_dir));
}

/* DIRECTORY/NAME, valid for the next seven calls. */
static inline const char *scratch_path(const char *name)
{
	static char *ring[8];
	static unsigned at;
	char **slot = &ring[at++ % ARRAY_SIZE(ring)];
	free(*slot);
	*slot = xasprintf("%s/%s", scratch_dir, name);
	return *slot;
}

static inline void make_directory(const char *name)
{
	struct error err = {};
	if (mkdir_all(scratch_path(name), 0755, &err) < 0)
		TEST_FAIL("%s", err.text);
}

static inline void put_bytes(const char *name, const void *data, size_t len)
{
	CLEANUP(freep) char *parent = xstrdup(name);
	char *slash = strrchr(parent, '/');
	if (slash) {
		*slash = '\0';
		make_directory(parent);
	}
	FILE *f = fopen(scratch_path(name), "we");
	if (!f || fwrite(data, 1, len, f) != len || fclose(f) != 0)
		TEST_FAIL("cannot write %s: %m", scratch_path(name));
}

static inline void put_file(const char *name, const char *text)
{
	put_bytes(name, text, strlen(text));
}

static inline void check_file(const char *name, const char *expected)
{
	CLEANUP(buf_done) struct buf text = {};
	struct error err = {};
	if (file_read(scratch_path(name), 1 << 20, &text, &err) < 0)
		TEST_FAIL("%s", err.text);
	else
		CHECK_STR(buf_text(&text), expected);
}

/* Type and mode as stat(2) has them; 0: nothing is there. */
static inline mode_t mode_at(const char *name)
{
	struct stat st;
	return lstat(scratch_path(name), &st) < 0 ? 0 : st.st_mode;
}

/* All that is in a directory, sorted, each with a space behind: "a a/b "; appended. */
static inline void scratch_list(const char *name, struct buf *ret)
{
	CLEANUP(strv_done) struct strv names = {};
	if (dir_list(scratch_path(name), &names, NULL) != 0)
		return;
	for (size_t i = 0; i < names.n; i++) {
		CLEANUP(freep) char *path = path_join(name, names.items[i]);
		buf_printf(ret, "%s ", path);
		if (S_ISDIR(mode_at(path)))
			scratch_list(path, ret);
	}
}

static inline void check_tree(const char *name, const char *expected)
{
	CLEANUP(buf_done) struct buf all = {};
	scratch_list(name, &all);
	CHECK_STR(buf_text(&all), expected);
}

/* @text with "DIR" for each mention of the directory; valid until the next call. */
static inline const char *without_scratch(const char *text)
{
	static char *last;
	CLEANUP(buf_done) struct buf out = {};
	size_t len = strlen(scratch_dir);
	while (*text) {
		bool here = !strncmp(text, scratch_dir, len);
		if (here)
			buf_puts(&out, "DIR");
		else
			buf_putc(&out, *text);
		text += here ? len : 1;
	}
	free(last);
	last = buf_take(&out);
	return last;
}
