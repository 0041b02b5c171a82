/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Preparing a machine with packet filters: there are never interfaces without their rules. */
#include "host/net/firewall.h"
#include "host/net/hold.h"
#include "host/prepare/prepare.h"
#include "kill-child.h"
#include "nft-namespace.h"
#include "plan-rows.h"
#include "scratch.h"

static struct prepare_options options;

static void begin(void)
{
	static char *paths[3];
	const char *const names[] = { "sys", "dev", "proc" };
	scratch_begin();
	sample_begin(FW_STATE_FLOWS);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		free(paths[i]);
		paths[i] = xasprintf("%s/%s", scratch_dir, names[i]);
	}
	put_file("proc/self/mountinfo", "");
	options = (struct prepare_options){ .sys = paths[0],
		.dev = paths[1],
		.proc = paths[2],
		.netns = "/proc/self/ns/net",
		.policy = &sample_policy };
	CHECK(shell_works("ip link add br0 type bridge && ip link set br0 up"));
}

static void end(void)
{
	CHECK(shell_works("ip link delete br0"));
	sample_end();
	scratch_end();
}

static const char *const full[] = {
	"machine name=web user=root run-dir=DIR/run/web socket-dir=DIR/sockets",
	"tap name=net.0 link=web.lan connection=lan network=lan bridge=br0 mac=52:54:00:00:00:01",
	"tap name=net.1 link=web.dmz connection=dmz network=dmz bridge=br0 mac=52:54:00:00:00:02",
	"filter name=net.0 group=web any=yes guard=mac guard=other ip=10.0.0.5",
	"rule direction=in action=accept protocol=6 port=22 set=office priority=200 origin=vm_#1",
	"filter name=net.1 guard=mac",
	NULL,
};

static const char *const other_machine[] = {
	"machine name=db user=root run-dir=DIR/run/db socket-dir=DIR/sockets",
	"tap name=net.0 link=db.lan connection=lan network=lan bridge=br0 mac=52:54:00:00:00:03",
	"filter name=net.0 group=web any=yes guard=mac guard=other ip=10.0.0.6",
	NULL,
};

static void make_plan(struct plan *plan)
{
	plan_of_rows(plan, full);
}

/* The taps go with their descriptors. */
static int prepare(const struct plan *plan, int fds[2], struct error *err)
{
	fds[0] = fds[1] = -1;
	return prepare_run(plan, &options, fds, err);
}

static void check_torn_down(const struct plan *plan)
{
	CLEANUP(strv_done) struct strv failures = {};
	CHECK_INT(prepare_teardown(plan, &options, &failures), 0);
	for (size_t i = 0; i < failures.n; i++)
		TEST_FAIL("%s", without_scratch(failures.items[i]));
}

static void check_nothing_is_left(void)
{
	check_ruleset("");
	CHECK(!shell_works("ip -o link show | grep -F web."));
}

static void check_refused(const struct plan *plan, int code, const char *text)
{
	struct error err = {};
	int fds[2];
	CHECK_INT(prepare(plan, fds, &err), -code);
	CHECK_STR(without_scratch(err.text), text);
}

TEST(rules_come_and_go_with_the_machine)
{
	NEED_NFT();
	struct error err = {};
	int fds[2];
	begin();
	CLEANUP(plan_done) struct plan plan;
	make_plan(&plan);
	for (int i = 0; i < 2; i++) {
		if (prepare(&plan, fds, &err) < 0)
			TEST_FAIL("%s", err.text);
		CHECK(shell_works("nft list map bridge machina from-vm | grep -F 'jump "
				  "vm-web.lan-out'"));
		CHECK(shell_works("nft list map bridge machina to-vm | grep -F 'jump "
				  "vm-web.dmz-in'"));
		CHECK(shell_works("nft list chain bridge machina vm-web.lan-in | grep -F 'vm #1'"));
		CHECK(shell_works("nft list set bridge machina grp-web-4 | grep -F 10.0.0.5"));
		/* Again, without a teardown in between. */
		closep(&fds[0]);
		closep(&fds[1]);
	}
	check_torn_down(&plan);
	check_nothing_is_left();
	check_torn_down(&plan);
	end();
}

