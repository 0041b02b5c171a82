/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading and writing what drivers show. */
#include "host/os/sysfs.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "host/os/clock.h"
#include "util/file.h"
#include "util/mem.h"

/* One page: what an attribute can hold. */
#define ATTRIBUTE_MAX ((size_t)4096)

static const char white[] = " \t\r\n";

int sysfs_read(const char *dir, const char *name, struct buf *ret, struct error *err)
{
	CLEANUP(freep) char *path = xasprintf("%s/%s", dir, name);
	CLEANUP(buf_done) struct buf text = {};
	int r = file_read(path, ATTRIBUTE_MAX, &text, err);
	if (r < 0)
		return r;
	const char *from = buf_text(&text) + strspn(buf_text(&text), white);
	size_t len = strlen(from);
	while (len > 0 && strchr(white, from[len - 1]))
		len--;
	buf_add(ret, from, len);
	return 0;
}

int sysfs_write(const char *dir, const char *name, const char *text, struct error *err)
{
	CLEANUP(freep) char *path = xasprintf("%s/%s", dir, name);
	CLEANUP(closep) int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return error_errno(err, "cannot open '%s'", path);
	ssize_t n;
	do
		n = write(fd, text, strlen(text));
	while (n < 0 && errno == EINTR);
	return n < 0 ? error_errno(err, "cannot write '%s' to '%s'", text, path) : 0;
}

/* All that a child holds stays open as long as the driver keeps it. */
static void write_and_tell(const char *dir, const char *name, const char *text, int tell_fd)
{
	int fd = dup2(tell_fd, STDIN_FILENO);
	if (fd < 0 || close_range(STDIN_FILENO + 1, ~0U, 0) < 0)
		_exit(1);
	struct error failure = {};
	(void)!sysfs_write(dir, name, text, &failure);
	(void)!write(fd, &failure, sizeof(failure));
	_exit(0);
}

int sysfs_write_within(const char *dir, const char *name, const char *text, uint64_t deadline_usec,
		struct error *err)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	CLEANUP(closep) int read_end = ends[0];
	CLEANUP(closep) int write_end = ends[1];
	pid_t child = fork();
	if (child < 0)
		return error_errno(err, "cannot make a process");
	if (child == 0)
		write_and_tell(dir, name, text, write_end);
	closep(&write_end);

	struct pollfd end = { .fd = read_end, .events = POLLIN };
	int ready;
	do
		ready = clock_poll(&end, 1, deadline_usec);
	while (ready < 0 && errno == EINTR);
	/* A struct error has no pointers but the names of files, which are not set here. */
	struct error failure = { .code = EIO };
	ssize_t n = ready > 0 ? read(read_end, &failure, sizeof(failure)) : -1;
	if (n != (ssize_t)sizeof(failure))
		kill(child, SIGKILL);
	if (ready > 0)
		waitpid(child, NULL, 0);
	if (ready == 0)
		return error_set(err, ETIMEDOUT, "'%s/%s' has not taken '%s' in time", dir, name,
				text);
	if (n != (ssize_t)sizeof(failure))
		return error_set(err, EIO, "cannot write '%s' to '%s/%s'", text, dir, name);
	return failure.code ? error_set(err, failure.code, "%s", failure.text) : 0;
}

char *sysfs_link_name(const char *dir, const char *name)
{
	CLEANUP(freep) char *path = xasprintf("%s/%s", dir, name);
	CLEANUP(freep) char *target = xcalloc(1, PATH_MAX);
	if (readlink(path, target, PATH_MAX - 1) < 0)
		return NULL;
	const char *slash = strrchr(target, '/');
	return xstrdup(slash ? slash + 1 : target);
}
