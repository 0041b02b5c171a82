/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The programs that machines run on: QEMU, swtpm, systemd; the group of their operators. */
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/doctor/doctor.h"
#include "host/os/clock.h"
#include "host/os/emulator.h"
#include "host/os/process.h"
#include "host/systemd/bus-unit.h"
#include "util/file.h"
#include "util/mem.h"

/* What arguments and units are made for. */
#define QEMU_MAJOR 7
#define QEMU_MINOR 2
#define SYSTEMD_VERSION 252

#define OUTPUT_MAX ((size_t)1 << 20)

/* ---- QEMU ---- */

/* Goes on counting in the program that takes the place of this process. */
static int limit_time(const void *data, struct error *err)
{
	const unsigned *seconds = data;
	(void)err;
	alarm(*seconds);
	return 0;
}

/* What a program says. @argument, @more: may be NULL */
static int ask(const struct doctor *d, const char *program, const char *argument, const char *more,
		struct buf *ret, struct error *err)
{
	CLEANUP(closep) int fd = memfd_create("output", MFD_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "cannot have memory for the output of '%s'", program);
	const char *const argv[] = { program, argument, more, NULL };
	const struct process process = {
		.argv = argv,
		.prepare = limit_time,
		.data = &d->limit_sec,
		.output_fd = &fd,
	};
	const uint64_t deadline_usec = clock_deadline_usec(d->limit_sec * USEC_PER_SEC);
	int r = process_run(&process, err);
	if (r < 0 && d->limit_sec && clock_now_usec() >= deadline_usec)
		return error_set(
				err, ETIMEDOUT, "it has not ended within %u seconds", d->limit_sec);
	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = error_errno(err, "cannot read the output of '%s'", program);
	return r < 0 ? r : file_read_fd(fd, program, OUTPUT_MAX, ret, err);
}

/* Does a line of "-machine help" begin with that word? */
static bool knows_type(const char *help, const char *type)
{
	size_t len = strlen(type);
	for (const char *line = help; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, type, len) && (line[len] == ' ' || line[len] == '\n'))
			return true;
	}
	return false;
}

static void check_types(struct doctor *d, const char *emulator)
{
	CLEANUP(buf_done) struct buf help = {};
	if (ask(d, emulator, "-machine", "help", &help, NULL) < 0)
		return;
	CLEANUP(strv_done) struct strv told = {};
	for (size_t i = 0; i < d->n_machines; i++) {
		const char *type = d->machines[i].vm->machine_type;
		if (strcmp(d->machines[i].vm->emulator, emulator) != 0 ||
				knows_type(buf_text(&help), type) || strv_contains(&told, type))
			continue;
		strv_push(&told, type);
		CLEANUP(doctor_group_done) struct doctor_group users = {};
		for (size_t k = i; k < d->n_machines; k++)
			if (!strcmp(d->machines[k].vm->emulator, emulator) &&
					!strcmp(d->machines[k].vm->machine_type, type))
				doctor_group_add(&users, &d->machines[k]);
		doctor_add(d, doctor_level_of(users.urgent), "'%s' has no machine type '%s'",
				emulator, type);
		doctor_why(d, "%s cannot start", doctor_machines(d, &users.names));
		doctor_cure(d, "%s -machine help | grep q35", doctor_quote(d, emulator));
		doctor_cure(d, "# \"type\" of the machine is to be one of these");
	}
}

#define EMULATOR_PACKAGE "qemu-system-x86"

/* One of a package's, or one that somebody has built. */
static void cure_emulator(struct doctor *d, const char *emulator)
{
	if (strncmp(emulator, "/usr/bin/", 9) == 0)
		doctor_cure(d, "apt-get install " EMULATOR_PACKAGE);
	else
		doctor_cure(d, "# name another one: \"machine\": { \"qemu\": PATH }, or install "
			       "it");
}

