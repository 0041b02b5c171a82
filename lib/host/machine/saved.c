/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The states of a saved machine, which are names of its directory. */
#include "host/machine/saved.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/os/clock.h"
#include "util/file.h"
#include "util/mem.h"

/* For who saved a guest whose QEMU has ended to see that. */
#define SOON_USEC (2 * USEC_PER_SEC)

char *saved_path(const char *dir, const char *machine, enum saved_state state)
{
	switch (state) {
	case SAVED_WHOLE:
		return path_join(dir, machine);
	case SAVED_RESUMING:
		return xasprintf("%s/.%s.resuming", dir, machine);
	case SAVED_NONE:
	case SAVED_UNFINISHED:
		break;
	}
	return xasprintf("%s/.%s.saving", dir, machine);
}

static bool is_in(const char *dir, const char *machine, enum saved_state state)
{
	CLEANUP(freep) char *path = saved_path(dir, machine, state);
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool saved_is_whole(const char *dir, const char *machine)
{
	return is_in(dir, machine, SAVED_WHOLE);
}

/* The machine of an entry of the directory; NULL: it is of another state. The caller frees it. */
static char *machine_of(const char *entry)
{
	static const char ending[] = ".resuming";
	size_t len = strlen(entry), end = strlen(ending);
	if (entry[0] != '.')
		return xstrdup(entry);
	return len > end + 1 && !strcmp(entry + len - end, ending)
			       ? xstrndup(entry + 1, len - end - 1)
			       : NULL;
}

int saved_list(const char *dir, struct strv *ret_machines, struct error *err)
{
	CLEANUP(strv_done) struct strv names = {};
	int r = dir_list(dir, &names, err);
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		CLEANUP(freep) char *machine = machine_of(names.items[i]);
		enum saved_state state = names.items[i][0] == '.' ? SAVED_RESUMING : SAVED_WHOLE;
		if (machine && is_in(dir, machine, state))
			strv_push(ret_machines, machine);
	}
	strv_sort(ret_machines);
	return r < 0 ? r : 0;
}

enum saved_state saved_look(const char *dir, const char *machine)
{
	static const enum saved_state states[] = { SAVED_WHOLE, SAVED_RESUMING, SAVED_UNFINISHED };
	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		if (is_in(dir, machine, states[i]))
			return states[i];
	return SAVED_NONE;
}

static char *lock_path(const char *dir, const char *machine)
{
	return xasprintf("%s/.%s.lock", dir, machine);
}

/* What was resumed is removed under the same lock and name, while QEMU answers. */
static bool was_resumed(const char *dir, const char *machine)
{
	CLEANUP(freep)
	char *path = xasprintf("%s/.%s.saving/" SAVED_RESUMED_IN, dir, machine);
	return access(path, F_OK) == 0;
}

const char *saved_occupied(const char *dir, const char *machine)
{
	CLEANUP(freep) char *path = lock_path(dir, machine);
	if (!lock_is_held(path))
		return NULL;
	switch (saved_look(dir, machine)) {
	case SAVED_UNFINISHED:
		return was_resumed(dir, machine) ? NULL : "it is being saved";
	case SAVED_WHOLE:
		return "it is being saved or resumed";
	case SAVED_NONE:
	case SAVED_RESUMING:
		break;
	}
	return NULL;
}

int saved_lock(const char *dir, const char *machine, uint64_t wait_usec, struct lock *ret,
		struct error *err)
{
	CLEANUP(freep) char *path = lock_path(dir, machine);
	/* That a machine is saved is no secret, what it holds is. */
	int r = mkdir_all(dir, 0755, err);
	if (r == 0)
		r = lock_take(path, clock_deadline_usec(wait_usec), ret, err);
	return r == -EBUSY ? error_wrap(err, "machine '%s' is being saved or resumed", machine) : r;
}

static int sync_dir(const char *dir, struct error *err)
{
	CLEANUP(closep) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return error_errno(err, "cannot make changes of '%s' last", dir);
	return 0;
}

/* "/var/lib/machina" and "/var/lib". */
static const char *const above[] = { "..", "../.." };

int saved_move(const char *dir, const char *machine, enum saved_state from, enum saved_state to,
		struct error *err)
{
	CLEANUP(freep) char *old = saved_path(dir, machine, from);
	CLEANUP(freep) char *new = saved_path(dir, machine, to);
	if (rename(old, new) < 0)
		return error_errno(err, "cannot rename '%s' to '%s'", old, new);
	int r = sync_dir(dir, err);
	/* A guest that is to be in these files is lost with any directory on the way to them. The
	 * last of them may have been made for it. */
	for (size_t i = 0; r == 0 && to == SAVED_WHOLE && i < ARRAY_SIZE(above); i++) {
		CLEANUP(freep) char *path = xasprintf("%s/%s", dir, above[i]);
		r = sync_dir(path, err);
	}
	return r;
}

int saved_discard(const char *dir, const char *machine, struct error *err)
{
	CLEANUP(freep) char *garbage = saved_path(dir, machine, SAVED_UNFINISHED);
	enum saved_state state = saved_look(dir, machine);
	if (state == SAVED_NONE)
		return 1;
	for (; state != SAVED_NONE; state = saved_look(dir, machine)) {
		/* What an earlier one has left would be in the way. */
		int r = remove_tree(garbage, err);
		if (r >= 0 && state != SAVED_UNFINISHED)
			r = saved_move(dir, machine, state, SAVED_UNFINISHED, err);
		if (r < 0)
			return error_wrap(err, "the saved state of machine '%s'", machine);
	}
	return 0;
}

int saved_drop_unfinished(const char *dir, const char *machine, struct error *err)
{
	CLEANUP(lock_done) struct lock lock = {};
	if (saved_look(dir, machine) != SAVED_UNFINISHED)
		return 0;
	int r = saved_lock(dir, machine, SOON_USEC, &lock, err);
	if (r == -EBUSY)
		return 0;
	if (r == 0 && saved_look(dir, machine) == SAVED_UNFINISHED)
		r = saved_discard(dir, machine, err);
	return r < 0 ? r : 0;
}
