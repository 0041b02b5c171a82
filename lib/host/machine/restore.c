/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Resuming a machine that was saved. The numbers of steps are those of host/machine/saved.h. */
#include "host/machine/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/machine/save-parts.h"
#include "host/machine/saved-meta.h"
#include "host/os/clock.h"
#include "host/qmp/cd.h"
#include "host/qmp/run-state.h"
#include "host/storage/storage.h"
#include "util/file.h"
#include "util/mem.h"

/* For QEMU to move a tray. */
#define TRAY_USEC (20 * USEC_PER_SEC)
/* For another hook, or a command, to end. */
#define LOCK_WAIT (30 * USEC_PER_SEC)
#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_MAX 64

static const char *name_of(const struct saved_machine *machine)
{
	return machine->plan->machine;
}

/* ---- 1 ---- */

static int refuse(const struct saved_machine *machine, const char *why, struct error *err)
{
	return error_set(err, EINVAL,
			"it was saved and cannot be resumed: %s ('machina start --discard-saved "
			"%s' throws the saved state away and boots)",
			why, name_of(machine));
}

static int boot_instead(const struct saved_machine *machine, const char *why, char **ret_note,
		struct error *err)
{
	int r = saved_discard(machine->dir, name_of(machine), err);
	if (r < 0)
		return r;
	*ret_note = xasprintf(
			"the saved state is not used: the guest had gone on from it, and %s", why);
	return 0;
}

/* ---- in which boot of the host it was about to run ---- */

static char *note_path(const struct saved_machine *machine, enum saved_state state)
{
	CLEANUP(freep) char *path = saved_path(machine->dir, name_of(machine), state);
	return path_join(path, SAVED_RESUMED_IN);
}

/* Where there is no room for it, it goes without: see is_of_this_boot(). */
static void note_boot(const struct saved_machine *machine)
{
	CLEANUP(freep) char *path = note_path(machine, SAVED_WHOLE);
	CLEANUP(buf_done) struct buf boot = {};
	struct error unused = {};
	if (file_read(BOOT_ID, BOOT_ID_MAX, &boot, NULL) == 0 &&
			file_replace(path, buf_text(&boot), boot.len, 0600, &unused) < 0)
		return;
}

/*
 * Is it sure that the host has not gone down since? What a guest writes may be on a disk some
 * seconds before the time of it is, so that the disks of one that ran so long look as they were.
 */
static bool is_of_this_boot(const struct saved_machine *machine)
{
	CLEANUP(freep) char *path = note_path(machine, SAVED_RESUMING);
	CLEANUP(buf_done) struct buf then = {}, now = {};
	return file_read(path, BOOT_ID_MAX, &then, NULL) == 0 &&
	       file_read(BOOT_ID, BOOT_ID_MAX, &now, NULL) == 0 &&
	       !strcmp(buf_text(&then), buf_text(&now));
}

static bool writes_disks(const struct plan *plan)
{
	for (size_t i = 0; i < plan->n_fds; i++)
		if (plan->fds[i].writable && plan->fds[i].kind == PLAN_FD_FILE)
			return true;
	return false;
}

/*
 * The guest was, or was not, let run from this state. Returns 1: it counts again, 0: it is gone, or
 * a negative errno.
 */
static int take_back(const struct saved_machine *machine, char **ret_note, struct error *err)
{
	CLEANUP(freep) char *path = saved_path(machine->dir, name_of(machine), SAVED_RESUMING);
	CLEANUP(freep) char *memory = path_join(path, SAVED_MEMORY);
	CLEANUP(saved_meta_done) struct saved_meta meta = {};
	enum saved_disks disks;
	struct error why = {};
	/* Its removal has begun: with the first file that is missing, it had run. */
	int r = saved_meta_read(path, &meta, &why);
	if (r == -ENOENT || (access(memory, F_OK) < 0 && errno == ENOENT))
		return boot_instead(machine, "its files are not complete", ret_note, err);
	/* What can't be read may be all that there is of the guest. */
	if (r < 0)
		return refuse(machine, why.text, err);
	r = saved_check_disks(&meta, machine, &disks, &why, &why);
	if (r < 0)
		return refuse(machine, why.text, err);
	switch (disks) {
	case SAVED_DISKS_WRITTEN:
		return boot_instead(machine, why.text, ret_note, err);
	case SAVED_DISKS_INDISTINCT:
		return refuse(machine,
				"it was about to run when that broke off, and its volumes that are "
				"block devices do not tell whether it did",
				err);
	/* It stays what it is: a start with that put right is still to ask whether it ran. */
	case SAVED_DISKS_CHANGED:
		return refuse(machine, why.text, err);
	case SAVED_DISKS_SAME:
		break;
	}
	if (writes_disks(machine->plan) && !is_of_this_boot(machine))
		return refuse(machine,
				"it was about to run when that broke off, and its disks do not "
				"tell whether it did, since the host may have gone down with it",
				err);
	r = saved_move(machine->dir, name_of(machine), SAVED_RESUMING, SAVED_WHOLE, err);
	return r < 0 ? r : 1;
}

