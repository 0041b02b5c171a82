/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Saving a machine, against a QEMU that fails where it is told to. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/machine/save.h"
#include "host/machine/saved-meta.h"
#include "host/os/clock.h"
#include "peer.h"
#include "pidfd.h"
#include "plan-rows.h"
#include "scratch.h"
#include "test.h"
#include "util/file.h"
#include "util/mem.h"

/* ---- a QEMU ---- */

struct fake {
	const char *state;   /* NULL: "running" */
	const char *status;  /* of the migration; NULL: "none" */
	const char *blocked; /* why it can't be migrated; NULL: it can */
	const char *device;  /* plugged in later; NULL: none */
	bool lacks_nic;	     /* it was unplugged */
	bool no_tpm;	     /* swtpm has ended */
	bool loses_tpm;	     /* while it is saved */
	const char *qdev;    /* how QEMU calls the drive; NULL: by its id */
	const char *node;    /* in the drive; NULL: that of the arguments */
	bool has_tray;	     /* of the drive, a CD's */
	const char *medium;  /* in the scratch directory: what was put in; NULL: nothing told */
	const char *file;    /* there, too: what it has open; NULL: what was put in */
	int flags;	     /* of open(2) for that */
	bool is_hidden;	     /* its process is not known */
	const char *type;    /* of the machine; NULL: a good one */
	bool fails;	     /* the migration does */
	bool resumes;	     /* somebody lets the guest run in the middle of it */
	bool resumes_late;   /* when all of it has its place */
	bool refuses_cont;
	bool dies;     /* when it is to write */
	bool leaves;   /* by itself, as soon as all is saved */
	int busy;      /* for so many looks it finishes after "completed" */
	uint64_t used; /* of the host's memory, in bytes */
	bool no_disk;  /* it can't be read any more */
	/* A file that can't be brought to its disk, by the end of its path. */
	const char *bad_sync;
	off_t memory;	/* bytes of its file: one is written in each PIECE */
	bool is_hollow; /* only the first one is */
	/* MiB that the file system has left at the first look and later; 0: no end of it */
	unsigned left, left_later;
};

/* For "left": none. */
#define FULL UINT32_MAX

/* What is brought to the disk at once. */
#define PIECE ((off_t)64 << 20)

static struct fake fake;
static int log_pipe[2];
static unsigned n_looks;

/* In place of the C library's. */
int statvfs(const char *path, struct statvfs *ret)
{
	const unsigned left = n_looks++ ? fake.left_later : fake.left;
	(void)path;
	*ret = (struct statvfs){ .f_frsize = 1 << 20, .f_bavail = left ? left : 1 << 20 };
	if (left == FULL)
		ret->f_bavail = 0;
	return 0;
}

/* Likewise. */
int fsync(int fd)
{
	char link[32], path[PATH_MAX] = "";
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	const ssize_t n = readlink(link, path, sizeof(path) - 1);
	const size_t len = fake.bad_sync ? strlen(fake.bad_sync) : 0;
	if (len && n > (ssize_t)len && !strcmp(path + n - len, fake.bad_sync)) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fsync, fd);
}

static void reply(int fd, const char *id, const char *key, const char *value)
{
	CLEANUP(freep) char *line = xasprintf("{\"id\": \"%s\", \"%s\": %s}\r\n", id, key, value);
	say(fd, line);
}

