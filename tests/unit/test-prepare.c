/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carrying out a plan and undoing it, in a network namespace of this process, with a peer in
 * systemd's place. A real systemd and a real QEMU are in tests/e2e.
 */
#include "host/prepare/prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "host/os/clock.h"
#include "host/os/listen.h"
#include "host/os/lock.h"
#include "own-network.h"
#include "pidfd.h"
#include "scratch.h"
#include "systemd-store.h"
#include "test.h"

#define LIMIT_USEC (120 * USEC_PER_SEC)

/* ---- the host ---- */

/* NULL, or why there can be no taps here. */
static const char *enter_own_network(void)
{
	static bool entered;
	if (entered)
		return NULL;
	const char *why_not = own_network_with_taps();
	if (why_not)
		return why_not;
	if (system("PATH=$PATH:/sbin:/usr/sbin; ip link set lo up && ip link add br0 type "
		   "bridge") != 0)
		return "no bridge can be made (package iproute2)";
	entered = true;
	return NULL;
}

#define NEED_NETWORK() SKIP_BECAUSE(enter_own_network())

/* A bridge is an interface like others: one may sit on it. */
static const char *need_macvtap(void)
{
	if (system("PATH=$PATH:/sbin:/usr/sbin; ip link set br0 up && ip link add link br0 name x "
		   "type macvtap && ip link del x") != 0)
		return "this kernel has no macvtap";
	return NULL;
}

#define NEED_MACVTAP() SKIP_BECAUSE(need_macvtap())

/* All interfaces are the ones that were there before. */
static void check_links(const char *expected)
{
	struct if_nameindex *all = if_nameindex();
	CLEANUP(buf_done) struct buf text = {};
	for (struct if_nameindex *i = all; i && i->if_index; i++)
		buf_printf(&text, "%s ", i->if_name);
	if_freenameindex(all);
	CHECK_STR(buf_text(&text), expected);
}

/* ---- the machine ---- */

/* A row with DIR for the scratch directory: "file name=disk.0 path=DIR/x". */
static void add_row(struct plan *plan, const char *row)
{
	CLEANUP(strv_done) struct strv words = {};
	CLEANUP(freep) char *copy = xstrdup(row);
	char *rest = copy;
	for (char *word; (word = strsep(&rest, " ")) != NULL;) {
		CLEANUP(buf_done) struct buf text = {};
		const char *at = strstr(word, "DIR");
		if (at)
			buf_printf(&text, "%.*s%s%s", (int)(at - word), word,
					scratch_dir ? scratch_dir : "/DIR", at + 3);
		else
			buf_puts(&text, word);
		strv_push(&words, text.text);
	}
	struct error err = {};
	if (plan_parse_row(plan, &words, &err) < 0)
		TEST_FAIL("%s: %s", row, err.text);
}

static void add_rows(struct plan *plan, const char *const *rows)
{
	for (; *rows; rows++)
		add_row(plan, *rows);
	struct error err = {};
	if (plan_parse_end(plan, &err) < 0)
		TEST_FAIL("%s", err.text);
}

#define MACHINE "machine name=web user=root run-dir=DIR/run/web socket-dir=DIR/sockets"

/* One of everything. */
static const char *const full[] = {
	MACHINE,
	"tap name=net.0 link=web.lan connection=lan network=lan bridge=br0 mac=52:54:00:00:00:01",
	"tap name=net.1 link=web.dmz connection=dmz network=dmz mac=52:54:00:00:00:02 up=DIR/up "
	"down=DIR/down",
	"file name=disk.0 path=DIR/os.raw writable=yes volume=os pool=guest-data",
	"file name=disk.1 path=DIR/cd.iso volume=cd pool=isos",
	"copy name=kernel path=DIR/vmlinuz",
	"connect name=tpm path=DIR/run/web/swtpm/control.socket",
	"listen name=qmp.0 path=DIR/run/web/qmp/systemd.0.qmp.socket",
	"listen name=qmp.1 path=DIR/extra.socket",
	"listen-tcp name=agent port=20907",
	"log name=console.log path=DIR/run/web/console.log",
	"directory path=DIR/share volume=share pool=shares",
	"mdev name=vgpu class=cad uuid=11111111-2222-3333-4444-555555555555",
	"parent address=0000:41:00.0 type=A40-8Q",
	NULL,
};

static struct prepare_options options;
static int tpm_fd;

static void add_line(void *data, const char *line)
{
	buf_printf(data, "%s\n", line);
}

/* All that the machine needs and nobody else makes. */
static void begin(void)
{
	scratch_begin();
	start_systemd();
	options = (struct prepare_options){
		.notify_socket = xasprintf("%s/notify", scratch_dir),
		.sys = xasprintf("%s/sys", scratch_dir),
		.dev = xasprintf("%s/dev", scratch_dir),
		.netns = "/proc/self/ns/net",
	};
	put_file("os.raw", "os");
	put_file("cd.iso", "cd");
	put_file("vmlinuz", "kernel");
	make_directory("share");
	put_file("up", "#!/bin/sh\necho up $* $(grep -c $1: /proc/net/dev) >>${0%/*}/scripts\n");
	put_file("down",
			"#!/bin/sh\necho down $* $(grep -c $1: /proc/net/dev) >>${0%/*}/scripts\n");
	chmod(scratch_path("up"), 0755);
	chmod(scratch_path("down"), 0755);
	put_file("scripts", "");
	/* The device is there, as it would be after an earlier start. */
	put_file("sys/devices/0000:41:00.0/types/nvidia-563/name", "A40-8Q\n");
	put_file("sys/devices/0000:41:00.0/11111111-2222-3333-4444-555555555555/remove", "");
	make_directory("sys/bus/mdev/devices");
	if (symlink("../../../devices/0000:41:00.0/11111111-2222-3333-4444-555555555555",
			    scratch_path("sys/bus/mdev/devices/11111111-2222-3333-4444-"
					 "555555555555")) < 0 ||
			symlink("../types/nvidia-563",
					scratch_path("sys/bus/mdev/devices/11111111-2222-3333-4444-"
						     "555555555555/mdev_type")) < 0 ||
			symlink("../../../kernel/iommu_groups/17",
					scratch_path("sys/bus/mdev/devices/11111111-2222-3333-4444-"
						     "555555555555/iommu_group")) < 0)
		TEST_FAIL("cannot link: %m");
	make_directory("dev/vfio");
	if (mknod(scratch_path("dev/vfio/17"), S_IFCHR | 0600, 0x103) < 0)
		TEST_FAIL("cannot make a device: %m");
	/* The TPM's unit is up. */
	make_directory("run/web/swtpm");
	struct error err = {};
	if (listen_unix(scratch_path("run/web/swtpm/control.socket"), &(struct sharing){}, &tpm_fd,
			    &err) < 0)
		TEST_FAIL("%s", err.text);
}

