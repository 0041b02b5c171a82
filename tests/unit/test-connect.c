/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking connections away and giving them back, in a network namespace of this process, with a peer
 * in QEMU's place. A real QEMU and a real guest are in tests/e2e.
 */
#include "host/prepare/connect.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "host/net/hold.h"
#include "host/net/tap.h"
#include "host/os/listen.h"
#include "host/os/netns.h"
#include "own-network.h"
#include "scratch.h"
#include "test.h"

/* NULL, or why there can be no taps here. */
static const char *enter_own_network(void)
{
	static bool entered;
	if (entered)
		return NULL;
	const char *why_not = own_network_with_taps();
	if (why_not)
		return why_not;
	entered = true;
	return NULL;
}

#define NEED_NETWORK() SKIP_BECAUSE(enter_own_network())

static const struct prepare_options options = { .netns = NETNS_OWN };

/* ---- QEMU ---- */

/* Answers that all is done, and writes what it was told to the file "said". */
static void serve(int listen_fd)
{
	static const char greeting[] = "{\"QMP\": {\"version\": {\"qemu\": {\"major\": 7, "
				       "\"minor\": 2, \"micro\": "
				       "0}, "
				       "\"package\": \"\"}, \"capabilities\": []}}\r\n";
	for (;;) {
		int fd = accept(listen_fd, NULL, NULL);
		FILE *in = fdopen(fd, "r+");
		CLEANUP(freep) char *line = NULL;
		size_t size = 0;
		if (!in || write(fd, greeting, strlen(greeting)) < 0)
			_exit(1);
		while (getline(&line, &size, in) > 0) {
			FILE *said = fopen(scratch_path("said"), "ae");
			const char *arguments = strstr(line, "\"arguments\"");
			const char *id = strstr(line, "\"id\"");
			if (strstr(line, "set_link") && arguments)
				fputs(arguments, said);
			fclose(said);
			dprintf(fd, "{\"return\": {}, %.*s}\r\n", id ? (int)strcspn(id, ",}") : 0,
					id ? id : "");
		}
		fclose(in);
	}
}

static pid_t qemu_start(void)
{
	struct error err = {};
	int fd = -1;
	put_file("said", "");
	make_directory("web");
	const struct sharing nobody = {};
	if (listen_unix(scratch_path("web/qmp.1"), &nobody, &fd, &err) < 0)
		TEST_FAIL("%s", err.text);
	pid_t pid = fork();
	if (pid == 0)
		serve(fd);
	close(fd);
	return pid;
}

static void qemu_end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* What it was told since the last time. */
static void check_said(const char *expected)
{
	CLEANUP(buf_done) struct buf got = {};
	struct error err = {};
	CHECK_INT(file_read(scratch_path("said"), 65536, &got, &err), 0);
	if (!strstr(buf_text(&got), expected))
		TEST_FAIL("'%s' was expected, and said was '%s'", expected, buf_text(&got));
	put_file("said", "");
}

/* ---- the machine ---- */

static struct plan_fd fds[4];
static struct plan_netdev netdevs[1];
static struct vm_pci pcis[1];
static struct plan plan;

static void make_plan(void)
{
	fds[0] = (struct plan_fd){ .kind = PLAN_FD_TAP,
		.name = "net.0",
		.link = "web.lan",
		.connection = "lan",
		.network = "lan",
		.bridge = "br0",
		.mac = "52:54:00:00:00:01" };
	fds[1] = (struct plan_fd){ .kind = PLAN_FD_TAP,
		.name = "net.3",
		.link = "web.dmz",
		.connection = "dmz",
		.network = "dmz",
		.mac = "52:54:00:00:00:02" };
	fds[2] = (struct plan_fd){
		.kind = PLAN_FD_LISTEN, .name = "qmp.1", .path = xstrdup(scratch_path("web/qmp.1"))
	};
	fds[3] = (struct plan_fd){
		.kind = PLAN_FD_VHOST, .name = "vhost.3", .path = "/dev/vhost-net"
	};
	netdevs[0] = (struct plan_netdev){
		.name = "net.1", .connection = "out", .network = "world"
	};
	pcis[0] = (struct vm_pci){ .name = "fast", .vf = { .network = "card" } };
	plan = (struct plan){
		.machine = "web",
		.run_dir = xstrdup(scratch_path("web")),
		.fds = fds,
		.n_fds = 4,
		.netdevs = netdevs,
		.n_netdevs = 1,
		.pcis = pcis,
		.n_pcis = 1,
	};
}

