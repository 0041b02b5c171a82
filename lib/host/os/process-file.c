/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that another process has open. */
#include "host/os/process-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/file.h"
#include "util/mem.h"
#include "util/parse.h"

static bool is_same(const struct stat *a, const struct stat *b)
{
	if (S_ISBLK(a->st_mode) || S_ISBLK(b->st_mode))
		return S_ISBLK(a->st_mode) && S_ISBLK(b->st_mode) && a->st_rdev == b->st_rdev;
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* One of its descriptors. It may be another one by now, or none: then it is not the file. */
static int is_file(int pidfd, int number, const struct stat *file)
{
	CLEANUP(closep) int fd = pidfd_getfd(pidfd, number, 0);
	struct stat st;
	if (fd < 0)
		return errno == EBADF ? 0 : -errno;
	int flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fstat(fd, &st) < 0)
		return -errno;
	bool reads = !(flags & O_PATH) &&
		     ((flags & O_ACCMODE) == O_RDONLY || (flags & O_ACCMODE) == O_RDWR);
	return reads && is_same(&st, file);
}

static int search(int pidfd, const char *fds, const struct stat *file, struct error *err)
{
	CLEANUP(strv_done) struct strv names = {};
	int r = dir_list(fds, &names, err);
	if (r != 0)
		return r < 0 ? r : error_set(err, ESRCH, "'%s' is not there", fds);
	for (size_t i = 0; i < names.n; i++) {
		CLEANUP(freep) char *path = path_join(fds, names.items[i]);
		struct stat st;
		int number;
		/* A first look, so that few are taken. */
		if (stat(path, &st) < 0 || !is_same(&st, file) ||
				parse_int(names.items[i], 0, INT32_MAX, &number) < 0)
			continue;
		r = is_file(pidfd, number, file);
		if (r < 0)
			return error_code(err, r, "cannot look at '%s'", path);
		if (r > 0)
			return 1;
	}
	return 0;
}

int process_has_file(pid_t pid, const char *path, struct error *err)
{
	struct stat file;
	if (stat(path, &file) < 0)
		return error_errno(err, "cannot look at '%s'", path);
	CLEANUP(closep) int pidfd = pid > 0 ? pidfd_open(pid, 0) : -1;
	if (pidfd < 0)
		return error_set(err, pid > 0 ? errno : ESRCH, "cannot watch process %d", pid);
	CLEANUP(freep) char *fds = xasprintf("/proc/%d/fd", pid);
	return search(pidfd, fds, &file, err);
}