static void end(void)
{
	stop_systemd();
	close(tpm_fd);
	scratch_end();
	union {
		const char *in;
		void *out;
	} strings[] = { { options.notify_socket }, { options.sys }, { options.dev } };
	for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
		free(strings[i].out);
}

static void check_prepared(const struct plan *plan)
{
	struct error err = {};
	if (prepare_run(plan, &options, NULL, &err) < 0)
		TEST_FAIL("%s", err.text);
}

static void check_torn_down_by(const struct prepare_options *by, const struct plan *plan)
{
	CLEANUP(strv_done) struct strv failures = {};
	CHECK_INT(prepare_teardown(plan, by, &failures), 0);
	for (size_t i = 0; i < failures.n; i++)
		TEST_FAIL("%s", failures.items[i]);
}

static void check_torn_down(const struct plan *plan)
{
	check_torn_down_by(&options, plan);
}

static void check_nothing_is_left(void)
{
	check_links("lo br0 ");
	check_tree("run", "run/web run/web/swtpm run/web/swtpm/control.socket ");
	CHECK_INT(mode_at("extra.socket"), 0);
	check_file("store", "");
}

/* ---- lines ---- */

TEST(steps_have_lines)
{
	CLEANUP(plan_done) struct plan plan = {};
	add_rows(&plan, full);
	CLEANUP(strv_done) struct strv lines = {};
	prepare_describe(&plan, false, &lines);
	static const char *const expected[] = {
		"take back what an earlier start has left with systemd",
		"check that 'root' can read directory '/DIR/share' (volume 'share', pool 'shares')",
		"open '/DIR/os.raw' for reading and writing (volume 'os', pool 'guest-data')",
		"open '/DIR/cd.iso' for reading (volume 'cd', pool 'isos')",
		"copy '/DIR/vmlinuz' to memory",
		"make directory '/DIR/run/web'",
		"make mediated device 11111111-2222-3333-4444-555555555555 (device 'vgpu', class "
		"'cad')",
		"make tap 'web.lan' on bridge 'br0' (network 'lan')",
		"make tap 'web.dmz' (network 'dmz') and run '/DIR/up' with it",
		"listen at '/DIR/run/web/qmp/systemd.0.qmp.socket'",
		"listen at '/DIR/extra.socket'",
		"listen at port 20907 of 127.0.0.1",
		"open '/DIR/run/web/console.log' for appending",
		"connect to '/DIR/run/web/swtpm/control.socket'",
		"give descriptors to systemd: 3 'net.0', 4 'net.1', 5 'disk.0', 6 'disk.1', 7 "
		"'kernel', 8 'tpm', 9 'qmp.0', 10 'qmp.1', 11 'agent', 12 'console.log'",
	};
	CHECK_INT(lines.n, ARRAY_SIZE(expected));
	for (size_t i = 0; i < lines.n && i < ARRAY_SIZE(expected); i++)
		CHECK_STR(lines.items[i], expected[i]);
}

TEST(vhost_has_a_line)
{
	static const char *const rows[] = {
		MACHINE,
		"vhost name=vhost.0 path=/dev/vhost-net",
		"vhost name=vhost.1 path=/dev/vhost-net",
		NULL,
	};
	CLEANUP(plan_done) struct plan plan = {};
	add_rows(&plan, rows);
	CLEANUP(strv_done) struct strv lines = {};
	prepare_describe(&plan, true, &lines);
	CHECK_INT(lines.n, 2);
	CHECK_STR(lines.items[1], "open '/dev/vhost-net' if it is there");
}

TEST(vsock_has_a_line)
{
	static const char *const rows[] = {
		MACHINE,
		"vsock name=vsock path=/dev/vhost-vsock cid=4294967294",
		NULL,
	};
	CLEANUP(plan_done) struct plan plan = {};
	add_rows(&plan, rows);
	CLEANUP(strv_done) struct strv lines = {};
	prepare_describe(&plan, true, &lines);
	CHECK_STR(lines.items[0], "open '/dev/vhost-vsock' for the guest's CID 4294967294");
}

TEST(a_macvtap_has_lines)
{
	static const char *const rows[] = {
		MACHINE,
		"macvtap name=net.0 link=web.lan connection=lan network=lan device=eth0 "
		"mac=52:54:00:00:00:01",
		NULL,
	};
	CLEANUP(plan_done) struct plan plan = {};
	add_rows(&plan, rows);
	CLEANUP(strv_done) struct strv lines = {};
	prepare_describe(&plan, true, &lines);
	prepare_describe_teardown(&plan, &lines);
	CHECK(strv_contains(&lines, "make macvtap 'web.lan' on 'eth0' (network 'lan')"));
	CHECK(strv_contains(&lines, "delete macvtap 'web.lan' (network 'lan')"));
}