static char *answer(const char *command)
{
	if (!strcmp(command, "query-status") && !strcmp(fake.state, "finish-migrate") &&
			fake.busy-- == 0)
		fake.state = "postmigrate";
	if (!strcmp(command, "query-status"))
		return xasprintf("{\"status\": \"%s\"}", fake.state);
	if (!strcmp(command, "query-migrate"))
		return xasprintf("{\"status\": \"%s\", \"error-desc\": \"no luck\"%s%s%s}",
				fake.status, fake.blocked ? ", \"blocked-reasons\": [\"" : "",
				fake.blocked ? fake.blocked : "", fake.blocked ? "\"]" : "");
	if (!strcmp(command, "query-memory-size-summary"))
		return xasprintf("{\"base-memory\": %s}", fake.used ? "1099511627776" : "4096");
	if (!strcmp(command, "qom-get"))
		return xasprintf("\"%s-machine\"", fake.type ? fake.type : "pc-q35-7.2");
	if (!strcmp(command, "qom-list"))
		return xasprintf("[{\"name\": \"%s\", \"type\": \"child<virtio-net-pci>\"}, "
				 "{\"name\": \"cd.0\", \"type\": \"child<ide-cd>\"}, "
				 "{\"name\": \"%s\", \"type\": \"%s\"}]",
				fake.lacks_nic ? "cd.0" : "nic.0",
				fake.device ? fake.device : "type",
				fake.device ? "child<virtio-rng-pci>" : "string");
	if (!strcmp(command, "query-chardev"))
		return xasprintf("[{\"label\": \"qmp.0\", \"filename\": \"disconnected:unix:\"}, "
				 "{\"label\": \"tpm.0.socket\", \"filename\": \"%sunix:\"}]",
				fake.no_tpm ? "disconnected:" : "");
	if (!strcmp(command, "query-block"))
		return xasprintf("[{\"qdev\": \"%s\"%s%s%s%s}]", fake.qdev ? fake.qdev : "cd.0",
				fake.has_tray ? ", \"tray_open\": true" : "",
				fake.node[0] ? ", \"inserted\": {\"file\": \"/dev/fdset/7\", "
					       "\"node-name\": \""
					     : "",
				fake.node, fake.node[0] ? "\"}" : "");
	if (!strcmp(command, "query-fdsets"))
		return xasprintf("[{\"fdset-id\": 1, \"fds\": [{\"fd\": 9, \"opaque\": "
				 "\"disk.0\"}]}, {\"fdset-id\": 7, \"fds\": [{\"fd\": 10%s%s%s}]}]",
				fake.medium ? ", \"opaque\": \"" : "",
				fake.medium ? scratch_path(fake.medium) : "",
				fake.medium ? "\"" : "");
	return xstrdup("{}");
}

static void write_memory(void)
{
	CLEANUP(closep)
	int fd = open(scratch_path("saved/.web.saving/memory"), O_WRONLY | O_CLOEXEC);
	if (ftruncate(fd, fake.memory) < 0)
		_exit(9);
	for (off_t at = 0; at < (fake.is_hollow ? 1 : fake.memory); at += PIECE)
		if (pwrite(fd, "x", 1, at) != 1)
			_exit(9);
}

static void act(int fd, const char *command)
{
	if (!strcmp(command, "stop"))
		fake.state = "paused";
	if (!strcmp(command, "cont"))
		fake.state = "running";
	if (!strcmp(command, "migrate_cancel"))
		fake.status = "cancelled";
	if (strcmp(command, "migrate") != 0)
		return;
	fake.no_tpm |= fake.loses_tpm;
	if (fake.memory)
		write_memory();
	fake.status = fake.fails ? "failed" : fake.resumes ? "active" : "completed";
	if (!fake.fails && !fake.resumes)
		fake.state = fake.busy ? "finish-migrate" : "postmigrate";
	if (!fake.resumes)
		return;
	fake.state = "running";
	say(fd, "{\"event\": \"RESUME\"}\r\n");
}

/* What changes something is logged. */
static void be_qemu(int fd)
{
	static const char *const logged[] = { "stop", "cont", "migrate", "migrate_cancel", "quit" };
	char command[64], id[64];
	const char *file = fake.file ? fake.file : fake.medium;
	if (file && open(scratch_path(file), fake.flags | O_CLOEXEC) < 0 && errno != ENOENT)
		_exit(8);
	say(fd, "{\"QMP\": {\"version\": {\"qemu\": {\"major\": 7, \"minor\": 2, \"micro\": 1}, "
		"\"package\": \"\"}, \"capabilities\": []}}\r\n");
	for (;;) {
		const char *line = hear(fd), *at = strstr(line, "\"id\":");
		if (sscanf(line, "{\"execute\":\"%63[^\"]", command) != 1 || !at ||
				sscanf(at, "\"id\":\"%63[^\"]", id) != 1)
			return;
		for (size_t i = 0; i < ARRAY_SIZE(logged); i++)
			if (!strcmp(command, logged[i]))
				dprintf(log_pipe[1], "%s ", command);
		if (!strcmp(command, "cont") && fake.refuses_cont) {
			reply(fd, id, "error",
					"{\"class\": \"GenericError\", \"desc\": \"never\"}");
			continue;
		}
		if ((fake.dies && !strcmp(command, "migrate")) ||
				(fake.leaves && mode_at("saved/web")))
			return;
		if (fake.resumes_late && mode_at("saved/web"))
			fake.state = "running";
		act(fd, command);
		CLEANUP(freep) char *value = answer(command);
		reply(fd, id, "return", value);
		if (!strcmp(command, "quit"))
			return;
	}
}

