/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeping interfaces closed while others flush nftables. */
#include "host/hold.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/rundir.h"
#include "util/file.h"
#include "util/mem.h"
#include "util/parse.h"

/* No machine's name begins with a dot, and its files end in one more word. */
static char *mark_path(const char *dir)
{
	return path_join(dir, ".hold");
}

/* When this process was started, in the kernel's ticks: field 22 of proc_pid_stat(5). */
static int own_start(uint64_t *ret, struct error *err)
{
	enum { FIELD = 22, FIRST_AFTER_NAME = 3 };
	CLEANUP(buf_done) struct buf text = {};
	int r = file_read("/proc/self/stat", 4096, &text, err);
	if (r < 0)
		return r;
	/* The name of the program may hold anything, also blanks. */
	char *rest = strrchr(text.text, ')');
	rest = rest && rest[1] ? rest + 2 : NULL;
	for (int i = FIRST_AFTER_NAME; rest && i < FIELD; i++)
		strsep(&rest, " ");
	const char *word = strsep(&rest, " ");
	if (!word || parse_u64(word, ret) < 0)
		return error_set(err, EINVAL, "'/proc/self/stat' does not say when it started");
	return 0;
}

int hold_lock(const char *dir, struct lock *ret, struct error *err)
{
	CLEANUP(freep) char *path = path_join(dir, ".firewall");
	int r = rundir_make_parent(path, err);
	return r < 0 ? r : lock_take(path, clock_deadline_usec(LOCK_WAIT_USEC), ret, err);
}

int hold_mark(const char *dir, struct error *err)
{
	CLEANUP(freep) char *path = mark_path(dir);
	CLEANUP(buf_done) struct buf text = {};
	uint64_t start = 0;
	int r = own_start(&start, err);
	if (r < 0)
		return r;
	buf_printf(&text, "%" PRIu64, start);
	return file_replace(path, buf_text(&text), text.len, 0644, err);
}

bool hold_is_on(const char *dir)
{
	CLEANUP(freep) char *path = mark_path(dir);
	return access(path, F_OK) == 0;
}

bool hold_is_newer(const char *dir)
{
	CLEANUP(freep) char *path = mark_path(dir);
	CLEANUP(buf_done) struct buf text = {};
	uint64_t start, own;
	return file_read(path, 64, &text, NULL) == 0 && parse_u64(buf_text(&text), &start) == 0 &&
	       own_start(&own, NULL) == 0 && start > own;
}

bool hold_unmark(const char *dir)
{
	CLEANUP(freep) char *path = mark_path(dir);
	return unlink(path) == 0;
}
