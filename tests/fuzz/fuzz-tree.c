/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target of host/agent/tree.h: the lists that a guest tells of a directory, separated by lines
 * "---": names, what they are, and where links lead. What is taken stays beneath the directory.
 */
#include "fuzz/fuzz.h"

#include <errno.h>
#include <string.h>

#include "host/agent/tree.h"
#include "util/mem.h"

#define ROOT "/d/."
#define N_LISTS 3

static const char separator[] = "\n---\n";

/* The last one has the rest. */
static void split(const char *text, size_t len, struct buf lists[N_LISTS])
{
	for (size_t i = 0; i < N_LISTS; i++) {
		const char *end = i + 1 < N_LISTS ? memmem(text, len, separator, strlen(separator))
						  : NULL;
		const size_t part = end ? (size_t)(end - text) : len;
		const size_t gone = end ? part + strlen(separator) : part;
		buf_add(&lists[i], text, part);
		text += gone;
		len -= gone;
	}
}

/* Steps down, up and in place; false: it leads above where it begins. */
static bool walk(const char *path, int *depth)
{
	while (*path) {
		const size_t len = strcspn(path, "/");
		if (len == 2 && !strncmp(path, "..", 2))
			--*depth;
		else if (len && !(len == 1 && *path == '.'))
			++*depth;
		if (*depth < 0)
			return false;
		path += len + (path[len] == '/');
	}
	return true;
}

static void check_entry(const struct tree *tree, size_t i)
{
	const struct tree_entry *e = &tree->entries[i], *in = &tree->entries[e->parent];
	const size_t len = strlen(in->path);
	int depth = 0;
	FUZZ_CHECK(!(e->mode & ~0777U));
	if (i == 0) {
		FUZZ_CHECK(e->type == TREE_DIRECTORY && !*e->path);
		return;
	}
	FUZZ_CHECK(e->parent < i && in->type == TREE_DIRECTORY);
	FUZZ_CHECK(strncmp(e->path, in->path, len) == 0 && (!len || e->path[len] == '/'));
	const char *name = e->path + len + (len > 0);
	FUZZ_CHECK(*name && !strchr(name, '/') && strcmp(name, ".") != 0 &&
			strcmp(name, "..") != 0);
	if (e->type != TREE_LINK)
		return;
	FUZZ_CHECK(e->target && *e->target && *e->target != '/');
	FUZZ_CHECK(walk(in->path, &depth) && walk(e->target, &depth));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf lists[N_LISTS] = {};
	CLEANUP(tree_done) struct tree tree = {};
	struct error err = {};
	if (size)
		split((const char *)data, size, lists);
	int r = tree_read_names(&tree, ROOT, &lists[0], &err);
	/* In two parts, as it comes of a long one. */
	const size_t half = tree.n / 2;
	const char *at = buf_text(&lists[1]);
	CLEANUP(buf_done) struct buf first = {}, second = {};
	for (size_t i = 0; r == 0 && i < half && *at; i++) {
		const size_t len = strcspn(at, "\n");
		buf_add(&first, at, len + (at[len] == '\n'));
		at += len + (at[len] == '\n');
	}
	buf_puts(&second, at);
	if (r == 0)
		r = tree_read_stats(&tree, 0, half, &first, &err);
	if (r == 0)
		r = tree_read_stats(&tree, half, tree.n, &second, &err);
	if (r == 0)
		r = tree_read_targets(&tree, &lists[2], &err);
	FUZZ_CHECK(r == 0 || ((r == -EPROTO || r == -E2BIG) && err.code == -r && *err.text));
	if (r == 0)
		tree_drop_links(&tree);
	for (size_t i = 0; r == 0 && i < tree.n; i++)
		check_entry(&tree, i);
	for (size_t i = 0; i < N_LISTS; i++)
		buf_done(&lists[i]);
	return 0;
}