/* Returns whether it is one that units are made for, as far as that is known. */
static bool check_version(struct doctor *d, const char *emulator, const char *text,
		const struct doctor_group *users)
{
	struct emulator_version v;
	if (emulator_read_version(text, &v) < 0) {
		doctor_add(d, DOCTOR_WARNING, "'%s' does not tell its version", emulator);
		doctor_why(d, "this program is made for QEMU %d.%d and later", QEMU_MAJOR,
				QEMU_MINOR);
		doctor_cure(d, "%s --version", doctor_quote(d, emulator));
		return true;
	}
	if (!d->note)
		doctor_note(d, "'%s' is QEMU %d.%d", emulator, v.major, v.minor);
	if (v.major > QEMU_MAJOR || (v.major == QEMU_MAJOR && v.minor >= QEMU_MINOR))
		return true;
	doctor_add(d, doctor_level_of(users->urgent),
			"'%s' is QEMU %d.%d, and %d.%d is the oldest that units are made for",
			emulator, v.major, v.minor, QEMU_MAJOR, QEMU_MINOR);
	doctor_why(d, "%s may not start", doctor_machines(d, &users->names));
	cure_emulator(d, emulator);
	return false;
}

static void check_emulator(struct doctor *d, const char *emulator)
{
	CLEANUP(doctor_group_done) struct doctor_group users = {};
	CLEANUP(buf_done) struct buf text = {};
	struct error err = {};
	for (size_t i = 0; i < d->n_machines; i++)
		if (!strcmp(d->machines[i].vm->emulator, emulator))
			doctor_group_add(&users, &d->machines[i]);
	/* That it is missing is told of as a lack. */
	if (access(emulator, X_OK) < 0)
		return;
	if (ask(d, emulator, "--version", NULL, &text, &err) < 0) {
		doctor_add(d, doctor_level_of(users.urgent), "'%s' cannot tell its version: %s",
				emulator, err.text);
		doctor_why(d, "%s cannot start", doctor_machines(d, &users.names));
		doctor_cure(d, "%s --version", doctor_quote(d, emulator));
		return;
	}
	/* That an old one lacks new types is no news. */
	if (check_version(d, emulator, buf_text(&text), &users))
		check_types(d, emulator);
}

/* A lack of @kind, of which the cure is a package. */
static void tell_lacks(struct doctor *d, enum lack_kind kind, const char *packages)
{
	size_t at = 0;
	for (const struct doctor_lack *l; (l = doctor_lacks(d, kind, &at));) {
		doctor_add_lack(d, l);
		doctor_cure(d, "apt-get install %s", packages);
	}
}

static void tell_missing_emulators(struct doctor *d)
{
	size_t at = 0;
	for (const struct doctor_lack *l; (l = doctor_lacks(d, LACK_EMULATOR, &at));) {
		doctor_add_lack(d, l);
		if (l->code == EACCES)
			doctor_cure(d, "chmod a+x %s", doctor_quote(d, l->subject));
		else
			cure_emulator(d, l->subject);
	}
}

static void tell_missing_modules(struct doctor *d)
{
	size_t at = 0;
	for (const struct doctor_lack *l; (l = doctor_lacks(d, LACK_SPICE, &at));) {
		doctor_add_lack(d, l);
		doctor_cure(d, "apt-get install qemu-system-modules-spice");
		doctor_cure(d, "# in Debian 12: apt-get install --reinstall qemu-system-common");
	}
}

void doctor_check_emulators(struct doctor *d)
{
	CLEANUP(strv_done) struct strv seen = {};
	if (!d->n_machines)
		doctor_note(d, "no machine needs it");
	tell_missing_emulators(d);
	tell_missing_modules(d);
	for (size_t i = 0; i < d->n_machines; i++) {
		const char *emulator = d->machines[i].vm->emulator;
		if (strv_contains(&seen, emulator))
			continue;
		strv_push(&seen, emulator);
		check_emulator(d, emulator);
	}
}

/* What is asked of the host only where a machine wants it. */
static void check_need(struct doctor *d, bool any, enum lack_kind kind, const char *packages)
{
	if (any)
		tell_lacks(d, kind, packages);
	else
		doctor_note(d, "no machine needs it");
}