static void drop_plan(void)
{
	CLEANUP(freep) char *run_dir = xstrdup(plan.run_dir);
	struct error err = {};
	CHECK_INT(remove_tree(run_dir, &err), 0);
	free((char *)(uintptr_t)plan.run_dir);
	free((char *)(uintptr_t)fds[2].path);
}

enum { LAN, DMZ, OUT, FAST };

static void check_change(size_t i, bool on)
{
	struct error err = {};
	int r = connect_change(&plan, i, on, &options, &err);
	CHECK_INT(r, 0);
	if (r < 0)
		test_note("%s", err.text);
}

static int look(size_t i)
{
	struct error err = {};
	int r = connect_look(&plan, i, &options, &err);
	if (r < 0)
		test_note("%s", err.text);
	return r;
}

static bool is_port(void)
{
	return shell_works("ip link show master br0 | grep -q web.lan");
}

static int make_tap(void)
{
	CLEANUP(netlink_done) struct netlink nl = {};
	const struct tap_request request = {
		.name = "web.lan",
		.alias = "machina:web/lan",
		.network = "lan",
		.bridge = "br0",
		.mac = { 0x52, 0x54, 0, 0, 0, 1 },
	};
	struct error err = {};
	int fd = -1;
	if (!shell_works("ip link add br0 type bridge && ip link set br0 up") ||
			netlink_open(&nl, &err) < 0 || tap_create(&nl, &request, &fd, &err) < 0)
		TEST_FAIL("%s", err.text);
	return fd;
}

TEST(a_tap_leaves_its_bridge_and_comes_back)
{
	NEED_NETWORK();
	scratch_begin();
	make_plan();
	int tap = make_tap();
	pid_t qemu = qemu_start();
	CHECK_INT(look(LAN), CONNECT_ON);
	check_change(LAN, false);
	CHECK(!is_port());
	CHECK_INT(look(LAN), CONNECT_OFF);
	check_said("{\"name\":\"net.0\",\"up\":false}");
	check_change(LAN, false);
	check_said("{\"name\":\"net.0\",\"up\":false}");
	check_change(LAN, true);
	CHECK(is_port());
	CHECK_INT(look(LAN), CONNECT_ON);
	check_said("{\"name\":\"net.0\",\"up\":true}");
	/* Somebody else took it out, or its bridge was made anew. */
	CHECK(shell_works("ip link set web.lan nomaster"));
	CHECK_INT(look(LAN), CONNECT_LOST);
	check_change(LAN, true);
	CHECK(is_port());
	/* And then deleted it: no bridge helps. */
	CHECK(shell_works("ip link del web.lan"));
	CHECK_INT(look(LAN), CONNECT_GONE);
	qemu_end(qemu);
	close(tap);
	CHECK(shell_works("ip link del br0"));
	drop_plan();
	scratch_end();
}

TEST(a_macvtap_goes_with_its_card)
{
	NEED_NETWORK();
	scratch_begin();
	make_directory("web");
	make_plan();
	fds[0].kind = PLAN_FD_MACVTAP;
	fds[0].bridge = NULL;
	fds[0].device = "eth7";
	CHECK(shell_works("ip link add eth7 type veth peer name eth8"));
	if (!shell_works("ip link add link eth7 name web.lan type macvtap"))
		SKIP("this kernel has no macvtap");
	CHECK(shell_works("ip link set web.lan alias machina:web/lan"));
	CHECK_STR(plan_connection(&plan, LAN).link, "web.lan");
	CHECK_INT(look(LAN), CONNECT_ON);
	CHECK(shell_works("ip link del eth7"));
	CHECK_INT(look(LAN), CONNECT_GONE);
	struct error err = {};
	CHECK_INT(connect_change(&plan, LAN, true, &options, &err), -ENODEV);
	CHECK_STR(err.text, "connection 'lan': its interface 'web.lan' has gone; 'machina restart "
			    "web' makes it anew");
	drop_plan();
	scratch_end();
}

