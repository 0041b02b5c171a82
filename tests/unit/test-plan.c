/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan survives its way through the rows of a unit. */
#include "model/plan.h"

#include "rows.h"
#include "test.h"
#include "util/mem.h"

static struct vm_volume disk(const char *name, const char *path, const char *type)
{
	return (struct vm_volume){ .name = name,
		.pool = "tank",
		.path = path,
		.serial = "",
		.wwn = "",
		.type = vm_storage_type_find(type) };
}

static struct vm_credential credentials[] = { { "ssh.authorized_keys.root", "/etc/a b" },
	{ "a%,\\", "/x=y" } };

static struct vm_seed_item seed[] = { { VM_SEED_INSTANCE_ID, "a b=c" },
	{ VM_SEED_KEY, "ssh-ed25519 AAAA \"al\" 50% $HOME \\" }, { VM_SEED_UPGRADE, NULL },
	{ VM_SEED_NETWORK, "{\"version\":2}" }, { VM_SEED_VENDOR_DATA, "/x y" } };

/* A machine with one of everything, and names that only careful quoting brings through. */
static void fill(struct vm *vm, struct vm_volume *volumes, struct vm_nic *nics,
		struct vm_mdev *mdevs, struct vm_mdev_parent *parents, struct vm_qmp_socket *qmp)
{
	static const int64_t placements[] = { 0, -16, 32 };
	volumes[0] = disk("os", "/tank/a b,c=d/os.raw", "raw");
	volumes[0].cache = DISK_CACHE_NONE;
	volumes[1] = disk("data", "/tank/\xc3\xa4 %n $HOME \"x\".qcow2", "qcow2-block");
	volumes[2] = disk("cd", "/iso/x.iso", "iso-scsi");
	volumes[2].readonly = true;
	volumes[3] = disk("fat", "/srv/share", "vvfat-block");
	nics[0] = (struct vm_nic){ .name = "lan",
		.network = "lan",
		.mac = "52:54:00:00:00:01",
		.link = "web.lan",
		.bridge = "br0",
		.join = true,
		.mtu = 9000,
		.managed = true,
		.vlan = 20,
		.isolate = true,
		.vhost = true,
		.queues = 3 };
	nics[1] = (struct vm_nic){ .name = "dmz",
		.network = "dmz",
		.mac = "52:54:00:00:00:02",
		.link = "web.dmz",
		.bridge = "br1",
		.disconnected = true,
		.up = "/etc/dmz up",
		.down = "/etc/dmz=down" };
	nics[2] = (struct vm_nic){ .name = "out",
		.network = "out",
		.mac = "52:54:00:00:00:03",
		.link = "web.out",
		.disconnected = true,
		.mode = NETWORK_USER };
	nics[3] = (struct vm_nic){ .name = "phys",
		.network = "phys",
		.mac = "52:54:00:00:00:04",
		.link = "web.phys",
		.mode = NETWORK_MACVTAP,
		.managed = true,
		.device = "eth0",
		.macvtap_mode = MACVTAP_VEPA,
		.queues = 2,
		.mtu = 1400 };
	nics[4] = (struct vm_nic){ .name = "fast",
		.network = "fast",
		.mac = "52:54:00:00:00:05",
		.link = "web.fast",
		.mode = NETWORK_VHOST_USER,
		.managed = true,
		.socket = "/run/dpdk/x y" };
	nics[5] = (struct vm_nic){ .name = "own",
		.network = "own",
		.mac = "52:54:00:00:00:06",
		.link = "web.own",
		.mode = NETWORK_VHOST_USER,
		.managed = true };
	parents[0] = (struct vm_mdev_parent){ "0000:41:00.0", "NVIDIA A40-8Q", true, placements,
		3 };
	parents[1] = (struct vm_mdev_parent){ "0000:81:00.0", "type=x", false, NULL, 0 };
	mdevs[0] = (struct vm_mdev){ "vgpu", "cad", "3e2cee4d-1002-4989-af98-3e03b8ad3197", parents,
		2 };
	qmp[0] = (struct vm_qmp_socket){ "systemd.0", "" };
	qmp[1] = (struct vm_qmp_socket){ "/run/x.sock", "/run/x.sock" };
	*vm = (struct vm){
		.name = "web",
		.user = "machina-web",
		.volumes = volumes,
		.n_volumes = 4,
		.nics = nics,
		.n_nics = 6,
		.mdevs = mdevs,
		.n_mdevs = 1,
		.vsock = { true, 4294967294 },
		.credentials = credentials,
		.n_credentials = 2,
		.seed = seed,
		.n_seed = ARRAY_SIZE(seed),
		.qmp = qmp,
		.n_qmp = 2,
		.agent = { .enabled = true, .port = 4907 },
		.tpm = { .enabled = true, .data = "/tank/tpm", .socket = "" },
		.spice = { .enabled = true },
		.vnc = { .enabled = true, .port = 5931 },
		.serial = true,
	};
}

