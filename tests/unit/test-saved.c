/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Machines that were saved: states, what is written beside memory, and what a start makes of it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/machine/restore.h"
#include "host/machine/saved-meta.h"
#include "plan-rows.h"
#include "scratch.h"
#include "test.h"
#include "util/file.h"
#include "util/mem.h"

static const char *const rows[] = {
	"machine name=web user=machina-web run-dir=DIR/run/web socket-dir=DIR/sockets",
	"file name=firmware.code path=DIR/code",
	"file name=disk.0 path=DIR/disk writable=yes volume=root pool=disks",
	"file name=disk.1 path=DIR/iso",
	NULL,
};

/* A path that is called a device, which is all that counts here. */
static const char *const device_rows[] = {
	"machine name=web user=machina-web run-dir=DIR/run/web socket-dir=DIR/sockets",
	"file name=disk.0 path=/dev/..DIR/disk writable=yes volume=root pool=disks",
	"file name=disk.1 path=DIR/iso",
	NULL,
};

static const char *const words[] = { "/usr/bin/qemu", "-m", "size=128M", "-nodefaults", NULL };

struct fixture {
	struct plan plan;
	struct strv argv;
	char *dir;
	struct saved_machine machine;
};

static void begin_with(struct fixture *f, const char *const *plan)
{
	*f = (struct fixture){};
	scratch_begin();
	put_file("code", "firmware");
	put_file("disk", "a disk");
	put_file("iso", "an image");
	plan_of_rows(&f->plan, plan);
	for (const char *const *word = words; *word; word++)
		strv_push(&f->argv, *word);
	f->dir = xstrdup(scratch_path("saved"));
	f->machine = (struct saved_machine){ f->dir, &f->plan, &f->argv, NULL };
}

static void begin(struct fixture *f)
{
	begin_with(f, rows);
}

static void end(struct fixture *f)
{
	plan_done(&f->plan);
	strv_done(&f->argv);
	free(f->dir);
	scratch_end();
}

/* As a save leaves it. */
static void put_saved(struct fixture *f, enum saved_state state)
{
	CLEANUP(saved_meta_done) struct saved_meta meta = {};
	CLEANUP(freep) char *path = saved_path(f->dir, "web", state);
	CLEANUP(freep) char *memory = path_join(path, SAVED_MEMORY);
	struct plan_fd *files;
	size_t n;
	const char *argv[ARRAY_SIZE(words)];
	for (size_t i = 0; i < f->argv.n; i++)
		argv[i] = f->argv.items[i];
	struct error err = {};
	meta.was_running = true;
	meta.qemu_version = "7.2.1";
	meta.machine_type = "pc-q35-7.2";
	meta.argv = (struct jstrings){ argv, f->argv.n };
	saved_files(&f->machine, &meta, &meta.arena, &files, &n);
	struct saved_disk disks[4] = {};
	CHECK(n <= ARRAY_SIZE(disks));
	for (size_t i = 0; i < n; i++)
		CHECK_INT(saved_stamp(&files[i], true, &meta.arena, &disks[i], &err), 0);
	meta.disks = (struct jlist){ disks, n };
	CHECK_INT(mkdir_all(path, 0700, &err), 0);
	CHECK_INT(saved_meta_write(path, &meta, &err), 0);
	CHECK_INT(file_replace(memory, "memory", 6, 0600, &err), 0);
}

/* What a start makes of it: QEMU's words, or the error. The text is valid until the next call. */
static const char *start(struct fixture *f, int expected)
{
	static char text[ERROR_TEXT_MAX];
	CLEANUP(strv_done) struct strv more = {};
	CLEANUP(freep) char *note = NULL;
	CLEANUP(buf_done) struct buf out = {};
	struct error err = {};
	CHECK_INT(restore_prepare(&f->machine, &more, &note, &err), expected);
	if (note)
		buf_puts(&out, note);
	for (size_t i = 0; i < more.n; i++)
		buf_printf(&out, "%s%s", out.len ? " " : "", more.items[i]);
	buf_puts(&out, err.text);
	snprintf(text, sizeof(text), "%s", without_scratch(buf_text(&out)));
	return text;
}

/* In place of the C library's: which directories were made to last, and the one that fails. */
static struct strv synced;
static int n_syncs, bad_sync = -1;

