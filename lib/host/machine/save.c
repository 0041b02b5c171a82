/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Saving a machine that runs. The numbers of steps are those of host/machine/saved.h. */
#include "host/machine/save.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "host/machine/save-parts.h"
#include "host/machine/saved-meta.h"
#include "host/os/clock.h"
#include "host/prepare/connect.h"
#include "host/qmp/run-state.h"
#include "json/jtree.h"
#include "util/file.h"
#include "util/mem.h"
#include "util/parse.h"

/* Devices, and what the file system needs for itself. */
#define SPARE_BYTES ((uint64_t)64 << 20)
/* With less than that left a file system is full, whatever else is said of a write that failed. */
#define FULL_BYTES ((uint64_t)1 << 20)
/* What is brought to the disk at once: that should take seconds, also where it is slow. */
#define FLUSH_BYTES ((off_t)64 << 20)
/* The hook of a start that has resumed this machine tidies up for a moment after it is active;
 * another one that saves it is told of. */
#define LOCK_WAIT (5 * USEC_PER_SEC)

/* What is left to do, where it is not all. */
enum { ONLY_QUIT = 1, QEMU_GONE };

struct save {
	const struct save_request *request;
	const char *dir, *machine;
	struct qmp *qmp;
	bool was_running;
	struct lock lock;
};

static uint64_t deadline(void)
{
	return clock_deadline_usec(SAVE_CALL_USEC);
}

static int call(struct qmp *qmp, const char *name, struct error *err)
{
	return qmp_call(qmp, name, NULL, deadline(), NULL, err);
}

int save_get_state(struct qmp *qmp, const struct run_state **ret, struct error *err)
{
	int r = run_state_query(qmp, deadline(), ret, err);
	return r == QMP_DONE ? 0 : r < 0 ? r : -err->code;
}

static bool is(const struct run_state *state, const char *name)
{
	return !strcmp(state->name, name);
}

/* ---- 1: what can be refused before anything has changed ---- */

/* What the guest's memory takes at most. */
static int get_needed(const struct save_request *request, uint64_t *ret, struct error *err)
{
	CLEANUP(jtree_putp) struct json_object *size = NULL;
	int r = qmp_call(request->qmp, "query-memory-size-summary", NULL, deadline(), &size, err);
	if (r < 0)
		return r;
	*ret = (uint64_t)jtree_get_int(size, "base-memory", 0);
	if (request->used_bytes && request->used_bytes < *ret)
		*ret = request->used_bytes;
	return 0;
}

static int get_left(const char *dir, uint64_t *ret, struct error *err)
{
	struct statvfs fs;
	/* The directory comes with the first save. */
	if (statvfs(dir, &fs) < 0 && statvfs("/var/lib", &fs) < 0)
		return error_errno(err, "cannot look at the space for '%s'", dir);
	*ret = (uint64_t)fs.f_bavail * fs.f_frsize;
	return 0;
}

static int check_space(const struct save_request *request, struct error *err)
{
	const char *dir = request->machine.dir;
	uint64_t needed = 0, left = 0;
	int r = get_needed(request, &needed, err);
	if (r == 0)
		r = get_left(dir, &left, err);
	if (r < 0 || left >= needed + SPARE_BYTES)
		return r;
	return error_set(err, ENOSPC,
			"there are %" PRIu64 " MiB left for '%s', and its memory may need %" PRIu64,
			left >> 20, dir, (needed + SPARE_BYTES) >> 20);
}

static int check(const struct save_request *request, struct error *err)
{
	CLEANUP(arena_done) struct arena arena = {};
	struct jlist unused;
	int r = save_check_migration(request->qmp, request->machine.plan, err);
	if (r == 0)
		r = save_check_parts(request->qmp, request->main_pid, request->machine.argv, &arena,
				&unused, err);
	return r < 0 ? r : check_space(request, err);
}

/* Only what runs, or would run but for a pause or a full disk. */
static int check_state(const struct run_state *state, struct error *err)
{
	static const char *const good[] = { "running", "paused", "io-error" };
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (is(state, good[i]))
			return 0;
	return error_set(err, ENOTSUP, "it cannot be saved: %s (state '%s')", state->meaning,
			state->name);
}

int save_check(const struct save_request *request, struct error *err)
{
	const struct run_state *state = NULL;
	int r = save_get_state(request->qmp, &state, err);
	if (r < 0 || is(state, "postmigrate"))
		return r;
	r = check_state(state, err);
	return r < 0 ? r : check(request, err);
}

/* ---- 2 to 5: to a file ---- */