/* ---- one save ---- */

static const char *const rows[] = {
	"machine name=web user=machina-web run-dir=DIR/run/web socket-dir=DIR/sockets",
	"file name=disk.0 path=DIR/disk writable=yes volume=root pool=disks",
	"connect name=share.0 path=DIR/run/web/share/docs",
	"connect name=share.1 path=DIR/run/web/share/work",
	NULL,
};
static const char *const words[] = { "/usr/bin/qemu", "-blockdev", "driver=file,node-name=iso",
	"-device", "virtio-net-pci,id=nic.0", "-device", "ide-cd,id=cd.0,drive=iso" };

static void put_earlier(const char *dir, enum saved_state state, bool was_running)
{
	CLEANUP(freep) char *path = saved_path(dir, "web", state);
	struct saved_meta meta = { .was_running = was_running };
	struct error err = {};
	CHECK_INT(mkdir_all(path, 0700, &err), 0);
	CHECK_INT(saved_meta_write(path, &meta, &err), 0);
}

struct row {
	const char *name;
	struct fake fake;
	enum saved_state earlier;
	bool ran_before;
	int expected;
	unsigned n_told;     /* how often what was done is told, 0: however often */
	unsigned n_patience; /* then it is called off; 0: never */
	const char *text;    /* a part of the error */
	const char *log;
	enum saved_state after;
};

static unsigned n_told;

static void count(void *data, uint64_t done, uint64_t total)
{
	const struct row *row = data;
	if (!row->fake.memory)
		return;
	CHECK(done < total && total == (uint64_t)row->fake.memory);
	n_told++;
}

static bool has_enough(void *data)
{
	const struct row *row = data;
	return row->n_patience && n_told >= row->n_patience;
}

static void check_meta(const char *dir, bool was_running)
{
	CLEANUP(freep) char *path = saved_path(dir, "web", SAVED_WHOLE);
	CLEANUP(saved_meta_done) struct saved_meta meta = {};
	struct error err = {};
	CHECK_INT(saved_meta_read(path, &meta, &err), 0);
	CHECK_INT(meta.was_running, was_running);
	CHECK_STR(meta.machine_type, "pc-q35-7.2");
	CHECK_STR(meta.qemu_version, "7.2.1");
	CHECK_INT(meta.argv.n, ARRAY_SIZE(words));
	CHECK_INT(meta.disks.n, fake.medium ? 2 : 1);
	CHECK_INT(meta.media.n, fake.has_tray);
	const struct saved_medium *media = meta.media.items;
	if (meta.media.n)
		CHECK_STR(without_scratch(media[0].path), fake.medium ? "DIR/other.iso" : "");
	CHECK_INT(mode_at("saved/web") & 07777, 0700);
	CHECK_INT(mode_at("saved/web/memory") & 07777, 0600);
}

