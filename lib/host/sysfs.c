/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading and writing what drivers show. */
#include "host/sysfs.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

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

char *sysfs_link_name(const char *dir, const char *name)
{
	CLEANUP(freep) char *path = xasprintf("%s/%s", dir, name);
	CLEANUP(freep) char *target = xcalloc(1, PATH_MAX);
	if (readlink(path, target, PATH_MAX - 1) < 0)
		return NULL;
	const char *slash = strrchr(target, '/');
	return xstrdup(slash ? slash + 1 : target);
}
