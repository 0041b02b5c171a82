/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a start of machines that were saved begins with. */
#include "lifecycle/start-saved.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "hook/hook-resume.h"
#include "host/machine/saved.h"
#include "host/os/clock.h"
#include "host/systemd/bus-job.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/monitor.h"
#include "util/file.h"
#include "util/mem.h"

/* For who saves or resumes it at this moment. */
#define SAVED_WAIT_USEC (10 * USEC_PER_SEC)

static int mark_discard(const struct call *call, const char *machine, bool is_up,
		struct start_discards *discards, struct error *err)
{
	const char *dir = call->paths.saved_dir;
	CLEANUP(freep) char *path = hook_resume_discard_path(&call->paths, machine);
	CLEANUP(lock_done) struct lock lock = {};
	if (saved_look(dir, machine) == SAVED_NONE)
		return 0;
	if (is_up)
		return error_set(err, EBUSY,
				"machine '%s' runs: its saved state is not thrown away", machine);
	/* Whoever saves it at this moment is waited for. */
	int r = saved_lock(dir, machine, SAVED_WAIT_USEC, &lock, err);
	lock_done(&lock);
	if (r == 0)
		r = mkdir_all(call->paths.run_dir, 0755, err);
	if (r >= 0)
		r = lock_take(path, clock_deadline_usec(SAVED_WAIT_USEC), &lock, err);
	if (r < 0)
		return error_wrap(err, "machine '%s'", machine);
	size_t n = discards->machines.n;
	discards->locks = xreallocarray(discards->locks, n + 1, sizeof(*discards->locks));
	discards->locks[n] = lock;
	lock = (struct lock){};
	strv_push(&discards->machines, machine);
	return 0;
}

void start_discards_tell(const struct config_paths *paths, const struct start_discards *discards)
{
	for (size_t i = 0; i < discards->machines.n; i++) {
		const char *machine = discards->machines.items[i];
		if (saved_look(paths->saved_dir, machine) == SAVED_NONE)
			printf("%s: the saved state is gone\n", machine);
		else
			complain("%s: the saved state is kept for its next start", machine);
	}
}

void start_discards_done(struct start_discards *discards)
{
	for (size_t i = 0; i < discards->machines.n; i++)
		lock_done(&discards->locks[i]);
	free(discards->locks);
	strv_done(&discards->machines);
	*discards = (struct start_discards){};
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
	CLEANUP(freep) char *reason = NULL;
	const struct run_state *state = monitor_ask_state(&call->paths, machine, &reason);
	return !state || state->stop == STOP_MOVED;
}

int start_saved(const struct call *call, struct bus *bus, const struct strv *machines,
		struct start_discards *ret_discards, uint64_t deadline_usec, struct error *err)
{
	CLEANUP(strv_done) struct strv units = {};
	CLEANUP(unit_list_done) struct unit_list list = {};
	CLEANUP(strv_done) struct strv ends = {};
	lifecycle_units(machines, &units);
	int r = lifecycle_list(bus, &units, &list, err);
	for (size_t i = 0; r == 0 && i < list.n; i++) {
		const char *machine = machines->items[i];
		bool is_up = !unit_is_down(list.rows[i].active_state);
		if (ret_discards)
			r = mark_discard(call, machine, is_up, ret_discards, err);
		else if (is_left_over(call, machine, list.rows[i].active_state))
			strv_push(&ends, units.items[i]);
	}
	if (r < 0 || !ends.n)
		return r;
	/* Those that require it run on, as when a guest ends by itself. */
	r = bus_run_jobs(bus, BUS_STOP_ALONE, &ends, NULL, NULL, deadline_usec, err);
	return r < 0 ? r : 0;
}