TEST(undoing_has_lines)
{
	CLEANUP(plan_done) struct plan plan = {};
	add_rows(&plan, full);
	CLEANUP(strv_done) struct strv lines = {};
	prepare_describe_teardown(&plan, &lines);
	static const char *const expected[] = {
		"take back the descriptors that systemd has",
		"remove socket '/DIR/extra.socket'",
		"remove socket '/DIR/run/web/qmp/systemd.0.qmp.socket'",
		"run '/DIR/down' with tap 'web.dmz' and delete it (network 'dmz')",
		"delete tap 'web.lan' (network 'lan')",
		"delete all interfaces of machine 'web'",
		"remove the packet filter of machine 'web'",
		"give back all devices of the host that machine 'web' has",
		"remove mediated device 11111111-2222-3333-4444-555555555555 (device 'vgpu')",
		"remove directory '/DIR/run/web'",
	};
	CHECK_INT(lines.n, ARRAY_SIZE(expected));
	for (size_t i = 0; i < lines.n && i < ARRAY_SIZE(expected); i++)
		CHECK_STR(lines.items[i], expected[i]);
}

static const char *const with_screen[] = {
	MACHINE,
	"listen name=qmp.0 path=DIR/run/web/qmp/systemd.0.qmp.socket",
	"socket name=spice path=DIR/sockets/spice",
	NULL,
};

TEST(who_starts_qemu_himself_has_lines)
{
	CLEANUP(plan_done) struct plan plan = {};
	add_rows(&plan, with_screen);
	CLEANUP(strv_done) struct strv lines = {};
	prepare_describe(&plan, true, &lines);
	static const char *const expected[] = {
		"make directory '/DIR/run/web'",
		"make directory '/DIR/sockets' for the sockets of QEMU's own",
		"listen at '/DIR/run/web/qmp/systemd.0.qmp.socket'",
	};
	CHECK_INT(lines.n, ARRAY_SIZE(expected));
	for (size_t i = 0; i < lines.n && i < ARRAY_SIZE(expected); i++)
		CHECK_STR(lines.items[i], expected[i]);
}

/* Whoever starts QEMU himself has no ports. */
TEST(a_port_has_a_line_in_a_unit)
{
	static const char *const rows[] = {
		MACHINE,
		"socket name=spice path=DIR/sockets/spice port=5930",
		"socket name=vnc path=DIR/sockets/vnc",
		NULL,
	};
	static const char *const line =
			"check that systemd listens at port 5930 of 127.0.0.1 (screen 'spice')";
	CLEANUP(plan_done) struct plan plan = {};
	add_rows(&plan, rows);
	CLEANUP(strv_done) struct strv lines = {}, own = {};
	prepare_describe(&plan, false, &lines);
	prepare_describe(&plan, true, &own);
	CHECK_STR(lines.items[1], line);
	CHECK(!strstr(lines.items[2], "systemd listens"));
	CHECK(!strv_contains(&own, line));
}

TEST(awaiting_has_lines)
{
	CLEANUP(plan_done) struct plan plan = {};
	add_rows(&plan, with_screen);
	CLEANUP(strv_done) struct strv lines = {};
	struct error err = {};
	CHECK_INT(prepare_describe_await(&plan, &lines, &err), 0);
	static const char *const expected[] = {
		"wait until QEMU answers at '/DIR/run/web/qmp/systemd.0.qmp.socket'",
		"give '/DIR/sockets/spice' to the group 'machina'",
		"take over directory '/DIR/sockets'",
		"take back the descriptors that systemd has",
	};
	CHECK_INT(lines.n, ARRAY_SIZE(expected));
	for (size_t i = 0; i < lines.n && i < ARRAY_SIZE(expected); i++)
		CHECK_STR(lines.items[i], expected[i]);
}

TEST(a_tpm_has_lines)
{
	static const char *const rows[] = {
		MACHINE " tpm-data=/tank/web",
		"listen name=control path=DIR/run/web/swtpm/control.socket",
		"state name=state path=/tank/web/state",
		NULL,
	};
	CLEANUP(plan_done) struct plan plan = {};
	add_rows(&plan, rows);
	CLEANUP(strv_done) struct strv lines = {};
	prepare_describe(&plan, false, &lines);
	prepare_describe_teardown(&plan, &lines);
	static const char *const expected[] = {
		"take back what an earlier start has left with systemd",
		"make directory '/DIR/run/web'",
		"make a TPM in '/tank/web' if there is none, and give '/tank/web/state' to 'root'",
		"listen at '/DIR/run/web/swtpm/control.socket'",
		"give descriptors to systemd: 3 'control', 4 'state'",
		"take back the descriptors that systemd has",
		"remove socket '/DIR/run/web/swtpm/control.socket'",
		"give '/tank/web/state' back to root",
		"remove directory '/DIR/run/web'",
	};
	CHECK_INT(lines.n, ARRAY_SIZE(expected));
	for (size_t i = 0; i < lines.n && i < ARRAY_SIZE(expected); i++)
		CHECK_STR(lines.items[i], expected[i]);
}

TEST(a_share_has_lines)
{
	static const char *const rows[] = {
		MACHINE " share=docs",
		"listen name=control path=DIR/run/web/share/docs",
		"tree name=tree path=/srv/docs writable=yes",
		"users name=users",
		NULL,
	};
	CLEANUP(plan_done) struct plan plan = {};
	add_rows(&plan, rows);
	CLEANUP(strv_done) struct strv lines = {};
	prepare_describe(&plan, false, &lines);
	prepare_describe_teardown(&plan, &lines);
	static const char *const expected[] = {
		"take back what an earlier start has left with systemd",
		"make directory '/DIR/run/web'",
		"open directory '/srv/docs' for reading and writing by 'root' (share 'docs')",
		"make a user namespace whose root is 'root'",
		"listen at '/DIR/run/web/share/docs'",
		"give descriptors to systemd: 3 'control', 4 'tree', 5 'users'",
		"take back the descriptors that systemd has",
		"remove socket '/DIR/run/web/share/docs'",
		"remove directory '/DIR/run/web'",
	};
	CHECK_INT(lines.n, ARRAY_SIZE(expected));
	for (size_t i = 0; i < lines.n && i < ARRAY_SIZE(expected); i++)
		CHECK_STR(lines.items[i], expected[i]);
}

