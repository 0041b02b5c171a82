/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A directory of this host as a list, and a list made to one, without following any link. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/agent/tree.h"
#include "util/file.h"
#include "util/mem.h"
#include "util/unicode.h"

/* ---- one entry ---- */

/*
 * The directory that an entry is in, walked to name by name: what somebody has put in the place of
 * one of them is no directory then, but not a way out.
 *
 * @ret_name: the entry's own name, in @path
 */
static int open_parent(int root_fd, const char *path, int *ret_fd, const char **ret_name,
		struct error *err)
{
	CLEANUP(closep) int fd = fcntl(root_fd, F_DUPFD_CLOEXEC, 3);
	const char *at = path;
	if (fd < 0)
		return error_errno(err, "cannot use a directory twice");
	for (const char *slash; (slash = strchr(at, '/')); at = slash + 1) {
		CLEANUP(freep) char *name = xstrndup(at, (size_t)(slash - at));
		int next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return error_errno(err, "cannot open the directory of '%s'", path);
		close(fd);
		fd = next;
	}
	*ret_fd = take_fd(&fd);
	*ret_name = at;
	return 0;
}

int tree_open_file(int root_fd, const char *path, int *ret_fd, struct error *err)
{
	CLEANUP(closep) int dir_fd = -1;
	const char *name;
	struct stat st;
	int r = open_parent(root_fd, path, &dir_fd, &name, err);
	if (r < 0)
		return r;
	CLEANUP(closep)
	int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, "cannot open '%s'", path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, ENXIO, "'%s' is no file any more", path);
	*ret_fd = take_fd(&fd);
	return 0;
}

int tree_make_file(int root_fd, const char *path, int *ret_fd, struct error *err)
{
	CLEANUP(closep) int dir_fd = -1;
	const char *name;
	int r = open_parent(root_fd, path, &dir_fd, &name, err);
	if (r < 0)
		return r;
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_errno(err, "cannot make '%s'", path);
	*ret_fd = fd;
	return 0;
}

/* ---- all of one type ---- */

typedef int make_fn(int dir_fd, const char *name, const struct tree_entry *entry);

/* In the order of the list; the directory itself is left out. */
static int make_each(int root_fd, const struct tree *tree, enum tree_type type, make_fn *make,
		struct error *err)
{
	for (size_t i = 1; i < tree->n; i++) {
		CLEANUP(closep) int dir_fd = -1;
		const struct tree_entry *entry = &tree->entries[i];
		const char *name;
		if (entry->type != type)
			continue;
		int r = open_parent(root_fd, entry->path, &dir_fd, &name, err);
		if (r < 0)
			return r;
		if (make(dir_fd, name, entry) < 0)
			return error_errno(err, "cannot make '%s'", entry->path);
	}
	return 0;
}

static int make_directory(int dir_fd, const char *name, const struct tree_entry *entry)
{
	(void)entry;
	return mkdirat(dir_fd, name, 0700);
}

static int make_link(int dir_fd, const char *name, const struct tree_entry *entry)
{
	return symlinkat(entry->target, dir_fd, name);
}

int tree_make_directories(int root_fd, const struct tree *tree, struct error *err)
{
	return make_each(root_fd, tree, TREE_DIRECTORY, make_directory, err);
}

int tree_make_links(int root_fd, const struct tree *tree, struct error *err)
{
	return make_each(root_fd, tree, TREE_LINK, make_link, err);
}

int tree_set_modes(int root_fd, const struct tree *tree, mode_t mask, struct error *err)
{
	/* From the end: one that may not be entered holds none that is still to be changed. */
	for (size_t i = tree->n; i-- > 0;) {
		CLEANUP(closep) int dir_fd = -1;
		const struct tree_entry *entry = &tree->entries[i];
		const char *name;
		if (entry->type != TREE_DIRECTORY)
			continue;
		int r = open_parent(root_fd, entry->path, &dir_fd, &name, err);
		if (r < 0)
			return r;
		CLEANUP(closep)
		int fd = openat(dir_fd, *name ? name : ".",
				O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 || fchmod(fd, entry->mode & ~mask) < 0)
			return error_errno(err, "cannot set the mode of '%s'", entry->path);
	}
	return 0;
}

