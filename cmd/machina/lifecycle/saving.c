/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Saving a machine that was started by its unit. */
#include "lifecycle/saving.h"

#include <stdio.h>

#include "cli/output.h"
#include "hook/hook-resume.h"
#include "host/machine/restore.h"
#include "host/machine/save.h"
#include "host/os/clock.h"
#include "host/systemd/bus-unit.h"
#include "setup/hookplan.h"
#include "unit/service.h"
#include "util/mem.h"

/* What systemd knows of it: QEMU's process, and what the host's memory has of it, at most. */
static void look_at_unit(struct save_request *request)
{
	CLEANUP(freep) char *unit = unit_name(UNIT_QEMU, request->machine.plan->machine);
	CLEANUP(bus_freep) struct bus *bus = NULL;
	CLEANUP(unit_info_done) struct unit_info info = {};
	if (bus_open(&bus, NULL) < 0 || bus_get_unit(bus, unit, &info, NULL) < 0)
		return;
	request->main_pid = info.main_pid;
	if (info.memory_current != UINT64_MAX)
		request->used_bytes = info.memory_current;
}

int saving_run(const struct config_paths *paths, const struct plan *plan, struct qmp *qmp,
		const struct migration_watch *watch, bool dry_run, struct error *err)
{
	CLEANUP(strv_done) struct strv argv = {};
	CLEANUP(plan_done) struct plan tpm = {};
	int r = hookplan_started_argv(paths, plan->machine, &argv, err);
	if (r == 0)
		r = hookplan_recall_tpm(paths, plan, &tpm, err);
	if (r < 0)
		return r;
	struct save_request request = {
		.machine = { .dir = paths->saved_dir,
				.plan = plan,
				.argv = &argv,
				.tpm_data = tpm.tpm_data },
		.qmp = qmp,
		.watch = *watch,
	};
	look_at_unit(&request);
	return dry_run ? save_check(&request, err) : save_run(&request, err);
}

/* The unit's own monitor. Returns 0, 1 when nobody listens, or a negative errno. */
static int open_monitor(const struct config_paths *paths, const char *machine, struct qmp **ret,
		struct error *err)
{
	CLEANUP(freep) char *path = plan_qmp_path(paths->run_dir, machine, "systemd.0");
	int r = qmp_open_free(path, -1, clock_deadline_usec(QMP_GREETING_USEC), ret, err);
	return r == QMP_DONE ? 0 : r == QMP_ABSENT ? 1 : r < 0 ? r : -err->code;
}

static int save_by_hook(const struct config_paths *paths, const char *machine, struct error *err)
{
	const struct migration_watch watch = { .progress = hook_resume_extend };
	CLEANUP(plan_done) struct plan plan = {};
	CLEANUP(qmp_freep) struct qmp *qmp = NULL;
	hookplan_recall(paths, HOOK_QEMU, machine, &plan, err);
	if (err->code)
		return -err->code;
	int r = open_monitor(paths, machine, &qmp, err);
	return r == 0 ? saving_run(paths, &plan, qmp, &watch, false, err) : r;
}

bool saving_for_host(const struct config_paths *paths, const char *machine)
{
	struct error err = {};
	int r = save_by_hook(paths, machine, &err);
	if (r == 0)
		printf("%s: saved\n", machine);
	else if (r < 0)
		printf("%s: not saved, but shut down: %s\n", machine, err.text);
	fflush(stdout);
	return r == 0;
}

static int disown(const struct config_paths *paths, const char *machine, struct error *err)
{
	CLEANUP(qmp_freep) struct qmp *qmp = NULL;
	int r = open_monitor(paths, machine, &qmp, err);
	return r == 0 ? restore_disown(paths->saved_dir, machine, qmp, err) : r;
}

void saving_end_resume(const struct config_paths *paths, const char *machine, bool runs)
{
	struct error err = {};
	int r = restore_finish(paths->saved_dir, machine, &err);
	if (r == 0 && runs && saved_is_whole(paths->saved_dir, machine))
		r = disown(paths, machine, &err);
	if (r < 0)
		print_error(&err);
}

static bool was_active(const char *machine)
{
	CLEANUP(freep) char *unit = unit_name(UNIT_QEMU, machine);
	CLEANUP(bus_freep) struct bus *bus = NULL;
	CLEANUP(unit_info_done) struct unit_info info = {};
	return bus_open(&bus, NULL) == 0 && bus_get_unit(bus, unit, &info, NULL) == 0 &&
	       info.active_enter_usec && info.active_enter_usec >= info.inactive_exit_usec;
}

void saving_end_gone(const struct config_paths *paths, const char *machine)
{
	struct error err = {};
	int r = 0;
	switch (saved_look(paths->saved_dir, machine)) {
	case SAVED_RESUMING:
		if (was_active(machine))
			r = restore_finish(paths->saved_dir, machine, &err);
		break;
	case SAVED_UNFINISHED:
		r = saved_drop_unfinished(paths->saved_dir, machine, &err);
		break;
	case SAVED_NONE:
	case SAVED_WHOLE:
		break;
	}
	if (r < 0)
		print_error(&err);
}

bool saving_host_stops(void)
{
	CLEANUP(bus_freep) struct bus *bus = NULL;
	struct error err = {};
	bool stops = false;
	int r = bus_open(&bus, &err);
	if (r == 0)
		r = bus_is_stopping(bus, &stops, &err);
	if (r < 0)
		print_error(&err);
	return stops;
}