int fsync(int fd)
{
	if (n_syncs++ == bad_sync) {
		errno = EIO;
		return -1;
	}
	char link[32], path[PATH_MAX];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof(path) - 1);
	if (n > 0) {
		path[n] = '\0';
		strv_push(&synced, without_scratch(path));
	}
	return (int)syscall(SYS_fsync, fd);
}

/* In place of the C library's: a file that is taken for a block device. */
static bool is_block;

int fstat(int fd, struct stat *ret)
{
	int r = fstatat(fd, "", ret, AT_EMPTY_PATH);
	if (r == 0 && is_block)
		ret->st_mode = (ret->st_mode & ~(mode_t)S_IFMT) | S_IFBLK;
	return r;
}

static enum saved_state state_of(const struct fixture *f)
{
	return saved_look(f->dir, "web");
}

#define WAY_OUT " ('machina start --discard-saved web' throws the saved state away and boots)"
#define WORDS "-incoming defer -machine type=pc-q35-7.2"

TEST(what_is_saved_is_resumed)
{
	struct fixture f;
	begin(&f);
	CHECK_STR(start(&f, 0), "");
	put_saved(&f, SAVED_WHOLE);
	CHECK_INT(state_of(&f), SAVED_WHOLE);
	CHECK_STR(start(&f, 1), WORDS);
	CHECK_INT(state_of(&f), SAVED_WHOLE);
	end(&f);
}

TEST(a_state_is_the_name_of_its_directory)
{
	static const struct {
		enum saved_state state;
		const char *name;
	} names[] = {
		{ SAVED_UNFINISHED, "saved/.web.saving" },
		{ SAVED_WHOLE, "saved/web" },
		{ SAVED_RESUMING, "saved/.web.resuming" },
	};
	struct fixture f;
	struct error err = {};
	begin(&f);
	CHECK_INT(state_of(&f), SAVED_NONE);
	CHECK_INT(saved_discard(f.dir, "web", &err), 1);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		make_directory(names[i].name);
		CHECK_INT(state_of(&f), names[i].state);
		CHECK_INT(saved_look(f.dir, "we"), SAVED_NONE);
		CHECK_INT(saved_discard(f.dir, "web", &err), 0);
		CHECK_INT(state_of(&f), SAVED_NONE);
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		make_directory(names[i].name);
	CHECK_INT(state_of(&f), SAVED_WHOLE);
	CHECK_INT(saved_discard(f.dir, "web", &err), 0);
	CHECK_INT(state_of(&f), SAVED_NONE);
	end(&f);
}

/* It may be the first one, whose directory was made for it. */
TEST(what_is_saved_lasts_with_all_directories_above_it)
{
	struct fixture f;
	struct lock lock = {};
	struct error err = {};
	begin(&f);
	freep(&f.dir);
	f.dir = xstrdup(scratch_path("lib/machina/saved"));
	CHECK_INT(saved_lock(f.dir, "web", 0, &lock, &err), 0);
	make_directory("lib/machina/saved/.web.saving");
	strv_clear(&synced);
	CHECK_INT(saved_move(f.dir, "web", SAVED_UNFINISHED, SAVED_WHOLE, &err), 0);
	CHECK_INT(synced.n, 3);
	CHECK_STR(synced.items[0], "DIR/lib/machina/saved");
	CHECK_STR(synced.items[1], "DIR/lib/machina");
	CHECK_STR(synced.items[2], "DIR/lib");
	strv_done(&synced);
	lock_done(&lock);
	end(&f);
}

/* Who saves it lets the guest run on then, and it is no use to throw away what comes back. */
TEST(what_may_not_last_is_a_failure)
{
	static const char *const texts[] = { "saved' last", "saved/..' last", "saved/../..' last" };
	const struct plan_fd disk = { .kind = PLAN_FD_FILE, .name = "disk.0", .path = "/dev/null" };
	struct fixture f;
	struct error err = {};
	begin(&f);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		make_directory("saved/.web.saving");
		n_syncs = 0;
		bad_sync = (int)i;
		CHECK_INT(saved_move(f.dir, "web", SAVED_UNFINISHED, SAVED_WHOLE, &err), -EIO);
		CHECK(strstr(err.text, texts[i]));
		n_syncs = bad_sync = 0;
		CHECK_INT(saved_discard(f.dir, "web", &err), -EIO);
		CHECK(strstr(err.text, "the saved state of machine 'web'"));
		bad_sync = -1;
		CHECK_INT(saved_discard(f.dir, "web", &err), 0);
	}
	CLEANUP(arena_done) struct arena arena = {};
	struct saved_disk stamp;
	n_syncs = bad_sync = 0;
	CHECK_INT(saved_stamp(&disk, true, &arena, &stamp, &err), -EIO);
	bad_sync = -1;
	strv_done(&synced);
	end(&f);
}