/* ---- doing and undoing ---- */

TEST(systemd_gets_all_in_the_order_of_the_plan)
{
	NEED_NETWORK();
	begin();
	CLEANUP(plan_done) struct plan plan = {};
	add_rows(&plan, full);
	put_file("run/web/environment", "MACHINA_RUNTIME_ARGS=-incoming defer\n");
	check_prepared(&plan);
	check_file("store", "3 net.0 /dev/net/tun rw\n"
			    "4 net.1 /dev/net/tun rw\n"
			    "5 disk.0 DIR/os.raw rw\n"
			    "6 disk.1 DIR/cd.iso ro\n"
			    "7 kernel /memfd:machina (deleted) rw\n"
			    "8 tpm socket: rw\n"
			    "9 qmp.0 socket: rw\n"
			    "10 qmp.1 socket: rw\n"
			    "11 agent socket: rw\n"
			    "12 console.log DIR/run/web/console.log rw\n");
	check_links("lo br0 web.lan web.dmz ");
	check_file("scripts", "up web.dmz 1\n");
	/* Sorted; what an earlier start was told is gone, and no lock is left. */
	check_tree("run", "run/web run/web/console.log run/web/qmp "
			  "run/web/qmp/systemd.0.qmp.socket run/web/swtpm "
			  "run/web/swtpm/control.socket ");
	CHECK_INT(mode_at("run/web/console.log") & 0707, 0600);
	CHECK_INT(mode_at("run/web"), S_IFDIR | (mode_at("run/web") & 0040 ? 0750 : 0700));

	/* Again, as a systemd that restarts a unit does without a teardown in between. */
	check_prepared(&plan);
	check_links("lo br0 web.lan web.dmz ");
	check_file("scripts", "up web.dmz 1\nup web.dmz 1\n");

	check_torn_down(&plan);
	check_nothing_is_left();
	check_file("scripts", "up web.dmz 1\nup web.dmz 1\n"
			      "down web.dmz 1\n");
	check_file("sys/bus/mdev/devices/11111111-2222-3333-4444-555555555555/remove", "1");
	check_torn_down(&plan);
	check_nothing_is_left();
	end();
}

static const char *const with_vhost[] = {
	MACHINE,
	"listen name=qmp.0 path=DIR/run/web/qmp/systemd.0.qmp.socket",
	"vhost name=vhost.0 path=DIR/vhost",
	"vhost name=vhost.1 path=DIR/vhost",
	NULL,
};

/* Its arguments come and go with it. */
TEST(vhost_is_used_where_it_is)
{
	NEED_NETWORK();
	begin();
	CLEANUP(plan_done) struct plan plan = {};
	add_rows(&plan, with_vhost);
	options.vhost_environment = "MACHINA_RUNTIME_ARGS=\"-set\"\n";
	check_prepared(&plan);
	check_file("store", "3 qmp.0 socket: rw\n");
	CHECK_INT(mode_at("run/web/environment"), 0);

	put_file("vhost", "");
	check_prepared(&plan);
	check_file("store", "3 qmp.0 socket: rw\n4 vhost.0 DIR/vhost rw\n5 vhost.1 DIR/vhost rw\n");
	check_file("run/web/environment", "MACHINA_RUNTIME_ARGS=\"-set\"\n");

	if (unlink(scratch_path("vhost")) < 0)
		TEST_FAIL("cannot remove it: %m");
	check_prepared(&plan);
	check_file("store", "3 qmp.0 socket: rw\n");
	CHECK_INT(mode_at("run/web/environment"), 0);
	check_torn_down(&plan);
	check_nothing_is_left();
	end();
}

/* Who starts QEMU himself is told by what he gets. */
TEST(vhost_is_missing_for_who_starts_qemu_himself)
{
	NEED_NETWORK();
	begin();
	CLEANUP(plan_done) struct plan plan = {};
	add_rows(&plan, with_vhost);
	struct error err = {};
	int fds[3];
	if (prepare_run(&plan, &options, fds, &err) < 0)
		TEST_FAIL("%s", err.text);
	CHECK(fds[0] >= 0);
	CHECK_INT(fds[1], -1);
	CHECK_INT(fds[2], -1);
	close(fds[0]);
	check_torn_down(&plan);
	end();
}

TEST(steps_are_told_when_they_are_done)
{
	NEED_NETWORK();
	begin();
	CLEANUP(plan_done) struct plan plan = {};
	add_rows(&plan, full);
	CLEANUP(buf_done) struct buf said = {}, expected = {};
	CLEANUP(strv_done) struct strv lines = {};
	options.on_step = add_line;
	options.data = &said;
	check_prepared(&plan);
	check_torn_down(&plan);
	prepare_describe(&plan, false, &lines);
	prepare_describe_teardown(&plan, &lines);
	for (size_t i = 0; i < lines.n; i++)
		add_line(&expected, lines.items[i]);
	CHECK_STR(buf_text(&said), buf_text(&expected));
	end();
}

TEST(a_host_where_nothing_was_prepared_is_torn_down)
{
	NEED_NETWORK();
	scratch_begin();
	CLEANUP(plan_done) struct plan plan = {};
	add_rows(&plan, full);
	options = (struct prepare_options){ .sys = "/sys", .netns = "/proc/self/ns/net" };
	check_torn_down(&plan);
	check_links("lo br0 ");
	check_tree("", "");
	scratch_end();
}

