/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina eject, insert: the CDs of guests that run. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/complete.h"
#include "cli/output.h"
#include "host/os/clock.h"
#include "host/qmp/cd.h"
#include "host/storage/storage.h"
#include "lifecycle/monitor.h"
#include "setup/built.h"
#include "setup/hookplan.h"
#include "util/mem.h"

#define OPEN_USEC (10 * USEC_PER_SEC)
/* For a guest to let go of a CD that it has not mounted. */
#define WAIT_USEC (5 * USEC_PER_SEC)

struct cd_options {
	bool force;
	bool dry_run;
	uint64_t timeout_usec;
};

struct cd_work {
	struct monitor monitor;
	struct cd_drives drives;
	const struct cd_drive *drive;
};

static void work_done(struct cd_work *work)
{
	cd_drives_done(&work->drives);
	monitor_done(&work->monitor);
}

static const char *shown_name(const struct cd_drive *drive)
{
	return drive->name ? drive->name : drive->id;
}

/* @name: of the drive; NULL: the only one */
static int begin(const struct call *call, const char *name, struct cd_work *work, struct error *err)
{
	CLEANUP(strv_done) struct strv argv = {};
	int r = monitor_open_first(call, clock_deadline_usec(OPEN_USEC), &work->monitor, err);
	if (r < 0)
		return r;
	const char *machine = work->monitor.plan.machine;
	/* One in the foreground has no unit to read them from, and drives have fewer names. */
	r = hookplan_started_argv(&call->paths, machine, &argv, err);
	if (r == 0 || r == -EOPNOTSUPP)
		r = cd_list(work->monitor.qmp, &argv, &work->drives, err);
	if (r == 0) {
		work->drive = cd_find(&work->drives, name, err);
		r = work->drive ? 0 : -err->code;
	}
	return r < 0 ? error_wrap(err, "machine '%s'", machine) : 0;
}

/* The drive's name may be QEMU's word for it. */
PRINTF(1, 2) static void tell(const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	CLEANUP(freep) char *text = xvasprintf(format, ap);
	va_end(ap);
	put_text(stdout, text);
	putchar('\n');
}

static struct cd_request request_of(const struct call *call, const struct cd_work *work)
{
	const struct cd_options *options = call->options;
	return (struct cd_request){
		.drive = work->drive,
		.force = options->force,
		.wait_usec = options->timeout_usec ? options->timeout_usec : WAIT_USEC,
	};
}

static int eject_run(const struct call *call, struct error *err)
{
	const struct cd_options *options = call->options;
	const char *name = call->words.n > 1 ? call->words.items[1] : NULL;
	CLEANUP(work_done) struct cd_work work = {};
	int r = begin(call, name, &work, err);
	if (r < 0)
		return r;
	const char *machine = work.monitor.plan.machine;
	const struct cd_request request = request_of(call, &work);
	if (options->dry_run && work.drive->node) {
		tell("would eject %s of %s", shown_name(work.drive), machine);
		return STATUS_DONE;
	}
	r = cd_eject(work.monitor.qmp, &request, err);
	if (r < 0)
		return error_wrap(err, "machine '%s'", machine);
	tell("%s: %s %s", machine, shown_name(work.drive), r ? "is empty already" : "is ejected");
	return STATUS_DONE;
}

/* ---- insert ---- */

/* The file that the drive's volume would be if it were called so. */
static int find_volume(const struct call *call, const struct cd_work *work, const char *wanted,
		char **ret, struct error *err)
{
	CLEANUP(config_done) struct config config = {};
	CLEANUP(built_done) struct built built = {};
	const char *machine = work->monitor.plan.machine, *drive = work->drive->name;
	int r = config_load(&config, &call->paths, err);
	if (r == 0)
		r = machine_load(config.paths, &config.host, machine, &built.machine,
				&config.report, err);
	const size_t n = built.machine.conf.volumes.n;
	struct volume_conf *confs = built.machine.conf.volumes.items;
	/* Another pool may have a volume of the wanted name. */
	size_t own = 0;
	while (own < n && !(drive && confs[own].name && !strcmp(confs[own].name, drive)))
		own++;
	if (r == 0 && own < n)
		confs[own].name = wanted;
	if (r == 0)
		r = vm_build(&config.host, &built.machine, &built.vm, &config.report);
	print_errors(&config.report);
	if (r != 0)
		return r < 0 ? r
			     : error_set(err, EINVAL, "the config of '%s' can't be used", machine);
	if (own < n) {
		*ret = xstrdup(built.vm.volumes[own].path);
		return 0;
	}
	return error_set(err, ENOENT,
			"the config has no drive '%s' any more whose pool could have a volume "
			"'%s'; a file is named by a path with a '/'",
			shown_name(work->drive), wanted);
}

/* What it was started with. */
static int find_first(const struct cd_work *work, char **ret, struct error *err)
{
	const struct plan *plan = &work->monitor.plan;
	for (size_t i = 0; i < plan->n_fds; i++) {
		const struct plan_fd *fd = &plan->fds[i];
		if (fd->kind != PLAN_FD_FILE || !fd->volume || !work->drive->name ||
				strcmp(fd->volume, work->drive->name) != 0)
			continue;
		*ret = xstrdup(fd->path);
		return 0;
	}
	return error_set(err, ENOENT, "the config put nothing into '%s': a FILE is needed",
			shown_name(work->drive));
}