TEST(those_are_listed_whose_start_begins_with_what_was_saved)
{
	static const char *const names[] = { "saved/web", "saved/.x.b.resuming", "saved/.db.saving",
		"saved/.resuming", "saved/db-2" };
	CLEANUP(strv_done) struct strv machines = {};
	struct fixture f;
	struct error err = {};
	begin(&f);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		make_directory(names[i]);
	put_file("saved/file", "");
	CHECK_INT(saved_list(f.dir, &machines, &err), 0);
	CHECK_INT(machines.n, 3);
	CHECK_STR(machines.items[0], "db-2");
	CHECK_STR(machines.items[1], "web");
	CHECK_STR(machines.items[2], "x.b");
	end(&f);
}

TEST(nobody_else_moves_it_meanwhile)
{
	struct fixture f;
	struct lock lock = {};
	struct error err = {};
	begin(&f);
	CHECK_INT(saved_lock(f.dir, "web", 0, &lock, &err), 0);
	struct lock second = {};
	CHECK_INT(saved_lock(f.dir, "web", 0, &second, &err), -EBUSY);
	CHECK(strstr(err.text, "machine 'web' is being saved or resumed"));
	lock_done(&lock);
	CHECK_INT(saved_lock(f.dir, "web", 0, &lock, &err), 0);
	lock_done(&lock);
	end(&f);
}

static const char *occupied_under_lock(struct fixture *f)
{
	struct lock lock = {};
	struct error err = {};
	CHECK_INT(saved_lock(f->dir, "web", 0, &lock, &err), 0);
	const char *reason = saved_occupied(f->dir, "web");
	lock_done(&lock);
	return reason;
}

TEST(its_monitor_is_occupied_while_somebody_saves_or_resumes_it)
{
	static const struct {
		enum saved_state state;
		const char *reason; /* NULL: it can be asked */
	} cases[] = {
		{ SAVED_NONE, NULL },
		{ SAVED_UNFINISHED, "it is being saved" },
		{ SAVED_WHOLE, "it is being saved or resumed" },
		{ SAVED_RESUMING, NULL },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture f;
		begin(&f);
		if (cases[i].state != SAVED_NONE)
			put_saved(&f, cases[i].state);
		CHECK(!saved_occupied(f.dir, "web"));
		const char *reason = occupied_under_lock(&f);
		CHECK_STR(reason ? reason : "", cases[i].reason ? cases[i].reason : "");
		end(&f);
	}
}

TEST(what_was_resumed_is_removed_while_qemu_answers)
{
	struct fixture f;
	struct error err = {};
	begin(&f);
	put_saved(&f, SAVED_RESUMING);
	put_file("saved/.web.resuming/" SAVED_RESUMED_IN, "a boot");
	CHECK_INT(saved_move(f.dir, "web", SAVED_RESUMING, SAVED_UNFINISHED, &err), 0);
	CHECK(!occupied_under_lock(&f));
	end(&f);
}

TEST(half_a_state_goes_with_its_qemu)
{
	static const enum saved_state states[] = { SAVED_UNFINISHED, SAVED_WHOLE, SAVED_RESUMING };
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		struct fixture f;
		struct error err = {};
		begin(&f);
		put_saved(&f, states[i]);
		CHECK_INT(saved_drop_unfinished(f.dir, "web", &err), 0);
		CHECK_INT(saved_look(f.dir, "web"),
				states[i] == SAVED_UNFINISHED ? SAVED_NONE : states[i]);
		end(&f);
	}
}