static void make(struct plan *plan, struct plan *tpm)
{
	struct vm vm;
	struct vm_volume volumes[4], kernel = disk("kernel", "/boot/vmlinuz", "firmware");
	struct vm_nic nics[6];
	static struct vm_mdev mdevs[1]; /* plans borrow them */
	static struct vm_mdev_parent parents[2];
	struct vm_qmp_socket qmp[2];
	fill(&vm, volumes, nics, mdevs, parents, qmp);
	kernel.readonly = true;
	vm.kernel = &kernel;
	plan_build(&vm, "/run/machina", plan);
	plan_build_tpm(&vm, "/run/machina", tpm);
}

TEST(shares_are_served_by_units_of_their_own)
{
	struct vm_share shares[] = {
		{ .name = "docs", .path = "/srv/a b", .user = "machina-x", .readonly = true },
		{ .name = "w", .path = "/srv/w", .user = "alice", .user_exists = true },
	};
	struct vm vm = { .name = "web", .user = "machina-web", .shares = shares, .n_shares = 2 };
	CLEANUP(plan_done) struct plan qemu = {}, docs = {}, w = {};
	plan_build(&vm, "/run/machina", &qemu);
	plan_build_share(&vm, 0, "/run/machina", &docs);
	plan_build_share(&vm, 1, "/run/machina", &w);

	const struct plan_fd *fd = plan_find(&qemu, "share.0");
	CHECK_INT(fd->kind, PLAN_FD_CONNECT);
	CHECK_STR(plan_share_of(fd), "docs");
	CHECK_STR(fd->path, plan_find(&docs, "control")->path);
	CHECK_STR(plan_share_of(plan_find(&qemu, "share.1")), "w");
	CHECK(!plan_share_of(plan_find(&docs, "control")));
	CHECK(!plan_is_companion(&qemu) && plan_is_companion(&docs));
	CHECK_STR(docs.share, "docs");
	CHECK_STR(docs.user, "machina-x");
	CHECK(!plan_find(&docs, "tree")->writable);
	CHECK(plan_find(&w, "tree")->writable);
	CHECK_STR(w.user, "alice");
}

static char *rows_of(const struct plan *plan)
{
	CLEANUP(buf_done) struct buf rows = {};
	plan_put_rows(plan, &rows);
	return rows_text(&rows);
}

/* A filter of all there is, in a plan of one tap. */
static void make_filtered(struct plan *plan)
{
	static const struct fw_span ports[] = { { 22, 22 }, { 1000, 2000 } },
				    types[] = { { 8, 8 } };
	static const struct fw_range v4[] = { { { 10, 0, 0, 0 }, { 10, 0, 0, 255 } },
		{ { 192, 0, 2, 5 }, { 192, 0, 2, 7 } } };
	static const struct fw_range v6[] = { { { 0xfe, 0x80 }, { 0xfe, 0x80 } } };
	static const char *const names[] = { "corp", "web" };
	static const uint16_t vlans[] = { 20, 4094 };
	static struct fw_rule rules[] = {
		{ .direction = FW_IN,
				.action = FW_ACCEPT,
				.protocol = 6,
				.ports = ports,
				.n_ports = 2,
				.addresses = { .of = { { v4, 2 }, { v6, 1 } } },
				.sets = names,
				.n_sets = 1,
				.groups = names,
				.n_groups = 2,
				.log = true,
				.rate_count = 10,
				.rate_seconds = 60,
				.priority = 5,
				.comment = "a \"b\" = %n",
				.origin = "vm #1" },
		{ .direction = FW_OUT,
				.action = FW_REJECT,
				.protocol = 1,
				.types = types,
				.n_types = 1,
				.priority = 200,
				.comment = "",
				.origin = "vm #3" },
		{ .direction = FW_OUT,
				.action = FW_DROP,
				.protocol = -1,
				.priority = 999,
				.comment = "",
				.origin = "vm #4" },
		{ .direction = FW_IN, .protocol = 0, .priority = 1, .comment = "", .origin = "x" },
	};
	static const struct vm_filter filter = {
		.groups = names,
		.n_groups = 2,
		.rules = rules,
		.n_rules = ARRAY_SIZE(rules),
		.has_any = true,
		.defaults = { { FW_DEFAULT_NONE, FW_DEFAULT_DROP },
				{ FW_DEFAULT_ACCEPT, FW_DEFAULT_NONE },
				{ FW_DEFAULT_DROP, FW_DEFAULT_ACCEPT } },
		.guard = { .mac = true, .address = FW_GUARD_ADDRESS_STRICT, .other = true },
		.ip = { .of = { { &v4[1], 1 }, { v6, 1 } } },
		.vlans = vlans,
		.n_vlans = 2,
	};
	static const struct vm_filter bare = { .defaults = { { -1, -1 }, { -1, -1 }, { -1, -1 } } };
	struct vm_nic nics[] = {
		{ .name = "a", .network = "n", .mac = "m", .link = "w.a", .filter = &filter },
		{ .name = "b", .network = "n", .mac = "m", .link = "w.b" },
		{ .name = "c", .network = "n", .mac = "m", .link = "w.c", .filter = &bare },
	};
	const struct vm vm = { .name = "w", .user = "u", .nics = nics, .n_nics = 3 };
	plan_build(&vm, "/run/machina", plan);
}

