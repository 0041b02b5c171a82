/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Directories and paths. */
#include "util/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/mem.h"

int dir_read_names(int fd, struct strv *names)
{
	/* A DIR owns its descriptor, which is wanted afterwards as well. */
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	if (!dir) {
		int r = -errno;
		closep(&copy);
		return r;
	}
	/* The copy goes on where @fd is. */
	rewinddir(dir);
	const struct dirent *entry;
	while (errno = 0, (entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			strv_push(names, entry->d_name);
	int r = -errno;
	closedir(dir);
	return r;
}

int dir_list(const char *path, struct strv *ret_names, struct error *err)
{
	CLEANUP(closep)
	int fd = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		int code = errno;
		if (code == ENOENT && faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			return 1;
		CLEANUP(freep) char *reason = file_reason(AT_FDCWD, path, code);
		return error_set(err, code, "cannot open directory '%s': %s", path, reason);
	}
	CLEANUP(strv_done) struct strv names = {};
	int r = dir_read_names(fd, &names);
	if (r < 0)
		return error_code(err, r, "cannot read directory '%s'", path);
	strv_sort(&names);
	strv_done(ret_names);
	*ret_names = names;
	names = (struct strv){};
	return 0;
}

/* Returns 0 or a negative errno. */
static int make_one(const char *path, mode_t mode)
{
	if (mkdirat(AT_FDCWD, path, mode) < 0) {
		struct stat st;
		if (errno != EEXIST)
			return -errno;
		if (stat(path, &st) < 0)
			return -errno;
		return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
	}
	/*
	 * By descriptor and not by name: where someone else may write to the parent, the name could
	 * be a link by now.
	 */
	CLEANUP(closep)
	int fd = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 || fchmod(fd, mode) < 0 ? -errno : 0;
}

int mkdir_all(const char *path, mode_t mode, struct error *err)
{
	CLEANUP(freep) char *part = xstrdup(path);

	for (char *end = part; *end;) {
		end += strspn(end, "/");
		end += strcspn(end, "/");
		char saved = *end;
		*end = '\0';
		int r = make_one(part, mode);
		if (r < 0)
			return error_code(err, r, "cannot make directory '%s'", part);
		*end = saved;
	}
	return 0;
}

/* The number of the mount that @fd is on; bind mounts differ, unlike their st_dev. */
static int mount_of(int fd, uint64_t *ret)
{
	struct statx st;
	if (statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_MNT_ID, &st) < 0)
		return -errno;
	*ret = st.stx_mnt_id;
	return 0;
}

/*
 * Directories within each other that are entered, each of which takes a descriptor and a piece of
 * the stack: who made them may have made as many as there is room for.
 */
#define DEPTH_MAX 64

/* The first failure of a walk, with the path where it happened. */
struct walk {
	uint64_t mount;
	int top_fd;
	unsigned depth, n_lifted;
	bool has_lifted;
	int r;
	struct buf path;
	struct error *err;
};

static void note(struct walk *w, int r)
{
	if (w->r == 0)
		w->r = error_code(w->err, r, "cannot remove '%s'", buf_text(&w->path));
}

static void remove_entry(struct walk *w, int dirfd, const char *name);

/* Remove what is in the directory @fd, which is at w->path. */
static void remove_contents(struct walk *w, int fd)
{
	CLEANUP(strv_done) struct strv names = {};
	int r = dir_read_names(fd, &names);
	if (r < 0)
		note(w, r);
	/* So that the failure which is reported does not depend on the file system. */
	strv_sort(&names);
	for (size_t i = 0; i < names.n; i++) {
		size_t len = w->path.len;
		buf_printf(&w->path, "/%s", names.items[i]);
		remove_entry(w, fd, names.items[i]);
		buf_truncate(&w->path, len);
	}
}

/* Move a directory that is too deep to the top, for another round. */
static int lift(struct walk *w, int dirfd, const char *name)
{
	char new[32];
	do {
		snprintf(new, sizeof(new), ".deep-%u", w->n_lifted++);
		if (renameat2(dirfd, name, w->top_fd, new, RENAME_NOREPLACE) == 0) {
			w->has_lifted = true;
			return 0;
		}
	} while (errno == EEXIST);
	return -errno;
}

/* Remove a directory with what is in it, or put it off. Of what was put off, each is so once. */
static int remove_directory(struct walk *w, int dirfd, const char *name, int fd)
{
	if (w->depth == DEPTH_MAX)
		return lift(w, dirfd, name);
	if (w->depth == 0)
		w->top_fd = fd;
	w->depth++;
	do {
		w->has_lifted &= w->depth > 1;
		remove_contents(w, fd);
	} while (w->depth == 1 && w->has_lifted);
	w->depth--;
	return unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

/* Remove @name in @dirfd, which is at w->path. What is gone meanwhile is no failure. */
static void remove_entry(struct walk *w, int dirfd, const char *name)
{
	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return;
	if (errno != EISDIR) {
		note(w, -errno);
		return;
	}
	CLEANUP(closep)
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	uint64_t mount = 0;
	int r = fd < 0 ? -errno : mount_of(fd, &mount);
	if (r == 0 && w->mount == 0)
		w->mount = mount;
	if (r == 0 && mount != w->mount)
		r = -EXDEV;
	if (r == 0)
		r = remove_directory(w, dirfd, name, fd);
	if (r < 0)
		note(w, r);
}

int remove_tree(const char *path, struct error *err)
{
	size_t len = strlen(path);
	/* With a slash at the end, a link would be followed. */
	while (len > 0 && path[len - 1] == '/')
		len--;
	if (len == 0)
		return error_set(err, EINVAL, "cannot remove '%s'", path);
	CLEANUP(freep) char *top = xstrndup(path, len);

	struct stat st;
	if (fstatat(AT_FDCWD, top, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 1 : error_errno(err, "cannot remove '%s'", path);
	struct walk w = { .err = err };
	buf_puts(&w.path, top);
	remove_entry(&w, AT_FDCWD, top);
	buf_done(&w.path);
	return w.r;
}

/* Take the last part off; "a/b" -> "a", "/a" -> "/", "a" -> "". */
static void drop_part(struct buf *path)
{
	const char *slash = memrchr(path->text, '/', path->len);
	size_t len = slash ? (size_t)(slash - path->text) : 0;
	buf_truncate(path, path->text[0] == '/' && len == 0 ? 1 : len);
}

/* Does path_clean() have nothing to do? */
static bool is_clean(const char *path)
{
	const char *part = *path == '/' ? path + 1 : path;
	if (*path == '/' && !*part)
		return true;
	for (;; part++) {
		size_t len = (size_t)(strchrnul(part, '/') - part);
		if (len == 0 || (part[0] == '.' && (len == 1 || (len == 2 && part[1] == '.'))))
			return false;
		part += len;
		if (!*part)
			return true;
	}
}

char *path_clean(const char *path)
{
	if (is_clean(path))
		return xstrdup(path);
	CLEANUP(buf_done) struct buf clean = {};
	bool rooted = *path == '/';
	size_t n_named = 0; /* parts that a ".." can take off */

	if (rooted)
		buf_putc(&clean, '/');
	for (const char *p = path + strspn(path, "/"); *p; p += strspn(p, "/")) {
		const char *part = p;
		size_t len = strcspn(p, "/");
		p += len;
		bool up = len == 2 && !strncmp(part, "..", 2);
		if (len == 1 && *part == '.')
			continue;
		if (up && n_named > 0) {
			drop_part(&clean);
			n_named--;
			continue;
		}
		if (up && rooted)
			continue;
		if (clean.len > rooted)
			buf_putc(&clean, '/');
		buf_add(&clean, part, len);
		n_named += !up;
	}
	if (clean.len == 0)
		buf_putc(&clean, '.');
	return buf_take(&clean);
}

/* As the kernel has it (MAXSYMLINKS). */
#define LINKS_MAX 40

/* The target of a link, or NULL where there is none. The caller frees it. */
static char *read_link(const char *path)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target));
	return n > 0 ? xstrndup(target, (size_t)n) : NULL;
}

int path_in_root(const char *root, const char *path, char **ret, struct error *err)
{
	CLEANUP(buf_done) struct buf at = {};
	CLEANUP(freep) char *left = path_clean(path);
	size_t root_len = strlen(root);
	unsigned n_links = 0;

	buf_puts(&at, root);
	for (const char *p = left; *(p += strspn(p, "/"));) {
		const char *part = p;
		size_t len = strcspn(p, "/"), before = at.len;
		p += len;
		if (len == 1 && part[0] == '.')
			continue;
		if (len == 2 && !strncmp(part, "..", 2)) {
			while (at.len > root_len && at.text[at.len - 1] != '/')
				buf_truncate(&at, at.len - 1);
			buf_truncate(&at, at.len > root_len ? at.len - 1 : root_len);
			continue;
		}
		buf_printf(&at, "/%.*s", (int)len, part);
		CLEANUP(freep) char *target = read_link(buf_text(&at));
		if (!target)
			continue;
		if (++n_links > LINKS_MAX)
			return error_code(err, -ELOOP, "cannot open '%s%s'", root, path);
		buf_truncate(&at, target[0] == '/' ? root_len : before);
		char *rest = xasprintf("%s/%s", target, p);
		free(left);
		p = left = rest;
	}
	*ret = at.len ? buf_take(&at) : xstrdup("/");
	return 0;
}

char *path_join(const char *a, const char *b)
{
	if (!*a && !*b)
		return xstrdup("");
	if (!*a || !*b)
		return path_clean(*a ? a : b);
	CLEANUP(freep) char *joined = xasprintf("%s/%s", a, b);
	return path_clean(joined);
}