TEST(other_arguments_are_refused)
{
	static const struct {
		const char *words[6], *text;
	} table[] = {
		{ { "/usr/bin/qemu", "-m", "size=128M", "-nodefaults", "-S" },
				"did not have the argument '-S'" },
		{ { "/usr/bin/qemu", "-m", "size=128M" },
				"had the argument '-nodefaults', now it has not" },
		{ { "/usr/bin/qemu", "-m", "size=256M", "-nodefaults" },
				"had the argument '-m size=128M', now it is '-m size=256M'" },
		{ { "/opt/qemu", "-m", "size=128M", "-nodefaults" },
				"had the argument '/usr/bin/qemu', now it is '/opt/qemu'" },
		{ { "/usr/bin/qemu", "-m", "size=128M", "disk.raw" },
				"had the argument '-nodefaults', now it is 'disk.raw'" },
	};
	struct fixture f;
	begin(&f);
	put_saved(&f, SAVED_WHOLE);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		CLEANUP(freep)
		char *expected = xasprintf("it was saved and cannot be resumed: its unit has "
					   "changed since it was saved: QEMU %s" WAY_OUT,
				table[i].text);
		strv_clear(&f.argv);
		for (const char *const *word = table[i].words; *word; word++)
			strv_push(&f.argv, *word);
		CHECK_STR(start(&f, -EINVAL), expected);
		CHECK_INT(state_of(&f), SAVED_WHOLE);
	}
	end(&f);
}

/* Units that were written before QEMU had to be told what it did by itself. */
TEST(a_designator_is_told_of_without_a_change_for_the_guest)
{
	static const struct {
		const char *was, *is;
		int r;
	} table[] = {
		{ "scsi-hd,wwn=1,serial=0123456789abcdef01234567",
				"scsi-hd,wwn=1,device_id=0123456789abcdef0123,"
				"serial=0123456789abcdef01234567",
				0 },
		{ "scsi-hd,wwn=1,serial=0123456789abcdef01234567,bootindex=1",
				"scsi-hd,wwn=1,device_id=0123456789abcdef0123,"
				"serial=0123456789abcdef01234567,bootindex=1",
				0 },
		{ "scsi-hd,device_id=0123,serial=0123456", "scsi-hd,device_id=0123,serial=0123456",
				0 },
		{ "scsi-hd,serial=0,,123456", "scsi-hd,device_id=0,,123,serial=0,,123456", 0 },
		{ "scsi-hd,serial=0,,123456", "scsi-hd,device_id=0,,,,23,serial=0,,123456",
				-EINVAL },
		{ "scsi-hd,serial=0123456", "scsi-hd,device_id=0124,serial=0123456", -EINVAL },
		{ "scsi-hd,serial=0123456", "scsi-hd,device_id=0123,serial=0123457", -EINVAL },
		{ "scsi-hd,serial=0123456", "scsi-hd,device_id=0123", -EINVAL },
		{ "scsi-hd,lun=0,serial=0123456", "scsi-hd,lun=1,device_id=0123,serial=0123456",
				-EINVAL },
		{ "scsi-hd", "scsi-hd,lun=0,device_id=0123,serial=0123456", -EINVAL },
		{ "scsi-hd,device_id=0123,serial=0123456", "scsi-hd,serial=0123456", -EINVAL },
		{ "other,serial=0123456", "other,device_id=0123,serial=0123456", -EINVAL },
	};
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct error err = {};
		CLEANUP(strv_done) struct strv argv = {};
		strv_push(&argv, table[i].is);
		const char *was = table[i].was;
		const struct saved_meta meta = { .argv = { &was, 1 } };
		CHECK_INT(saved_check_argv(&meta, &argv, &err), table[i].r);
	}
}

static void touch(const char *name)
{
	const struct timespec times[2] = { { 1000, 5 }, { 1000, 5 } };
	CHECK_INT(utimensat(AT_FDCWD, scratch_path(name), times, 0), 0);
}

TEST(other_disks_are_refused)
{
	struct fixture f;
	begin(&f);
	put_saved(&f, SAVED_WHOLE);
	touch("disk");
	CHECK_STR(start(&f, -EINVAL), "it was saved and cannot be resumed: 'DIR/disk' was written "
				      "to since the machine was saved" WAY_OUT);
	put_file("disk", "a longer disk");
	CHECK_STR(start(&f, -EINVAL), "it was saved and cannot be resumed: 'DIR/disk' has another "
				      "size since the machine was saved" WAY_OUT);
	CHECK_INT(state_of(&f), SAVED_WHOLE);
	end(&f);
}

