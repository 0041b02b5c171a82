/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeping interfaces closed while others flush nftables. */
#include "host/net/hold.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/os/clock.h"
#include "host/os/process.h"
#include "host/os/rundir.h"
#include "util/file.h"
#include "util/mem.h"
#include "util/parse.h"

/* No machine's name begins with a dot, and its files end in one more word. */
static char *mark_path(const char *dir)
{
	return path_join(dir, ".hold");
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
	int r = process_start_ticks(getpid(), &start, err);
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

int64_t hold_age_sec(const char *dir)
{
	CLEANUP(freep) char *path = mark_path(dir);
	struct stat st;
	if (stat(path, &st) < 0)
		return -1;
	int64_t age = (int64_t)(clock_real_usec() / USEC_PER_SEC) - st.st_mtim.tv_sec;
	return age > 0 ? age : 0;
}

bool hold_is_newer(const char *dir)
{
	CLEANUP(freep) char *path = mark_path(dir);
	CLEANUP(buf_done) struct buf text = {};
	uint64_t start, own;
	return file_read(path, 64, &text, NULL) == 0 && parse_u64(buf_text(&text), &start) == 0 &&
	       process_start_ticks(getpid(), &own, NULL) == 0 && start > own;
}

bool hold_unmark(const char *dir)
{
	CLEANUP(freep) char *path = mark_path(dir);
	return unlink(path) == 0;
}