static void check_round_trip(const struct plan *plan)
{
	CLEANUP(plan_done) struct plan back = {};
	CLEANUP(buf_done) struct buf rows = {};
	CLEANUP(strv_done) struct strv words = {};
	struct error err = {};
	plan_put_rows(plan, &rows);
	for (const char *at = NULL; rows_next(&rows, &at, &words);)
		if (plan_parse_row(&back, &words, &err) < 0)
			TEST_FAIL("%s: %s", words.items[0], err.text);
	if (plan_parse_end(&back, &err) < 0)
		TEST_FAIL("%s", err.text);
	CLEANUP(freep) char *before = rows_text(&rows);
	CLEANUP(freep) char *after = rows_of(&back);
	CHECK_STR(after, before);
	CHECK_INT(back.n_fds, plan->n_fds);
	CHECK_INT(back.n_sets, plan->n_sets);
	for (size_t i = 0; i < plan->n_fds && i < back.n_fds; i++) {
		CHECK_INT(back.fds[i].number, plan->fds[i].number);
		CHECK_INT(back.fds[i].set, plan->fds[i].set);
	}
}

TEST(rows_read_back_as_the_same_plan)
{
	CLEANUP(plan_done) struct plan plan = {}, tpm = {};
	make(&plan, &tpm);
	check_round_trip(&plan);
	check_round_trip(&tpm);
}

TEST(filters_are_rows_behind_all_others)
{
	static const char expected[] =
			"filter name=net.0 group=corp group=web any=yes connection-out=drop "
			"machine-in=accept "
			"network-in=drop network-out=accept guard=mac guard=other "
			"guard=address-strict "
			"ip=192.0.2.5-192.0.2.7 ip=fe80:: vlan=20 vlan=4094\n"
			"rule direction=in action=accept protocol=6 port=22 port=1000-2000 "
			"address=10.0.0.0/24 address=192.0.2.5-192.0.2.7 address=fe80:: set=corp "
			"group=corp "
			"group=web log=yes rate=10/60 priority=5 comment=a \"b\" = %n origin=vm "
			"#1\n"
			"rule direction=out action=reject protocol=1 type=8 priority=200 origin=vm "
			"#3\n"
			"rule direction=out action=drop priority=999 origin=vm #4\n"
			"rule direction=in action=accept protocol=0 priority=1 origin=x\n"
			"filter name=net.2\n";
	CLEANUP(plan_done) struct plan plan = {};
	make_filtered(&plan);
	CLEANUP(freep) char *rows = rows_of(&plan);
	const char *row = rows;
	for (int others = 0; others < 1 + 3; others++)
		row = strchr(row, '\n') + 1;
	CHECK_STR(row, expected);
	check_round_trip(&plan);
	CHECK(!plan_find(&plan, "net.1")->filter);
}

TEST(numbers_follow_the_order_and_sets_only_files)
{
	CLEANUP(plan_done) struct plan plan = {}, tpm = {};
	make(&plan, &tpm);
	int set = 0;
	for (size_t i = 0; i < plan.n_fds; i++) {
		bool in_set = plan.fds[i].kind == PLAN_FD_FILE ||
			      plan.fds[i].kind == PLAN_FD_SEED || plan.fds[i].kind == PLAN_FD_LOG;
		CHECK_INT(plan.fds[i].number, PLAN_FD_FIRST + (int)i);
		CHECK_INT(plan.fds[i].set, in_set ? ++set : -1);
	}
	CHECK_INT(plan.n_sets, set);
}

