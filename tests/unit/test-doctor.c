/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What doctor finds on hosts that lack something: KVM, programs, disks, memory, devices. Hardware
 * that is not here is a tree of files. */
#include "host/doctor/doctor.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "doctor-sample.h"
#include "util/file.h"

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
	/* Of that the new types are missing, too. */
	check_emulator("#!/bin/sh\n" HELP "echo 'QEMU emulator version 6.1.0'\n", "pc-q35-8.0",
			"fault: 'DIR/qemu' is QEMU 6.1, and 7.2 is the oldest that units are "
			"made for\n"
			"  machines 'web', 'db' may not start\n"
			"    # name another one: \"machine\": { \"qemu\": PATH }, or install it\n");
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

TEST(an_emulator_hangs)
{
	struct sick s;
	sick_begin(&s);
	CLEANUP(freep) char *emulator = xstrdup(put_emulator("#!/bin/sh\nexec sleep 100\n"));
	add(&s, "web", true)->emulator = emulator;
	s.doctor.limit_sec = 1;
	CHECK_FOUND(&s, emulators,
			"fault: 'DIR/qemu' cannot tell its version: it has not ended within 1 "
			"seconds\n"
			"  machine 'web' cannot start\n"
			"    DIR/qemu --version\n");
	sick_end(&s);
}

TEST(an_emulator_is_missing)
{
	struct sick s;
	sick_begin(&s);
	add(&s, "web", true)->emulator = "/none/qemu";
	CHECK_FOUND(&s, emulators,
			"fault: cannot execute '/none/qemu': No such file or directory\n"
			"  machine 'web' cannot start\n"
			"    # name another one: \"machine\": { \"qemu\": PATH }, or install it\n");
	sick_end(&s);
	sick_begin(&s);
	add(&s, "web", true)->emulator = "/usr/bin/qemu-of-no-host";
	examine(&s, "emulators", doctor_check_emulators);
	CHECK_STR(s.doctor.findings[0].cures.items[0], "apt-get install qemu-system-x86");
	sick_end(&s);
}

TEST(an_emulator_is_no_program)
{
	struct sick s;
	sick_begin(&s);
	CLEANUP(freep) char *emulator = xstrdup(put_emulator("#!/bin/sh\n"));
	CHECK_INT(chmod(emulator, 0644), 0);
	add(&s, "web", true)->emulator = emulator;
	CHECK_FOUND(&s, emulators,
			"fault: cannot execute 'DIR/qemu': Permission denied\n"
			"  machine 'web' cannot start\n"
			"    chmod a+x DIR/qemu\n");
	sick_end(&s);
}

static void check_start(const char *script, const char *expected)
{
	struct sick s;
	sick_begin(&s);
	CHECK_INT(chmod(scratch_dir, 0755), 0);
	CLEANUP(freep) char *emulator = xstrdup(put_emulator(script));
	put_file("dev/kvm", "");
	s.doctor.kvm_works = true;
	for (int i = 0; i < 3; i++) {
		struct vm *vm = add(&s, i == 0 ? "web" : i == 1 ? "db" : "tcg", i == 1);
		vm->emulator = emulator;
		vm->accel = i < 2 ? VM_ACCEL_KVM : VM_ACCEL_TCG;
		vm->cpu.model = "host";
	}
	CHECK_FOUND(&s, start, expected);
	s.doctor.kvm_works = false;
	CHECK_FOUND(&s, start, "ok: not tried without KVM\n");
	sick_end(&s);
}

#define START_FAILS(why)                                                                           \
	"fault: 'DIR/qemu' does not start with KVM and the processor 'host': " why "\n"            \
	"  machines 'web', 'db' cannot start\n"                                                    \
	"    DIR/qemu -accel kvm -cpu host -display none -S\n"                                     \
	"    # another \"model\" in \"cpu\" may do, or \"machine\": { \"accel\": \"tcg\" }, "      \
	"which is slower\n"