static void try_row(const struct row *row, bool let_run)
{
	/* What a QEMU has open is looked at by its process. The other rows are tried. */
	if (row->fake.medium && !have_pidfd())
		SKIP("of CDs: pidfd_open(2) is missing");
	CLEANUP(plan_done) struct plan plan = {};
	CLEANUP(strv_done) struct strv argv = {};
	CLEANUP(qmp_freep) struct qmp *qmp = NULL;
	struct error err = {};
	char log[256] = "";
	scratch_begin();
	if (!row->fake.no_disk)
		put_file("disk", "a disk");
	put_file("other.iso", "a CD");
	plan_of_rows(&plan, rows);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		strv_push(&argv, words[i]);
	CLEANUP(freep) char *dir = xstrdup(scratch_path("saved"));
	if (row->earlier != SAVED_NONE)
		put_earlier(dir, row->earlier, row->ran_before);
	fake = row->fake;
	fake.state = fake.state ? fake.state : "running";
	fake.status = fake.status ? fake.status : "none";
	fake.node = fake.node ? fake.node : "iso";
	CHECK_INT(pipe2(log_pipe, O_CLOEXEC), 0);
	struct peer peer = peer_start(be_qemu);
	close(log_pipe[1]);
	CHECK_INT(qmp_attach_take(peer.fd, "qemu", -1, clock_deadline_usec(20 * USEC_PER_SEC), &qmp,
				  &err),
			QMP_DONE);
	struct row own = *row;
	const struct save_request request = {
		.machine = { dir, &plan, &argv },
		.qmp = qmp,
		.main_pid = row->fake.is_hidden ? 0 : peer.pid,
		.used_bytes = row->fake.used,
		.watch = { count, has_enough, &own },
	};
	n_told = n_looks = 0;
	int r = let_run ? save_let_run(dir, "web", qmp, &err) : save_run(&request, &err);
	enum saved_state after = saved_look(dir, "web");
	if (r == 0 && !let_run && row->earlier != SAVED_WHOLE)
		check_meta(dir, !row->fake.state || row->ran_before);
	qmp_free(take_ptr(qmp));
	if (row->n_told)
		CHECK_INT(n_told, row->n_told);
	CHECK_INT(peer_finish(peer.pid), 0);
	(void)!read(log_pipe[0], log, sizeof(log) - 1);
	close(log_pipe[0]);
	if (r != row->expected || strcmp(log, row->log) != 0 || after != row->after ||
			(row->text && !strstr(err.text, row->text)))
		TEST_FAIL("%s: got %d, '%s', state %d, after '%s'", row->name, r, err.text,
				(int)after, log);
	scratch_end();
}

TEST(a_machine_is_saved)
{
	static const struct row table[] = {
		{ "running", .log = "stop migrate quit ", .after = SAVED_WHOLE },
		{ "paused", { .state = "paused" }, .log = "migrate quit ", .after = SAVED_WHOLE },
		{ "one that an earlier save has stopped", { .state = "paused" }, SAVED_UNFINISHED,
				true, .log = "cont stop migrate quit ", .after = SAVED_WHOLE },
		{ "one at which it has broken off", { .state = "postmigrate" }, SAVED_UNFINISHED,
				true, .log = "cont stop migrate quit ", .after = SAVED_WHOLE },
		{ "the same that was paused", { .state = "postmigrate" }, SAVED_UNFINISHED, false,
				.log = "cont stop migrate quit ", .after = SAVED_WHOLE },
		{ "while an earlier migration is under way",
				{ .state = "paused", .status = "active" }, SAVED_UNFINISHED, true,
				.log = "migrate_cancel cont stop migrate quit ",
				.after = SAVED_WHOLE },
		{ "a large one, whose way to the disk takes its time", { .memory = 200 << 20 },
				.n_told = 4, .log = "stop migrate quit ", .after = SAVED_WHOLE },
		{ "one that has made a file of holes, for nothing",
				{ .memory = (off_t)1 << 43, .is_hollow = true }, .n_told = 1,
				.log = "stop migrate quit ", .after = SAVED_WHOLE },
		{ "with a CD that was taken out", { .node = "", .has_tray = true },
				.log = "stop migrate quit ", .after = SAVED_WHOLE },
		{ "with another CD",
				{ .node = "medium.7", .has_tray = true, .medium = "other.iso" },
				.log = "stop migrate quit ", .after = SAVED_WHOLE },
		{ "where QEMU tells more of the drive",
				{ .node = "",
						.has_tray = true,
						.qdev = "/machine/peripheral/cd.0/backend" },
				.log = "stop migrate quit ", .after = SAVED_WHOLE },
		{ "with an image of QEMU's own", { .node = "#block7" }, .log = "stop migrate quit ",
				.after = SAVED_WHOLE },
		{ "one that ends before it is told to", { .leaves = true }, .log = "stop migrate ",
				.after = SAVED_WHOLE },
		{ "one that waits for room on its disk", { .state = "io-error" },
				.ran_before = true, .log = "stop migrate quit ",
				.after = SAVED_WHOLE },
		{ "one that somebody has let run after it was saved", { .state = "running" },
				SAVED_WHOLE, .log = "stop migrate quit ", .after = SAVED_WHOLE },
		{ "one that has just been resumed", {}, SAVED_RESUMING, .log = "stop migrate quit ",
				.after = SAVED_WHOLE },
		{ "with just enough room", { .left = 65 }, .log = "stop migrate quit ",
				.after = SAVED_WHOLE },
		{ "one that has used little of its memory", { .left = 65, .used = 4096 },
				.log = "stop migrate quit ", .after = SAVED_WHOLE },
		{ "one that takes a moment to finish", { .busy = 3 }, .log = "stop migrate quit ",
				.after = SAVED_WHOLE },
		{ "one that only has to quit", { .state = "postmigrate" }, SAVED_WHOLE,
				.log = "quit ", .after = SAVED_WHOLE },
	};
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		try_row(&table[i], false);
}