TEST(without_a_plan_the_rules_are_found_by_the_machines_name)
{
	NEED_NFT();
	struct error err = {};
	int fds[2];
	begin();
	CLEANUP(plan_done) struct plan plan;
	make_plan(&plan);
	CHECK_INT(prepare(&plan, fds, &err), 0);
	closep(&fds[0]);
	closep(&fds[1]);
	const struct plan bare = { .machine = plan.machine,
		.user = plan.user,
		.run_dir = plan.run_dir,
		.socket_dir = plan.socket_dir };
	check_torn_down(&bare);
	check_nothing_is_left();
	end();
}

/* Also beside another machine, whose rules stay. */
TEST(what_a_plan_is_known_to_have_is_not_searched_for)
{
	NEED_NFT();
	struct error err = {};
	int fds[2];
	begin();
	CLEANUP(plan_done) struct plan plan, other;
	make_plan(&plan);
	plan_of_rows(&other, other_machine);
	other.is_all = true;
	for (int with_other = 0; with_other < 2; with_other++) {
		int other_fds[2];
		if (with_other)
			CHECK_INT(prepare(&other, other_fds, &err), 0);
		CHECK_INT(prepare(&plan, fds, &err), 0);
		plan.is_all = true;
		closep(&fds[0]);
		closep(&fds[1]);
		check_torn_down(&plan);
		CHECK(!shell_works("nft list ruleset | grep -F web."));
		CHECK(!shell_works("nft list ruleset | grep -F 10.0.0.5"));
		CHECK(shell_works("nft list chain bridge machina vm-db.lan-in") == with_other);
		plan.is_all = false;
	}
	/* What the plan does not name stays, if nobody looks for it. */
	CHECK_INT(prepare(&plan, fds, &err), 0);
	closep(&fds[0]);
	closep(&fds[1]);
	const size_t n_fds = plan.n_fds;
	plan.n_fds = 1;
	plan.is_all = true;
	check_torn_down(&plan);
	CHECK(!shell_works("nft list chain bridge machina vm-web.lan-in"));
	CHECK(shell_works("nft list chain bridge machina vm-web.dmz-in"));
	plan.n_fds = 0;
	check_torn_down(&plan);
	CHECK(shell_works("nft list chain bridge machina vm-web.dmz-in"));
	plan.n_fds = n_fds;
	plan.is_all = false;
	check_torn_down(&plan);
	check_torn_down(&other);
	check_nothing_is_left();
	end();
}

TEST(what_fails_later_takes_the_rules_away)
{
	NEED_NFT();
	begin();
	CLEANUP(plan_done) struct plan plan;
	make_plan(&plan);
	CHECK(shell_works("ip link set br0 name br1"));
	check_refused(&plan, ENODEV,
			"network 'lan': the bridge 'br0' does not exist; create it, or correct "
			"'device' of the network");
	check_nothing_is_left();
	CHECK(shell_works("ip link set br1 name br0"));
	end();
}

TEST(without_its_rules_there_is_no_interface)
{
	NEED_NFT();
	begin();
	CLEANUP(plan_done) struct plan plan;
	make_plan(&plan);
	CHECK(shell_works("nft add table bridge machina"));
	check_refused(&plan, EEXIST,
			"nftables has a table 'bridge machina' that this program has not made; it "
			"is left alone: rename it, or delete it with 'nft delete table bridge "
			"machina'");
	CHECK(!shell_works("ip -o link show | grep -F web."));
	check_ruleset("table bridge machina {\n}\n");
	CHECK(shell_works("nft delete table bridge machina"));
	options.policy = NULL;
	check_refused(&plan, ENOENT,
			"connection 'lan' is in the firewall group 'web', which the host's config "
			"does not have: add it, or take it from the machine and run 'machina "
			"generate web'");
	check_nothing_is_left();
	end();
}

