/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Has systemd started what was prepared? */
#include "hook/await-started.h"

#include <string.h>

#include "host/prepare/environment.h"
#include "host/systemd/bus-unit.h"
#include "host/systemd/executed.h"
#include "setup/hookplan.h"
#include "unit/service.h"
#include "util/mem.h"

/*
 * Behind the program's name: others may stand before and after, of this start alone, or of a
 * drop-in or a script that wraps the program.
 */
static bool has_arguments(const struct strv *started, const struct strv *prepared)
{
	for (size_t at = 1; at + prepared->n <= started->n + 1; at++) {
		size_t i = 1;
		while (i < prepared->n && !strcmp(started->items[at + i - 1], prepared->items[i]))
			i++;
		if (i >= prepared->n)
			return true;
	}
	return false;
}

/* Asked only where something is wrong: to ask takes as long as all else that this hook does. */
static bool is_outdated(const char *machine)
{
	CLEANUP(freep) char *unit = unit_name(UNIT_QEMU, machine);
	CLEANUP(bus_freep) struct bus *bus = NULL;
	CLEANUP(unit_info_done) struct unit_info info = {};
	return bus_open(&bus, NULL) == 0 && bus_get_unit(bus, unit, &info, NULL) == 0 &&
	       info.need_daemon_reload;
}

static bool has_changed_since(const struct config_paths *paths, const char *machine)
{
	CLEANUP(plan_done) struct plan plan = {};
	bool changed = false;
	return hookplan_running(paths, machine, &plan, &changed, NULL) == 0 && changed;
}

int await_check_started(const struct config_paths *paths, const struct plan *plan, pid_t pid,
		uint64_t deadline_usec, struct error *err)
{
	CLEANUP(strv_done) struct strv prepared = {}, started = {};
	struct error unused;
	/* What has ended already tells why itself, and what no unit has started follows none. */
	if (pid <= 0 || executed_argv(pid, deadline_usec, &started, &unused) < 0 ||
			hookplan_started_argv(paths, plan->machine, &prepared, NULL) < 0)
		return 0;
	int r = environment_expand(plan->run_dir, &prepared, err);
	if (r < 0 || has_arguments(&started, &prepared))
		return r;
	if (!is_outdated(plan->machine) && !has_changed_since(paths, plan->machine))
		return 0;
	return error_set(err, ESTALE,
			"the unit on disk is not the one that systemd has started, and QEMU would "
			"take its disks for others: 'systemctl daemon-reload' has systemd read it, "
			"then 'machina start %s'",
			plan->machine);
}