static int check_whole(
		const struct saved_machine *machine, struct strv *ret_words, struct error *err)
{
	CLEANUP(freep) char *path = saved_path(machine->dir, name_of(machine), SAVED_WHOLE);
	CLEANUP(saved_meta_done) struct saved_meta meta = {};
	enum saved_disks disks = SAVED_DISKS_SAME;
	struct error why = {};
	int r = saved_meta_read(path, &meta, &why);
	if (r == 0)
		r = saved_check_argv(&meta, machine->argv, &why);
	if (r == 0)
		r = saved_check_disks(&meta, machine, &disks, &why, &why);
	if (r < 0 || disks == SAVED_DISKS_CHANGED || disks == SAVED_DISKS_WRITTEN)
		return refuse(machine, why.text, err);
	strv_push(ret_words, "-incoming");
	strv_push(ret_words, "defer");
	/* Added to the machine's own: "q35" may be a newer one by now, which is other hardware. */
	if (meta.machine_type && meta.machine_type[0]) {
		strv_push(ret_words, "-machine");
		strv_pushf(ret_words, "type=%s", meta.machine_type);
	}
	return 1;
}

static bool has_at(const struct strv *argv, size_t i, const char *word)
{
	return i < argv->n && !strcmp(argv->items[i], word);
}

void restore_drop_words(struct strv *argv)
{
	size_t n = argv->n;
	if (has_at(argv, n - 2, "-machine"))
		n -= 2;
	if (!has_at(argv, n - 2, "-incoming"))
		return;
	argv->n = n - 2;
	argv->items[argv->n] = NULL;
}

/* What is saved of a machine; what is anything stays so, as long as the lock is held. */
static int look_locked(const char *dir, const char *machine, enum saved_state *ret,
		struct lock *ret_lock, struct error *err)
{
	int r = 0;
	*ret = saved_look(dir, machine);
	if (*ret != SAVED_NONE)
		r = saved_lock(dir, machine, LOCK_WAIT, ret_lock, err);
	if (r == 0)
		*ret = saved_look(dir, machine);
	return r;
}

/* From here on the guest may run. */
static int set_resuming(const struct saved_machine *machine, struct error *err)
{
	note_boot(machine);
	return saved_move(machine->dir, name_of(machine), SAVED_WHOLE, SAVED_RESUMING, err);
}

int restore_prepare(const struct saved_machine *machine, struct strv *ret_words, char **ret_note,
		struct error *err)
{
	CLEANUP(lock_done) struct lock lock = {};
	enum saved_state saved;
	*ret_note = NULL;
	int r = look_locked(machine->dir, name_of(machine), &saved, &lock, err);
	if (r < 0)
		return r;
	switch (saved) {
	case SAVED_NONE:
		return 0;
	case SAVED_UNFINISHED:
		/* Its QEMU has ended: what it had of the guest has gone with it. */
		r = saved_discard(machine->dir, name_of(machine), err);
		return r < 0 ? r : 0;
	case SAVED_RESUMING:
		r = take_back(machine, ret_note, err);
		return r <= 0 ? r : check_whole(machine, ret_words, err);
	case SAVED_WHOLE:
		break;
	}
	return check_whole(machine, ret_words, err);
}

int restore_put_aside(const struct saved_machine *machine, struct error *err)
{
	CLEANUP(lock_done) struct lock lock = {};
	enum saved_state saved;
	int r = look_locked(machine->dir, name_of(machine), &saved, &lock, err);
	if (r < 0)
		return r;
	switch (saved) {
	case SAVED_UNFINISHED:
		r = saved_discard(machine->dir, name_of(machine), err);
		return r < 0 ? r : 0;
	case SAVED_WHOLE:
		return set_resuming(machine, err);
	case SAVED_NONE:
	case SAVED_RESUMING:
		break;
	}
	return 0;
}

/* ---- 2 to 4 ---- */

/* The first three numbers. */
static void read_version(const char *text, int ret[3])
{
	ret[0] = ret[1] = ret[2] = 0;
	(void)!sscanf(text, "%d.%d.%d", &ret[0], &ret[1], &ret[2]);
}