/* One that was made with the old time, in one place. */
TEST(another_content_is_seen_at_the_beginning)
{
	struct fixture f;
	begin(&f);
	touch("disk");
	put_saved(&f, SAVED_WHOLE);
	put_file("disk", "a DISK");
	touch("disk");
	CHECK_STR(start(&f, -EINVAL), "it was saved and cannot be resumed: 'DIR/disk' has another "
				      "content since the machine was saved" WAY_OUT);
	put_file("disk", "a disk");
	touch("disk");
	CHECK_STR(start(&f, 1), WORDS);
	end(&f);
}

TEST(a_medium_that_changed_is_refused_and_firmware_is_not)
{
	struct fixture f;
	begin(&f);
	put_saved(&f, SAVED_WHOLE);
	put_file("code", "newer firmware");
	CHECK_STR(start(&f, 1), WORDS);
	touch("iso");
	CHECK_STR(start(&f, -EINVAL), "it was saved and cannot be resumed: 'DIR/iso' was written "
				      "to since the machine was saved" WAY_OUT);
	end(&f);
}

static char *device_digest(const char *path, off_t changed_at)
{
	CLEANUP(arena_done) struct arena arena = {};
	const struct plan_fd file = { .kind = PLAN_FD_FILE, .name = "disk.0", .path = path };
	struct saved_disk stamp = {};
	struct error err = {};
	CLEANUP(closep) int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (changed_at >= 0)
		CHECK_INT(pwrite(fd, "x", 1, changed_at), 1);
	is_block = true;
	CHECK_INT(saved_stamp(&file, false, &arena, &stamp, &err), 0);
	is_block = false;
	if (changed_at >= 0)
		CHECK_INT(pwrite(fd, "", 1, changed_at), 1);
	/* Nodes of devices have times that tell of no write. */
	CHECK(!stamp.changed);
	return xstrdup(stamp.digest);
}

TEST(of_a_block_device_the_beginning_the_end_and_samples_are_compared)
{
	enum { MIB = 1 << 20, SIZE = 512 * MIB + 4096, STEP = SIZE / 256 / 4096 * 4096 };
	static const struct {
		off_t at;
		bool seen;
	} table[] = {
		{ 0, true },
		{ 2 * MIB - 1, true },
		{ 2 * MIB + 4096, false },
		{ 2 * STEP + 4095, true },
		{ 2 * STEP + 4096, false },
		{ 255 * (off_t)STEP, true },
		{ 255 * (off_t)STEP + 4096, false },
		{ SIZE - 65536 - 1, false },
		{ SIZE - 65536, true },
		{ SIZE - 1, true },
	};
	scratch_begin();
	put_file("disk", "");
	CHECK_INT(truncate(scratch_path("disk"), SIZE), 0);
	CLEANUP(freep) char *path = xstrdup(scratch_path("disk"));
	CLEANUP(freep) char *before = device_digest(path, -1);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		CLEANUP(freep) char *after = device_digest(path, table[i].at);
		if (!!strcmp(before, after) != table[i].seen)
			TEST_FAIL("%jd is %s", (intmax_t)table[i].at,
					table[i].seen ? "not seen" : "seen");
	}
	scratch_end();
}

/* swtpm writes it anew when it gets what was saved: only its content counts, and all of it. */
TEST(a_tpm_that_changed_is_refused)
{
	static char state[128 << 10];
	struct fixture f;
	struct error err = {};
	begin(&f);
	CLEANUP(freep) char *data = xstrdup(scratch_path("tpm"));
	CLEANUP(freep) char *file = path_join(data, "state/tpm2-00.permall");
	make_directory("tpm/state");
	f.machine.tpm_data = data;
	CHECK_INT(file_replace(file, state, sizeof(state), 0600, &err), 0);
	put_saved(&f, SAVED_WHOLE);
	touch("tpm/state/tpm2-00.permall");
	CHECK_STR(start(&f, 1), WORDS);
	state[sizeof(state) - 1] = 1;
	CHECK_INT(file_replace(file, state, sizeof(state), 0600, &err), 0);
	CHECK_STR(start(&f, -EINVAL),
			"it was saved and cannot be resumed: 'DIR/tpm/state/tpm2-00.permall' has "
			"another content since the machine was saved" WAY_OUT);
	CHECK_INT(saved_move(f.dir, "web", SAVED_WHOLE, SAVED_RESUMING, &err), 0);
	CHECK_STR(start(&f, 0),
			"the saved state is not used: the guest had gone on from it, and "
			"'DIR/tpm/state/tpm2-00.permall' has another content since the machine "
			"was saved");
	end(&f);
}

