/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does KVM run guests? It is tried, with a guest of one instruction. */
#include "host/doctor/doctor.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/file.h"
#include "util/mem.h"
#include "util/worker.h"

/* The kernel's Documentation/virt/kvm/api.rst: any other number is to be refused. */
#define API_VERSION 12
/* An x86 processor begins 16 bytes below 4 GiB; Intel's needs a page that no guest uses. */
#define RESET_PAGE 0xfffff000u
#define SPARE_PAGES 0xfffbd000ul
#define PAGE 4096
#define HLT 0xf4
#define LIMIT_SECONDS 5

static int refuse(struct error *err, const char *what)
{
	return error_errno(err, "cannot %s", what);
}

static int run_guest(int kvm_fd, int vm_fd, struct error *err)
{
	char *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return refuse(err, "have memory for a guest");
	memset(memory, HLT, PAGE);
	struct kvm_userspace_memory_region region = {
		.guest_phys_addr = RESET_PAGE,
		.memory_size = PAGE,
		.userspace_addr = (uintptr_t)memory,
	};
	/* Only Intel's processors know it, and only older ones need it. */
	(void)ioctl(vm_fd, KVM_SET_TSS_ADDR, SPARE_PAGES);
	if (ioctl(vm_fd, KVM_SET_USER_MEMORY_REGION, &region) < 0)
		return refuse(err, "give memory to a guest");

	CLEANUP(closep) int cpu_fd = ioctl(vm_fd, KVM_CREATE_VCPU, 0);
	if (cpu_fd < 0)
		return refuse(err, "make a guest's processor");
	int size = ioctl(kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	const struct kvm_run *run = size <= 0 ? MAP_FAILED
					      : mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE,
								MAP_SHARED, cpu_fd, 0);
	if (run == MAP_FAILED)
		return refuse(err, "look at a guest's processor");
	if (ioctl(cpu_fd, KVM_RUN, 0) < 0)
		return refuse(err, "run a guest's first instruction");
	return run->exit_reason == KVM_EXIT_HLT ? 0
						: error_set(err, EIO,
								  "a guest's first instruction "
								  "failed (exit reason %u)",
								  run->exit_reason);
}

static int try_kvm(const char *path, struct error *err)
{
	CLEANUP(closep) int kvm_fd = open(path, O_RDWR | O_CLOEXEC);
	if (kvm_fd < 0)
		return error_errno(err, "cannot open '%s'", path);
	int version = ioctl(kvm_fd, KVM_GET_API_VERSION, 0);
	if (version < 0)
		return error_errno(err, "'%s' is something else", path);
	if (version != API_VERSION)
		return error_set(err, ENOTSUP, "it speaks version %d of the interface, not %d",
				version, API_VERSION);
	CLEANUP(closep) int vm_fd = ioctl(kvm_fd, KVM_CREATE_VM, 0);
	if (vm_fd < 0)
		return refuse(err, "make a guest");
	return run_guest(kvm_fd, vm_fd, err);
}

/* In a process of its own: what a broken KVM does to one is not known. */
static bool work(void *context, struct buf *result)
{
	struct error err = {};
	alarm(LIMIT_SECONDS);
	if (try_kvm(context, &err) < 0) {
		buf_add(result, &err.code, sizeof(err.code));
		buf_puts(result, err.text);
	}
	return true;
}

/* Returns 0, or the positive errno of the failure with its text appended. */
static int try_apart(char *path, struct buf *text)
{
	CLEANUP(buf_done) struct buf result = {};
	struct worker worker;
	int code;
	worker_start(&worker, work, path);
	if (worker_finish(&worker, &result) == 0) {
		buf_printf(text, "a guest of one instruction did not end within %d seconds",
				LIMIT_SECONDS);
		return ETIMEDOUT;
	}
	if (result.len < sizeof(code))
		return 0;
	memcpy(&code, result.text, sizeof(code));
	buf_puts(text, result.text + sizeof(code));
	return code;
}

static bool has_flag(const char *cpuinfo, const char *flag)
{
	const char *line = strstr(cpuinfo, "\nflags");
	size_t len = strlen(flag), end = line ? strcspn(line + 1, "\n") + 1 : 0;
	for (const char *at = line; at && (at = strstr(at, flag)) && at < line + end; at++)
		if (at[-1] == ' ' && strchr(" \n", at[len]))
			return true;
	return false;
}