TEST(emulators_are_started)
{
	check_start("#!/bin/sh\nread word <&3 && [ $word = quit ]\n", "");
	check_start("#!/bin/sh\necho 'qemu: error: no such MSR'; echo more; exit 1\n",
			START_FAILS("no such MSR"));
	check_start("#!/bin/sh\nexit 3\n", START_FAILS("'DIR/qemu' has failed with status 3"));
	/* It is root for nobody. */
	check_start("#!/bin/sh\n[ $(id -u) != 0 ]\n", "");
	check_start("#!/bin/sh\ncase \"$*\" in *' -machine q35 -accel kvm -cpu host '*) ;; *) exit "
		    "4; "
		    "esac\n",
			"");
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

TEST(shares_have_their_program_directory_and_user)
{
	struct sick s;
	sick_begin(&s);
	struct vm *vm = add(&s, "web", true);
	CLEANUP(freep) char *file = xstrdup(scratch_path("file"));
	put_file("file", "");
	CHECK_FOUND(&s, shares, "ok: no machine has one\n");
	struct vm_share shares[] = {
		{ .name = "work", .path = "/none/a b", .program = "no-such-program" },
		{ .name = "docs",
				.path = file,
				.program = "/none/virtiofsd",
				.user = "nobody-here",
				.user_exists = true },
		{ .name = "good",
				.path = "/",
				.program = "/bin/true",
				.user = "root",
				.user_exists = true },
	};
	vm->shares = shares;
	vm->n_shares = ARRAY_SIZE(shares);
	CHECK_FOUND(&s, shares,
			"fault: share 'work' needs the program 'no-such-program', which is in "
			"none "
			"of the directories /usr/libexec:/usr/lib/qemu:/usr/lib (package "
			"virtiofsd; "
			"in Debian 12 qemu-system-common)\n"
			"  machine 'web' cannot start\n"
			"    apt-get install virtiofsd\n"
			"    # in Debian 12: apt-get install qemu-system-common\n"
			"fault: share 'docs': cannot execute '/none/virtiofsd': No such file or "
			"directory\n"
			"  machine 'web' cannot start\n"
			"    ls -l /none/virtiofsd\n"
			"fault: share 'work': '/none/a b': No such file or directory\n"
			"  machine 'web' cannot start\n"
			"    mkdir -p '/none/a b'\n"
			"    # it is to be the share's \"user\"'s, if it has one\n"
			"fault: share 'docs': 'DIR/file' is not a directory\n"
			"  machine 'web' cannot start\n"
			"    ls -ld DIR/file\n"
			"fault: share 'docs': the host has no user 'nobody-here'\n"
			"  machine 'web' cannot start\n"
			"    useradd --system nobody-here\n");
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

TEST(host_is_drained)
{
	struct sick s;
	sick_begin(&s);
	CLEANUP(freep) char *dir = xstrdup(scratch_path("state"));
	s.doctor.state_dir = dir;
	CHECK_FOUND(&s, drained, "ok: the host is not drained\n");
	put_file("state/drained.json", "{\"since\": \"2026-11-21 18:04:05 UTC\", "
				       "\"machines\": [\"a\", \"b\"], \"enabled\": []}");
	CHECK_FOUND(&s, drained,
			"warning: this host is drained since 2026-11-21 18:04:05 UTC\n"
			"  what ran before is off: machines 'a', 'b'\n"
			"    machina undrain\n");
	put_file("state/drained.json", "{\"since\": \"2026-11-21 18:04:05 UTC\", "
				       "\"machines\": [], \"enabled\": []}");
	CHECK_FOUND(&s, drained,
			"warning: this host is drained since 2026-11-21 18:04:05 UTC\n"
			"    machina undrain\n");
	sick_end(&s);
}

TEST(saved_guests_without_a_machine)
{
	struct sick s;
	sick_begin(&s);
	CLEANUP(freep) char *dir = xstrdup(scratch_path("state"));
	s.doctor.state_dir = dir;
	CHECK_FOUND(&s, saved, "");
	make_directory("state/saved/.half.saving");
	for (size_t i = 0; i < s.doctor.n_machines; i++) {
		CLEANUP(freep)
		char *name = xasprintf("state/saved/%s", s.doctor.machines[i].vm->name);
		make_directory(name);
	}
	CHECK_FOUND(&s, saved, "");
	make_directory("state/saved/gone");
	make_directory("state/saved/.it's.resuming");
	CHECK_FOUND(&s, saved,
			"warning: guests were saved whose machines have no config, or one with "
			"faults: 'gone', 'it's'\n"
			"  their memory stays in 'DIR/state/saved', with what was secret in it, "
			"and no start goes on from it\n"
			"    # put their configs back, 'machina generate' and 'machina start' "
			"them; "
			"or\n"
			"    # rm -r DIR/state/saved/gone\n"
			"    # rm -r 'DIR/state/saved/.it'\\''s.resuming'\n");
	sick_end(&s);
}

TEST(units_are_outdated)
{
	struct sick s;
	sick_begin(&s);
	CHECK_FOUND(&s, reload, "left out: systemd was not asked\n");
	/* Only that there is one counts. */
	s.doctor.bus = (struct bus *)&s;
	CHECK_FOUND(&s, reload, "");
	strv_push(&s.doctor.outdated, "machina-qemu-web.service");
	CHECK_FOUND(&s, reload,
			"warning: unit changed on disk since systemd has read it: "
			"'machina-qemu-web.service'\n"
			"  the next start or stop still follows what systemd has read\n"
			"    systemctl daemon-reload\n");
	strv_push(&s.doctor.outdated, "machina-network-lan.service");
	CHECK_FOUND(&s, reload,
			"warning: units changed on disk since systemd has read them: "
			"'machina-qemu-web.service', 'machina-network-lan.service'\n"
			"  the next start or stop still follows what systemd has read\n"
			"    systemctl daemon-reload\n");
	sick_end(&s);
}

TEST(machines_have_failed)
{
	struct sick s;
	sick_begin(&s);
	add(&s, "off", false);
	add(&s, "web", false);
	add(&s, "d b", true);
	CHECK_FOUND(&s, failed, "left out: systemd was not asked\n");
	/* Only that there is one counts. */
	s.doctor.bus = (struct bus *)&s;
	CHECK_FOUND(&s, failed, "");
	s.machines[1].failed = true;
	CHECK_FOUND(&s, failed, "fault: machine 'web' has failed\n    machina why web\n");
	s.machines[2].failed = true;
	CHECK_FOUND(&s, failed,
			"fault: machines 'web', 'd b' have failed\n"
			"    machina why web 'd b'\n");
	/* Somebody wants it to run: what it lacks is a fault. */
	CLEANUP(doctor_group_done) struct doctor_group group = {};
	doctor_group_add(&group, &s.machines[0]);
	CHECK(!group.urgent);
	doctor_group_add(&group, &s.machines[1]);
	CHECK(group.urgent);
	s.doctor.bus = NULL;
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

TEST(nobody_is_restarted_who_may_not_start_again)
{
	struct sick s;
	sick_begin(&s);
	struct doctor *d = &s.doctor;
	CLEANUP(strv_done) struct strv names = {};
	strv_push(&names, "web");
	doctor_begin(d, "units");
	doctor_add(d, DOCTOR_WARNING, "it has changed");
	doctor_cure_restart(d, &names);
	doctor_hold_restarts(d);
	CHECK_STR(d->findings[0].cures.items[0], "machina restart web");
	/* One that a restart mends stands in no restart's way. */
	doctor_add(d, DOCTOR_FAULT, "its interface is gone");
	doctor_cure_restart(d, &names);
	doctor_hold_restarts(d);
	CHECK_STR(d->findings[1].cures.items[0], "machina restart web");
	doctor_add(d, DOCTOR_FAULT, "its program is gone");
	doctor_cure(d, "machina restart web   # another's");
	doctor_hold_restarts(d);
	doctor_hold_restarts(d);
	CHECK_STR(d->findings[0].cures.items[0],
			"# once the faults are mended: machina restart web");
	CHECK_STR(d->findings[1].cures.items[0],
			"# once the faults are mended: machina restart web");
	CHECK_STR(d->findings[2].cures.items[0], "machina restart web   # another's");
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
	/* A machine that starts without its TPM's state has lost what was kept there. */
	CLEANUP(freep) char *tpm = xstrdup(scratch_path("tank/web-tpm"));
	s.vms[0].n_volumes = 0;
	s.vms[0].tpm.data = tpm;
	CHECK_FOUND(&s, pools,
			"fault: storage pools 'tank', 'iso': 'DIR/tank' does not exist\n"
			"  machine 'web' would get a new TPM; is a file system not mounted?\n"
			"    mount --all\n"
			"    # or, if it is new: mkdir -p DIR/tank\n");
	sick_end(&s);
}

/* Nobody is to make a directory where the devices of a volume group belong. */
TEST(a_pool_of_devices_is_missing)
{
	struct sick s;
	sick_begin(&s);
	struct storage_conf pool = { .name = "tank", .path = "/dev/no-such-vg", .type = "raw" };
	s.host.storage = (struct jlist){ &pool, 1 };
	add_volume(&s, add(&s, "web", true), "/dev/no-such-vg/os");
	CHECK_FOUND(&s, pools,
			"fault: storage pool 'tank': '/dev/no-such-vg' does not exist\n"
			"  machine 'web' cannot start; is a volume group not active, or a disk not "
			"there?\n"
			"    lsblk\n"
			"    # if it is of a volume group that is not active: vgchange --activate "
			"y\n");
	CHECK_FOUND(&s, volumes, "");
	s.host.storage.n = 0;
	CHECK_FOUND(&s, volumes,
			"fault: volume 'os' (pool 'tank'): '/dev/no-such-vg/os' does not exist, "
			"nor does its directory\n"
			"  machine 'web' cannot start\n"
			"    lsblk\n"
			"    # if it is of a volume group that is not active: vgchange --activate "
			"y\n");
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
	CLEANUP(freep) char *cut = xstrdup(scratch_path("cut.qcow2"));
	put_file("cut.qcow2", "QFI");
	add_volume(&s, add(&s, "web", true), image);
	add_volume(&s, add(&s, "db", false), other);
	add_volume(&s, add(&s, "lab", false), cut)->type = vm_storage_type_find("qcow2-block");
	CHECK_FOUND(&s, volumes,
			"fault: volume 'os' (pool 'tank'): 'DIR/os.raw' does not exist\n"
			"  machine 'web' cannot start\n"
			"    # if it is new: qemu-img create -f raw 'DIR/os.raw' SIZE\n"
			"warning: volume 'os' (pool 'tank'): 'DIR/dev' is a directory, not a file "
			"or a block device\n"
			"  machine 'db' cannot start\n"
			"    ls -ld DIR/dev\n"
			"warning: volume 'os' (pool 'tank'): 'DIR/cut.qcow2': not a qcow2 image, "
			"as the type of its pool says\n"
			"  machine 'lab' cannot start\n"
			"    qemu-img info DIR/cut.qcow2\n");
	sick_end(&s);
}

TEST(directories_of_volumes_are_missing)
{
	struct sick s;
	sick_begin(&s);
	CLEANUP(freep) char *lost = xstrdup(scratch_path("no/os.raw"));
	CLEANUP(freep) char *cd = xstrdup(scratch_path("no/cd.iso"));
	add_volume(&s, add(&s, "web", true), lost);
	add_volume(&s, add(&s, "db", false), cd);
	s.volumes[1].readonly = true;
	CHECK_FOUND(&s, volumes,
			"fault: volume 'os' (pool 'tank'): 'DIR/no/os.raw' does not exist, nor "
			"does its directory\n"
			"  machine 'web' cannot start\n"
			"    mount --all\n"
			"    # or, if it is new: mkdir -p 'DIR/no' && qemu-img create -f raw "
			"'DIR/no/os.raw' SIZE\n"
			"warning: volume 'os' (pool 'tank'): 'DIR/no/cd.iso' does not exist, nor "
			"does its directory\n"
			"  machine 'db' cannot start\n"
			"    mount --all\n"
			"    # or put it there: mkdir -p DIR/no\n");
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
			"fault: volume 'vars' (pool 'nvram'): 'DIR/vars.fd' does not exist\n"
			"  machine 'web' cannot start\n"
			"    install -D -m 0600 /usr/share/OVMF/OVMF_VARS_4M.fd DIR/vars.fd\n");
	sick_end(&s);
}

/* What QEMU or the guest's firmware would say nothing helpful of. */
TEST(firmware_is_of_another_size)
{
	struct sick s;
	sick_begin(&s);
	CLEANUP(freep) char *code = xstrdup(scratch_path("OVMF_CODE_4M.secboot.fd"));
	CLEANUP(freep) char *vars = xstrdup(scratch_path("vars.fd"));
	CLEANUP(freep) char *model = xstrdup(scratch_path("OVMF_VARS_4M.ms.fd"));
	struct vm *vm = add(&s, "web", true);
	vm->firmware_code = &s.volumes[0];
	vm->firmware_vars = &s.volumes[1];
	s.volumes[0] = (struct vm_volume){ .path = code, .readonly = true };
	s.volumes[1] = (struct vm_volume){ .path = vars };
	put_file("OVMF_CODE_4M.secboot.fd", "");
	put_file("vars.fd", "");
	put_file("OVMF_VARS_4M.ms.fd", "");
	CHECK_INT(truncate(code, 4096 + 512), 0);
	CHECK_INT(truncate(vars, 4096), 0);
	CHECK_INT(truncate(model, 8192), 0);
	CHECK_FOUND(&s, firmware,
			"fault: 'DIR/OVMF_CODE_4M.secboot.fd' has 4608 bytes: firmware has whole "
			"pages of 4096, and QEMU takes no other\n"
			"  machine 'web' cannot start\n"
			"    ls -ld DIR/OVMF_CODE_4M.secboot.fd\n"
			"fault: 'DIR/vars.fd' has 4096 bytes, and the variables that came with its "
			"firmware ('DIR/OVMF_VARS_4M.ms.fd') 8192\n"
			"  machine 'web' cannot start\n"
			"    # name the code that they belong to; or keep them aside, and begin "
			"anew:\n"
			"    mv DIR/vars.fd DIR/vars.fd.old && install -m 0600 "
			"DIR/OVMF_VARS_4M.ms.fd DIR/vars.fd\n");
	sick_end(&s);
}

static bool is_network;

/* In place of the C library's: what is in the network has no number. */
int statvfs(const char *path, struct statvfs *ret)
{
	CLEANUP(closep) int fd = open(path, O_PATH | O_CLOEXEC);
	int r = fd < 0 ? -1 : fstatvfs(fd, ret);
	if (r == 0 && is_network)
		ret->f_fsid = 0;
	return r;
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

	/* Each file system counts. */
	CLEANUP(freep) char *second = xstrdup(scratch_path("second"));
	make_directory("second");
	pools[1].path = second;
	for (int i = 0; i < 2; i++)
		CHECK_INT(mount("tmpfs", pools[i].path, "tmpfs", 0, "size=1M"), 0);
	is_network = true;
	examine(&s, "space", doctor_check_space);
	CHECK_INT(s.doctor.n, 0);
	for (int i = 0; i < 2; i++) {
		CLEANUP(freep) char *big = path_join(pools[i].path, "big");
		fd = open(big, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		CHECK_INT(posix_fallocate(fd, 0, 1 << 20), 0);
		close(fd);
	}
	examine(&s, "space", doctor_check_space);
	is_network = false;
	CHECK_INT(s.doctor.n, 2);
	for (int i = 0; i < 2; i++)
		CHECK_INT(umount(pools[i].path), 0);
	sick_end(&s);
}

/* ---- consoles ---- */

TEST(console_log_is_large)
{
	struct sick s;
	sick_begin(&s);
	CLEANUP(freep) char *run = xstrdup(scratch_path("run"));
	CLEANUP(freep) char *log = xstrdup(scratch_path("run/web/console.log"));
	put_file("run/web/console.log", "");
	put_file("run/other/console.log", "login:");
	add(&s, "web", true);
	add(&s, "other", true);
	add(&s, "none", true);
	CHECK_FOUND(&s, consoles, "");
	s.doctor.run_dir = run;
	int fd = open(log, O_RDWR | O_CLOEXEC);
	CHECK_INT(posix_fallocate(fd, 0, (off_t)65 << 20), 0);
	/* One that does not run has none: this is of another start. */
	CHECK_FOUND(&s, consoles, "");
	for (size_t i = 0; i < 3; i++)
		s.machines[i].running = true;
	CHECK_FOUND(&s, consoles,
			"warning: the console log of machine 'web' takes 65 MiB of memory\n"
			"  'DIR/run' is full some day, and systemd needs it; logrotate should cut "
			"this log every five minutes\n"
			"    apt-get install logrotate\n"
			"    systemctl start machina-console-logs.timer "
			"machina-console-logs.service\n");
	/* What was cut by a hole is not there. */
	CHECK_INT(ftruncate(fd, 0), 0);
	CHECK_INT(ftruncate(fd, (off_t)65 << 20), 0);
	CHECK_FOUND(&s, consoles, "");
	close(fd);
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
	add(&s, "off", false)->memory.ram_mib = 3000;
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
	/* As many as it takes, first of those that nobody misses. */
	check_memory("MemTotal:       1000000 kB\nMemAvailable:    4194304 kB\n",
			"warning: machine 'big' has 3072 MiB of memory, and the host 976\n"
			"  QEMU may not start, or the kernel may kill it\n"
			"    machina explain big /attrs/memory/ram\n"
			"warning: machine 'small' has 1024 MiB of memory, and the host 976\n"
			"  QEMU may not start, or the kernel may kill it\n"
			"    machina explain small /attrs/memory/ram\n"
			"warning: machine 'off' has 3000 MiB of memory, and the host 976\n"
			"  QEMU may not start, or the kernel may kill it\n"
			"    machina explain off /attrs/memory/ram\n"
			"warning: guests that are up or start with the host have 4096 MiB of "
			"memory, the host has 976\n"
			"  when guests use all that they have, the kernel kills one of them: "
			"machines 'big', 'small'\n"
			"    machina disable big small\n"
			"    machina stop small\n"
			"    # or give guests less: \"memory\": { \"ram\": MIB }\n");
	check_memory("", "left out: 'DIR/proc/meminfo' does not tell the memory\n");
}

TEST(memory_is_beyond_the_host)
{
	struct sick s;
	sick_begin(&s);
	put_file("proc/meminfo", "MemTotal:       8388608 kB\nMemAvailable:    8388608 kB\n");
	add(&s, "fits", false)->memory.ram_mib = 8192;
	struct vm *vm = add(&s, "kib", false);
	vm->memory.ram_mib = 2097152;
	CHECK_FOUND(&s, memory,
			"warning: machine 'kib' has 2097152 MiB of memory, and the host 8192\n"
			"  QEMU may not start, or the kernel may kill it\n"
			"    machina explain kib /attrs/memory/ram\n");
	/* Of these the check of huge pages tells. */
	vm->memory.hugepages = true;
	CHECK_FOUND(&s, memory, "ok: 0 MiB for guests that start with the host, of 8192\n");
	/* Nothing that starts with the host can be disabled here. */
	vm->memory = s.vms[0].memory;
	s.machines[0].running = s.machines[1].running = true;
	CHECK_FOUND(&s, memory,
			"warning: guests that are up or start with the host have 16384 MiB of "
			"memory, the host has 8192\n"
			"  when guests use all that they have, the kernel kills one of them: "
			"machines 'fits', 'kib'\n"
			"    machina stop fits\n"
			"    # or give guests less: \"memory\": { \"ram\": MIB }\n");
	sick_end(&s);
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
	/* The kernel would take all that it has for them. */
	check_pages("HugePages_Total:    1000\nHugePages_Free:      488\nHugepagesize:       2048 "
		    "kB\nMemAvailable:    49151 kB\n",
			"fault: machines need 1024 huge pages of 2048 KiB, and others use 0; the "
			"host has 1000\n"
			"  QEMU does not start without its pages: machines 'a', 'b', 'c'\n"
			"    # the host has not that much memory: give guests less, \"memory\": { "
			"\"ram\": MIB }\n");
	check_pages("MemTotal: 1 kB\n",
			"fault: this kernel has no huge pages\n"
			"  machines 'a', 'b', 'c' cannot start\n"
			"    # take \"hugepages\" out of \"memory\" of these machines\n");
}

/* ---- devices ---- */

static const char no_parent[] =
		"fault: device 'gpu': nothing offers the class 'desk'; 0000:81:00.0: %s\n"
		"  machine 'web' cannot start\n"
		"    ls -d DIR/sys/class/mdev_bus/*/mdev_supported_types/*\n";

static void check_devices(struct sick *s, const char *format, const char *why)
{
	const char *got = examine(s, "devices", doctor_check_devices);
	CLEANUP(buf_done) struct buf expected = {};
	const char *at = strstr(format, "%s");
	buf_add(&expected, format, (size_t)(at - format));
	buf_puts(&expected, why);
	buf_puts(&expected, at + 2);
	CHECK_STR(got, buf_text(&expected));
}

#define PARENT(n) "sys/bus/pci/devices/0000:" #n ":00.0"

TEST(nothing_offers_a_mediated_device)
{
	struct sick s;
	const struct vm_mdev_parent parents[] = {
		{ .address = "0000:41:00.0", .type_name = "GRID A" },
		{ .address = "0000:81:00.0", .type_name = "GRID B" },
	};
	struct vm_mdev mdev = {
		.name = "gpu", .class_name = "desk", .parents = parents, .n_parents = 2
	};
	sick_begin(&s);
	struct vm *vm = add(&s, "web", true);
	CHECK_FOUND(&s, devices, "ok: no machine has one\n");
	vm->mdevs = &mdev;
	vm->n_mdevs = 1;
	check_devices(&s, no_parent, "there is no such device ('lspci -D' lists all)");
	make_directory(PARENT(81));
	check_devices(&s, no_parent, "it offers no mediated devices: no driver is bound to it");
	put_file(PARENT(81) "/mdev_supported_types/nvidia-1/name", "GRID A\n");
	put_file(PARENT(81) "/mdev_supported_types/nvidia-1/available_instances", "1\n");
	check_devices(&s, no_parent, "it does not offer 'GRID B', but 'GRID A'");
	/* One that is full is there all the same: the guests that have it may be the machine's. */
	put_file(PARENT(41) "/mdev_supported_types/nvidia-1/name", "GRID A\n");
	put_file(PARENT(41) "/mdev_supported_types/nvidia-1/available_instances", "0\n");
	CHECK_FOUND(&s, devices, "");
	sick_end(&s);
}

TEST(usb_devices_are_plugged_in)
{
	struct sick s;
	const struct vm_usb_candidate places[] = { { .port = "999-1" }, { .id = "0000:0000" } };
	struct vm_usb usbs[] = {
		{ .name = "key", .candidates = places, .n_candidates = 1 },
		/* It may be either: that is seen when the machine starts. */
		{ .name = "any", .candidates = places, .n_candidates = 2 },
	};
	sick_begin(&s);
	struct vm *vm = add(&s, "web", false);
	vm->usbs = usbs;
	vm->n_usbs = ARRAY_SIZE(usbs);
	CHECK_FOUND(&s, devices,
			access("/sys/bus/usb/devices", F_OK) == 0
					? "warning: device 'key': the host has no USB bus 999, "
					  "of "
					  "port 999-1 ('lsusb -t' shows all)\n"
					  "  machine 'web' cannot start\n"
					  "    lsusb -t\n"
					: "warning: device 'key': the host has no USB: no driver "
					  "of a "
					  "USB controller is loaded\n"
					  "  machine 'web' cannot start\n"
					  "    lsusb -t\n");
	sick_end(&s);
}

TEST(pci_devices_need_an_iommu)
{
	struct sick s;
	const struct vm_pci_candidate candidate = { .address = "ffff:ff:1f.7" };
	struct vm_pci pci = {
		.name = "card", .class_name = "gpu", .candidates = &candidate, .n_candidates = 1
	};
	sick_begin(&s);
	struct vm *vm = add(&s, "web", false);
	vm->pcis = &pci;
	vm->n_pcis = 1;
	put_file("proc/cpuinfo", "vendor_id\t: AuthenticAMD\n");
	make_directory("sys/kernel/iommu_groups");
	CHECK_FOUND(&s, devices,
			"warning: the IOMMU is off: no device is in a group of it\n"
			"  PCI devices cannot be given away: machine 'web' cannot start\n"
			"    # switch on AMD-Vi (IOMMU) in the firmware's setup\n");
	put_file("proc/cpuinfo", "vendor_id\t: GenuineIntel\n");
	examine(&s, "devices", doctor_check_devices);
	CHECK_STR(s.doctor.findings[0].cures.items[0],
			"# switch on VT-d in the firmware's setup, and boot with intel_iommu=on:");
	CHECK_STR(s.doctor.findings[0].cures.items[1],
			"sed -i 's/^GRUB_CMDLINE_LINUX=\"/&intel_iommu=on /' /etc/default/grub && "
			"update-grub");
	make_directory("sys/kernel/iommu_groups/7");
	CHECK_FOUND(&s, devices,
			"warning: device 'card': ffff:ff:1f.7 is not there ('lspci -D' lists all "
			"devices)\n"
			"  machine 'web' cannot start\n"
			"    lspci -Dnnk\n");
	sick_end(&s);
}

TEST(more_devices_are_wanted_than_there_are)
{
	struct sick s;
	const struct vm_pci_candidate cards[] = { { .address = "0000:01:00.0" },
		{ .address = "0000:02:00.0" }, { .vendor = "10de" } };
	const struct vm_pci_candidate functions = { .interface = "enp1s0", .virtual_functions = 2 };
	struct vm_pci pcis[] = {
		{ .name = "a", .class_name = "gpu", .candidates = cards, .n_candidates = 2 },
		{ .name = "lan",
				.vf.network = "fast",
				.candidates = &functions,
				.n_candidates = 1 },
	};
	sick_begin(&s);
	put_file("proc/cpuinfo", "");
	for (int i = 0; i < 4; i++) {
		struct vm *vm = add(&s, (const char *[]){ "a", "b", "c", "d" }[i], i < 3);
		vm->pcis = pcis;
		vm->n_pcis = i == 0 ? 1 : 2;
	}
	examine(&s, "devices", doctor_check_devices);
	/* Beside these there is the IOMMU. */
	CHECK_INT(s.doctor.n, 2);
	CHECK_STR(s.doctor.findings[0].what, "machines that start with the host want 3 of class "
					     "'gpu', which has 2");
	CHECK_STR(s.doctor.findings[0].why, "not all of the machines 'a', 'b', 'c' can start");
	CHECK_STR(s.doctor.findings[0].cures.items[0], "machina disable c");
	/* A card that has more functions than it would be given. */
	pcis[1].candidates = &(struct vm_pci_candidate){ .address = "0000:41:00.0",
		.virtual_functions = 1 };
	examine(&s, "devices", doctor_check_devices);
	CHECK_INT(s.doctor.n, 3);
	CHECK_STR(s.doctor.findings[1].what, "machines that start with the host want 2 of network "
					     "'fast', which has 1");
	put_file("sys/bus/pci/devices/0000:41:00.0/sriov_numvfs", "8\n");
	examine(&s, "devices", doctor_check_devices);
	CHECK_INT(s.doctor.n, 2);
	/* How many of a kind there are is seen when they are looked for. */
	pcis[0].n_candidates = 3;
	examine(&s, "devices", doctor_check_devices);
	CHECK_INT(s.doctor.n, 1);
	sick_end(&s);
}

#define GPU "sys/devices/pci0000:00/0000:01:00.0"
#define SOUND "sys/devices/pci0000:00/0000:01:00.1"

static void link_to(const char *target, const char *name)
{
	CLEANUP(freep) char *parent = xstrdup(name);
	*strrchr(parent, '/') = '\0';
	make_directory(target);
	make_directory(parent);
	CLEANUP(freep) char *full = xstrdup(scratch_path(target));
	CHECK_INT(symlink(full, scratch_path(name)), 0);
}

/* A card whose sound is in its group, with a driver of the host's. */
TEST(pci_devices_that_cannot_be_lent_are_told_before_a_start)
{
	static const char shared[] =
			"fault: device 'card': 0000:01:00.0 shares IOMMU group 14 with "
			"0000:01:00.1 (snd_hda_intel): add it to the machine or move the card\n"
			"  machines 'web', 'mail' cannot start\n"
			"    lspci -Dnnk\n";
	struct sick s;
	const struct vm_pci_candidate candidate = { .address = "0000:01:00.0" };
	struct vm_pci pci = {
		.name = "card", .class_name = "gpu", .candidates = &candidate, .n_candidates = 1
	};
	sick_begin(&s);
	for (int i = 0; i < 2; i++) {
		struct vm *vm = add(&s, i ? "mail" : "web", i);
		vm->pcis = &pci;
		vm->n_pcis = 1;
	}
	link_to(GPU, "sys/bus/pci/devices/0000:01:00.0");
	link_to(SOUND, "sys/bus/pci/devices/0000:01:00.1");
	put_file(GPU "/class", "0x030000\n");
	put_file(SOUND "/class", "0x040300\n");
	link_to("sys/kernel/iommu_groups/14", GPU "/iommu_group");
	link_to(GPU, "sys/kernel/iommu_groups/14/devices/0000:01:00.0");
	link_to(SOUND, "sys/kernel/iommu_groups/14/devices/0000:01:00.1");
	CHECK_FOUND(&s, devices, "");
	link_to("sys/bus/pci/drivers/snd_hda_intel", SOUND "/driver");
	CHECK_FOUND(&s, devices, shared);
	/* One that runs has what it needs. */
	s.machines[1].running = true;
	CHECK_FOUND(&s, devices,
			"warning: device 'card': 0000:01:00.0 shares IOMMU group 14 with "
			"0000:01:00.1 (snd_hda_intel): add it to the machine or move the card\n"
			"  machine 'web' cannot start\n"
			"    lspci -Dnnk\n");
	s.doctor.is_root = false;
	CHECK_FOUND(&s, devices, "left out: only root sees which devices machines have\n");
	sick_end(&s);
}

TEST_MAIN()