/* The directory of a CD may be somebody else's. */
TEST(a_cd_that_was_exchanged_after_the_look_is_refused)
{
	scratch_begin();
	put_file("iso", "an image");
	put_file("secret", "a longer secret");
	CLEANUP(saved_meta_done) struct saved_meta meta = {};
	CLEANUP(freep) char *path = xstrdup(scratch_path("iso"));
	const struct saved_medium medium = { .drive = "cd.0", .path = path };
	const struct saved_medium other = { .drive = "cd.1", .path = path };
	const struct plan_fd file = { .kind = PLAN_FD_FILE, .name = "cd.0", .path = path };
	struct saved_disk disk;
	struct error err = {};
	CHECK_INT(saved_stamp(&file, true, &meta.arena, &disk, &err), 0);
	meta.disks = (struct jlist){ &disk, 1 };
	int good = open(path, O_RDONLY | O_CLOEXEC);
	CHECK_INT(saved_check_medium(&meta, &medium, good, &err), 0);
	CHECK_INT(saved_check_medium(&meta, &other, good, &err), -EINVAL);
	close(good);

	CHECK_INT(unlink(path), 0);
	CHECK_INT(symlink("secret", path), 0);
	int bad = open(path, O_RDONLY | O_CLOEXEC);
	CHECK_INT(saved_check_medium(&meta, &medium, bad, &err), -EINVAL);
	CHECK_STR(without_scratch(err.text),
			"'DIR/iso' has another size since the machine was saved");
	close(bad);
	scratch_end();
}

/* It is in a directory of swtpm's user, who may have been taken over. */
TEST(a_tpm_is_a_small_file_and_no_link)
{
	static const struct {
		const char *name;
		int expected;
	} table[] = {
		{ "good", 0 },
		{ "link", -ELOOP },
		{ "fifo", -EINVAL },
		{ "directory", -EINVAL },
		{ "large", -EINVAL },
	};
	scratch_begin();
	put_file("good", "state");
	put_file("large", "state");
	make_directory("directory");
	CHECK_INT(symlink("good", scratch_path("link")), 0);
	CHECK_INT(mkfifo(scratch_path("fifo"), 0600), 0);
	CHECK_INT(truncate(scratch_path("large"), (off_t)1 << 40), 0);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		CLEANUP(arena_done) struct arena arena = {};
		CLEANUP(freep) char *path = xstrdup(scratch_path(table[i].name));
		const struct plan_fd file = { .kind = PLAN_FD_STATE, .name = "tpm", .path = path };
		struct saved_disk stamp;
		struct error err = {};
		int r = saved_stamp(&file, true, &arena, &stamp, &err);
		if (r != table[i].expected)
			TEST_FAIL("%s: %d, '%s'", table[i].name, r, err.text);
	}
	scratch_end();
}

