/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One word for what a machine is doing. */
#include <string.h>

#include "host/qmp/run-state.h"
#include "observe/census.h"
#include "util/mem.h"

const char *const census_states[] = {
	[CENSUS_OFF] = "off",
	[CENSUS_SAVED] = "saved",
	[CENSUS_STARTING] = "starting",
	[CENSUS_BOOTING] = "booting",
	[CENSUS_RUNNING] = "running",
	[CENSUS_PAUSED] = "paused",
	[CENSUS_ASLEEP] = "asleep",
	[CENSUS_BUSY] = "busy",
	[CENSUS_CRASHED] = "crashed",
	[CENSUS_ENDED] = "ended",
	[CENSUS_STOPPING] = "shutting down",
	[CENSUS_FAILED] = "failed",
	[CENSUS_REFUSED] = "refused",
	[CENSUS_UNKNOWN] = "unknown",
};

static enum census_state state_of_guest(const char *word)
{
	static const enum census_state states[] = {
		[RUN_ON] = CENSUS_RUNNING,
		[RUN_PAUSED] = CENSUS_PAUSED,
		[RUN_ASLEEP] = CENSUS_ASLEEP,
		[RUN_CRASHED] = CENSUS_CRASHED,
		[RUN_ENDED] = CENSUS_ENDED,
		[RUN_BUSY] = CENSUS_BUSY,
	};
	return states[run_state_find(word)->kind];
}

static enum census_state state_at_rest(const struct census_row *row)
{
	return unit_is_refused(row->info.load_state) ? CENSUS_REFUSED
	       : row->is_saved			     ? CENSUS_SAVED
						     : CENSUS_OFF;
}

enum census_state census_state(const struct census_row *row)
{
	static const struct {
		const char *active;
		enum census_state state;
	} units[] = {
		{ "activating", CENSUS_STARTING },
		{ "deactivating", CENSUS_STOPPING },
		{ "failed", CENSUS_FAILED },
		{ "inactive", CENSUS_OFF },
	};
	const struct unit_info *info = &row->info;
	if (row->run_state)
		return state_of_guest(row->run_state);
	/* As "machina list" has it: what is about to be started again has failed, and QEMU is there
	 * while its start is waited for. */
	if (!strcmp(info->sub_state, "auto-restart"))
		return CENSUS_FAILED;
	if (!strcmp(info->sub_state, "start-post"))
		return CENSUS_BOOTING;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (!strcmp(units[i].active, info->active_state))
			return units[i].state == CENSUS_OFF ? state_at_rest(row) : units[i].state;
	return CENSUS_UNKNOWN;
}