TEST(what_fails_leaves_the_guest_as_it_was)
{
	static const struct row table[] = {
		{ "a migration that fails", { .fails = true }, .expected = -EREMOTEIO,
				.text = "QEMU's migration has failed: no luck",
				.log = "stop migrate cont " },
		{ "of a guest that was paused", { .state = "paused", .fails = true },
				.expected = -EREMOTEIO, .log = "migrate " },
		{ "a TPM that ends meanwhile", { .fails = true, .loses_tpm = true },
				.expected = -ENOTSUP, .text = "its TPM (swtpm) has ended",
				.log = "stop migrate cont " },
		{ "a type of machine that would be more than one argument",
				{ .type = "q35,memory-encryption=x -device y" },
				.expected = -EPROTO,
				.text = "QEMU's type of machine is 'q35,memory", .log = "" },
		{ "somebody else", { .resumes = true }, .expected = -ECANCELED,
				.text = "somebody has let the guest run on",
				.log = "stop migrate migrate_cancel " },
		{ "somebody else, at the last moment", { .resumes_late = true },
				.expected = -ECANCELED, .text = "somebody has let the guest run on",
				.log = "stop migrate " },
		{ "who loses patience at the end", { .memory = 200 << 20 }, .n_patience = 2,
				.expected = -ECANCELED, .n_told = 2, .text = "called off",
				.log = "stop migrate cont " },
		{ "the same of a guest that was paused", { .state = "paused", .memory = 200 << 20 },
				.n_patience = 2, .expected = -ECANCELED, .n_told = 2,
				.log = "migrate cont stop " },
		{ "a disk that is full meanwhile",
				{ .fails = true, .memory = 1 << 20, .left_later = FULL },
				.expected = -ENOSPC,
				.text = "is full: 1 MiB were written, and its memory may need 64; "
					"the guest goes on (QEMU's migration has failed: no luck)",
				.log = "stop migrate cont " },
		{ "another reason where little is left",
				{ .fails = true, .memory = 1 << 20, .left_later = 1 },
				.expected = -EREMOTEIO, .text = "no luck",
				.log = "stop migrate cont " },
		{ "a memory that may not last", { .bad_sync = "/memory" }, .expected = -EIO,
				.text = "cannot write 'memory' to its disk",
				.log = "stop migrate cont " },
		{ "a disk that may not last", { .bad_sync = "/disk" }, .expected = -EIO,
				.text = "/disk' to its disk", .log = "stop migrate cont " },
		{ "a disk that is known to nobody", { .no_disk = true }, .expected = -ENOENT,
				.text = "cannot open '", .log = "stop migrate cont " },
		{ "a QEMU that ends", { .dies = true }, .expected = -ECONNRESET,
				.text = "its QEMU has ended while it was being saved: nothing is "
					"saved",
				.log = "stop migrate ", .after = SAVED_UNFINISHED },
		{ "one that does not go on", { .fails = true, .refuses_cont = true },
				.expected = -EREMOTEIO, .text = "not undone: ",
				.log = "stop migrate cont ", .after = SAVED_UNFINISHED },
	};
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		try_row(&table[i], false);
}