TEST(while_others_flush_nftables_what_comes_back_passes_nothing)
{
	NEED_NETWORK();
	if (!shell_works("nft add table bridge x && nft delete table bridge x"))
		SKIP("the kernel has no nftables for bridges, or nft is not installed");
	struct vm_filter filter = { .guard.mac = true };
	struct error err = {};
	memset(filter.defaults, 0xff, sizeof(filter.defaults));
	scratch_begin();
	make_plan();
	fds[0].filter = &filter;
	int tap = make_tap();
	pid_t qemu = qemu_start();
	for (int held = 1; held >= 0; held--) {
		if (held)
			CHECK_INT(hold_mark(scratch_dir, &err), 0);
		else
			CHECK(hold_unmark(scratch_dir));
		check_change(LAN, false);
		check_change(LAN, true);
		CHECK(shell_works("nft list chain bridge machina vm-web.lan-out"));
		CHECK(shell_works("ip -d link show web.lan | grep -F 'state disabled'") == held);
	}
	qemu_end(qemu);
	close(tap);
	CHECK(shell_works("ip link del br0; nft delete table bridge machina"));
	drop_plan();
	scratch_end();
}

/* On the host it is gone, whatever becomes of the guest's end. */
TEST(without_qemu_the_port_goes_all_the_same)
{
	NEED_NETWORK();
	scratch_begin();
	make_directory("web");
	make_plan();
	int tap = make_tap();
	struct error err = {};
	CHECK_INT(connect_change(&plan, LAN, false, &options, &err), -EHOSTDOWN);
	CHECK_STR(err.text, "machine 'web' does not run");
	CHECK(!is_port());
	CHECK_INT(look(LAN), CONNECT_OFF);
	close(tap);
	CHECK(shell_works("ip link del br0"));
	drop_plan();
	scratch_end();
}

/* Says to each client what no QEMU says. */
static _Noreturn void talk(int fd)
{
	for (;;) {
		int client = accept(fd, NULL, NULL);
		if (write(client, "hello\r\n", 7) < 0)
			_exit(1);
		close(client);
	}
}

static pid_t start_no_qemu(void)
{
	struct error err = {};
	const struct sharing nobody = {};
	int fd = -1;
	make_directory("web");
	if (listen_unix(scratch_path("web/qmp.1"), &nobody, &fd, &err) < 0)
		TEST_FAIL("%s", err.text);
	pid_t pid = fork();
	if (pid == 0)
		talk(fd);
	close(fd);
	return pid;
}

/* What was done on the host is told, and QEMU is tried once for all connections. */
TEST(where_qemu_fails_the_ports_go_first)
{
	NEED_NETWORK();
	scratch_begin();
	make_plan();
	int tap = make_tap();
	pid_t peer = start_no_qemu();
	struct error err = {};
	CLEANUP(connect_monitor_done) struct connect_monitor monitor = {};
	CHECK_INT(connect_change_host(&plan, LAN, false, &options, &err), 0);
	CHECK(!is_port());
	CHECK_INT(look(LAN), CONNECT_OFF);
	CHECK(connect_change_guest(&plan, LAN, false, &monitor, &err) < 0);
	CHECK(strstr(err.text, "connection 'lan' is out of its bridge 'br0', but the guest was not "
			       "told so: machine 'web': ") != NULL);
	qemu_end(peer);
	/* Whoever tried once more would find nobody. */
	CHECK(connect_change_guest(&plan, OUT, false, &monitor, &err) < 0);
	CHECK(err.code != EHOSTDOWN);
	CHECK(strstr(err.text, "out of its bridge") == NULL);
	CHECK(strncmp(err.text, "machine 'web': ", 15) == 0);
	close(tap);
	CHECK(shell_works("ip link del br0"));
	drop_plan();
	scratch_end();
}

