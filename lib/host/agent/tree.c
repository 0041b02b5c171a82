/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A directory as a list: what a guest tells of one, checked. */
#include "host/agent/tree.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util/mem.h"
#include "util/parse.h"
#include "util/unicode.h"

void tree_done(struct tree *tree)
{
	for (size_t i = 0; i < tree->n; i++) {
		free(tree->entries[i].path);
		free(tree->entries[i].target);
	}
	free(tree->entries);
	*tree = (struct tree){};
}

uint64_t tree_size(const struct tree *tree)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < tree->n; i++)
		if (tree->entries[i].type == TREE_FILE &&
				__builtin_add_overflow(sum, tree->entries[i].size, &sum))
			return UINT64_MAX;
	return sum;
}

/* ---- names ---- */

/* No name that leads elsewhere, and none that no file can have. */
static bool path_is_plain(const char *path)
{
	size_t depth = 0;
	for (const char *name = path; strlen(path) < PATH_MAX; depth++) {
		size_t len = strcspn(name, "/");
		if (len == 0 || len > NAME_MAX || (len == 1 && name[0] == '.') ||
				(len == 2 && name[0] == '.' && name[1] == '.') ||
				depth >= TREE_DEPTH_MAX)
			return false;
		if (name[len] == '\0')
			return true;
		name += len + 1;
	}
	return false;
}

static int bad_name(const char *name, struct error *err)
{
	return error_set(err, EPROTO, "the guest's list of files has a name that cannot be: '%s'",
			name);
}

int tree_read_names(struct tree *tree, const char *root, const struct buf *list, struct error *err)
{
	const size_t root_len = strlen(root);
	const char *at = buf_text(list), *end = at + list->len;
	while (at < end) {
		const char *stop = memchr(at, '\0', (size_t)(end - at));
		if (!stop)
			return error_set(err, EPROTO, "the guest's list of files ends early");
		if (strncmp(at, root, root_len) != 0)
			return bad_name(at, err);
		const char *rest = at + root_len;
		/* The directory itself comes first, and then what is in it. */
		if (tree->n == 0 ? *rest != '\0' : *rest != '/' || !path_is_plain(rest + 1))
			return bad_name(at, err);
		if (!unicode_is_valid(at, (size_t)(stop - at)))
			return error_set(err, EILSEQ,
					"the guest agent can only be told UTF-8, and '%s' is none",
					at);
		if (tree->n >= TREE_ENTRIES_MAX)
			return error_set(err, E2BIG, "more than %d files are too many",
					TREE_ENTRIES_MAX);
		tree->entries = grow_array(
				tree->entries, &tree->n_alloc, tree->n, sizeof(*tree->entries));
		tree->entries[tree->n] =
				(struct tree_entry){ .path = xstrdup(tree->n ? rest + 1 : ""),
					.type = TREE_OTHER };
		tree->n++;
		at = stop + 1;
	}
	return tree->n ? 0 : error_set(err, EPROTO, "the guest's list of files is empty");
}

/* ---- what they are ---- */

enum tree_type tree_type_of(mode_t mode)
{
	return S_ISDIR(mode)   ? TREE_DIRECTORY
	       : S_ISREG(mode) ? TREE_FILE
	       : S_ISLNK(mode) ? TREE_LINK
			       : TREE_OTHER;
}

/* "81a4 12": st_mode in hexadecimal, and the size. */
static bool read_stat(const char *line, size_t len, struct tree_entry *entry)
{
	CLEANUP(freep) char *text = xstrndup(line, len);
	char *space = strchr(text, ' '), *end;
	if (!space || space == text || space > text + 8 ||
			strspn(text, "0123456789abcdef") != (size_t)(space - text))
		return false;
	const mode_t mode = (mode_t)strtoul(text, &end, 16);
	if (end != space || parse_u64(space + 1, &entry->size) < 0)
		return false;
	entry->type = tree_type_of(mode);
	/* Programs that run as somebody else are no matter of a guest's. */
	entry->mode = mode & 0777;
	return true;
}

/* Find the entry's directory among those before it: what find prints goes down by one directory at
 * a time, and up again. */
static bool find_parent(struct tree *tree, size_t i)
{
	const char *path = tree->entries[i].path, *slash = strrchr(path, '/');
	const size_t len = slash ? (size_t)(slash - path) : 0;
	if (i == 0)
		return tree->entries[0].type == TREE_DIRECTORY;
	for (size_t k = i - 1;; k = tree->entries[k].parent) {
		const struct tree_entry *before = &tree->entries[k];
		if (before->type == TREE_DIRECTORY && strlen(before->path) == len &&
				!strncmp(before->path, path, len)) {
			tree->entries[i].parent = k;
			return true;
		}
		if (k == 0)
			return false;
	}
}

int tree_read_stats(struct tree *tree, size_t begin, size_t end, const struct buf *text,
		struct error *err)
{
	const char *at = buf_text(text);
	for (size_t i = begin; i < end; i++) {
		const size_t len = strcspn(at, "\n");
		if (!read_stat(at, len, &tree->entries[i]) || at[len] != '\n')
			return error_set(err, EPROTO,
					"the guest does not tell what '%s' is: does the directory "
					"change while it is copied?",
					tree->entries[i].path);
		if (!find_parent(tree, i))
			return bad_name(tree->entries[i].path, err);
		at += len + 1;
	}
	return *at == '\0' ? 0
			   : error_set(err, EPROTO, "the guest tells of more files than there are");
}

/* ---- links ---- */

int tree_read_targets(struct tree *tree, const struct buf *text, struct error *err)
{
	const char *at = buf_text(text), *end = at + text->len;
	for (size_t i = 0; i < tree->n; i++) {
		if (tree->entries[i].type != TREE_LINK)
			continue;
		const char *stop = at < end ? memchr(at, '\0', (size_t)(end - at)) : NULL;
		if (!stop || stop == at || stop - at >= PATH_MAX)
			return error_set(err, EPROTO,
					"the guest does not tell where '%s' leads: does the "
					"directory change while it is copied?",
					tree->entries[i].path);
		tree->entries[i].target = xstrdup(at);
		at = stop + 1;
	}
	return at == end ? 0
			 : error_set(err, EPROTO, "the guest tells of more links than there are");
}

/*
 * The directories that a link is in are none that are links, so ".." at its beginning are as many
 * of them. Behind a name they may be others, where that is a link, too.
 */
static bool link_stays(const char *path, const char *target)
{
	size_t depth = 0;
	for (const char *c = path; *c; c++)
		depth += *c == '/';
	if (!*target || *target == '/')
		return false;
	for (bool named = false; *target;) {
		const size_t len = strcspn(target, "/");
		if (len == 2 && target[0] == '.' && target[1] == '.') {
			if (named || depth == 0)
				return false;
			depth--;
		} else if (len > 1 || (len == 1 && target[0] != '.')) {
			named = true;
		}
		target += len + (target[len] == '/');
	}
	return true;
}

void tree_drop_links(struct tree *tree)
{
	for (size_t i = 0; i < tree->n; i++)
		if (tree->entries[i].type == TREE_LINK &&
				!link_stays(tree->entries[i].path, tree->entries[i].target))
			tree->entries[i].type = TREE_OTHER;
}
