/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What doctor finds on hosts that lack something. Hardware that is not here is a tree of files;
 * networks are real, in a namespace of this process.
 */
#include "host/doctor.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"
#include "test.h"
#include "util/buf.h"
#include "util/mem.h"

#define MACHINES_MAX 8

/* A host with machines. */
struct sick {
	struct doctor doctor;
	struct host_conf host;
	struct doctor_machine machines[MACHINES_MAX];
	struct vm vms[MACHINES_MAX];
	struct vm_nic nics[MACHINES_MAX];
	struct vm_volume volumes[MACHINES_MAX];
	char *sys, *proc, *dev;
	struct buf text;
};

static void sick_begin(struct sick *s)
{
	scratch_begin();
	*s = (struct sick){};
	s->sys = xstrdup(scratch_path("sys"));
	s->proc = xstrdup(scratch_path("proc"));
	s->dev = xstrdup(scratch_path("dev"));
	make_directory("dev");
	s->doctor = (struct doctor){
		.sys = s->sys,
		.proc = s->proc,
		.dev = s->dev,
		.operators = "root",
		.is_root = true,
		.host = &s->host,
		.machines = s->machines,
	};
}

static void sick_end(struct sick *s)
{
	doctor_done(&s->doctor);
	buf_done(&s->text);
	free(s->sys);
	free(s->proc);
	free(s->dev);
	scratch_end();
}

/* A machine that uses nothing. */
static struct vm *add(struct sick *s, const char *name, bool enabled)
{
	size_t i = s->doctor.n_machines++;
	s->vms[i] = (struct vm){
		.name = name,
		.accel = VM_ACCEL_TCG,
		.emulator = "/bin/true",
		.machine_type = "q35",
		.memory.ram_mib = 1024,
	};
	s->machines[i] = (struct doctor_machine){ .vm = &s->vms[i], .enabled = enabled };
	return &s->vms[i];
}

static struct vm_nic *add_nic(struct sick *s, struct vm *vm, const char *bridge)
{
	size_t i = (size_t)(vm - s->vms);
	s->nics[i] = (struct vm_nic){
		.network = "lan", .mode = NETWORK_BRIDGE, .bridge = bridge, .join = true
	};
	vm->nics = &s->nics[i];
	vm->n_nics = 1;
	return vm->nics;
}

/* Run a check. Its findings, and no others: a line each for level and what, why, and cures. */
static const char *examine(struct sick *s, const char *name, doctor_check *check)
{
	struct doctor *d = &s->doctor;
	while (d->n > 0)
		strv_done(&d->findings[--d->n].cures);
	doctor_begin(d, name);
	check(d);
	buf_clear(&s->text);
	for (size_t i = 0; i < d->n; i++) {
		const struct doctor_finding *f = &d->findings[i];
		buf_printf(&s->text, "%s: %s\n", doctor_level_names[f->level], f->what);
		if (f->why)
			buf_printf(&s->text, "  %s\n", f->why);
		for (size_t k = 0; k < f->cures.n; k++)
			buf_printf(&s->text, "    %s\n", f->cures.items[k]);
	}
	if (d->left_out)
		buf_printf(&s->text, "left out: %s\n", d->left_out);
	else if (!d->n && d->note)
		buf_printf(&s->text, "ok: %s\n", d->note);
	return without_scratch(buf_text(&s->text));
}

