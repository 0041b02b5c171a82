/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connecting to passt(1). */
#include "host/net/passt.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/os/listen.h"
#include "util/mem.h"

/* The socket itself, whatever becomes of its name. */
static int open_socket(const char *path, int *ret_fd, struct error *err)
{
	const char *slash = strrchr(path, '/');
	CLEANUP(freep) char *dir = xstrndup(path, (size_t)(slash - path));
	struct stat of_dir, of_socket;
	CLEANUP(closep)
	int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir_fd < 0 || fstat(dir_fd, &of_dir) < 0)
		return error_errno(err, "cannot open directory '%s'", dir);
	CLEANUP(closep) int fd = openat(dir_fd, slash + 1, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &of_socket) < 0)
		return error_errno(err, "cannot open '%s'", path);
	if (!S_ISSOCK(of_socket.st_mode) || of_socket.st_uid != of_dir.st_uid)
		return error_set(err, EPERM, "'%s' is not the socket of passt", path);
	*ret_fd = take_fd(&fd);
	return 0;
}

int passt_connect(const char *path, int *ret_fd, struct error *err)
{
	CLEANUP(closep) int fd = -1;
	int r = open_socket(path, &fd, err);
	if (r < 0)
		return r;
	CLEANUP(freep) char *own = xasprintf("/proc/self/fd/%d", fd);
	r = connect_unix(own, ret_fd, err);
	return r < 0 ? error_wrap(err, "'%s'", path) : 0;
}