/* "q35" is another machine with another QEMU: its full name is what the guest has. */
static int get_machine_type(
		struct save *s, struct arena *arena, const char **ret, struct error *err)
{
	static const char good[] =
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	CLEANUP(jtree_putp) struct json_object *arguments = jtree_object(), *value = NULL;
	jtree_set(arguments, "path", jtree_string("/machine"));
	jtree_set(arguments, "property", jtree_string("type"));
	int r = qmp_call(s->qmp, "qom-get", arguments, deadline(), &value, err);
	if (r < 0)
		return r;
	const char *type = json_object_is_type(value, json_type_string) ? jtree_text(value) : "";
	size_t stem = stem_length(type, "-machine"), len = stem ? stem : strlen(type);
	/* A start puts it into QEMU's arguments. */
	if (strspn(type, good) < len)
		return error_set(err, EPROTO, "QEMU's type of machine is '%s', which can't be",
				type);
	*ret = arena_strndup(arena, type, len);
	return 0;
}

static void note_time(struct saved_meta *meta)
{
	CLEANUP(buf_done) struct buf boot = {};
	meta->time_usec = (int64_t)clock_real_usec();
	if (file_read("/proc/sys/kernel/random/boot_id", 64, &boot, NULL) == 0)
		meta->boot = arena_strndup(
				&meta->arena, buf_text(&boot), strcspn(buf_text(&boot), "\n"));
}

static void copy_strings(const struct strv *from, struct arena *arena, struct jstrings *ret)
{
	ret->items = (const char **)arena_array(arena, from->n + 1, sizeof(*ret->items));
	ret->n = from->n;
	for (size_t i = 0; i < from->n; i++)
		ret->items[i] = arena_strdup(arena, from->items[i]);
}

/* All that is known before the guest stands still. */
static int describe(struct save *s, struct saved_meta *meta, struct error *err)
{
	meta->was_running = s->was_running;
	meta->qemu_version = arena_strdup(&meta->arena, qmp_version(s->qmp));
	copy_strings(s->request->machine.argv, &meta->arena, &meta->argv);
	note_time(meta);
	return get_machine_type(s, &meta->arena, &meta->machine_type, err);
}

/* What a start would make in another way. */
static int add_changes(struct save *s, struct saved_meta *meta, struct error *err)
{
	const struct saved_machine *machine = &s->request->machine;
	CLEANUP(strv_done) struct strv taken = {};
	int r = save_check_parts(s->qmp, s->request->main_pid, machine->argv, &meta->arena,
			&meta->media, err);
	if (r == 0)
		r = connect_list_taken(machine->plan, &taken, err);
	if (r == 0)
		copy_strings(&taken, &meta->arena, &meta->taken);
	return r;
}

static int add_stamps(struct save *s, struct saved_meta *meta, struct error *err)
{
	struct plan_fd *files;
	size_t n;
	saved_files(&s->request->machine, meta, &meta->arena, &files, &n);
	struct saved_disk *disks =
			(struct saved_disk *)arena_array(&meta->arena, n + 1, sizeof(*disks));
	meta->disks = (struct jlist){ .items = disks };
	for (size_t i = 0; i < n; i++) {
		int r = saved_stamp(&files[i], files[i].writable, &meta->arena,
				&disks[meta->disks.n], err);
		if (r < 0)
			return r;
		meta->disks.n++;
	}
	return 0;
}

static int begin(struct save *s, const char *path, const struct saved_meta *meta, int *ret_fd,
		struct error *err)
{
	CLEANUP(freep) char *file = path_join(path, SAVED_MEMORY);
	if (mkdir(path, 0700) < 0)
		return error_errno(err, "cannot make directory '%s'", path);
	int r = saved_meta_write(path, meta, err);
	if (r < 0)
		return r;
	*ret_fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (*ret_fd < 0)
		return error_errno(err, "cannot make '%s'", file);
	return s->was_running ? call(s->qmp, "stop", err) : 0;
}

/* QEMU says "completed" a moment before it is in the state that it stays in. */
static int get_last_state(struct qmp *qmp, const struct run_state **ret, struct error *err)
{
	uint64_t until = deadline();
	for (;;) {
		int r = save_get_state(qmp, ret, err);
		if (r < 0 || !is(*ret, "finish-migrate") || clock_now_usec() >= until)
			return r;
		poll(NULL, 0, 1);
	}
}

static int wait_still(struct save *s, struct error *err)
{
	const struct run_state *state = NULL;
	int r = get_last_state(s->qmp, &state, err);
	if (r < 0 || is(state, "postmigrate"))
		return r;
	return error_set(err, ECANCELED, "somebody has let the guest run on");
}

/* 6 and 7. From the rename on, what fails has to be taken back. */
static int commit(struct save *s, struct error *err)
{
	int r = saved_move(s->dir, s->machine, SAVED_UNFINISHED, SAVED_WHOLE, err);
	if (r == 0)
		r = wait_still(s, err);
	return r;
}

