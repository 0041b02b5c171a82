/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What systemd and the QEMUs say of many machines, found out beside other work. */
#include "live.h"

#include <stdlib.h>

#include "host/bus.h"
#include "lifecycle.h"
#include "unit/service.h"
#include "util/mem.h"

/* systemd reads no files for this: what it does not have in memory is at rest. */
static void ask_systemd(struct live *live)
{
	CLEANUP(bus_freep) struct bus *bus = NULL;
	CLEANUP(freep) char *pattern = unit_name(UNIT_QEMU, "*");
	CLEANUP(strv_done) struct strv units = {};
	struct error no_systemd;
	/* Without one, there is still a list of what is configured. */
	if (live->paths->offline || !live->names->n || bus_open(&bus, &no_systemd) < 0)
		return;
	lifecycle_units(live->names, &units);
	int r = bus_list_loaded_units(bus, pattern, &units, &live->units, &live->err);
	if (r >= 0)
		r = bus_get_runs(bus, &live->units, live->runs, &live->err);
	if (r < 0)
		unit_list_done(&live->units);
}

static void *ask(void *data)
{
	struct live *live = data;
	ask_systemd(live);
	for (size_t i = 0; i < live->names->n; i++) {
		const struct unit_row *unit = live->units.n ? &live->units.rows[i] : NULL;
		live->states[i] = (struct machine_state){
			.machine = live->names->items[i],
			.active = unit ? unit->active_state : "",
			.sub = unit ? unit->sub_state : "",
		};
	}
	states_find(live->paths, live->states, live->names->n);
	return NULL;
}

void live_begin(struct live *live, const struct config_paths *paths, const struct strv *names)
{
	*live = (struct live){
		.paths = paths,
		.names = names,
		.states = xcalloc(names->n + 1, sizeof(*live->states)),
		.runs = xcalloc(names->n + 1, sizeof(*live->runs)),
	};
	live->is_beside = pthread_create(&live->thread, NULL, ask, live) == 0;
	if (!live->is_beside)
		ask(live);
}

void live_wait(struct live *live)
{
	if (live->is_beside)
		pthread_join(live->thread, NULL);
	live->is_beside = false;
}

void live_done(struct live *live)
{
	live_wait(live);
	if (live->states)
		states_done(live->states, live->names->n);
	free(live->states);
	free(live->runs);
	unit_list_done(&live->units);
	*live = (struct live){};
}
