/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Walking a path link by link. */
#include "host/os/follow.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "util/mem.h"
#include "util/shell.h"

/* As the kernel's own (MAXSYMLINKS in include/linux/namei.h). */
#define LINKS_MAX 40

struct walk {
	int at;	    /* the directory that has been reached */
	char *rest; /* what is left of the path */
	int flags;  /* of follow_open() */
	unsigned n_links;
	/* The first link of another user; NULL: there was none. */
	char *foreign;
	uid_t owner;
	bool is_of_several; /* there are links of two other users: nothing is of both */
};

static void walk_done(struct walk *w)
{
	closep(&w->at);
	free(w->rest);
	free(w->foreign);
}

static int fail(int r, struct error *err)
{
	return error_set(err, -r, "%s", strerror(-r));
}

static int open_beneath(int at, const char *path, int flags)
{
	int fd = openat(at, path, flags | O_PATH | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The path of an entry, for a message. */
static char *path_of(int at, const char *name)
{
	char own[32], dir[PATH_MAX] = "";
	snprintf(own, sizeof(own), "/proc/self/fd/%d", at);
	if (readlink(own, dir, sizeof(dir) - 1) < 0)
		return xstrdup(name);
	return xasprintf("%s/%s", strcmp(dir, "/") ? dir : "", name);
}

/* The walk goes on with what the link @fd says, which has @name. */
static int take_link(struct walk *w, int fd, const char *name, const struct stat *st)
{
	char target[PATH_MAX];
	if (++w->n_links > LINKS_MAX)
		return -ELOOP;
	ssize_t n = readlinkat(fd, "", target, sizeof(target));
	if (n <= 0 || n == sizeof(target))
		return n < 0 ? -errno : -ENAMETOOLONG;
	if (st->st_uid != 0 && !w->foreign) {
		w->owner = st->st_uid;
		w->foreign = path_of(w->at, name);
	}
	w->is_of_several |= st->st_uid != 0 && st->st_uid != w->owner;
	char *rest = xasprintf("%.*s%s", (int)n, target, w->rest);
	free(w->rest);
	w->rest = rest;
	if (target[0] != '/')
		return 0;
	closep(&w->at);
	w->at = open_beneath(AT_FDCWD, "/", O_DIRECTORY);
	return w->at < 0 ? w->at : 0;
}

/* The next part of the path. */
static int step(struct walk *w)
{
	const char *begin = w->rest + strspn(w->rest, "/");
	CLEANUP(freep) char *name = xstrndup(begin, strcspn(begin, "/"));
	CLEANUP(freep) char *rest = xstrdup(begin + strlen(name));
	CLEANUP(closep) int fd = -1;
	struct stat st;
	free(w->rest);
	w->rest = take_ptr(rest);
	/* What is asked for as a directory is mounted if it has to be. */
	fd = *w->rest || w->flags
			     ? open_beneath(w->at, *name ? name : ".", O_DIRECTORY | O_NOFOLLOW)
			     : -ENOTDIR;
	if (fd == -ENOTDIR)
		fd = open_beneath(w->at, *name ? name : ".", O_NOFOLLOW);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode))
		return take_link(w, fd, name, &st);
	closep(&w->at);
	w->at = take_fd(&fd);
	return 0;
}

static int refuse(const struct walk *w, struct error *err)
{
	CLEANUP(freep) char *link = shell_quoted(w->foreign);
	return error_set(err, EPERM,
			"the link '%s' was made by user %u and leads to what is not that user's; "
			"if it is right, give it to root with: chown -h root %s",
			w->foreign, w->owner, link);
}

static int walk(const char *path, int flags, int *ret_fd, struct error *err)
{
	CLEANUP(walk_done) struct walk w = { .at = -1, .rest = xstrdup(path), .flags = flags };
	struct stat st;
	int r = w.at = open_beneath(AT_FDCWD, path[0] == '/' ? "/" : ".", O_DIRECTORY);
	while (r >= 0 && *w.rest)
		r = step(&w);
	if (r >= 0 && fstat(w.at, &st) < 0)
		r = -errno;
	if (r >= 0 && flags && !S_ISDIR(st.st_mode))
		r = -ENOTDIR;
	if (r < 0)
		return fail(r, err);
	if (w.foreign && (w.is_of_several || st.st_uid != w.owner))
		return refuse(&w, err);
	*ret_fd = take_fd(&w.at);
	return 0;
}

int follow_open(const char *path, int flags, int *ret_fd, struct error *err)
{
	flags |= O_PATH | O_CLOEXEC;
	const struct open_how how = {
		.flags = flags,
		.resolve = RESOLVE_NO_SYMLINKS,
	};
	bool is_root = geteuid() == 0;
	/* Mostly there are no links. */
	long fd = is_root ? syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how))
			  : open(path, flags);
	/* Some containers have no such call; EPERM is what runc before 1.0.0-rc93 made of that. */
	if (fd < 0 && is_root && (errno == ELOOP || errno == ENOSYS || errno == EPERM))
		return walk(path, flags & O_DIRECTORY, ret_fd, err);
	if (fd < 0)
		return fail(-errno, err);
	*ret_fd = (int)fd;
	return 0;
}