TEST(a_plan_opens_what_the_machine_needs)
{
	CLEANUP(plan_done) struct plan plan = {}, tpm = {};
	make(&plan, &tpm);
	const struct plan_fd *os = plan_find(&plan, "disk.0"), *cd = plan_find(&plan, "disk.2");
	CHECK(os && os->writable && os->direct && os->format == PLAN_FORMAT_RAW);
	CHECK(cd && !cd->writable && !cd->direct);
	CHECK_INT(plan_find(&plan, "disk.1")->format, PLAN_FORMAT_QCOW2);
	CHECK(!plan_find(&plan, "disk.3"));
	CHECK_INT(plan.n_directories, 1);
	CHECK_STR(plan.directories[0].path, "/srv/share");
	CHECK_STR(plan_find(&plan, "net.0")->bridge, "br0");
	CHECK(!plan_find(&plan, "net.1")->bridge);
	CHECK(!plan_find(&plan, "net.2"));
	CHECK_INT(plan_find(&plan, "net.0")->vlan, 20);
	CHECK(plan_find(&plan, "net.0")->isolate && plan_find(&plan, "net.0")->protect);
	CHECK(!plan_find(&plan, "net.1")->protect);
	CHECK(!plan_find(&plan, "net.0")->disconnected);
	CHECK(plan_find(&plan, "net.1")->disconnected);
	CHECK(plan.netdevs[0].disconnected);
	/* What can be missing is the last. */
	CHECK(plan_find(&plan, "vhost.0") == &plan.fds[plan.n_fds - 3]);
	CHECK(plan_find(&plan, "vhost.0.2") == &plan.fds[plan.n_fds - 1]);
	CHECK(!plan_find(&plan, "vhost.1"));
	CHECK_STR(plan_find(&plan, "qmp.0")->path, "/run/machina/web/qmp/systemd.0.qmp.socket");
	CHECK_STR(plan_find(&plan, "qmp.1")->path, "/run/x.sock");
	CHECK_STR(plan_find(&plan, "tpm")->path, "/run/machina/web/swtpm/control.socket");
	CHECK_INT(plan_find(&plan, "agent")->port, 4907);
	CHECK_STR(plan.sockets[0].path, "/run/machina-qemu/web/spice");
	CHECK_INT(plan.sockets[0].port, 0);
	CHECK_STR(plan.sockets[1].path, "/run/machina-qemu/web/vnc");
	CHECK_INT(plan.sockets[1].port, 5931);
	CHECK_STR(tpm.tpm_data, "/tank/tpm");
	CHECK_STR(tpm.user, "machina-tpm-web");
}

/* A row whose words are separated by blanks. */
static int parse_text(struct plan *plan, const char *text, struct error *err)
{
	CLEANUP(strv_done) struct strv words = {};
	CLEANUP(freep) char *copy = xstrdup(text);
	char *state = NULL;
	for (char *w = strtok_r(copy, " ", &state); w; w = strtok_r(NULL, " ", &state))
		strv_push(&words, w);
	return plan_parse_row(plan, &words, err);
}

TEST(queues_stand_behind_their_interface)
{
	static const char *const interfaces[] = { "net.0", "net.1", "net.3" };
	static const size_t expected[] = { 3, 1, 2 };
	CLEANUP(plan_done) struct plan plan = {}, tpm = {};
	make(&plan, &tpm);
	for (size_t i = 0; i < ARRAY_SIZE(interfaces); i++) {
		const struct plan_fd *fd = plan_find(&plan, interfaces[i]);
		CHECK_INT(plan_n_queues(&plan, (size_t)(fd - plan.fds)), expected[i]);
		for (size_t k = 1; k < expected[i]; k++) {
			CLEANUP(freep) char *name = xasprintf("%s.%zu", interfaces[i], k);
			CHECK_STR(fd[k].name, name);
			CHECK_STR(fd[k].link, fd->link);
			CHECK(fd[k].kind == PLAN_FD_QUEUE && !fd[k].connection);
		}
	}
}