/* What is asked for, but of systemd; and what is done instead of it. */
TEST(a_caller_can_keep_the_descriptors)
{
	NEED_NETWORK();
	begin();
	CLEANUP(plan_done) struct plan plan = {};
	add_rows(&plan, full);
	int fds[10];
	struct error err = {};
	struct prepare_options own = options;
	own.notify_socket = NULL;
	CHECK_INT(prepare_run(&plan, &own, fds, &err), 0);
	CHECK_INT(mode_at("store"), 0);
	for (size_t i = 0; i < plan.n_fds; i++) {
		CHECK(fcntl(fds[i], F_GETFD) & FD_CLOEXEC);
		/* QEMU's threads may both accept from a monitor's. */
		if (plan.fds[i].kind == PLAN_FD_LISTEN)
			CHECK_INT((fcntl(fds[i], F_GETFL) & O_NONBLOCK) != 0,
					!strncmp(plan.fds[i].name, "qmp.", 4));
		CHECK_INT(close(fds[i]), 0);
	}
	/* Taps go with their descriptors, but for the one that a script wants to see. */
	check_links("lo br0 web.dmz ");
	check_torn_down(&plan);
	check_nothing_is_left();
	end();
}

TEST(queues_are_given_with_their_interface)
{
	NEED_NETWORK();
	static const char *const rows[] = {
		MACHINE,
		"tap name=net.0 link=web.lan connection=lan network=lan bridge=br0 "
		"mac=52:54:00:00:00:01",
		"queue name=net.0.1 link=web.lan",
		"queue name=net.0.2 link=web.lan",
		"tap name=net.1 link=web.dmz connection=dmz network=dmz bridge=br0 "
		"mac=52:54:00:00:00:02",
		NULL,
	};
	begin();
	CLEANUP(plan_done) struct plan plan = {};
	CLEANUP(strv_done) struct strv lines = {};
	add_rows(&plan, rows);
	prepare_describe(&plan, true, &lines);
	CHECK(strv_contains(&lines,
			"make tap 'web.lan' with 3 queues on bridge 'br0' (network 'lan')"));
	CHECK(strv_contains(&lines, "make tap 'web.dmz' on bridge 'br0' (network 'dmz')"));
	check_prepared(&plan);
	check_file("store", "3 net.0 /dev/net/tun rw\n4 net.0.1 /dev/net/tun rw\n"
			    "5 net.0.2 /dev/net/tun rw\n6 net.1 /dev/net/tun rw\n");
	check_links("lo br0 web.lan web.dmz ");
	check_prepared(&plan);
	check_links("lo br0 web.lan web.dmz ");
	check_torn_down(&plan);
	check_nothing_is_left();
	end();
}

/* Whoever comes later closes what the guest was given, and deletes the interface. */
TEST(a_macvtap_is_given_and_deleted)
{
	NEED_NETWORK();
	NEED_MACVTAP();
	static const char *const rows[] = {
		MACHINE,
		"macvtap name=net.0 link=web.lan connection=lan network=lan device=br0 "
		"mac=52:54:00:00:00:01",
		"macvtap name=net.1 link=web.dmz connection=dmz network=dmz device=br0 "
		"mac=52:54:00:00:00:02 mtu=1300",
		NULL,
	};
	begin();
	CLEANUP(plan_done) struct plan plan = {};
	add_rows(&plan, rows);
	check_prepared(&plan);
	check_file("store", "3 net.0 /web.lan rw\n4 net.1 /web.dmz rw\n");
	check_links("lo br0 web.lan web.dmz ");
	check_prepared(&plan);
	check_links("lo br0 web.lan web.dmz ");
	check_torn_down(&plan);
	check_nothing_is_left();
	check_torn_down(&plan);
	end();
}

/* QEMU would try for ever. */
TEST(sockets_of_switches_are_tried)
{
	NEED_NETWORK();
	static const char *const rows[] = {
		MACHINE,
		"peer name=net.0 path=DIR/open/switch connection=lan network=dpdk",
		NULL,
	};
	const struct account nobody = { .uid = 65534, .gid = 65534 };
	begin();
	CLEANUP(plan_done) struct plan plan = {};
	add_rows(&plan, rows);
	options.account = &nobody;
	int fds[1], listening = -1;
	struct error err = {};
	CHECK_INT(prepare_run(&plan, &options, fds, &err), -ENOENT);
	CHECK(strstr(err.text, "does the switch run") != NULL);
	put_file("open/switch", "");
	CHECK_INT(prepare_run(&plan, &options, fds, &err), -ENOTSOCK);
	unlink(scratch_path("open/switch"));
	if (listen_unix(scratch_path("open/switch"), &(struct sharing){}, &listening, &err) < 0)
		TEST_FAIL("%s", err.text);
	chmod(scratch_dir, 0755);
	/* For root's group, which this process has, and that user has not. */
	chmod(scratch_path("open/switch"), 0775);
	CHECK_INT(prepare_run(&plan, &options, fds, &err), -EACCES);
	CHECK(strstr(err.text, "connection 'lan' (network 'dpdk'): user 'root' may not connect to "
			       "'") == err.text);
	chmod(scratch_path("open/switch"), 0777);
	chmod(scratch_path("open"), 0700);
	CHECK_INT(prepare_run(&plan, &options, fds, &err), -EACCES);
	chmod(scratch_path("open"), 0755);
	if (prepare_run(&plan, &options, fds, &err) < 0)
		TEST_FAIL("%s", err.text);
	CHECK_INT(geteuid(), 0);
	CHECK_INT(access(scratch_path("open"), W_OK), 0);

	/* QEMU is in a group that opens /dev/kvm, and sockets of switches are often for that. */
	const struct group *daemons = getgrnam("daemon");
	if (daemons && chown(scratch_path("open/switch"), 0, daemons->gr_gid) == 0) {
		chmod(scratch_path("open/switch"), 0770);
		CHECK_INT(prepare_run(&plan, &options, fds, &err), -EACCES);
		plan.peers[0].group = "daemon";
		if (prepare_run(&plan, &options, fds, &err) < 0)
			TEST_FAIL("%s", err.text);
		chmod(scratch_path("open/switch"), 0700);
		CHECK_INT(prepare_run(&plan, &options, fds, &err), -EACCES);
		CHECK(strstr(err.text, "for everyone (chmod o+w, and o+x for the directories "
				       "above) or for the group 'daemon', or") != NULL);
	}
	check_torn_down(&plan);
	close(listening);
	end();
}