void doctor_check_tpm(struct doctor *d)
{
	bool any = false;
	for (size_t i = 0; i < d->n_machines; i++)
		any |= d->machines[i].vm->tpm.enabled;
	check_need(d, any, LACK_TPM, "swtpm swtpm-tools");
}

void doctor_check_passt(struct doctor *d)
{
	bool any = false;
	for (size_t i = 0; i < d->n_machines; i++)
		for (size_t k = 0; k < d->machines[i].vm->n_nics; k++)
			any |= d->machines[i].vm->nics[k].passt;
	check_need(d, any, LACK_PASST, "passt");
}

void doctor_check_cloud_init(struct doctor *d)
{
	bool any = false;
	for (size_t i = 0; i < d->n_machines; i++)
		any |= d->machines[i].vm->n_seed > 0;
	check_need(d, any, LACK_LIBISOFS, "libisofs6");
}

/* ---- QEMU that was replaced ---- */

static bool is_replaced(const struct doctor *d, pid_t pid, bool *ret_unknown)
{
	static const char deleted[] = " (deleted)";
	CLEANUP(freep) char *path = xasprintf("%s/%d/exe", d->proc, pid);
	char target[PATH_MAX];
	ssize_t len = readlink(path, target, sizeof(target));
	if (len < 0) {
		*ret_unknown |= errno == EACCES || errno == EPERM;
		return false;
	}
	size_t end = strlen(deleted);
	return (size_t)len > end && !memcmp(target + len - end, deleted, end);
}

void doctor_check_replaced(struct doctor *d)
{
	CLEANUP(doctor_group_done) struct doctor_group users = {};
	bool unknown = false;
	if (!d->bus) {
		doctor_leave_out(d, "%s", d->bus_failure);
		return;
	}
	for (size_t i = 0; i < d->n_machines; i++)
		if (d->machines[i].pid && is_replaced(d, d->machines[i].pid, &unknown))
			doctor_group_add(&users, &d->machines[i]);
	if (unknown)
		doctor_leave_out(d, "only root sees which programs other users run");
	if (!users.names.n)
		return;
	doctor_add(d, DOCTOR_WARNING, "%s run%s a QEMU that has been replaced on disk since",
			doctor_machines(d, &users.names), users.names.n == 1 ? "s" : "");
	doctor_why(d, "what the new one mends takes effect with a restart");
	doctor_cure_restart(d, &users.names);
}

/* ---- systemd ---- */

void doctor_check_systemd(struct doctor *d)
{
	CLEANUP(freep) char *version = NULL;
	struct error err = {};
	int number;
	if (!d->bus) {
		doctor_add(d, DOCTOR_FAULT, "%s", d->bus_failure);
		doctor_why(d, "machines are units of systemd: none can be started");
		doctor_cure(d, "systemctl is-system-running");
		return;
	}
	if (bus_get_version(d->bus, &version, &err) < 0 || sscanf(version, "%d", &number) != 1) {
		doctor_add(d, DOCTOR_WARNING, "systemd does not tell its version: %s",
				err.code ? err.text : version);
		doctor_why(d, "units are made for systemd %d and later", SYSTEMD_VERSION);
		doctor_cure(d, "systemctl --version");
		return;
	}
	doctor_note(d, "version %d", number);
	if (number >= SYSTEMD_VERSION)
		return;
	doctor_add(d, DOCTOR_FAULT,
			"systemd has version %d, and %d is the oldest that units are made for",
			number, SYSTEMD_VERSION);
	doctor_why(d, "it takes no notice of settings that it does not know: machines may not "
		      "start, or run with less confinement");
	doctor_cure(d, "# upgrade the host");
}

void doctor_check_groups(struct doctor *d)
{
	if (getgrnam(d->operators))
		return;
	doctor_add(d, DOCTOR_WARNING, "there is no group '%s'", d->operators);
	doctor_why(d, "consoles and monitors of machines are for root alone");
	doctor_cure(d, "groupadd --system %s", doctor_quote(d, d->operators));
}
