/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Letting go on what was saved, in QEMUs that are in one state or another. */
#include "host/machine/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "host/machine/saved-meta.h"
#include "host/os/clock.h"
#include "peer.h"
#include "plan-rows.h"
#include "scratch.h"
#include "test.h"
#include "util/file.h"
#include "util/mem.h"

/* ---- a QEMU ---- */

struct fake {
	const char *state;   /* NULL: "inmigrate" */
	const char *version; /* the members of its greeting; NULL: 7.2.1 */
	bool fails;	     /* to read the guest */
	bool dies;	     /* when it is to read it */
	bool refuses_cont;
};

/* Not of a function: the child would lose what is its caller's. */
static struct fake fake;
static int log_pipe[2];
static char *dir;

/* What changes something is logged. Returns whether QEMU goes on. */
static bool obey(int fd, const char *line, const char *command, const char *id)
{
	static const char *status = "none";
	const bool reads = !strcmp(command, "migrate-incoming"), runs = !strcmp(command, "cont");
	if (strstr(line, "late-block-activate"))
		dprintf(log_pipe[1], "late ");
	if (reads || runs)
		dprintf(log_pipe[1], "%s ", command);
	if (reads)
		status = fake.fails ? "failed" : "completed";
	CLEANUP(freep) char *answer = NULL;
	if (runs && fake.refuses_cont)
		answer = xasprintf("{\"id\": \"%s\", \"error\": {\"class\": \"GenericError\", "
				   "\"desc\": \"never\"}}\r\n",
				id);
	else
		answer = xasprintf("{\"id\": \"%s\", \"return\": {\"status\": \"%s\", "
				   "\"fdset-id\": 1}}\r\n",
				id, !strcmp(command, "query-status") ? fake.state : status);
	if (reads && fake.dies)
		return false;
	say(fd, answer);
	return true;
}

static void be_qemu(int fd)
{
	char command[64], id[64];
	CLEANUP(freep)
	char *greeting = xasprintf("{\"QMP\": {\"version\": {\"qemu\": {%s}, \"package\": \"\"}, "
				   "\"capabilities\": []}}\r\n",
			fake.version);
	say(fd, greeting);
	for (;;) {
		const char *line = hear(fd), *at = strstr(line, "\"id\":");
		if (sscanf(line, "{\"execute\":\"%63[^\"]", command) != 1 || !at ||
				sscanf(at, "\"id\":\"%63[^\"]", id) != 1 ||
				!obey(fd, line, command, id))
			return;
	}
}

/* ---- one machine ---- */

static const char *const rows[] = {
	"machine name=web user=machina-web run-dir=DIR/run/web socket-dir=DIR/sockets",
	"file name=disk.0 path=DIR/disk writable=yes volume=root pool=disks",
	NULL,
};

static void put_saved(enum saved_state state, bool was_running)
{
	CLEANUP(freep) char *path = saved_path(dir, "web", state);
	CLEANUP(freep) char *memory = path_join(path, SAVED_MEMORY);
	const struct saved_meta meta = { .was_running = was_running, .qemu_version = "7.2.1" };
	struct error err = {};
	CHECK_INT(mkdir_all(path, 0700, &err), 0);
	CHECK_INT(saved_meta_write(path, &meta, &err), 0);
	CHECK_INT(file_replace(memory, "memory", 6, 0600, &err), 0);
}

struct row {
	const char *name;
	struct fake fake;
	enum saved_state saved;
	bool was_paused;
	int expected;
	const char *text; /* a part of the error */
	const char *log;
	enum saved_state after;
};

typedef int resumer(const struct saved_machine *machine, struct qmp *qmp, struct error *err);

static void try_row(const struct row *row, resumer *resume)
{
	CLEANUP(plan_done) struct plan plan = {};
	struct qmp *qmp = NULL;
	struct error err = {};
	char log[256] = "";
	scratch_begin();
	plan_of_rows(&plan, rows);
	dir = xstrdup(scratch_path("saved"));
	if (row->saved != SAVED_NONE)
		put_saved(row->saved, !row->was_paused);
	fake = row->fake;
	fake.state = fake.state ? fake.state : "inmigrate";
	fake.version = fake.version ? fake.version : "\"major\": 7, \"minor\": 2, \"micro\": 1";
	CHECK_INT(pipe2(log_pipe, O_CLOEXEC), 0);
	struct peer peer = peer_start(be_qemu);
	close(log_pipe[1]);
	CHECK_INT(qmp_attach_take(peer.fd, "qemu", -1, clock_deadline_usec(20 * USEC_PER_SEC), &qmp,
				  &err),
			QMP_DONE);
	const struct saved_machine machine = { .dir = dir, .plan = &plan };
	int r = resume(&machine, qmp, &err);
	qmp_free(qmp);
	CHECK_INT(peer_finish(peer.pid), 0);
	(void)!read(log_pipe[0], log, sizeof(log) - 1);
	close(log_pipe[0]);
	enum saved_state after = saved_look(dir, "web");
	if (r != row->expected || strcmp(log, row->log ? row->log : "") != 0 ||
			after != row->after || (row->text && !strstr(err.text, row->text)))
		TEST_FAIL("%s: got %d, '%s', state %d, after '%s'", row->name, r, err.text,
				(int)after, log);
	/* Or else the next start could not know whether a power cut came in between. */
	if (row->saved == SAVED_WHOLE && after == SAVED_RESUMING) {
		CLEANUP(buf_done) struct buf boot = {};
		CHECK_INT(file_read("/proc/sys/kernel/random/boot_id", 64, &boot, &err), 0);
		check_file("saved/.web.resuming/resumed-in", buf_text(&boot));
	}
	freep(&dir);
	scratch_end();
}