/* As diff compares a machine that runs. */
TEST(the_words_of_a_resumption_are_taken_off_again)
{
	static const char *const table[][2] = {
		{ "qemu -m 1 " WORDS, "qemu -m 1" },
		{ "qemu -m 1 -incoming defer", "qemu -m 1" },
		{ "qemu -m 1 -machine q35", "qemu -m 1 -machine q35" },
		{ "-machine q35", "-machine q35" },
		{ "qemu", "qemu" },
		{ "", "" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		CLEANUP(strv_done) struct strv argv = {};
		CLEANUP(buf_done) struct buf left = {};
		CLEANUP(freep) char *copy = xstrdup(table[i][0]);
		char *rest = copy;
		for (char *word; (word = strsep(&rest, " "));)
			if (*word)
				strv_push(&argv, word);
		restore_drop_words(&argv);
		for (size_t k = 0; k < argv.n; k++)
			buf_printf(&left, "%s%s", k ? " " : "", argv.items[k]);
		CHECK_STR(buf_text(&left), table[i][1]);
		CHECK(!argv.items || !argv.items[argv.n]);
	}
}

TEST(a_guest_that_went_on_is_not_resumed)
{
	struct fixture f;
	begin(&f);
	put_saved(&f, SAVED_RESUMING);
	CHECK_INT(state_of(&f), SAVED_RESUMING);
	touch("disk");
	CHECK_STR(start(&f, 0), "the saved state is not used: the guest had gone on from it, and "
				"'DIR/disk' was written to since the machine was saved");
	CHECK_INT(state_of(&f), SAVED_NONE);
	end(&f);
}

/* That it was about to run in this boot of the host. */
static void put_boot(void)
{
	CLEANUP(buf_done) struct buf boot = {};
	CHECK_INT(file_read("/proc/sys/kernel/random/boot_id", 64, &boot, NULL), 0);
	put_file("saved/.web.resuming/resumed-in", buf_text(&boot));
}

TEST(a_guest_that_did_not_get_to_it_is)
{
	struct fixture f;
	begin(&f);
	put_saved(&f, SAVED_RESUMING);
	put_boot();
	CHECK_STR(start(&f, 1), WORDS);
	CHECK_INT(state_of(&f), SAVED_WHOLE);
	end(&f);
}

/* A start that boots instead may fail in its last step. */
TEST(what_was_put_aside_counts_again_until_a_guest_has_run)
{
	struct fixture f;
	struct error err = {};
	begin(&f);
	CHECK_INT(restore_put_aside(&f.machine, &err), 0);
	CHECK_INT(state_of(&f), SAVED_NONE);
	/* Of a save that was killed. */
	put_saved(&f, SAVED_UNFINISHED);
	CHECK_INT(restore_put_aside(&f.machine, &err), 0);
	CHECK_INT(state_of(&f), SAVED_NONE);
	put_saved(&f, SAVED_WHOLE);
	CHECK_INT(restore_put_aside(&f.machine, &err), 0);
	CHECK_INT(state_of(&f), SAVED_RESUMING);
	CHECK_STR(start(&f, 1), WORDS);
	CHECK_INT(state_of(&f), SAVED_WHOLE);
	/* One that is so already tells in which boot that was. */
	CHECK_INT(restore_put_aside(&f.machine, &err), 0);
	put_file("saved/.web.resuming/resumed-in", "another boot\n");
	CHECK_INT(restore_put_aside(&f.machine, &err), 0);
	CHECK(strstr(start(&f, -EINVAL), "its disks do not tell"));
	put_boot();
	put_file("disk", "it was written to");
	CHECK_STR(start(&f, 0), "the saved state is not used: the guest had gone on from it, and "
				"'DIR/disk' has another size since the machine was saved");
	CHECK_INT(state_of(&f), SAVED_NONE);
	end(&f);
}

/* What it wrote may have been on the disk before the time of that. */
TEST(a_power_cut_leaves_no_telling_whether_a_guest_ran)
{
	static const char refusal[] =
			"it was saved and cannot be resumed: it was about to run when that broke "
			"off, and its disks do not tell whether it did, since the host may have "
			"gone down with it" WAY_OUT;
	struct fixture f;
	begin(&f);
	put_saved(&f, SAVED_RESUMING);
	put_file("saved/.web.resuming/resumed-in", "another boot\n");
	CHECK_STR(start(&f, -EINVAL), refusal);
	/* There was no room for it: nobody knows. */
	CHECK_INT(unlink(scratch_path("saved/.web.resuming/resumed-in")), 0);
	CHECK_STR(start(&f, -EINVAL), refusal);
	CHECK_INT(state_of(&f), SAVED_RESUMING);
	put_boot();
	CHECK_STR(start(&f, 1), WORDS);
	end(&f);
}

/* What such a guest wrote need not be where a stamp looks. */
TEST(block_devices_leave_no_telling_whether_a_guest_ran)
{
	static const char refusal[] =
			"it was saved and cannot be resumed: it was about to run when that broke "
			"off, and its volumes that are block devices do not tell whether it "
			"did" WAY_OUT;
	struct fixture f;
	begin_with(&f, device_rows);
	touch("iso");
	put_saved(&f, SAVED_RESUMING);
	put_boot();
	CHECK_STR(start(&f, -EINVAL), refusal);
	/* Nor does something else that is wrong, and is put right again. */
	put_file("iso", "an IMAGE");
	CHECK_STR(start(&f, -EINVAL), "it was saved and cannot be resumed: 'DIR/iso' was written "
				      "to since the machine was saved" WAY_OUT);
	put_file("iso", "an image");
	touch("iso");
	CHECK_STR(start(&f, -EINVAL), refusal);
	CHECK_INT(state_of(&f), SAVED_RESUMING);
	end(&f);
}

TEST(a_guest_that_writes_to_nothing_has_left_no_trace)
{
	static const char *const read_only[] = {
		"machine name=web user=machina-web run-dir=DIR/run/web socket-dir=DIR/sockets",
		"file name=disk.0 path=DIR/disk",
		"listen name=qmp.0 path=DIR/sockets/qmp",
		NULL,
	};
	struct fixture f;
	begin_with(&f, read_only);
	put_saved(&f, SAVED_RESUMING);
	CHECK_STR(start(&f, 1), WORDS);
	CHECK_INT(state_of(&f), SAVED_WHOLE);
	end(&f);
}

TEST(a_disk_of_another_place_is_refused)
{
	static const char *const moved[] = {
		"machine name=web user=machina-web run-dir=DIR/run/web socket-dir=DIR/sockets",
		"file name=disk.0 path=DIR/code writable=yes volume=root pool=disks",
		"file name=disk.1 path=DIR/iso",
		NULL,
	};
	static const enum saved_state states[] = { SAVED_WHOLE, SAVED_RESUMING };
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		struct fixture f;
		begin(&f);
		put_saved(&f, states[i]);
		plan_done(&f.plan);
		plan_of_rows(&f.plan, moved);
		CHECK_STR(start(&f, -EINVAL),
				"it was saved and cannot be resumed: 'DIR/code' is not the file "
				"that the machine had as 'disk.0'" WAY_OUT);
		CHECK_INT(state_of(&f), states[i]);
		end(&f);
	}
}