TEST(what_cannot_be_saved_is_not_stopped)
{
	static const struct row table[] = {
		{ "blocked", { .blocked = "vfio is in the way" }, .expected = -ENOTSUP,
				.text = "QEMU cannot save it: vfio is in the way", .log = "" },
		{ "shares",
				{ .blocked = "State blocked by non-migratable device "
					     "'0000:00:02.1:00.0/vhost-user-fs'" },
				.expected = -ENOTSUP,
				.text = "its shared directories are in the way ('docs', 'work'): "
					"QEMU cannot save it: State blocked",
				.log = "" },
		{ "plugged in", { .device = "late" }, .expected = -ENOTSUP,
				.text = "device 'late' was plugged in after its start", .log = "" },
		{ "unplugged", { .lacks_nic = true }, .expected = -ENOTSUP,
				.text = "device 'nic.0' was unplugged after its start", .log = "" },
		{ "another medium", { .node = "other" }, .expected = -ENOTSUP,
				.text = "'cd.0' has another medium", .log = "" },
		{ "no medium", { .node = "" }, .expected = -ENOTSUP,
				.text = "the medium in 'cd.0' was taken out", .log = "" },
		{ "a CD of somebody else", { .node = "other", .has_tray = true },
				.expected = -ENOTSUP, .text = "'machina eject' takes it out",
				.log = "" },
		{ "a CD that is not there any more",
				{ .node = "medium.7", .has_tray = true, .medium = "gone.iso" },
				.expected = -ENOENT, .text = "a start could not put '", .log = "" },
		{ "a CD that it only claims to have",
				{ .node = "medium.7",
						.has_tray = true,
						.medium = "other.iso",
						.file = "disk" },
				.expected = -ENOTSUP, .text = "and has no such file open",
				.log = "" },
		{ "a CD that it may not read",
				{ .node = "medium.7",
						.has_tray = true,
						.medium = "other.iso",
						.flags = O_PATH },
				.expected = -ENOTSUP, .text = "and has no such file open",
				.log = "" },
		{ "a CD that it may only write to",
				{ .node = "medium.7",
						.has_tray = true,
						.medium = "other.iso",
						.flags = O_WRONLY },
				.expected = -ENOTSUP, .text = "and has no such file open",
				.log = "" },
		{ "a CD of a process that is not known",
				{ .node = "medium.7",
						.has_tray = true,
						.medium = "other.iso",
						.is_hidden = true },
				.expected = -ESRCH, .text = "what is in 'cd.0' is not known",
				.log = "" },
		{ "no room", { .left = 64 }, .expected = -ENOSPC,
				.text = "there are 64 MiB left for '", .log = "" },
		{ "no room for what it has used", { .left = 65, .used = 2 << 20 },
				.expected = -ENOSPC, .text = "and its memory may need 66",
				.log = "" },
		{ "one that is to come from what was saved", { .state = "inmigrate" }, SAVED_WHOLE,
				.expected = -ENOTSUP, .log = "", .after = SAVED_WHOLE },
		{ "the same, a moment later", { .state = "inmigrate" }, SAVED_RESUMING,
				.expected = -ENOTSUP, .log = "", .after = SAVED_RESUMING },
		{ "no TPM", { .no_tpm = true }, .expected = -ENOTSUP,
				.text = "its TPM (swtpm) has ended", .log = "" },
		{ "never started", { .state = "prelaunch" }, .expected = -ENOTSUP,
				.text = "the guest was never started", .log = "" },
		{ "panicked", { .state = "guest-panicked" }, .expected = -ENOTSUP,
				.text = "the guest has panicked", .log = "" },
		{ "asleep", { .state = "suspended" }, .expected = -ENOTSUP,
				.text = "the guest sleeps", .log = "" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		try_row(&table[i], false);
}

TEST(whoever_lets_it_run_gives_up_what_was_saved)
{
	static const struct row table[] = {
		{ "never saved", { .state = "paused" }, .log = "cont " },
		{ "broken off", { .state = "paused", .status = "active" }, SAVED_UNFINISHED, true,
				.log = "migrate_cancel cont " },
		{ "saved, but for the end", { .state = "postmigrate" }, SAVED_WHOLE,
				.log = "cont " },
		{ "it cannot", { .state = "postmigrate", .refuses_cont = true }, SAVED_WHOLE,
				.expected = -EREMOTEIO, .text = "never", .log = "cont ",
				.after = SAVED_UNFINISHED },
		{ "one that would be there twice after a power cut",
				{ .state = "postmigrate", .bad_sync = "/saved" }, SAVED_WHOLE,
				.expected = -EIO, .text = "/saved' last", .log = "",
				.after = SAVED_UNFINISHED },
		{ "saved, as somebody has seen to", { .state = "paused" }, SAVED_WHOLE,
				.log = "cont " },
		{ "one that is yet to be read", { .state = "inmigrate" }, SAVED_WHOLE,
				.expected = -EBUSY, .text = "about to be resumed", .log = "",
				.after = SAVED_WHOLE },
	};
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		try_row(&table[i], true);
}

TEST_MAIN()
