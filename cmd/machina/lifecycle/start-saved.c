/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a start of machines that were saved begins with. */
#include "lifecycle/start-saved.h"

#include <stdio.h>
#include <string.h>

#include "host/machine/saved.h"
#include "host/os/clock.h"
#include "host/systemd/bus-job.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/monitor.h"

/* For who saves or resumes it at this moment. */
#define SAVED_WAIT_USEC (10 * USEC_PER_SEC)

static int discard_saved(
		const struct call *call, const char *machine, bool is_up, struct error *err)
{
	const char *dir = call->paths.saved_dir;
	CLEANUP(lock_done) struct lock lock = {};
	if (saved_look(dir, machine) == SAVED_NONE)
		return 0;
	if (is_up)
		return error_set(err, EBUSY,
				"machine '%s' runs: its saved state is not thrown away", machine);
	int r = saved_lock(dir, machine, SAVED_WAIT_USEC, &lock, err);
	if (r == 0)
		r = saved_discard(dir, machine, err);
	if (r == 0)
		printf("%s: the saved state is gone\n", machine);
	return r < 0 ? r : 0;
}

/*
 * Has its QEMU nothing left to do but to quit? One that comes up has what was saved still to read,
 * and one that goes down will. A guest that runs all the same was let run by somebody. A monitor
 * that is taken is that of who saves it.
 */
static bool is_left_over(const struct call *call, const char *machine, const char *active_state)
{
	if (strcmp(active_state, "active") != 0 || !saved_is_whole(call->paths.saved_dir, machine))
		return false;
	const struct run_state *state = monitor_ask_state(&call->paths, machine);
	return !state || state->stop == STOP_MOVED;
}

int start_saved(const struct call *call, struct bus *bus, const struct strv *machines, bool discard,
		uint64_t deadline_usec, struct error *err)
{
	CLEANUP(strv_done) struct strv units = {};
	CLEANUP(unit_list_done) struct unit_list list = {};
	CLEANUP(strv_done) struct strv ends = {};
	lifecycle_units(machines, &units);
	int r = lifecycle_list(bus, &units, &list, err);
	for (size_t i = 0; r == 0 && i < list.n; i++) {
		const char *machine = machines->items[i];
		bool is_up = !unit_is_down(list.rows[i].active_state);
		if (discard)
			r = discard_saved(call, machine, is_up, err);
		else if (is_left_over(call, machine, list.rows[i].active_state))
			strv_push(&ends, units.items[i]);
	}
	if (r < 0 || !ends.n)
		return r;
	/* Those that require it run on, as when a guest ends by itself. */
	r = bus_run_jobs(bus, BUS_STOP_ALONE, &ends, NULL, NULL, deadline_usec, err);
	return r < 0 ? r : 0;
}