TEST(without_systemd_nothing_is_begun)
{
	NEED_NETWORK();
	begin();
	CLEANUP(plan_done) struct plan plan = {};
	add_rows(&plan, full);
	struct error err = {};
	struct prepare_options none = options;
	none.notify_socket = NULL;
	CHECK_INT(prepare_run(&plan, &none, NULL, &err), -ENOTCONN);
	check_links("lo br0 ");
	check_file("scripts", "");
	end();
}

/* ---- failures ---- */

static void check_fails(const struct plan *plan, int code, const char *text)
{
	struct error err = {};
	CHECK_INT(prepare_run(plan, &options, NULL, &err), -code);
	CHECK_STR(without_scratch(err.text), text);
}

TEST(a_failure_undoes_what_was_done)
{
	NEED_NETWORK();
	begin();
	CLEANUP(plan_done) struct plan plan = {};
	add_rows(&plan, full);
	/* The last thing before systemd. */
	close(tpm_fd);
	check_fails(&plan, ECONNREFUSED,
			"cannot connect to 'DIR/run/web/swtpm/control.socket': Connection refused");
	check_nothing_is_left();
	check_file("scripts", "up web.dmz 1\ndown web.dmz 1\n");

	/* In the middle: a script. */
	put_file("up", "#!/bin/sh\nexit 9\n");
	put_file("scripts", "");
	CLEANUP(freep) char *text = xasprintf("network 'dmz': 'DIR/up' has failed with status 9");
	check_fails(&plan, EIO, text);
	check_nothing_is_left();
	check_file("scripts", "");

	/* Before anything is made. */
	CHECK_INT(unlink(scratch_path("cd.iso")), 0);
	check_fails(&plan, ENOENT, "volume 'cd' (pool 'isos'): 'DIR/cd.iso' does not exist");
	check_nothing_is_left();
	check_file("sys/bus/mdev/devices/11111111-2222-3333-4444-555555555555/remove", "1");
	tpm_fd = -1;
	end();
}

TEST(what_cannot_be_undone_is_told)
{
	NEED_NETWORK();
	begin();
	CLEANUP(plan_done) struct plan plan = {};
	add_rows(&plan, full);
	close(tpm_fd);
	put_file("down", "#!/bin/sh\nexit 4\n");
	check_fails(&plan, ECONNREFUSED,
			"cannot connect to 'DIR/run/web/swtpm/control.socket': Connection refused; "
			"then, when it was undone: network 'dmz': 'DIR/down' has failed with "
			"status "
			"4");
	/* All the rest is undone, the script's interface too. */
	check_nothing_is_left();

	int fds[10];
	tpm_fd = -1;
	struct error err = {};
	CHECK_INT(listen_unix(scratch_path("run/web/swtpm/control.socket"), &(struct sharing){},
				  &tpm_fd, &err),
			0);
	CHECK_INT(prepare_run(&plan, &options, fds, &err), 0);
	for (size_t i = 0; i < plan.n_fds; i++)
		close(fds[i]);
	CLEANUP(strv_done) struct strv failures = {};
	CHECK_INT(prepare_teardown(&plan, &options, &failures), -EIO);
	CHECK_INT(failures.n, 1);
	CHECK_STR(failures.n ? without_scratch(failures.items[0]) : NULL,
			"network 'dmz': 'DIR/down' has failed with status 4");
	check_nothing_is_left();
	end();
}

TEST(an_interface_of_others_stays)
{
	NEED_NETWORK();
	begin();
	CLEANUP(plan_done) struct plan plan = {};
	add_rows(&plan, full);
	CHECK_INT(system("PATH=$PATH:/sbin:/usr/sbin; ip tuntap add web.dmz mode tap"), 0);
	check_fails(&plan, EEXIST,
			"interface 'web.dmz' exists and is not of connection 'machina:web/dmz' "
			"(its "
			"alias is ''); it is left alone: rename or delete it");
	check_links("lo br0 web.dmz ");
	check_torn_down(&plan);
	check_links("lo br0 web.dmz ");
	check_file("scripts", "");
	CHECK_INT(system("PATH=$PATH:/sbin:/usr/sbin; ip link del web.dmz"), 0);
	check_nothing_is_left();
	end();
}

/* A connection that was renamed while the machine was up. */
TEST(interfaces_of_an_older_plan_are_deleted)
{
	NEED_NETWORK();
	begin();
	CLEANUP(plan_done) struct plan plan = {};
	add_rows(&plan, full);
	check_prepared(&plan);
	static const char *const rows[] = { MACHINE, NULL };
	CLEANUP(plan_done) struct plan newer = {};
	add_rows(&newer, rows);
	check_torn_down(&newer);
	check_links("lo br0 ");
	check_torn_down(&plan);
	check_nothing_is_left();
	end();
}

TEST(a_machine_is_prepared_once_at_a_time)
{
	NEED_NETWORK();
	begin();
	CLEANUP(plan_done) struct plan plan = {};
	add_rows(&plan, full);
	int ready[2];
	CHECK_INT(pipe2(ready, O_CLOEXEC), 0);
	pid_t child = fork();
	if (child == 0) {
		struct lock lock = {};
		if (lock_take(scratch_path("run/.web.lock"), 0, &lock, NULL) < 0 ||
				write(ready[1], "y", 1) != 1)
			_exit(1);
		clock_pause(50 * USEC_PER_MSEC);
		bool begun = if_nametoindex("web.lan") != 0;
		lock_done(&lock);
		_exit(begun ? 2 : 0);
	}
	char c;
	CHECK_INT(read(ready[0], &c, 1), 1);
	check_prepared(&plan);
	int status = -1;
	waitpid(child, &status, 0);
	CHECK_INT(status, 0);
	close(ready[0]);
	close(ready[1]);
	check_torn_down(&plan);
	check_nothing_is_left();
	end();
}

