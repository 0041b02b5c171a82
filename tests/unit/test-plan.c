/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan survives its way through the rows of a unit. */
#include "model/plan.h"

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
		.mtu = 9000 };
	nics[1] = (struct vm_nic){ .name = "dmz",
		.network = "dmz",
		.mac = "52:54:00:00:00:02",
		.link = "web.dmz",
		.bridge = "br1",
		.up = "/etc/dmz up",
		.down = "/etc/dmz=down" };
	nics[2] = (struct vm_nic){ .name = "out",
		.network = "out",
		.mac = "52:54:00:00:00:03",
		.link = "web.out",
		.mode = NETWORK_USER };
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
		.n_nics = 3,
		.mdevs = mdevs,
		.n_mdevs = 1,
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
	struct vm_nic nics[3];
	struct vm_mdev mdevs[1];
	struct vm_mdev_parent parents[2];
	struct vm_qmp_socket qmp[2];
	fill(&vm, volumes, nics, mdevs, parents, qmp);
	kernel.readonly = true;
	vm.kernel = &kernel;
	plan_build(&vm, "/run/machina", plan);
	plan_build_tpm(&vm, "/run/machina", tpm);
}

static void rows_of(const struct plan *plan, struct strv *ret)
{
	for (size_t i = 0; i < plan_n_rows(plan); i++) {
		CLEANUP(strv_done) struct strv words = {};
		CLEANUP(buf_done) struct buf joined = {};
		plan_row(plan, i, &words);
		for (size_t k = 0; k < words.n; k++)
			buf_printf(&joined, "%s|", words.items[k]);
		strv_push(ret, buf_text(&joined));
	}
}

static void check_round_trip(const struct plan *plan)
{
	CLEANUP(plan_done) struct plan back = {};
	CLEANUP(strv_done) struct strv before = {}, after = {};
	struct error err = {};
	for (size_t i = 0; i < plan_n_rows(plan); i++) {
		CLEANUP(strv_done) struct strv words = {};
		plan_row(plan, i, &words);
		if (plan_parse_row(&back, &words, &err) < 0)
			TEST_FAIL("row %zu: %s", i, err.text);
	}
	if (plan_parse_end(&back, &err) < 0)
		TEST_FAIL("%s", err.text);
	rows_of(plan, &before);
	rows_of(&back, &after);
	CHECK_INT(after.n, before.n);
	for (size_t i = 0; i < before.n && i < after.n; i++)
		CHECK_STR(after.items[i], before.items[i]);
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

TEST(numbers_follow_the_order_and_sets_only_files)
{
	CLEANUP(plan_done) struct plan plan = {}, tpm = {};
	make(&plan, &tpm);
	int set = 0;
	for (size_t i = 0; i < plan.n_fds; i++) {
		bool in_set = plan.fds[i].kind == PLAN_FD_FILE || plan.fds[i].kind == PLAN_FD_LOG;
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

static void check_refused(const char *text)
{
	CLEANUP(plan_done) struct plan plan = {};
	CLEANUP(strv_done) struct strv words = {};
	CLEANUP(freep) char *copy = xstrdup(text);
	char *state = NULL;
	struct error err = {};
	for (char *w = strtok_r(copy, " ", &state); w; w = strtok_r(NULL, " ", &state))
		strv_push(&words, w);
	int r = plan_parse_row(&plan, &words, &err);
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
		"file name=disk.0 path=/x color=red",
		"file name=disk.0 path=/x writable=maybe",
		"file name=disk.0 path=/x format=vmdk",
		"tap name=net.0",
		"tap name=net.0 link=x",
		"listen-tcp name=agent",
		"listen-tcp name=agent port=70000",
		"listen-tcp name=agent port=0",
		"tap name=net.0 link=x mac=y mtu=big",
		"parent address=x type=y",
		"mdev",
		"mdev name=a class=b",
		"directory",
		"socket name=spice",
		"socket name=spice path=/s port=70000",
		"machine name=x",
		"machine name",
		"file name",
		"=",
	};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		check_refused(bad[i]);
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

TEST(storage_types_are_sorted)
{
	for (const struct vm_storage_type *t = vm_storage_types; t[0].name && t[1].name; t++)
		CHECK(strcmp(t[0].name, t[1].name) < 0);
	for (const struct vm_storage_type *t = vm_storage_types; t->name; t++)
		CHECK(vm_storage_type_find(t->name) == t);
	CHECK(!vm_storage_type_find("iso"));
	CHECK(!vm_storage_type_find(""));
}

TEST(users_fit_the_kernel_and_systemd)
{
	static const char *const rows[][2] = {
		{ "web", "machina-web" },
		{ "a23456789012345678901234", NULL },
		{ "a2345678901234567890123", "machina-a2345678901234567890123" },
		{ "web.example", NULL },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(freep) char *user = vm_user_name(rows[i][0]);
		CLEANUP(freep) char *again = vm_user_name(rows[i][0]);
		CLEANUP(freep) char *tpm = vm_tpm_user_name(rows[i][0]);
		if (rows[i][1])
			CHECK_STR(user, rows[i][1]);
		else
			CHECK_INT(strlen(user), strlen("machina-") + 16);
		CHECK(strlen(user) <= 31 && strlen(tpm) <= 31);
		CHECK(!strpbrk(user, ".%$ "));
		CHECK_STR(again, user);
		CHECK(strcmp(user, tpm) != 0);
	}
}

TEST_MAIN()