TEST(without_a_bridge_of_ours_only_the_link_is_switched)
{
	scratch_begin();
	make_plan();
	pid_t qemu = qemu_start();
	check_change(OUT, false);
	check_said("{\"name\":\"net.1\",\"up\":false}");
	CHECK_INT(look(OUT), CONNECT_OFF);
	CHECK_INT(look(DMZ), CONNECT_ON);
	/* QEMU's ids of those with vhost-net have no dot. */
	check_change(DMZ, false);
	check_said("{\"name\":\"net3\",\"up\":false}");
	check_change(OUT, true);
	check_said("{\"name\":\"net.1\",\"up\":true}");
	CHECK_INT(look(OUT), CONNECT_ON);
	CHECK_INT(look(DMZ), CONNECT_OFF);
	struct error err = {};
	CHECK_INT(connect_begin(&plan, &err), 0);
	CHECK_INT(look(DMZ), CONNECT_ON);
	CHECK_INT(connect_begin(&plan, &err), 0);
	qemu_end(qemu);
	drop_plan();
	scratch_end();
}

/* Also those of which an earlier QEMU had another opinion. */
TEST(a_start_begins_as_the_plan_says)
{
	struct error err = {};
	CLEANUP(strv_done) struct strv lines = {};
	scratch_begin();
	make_plan();
	pid_t qemu = qemu_start();
	CHECK_INT(connect_begin_links(&plan, NULL, &err), 0);
	check_said("");
	check_change(DMZ, false);
	fds[0].disconnected = netdevs[0].disconnected = true;
	CHECK_INT(connect_begin(&plan, &err), 0);
	CHECK_INT(look(LAN), CONNECT_OFF);
	CHECK_INT(look(OUT), CONNECT_OFF);
	CHECK_INT(look(DMZ), CONNECT_ON);
	check_said("{\"name\":\"net3\",\"up\":false}");
	/* Given back before QEMU was told. */
	check_change(OUT, true);
	check_said("{\"name\":\"net.1\",\"up\":true}");
	CHECK_INT(connect_begin_links(&plan, NULL, &err), 0);
	CLEANUP(buf_done) struct buf said = {};
	CHECK_INT(file_read(scratch_path("said"), 65536, &said, &err), 0);
	CHECK(strstr(buf_text(&said), "{\"name\":\"net.0\",\"up\":false}") != NULL);
	CHECK(strstr(buf_text(&said), "net.1") == NULL);
	CHECK_INT(look(LAN), CONNECT_OFF);
	connect_describe_begin(&plan, &lines);
	CHECK_INT(lines.n, 2);
	CHECK_STR(lines.items[0],
			"switch off the link of connection 'lan' in the guest of machine 'web'");
	qemu_end(qemu);
	drop_plan();
	scratch_end();
}

TEST(virtual_functions_are_refused_with_a_way_out)
{
	scratch_begin();
	make_directory("web");
	make_plan();
	struct error err = {};
	CHECK_INT(connect_change(&plan, FAST, false, &options, &err), -EOPNOTSUPP);
	CHECK_STR(err.text, "connection 'fast' of machine 'web' is a virtual function of a network "
			    "card "
			    "(network 'card', mode \"vf\"), whose link is not QEMU's: switch it "
			    "with 'ip "
			    "link set CARD vf NUMBER state disable' (or 'auto')");
	CHECK_INT(look(FAST), CONNECT_ON);
	drop_plan();
	scratch_end();
}

TEST(what_is_done_is_told)
{
	static struct vm_filter filter;
	static const char *const expected[][3] = {
		{ "take tap 'web.lan' out of bridge 'br0' (network 'lan')",
				"switch off the link of connection 'lan' in the guest of machine "
				"'web'" },
		{ "install the packet filter of 'web.lan'",
				"connect tap 'web.lan' to bridge 'br0' (network 'lan')",
				"switch on the link of connection 'lan' in the guest of machine "
				"'web'" },
	};
	scratch_begin();
	make_directory("web");
	make_plan();
	fds[0].filter = &filter;
	for (int on = 0; on < 2; on++) {
		CLEANUP(strv_done) struct strv lines = {};
		connect_describe(&plan, LAN, on, &lines);
		CHECK_INT(lines.n, on ? 3 : 2);
		for (size_t i = 0; i < lines.n; i++)
			CHECK_STR(lines.items[i], expected[on][i]);
	}
	drop_plan();
	scratch_end();
}

TEST_MAIN()
