/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two argument vectors, compared by device and key. */
#include "qemu/argdiff.h"
#include "test.h"
#include "util/buf.h"
#include "util/mem.h"

static struct plan_fd old_fds[] = {
	{ .kind = PLAN_FD_FILE, .name = "disk.0", .number = 3, .set = 1, .path = "/vm/os" },
	{ .kind = PLAN_FD_TAP, .name = "net.0", .number = 4, .set = -1 },
};
static struct plan_fd new_fds[] = {
	{ .kind = PLAN_FD_TAP, .name = "net.1", .number = 3, .set = -1 },
	{ .kind = PLAN_FD_TAP, .name = "net.0", .number = 4, .set = -1 },
	{ .kind = PLAN_FD_FILE, .name = "disk.0", .number = 5, .set = 2, .path = "/vm/os" },
};
static struct plan old_plan = { .fds = old_fds, .n_fds = ARRAY_SIZE(old_fds) };
static struct plan new_plan = { .fds = new_fds, .n_fds = ARRAY_SIZE(new_fds) };

static void split(const char *line, struct strv *ret)
{
	CLEANUP(freep) char *copy = xstrdup(line);
	char *rest = copy;
	for (char *word; (word = strsep(&rest, " ")) != NULL;)
		strv_push(ret, word);
}

/* Each difference: "OPTION NAME DRIVER KEY BEFORE AFTER;" */
static void check(const char *before, const char *after, const char *expected)
{
	CLEANUP(strv_done) struct strv a = {}, b = {};
	CLEANUP(argdiff_done) struct argdiff diff = {};
	CLEANUP(buf_done) struct buf text = {};
	split(before, &a);
	split(after, &b);
	argdiff_make(&(struct argdiff_side){ &a, &old_plan },
			&(struct argdiff_side){ &b, &new_plan }, &diff);
	for (size_t i = 0; i < diff.n; i++) {
		const struct argdiff_item *d = &diff.items[i];
		buf_printf(&text, "%s|%s|%s|%s|%s|%s;", d->option, d->name, d->driver,
				d->key ? d->key : "-", d->before ? d->before : "-",
				d->after ? d->after : "-");
	}
	CHECK_STR(buf_text(&text), expected);
}

TEST(how_qemu_is_told_to_connect_again_does_not_count)
{
	const char *after = "qemu -chardev socket,id=a,path=/s,${MACHINA_RECONNECT}";
	check("qemu -chardev socket,id=a,path=/s,reconnect=1", after, "");
	check("qemu -chardev socket,id=a,path=/s,reconnect-ms=1000", after, "");
	check("qemu -chardev socket,id=a,path=/t,reconnect=1", after,
			"-chardev|a|socket|path|/t|/s;");
}

TEST(order_does_not_count)
{
	check("qemu -m 1G -device nic,id=a,mac=1 -device nic,id=b,mac=2",
			"qemu -device nic,mac=2,id=b -device nic,id=a,mac=1 -m 1G", "");
	check("qemu", "qemu", "");
}

TEST(values_are_told_by_device_and_key)
{
	check("qemu -device nic,id=a,mac=1,x=1", "qemu -device nic,id=a,mac=2,y=3",
			"-device|a|nic|mac|1|2;-device|a|nic|x|1|-;-device|a|nic|y|-|3;");
	check("qemu -m size=1G", "qemu -m size=2G", "-m|||size|1G|2G;");
	check("qemu -device old,id=a", "qemu -device new,id=a", "-device|a|old||old|new;");
}

TEST(options_come_and_go)
{
	check("qemu -device nic,id=a -S", "qemu -device nic,id=b,mac=1",
			"-device|a|nic|-|nic,id=a|-;-S|||-||-;-device|b|nic|-|-|nic,id=b,mac=1;");
	check("/usr/bin/qemu", "/opt/qemu", "||/usr/bin/qemu||/usr/bin/qemu|/opt/qemu;");
}

TEST(several_without_a_name_are_matched)
{
	check("qemu -global a.b=1 -global c.d=2", "qemu -global c.d=2 -global a.b=3",
			"-global|||a.b|1|3;");
	check("qemu -smbios type=11,value=a,value=b", "qemu -smbios type=11,value=a,value=c",
			"-smbios|||value|b|c;");
	check("qemu -netdev user,id=a,hostfwd=1", "qemu -netdev user,id=a,hostfwd=1,hostfwd=2",
			"-netdev|a|user|hostfwd|-|2;");
	check("qemu -netdev user,id=a,hostfwd=1,hostfwd=2", "qemu -netdev user,id=a,hostfwd=2",
			"-netdev|a|user|hostfwd|1|-;");
}

TEST(descriptors_are_what_they_stand_for)
{
	check("qemu -add-fd fd=3,set=1,opaque=disk.0 -blockdev file,filename=/dev/fdset/1 -netdev "
	      "tap,id=n,fd=4",
			"qemu -add-fd fd=5,set=2,opaque=disk.0 -blockdev "
			"file,filename=/dev/fdset/2 -netdev tap,id=n,fd=4",
			"");
	check("qemu -netdev tap,id=n,fd=4", "qemu -netdev tap,id=n,fd=3",
			"-netdev|n|tap|fd|descriptor 'net.0'|descriptor 'net.1';");
	check("qemu -netdev tap,id=n,fds=4:9", "qemu -netdev tap,id=n,fds=4:8",
			"-netdev|n|tap|fds|descriptor 'net.0', 9|descriptor 'net.0', 8;");
	check("qemu -kernel /proc/self/fd/4", "qemu -kernel /proc/self/fd/4", "");
}

