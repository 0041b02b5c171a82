/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What systemd and the QEMUs say of many machines, asked before other work and read after it. */
#include "observe/live.h"

#include <stdlib.h>
#include <string.h>

#include "lifecycle/lifecycle.h"
#include "util/mem.h"

void live_begin(struct live *live, const struct config_paths *paths, const struct strv *names)
{
	struct error no_systemd;
	*live = (struct live){
		.paths = paths,
		.names = names,
		.states = xcalloc(names->n + 1, sizeof(*live->states)),
		.runs = xcalloc(names->n + 1, sizeof(*live->runs)),
		.refusals = xcalloc(names->n + 1, sizeof(*live->refusals)),
	};
	if (paths->offline || !names->n)
		return;
	live->asked = states_ask(paths, names);
	/* Without systemd, there is still a list of what is configured. */
	if (bus_open(&live->bus, &no_systemd) < 0)
		live->bus = NULL;
}

static void explain_refusal(struct live *live, const struct strv *altered, size_t i)
{
	CLEANUP(unit_info_done) struct unit_info info = {};
	CLEANUP(buf_done) struct buf text = {};
	struct error unused;
	const struct unit_row *unit = &live->units.rows[i];
	if (unit->load_state[0] ? !unit_is_refused(unit->load_state)
				: !strv_contains_sorted(altered, unit->name))
		return;
	if (bus_get_unit(live->bus, unit->name, &info, &unused) == 0 &&
			unit_is_refused(info.load_state) && unit_explain_failure(&info, &text))
		live->refusals[i] = buf_take(&text);
}

/* systemd reads files only of units that were altered: what else it does not have in memory is at
 * rest. */
static void ask_systemd(struct live *live)
{
	CLEANUP(strv_done) struct strv units = {}, altered = {};
	lifecycle_units(live->names, &units);
	lifecycle_altered(live->paths, &altered);
	int r = lifecycle_list(live->bus, &units, &live->units, &live->err);
	if (r >= 0)
		r = bus_get_runs(live->bus, &live->units, UNIT_MAIN_PID | UNIT_SINCE, live->runs,
				&live->err);
	if (r < 0)
		unit_list_done(&live->units);
	for (size_t i = 0; i < live->units.n; i++)
		explain_refusal(live, &altered, i);
}

void live_wait(struct live *live)
{
	if (live->bus)
		ask_systemd(live);
	for (size_t i = 0; i < live->names->n; i++) {
		const struct unit_row *unit = live->units.n ? &live->units.rows[i] : NULL;
		live->states[i] = (struct machine_state){
			.machine = live->names->items[i],
			.active = unit ? unit->active_state : "",
			.sub = unit ? unit->sub_state : "",
			.since_usec = unit ? live->runs[i].since_usec : 0,
			.refusal = live->refusals[i],
		};
	}
	states_find(live->paths, take_ptr(live->asked), live->states, live->names->n);
}

void live_done(struct live *live)
{
	if (live->states)
		states_done(live->states, live->names->n);
	free(live->states);
	free(live->runs);
	for (size_t i = 0; live->refusals && i < live->names->n; i++)
		free(live->refusals[i]);
	free(live->refusals);
	unit_list_done(&live->units);
	bus_free(live->bus);
	*live = (struct live){};
}