static int find_file(
		const struct call *call, const struct cd_work *work, char **ret, struct error *err)
{
	const char *wanted = call->words.n > 2 ? call->words.items[2] : NULL;
	if (!wanted)
		return find_first(work, ret, err);
	if (!strchr(wanted, '/'))
		return find_volume(call, work, wanted, ret, err);
	/* It is kept with the drive, and read again by who resumes the machine. */
	*ret = realpath(wanted, NULL);
	return *ret ? 0 : error_errno(err, "cannot open '%s'", wanted);
}

static int insert_run(const struct call *call, struct error *err)
{
	const struct cd_options *options = call->options;
	const char *name = call->words.n > 1 ? call->words.items[1] : NULL;
	CLEANUP(work_done) struct cd_work work = {};
	CLEANUP(freep) char *path = NULL;
	CLEANUP(closep) int fd = -1;
	int r = begin(call, name, &work, err);
	if (r == 0)
		r = find_file(call, &work, &path, err);
	if (r < 0)
		return r;
	const char *machine = work.monitor.plan.machine;
	const struct storage_file file = { .path = path, .device = plan_is_device(path) };
	const struct cd_request request = request_of(call, &work);
	r = storage_open(&file, &fd, err);
	if (r == 0 && options->dry_run) {
		tell("would put %s into %s of %s", path, shown_name(work.drive), machine);
		return STATUS_DONE;
	}
	if (r == 0)
		r = cd_insert(work.monitor.qmp, &request,
				&(struct cd_file){ fd, path, file.device }, err);
	if (r < 0)
		return error_wrap(err, "machine '%s'", machine);
	tell("%s: %s is in %s", machine, path, shown_name(work.drive));
	return STATUS_DONE;
}

/* The CD drives of the machine in front, by its config: what runs may not be asked for by those who
 * only look. */
static void complete_drives(struct completion *c)
{
	CLEANUP(config_done) struct config config = {};
	CLEANUP(built_done) struct built built = {};
	struct error unused = {};
	if (c->call->words.n != 1 || !c->call->paths.machine_dir ||
			config_load(&config, &c->call->paths, &unused) < 0 ||
			built_load(&built, &config, c->call->words.items[0], &unused) != 0)
		return;
	for (size_t i = 0; i < built.vm.n_volumes; i++)
		if (built.vm.volumes[i].type->bus == VM_BUS_CD_SATA ||
				built.vm.volumes[i].type->bus == VM_BUS_CD_SCSI)
			complete_offer(c, built.vm.volumes[i].name, built.vm.volumes[i].path);
}

static const struct argument eject_arguments[] = {
	{ "MACHINE", 0, complete_machines_up },
	{ "DRIVE", ARGUMENT_OPTIONAL, complete_drives },
	{},
};

static const struct argument insert_arguments[] = {
	{ "MACHINE", 0, complete_machines_up },
	{ "DRIVE", ARGUMENT_OPTIONAL, complete_drives },
	{ "FILE", ARGUMENT_OPTIONAL, complete_files },
	{},
};

static const struct option_spec options[] = {
	{ 0, "force", NULL, OPT_FLAG(struct cd_options, force),
			"Take the CD away even if the guest has locked the drive" },
	{ 't', "timeout", "TIME", OPT_SPAN(struct cd_options, timeout_usec),
			"Wait so long for the guest to let the drive open (5s)" },
	OPTION_DRY_RUN(struct cd_options, dry_run),
	{},
};

static const struct example eject_examples[] = {
	{ "machina eject web", "Take the CD out of web's only drive." },
	{ "machina eject --force web debian-12", "Take it out even if the guest uses it." },
	{},
};

static const struct example insert_examples[] = {
	{ "machina insert web debian-12 /srv/iso/tools.iso", "Put another CD into the drive." },
	{ "machina insert web debian-12 debian-13", "Put in another volume of the drive's pool." },
	{ "machina insert web debian-12", "Put back what web was started with." },
	{},
};

const struct command cmd_eject = {
	.name = "eject",
	.group = GROUP_RUN,
	.flags = COMMAND_FILES | COMMAND_LIVE,
	.arguments = eject_arguments,
	.summary = "Take a CD out of a guest's drive",
	.description = "DRIVE is the name of the volume that the drive has in the machine's config "
		       "(or QEMU's id of the drive), whatever is in it; where there is only one "
		       "drive it may be left out. A guest that has mounted the CD keeps the drive "
		       "locked: it is asked, and if it does not let go within some seconds, "
		       "nothing is done. Once the CD is out, nothing has its file open any "
		       "more.\n\n"
		       "The next start puts in again what the config says, but for that of a "
		       "machine that was saved.",
	.options = options,
	.options_size = sizeof(struct cd_options),
	.examples = eject_examples,
	.run = eject_run,
};

const struct command cmd_insert = {
	.name = "insert",
	.group = GROUP_RUN,
	.flags = COMMAND_FILES | COMMAND_LIVE,
	.arguments = insert_arguments,
	.summary = "Put a CD into a guest's drive",
	.description = "In place of what is in it. DRIVE is as for 'machina eject'. FILE is a path "
		       "with a '/' in it, of an image or a block device, or the name of another "
		       "volume in the pool of the drive's own; without FILE the drive gets what it "
		       "had at the start. QEMU gets the file open for reading.\n\n"
		       "It holds until the next start, which puts in what the config says, but for "
		       "that of a machine that was saved.",
	.options = options,
	.options_size = sizeof(struct cd_options),
	.examples = insert_examples,
	.run = insert_run,
};