TEST(a_queue_of_another_interface_is_refused)
{
	CLEANUP(plan_done) struct plan plan = {};
	struct error err = {};
	CHECK_INT(parse_text(&plan, "tap name=net.0 link=x connection=c mac=y", &err), 0);
	CHECK_INT(parse_text(&plan, "queue name=net.0.1 link=x", &err), 0);
	CHECK_INT(parse_text(&plan, "queue name=net.0.2 link=x", &err), 0);
	CHECK_INT(parse_text(&plan, "queue name=net.1.1 link=y", &err), -EINVAL);
	CHECK_INT(parse_text(&plan, "usb-node name=usb.0", &err), 0);
	CHECK_INT(parse_text(&plan, "queue name=net.0.3 link=x", &err), -EINVAL);
	CHECK_INT(plan_n_queues(&plan, 0), 3);
}

static void check_refused(const char *text)
{
	CLEANUP(plan_done) struct plan plan = {};
	struct error err = {};
	int r = parse_text(&plan, text, &err);
	if (r == 0)
		r = plan_parse_end(&plan, &err);
	if (r != -EINVAL)
		TEST_FAIL("'%s' was taken", text);
	else
		CHECK(err.text[0]);
}

TEST(rows_of_others_are_refused)
{
	static const char *const bad[] = {
		"",
		"unknown",
		"file",
		"file name=disk.0",
		"file name=disk.0 path=x",
		"file name=disk.0 path=/x color=red",
		"file name=disk.0 path=/x writable=maybe",
		"file name=disk.0 path=/x format=vmdk",
		"tap name=net.0",
		"tap name=net.0 link=x",
		"macvtap name=net.0 link=x connection=c mac=y",
		"queue name=net.0.1",
		"queue name=net.0.1 link=x",
		"macvtap name=net.0 link=x connection=c mac=y device=d macvtap-mode=hub",
		"listen-tcp name=agent",
		"listen-tcp name=agent port=70000",
		"listen-tcp name=agent port=0",
		"tap name=net.0 link=x mac=y mtu=big",
		"tap name=net.0 link=x connection=c mac=y vlan=70000",
		"vhost name=vhost.0",
		"parent address=x type=y",
		"mdev",
		"mdev name=a class=b",
		"pci",
		"pci name=a class=b",
		"pci name=a class=b function=x",
		"candidate address=0000:01:00.0",
		"vf connection=lan",
		"vf connection=lan network=x mac=52:54:00:00:00:01",
		"vf connection=lan network=x mac=52:54:00:00:00:01 vlan=x",
		"usb",
		"usb name=a class=b",
		"plug id=0529:0001",
		"directory",
		"socket name=spice",
		"peer name=net.0 path=/s connection=c",
		"peer path=/s connection=c network=n",
		"peer name=net.0 path=/s connection=c network=n mode=x",
		"socket name=spice path=/s port=70000",
		"netdev name=net.0",
		"netdev connection=0",
		"machine name=x",
		"machine name=x user=u run-dir=r socket-dir=/s",
		"machine name",
		"filter",
		"filter name=disk.0",
		"rule direction=in priority=1 origin=x",
		"file name",
		"=",
	};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		check_refused(bad[i]);
}

TEST(rows_of_other_filters_are_refused)
{
	static const char *const bad[] = {
		"filter name=net.1",
		"filter",
		"filter guard=mac name=net.0",
		"filter name=net.0 guard=all",
		"filter name=net.0 any=no",
		"filter name=net.0 ip=x",
		"filter name=net.0 ip=10.0.0.1/24",
		"filter name=net.0 vlan=0",
		"filter name=net.0 vlan=4095",
		"filter name=net.0 machine-in=reject",
		"filter name=net.0 group-in=drop",
		"filter name=net.0 group",
		"filter name=net.0 port=1",
		"rule direction=in",
		"rule direction=up priority=1 origin=x",
		"rule action=deny priority=1 origin=x",
		"rule protocol=256 priority=1 origin=x",
		"rule port=65536 priority=1 origin=x",
		"rule port=2-1 priority=1 origin=x",
		"rule address=fe80::/129 priority=1 origin=x",
		"rule rate=10 priority=1 origin=x",
		"rule rate=0/1 priority=1 origin=x",
		"rule log=no priority=1 origin=x",
		"rule priority=1000 origin=x",
		"rule priority=1",
		"rule priority=1 origin=x machine-in=drop",
		"rule priority=1 origin=x guard=mac",
	};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CLEANUP(plan_done) struct plan plan = {};
		struct error err = {};
		CHECK_INT(parse_text(&plan, "tap name=net.0 link=x connection=a mac=m", &err), 0);
		if (bad[i][0] == 'r')
			CHECK_INT(parse_text(&plan, "filter name=net.0", &err), 0);
		if (parse_text(&plan, bad[i], &err) != -EINVAL)
			TEST_FAIL("taken: %s", bad[i]);
	}
}