/* What the plans say of the one descriptor of each side, as @option has it. */
static void check_fd(const struct plan_fd *before, const struct plan_fd *after, const char *option,
		const char *expected)
{
	struct plan_fd a = *before, b = *after;
	const struct plan old = old_plan, new = new_plan;
	a.number = b.number = 7;
	a.set = b.set = -1;
	old_plan = (struct plan){ .fds = &a, .n_fds = 1 };
	new_plan = (struct plan){ .fds = &b, .n_fds = 1 };
	check(option, option, expected);
	old_plan = old;
	new_plan = new;
}

TEST(what_is_read_at_the_start_is_told_by_its_path)
{
	const struct plan_fd kernel = { .kind = PLAN_FD_COPY, .name = "kernel", .path = "/k1" };
	const struct plan_fd newer = { .kind = PLAN_FD_COPY, .name = "kernel", .path = "/k2" };
	check_fd(&kernel, &newer, "qemu -kernel /proc/self/fd/7", "-kernel||||/k1|/k2;");
	check_fd(&kernel, &newer, "qemu -device nic,id=a,romfile=/proc/self/fd/7",
			"-device|a|nic|romfile|/k1|/k2;");
	check_fd(&kernel, &kernel, "qemu -kernel /proc/self/fd/7", "");
	const struct plan_fd secret = {
		.kind = PLAN_FD_CREDENTIAL, .name = "credential.0", .credential = "s", .path = "/s1"
	};
	struct plan_fd other = secret;
	other.path = "/s2";
	check_fd(&secret, &other, "qemu -smbios type=11,path=/proc/self/fd/7",
			"-smbios|||path|credential 's' of '/s1'|credential 's' of '/s2';");
	/* Its place among the others does not count. */
	other = secret;
	other.name = "credential.1";
	check_fd(&secret, &other, "qemu -smbios type=11,path=/proc/self/fd/7", "");
}

TEST(a_card_is_also_where_it_leads_to)
{
	struct plan_fd before = { .kind = PLAN_FD_TAP, .name = "net.0", .connection = "lan" };
	struct plan_fd after = before;
	before.bridge = "br0";
	after.bridge = "br1";
	after.vlan = 5;
	after.isolate = true;
	check_fd(&before, &after, "qemu -netdev tap,id=n,fd=7",
			"-netdev|n|tap|bridge|br0|br1;-netdev|n|tap|vlan|-|5;"
			"-netdev|n|tap|isolate|-|on;");
	check_fd(&before, &after, "qemu -netdev tap,id=n,fds=7:8",
			"-netdev|n|tap|bridge|br0|br1;-netdev|n|tap|vlan|-|5;"
			"-netdev|n|tap|isolate|-|on;");
	before = (struct plan_fd){
		.kind = PLAN_FD_MACVTAP, .name = "net.0", .connection = "lan", .device = "eth0"
	};
	after = before;
	after.device = "eth1";
	check_fd(&before, &after, "qemu -netdev tap,id=n,fd=7", "-netdev|n|tap|device|eth0|eth1;");
	before = (struct plan_fd){
		.kind = PLAN_FD_CONNECT, .name = "net.0", .connection = "lan", .path = "/s"
	};
	after = before;
	after.forward = "tcp:127.0.0.1:2222-:22";
	check_fd(&before, &after, "qemu -netdev stream,id=n,addr.type=fd,addr.str=7",
			"-netdev|n|stream|forward|-|tcp:127.0.0.1:2222-:22;");
	check_fd(&after, &after, "qemu -netdev stream,id=n,addr.type=fd,addr.str=7", "");
}

TEST(a_cd_for_cloud_init_is_what_it_is_made_of)
{
	struct vm_seed_item old[] = { { VM_SEED_USER, "alice" }, { VM_SEED_PACKAGE, "a" } };
	struct vm_seed_item new[] = { { VM_SEED_USER, "bob" }, { VM_SEED_PACKAGE, "a" },
		{ VM_SEED_PACKAGE, "b" }, { VM_SEED_UPGRADE, NULL } };
	old_plan.seed = old;
	old_plan.n_seed = ARRAY_SIZE(old);
	new_plan.seed = new;
	new_plan.n_seed = ARRAY_SIZE(new);
	check("qemu -blockdev driver=file,node-name=cloud-init",
			"qemu -blockdev driver=file,node-name=cloud-init",
			"-blockdev|cloud-init|file|user|alice|bob;"
			"-blockdev|cloud-init|file|package|-|b;"
			"-blockdev|cloud-init|file|upgrade|-|on;");
	check("qemu -blockdev driver=file,node-name=x", "qemu -blockdev driver=file,node-name=x",
			"");
	old_plan.n_seed = new_plan.n_seed = 0;
}

TEST(commas_are_read_as_qemu_reads_them)
{
	check("qemu -device d,id=a,serial=x,,y", "qemu -device d,serial=x,,z,id=a",
			"-device|a|d|serial|x,y|x,z;");
	check("qemu -append a=1,b", "qemu -append a=1,c", "-append||||a=1,b|a=1,c;");
	check("qemu -cpu host,+x,y", "qemu -cpu host,+x", "-cpu||host|y|on|-;");
}

TEST(what_systemd_puts_in_is_equal)
{
	check("qemu -device vfio,id=a,host=0000:01:00.0", "qemu -device vfio,id=a,host=${PCI_0}",
			"");
}

TEST_MAIN()
