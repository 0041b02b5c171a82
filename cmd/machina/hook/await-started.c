/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Has systemd started what was prepared? */
#include "hook/await-started.h"

#include <string.h>

#include "host/os/process.h"
#include "host/prepare/environment.h"
#include "host/systemd/bus-unit.h"
#include "setup/hookplan.h"
#include "unit/service.h"
#include "util/mem.h"

/* Words may follow that are of this start alone. */
static bool begins_with(const struct strv *argv, const struct strv *begin)
{
	bool same = begin->n <= argv->n;
	for (size_t i = 0; same && i < begin->n; i++)
		same = !strcmp(argv->items[i], begin->items[i]);
	return same;
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
		struct error *err)
{
	CLEANUP(strv_done) struct strv prepared = {}, started = {};
	/* What has ended already tells why itself. */
	if (pid <= 0 || process_argv(pid, &started, NULL) < 0 || !started.n)
		return 0;
	int r = hookplan_started_argv(paths, plan->machine, &prepared, err);
	if (r == 0)
		r = environment_expand(plan->run_dir, &prepared, err);
	if (r < 0 || begins_with(&started, &prepared))
		return r;
	if (!is_outdated(plan->machine) && !has_changed_since(paths, plan->machine))
		return 0;
	return error_set(err, ESTALE,
			"the unit on disk is not the one that systemd has started, and QEMU would "
			"take its disks for others: 'systemctl daemon-reload' has systemd read it, "
			"then 'machina start %s'",
			plan->machine);
}