static int run(const struct saved_machine *machine, struct qmp *qmp, struct error *err)
{
	return restore_run(machine, qmp, &(struct migration_watch){}, err);
}

TEST(a_qemu_that_waits_for_its_guest_gets_it)
{
	static const struct row table[] = {
		{ "one that ran", .saved = SAVED_WHOLE, .log = "late migrate-incoming cont ",
				.after = SAVED_RESUMING },
		{ "one that was paused", .saved = SAVED_WHOLE, .was_paused = true,
				.log = "migrate-incoming ", .after = SAVED_RESUMING },
		{ "in a newer QEMU", { .version = "\"major\": 10, \"minor\": 0, \"micro\": 0" },
				SAVED_WHOLE, .log = "late migrate-incoming cont ",
				.after = SAVED_RESUMING },
		{ "in one that does not wait", { .state = "running" }, SAVED_WHOLE, .expected = 1,
				.after = SAVED_WHOLE },
		{ "where none was saved", .expected = 1 },
		{ "where another has got it already", .saved = SAVED_RESUMING, .expected = 1,
				.after = SAVED_RESUMING },
	};
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		try_row(&table[i], run);
}

/* Until QEMU has read all of it the next start can do so. */
TEST(a_guest_that_does_not_come_in_stays_saved)
{
	static const struct row table[] = {
		{ "an older QEMU", { .version = "\"major\": 7, \"minor\": 2, \"micro\": 0" },
				SAVED_WHOLE, .expected = -EINVAL,
				.text = "it was saved by QEMU 7.2.1, and this one is older: 7.2.0",
				.after = SAVED_WHOLE },
		{ "one of an older series",
				{ .version = "\"major\": 6, \"minor\": 3, \"micro\": 2" },
				SAVED_WHOLE, .expected = -EINVAL, .text = "older: 6.3.2",
				.after = SAVED_WHOLE },
		{ "one that cannot read it", { .fails = true }, SAVED_WHOLE, .expected = -EREMOTEIO,
				.log = "late migrate-incoming ", .after = SAVED_WHOLE },
		{ "one that ends", { .dies = true }, SAVED_WHOLE, .expected = -ECONNRESET,
				.text = "/saved/web/memory', and has ended",
				.log = "late migrate-incoming ", .after = SAVED_WHOLE },
		{ "one that has read it and does not go on", { .refuses_cont = true }, SAVED_WHOLE,
				.expected = -EREMOTEIO, .text = "was read, but does not go on",
				.log = "late migrate-incoming cont ", .after = SAVED_RESUMING },
	};
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		try_row(&table[i], run);
}

static int disown(const struct saved_machine *machine, struct qmp *qmp, struct error *err)
{
	return restore_disown(machine->dir, machine->plan->machine, qmp, err);
}

/* In any other state of QEMU what was saved may be all that there is of the guest. */
TEST(only_of_a_guest_that_runs_what_was_saved_is_thrown_away)
{
	static const struct row table[] = {
		{ "runs", { .state = "running" }, SAVED_WHOLE },
		{ "stands still", { .state = "postmigrate" }, SAVED_WHOLE, .after = SAVED_WHOLE },
		{ "is paused", { .state = "paused" }, SAVED_WHOLE, .after = SAVED_WHOLE },
		{ "is to come", { .state = "inmigrate" }, SAVED_WHOLE, .after = SAVED_WHOLE },
		{ "was let run", { .state = "running" }, SAVED_RESUMING, .after = SAVED_RESUMING },
		{ "never saved", { .state = "running" } },
	};
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		try_row(&table[i], disown);
}

TEST(a_resumption_that_is_over_leaves_nothing_and_no_other_state_goes)
{
	static const enum saved_state table[][2] = {
		{ SAVED_RESUMING, SAVED_NONE },
		{ SAVED_WHOLE, SAVED_WHOLE },
		{ SAVED_UNFINISHED, SAVED_UNFINISHED },
		{ SAVED_NONE, SAVED_NONE },
	};
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct error err = {};
		scratch_begin();
		dir = xstrdup(scratch_path("saved"));
		if (table[i][0] != SAVED_NONE)
			put_saved(table[i][0], true);
		CHECK_INT(restore_finish(dir, "web", &err), 0);
		CHECK_INT(saved_look(dir, "web"), table[i][1]);
		freep(&dir);
		scratch_end();
	}
}

TEST(connections_that_were_taken_away_are_known)
{
	const char *ids[] = { "net.1", "net.3" };
	const struct saved_meta meta = { .taken = { ids, ARRAY_SIZE(ids) } };
	CLEANUP(plan_done) struct plan plan = {};
	CLEANUP(strv_done) struct strv taken = {};
	struct error err = {};
	scratch_begin();
	plan_of_rows(&plan, rows);
	dir = xstrdup(scratch_path("saved"));
	const struct saved_machine machine = { .dir = dir, .plan = &plan };
	CHECK_INT(restore_list_taken(&machine, &taken, &err), -ENOENT);
	make_directory("saved/web");
	CHECK_INT(saved_meta_write(scratch_path("saved/web"), &meta, &err), 0);
	CHECK_INT(restore_list_taken(&machine, &taken, &err), 0);
	CHECK_INT(taken.n, 2);
	CHECK_STR(taken.items[0], "net.1");
	CHECK_STR(taken.items[1], "net.3");
	freep(&dir);
	scratch_end();
}

TEST_MAIN()