static int check_version(const char *then, const char *now, struct error *err)
{
	int a[3], b[3];
	read_version(then, a);
	read_version(now, b);
	for (size_t i = 0; i < ARRAY_SIZE(a); i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? 0
					   : error_set(err, EINVAL,
							     "it was saved by QEMU %s, and this "
							     "one is older: %s",
							     then, now);
	return 0;
}

/* A drive as it was: before the stream, which tells the guest's side of it. */
static int change_medium(struct qmp *qmp, const struct cd_drives *drives,
		const struct saved_meta *meta, const struct saved_medium *medium, struct error *err)
{
	const char *path = medium->path ? medium->path : "";
	const struct storage_file file = { .path = path, .device = plan_is_device(path) };
	CLEANUP(closep) int fd = -1;
	const struct cd_request request = {
		.drive = cd_find(drives, medium->drive, err),
		.force = true,
		.wait_usec = TRAY_USEC,
	};
	if (!request.drive)
		return -err->code;
	int r = path[0] ? storage_open(&file, &fd, err) : cd_eject(qmp, &request, err);
	if (r == 0 && path[0])
		r = saved_check_medium(meta, medium, fd, err);
	if (r < 0 || !path[0])
		return r < 0 ? r : 0;
	return cd_insert(qmp, &request, &(struct cd_file){ fd, path, file.device }, err);
}

static int change_media(struct qmp *qmp, const struct saved_meta *meta, struct error *err)
{
	static const struct strv no_names = {};
	CLEANUP(cd_drives_done) struct cd_drives drives = {};
	const struct saved_medium *media = meta->media.items;
	int r = meta->media.n ? cd_list(qmp, &no_names, &drives, err) : 0;
	for (size_t i = 0; r == 0 && i < meta->media.n; i++)
		r = change_medium(qmp, &drives, meta, &media[i], err);
	return r;
}

static int receive(const struct saved_machine *machine, struct qmp *qmp,
		const struct migration_watch *watch, bool *ret_runs, struct error *err)
{
	CLEANUP(freep) char *path = saved_path(machine->dir, name_of(machine), SAVED_WHOLE);
	CLEANUP(freep) char *memory = path_join(path, SAVED_MEMORY);
	CLEANUP(saved_meta_done) struct saved_meta meta = {};
	int r = saved_meta_read(path, &meta, err);
	if (r == 0)
		r = check_version(
				meta.qemu_version ? meta.qemu_version : "", qmp_version(qmp), err);
	if (r < 0)
		return r;
	r = change_media(qmp, &meta, err);
	if (r < 0)
		return r;
	*ret_runs = meta.was_running;
	CLEANUP(closep) int fd = open(memory, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "cannot open '%s'", memory);
	r = migration_receive(qmp, fd, meta.was_running, watch, err);
	return r == -ECONNRESET ? error_wrap(err, "QEMU could not read '%s', and has ended", memory)
				: r;
}

/* The stream was taken in full: QEMU is in the state of the guest, and nothing moves. */
static int let_run(const struct saved_machine *machine, struct qmp *qmp, struct error *err)
{
	uint64_t until = clock_deadline_usec(SAVE_CALL_USEC);
	int r = qmp_call(qmp, "cont", NULL, until, NULL, err);
	return r < 0 ? error_wrap(err, "machine '%s' was read, but does not go on",
				       name_of(machine))
		     : 0;
}

int restore_run(const struct saved_machine *machine, struct qmp *qmp,
		const struct migration_watch *watch, struct error *err)
{
	CLEANUP(lock_done) struct lock lock = {};
	const struct run_state *state = NULL;
	bool runs = false;
	int r = save_get_state(qmp, &state, err);
	if (r < 0)
		return r;
	if (strcmp(state->name, "inmigrate") != 0 ||
			!saved_is_whole(machine->dir, name_of(machine)))
		return 1;
	r = saved_lock(machine->dir, name_of(machine), LOCK_WAIT, &lock, err);
	if (r == 0)
		r = receive(machine, qmp, watch, &runs, err);
	if (r == 0)
		r = set_resuming(machine, err);
	if (r == 0 && runs)
		r = let_run(machine, qmp, err);
	return r;
}

int restore_list_taken(const struct saved_machine *machine, struct strv *ret, struct error *err)
{
	CLEANUP(freep) char *path = saved_path(machine->dir, name_of(machine), SAVED_WHOLE);
	CLEANUP(saved_meta_done) struct saved_meta meta = {};
	int r = saved_meta_read(path, &meta, err);
	for (size_t i = 0; r == 0 && i < meta.taken.n; i++)
		strv_push(ret, meta.taken.items[i]);
	return r;
}

/* ---- 5 ---- */

int restore_finish(const char *dir, const char *machine, struct error *err)
{
	CLEANUP(lock_done) struct lock lock = {};
	if (saved_look(dir, machine) != SAVED_RESUMING)
		return 0;
	int r = saved_lock(dir, machine, LOCK_WAIT, &lock, err);
	if (r == 0 && saved_look(dir, machine) == SAVED_RESUMING)
		r = saved_discard(dir, machine, err);
	return r < 0 ? r : 0;
}

int restore_disown(const char *dir, const char *machine, struct qmp *qmp, struct error *err)
{
	CLEANUP(lock_done) struct lock lock = {};
	const struct run_state *state = NULL;
	/* Under the lock nobody is about to save or resume it. */
	int r = saved_lock(dir, machine, LOCK_WAIT, &lock, err);
	if (r == 0)
		r = save_get_state(qmp, &state, err);
	if (r == 0 && !strcmp(state->name, "running") && saved_is_whole(dir, machine))
		r = saved_discard(dir, machine, err);
	return r < 0 ? r : 0;
}
