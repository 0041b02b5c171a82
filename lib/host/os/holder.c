/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking through the descriptors of all processes (proc(5), fd and fdinfo). */
#include "host/os/holder.h"

#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/file.h"
#include "util/mem.h"
#include "util/visible.h"

#define COMM_MAX 16
#define FDINFO_MAX ((size_t)65536)

/* "flags:\t02100002", octal, as of open(2). */
static bool is_for_writing(const char *process, const char *fd)
{
	CLEANUP(freep) char *path = xasprintf("%s/fdinfo/%s", process, fd);
	CLEANUP(buf_done) struct buf text = {};
	if (file_read(path, FDINFO_MAX, &text, NULL) < 0)
		return false;
	const char *flags = strstr(buf_text(&text), "flags:");
	return flags && (strtoul(flags + strlen("flags:"), NULL, 8) & O_ACCMODE) != O_RDONLY;
}

static bool has_open(const char *process, const struct strv *paths, size_t *ret_file)
{
	CLEANUP(freep) char *dir = xasprintf("%s/fd", process);
	CLEANUP(strv_done) struct strv fds = {};
	if (dir_list(dir, &fds, NULL) != 0)
		return false;
	for (size_t i = 0; i < fds.n; i++) {
		CLEANUP(freep) char *link = xasprintf("%s/%s", dir, fds.items[i]);
		char target[PATH_MAX];
		ssize_t n = readlink(link, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		for (size_t k = 0; k < paths->n; k++)
			if (!strcmp(target, paths->items[k]) &&
					is_for_writing(process, fds.items[i])) {
				*ret_file = k;
				return true;
			}
	}
	return false;
}

static void put_process(const char *process, const char *pid, struct buf *ret)
{
	CLEANUP(freep) char *path = xasprintf("%s/comm", process);
	CLEANUP(buf_done) struct buf comm = {};
	if (file_read(path, FDINFO_MAX, &comm, NULL) < 0)
		buf_clear(&comm);
	visible_add(ret, buf_text(&comm), strcspn(buf_text(&comm), "\n"), COMM_MAX);
	buf_printf(ret, " (pid %s)", pid);
}

bool holder_find(const char *proc, const struct strv *paths, size_t *ret_file,
		struct buf *ret_process)
{
	CLEANUP(strv_done) struct strv pids = {};
	if (dir_list(proc, &pids, NULL) != 0)
		return false;
	for (size_t i = 0; i < pids.n; i++) {
		CLEANUP(freep) char *process = xasprintf("%s/%s", proc, pids.items[i]);
		if (!isdigit((unsigned char)pids.items[i][0]) ||
				!has_open(process, paths, ret_file))
			continue;
		put_process(process, pids.items[i], ret_process);
		return true;
	}
	return false;
}
