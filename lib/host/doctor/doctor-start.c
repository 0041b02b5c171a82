/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does QEMU start with KVM and the processors that machines have? KVM alone may run guests, and yet
 * not have what QEMU asks of it. Nothing of a guest runs: QEMU is told to quit before.
 */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/doctor/doctor.h"
#include "host/os/account.h"
#include "host/os/confine.h"
#include "host/os/process.h"
#include "util/file.h"
#include "util/mem.h"

#define LIMIT_SECONDS 10
#define OUTPUT_MAX ((size_t)1 << 16)

/* Whom QEMU runs as: never root. */
struct guise {
	struct account user;
	gid_t kvm_gid;
	bool is_root;
};

static int put_on(const void *data, struct error *err)
{
	const struct guise *guise = data;
	const struct confine confine = {
		.user = guise->is_root ? &guise->user : NULL,
		.groups = &guise->kvm_gid,
		.n_groups = 1,
		.death_signal = SIGKILL,
	};
	/* Goes on counting in the program that takes the place of this one. */
	alarm(LIMIT_SECONDS);
	return confine_self(&confine, err);
}

/* The first line of what QEMU said, without its name. */
static void take_reason(int fd, struct buf *ret)
{
	CLEANUP(buf_done) struct buf text = {};
	static const char mark[] = "error: ";
	if (lseek(fd, 0, SEEK_SET) < 0 || file_read_fd(fd, "output", OUTPUT_MAX, &text, NULL) < 0)
		return;
	const char *line = buf_text(&text), *colon = strstr(line, ": ");
	size_t len = strcspn(line, "\n");
	if (colon && colon < line + len) {
		len -= (size_t)(colon + 2 - line);
		line = colon + 2;
	}
	if (!strncmp(line, mark, strlen(mark))) {
		len -= strlen(mark);
		line += strlen(mark);
	}
	buf_add(ret, line, len);
}

static int start(const struct vm *vm, const struct guise *guise, struct error *err)
{
	int ends[2];
	CLEANUP(buf_done) struct buf reason = {};
	CLEANUP(closep) int output = memfd_create("output", MFD_CLOEXEC);
	if (output < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return error_errno(err, "cannot talk to a program");
	CLEANUP(closep) int ours = ends[0];
	CLEANUP(closep) int theirs = ends[1];
	const char *const argv[] = { vm->emulator, "-nodefaults", "-no-user-config", "-display",
		"none", "-machine", vm->machine_type, "-accel", "kvm", "-cpu", vm->cpu.model, "-m",
		"16", "-S", "-chardev", "socket,id=monitor,fd=3", "-mon", "chardev=monitor", NULL };
	const struct process process = {
		.argv = argv,
		.prepare = put_on,
		.data = guise,
		.fds = &theirs,
		.n_fds = 1,
		.output_fd = &output,
	};
	if (write_all(ours, "quit\n", 5) < 0)
		return error_errno(err, "cannot talk to a program");
	int r = process_run(&process, err);
	if (r < 0)
		take_reason(output, &reason);
	return reason.len ? error_set(err, EIO, "%s", buf_text(&reason)) : r;
}

static bool is_same(const struct vm *a, const struct vm *b)
{
	return a->accel == VM_ACCEL_KVM && b->accel == VM_ACCEL_KVM &&
	       !strcmp(a->emulator, b->emulator) && !strcmp(a->cpu.model, b->cpu.model);
}

/* Machines with this one's program and processor, if it is the first of them. */
static void check_start(struct doctor *d, size_t i, const struct guise *guise)
{
	CLEANUP(doctor_group_done) struct doctor_group users = {};
	const struct vm *vm = d->machines[i].vm;
	struct error err = {};
	for (size_t k = 0; k < d->n_machines; k++) {
		if (!is_same(vm, d->machines[k].vm))
			continue;
		if (k < i)
			return;
		doctor_group_add(&users, &d->machines[k]);
	}
	if (!users.names.n || access(vm->emulator, X_OK) < 0 || start(vm, guise, &err) == 0)
		return;
	doctor_add(d, doctor_level_of(users.urgent),
			"'%s' does not start with KVM and the processor '%s': %s", vm->emulator,
			vm->cpu.model, err.text);
	doctor_why(d, "%s cannot start", doctor_machines(d, &users.names));
	doctor_cure(d, "%s -accel kvm -cpu %s -display none -S", doctor_quote(d, vm->emulator),
			doctor_quote(d, vm->cpu.model));
	doctor_cure(d, "# another \"model\" in \"cpu\" may do, or \"machine\": { \"accel\": "
		       "\"tcg\" }, which is slower");
}

void doctor_check_start(struct doctor *d)
{
	CLEANUP(freep) char *path = path_join(d->dev, "kvm");
	struct guise guise = { .is_root = geteuid() == 0 };
	struct error err = {};
	struct stat st;
	if (!d->kvm_works || stat(path, &st) < 0) {
		doctor_note(d, "not tried without KVM");
		return;
	}
	guise.kvm_gid = st.st_gid;
	if (guise.is_root && account_make_up("machina-doctor", &guise.user, &err) < 0) {
		doctor_leave_out(d, "%s", err.text);
		return;
	}
	for (size_t i = 0; i < d->n_machines; i++)
		check_start(d, i, &guise);
}
