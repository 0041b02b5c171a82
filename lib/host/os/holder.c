/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking through the descriptors and the mounts of all processes (proc(5)). */
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
#define MOUNTINFO_MAX ((size_t)16 << 20)

/* Their directories; others go. */
static int list_processes(const char *proc, struct strv *ret)
{
	CLEANUP(strv_done) struct strv names = {};
	int r = dir_list(proc, &names, NULL);
	for (size_t i = 0; i < names.n; i++)
		if (isdigit((unsigned char)names.items[i][0]))
			strv_pushf(ret, "%s/%s", proc, names.items[i]);
	return r;
}

static void put_process(const char *process, struct buf *ret)
{
	CLEANUP(freep) char *path = xasprintf("%s/comm", process);
	CLEANUP(buf_done) struct buf comm = {};
	if (file_read(path, FDINFO_MAX, &comm, NULL) < 0)
		buf_clear(&comm);
	visible_add(ret, buf_text(&comm), strcspn(buf_text(&comm), "\n"), COMM_MAX);
	buf_printf(ret, " (pid %s)", strrchr(process, '/') + 1);
}

/* ---- descriptors ---- */

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

static bool has_open(
		const char *process, const struct strv *links, bool for_writing, size_t *ret_link)
{
	CLEANUP(freep) char *path = xasprintf("%s/fd", process);
	CLEANUP(closep) int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(strv_done) struct strv fds = {};
	if (dir < 0 || dir_read_names(dir, &fds) < 0)
		return false;
	for (size_t i = 0; i < fds.n; i++) {
		char target[PATH_MAX];
		ssize_t n = readlinkat(dir, fds.items[i], target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		for (size_t k = 0; k < links->n; k++)
			if (!strcmp(target, links->items[k]) &&
					(!for_writing || is_for_writing(process, fds.items[i]))) {
				*ret_link = k;
				return true;
			}
	}
	return false;
}

bool holder_find(const char *proc, const struct strv *paths, size_t *ret_file,
		struct buf *ret_process)
{
	CLEANUP(strv_done) struct strv processes = {};
	if (list_processes(proc, &processes) != 0)
		return false;
	for (size_t i = 0; i < processes.n; i++) {
		if (!has_open(processes.items[i], paths, true, ret_file))
			continue;
		put_process(processes.items[i], ret_process);
		return true;
	}
	return false;
}

void holder_list(const char *proc, const struct strv *links, struct strv *ret_processes)
{
	CLEANUP(freep) char *self = xasprintf("%s/%d", proc, getpid());
	CLEANUP(strv_done) struct strv processes = {};
	size_t unused;
	if (list_processes(proc, &processes) != 0)
		return;
	for (size_t i = 0; i < processes.n; i++) {
		CLEANUP(buf_done) struct buf text = {};
		if (!strcmp(processes.items[i], self) ||
				!has_open(processes.items[i], links, false, &unused))
			continue;
		put_process(processes.items[i], &text);
		strv_push(ret_processes, buf_text(&text));
	}
}

/* ---- mounts ---- */

const char *holder_mount_point(const char *mounts, const char *number, size_t *ret_len)
{
	size_t len = strlen(number);
	for (const char *line = mounts; *line;) {
		/* ID PARENT MAJOR:MINOR ROOT MOUNT-POINT ... (mountinfo in proc(5)) */
		const char *at = line;
		for (int i = 0; i < 2 && at; i++)
			at = (at = strchr(at, ' ')) ? at + 1 : NULL;
		if (at && !strncmp(at, number, len) && at[len] == ' ') {
			at += len + 1;
			at += strcspn(at, " ");
			at += *at == ' ';
			*ret_len = strcspn(at, " \n");
			return at;
		}
		line = strchrnul(line, '\n');
		line += *line == '\n';
	}
	return NULL;
}

/* Is its namespace one that has been looked at, from the same root? Of mounts outside of its root
 * (chroot(2)) a process is told nothing. */
static bool is_known(const char *process, struct strv *known)
{
	CLEANUP(freep) char *link = xasprintf("%s/ns/mnt", process);
	CLEANUP(freep) char *root_link = xasprintf("%s/root", process);
	char namespace[PATH_MAX] = "", root[PATH_MAX] = "";
	if (readlink(link, namespace, sizeof(namespace) - 1) < 0)
		return true;
	if (readlink(root_link, root, sizeof(root) - 1) < 0)
		root[0] = '\0';
	CLEANUP(freep) char *view = xasprintf("%s %s", namespace, root);
	if (strv_contains(known, view))
		return true;
	strv_push(known, view);
	return false;
}

static bool has_mounted(const char *process, const struct strv *numbers, size_t *ret_number,
		struct buf *ret_where)
{
	CLEANUP(freep) char *path = xasprintf("%s/mountinfo", process);
	CLEANUP(buf_done) struct buf mounts = {};
	if (file_read(path, MOUNTINFO_MAX, &mounts, NULL) < 0)
		return false;
	for (size_t i = 0; i < numbers->n; i++) {
		size_t len;
		const char *point = holder_mount_point(buf_text(&mounts), numbers->items[i], &len);
		if (!point)
			continue;
		*ret_number = i;
		buf_putc(ret_where, '\'');
		visible_add(ret_where, point, len, PATH_MAX);
		buf_puts(ret_where, "' in the mount namespace of ");
		put_process(process, ret_where);
		return true;
	}
	return false;
}

bool holder_find_mount(const char *proc, const struct strv *numbers, size_t *ret_number,
		struct buf *ret_where)
{
	CLEANUP(strv_done) struct strv processes = {}, known = {};
	if (list_processes(proc, &processes) != 0)
		return false;
	for (size_t i = 0; i < processes.n; i++)
		if (!is_known(processes.items[i], &known) &&
				has_mounted(processes.items[i], numbers, ret_number, ret_where))
			return true;
	return false;
}