/* The directory that a unit gets from systemd. */
TEST(who_starts_qemu_himself_gets_a_directory_for_its_sockets)
{
	NEED_NETWORK();
	begin();
	CLEANUP(plan_done) struct plan plan = {};
	add_rows(&plan, with_screen);
	const struct account account = { .uid = 4711, .gid = 4712 };
	struct prepare_options own = options;
	struct error err = {};
	struct stat st = {};
	int fd = -1;
	/* Of an earlier run, and not what it was. */
	CHECK_INT(symlink("/etc", scratch_path("sockets")), 0);
	own.account = &account;
	own.notify_socket = NULL;
	CHECK_INT(prepare_run(&plan, &own, &fd, &err), 0);
	CHECK_STR(err.text, "");
	CHECK_INT(lstat(scratch_path("sockets"), &st), 0);
	CHECK_INT(st.st_mode, S_IFDIR | 0711);
	CHECK_INT(st.st_uid, 4711);
	CHECK_INT(st.st_gid, 4712);
	close(fd);
	put_file("sockets/spice", "");
	check_torn_down_by(&own, &plan);
	CHECK_INT(mode_at("sockets"), 0);

	/* systemd has made it (RuntimeDirectory=), and removes it unless the unit reads otherwise
	 * by then. */
	make_directory("sockets");
	check_prepared(&plan);
	CHECK_INT(lstat(scratch_path("sockets"), &st), 0);
	CHECK_INT(st.st_uid, 0);
	check_torn_down(&plan);
	CHECK_INT(mode_at("sockets"), 0);
	end();
}

/* ---- the end at any point ---- */

struct countdown {
	int left;
};

static void kill_at_zero(void *data, const char *line)
{
	(void)line;
	struct countdown *c = data;
	if (c->left-- == 0)
		raise(SIGKILL);
}

TEST(killed_at_any_step_it_can_be_torn_down)
{
	NEED_NETWORK();
	begin();
	CLEANUP(plan_done) struct plan plan = {};
	add_rows(&plan, full);
	int n = 0;
	for (bool killed = true; killed; n++) {
		pid_t child = fork();
		if (child == 0) {
			struct countdown c = { n };
			struct prepare_options o = options;
			o.on_step = kill_at_zero;
			o.data = &c;
			_exit(prepare_run(&plan, &o, NULL, NULL) < 0);
		}
		int status = -1;
		waitpid(child, &status, 0);
		killed = WIFSIGNALED(status);
		if (!killed)
			CHECK_INT(status, 0);
		check_torn_down(&plan);
		check_nothing_is_left();
	}
	/* A step for each line, and one run to the end. */
	CHECK_INT(n, 16);
	end();
}

/*
 * Run the child until its @n-th system call and end it there. 1: it was ended; 0: it came to its
 * own end, well.
 */
static int run_until(pid_t child, unsigned n)
{
	int status;
	if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status))
		return -1;
	for (unsigned i = 0; i < n; i++) {
		if (ptrace(PTRACE_SYSCALL, child, NULL, NULL) < 0 ||
				waitpid(child, &status, 0) != child)
			return -1;
		if (WIFEXITED(status))
			return WEXITSTATUS(status) == 0 ? 0 : -1;
		/* Its children come and go. */
		if (WIFSTOPPED(status) && WSTOPSIG(status) != SIGTRAP)
			i--;
	}
	kill(child, SIGKILL);
	while (waitpid(child, &status, 0) == child && !WIFSIGNALED(status) && !WIFEXITED(status))
		continue;
	return 1;
}

static void check_killed_anywhere(const char *const *rows)
{
	begin();
	CLEANUP(plan_done) struct plan plan = {};
	add_rows(&plan, rows);
	unsigned n = 1;
	int r = 1;
	for (; r > 0; n++) {
		pid_t child = fork();
		if (child == 0) {
			if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
				_exit(3);
			raise(SIGSTOP);
			_exit(prepare_run(&plan, &options, NULL, NULL) < 0);
		}
		r = run_until(child, n);
		check_torn_down(&plan);
		check_nothing_is_left();
	}
	CHECK_INT(r, 0);
	/* It has been through more than a handful of places. */
	CHECK(n > 100);
	end();
}

TEST(killed_at_any_system_call_it_can_be_torn_down)
{
	NEED_NETWORK();
	static const char *const rows[] = {
		MACHINE,
		"tap name=net.0 link=web.lan connection=lan network=lan bridge=br0 "
		"mac=52:54:00:00:00:01 down=/bin/true",
		"file name=disk.0 path=DIR/os.raw writable=yes volume=os pool=guest-data",
		"listen name=qmp.0 path=DIR/run/web/qmp/systemd.0.qmp.socket",
		"log name=console.log path=DIR/run/web/console.log",
		NULL,
	};
	check_killed_anywhere(rows);
}

/* A macvtap, unlike a tap, stays when nobody has it open. */
TEST(killed_while_it_makes_a_macvtap_it_can_be_torn_down)
{
	NEED_NETWORK();
	NEED_MACVTAP();
	static const char *const modes[] = { "bridge", "passthru" };
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		CLEANUP(freep)
		char *row = xasprintf("macvtap name=net.0 link=web.lan connection=lan network=lan "
				      "device=br0 macvtap-mode=%s mac=52:54:00:00:00:01",
				modes[i]);
		const char *const rows[] = { MACHINE, row, NULL };
		check_killed_anywhere(rows);
	}
}

/* ---- after the start ---- */

/* QEMU, as far as it is asked here: it greets, and it runs. */
static pid_t be_qemu(int listening)
{
	pid_t child = fork();
	if (child != 0)
		return child;
	static const char greeting[] = "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n";
	int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
	if (send(fd, greeting, sizeof(greeting) - 1, MSG_NOSIGNAL) < 0)
		_exit(1);
	char line[4096];
	for (ssize_t n; (n = recv(fd, line, sizeof(line) - 1, 0)) > 0;) {
		line[n] = '\0';
		char id[64] = "", reply[256];
		const char *at = strstr(line, "\"id\":\"");
		if (!at || sscanf(at, "\"id\":\"%63[^\"]", id) != 1)
			_exit(1);
		snprintf(reply, sizeof(reply), "{\"id\": \"%s\", \"return\": %s}\r\n", id,
				strstr(line, "query-status") ? "{\"status\": \"running\"}" : "{}");
		if (send(fd, reply, strlen(reply), MSG_NOSIGNAL) < 0)
			_exit(1);
	}
	_exit(0);
}

