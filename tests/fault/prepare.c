/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each system call of preparing a machine and of tearing it down fails in turn: nothing is left
 * behind, and what went wrong is told.
 */
#include "host/prepare/prepare.h"

#include <net/if.h>

#include "fail-child.h"
#include "nft-namespace.h"
#include "plan-rows.h"
#include "systemd-store.h"

static struct prepare_options options;

/* What a program has to go on after, wherever it can come. */
static const long interrupted[] = { SYS_read, SYS_write, SYS_sendto, SYS_sendmsg, SYS_recvfrom,
	SYS_recvmsg, SYS_ppoll, SYS_poll, SYS_flock };

static const char *const full[] = {
	"machine name=web user=root run-dir=DIR/run/web socket-dir=DIR/sockets",
	"file name=disk.0 path=DIR/os.raw writable=yes volume=os pool=guest-data",
	"copy name=kernel path=DIR/vmlinuz",
	"seed name=cloud-init",
	"cloud-init what=hostname text=web",
	"cloud-init what=user-data text=DIR/user-data",
	"tap name=net.0 link=web.lan connection=lan network=lan bridge=br0 mac=52:54:00:00:00:01",
	"tap name=net.1 link=web.dmz connection=dmz network=dmz bridge=br0 mac=52:54:00:00:00:02 "
	"down=/bin/true",
	"listen name=qmp.0 path=DIR/run/web/qmp/systemd.0.qmp.socket",
	"listen-tcp name=agent port=20907",
	"log name=console.log path=DIR/run/web/console.log",
	"directory path=DIR/share volume=share pool=shares",
	"filter name=net.0 group=web any=yes guard=mac guard=other ip=10.0.0.5",
	"rule direction=in action=accept protocol=6 port=22 set=office priority=200 origin=vm",
	NULL,
};

/* ---- the host ---- */

static char *paths[4];

static void begin(void)
{
	const char *const names[] = { "sys", "dev", "proc", "notify" };
	scratch_begin();
	sample_begin(FW_STATE_FLOWS);
	start_systemd();
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		paths[i] = xasprintf("%s/%s", scratch_dir, names[i]);
	put_file("proc/self/mountinfo", "");
	put_file("os.raw", "os");
	put_file("vmlinuz", "kernel");
	put_file("user-data", "#cloud-config\n");
	make_directory("share");
	make_directory("run");
	options = (struct prepare_options){ .sys = paths[0],
		.dev = paths[1],
		.proc = paths[2],
		.notify_socket = paths[3],
		.netns = "/proc/self/ns/net",
		.policy = &sample_policy };
	CHECK(shell_works("ip link set lo up && ip link add br0 type bridge && ip link set br0 "
			  "up"));
}

static void end(void)
{
	CHECK(shell_works("ip link delete br0"));
	stop_systemd();
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		freep(&paths[i]);
	sample_end();
	scratch_end();
}

/* Name, mode, owner and size of each file but those of the stand-in; appended. */
static void list_files(const char *name, struct buf *ret)
{
	CLEANUP(strv_done) struct strv names = {};
	struct stat st;
	if (dir_list(scratch_path(name), &names, NULL) != 0)
		return;
	for (size_t i = 0; i < names.n; i++) {
		CLEANUP(freep) char *path = path_join(name, names.items[i]);
		if (!strcmp(names.items[i], "said") || lstat(scratch_path(path), &st) < 0)
			continue;
		buf_printf(ret, "%s %o %u:%u %lld\n", path, st.st_mode, st.st_uid, st.st_gid,
				S_ISDIR(st.st_mode) ? 0LL : (long long)st.st_size);
		if (S_ISDIR(st.st_mode))
			list_files(path, ret);
	}
}

/* Interfaces, rules, files, and what systemd keeps: "store" is empty then. The caller frees it. */
static char *host_state(void)
{
	CLEANUP(buf_done) struct buf text = {};
	struct if_nameindex *all = if_nameindex();
	struct error err = {};
	enum nft_table table = NFT_TABLE_NONE;
	for (struct if_nameindex *i = all; i && i->if_index; i++)
		buf_printf(&text, "link %s\n", i->if_name);
	if_freenameindex(all);
	if (nft_find_table(&nl, NFT_BRIDGE, &table, &err) < 0)
		TEST_FAIL("%s", err.text);
	buf_printf(&text, "table %s\n", table == NFT_TABLE_NONE ? "none" : "there");
	list_files("", &text);
	return buf_take(&text);
}