TEST(while_others_flush_it_passes_nothing)
{
	NEED_NFT();
	struct error err = {};
	int fds[2];
	begin();
	CLEANUP(plan_done) struct plan plan;
	make_plan(&plan);
	CLEANUP(freep) char *parent = xasprintf("%s/run", scratch_dir);
	CHECK_INT(mkdir(parent, 0755), 0);
	for (int held = 1; held >= 0; held--) {
		if (held)
			CHECK_INT(hold_mark(parent, &err), 0);
		else
			CHECK(hold_unmark(parent));
		CHECK_INT(prepare(&plan, fds, &err), 0);
		/* BR_STATE_DISABLED, BR_STATE_FORWARDING */
		CHECK(shell_works("ip -d link show web.lan | grep -F 'state disabled'") == held);
		CHECK(shell_works("ip -d link show web.dmz | grep -F 'state forwarding'") != held);
		closep(&fds[0]);
		closep(&fds[1]);
		check_torn_down(&plan);
	}
	end();
}

TEST(who_was_started_before_is_not_the_one_to_open)
{
	struct error err = {};
	CLEANUP(lock_done) struct lock lock = {};
	scratch_begin();
	CLEANUP(freep) char *dir = xasprintf("%s/run", scratch_dir);
	CHECK(!hold_is_on(dir) && !hold_is_newer(dir) && !hold_unmark(dir));
	CHECK_INT(hold_lock(dir, &lock, &err), 0);
	CHECK_INT(hold_mark(dir, &err), 0);
	CHECK(hold_is_on(dir) && !hold_is_newer(dir));
	put_file("run/.hold", "1");
	CHECK(hold_is_on(dir) && !hold_is_newer(dir));
	put_file("run/.hold", "18446744073709551615");
	CHECK(hold_is_on(dir) && hold_is_newer(dir));
	CHECK(hold_unmark(dir) && !hold_is_on(dir) && !hold_is_newer(dir));
	lock_done(&lock);
	scratch_end();
}

TEST(an_interface_of_another_keeps_its_rules)
{
	NEED_NFT();
	begin();
	CLEANUP(plan_done) struct plan plan;
	make_plan(&plan);
	CHECK(shell_works(
			"ip link add web.lan type dummy 2>/dev/null || ip tuntap add web.lan mode "
			"tap"));
	CHECK(shell_works("ip link set web.lan alias machina:other/lan"));
	check_refused(&plan, EEXIST,
			"interface 'web.lan' exists and is not of connection 'machina:web/lan' "
			"(its alias is 'machina:other/lan'); it is left alone: rename or delete "
			"it");
	check_ruleset("");
	CHECK(shell_works("ip link delete web.lan"));
	end();
}

TEST(killed_anywhere_no_interface_is_without_rules)
{
	NEED_NFT();
	begin();
	CLEANUP(plan_done) struct plan plan;
	make_plan(&plan);
	unsigned n = 0;
	for (int r = 1; r > 0; n++) {
		pid_t child = kill_child_fork();
		if (child == 0) {
			struct error err = {};
			int fds[2];
			/* The taps outlive whoever made them. */
			plan.fds[0].down = plan.fds[1].down = "/bin/true";
			_exit(prepare(&plan, fds, &err) < 0);
		}
		r = kill_child_at(child, n);
		CHECK(r >= 0);
		if (shell_works("ip -o link show | grep -F web."))
			CHECK(shell_works("nft list map bridge machina from-vm | grep -F "
					  "web.lan") &&
					shell_works("nft list map bridge machina to-vm | grep -F "
						    "web.dmz"));
		check_torn_down(&plan);
		check_nothing_is_left();
	}
	CHECK(n > 20);
	end();
}

/* One of several processes that do so: returns 0 or 1. Its taps stay open. */
static int prepare_or_tear_down(const struct plan *plan, size_t i)
{
	struct error err = {};
	CLEANUP(strv_done) struct strv failures = {};
	for (int k = 0; k < 5; k++) {
		int fds[2];
		if (i % 2 && prepare_teardown(plan, &options, &failures) < 0) {
			fprintf(stderr, "# teardown %d of %zu: %s\n", k, i,
					failures.n ? failures.items[0] : "?");
			return 1;
		}
		if (i % 2 == 0 && prepare(plan, fds, &err) < 0) {
			fprintf(stderr, "# prepare %d of %zu: %s\n", k, i, err.text);
			return 1;
		}
	}
	return 0;
}