TEST(a_disk_that_is_missing_does_not_hide_the_way_out)
{
	static const enum saved_state states[] = { SAVED_WHOLE, SAVED_RESUMING };
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		struct fixture f;
		begin(&f);
		put_saved(&f, states[i]);
		CHECK_INT(unlink(scratch_path("disk")), 0);
		CHECK_STR(start(&f, -EINVAL), "it was saved and cannot be resumed: cannot open "
					      "'DIR/disk': No such file or directory" WAY_OUT);
		CHECK_INT(state_of(&f), states[i]);
		end(&f);
	}
}

TEST(half_a_state_is_none)
{
	struct fixture f;
	begin(&f);
	put_saved(&f, SAVED_UNFINISHED);
	CHECK_STR(start(&f, 0), "");
	CHECK_INT(state_of(&f), SAVED_NONE);
	put_saved(&f, SAVED_RESUMING);
	CHECK_INT(unlink(scratch_path("saved/.web.resuming/memory")), 0);
	CHECK_STR(start(&f, 0), "the saved state is not used: the guest had gone on from it, and "
				"its files are not complete");
	CHECK_INT(state_of(&f), SAVED_NONE);
	end(&f);
}

/* Whoever was about to let it run may not have got to it: then there is no other place of it. */
TEST(what_can_not_be_read_is_not_thrown_away)
{
	struct fixture f;
	begin(&f);
	put_saved(&f, SAVED_RESUMING);
	put_file("saved/.web.resuming/saved.json", "{ \"format\": 2 }");
	CHECK_STR(start(&f, -EINVAL),
			"it was saved and cannot be resumed: 'DIR/saved/.web.resuming/saved.json' "
			"is of a newer version of this program" WAY_OUT);
	CHECK_INT(state_of(&f), SAVED_RESUMING);
	end(&f);
}

TEST(what_is_damaged_is_refused)
{
	static const struct {
		const char *text, *expected;
	} bad[] = {
		{ "", "'DIR/saved/web/saved.json' is damaged: " },
		{ "[]", "'DIR/saved/web/saved.json' is damaged: " },
		{ "{}", "'DIR/saved/web/saved.json' is damaged: " },
		{ "{ \"format\": 1, \"disks\": [ {} ] }", "is damaged: " },
		{ "{ \"format\": 1, \"argv\": [ 1 ] }", "is damaged: " },
		{ "{ \"format\": 2, \"later\": true }", "is of a newer version of this program" },
	};
	struct fixture f;
	begin(&f);
	put_saved(&f, SAVED_WHOLE);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		put_file("saved/web/saved.json", bad[i].text);
		const char *text = start(&f, -EINVAL);
		if (!strstr(text, bad[i].expected) || !strstr(text, WAY_OUT))
			TEST_FAIL("%s: got: %s", bad[i].text, text);
		CHECK_INT(state_of(&f), SAVED_WHOLE);
	}
	end(&f);
}

TEST_MAIN()