/* One check on one host. */
#define CHECK_FOUND(s, check, expected)                                                            \
	CHECK_STR(examine((s), #check, doctor_check_##check), expected)

/* ---- KVM ---- */

#define TCG "    # or, slower, in the machine's file: \"machine\": { \"accel\": \"tcg\" }\n"

static void check_cpu(const char *cpuinfo, const char *expected)
{
	CLEANUP(freep) char *text = xasprintf("%s" TCG, expected);
	struct sick s;
	sick_begin(&s);
	put_file("proc/cpuinfo", cpuinfo);
	add(&s, "web", true)->accel = VM_ACCEL_KVM;
	CHECK_FOUND(&s, kvm, text);
	sick_end(&s);
}

TEST(kvm_is_missing)
{
	check_cpu("processor\t: 0\nflags\t\t: fpu vmx sse\n",
			"fault: 'DIR/dev/kvm' does not exist: KVM's module is not loaded\n"
			"  machine 'web' cannot start\n"
			"    modprobe kvm_intel\n");
	check_cpu("processor\t: 0\nflags\t\t: fpu svm\n",
			"fault: 'DIR/dev/kvm' does not exist: KVM's module is not loaded\n"
			"  machine 'web' cannot start\n"
			"    modprobe kvm_amd\n");
	check_cpu("processor\t: 0\nflags\t\t: fpu hypervisor vmxx\n",
			"fault: 'DIR/dev/kvm' does not exist: this host is a virtual machine "
			"itself, and gets no virtualization from its host\n"
			"  machine 'web' cannot start\n"
			"    # switch on nested virtualization where this host is a guest\n");
	check_cpu("processor\t: 0\nflags\t\t: fpu\n",
			"fault: 'DIR/dev/kvm' does not exist: the processor has no "
			"virtualization, or the firmware has switched it off\n"
			"  machine 'web' cannot start\n"
			"    # switch on Intel VT-x or AMD-V (SVM) in the firmware's setup\n");
}

TEST(kvm_is_something_else)
{
	struct sick s;
	sick_begin(&s);
	put_file("dev/kvm", "");
	CHECK_INT(chmod(scratch_path("dev/kvm"), 0666), 0);
	add(&s, "web", false)->accel = VM_ACCEL_KVM;
	CHECK_FOUND(&s, kvm,
			"warning: KVM runs no guests: 'DIR/dev/kvm' is something else: "
			"Inappropriate ioctl for device\n"
			"  machine 'web' cannot start\n"
			"    dmesg | grep -i kvm\n" TCG);
	sick_end(&s);
}

TEST(kvm_is_needed_where_no_machine_is_yet)
{
	struct sick s;
	sick_begin(&s);
	put_file("proc/cpuinfo", "\nflags\t\t: fpu\n");
	examine(&s, "kvm", doctor_check_kvm);
	CHECK_INT(doctor_worst(&s.doctor, NULL), DOCTOR_FAULT);
	CHECK_STR(s.doctor.findings[0].why, "machines need it unless they say otherwise");
	sick_end(&s);
}

TEST(kvm_is_not_missed_by_machines_without_it)
{
	struct sick s;
	sick_begin(&s);
	add(&s, "web", true);
	CHECK_FOUND(&s, kvm, "ok: no machine uses it\n");
	sick_end(&s);
}

/* The host's own, if it is one that may be opened: its owner is the host's matter. */
TEST(kvm_is_tried)
{
	struct sick s;
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		SKIP("/dev/kvm cannot be opened");
	close(fd);
	sick_begin(&s);
	s.doctor.dev = "/dev";
	add(&s, "web", true)->accel = VM_ACCEL_KVM;
	examine(&s, "kvm", doctor_check_kvm);
	CHECK(s.doctor.note ? !strcmp(s.doctor.note, "runs guests")
			    : strstr(s.doctor.findings[0].what, "KVM runs no guests: ") != NULL);
	sick_end(&s);
}

TEST(kvm_is_for_its_group)
{
	struct sick s;
	sick_begin(&s);
	put_file("dev/kvm", "");
	CHECK_INT(chmod(scratch_path("dev/kvm"), 0600), 0);
	if (!getgrnam("kvm")) {
		sick_end(&s);
		SKIP("there is no group kvm");
	}
	add(&s, "web", true)->accel = VM_ACCEL_KVM;
	examine(&s, "kvm", doctor_check_kvm);
	CHECK_INT(s.doctor.n, 2);
	CHECK_STR(without_scratch(s.doctor.findings[1].what),
			"'DIR/dev/kvm' is not for the group 'kvm' to read and write");
	CHECK_STR(without_scratch(s.doctor.findings[1].cures.items[0]),
			"chgrp kvm DIR/dev/kvm && chmod 0660 DIR/dev/kvm");
	sick_end(&s);
}

/* ---- programs ---- */

static const char *put_emulator(const char *script)
{
	put_file("qemu", script);
	if (chmod(scratch_path("qemu"), 0755) < 0)
		TEST_FAIL("cannot make a program: %m");
	return scratch_path("qemu");
}

#define HELP "if [ $1 = -machine ]; then echo 'q35  a'; echo 'pc-q35-7.2 b'; exit; fi\n"

static void check_emulator(const char *script, const char *type, const char *expected)
{
	struct sick s;
	sick_begin(&s);
	CLEANUP(freep) char *emulator = xstrdup(put_emulator(script));
	for (int i = 0; i < 2; i++) {
		struct vm *vm = add(&s, i ? "db" : "web", i);
		vm->emulator = emulator;
		vm->machine_type = type;
	}
	CHECK_FOUND(&s, emulators, expected);
	sick_end(&s);
}

TEST(emulators_are_asked)
{
	check_emulator("#!/bin/sh\n" HELP "echo 'QEMU emulator version 7.2.22 (Debian)'\n",
			"pc-q35-7.2", "ok: 'DIR/qemu' is QEMU 7.2\n");
	check_emulator("#!/bin/sh\n" HELP "echo 'QEMU emulator version 10.0.1'\n", "q35",
			"ok: 'DIR/qemu' is QEMU 10.0\n");
	check_emulator("#!/bin/sh\n" HELP "echo 'QEMU emulator version 6.1.0'\n", "q35",
			"fault: 'DIR/qemu' is QEMU 6.1, and 7.2 is the oldest that units are "
			"made for\n"
			"  machines 'web', 'db' may not start\n"
			"    apt-get install qemu-system-x86\n");
	check_emulator("#!/bin/sh\n" HELP "echo hello\n", "q35",
			"warning: 'DIR/qemu' does not tell its version\n"
			"  this program is made for QEMU 7.2 and later\n"
			"    DIR/qemu --version\n");
	check_emulator("#!/bin/sh\nexit 3\n", "q35",
			"fault: 'DIR/qemu' cannot tell its version: 'DIR/qemu' has failed with "
			"status 3\n"
			"  machines 'web', 'db' cannot start\n"
			"    DIR/qemu --version\n");
	check_emulator("#!/bin/sh\n" HELP "echo 'QEMU emulator version 9.2.0'\n", "pc-q35-2.4",
			"fault: 'DIR/qemu' has no machine type 'pc-q35-2.4'\n"
			"  machines 'web', 'db' cannot start\n"
			"    DIR/qemu -machine help | grep q35\n"
			"    # \"type\" of the machine is to be one of these\n");
}

TEST(an_emulator_is_missing)
{
	struct sick s;
	sick_begin(&s);
	add(&s, "web", true)->emulator = "/none/qemu";
	CHECK_FOUND(&s, emulators,
			"fault: cannot execute '/none/qemu': No such file or directory\n"
			"  machine 'web' cannot start\n"
			"    apt-get install qemu-system-x86\n");
	sick_end(&s);
}

TEST(the_tpm_has_its_program)
{
	struct sick s;
	sick_begin(&s);
	add(&s, "web", true);
	CHECK_FOUND(&s, tpm, "ok: no machine needs it\n");
	s.vms[0].tpm.enabled = true;
	CHECK_FOUND(&s, tpm,
			access("/usr/bin/swtpm", F_OK) == 0
					? ""
					: "fault: the TPM needs '/usr/bin/swtpm', which is not "
					  "there (packages swtpm and swtpm-tools)\n"
					  "  machine 'web' cannot start\n"
					  "    apt-get install swtpm swtpm-tools\n");
	sick_end(&s);
}

TEST(systemd_is_not_there)
{
	struct sick s;
	sick_begin(&s);
	s.doctor.bus_failure = "systemd is not running here";
	CHECK_FOUND(&s, systemd,
			"fault: systemd is not running here\n"
			"  machines are units of systemd: none can be started\n"
			"    systemctl is-system-running\n");
	sick_end(&s);
}

TEST(operators_have_no_group)
{
	struct sick s;
	sick_begin(&s);
	CHECK_FOUND(&s, groups, "");
	s.doctor.operators = "no-such-group";
	CHECK_FOUND(&s, groups,
			"warning: there is no group 'no-such-group'\n"
			"  consoles and monitors of machines are for root alone\n"
			"    groupadd --system no-such-group\n");
	sick_end(&s);
}

TEST(programs_are_replaced_on_disk)
{
	struct sick s;
	sick_begin(&s);
	for (int i = 0; i < 3; i++)
		add(&s, i == 0 ? "a" : i == 1 ? "b" : "c", true);
	s.machines[0].pid = 11;
	s.machines[1].pid = 12;
	make_directory("proc/11");
	make_directory("proc/12");
	CHECK_INT(symlink("/usr/bin/qemu-system-x86_64 (deleted)", scratch_path("proc/11/exe")), 0);
	CHECK_INT(symlink("/usr/bin/qemu-system-x86_64", scratch_path("proc/12/exe")), 0);
	s.doctor.bus_failure = "systemd is not running here";
	CHECK_FOUND(&s, replaced, "left out: systemd is not running here\n");
	/* Only that there is one counts. */
	s.doctor.bus = (struct bus *)&s;
	CHECK_FOUND(&s, replaced,
			"warning: machine 'a' runs a QEMU that has been replaced on disk since\n"
			"  what the new one mends takes effect with a restart\n"
			"    machina restart a\n");
	sick_end(&s);
}

/* ---- disks ---- */

static struct vm_volume *add_volume(struct sick *s, struct vm *vm, const char *path)
{
	size_t i = (size_t)(vm - s->vms);
	s->volumes[i] = (struct vm_volume){
		.name = "os",
		.pool = "tank",
		.path = path,
		.type = vm_storage_type_find("raw"),
	};
	vm->volumes = &s->volumes[i];
	vm->n_volumes = 1;
	return vm->volumes;
}

TEST(a_pool_is_missing)
{
	struct sick s;
	sick_begin(&s);
	CLEANUP(freep) char *path = xstrdup(scratch_path("tank"));
	CLEANUP(freep) char *image = xstrdup(scratch_path("tank/os.raw"));
	struct storage_conf pools[] = {
		{ .name = "tank", .path = path, .type = "raw" },
		{ .name = "iso", .path = path, .type = "iso" },
	};
	s.host.storage = (struct jlist){ pools, 2 };
	CHECK_FOUND(&s, pools,
			"warning: storage pools 'tank', 'iso': 'DIR/tank' does not exist\n"
			"  no machine has a volume there\n"
			"    mount --all\n"
			"    # or, if it is new: mkdir -p DIR/tank\n");
	add_volume(&s, add(&s, "web", true), image);
	CHECK_FOUND(&s, pools,
			"fault: storage pools 'tank', 'iso': 'DIR/tank' does not exist\n"
			"  machine 'web' cannot start; is a file system not mounted?\n"
			"    mount --all\n"
			"    # or, if it is new: mkdir -p DIR/tank\n");
	/* That is said, and enough. */
	CHECK_FOUND(&s, volumes, "");
	sick_end(&s);
}

TEST(a_pool_is_a_file)
{
	struct sick s;
	sick_begin(&s);
	put_file("tank", "");
	CLEANUP(freep) char *path = xstrdup(scratch_path("tank"));
	struct storage_conf pool = { .name = "tank", .path = path, .type = "raw" };
	s.host.storage = (struct jlist){ &pool, 1 };
	examine(&s, "pools", doctor_check_pools);
	CHECK_STR(without_scratch(s.doctor.findings[0].what),
			"storage pool 'tank': 'DIR/tank' is not a directory");
	sick_end(&s);
}

TEST(volumes_are_missing)
{
	struct sick s;
	sick_begin(&s);
	CLEANUP(freep) char *image = xstrdup(scratch_path("os.raw"));
	CLEANUP(freep) char *other = xstrdup(scratch_path("dev"));
	add_volume(&s, add(&s, "web", true), image);
	add_volume(&s, add(&s, "db", false), other);
	CHECK_FOUND(&s, volumes,
			"fault: volume 'os' (pool 'tank'): 'DIR/os.raw' does not exist\n"
			"  machine 'web' cannot start\n"
			"    # if it is new: qemu-img create -f raw 'DIR/os.raw' SIZE\n"
			"warning: volume 'os' (pool 'tank'): 'DIR/dev' is a directory, not a file "
			"or a block device\n"
			"  machine 'db' cannot start\n"
			"    ls -ld DIR/dev\n");
	sick_end(&s);
}

TEST(firmware_is_missing)
{
	struct sick s;
	sick_begin(&s);
	CLEANUP(freep) char *code = xstrdup(scratch_path("CODE.fd"));
	CLEANUP(freep) char *vars = xstrdup(scratch_path("vars.fd"));
	struct vm *vm = add(&s, "web", true);
	vm->firmware_code = &s.volumes[0];
	vm->firmware_vars = &s.volumes[1];
	s.volumes[0] = (struct vm_volume){
		.name = "code", .pool = "fw", .path = code, .readonly = true
	};
	s.volumes[1] = (struct vm_volume){ .name = "vars", .pool = "nvram", .path = vars };
	CHECK_FOUND(&s, firmware,
			"fault: volume 'code' (pool 'fw'): 'DIR/CODE.fd' does not exist\n"
			"  machine 'web' cannot start\n"
			"    apt-get install ovmf\n"
			"fault: volume 'vars' (pool 'nvram'): 'DIR/vars.fd' does not exist; copy "
			"the variables that came with the firmware there, such as "
			"'/usr/share/OVMF/OVMF_VARS_4M.fd'\n"
			"  machine 'web' cannot start\n"
			"    install -D -m 0600 /usr/share/OVMF/OVMF_VARS_4M.fd DIR/vars.fd\n");
	sick_end(&s);
}

TEST(space_is_short)
{
	struct sick s;
	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
			mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		SKIP("no file system can be mounted here");
	sick_begin(&s);
	make_directory("tank");
	CLEANUP(freep) char *path = xstrdup(scratch_path("tank"));
	CLEANUP(freep) char *image = xstrdup(scratch_path("tank/os.raw"));
	CHECK_INT(mount("tmpfs", path, "tmpfs", 0, "size=2000M"), 0);
	struct storage_conf pools[] = {
		{ .name = "tank", .path = path, .type = "raw" },
		{ .name = "other", .path = path, .type = "raw" },
		{ .name = "iso", .path = path, .type = "iso" },
	};
	s.host.storage = (struct jlist){ pools, 3 };
	add_volume(&s, add(&s, "web", true), image);
	CHECK_FOUND(&s, space, "");

	int fd = open(image, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CHECK_INT(posix_fallocate(fd, 0, (off_t)1950 << 20), 0);
	CHECK_FOUND(&s, space,
			"warning: storage pool 'tank': 50 of 2000 MiB are free in 'DIR/tank'\n"
			"  a guest whose disk grows stands still when the file system is full: "
			"machine 'web'\n"
			"    du -xh --max-depth=2 DIR/tank | sort -h | tail\n");
	CHECK_INT(posix_fallocate(fd, 0, (off_t)1990 << 20), 0);
	examine(&s, "space", doctor_check_space);
	CHECK_INT(doctor_worst(&s.doctor, NULL), DOCTOR_FAULT);
	/* Where nothing can be written, nothing grows. */
	close(fd);
	CHECK_INT(mount(NULL, path, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	CHECK_FOUND(&s, space, "");
	CHECK_INT(umount(path), 0);
	sick_end(&s);
}

/* ---- memory ---- */

static void check_memory(const char *meminfo, const char *expected)
{
	struct sick s;
	sick_begin(&s);
	put_file("proc/meminfo", meminfo);
	add(&s, "big", true)->memory.ram_mib = 3072;
	add(&s, "small", true);
	add(&s, "off", false)->memory.ram_mib = 100000;
	s.machines[1].running = true;
	CHECK_FOUND(&s, memory, expected);
	sick_end(&s);
}

TEST(memory_is_short)
{
	check_memory("MemTotal:       8388608 kB\nMemFree: 1 kB\nMemAvailable:    4194304 kB\n",
			"ok: 4096 MiB for guests that start with the host, of 8192\n");
	check_memory("MemTotal:       4194303 kB\nMemAvailable:    4194304 kB\n",
			"warning: guests that are up or start with the host have 4096 MiB of "
			"memory, the host has 4095\n"
			"  when guests use all that they have, the kernel kills one of them: "
			"machines 'big', 'small'\n"
			"    machina disable big\n"
			"    # or give guests less: \"memory\": { \"ram\": MIB }\n");
	check_memory("MemTotal:       8388608 kB\nMemAvailable:    3145727 kB\n",
			"warning: guests that start with the host and are down have 3072 MiB of "
			"memory, and 3071 MiB are free\n"
			"  when guests use all that they have, the kernel kills one of them: "
			"machine 'big'\n"
			"    machina disable big\n"
			"    # or give guests less: \"memory\": { \"ram\": MIB }\n");
	check_memory("MemTotal:       8388608 kB\nMemAvailable:    8388608 kB\n"
		     "HugePages_Total:    2500\nHugepagesize:       2048 kB\n",
			"warning: guests that are up or start with the host have 4096 MiB of "
			"memory, the host has 3192 without its huge pages\n"
			"  when guests use all that they have, the kernel kills one of them: "
			"machines 'big', 'small'\n"
			"    machina disable big\n"
			"    # or give guests less: \"memory\": { \"ram\": MIB }\n");
	check_memory("", "left out: 'DIR/proc/meminfo' does not tell the memory\n");
}

static void check_pages(const char *meminfo, const char *expected)
{
	struct sick s;
	sick_begin(&s);
	put_file("proc/meminfo", meminfo);
	for (int i = 0; i < 3; i++)
		add(&s, i == 0 ? "a" : i == 1 ? "b" : "c", i < 2)->memory.hugepages = true;
	s.machines[1].running = true;
	CHECK_FOUND(&s, hugepages, expected);
	sick_end(&s);
}

TEST(huge_pages_are_short)
{
	struct sick s;
	sick_begin(&s);
	add(&s, "web", true);
	CHECK_FOUND(&s, hugepages, "ok: no machine needs them\n");
	sick_end(&s);
	check_pages("HugePages_Total:    1024\nHugePages_Free:      512\nHugepagesize:       2048 "
		    "kB\n",
			"ok: 1024 of 1024 pages for machines\n");
	check_pages("HugePages_Total:    1000\nHugePages_Free:      488\nHugepagesize:       2048 "
		    "kB\n",
			"fault: machines need 1024 huge pages of 2048 KiB, and others use 0; the "
			"host has 1000\n"
			"  QEMU does not start without its pages: machines 'a', 'b', 'c'\n"
			"    sysctl -w vm.nr_hugepages=1024\n"
			"    echo 'vm.nr_hugepages = 1024' "
			">/etc/sysctl.d/machina-hugepages.conf\n");
	check_pages("HugePages_Total:    1100\nHugePages_Free:      500\nHugepagesize:       2048 "
		    "kB\n",
			"fault: machines need 1024 huge pages of 2048 KiB, and others use 88; the "
			"host has 1100\n"
			"  QEMU does not start without its pages: machines 'a', 'b', 'c'\n"
			"    sysctl -w vm.nr_hugepages=1112\n"
			"    echo 'vm.nr_hugepages = 1112' "
			">/etc/sysctl.d/machina-hugepages.conf\n");
	check_pages("MemTotal: 1 kB\n",
			"fault: this kernel has no huge pages\n"
			"  machines 'a', 'b', 'c' cannot start\n"
			"    # take \"hugepages\" out of \"memory\" of these machines\n");
}

/* ---- networks ---- */

/* NULL, or why there is no network of this process's own. */
static const char *enter_own_network(void)
{
	static bool entered;
	if (entered)
		return NULL;
	if (geteuid() != 0)
		return "only root makes networks";
	if (unshare(CLONE_NEWNET) < 0)
		return "no network namespace can be made";
	entered = true;
	return NULL;
}

#define NEED_NETWORK()                                                                             \
	do {                                                                                       \
		const char *reason_ = enter_own_network();                                         \
		if (reason_)                                                                       \
			SKIP(reason_);                                                             \
	} while (0)

static void shell(const char *command)
{
	CLEANUP(freep) char *line = xasprintf("PATH=$PATH:/sbin:/usr/sbin; %s", command);
	if (system(line) != 0)
		TEST_FAIL("'%s' has failed", command);
}

TEST(bridges_are_missing)
{
	NEED_NETWORK();
	struct sick s;
	sick_begin(&s);
	add_nic(&s, add(&s, "web", true), "br0");
	add_nic(&s, add(&s, "db", false), "br0");
	CHECK_FOUND(&s, bridges,
			"fault: network \"lan\": there is no bridge 'br0'\n"
			"  machines 'web', 'db' cannot start\n"
			"    ip link add br0 type bridge && ip link set br0 up\n"
			"    # and for good in the host's own network configuration\n");
	sick_end(&s);
}

TEST(bridges_are_other_interfaces)
{
	NEED_NETWORK();
	struct sick s;
	sick_begin(&s);
	add_nic(&s, add(&s, "web", false), "lo");
	CHECK_FOUND(&s, bridges,
			"warning: network \"lan\": 'lo' is no bridge\n"
			"  machine 'web' cannot start\n"
			"    ip -d link show lo\n");
	sick_end(&s);
}

TEST(bridges_tell_vlans_apart)
{
	NEED_NETWORK();
	struct sick s;
	sick_begin(&s);
	shell("ip link add br0 type bridge");
	struct vm_nic *nic = add_nic(&s, add(&s, "web", true), "br0");
	CHECK_FOUND(&s, bridges, "");
	sick_end(&s);

	sick_begin(&s);
	nic = add_nic(&s, add(&s, "web", true), "br0");
	nic->vlan = 20;
	CHECK_FOUND(&s, bridges,
			"fault: network \"lan\": the bridge 'br0' does not tell VLANs apart\n"
			"  machine 'web' cannot start: all guests would be in one network\n"
			"    ip link set br0 type bridge vlan_filtering 1\n"
			"    # and for good in the host's own network configuration\n");
	sick_end(&s);
	shell("ip link del br0");
}

TEST(bridges_with_vlans_are_fine)
{
	NEED_NETWORK();
	struct sick s;
	if (system("PATH=$PATH:/sbin:/usr/sbin; ip link add br1 type bridge vlan_filtering 1 "
		   "2>/dev/null") != 0)
		SKIP("bridges of this kernel have no VLANs");
	sick_begin(&s);
	add_nic(&s, add(&s, "web", true), "br1")->vlan = 20;
	CHECK_FOUND(&s, bridges, "");
	sick_end(&s);
	shell("ip link del br1");
}

TEST(taps_need_their_device)
{
	struct sick s;
	sick_begin(&s);
	struct vm *vm = add(&s, "web", true);
	CHECK_FOUND(&s, tun, "ok: no machine needs taps\n");
	struct vm_nic *nic = add_nic(&s, vm, "br0");
	CHECK_FOUND(&s, tun,
			"fault: 'DIR/dev/net/tun' does not exist\n"
			"  taps cannot be made: machine 'web' cannot start\n"
			"    modprobe tun\n"
			"    systemd-tmpfiles --create --prefix=/dev/net\n");
	put_file("dev/net/tun", "");
	nic->vhost = true;
	CHECK_FOUND(&s, tun,
			"warning: 'DIR/dev/vhost-net' does not exist\n"
			"  QEMU moves packets by itself, which is slower: machine 'web'\n"
			"    modprobe vhost_net\n"
			"    echo vhost_net >/etc/modules-load.d/machina-vhost.conf\n");
	put_file("dev/vhost-net", "");
	CHECK_FOUND(&s, tun, "");
	nic->mode = NETWORK_USER;
	CHECK_FOUND(&s, tun, "ok: no machine needs taps\n");
	sick_end(&s);
}

/* A tap that outlives its descriptors, and that descriptor. */
static int make_tap(const char *name, const char *alias)
{
	CLEANUP(freep) char *command = xasprintf("ip link set %s alias %s", name, alias);
	struct ifreq want = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	strcpy(want.ifr_name, name);
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &want) < 0 || ioctl(fd, TUNSETPERSIST, 1) < 0)
		TEST_FAIL("cannot make tap %s: %m", name);
	shell(command);
	return fd;
}

TEST(taps_are_left_behind)
{
	NEED_NETWORK();
	struct sick s;
	if (access("/dev/net/tun", R_OK | W_OK) < 0)
		SKIP("/dev/net/tun cannot be opened");
	sick_begin(&s);
	close(make_tap("gone.0", "machina:gone/net.0"));
	close(make_tap("mine", "somebody:else/net"));
	int used = make_tap("web.0", "machina:web/0");
	CHECK_FOUND(&s, links,
			"warning: interface 'gone.0' was left behind by machine 'gone', and "
			"nothing uses it\n"
			"  the machine makes its own anew when it starts; until then this one only "
			"confuses\n"
			"    ip link delete gone.0\n");
	shell("ip link delete gone.0; ip link delete mine; ip link set web.0 up");
	CHECK_FOUND(&s, links, "");
	shell("ip link delete web.0");
	close(used);
	sick_end(&s);
}

/* ---- packet filters of others ---- */

#define DOCKER                                                                                     \
	"nft -f - <<END\n"                                                                         \
	"table ip filter {\n"                                                                      \
	"	chain DOCKER-USER { return; }\n"                                                         \
	"	chain FORWARD { type filter hook forward priority 0; policy drop;\n"                     \
	"		jump DOCKER-USER; oifname docker0 accept; }\n"                                          \
	"}\n"                                                                                      \
	"END\n"

static const char *need_nft(void)
{
	if (system("PATH=$PATH:/sbin:/usr/sbin; nft list ruleset >/dev/null 2>&1") != 0)
		return "nft does not run here";
	return NULL;
}

#define NEED_NFT()                                                                                 \
	do {                                                                                       \
		NEED_NETWORK();                                                                    \
		const char *no_nft_ = need_nft();                                                  \
		if (no_nft_)                                                                       \
			SKIP(no_nft_);                                                             \
	} while (0)

/* Two machines on br0, whose frames pass iptables. */
static void sick_begin_shown(struct sick *s)
{
	sick_begin(s);
	put_file("proc/sys/net/bridge/bridge-nf-call-iptables", "1\n");
	add_nic(s, add(s, "web", true), "br0");
	add_nic(s, add(s, "db", false), "br0");
}

TEST(docker_drops_what_is_forwarded)
{
	NEED_NFT();
	struct sick s;
	sick_begin_shown(&s);
	shell(DOCKER);
	CHECK_FOUND(&s, forwarding,
			"fault: bridge 'br0': its frames pass the chain 'FORWARD' of table 'ip "
			"filter', which drops them (Docker's)\n"
			"  guests on it reach the host, but not each other or the network: "
			"machines 'web', 'db'\n"
			"    sysctl -w net.bridge.bridge-nf-call-iptables=0\n"
			"    # or, if containers need it, for this bridge alone:\n"
			"    iptables -I DOCKER-USER -i br0 -o br0 -j ACCEPT\n");
	/* Another bridge, a longer name, another verdict: none of them helps. */
	shell("nft insert rule ip filter DOCKER-USER iifname br1 accept");
	shell("nft insert rule ip filter DOCKER-USER iifname br00 accept");
	shell("nft insert rule ip filter DOCKER-USER iifname br0 counter");
	examine(&s, "forwarding", doctor_check_forwarding);
	CHECK_INT(s.doctor.n, 1);
	sick_end(&s);

	/* Either cure is enough. */
	sick_begin_shown(&s);
	shell("nft insert rule ip filter DOCKER-USER iifname br0 oifname br0 accept");
	CHECK_FOUND(&s, forwarding, "");
	sick_end(&s);

	sick_begin_shown(&s);
	shell("nft flush ruleset");
	shell(DOCKER);
	put_file("proc/sys/net/bridge/bridge-nf-call-iptables", "0\n");
	CHECK_FOUND(&s, forwarding, "ok: frames on bridges do not pass iptables\n");
	/* The bridge alone may ask for it, too. */
	put_file("sys/class/net/br0/bridge/nf_call_iptables", "1\n");
	examine(&s, "forwarding", doctor_check_forwarding);
	CHECK_INT(s.doctor.n, 1);
	sick_end(&s);
	shell("nft flush ruleset");
}

TEST(other_chains_drop_what_is_forwarded)
{
	NEED_NFT();
	struct sick s;
	sick_begin_shown(&s);
	shell("nft add table inet wall; nft add chain inet wall pass '{ type filter hook forward "
	      "priority 10; policy drop; }'");
	/* These don't: another hook, another policy, another family. */
	shell("nft add chain inet wall in '{ type filter hook input priority 0; policy drop; }'");
	shell("nft add chain inet wall also '{ type filter hook forward priority 0; }'");
	shell("nft add table bridge b; nft add chain bridge b f '{ type filter hook forward "
	      "priority 0; policy drop; }'");
	shell("nft add table ip6 x; nft add chain ip6 x f '{ type filter hook forward priority 0; "
	      "policy drop; }'");
	CHECK_FOUND(&s, forwarding,
			"fault: bridge 'br0': its frames pass the chain 'pass' of table 'inet "
			"wall', which drops them\n"
			"  guests on it reach the host, but not each other or the network: "
			"machines 'web', 'db'\n"
			"    sysctl -w net.bridge.bridge-nf-call-iptables=0\n"
			"    # or, if containers need it, for this bridge alone:\n"
			"    nft insert rule inet wall pass iifname br0 oifname br0 accept\n");
	shell("nft insert rule inet wall pass iifname br0 oifname br0 accept");
	CHECK_FOUND(&s, forwarding, "");
	shell("nft flush ruleset");
	sick_end(&s);
}

TEST(forwarding_is_nobodys_matter)
{
	struct sick s;
	sick_begin(&s);
	put_file("proc/sys/net/bridge/bridge-nf-call-iptables", "1\n");
	add(&s, "web", true);
	CHECK_FOUND(&s, forwarding, "ok: no machine is on a bridge\n");
	sick_end(&s);
}

TEST_MAIN()