/* Each message wakes systemd up. */
TEST(systemd_forgets_nothing_where_nothing_was_left)
{
	NEED_NETWORK();
	begin();
	CLEANUP(plan_done) struct plan plan = {};
	add_rows(&plan, full);
	plan.is_all = true;
	check_prepared(&plan);
	CLEANUP(buf_done) struct buf said = {};
	CHECK_INT(file_read(scratch_path("said"), 65536, &said, NULL), 0);
	CHECK(strstr(buf_text(&said), "FDSTORE=1 "));
	CHECK(!strstr(buf_text(&said), "FDSTOREREMOVE=1"));

	/* Some of it is there now. */
	plan.is_all = false;
	check_prepared(&plan);
	buf_truncate(&said, 0);
	CHECK_INT(file_read(scratch_path("said"), 65536, &said, NULL), 0);
	CHECK(strstr(buf_text(&said), "FDSTOREREMOVE=1"));
	check_torn_down(&plan);
	check_nothing_is_left();
	end();
}

TEST(when_qemu_answers_systemd_forgets)
{
	NEED_NETWORK();
	if (!have_pidfd())
		SKIP("pidfd_open(2) is missing");
	begin();
	CLEANUP(plan_done) struct plan plan = {};
	add_rows(&plan, full);
	check_prepared(&plan);
	/* In the store is a descriptor that this process cannot reach: QEMU's socket, again. */
	int listening = -1;
	struct error err = {};
	CHECK_INT(listen_unix(plan_find(&plan, "qmp.0")->path, &(struct sharing){}, &listening,
				  &err),
			0);
	pid_t qemu = be_qemu(listening);
	close(listening);
	if (prepare_await(&plan, &options, qemu, clock_deadline_usec(LIMIT_USEC), &err) < 0)
		TEST_FAIL("%s", err.text);
	check_file("store", "");
	waitpid(qemu, NULL, 0);
	/* Only the tap that a script wants to see is left of what systemd had. */
	check_links("lo br0 web.dmz ");

	/* QEMU is gone. */
	CHECK_INT(prepare_await(&plan, &options, qemu, clock_deadline_usec(LIMIT_USEC), &err),
			-ESRCH);
	check_torn_down(&plan);
	check_nothing_is_left();
	end();
}

static void check_faults(const struct plan *plan, const char *const *expected)
{
	CLEANUP(strv_done) struct strv faults = {};
	size_t n = 0;
	prepare_check(plan, &options, &faults);
	for (; expected[n]; n++)
		if (n >= faults.n || !strstr(faults.items[n], expected[n]))
			TEST_FAIL("'%s' is not told: %s", expected[n],
					n < faults.n ? faults.items[n] : "nothing");
	CHECK_INT(faults.n, n);
}

TEST(what_a_machine_that_runs_would_not_get_again_shows)
{
	NEED_NETWORK();
	static const char *const nothing[] = { NULL };
	static const char *const gone[] = {
		"volume 'share' (pool 'shares'): '",
		"volume 'os' (pool 'guest-data'): '",
		"vmlinuz' does not exist",
		"network 'dmz': cannot execute '",
		NULL,
	};
	begin();
	CLEANUP(plan_done) struct plan plan = {};
	add_rows(&plan, full);
	check_prepared(&plan);
	check_faults(&plan, nothing);
	unlink(scratch_path("os.raw"));
	unlink(scratch_path("vmlinuz"));
	rmdir(scratch_path("share"));
	chmod(scratch_path("up"), 0644);
	check_faults(&plan, gone);
	check_links("lo br0 web.lan web.dmz ");
	chmod(scratch_path("up"), 0755);
	check_torn_down(&plan);
	check_nothing_is_left();
	end();
}

TEST(interfaces_that_a_machine_would_not_get_again_show)
{
	NEED_NETWORK();
	static const char *const rows[] = {
		MACHINE,
		"tap name=net.0 link=web.lan connection=lan network=lan bridge=br9 "
		"mac=52:54:00:00:00:01",
		"macvtap name=net.1 link=web.wan connection=wan network=wan device=eth9 "
		"mac=52:54:00:00:00:02",
		NULL,
	};
	static const char *const gone[] = {
		"network 'lan': the bridge 'br9' does not exist",
		"network 'wan': the interface 'eth9' does not exist",
		NULL,
	};
	static const char *const taken[] = {
		"interface 'web.lan' exists and is not of connection 'machina:web/lan'",
		"interface 'web.wan' exists and is not of connection 'machina:web/wan'",
		NULL,
	};
	begin();
	CLEANUP(plan_done) struct plan plan = {};
	add_rows(&plan, rows);
	check_faults(&plan, gone);
	CHECK_INT(system("PATH=$PATH:/sbin:/usr/sbin; ip link add web.lan type bridge && "
			 "ip link add web.wan type bridge"),
			0);
	check_faults(&plan, taken);
	check_links("lo br0 web.lan web.wan ");
	end();
}

TEST(a_plan_without_a_monitor_cannot_be_awaited)
{
	static const char *const rows[] = { MACHINE, NULL };
	scratch_begin();
	CLEANUP(plan_done) struct plan plan = {};
	add_rows(&plan, rows);
	struct error err = {};
	CHECK_INT(prepare_await(&plan, &options, 0, 0, &err), -EINVAL);
	CHECK_STR(err.text, "the plan of machine 'web' has no QMP socket");
	CLEANUP(strv_done) struct strv lines = {};
	CHECK_INT(prepare_describe_await(&plan, &lines, &err), -EINVAL);
	CHECK_INT(lines.n, 0);
	scratch_end();
}

TEST_MAIN()