/* ---- what can fail ---- */

enum work { PREPARE, TEARDOWN };

/* How a child ends. */
enum { DONE, TOLD, NOT_TOLD };

static int tear_down(const struct plan *plan)
{
	CLEANUP(strv_done) struct strv failures = {};
	int r = prepare_teardown(plan, &options, &failures);
	if (r < 0)
		return failures.n && failures.items[0][0] ? TOLD : NOT_TOLD;
	return failures.n ? NOT_TOLD : DONE;
}

static int prepare(const struct plan *plan)
{
	struct error err = {};
	if (prepare_run(plan, &options, NULL, &err) == 0)
		return DONE;
	return err.code > 0 && err.text[0] && !strchr(err.text, '\n') ? TOLD : NOT_TOLD;
}

struct walk {
	enum work work;
	int code;
	const long *only;
	size_t n_only;
	bool goes_on; /* nothing has gone wrong then */
};

static void check_round(const struct walk *walk, const struct plan *plan, const char *before,
		unsigned n, const struct fail_result *result)
{
	CLEANUP(freep)
	char *what = xasprintf("%s of call %u (number %ld) of %s", strerrorname_np(walk->code), n,
			result->call, walk->work == PREPARE ? "prepare" : "teardown");
	if (result->status != DONE && (result->status != TOLD || walk->goes_on))
		TEST_FAIL("%s: status %d", what, result->status);
	/* A file that could not be locked may be another's; teardown takes it away. */
	bool is_undone = result->status == TOLD && walk->work == PREPARE &&
			 result->call != SYS_flock;
	wait_for_systemd();
	CLEANUP(freep) char *after = is_undone ? host_state() : NULL;
	if (after && strcmp(after, before) != 0)
		TEST_FAIL("%s: it has failed and left\n%sinstead of\n%s", what, after, before);
	if (tear_down(plan) != DONE)
		TEST_FAIL("%s: teardown has failed", what);
	CLEANUP(freep) char *finally = host_state();
	if (strcmp(finally, before) != 0)
		TEST_FAIL("%s: left\n%sinstead of\n%s", what, finally, before);
}

/* Each call in turn. Returns how many there are. */
static unsigned fail_each(const struct walk *walk)
{
	begin();
	CLEANUP(plan_done) struct plan plan;
	plan_of_rows(&plan, full);
	/* What stays once it was there: "store", which the stand-in writes. */
	CHECK_INT(prepare(&plan), DONE);
	CHECK_INT(tear_down(&plan), DONE);
	CLEANUP(freep) char *before = host_state();
	unsigned n = 0;
	for (;; n++) {
		if (walk->work == TEARDOWN)
			CHECK_INT(prepare(&plan), DONE);
		pid_t child = kill_child_fork();
		if (child == 0)
			_exit(walk->work == PREPARE ? prepare(&plan) : tear_down(&plan));
		struct fail_result result =
				fail_child_at(child, n, walk->code, walk->only, walk->n_only);
		check_round(walk, &plan, before, n, &result);
		if (!result.failed)
			break;
	}
	end();
	test_note("%u calls", n);
	return n;
}

#define NEED_ALL()                                                                                 \
	NEED_NFT();                                                                                \
	if (!FAIL_CHILD_WORKS)                                                                     \
	SKIP("the registers of this processor are not known here")

TEST(prepare_without_the_right_to_something)
{
	NEED_ALL();
	CHECK(fail_each(&(struct walk){ .work = PREPARE, .code = EPERM }) > 100);
}

TEST(prepare_without_room_for_something)
{
	NEED_ALL();
	CHECK(fail_each(&(struct walk){ .work = PREPARE, .code = ENOSPC }) > 100);
}

TEST(prepare_interrupted)
{
	NEED_ALL();
	CHECK(fail_each(&(struct walk){ .work = PREPARE,
			      .code = EINTR,
			      .only = interrupted,
			      .n_only = ARRAY_SIZE(interrupted),
			      .goes_on = true }) > 30);
}

TEST(teardown_without_the_right_to_something)
{
	NEED_ALL();
	CHECK(fail_each(&(struct walk){ .work = TEARDOWN, .code = EPERM }) > 30);
}

TEST(teardown_interrupted)
{
	NEED_ALL();
	CHECK(fail_each(&(struct walk){ .work = TEARDOWN,
			      .code = EINTR,
			      .only = interrupted,
			      .n_only = ARRAY_SIZE(interrupted),
			      .goes_on = true }) > 10);
}

TEST_MAIN()