static void tell_missing(struct doctor *d, enum doctor_level level, const char *path)
{
	CLEANUP(buf_done) struct buf text = {};
	CLEANUP(freep) char *cpuinfo = path_join(d->proc, "cpuinfo");
	/* Without it, the most common cause remains. */
	(void)!file_read(cpuinfo, SIZE_MAX / 4, &text, NULL);
	bool is_intel = has_flag(buf_text(&text), "vmx"), is_amd = has_flag(buf_text(&text), "svm");
	if (is_intel || is_amd) {
		doctor_add(d, level, "'%s' does not exist: KVM's module is not loaded", path);
		doctor_cure(d, "modprobe %s", is_intel ? "kvm_intel" : "kvm_amd");
	} else if (has_flag(buf_text(&text), "hypervisor")) {
		doctor_add(d, level,
				"'%s' does not exist: this host is a virtual machine itself, and "
				"gets no virtualization from its host",
				path);
		doctor_cure(d, "# switch on nested virtualization where this host is a guest");
	} else {
		doctor_add(d, level,
				"'%s' does not exist: the processor has no virtualization, or the "
				"firmware has switched it off",
				path);
		doctor_cure(d, "# switch on Intel VT-x or AMD-V (SVM) in the firmware's setup");
	}
}

/* The units' users may open it as members of the group "kvm" only. */
static void look_at_owner(struct doctor *d, enum doctor_level level, const char *path)
{
	struct stat st;
	const struct group *group = getgrnam(VM_KVM_GROUP);
	if (!group) {
		doctor_add(d, level, "there is no group 'kvm'");
		doctor_why(d, "units of machines with KVM run in it, and fail with 216/GROUP");
		doctor_cure(d, "groupadd --system kvm");
		doctor_cure(d, "chgrp kvm %s && chmod 0660 %s", path, path);
		return;
	}
	if (stat(path, &st) < 0 || (st.st_mode & 0006) == 0006 ||
			(st.st_gid == group->gr_gid && (st.st_mode & 0060) == 0060))
		return;
	doctor_add(d, level, "'%s' is not for the group 'kvm' to read and write", path);
	doctor_why(d, "QEMU runs as a user of that group, and cannot open it");
	doctor_cure(d, "chgrp kvm %s && chmod 0660 %s", path, path);
}

static void tell_failure(struct doctor *d, const char *path, int code, const char *text,
		const struct doctor_group *users)
{
	enum doctor_level level = doctor_level_of(users->urgent || !d->n_machines);
	if (code == ENOENT)
		tell_missing(d, level, path);
	else
		doctor_add(d, level, "KVM runs no guests: %s", text);
	if (users->names.n)
		doctor_why(d, "%s cannot start", doctor_machines(d, &users->names));
	else
		doctor_why(d, "machines need it unless they say otherwise");
	if (code == EBUSY)
		doctor_cure(d, "# another hypervisor has the processor: stop that one");
	else if (code != ENOENT)
		doctor_cure(d, "dmesg | grep -i kvm");
	doctor_cure(d, "# or, slower, in the machine's file: \"machine\": { \"accel\": \"tcg\" }");
}

void doctor_check_kvm(struct doctor *d)
{
	CLEANUP(freep) char *path = path_join(d->dev, "kvm");
	CLEANUP(buf_done) struct buf text = {};
	CLEANUP(doctor_group_done) struct doctor_group users = {};
	for (size_t i = 0; i < d->n_machines; i++)
		if (d->machines[i].vm->accel == VM_ACCEL_KVM)
			doctor_group_add(&users, &d->machines[i]);
	if (d->n_machines && !users.names.n) {
		doctor_note(d, "no machine uses it");
		return;
	}
	int code = try_apart(path, &text);
	if (code == EACCES && !d->is_root) {
		doctor_leave_out(d, "only root and members of its group may open '%s'", path);
		return;
	}
	d->kvm_works = !code;
	if (code)
		tell_failure(d, path, code, buf_text(&text), &users);
	else
		doctor_note(d, "runs guests");
	if (code != ENOENT)
		look_at_owner(d, doctor_level_of(users.urgent || !d->n_machines), path);
}