TEST(two_prepares_at_once_do_not_mix)
{
	NEED_NFT();
	begin();
	CLEANUP(plan_done) struct plan plan;
	make_plan(&plan);
	pid_t pids[4];
	int done[2], leave[2];
	CHECK_INT(pipe(done), 0);
	CHECK_INT(pipe(leave), 0);
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		pids[i] = fork();
		if (pids[i] != 0)
			continue;
		char status = (char)prepare_or_tear_down(&plan, i);
		close(leave[1]);
		/* With one that ended, its interfaces would go from under the others; systemd's
		 * do not. */
		if (write(done[1], &status, 1) == 1 && read(leave[0], &status, 1) == 0)
			_exit(status);
		_exit(2);
	}
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		char status = 1;
		CHECK_INT(read(done[0], &status, 1), 1);
	}
	close(leave[1]);
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		int status = -1;
		waitpid(pids[i], &status, 0);
		CHECK_INT(status, 0);
	}
	close(leave[0]);
	close(done[0]);
	close(done[1]);
	check_torn_down(&plan);
	check_nothing_is_left();
	end();
}

/* Of a machine by its number. */
static void make_numbered(struct plan *plan, unsigned i)
{
	CLEANUP(freep)
	char *tap = xasprintf("tap name=net.0 link=m%u.lan connection=lan network=lan bridge=br0 "
			      "mac=52:54:00:00:01:%02x",
			i, i);
	CLEANUP(freep)
	char *machine = xasprintf("machine name=m%u user=root run-dir=DIR/run/m%u "
				  "socket-dir=DIR/sockets-%u",
			i, i, i);
	CLEANUP(freep)
	char *filter = xasprintf("filter name=net.0 group=web any=yes guard=mac ip=10.0.1.%u", i);
	const char *const rows[] = { machine, tap, filter, NULL };
	plan_of_rows(plan, rows);
}

/* One at a time would be no test: all of them wait for the same byte. */
static void be_numbered(unsigned i, int ready)
{
	struct error err = {};
	CLEANUP(plan_done) struct plan plan;
	char byte;
	int fd = -1;
	make_numbered(&plan, i);
	if (read(ready, &byte, 1) != 0)
		_exit(3);
	for (int k = 0; k < 5; k++) {
		CLEANUP(strv_done) struct strv failures = {};
		if (prepare_run(&plan, &options, &fd, &err) < 0)
			break;
		closep(&fd);
		/* Every other one stays. */
		if ((i % 2 || k < 4) && prepare_teardown(&plan, &options, &failures) < 0)
			_exit(2);
	}
	if (err.code)
		fprintf(stderr, "# m%u: %s\n", i, err.text);
	_exit(err.code != 0);
}

TEST(sixteen_machines_come_and_go_at_once)
{
	NEED_NFT();
	begin();
	enum { N = 16 };
	pid_t pids[N];
	int ready[2];
	CHECK_INT(pipe2(ready, O_CLOEXEC), 0);
	for (unsigned i = 0; i < N; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			close(ready[1]);
			be_numbered(i, ready[0]);
		}
	}
	close(ready[1]);
	for (unsigned i = 0; i < N; i++) {
		int status = -1;
		waitpid(pids[i], &status, 0);
		CHECK_INT(status, 0);
	}
	close(ready[0]);
	/* Those that stay are whole, those that went have left nothing. */
	CLEANUP(strv_done) struct strv found = {};
	struct error err = {};
	CHECK_INT(firewall_machines(&nl, &found, &err), 0);
	CLEANUP(buf_done) struct buf names = {};
	for (size_t i = 0; i < found.n; i++)
		buf_printf(&names, "%s ", found.items[i]);
	CHECK_STR(buf_text(&names), "m0 m10 m12 m14 m2 m4 m6 m8 ");
	CHECK(shell_works("test $(nft list map bridge machina from-vm | grep -o 'jump vm-m' | wc "
			  "-l) = 8"));
	CHECK(shell_works(
			"test $(nft list set bridge machina grp-web-4 | grep -o '10\\.0\\.1' | wc "
			"-l) = 8"));
	for (unsigned i = 0; i < N; i++) {
		CLEANUP(plan_done) struct plan plan;
		make_numbered(&plan, i);
		check_torn_down(&plan);
	}
	check_ruleset("");
	end();
}

TEST_MAIN()