TEST(connections_are_found_whatever_they_are_made_of)
{
	CLEANUP(plan_done) struct plan plan = {}, tpm = {};
	make(&plan, &tpm);
	static const struct {
		const char *name, *id, *netdev, *link;
	} expected[] = {
		{ "lan", "net.0", "net0", "web.lan" },
		{ "dmz", "net.1", "net.1", "web.dmz" },
		{ "phys", "net.3", "net.3", NULL },
		{ "out", "net.2", "net.2", NULL },
		{ "fast", "net.4", "net.4", NULL },
		{ "own", "net.5", "net.5", NULL },
	};
	CHECK_INT(plan_n_connections(&plan), ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		const struct plan_connection c = plan_connection(&plan, i);
		CLEANUP(freep) char *netdev = plan_netdev_id(&plan, c.id);
		CHECK_STR(c.name, expected[i].name);
		CHECK_STR(c.network, expected[i].name);
		CHECK_STR(c.id, expected[i].id);
		CHECK_STR(netdev, expected[i].netdev);
		CHECK_STR(c.tap ? c.tap->link : "", expected[i].link ? expected[i].link : "");
	}
	CHECK_INT(plan_n_connections(&tpm), 0);
}

TEST(two_descriptors_of_one_name_are_refused)
{
	CLEANUP(plan_done) struct plan plan = {};
	struct error err = {};
	const char *const rows[][5] = {
		{ "machine", "name=w", "user=u", "run-dir=/r", "socket-dir=/s" },
		{ "listen", "name=a", "path=/1" },
		{ "listen", "name=a", "path=/2" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(strv_done) struct strv words = {};
		for (size_t k = 0; k < 5 && rows[i][k]; k++)
			strv_push(&words, rows[i][k]);
		CHECK_INT(plan_parse_row(&plan, &words, &err), 0);
	}
	CHECK_INT(plan_parse_end(&plan, &err), -EINVAL);
}

TEST(rows_of_devices_read_back)
{
	static const char *const rows[] = {
		"machine name=web user=u run-dir=/r socket-dir=/s",
		"file name=disk.0 path=/x",
		"usb-node name=usb.0",
		"mdev name=vgpu class=cad uuid=3e2cee4d-1002-4989-af98-3e03b8ad3197",
		"parent address=0000:41:00.0 type=t placement=-1 placement=4",
		"pci name=gpu class=gpu function=1 function=3",
		"candidate address=0000:01:00.0",
		"candidate vendor=10de device=2684",
		"pci name=nic class=nic",
		"candidate address=0000:04:00.0 vendor=8086 device=1521",
		("vf connection=lan network=fast mac=52:54:00:00:00:01 vlan=20 spoof-check=yes "
		 "trust=yes"),
		"candidate interface=enp65s0f0 virtual-functions=8",
		"pci name=disk class=disk",
		"candidate address=0000:05:00.0 virtual-functions=4",
		"usb name=key class=licence",
		"plug id=0529:0001",
		"plug id=0529:0001 port=1-2.3",
	};
	CLEANUP(plan_done) struct plan plan = {};
	CLEANUP(buf_done) struct buf text = {};
	struct error err = {};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(strv_done) struct strv words = {};
		CLEANUP(freep) char *copy = xstrdup(rows[i]);
		buf_printf(&text, "%s\n", rows[i]);
		char *rest = copy;
		for (char *word; (word = strsep(&rest, " "));)
			strv_push(&words, word);
		if (plan_parse_row(&plan, &words, &err) < 0)
			TEST_FAIL("%s: %s", rows[i], err.text);
	}
	CHECK_INT(plan_parse_end(&plan, &err), 0);
	CHECK_INT(plan.n_pcis, 4);
	CHECK_INT(plan.n_usbs, 1);
	CHECK_INT(plan.usbs[0].n_candidates, 2);
	CHECK_INT(plan_usb_fd(&plan, 0)->set, 2);
	CHECK(!vm_pci_is_fixed(&plan.pcis[2]) && !vm_pci_is_fixed(&plan.pcis[3]));
	CHECK_INT(plan.pcis[0].n_candidates, 2);
	CHECK(vm_pci_is_fixed(&plan.pcis[1]));
	CLEANUP(freep) char *again = rows_of(&plan);
	CHECK_STR(again, buf_text(&text));
}

TEST_MAIN()