/* ---- reading ---- */

static int read_link(int dir_fd, const char *name, struct tree_entry *entry, struct error *err)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dir_fd, name, target, sizeof(target) - 1);
	if (n < 0)
		return error_errno(err, "cannot read the link '%s'", entry->path);
	if (unicode_is_valid(target, (size_t)n))
		entry->target = xstrndup(target, (size_t)n);
	else
		entry->type = TREE_OTHER;
	return 0;
}

struct reading {
	struct tree *tree;
	dev_t device;
};

static int read_directory(struct reading *reading, int dir_fd, size_t parent, size_t depth,
		struct error *err);

static int read_entry(struct reading *reading, int dir_fd, const char *name, size_t parent,
		size_t depth, struct error *err)
{
	struct tree *tree = reading->tree;
	const char *above = tree->entries[parent].path;
	struct stat st;
	if (tree->n >= TREE_ENTRIES_MAX)
		return error_set(err, E2BIG, "more than %d files are too many", TREE_ENTRIES_MAX);
	struct tree_entry entry = {
		.path = *above ? xasprintf("%s/%s", above, name) : xstrdup(name),
		.parent = parent,
	};
	tree->entries = grow_array(tree->entries, &tree->n_alloc, tree->n, sizeof(*tree->entries));
	tree->entries[tree->n++] = entry;
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, "cannot look at '%s'", entry.path);
	struct tree_entry *made = &tree->entries[tree->n - 1];
	made->mode = st.st_mode & 0777;
	made->size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	made->type = unicode_is_valid(name, strlen(name)) ? tree_type_of(st.st_mode) : TREE_OTHER;
	if (made->type == TREE_LINK)
		return read_link(dir_fd, name, made, err);
	if (made->type != TREE_DIRECTORY || st.st_dev != reading->device)
		return 0;
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "cannot open the directory '%s'", entry.path);
	return read_directory(reading, fd, tree->n - 1, depth + 1, err);
}

/* Takes @dir_fd over. */
static int read_directory(
		struct reading *reading, int dir_fd, size_t parent, size_t depth, struct error *err)
{
	CLEANUP(closep) int fd = dir_fd;
	CLEANUP(strv_done) struct strv names = {};
	/* The array of entries moves; what they point to does not. */
	const char *path = reading->tree->entries[parent].path;
	if (depth > TREE_DEPTH_MAX)
		return error_set(err, ELOOP, "'%s' is deeper than %d directories", path,
				TREE_DEPTH_MAX);
	int r = dir_read_names(fd, &names);
	if (r < 0)
		return error_code(err, r, "cannot read the directory '%s'", path);
	strv_sort(&names);
	for (size_t i = 0; r == 0 && i < names.n; i++)
		r = read_entry(reading, fd, names.items[i], parent, depth, err);
	return r;
}

int tree_read(int root_fd, struct tree *ret, struct error *err)
{
	CLEANUP(tree_done) struct tree tree = {};
	struct stat st;
	int fd = openat(root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		int r = error_errno(err, "cannot open the directory");
		if (fd >= 0)
			close(fd);
		return r;
	}
	tree.entries = grow_array(tree.entries, &tree.n_alloc, tree.n, sizeof(*tree.entries));
	tree.entries[tree.n++] = (struct tree_entry){
		.path = xstrdup(""), .type = TREE_DIRECTORY, .mode = st.st_mode & 0777
	};
	struct reading reading = { .tree = &tree, .device = st.st_dev };
	int r = read_directory(&reading, fd, 0, 1, err);
	if (r < 0)
		return r;
	*ret = tree;
	tree = (struct tree){};
	return 0;
}