static bool is_called_off(const struct save *s)
{
	const struct migration_watch *watch = &s->request->watch;
	return watch->is_canceled && watch->is_canceled(watch->data);
}

/*
 * The memory, to its disk: gigabytes may be in the host's cache, which takes longer than systemd
 * waits for somebody who does not tell that he is at work. A piece that fails is not told again by
 * fsync(2).
 */
static int flush_memory(const struct save *s, int fd, struct error *err)
{
	const struct migration_watch *watch = &s->request->watch;
	struct stat st;
	if (fstat(fd, &st) < 0)
		return error_errno(err, "cannot look at '" SAVED_MEMORY "'");
	for (off_t at = 0; at < st.st_size; at += FLUSH_BYTES) {
		/* A QEMU that its guest has taken over can make any number of holes for nothing. */
		const off_t data = lseek(fd, at, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			break;
		at = data > at ? data : at;
		if (is_called_off(s))
			return error_set(err, ECANCELED, "it was called off");
		if (watch->progress)
			watch->progress(watch->data, (uint64_t)at, (uint64_t)st.st_size);
		const unsigned all = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
				     SYNC_FILE_RANGE_WAIT_AFTER;
		/* Not every file system can do it, and then it is not what fails. */
		if (sync_file_range(fd, at, FLUSH_BYTES, all) < 0 && errno != EINVAL &&
				errno != ESPIPE && errno != ENOSYS)
			return error_errno(err, "cannot write '" SAVED_MEMORY "' to its disk");
	}
	return fsync(fd) < 0 ? error_errno(err, "cannot write '" SAVED_MEMORY "' to its disk") : 0;
}

static int write_all_of_it(struct save *s, struct error *err)
{
	CLEANUP(freep) char *path = saved_path(s->dir, s->machine, SAVED_UNFINISHED);
	CLEANUP(saved_meta_done) struct saved_meta meta = {};
	CLEANUP(closep) int fd = -1;
	int r = describe(s, &meta, err);
	if (r == 0)
		r = begin(s, path, &meta, &fd, err);
	if (r == 0)
		r = migration_send(s->qmp, fd, &s->request->watch, err);
	if (r == 0)
		r = wait_still(s, err);
	if (r == 0 && (r = flush_memory(s, fd, err)) < 0)
		error_wrap(err, "'%s'", path);
	if (r == 0)
		r = add_changes(s, &meta, err);
	if (r == 0)
		r = add_stamps(s, &meta, err);
	if (r == 0)
		r = saved_meta_write(path, &meta, err);
	return r < 0 ? r : commit(s, err);
}

/* ---- back ---- */

/*
 * QEMU as it was before somebody began to save its guest. First there is no saved state any more of
 * what is about to run; .NAME.saving goes last, since it tells that this guest is to go on.
 *
 * @runs: did the guest run?
 */
static int put_back(
		const char *dir, const char *machine, struct qmp *qmp, bool runs, struct error *err)
{
	const struct run_state *state = NULL;
	int r = migration_cancel(qmp, err);
	if (r == 0 && saved_is_whole(dir, machine))
		r = saved_move(dir, machine, SAVED_WHOLE, SAVED_UNFINISHED, err);
	if (r == 0)
		r = get_last_state(qmp, &state, err);
	/* There is no other way out of "postmigrate". */
	if (r == 0 && !is(state, "running") && (runs || is(state, "postmigrate")))
		r = call(qmp, "cont", err);
	if (r == 0 && !runs && is(state, "postmigrate"))
		r = call(qmp, "stop", err);
	if (r == 0)
		r = saved_discard(dir, machine, err);
	return r < 0 ? r : 0;
}

/*
 * QEMU says of a file that it could not write only that it failed; who has a full disk is told what
 * it takes. While what was written is still there.
 */
static int explain_full(struct save *s, int failure, struct error *err)
{
	CLEANUP(freep) char *path = saved_path(s->dir, s->machine, SAVED_UNFINISHED);
	CLEANUP(freep) char *memory = path_join(path, SAVED_MEMORY);
	const struct error first = *err;
	uint64_t needed = 0, left = 0;
	struct stat st;
	if (stat(memory, &st) < 0 || get_left(s->dir, &left, NULL) < 0 || left >= FULL_BYTES ||
			get_needed(s->request, &needed, NULL) < 0)
		return failure;
	return error_set(err, ENOSPC,
			"the file system of '%s' is full: %" PRIu64
			" MiB were written, and its memory may need %" PRIu64
			"; the guest goes on (%s)",
			s->dir, (uint64_t)st.st_size >> 20, (needed + SPARE_BYTES) >> 20,
			first.text);
}

/* What failed: the guest goes on. Adds to the error what can't be done. */
static void back_out(struct save *s, struct error *err)
{
	const struct error first = *err;
	struct error more = {};
	if (put_back(s->dir, s->machine, s->qmp, s->was_running, &more) < 0)
		error_set(err, first.code, "%s; and what that left was not undone: %s", first.text,
				more.text);
}

/* ---- 8 ---- */

static int quit(struct save *s, struct error *err)
{
	CLEANUP(qmp_reply_done) struct qmp_reply reply = {};
	uint64_t until = deadline();
	int r = qmp_execute(s->qmp, &(struct qmp_command){ .name = "quit" }, until, &reply, err);
	if (r == QMP_DONE)
		r = qmp_await_event(s->qmp, NULL, until, NULL, err);
	if (r == QMP_CLOSED)
		return 0;
	return error_wrap(err, "the guest is saved, but QEMU does not quit");
}

/* ---- what an earlier one has left ---- */

/* Did the guest run before somebody began to save it? */
static bool ran_before(const struct save *s)
{
	CLEANUP(freep) char *path = saved_path(s->dir, s->machine, SAVED_UNFINISHED);
	CLEANUP(saved_meta_done) struct saved_meta meta = {};
	return saved_meta_read(path, &meta, NULL) == 0 && meta.was_running;
}

/* Take up a machine as it is found. Returns 0, ONLY_QUIT or a negative errno. */
static int take_up(struct save *s, struct error *err)
{
	const struct run_state *state = NULL;
	enum saved_state saved = saved_look(s->dir, s->machine);
	int r = save_get_state(s->qmp, &state, err);
	if (r < 0)
		return r;
	if (saved == SAVED_WHOLE && is(state, "postmigrate"))
		return ONLY_QUIT;
	if (saved == SAVED_UNFINISHED)
		r = put_back(s->dir, s->machine, s->qmp, ran_before(s), err);
	/* Of a guest that has gone on. */
	else if (saved != SAVED_NONE && !is(state, "inmigrate"))
		r = saved_discard(s->dir, s->machine, err);
	if (r >= 0)
		r = save_get_state(s->qmp, &state, err);
	if (r < 0)
		return r;
	s->was_running = is(state, "running") || is(state, "io-error");
	return check_state(state, err);
}

/* A QEMU that ends by itself when all has been written only comes before it is told to. */
static bool has_ended_well(const struct save *s, int r)
{
	return r == -ECONNRESET && saved_is_whole(s->dir, s->machine);
}

static int do_all(struct save *s, struct error *err)
{
	struct error tpm = {};
	int r = check(s->request, err);
	if (r == 0)
		r = write_all_of_it(s, err);
	if (r < 0 && has_ended_well(s, r))
		return QEMU_GONE;
	/* There is no guest any more that could go on. */
	if (r == -ECONNRESET)
		return error_set(err, ECONNRESET,
				"its QEMU has ended while it was being saved: nothing is saved");
	/* A TPM that ends meanwhile is in QEMU's words a failure like any other. */
	if (r == -EREMOTEIO && save_check_tpm(s->qmp, &tpm) == -ENOTSUP)
		r = error_set(err, ENOTSUP, "%s", tpm.text);
	else if (r < 0)
		r = explain_full(s, r, err);
	if (r < 0)
		back_out(s, err);
	return r;
}

int save_run(const struct save_request *request, struct error *err)
{
	struct error own = {};
	struct save s = {
		.request = request,
		.dir = request->machine.dir,
		.machine = request->machine.plan->machine,
		.qmp = request->qmp,
	};
	int r = saved_lock(s.dir, s.machine, LOCK_WAIT, &s.lock, err);
	if (r < 0)
		return r;
	r = take_up(&s, &own);
	if (r == 0)
		r = do_all(&s, &own);
	if (r == 0 || r == ONLY_QUIT)
		r = quit(&s, &own);
	lock_done(&s.lock);
	if (r == QEMU_GONE)
		return 0;
	if (r < 0 && err)
		*err = own;
	return r;
}

int save_let_run(const char *dir, const char *machine, struct qmp *qmp, struct error *err)
{
	CLEANUP(lock_done) struct lock lock = {};
	const struct run_state *state = NULL;
	int r = save_get_state(qmp, &state, err);
	if (r < 0)
		return r;
	/* It has nothing of the guest yet, whose only place is what would be thrown away. */
	if (is(state, "inmigrate"))
		return error_set(err, EBUSY, "it is about to be resumed from its saved state");
	/* What "postmigrate" is was saved, or is at this moment, whatever a look has missed. */
	if (saved_look(dir, machine) == SAVED_NONE && !is(state, "postmigrate"))
		return call(qmp, "cont", err);
	r = saved_lock(dir, machine, LOCK_WAIT, &lock, err);
	return r < 0 ? r : put_back(dir, machine, qmp, true, err);
}
