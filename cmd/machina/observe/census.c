/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All machines at one moment. */
#include "observe/census.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/machine/saved.h"
#include "host/os/clock.h"
#include "host/qmp/qmp-many.h"
#include "json/jtree.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/monitor.h"
#include "observe/state.h"
#include "setup/hookplan.h"
#include "unit/service.h"
#include "util/file.h"
#include "util/mem.h"

static void row_done(struct census_row *row)
{
	unit_info_done(&row->info);
	sample_done(&row->sample);
	free(row->run_state);
	free(row->version);
	free(row->error);
}

void census_done(struct census *census)
{
	for (size_t i = 0; i < census->n; i++)
		row_done(&census->rows[i]);
	free(census->rows);
	*census = (struct census){};
}

/* ---- QEMU ---- */

static void take_answer(struct qmp_many *item, struct census_row *row)
{
	if (!item->is_answered) {
		/* What no unit runs may have left its files behind. */
		row->error = row->is_up ? take_ptr(item->reason) : NULL;
		return;
	}
	row->run_state = xstrdup(jtree_get_text(item->replies[0], "status"));
	row->version = take_ptr(item->version);
	sample_add_disks(item->replies[1], &row->sample);
	row->sample.has_disks = true;
}

static void ask_qemus(const struct config_paths *paths, struct census *census)
{
	static const char *const commands[] = { "query-status", "query-blockstats", NULL };
	CLEANUP(freep) struct qmp_many *items = xcalloc(census->n + 1, sizeof(*items));
	CLEANUP(strv_done) struct strv sockets = {};
	size_t n = 0;
	for (size_t i = 0; i < census->n; i++) {
		const struct census_row *row = &census->rows[i];
		if (!row->is_up && !row->is_prepared)
			continue;
		items[sockets.n].occupied = saved_occupied(paths->saved_dir, row->machine);
		strv_push_take(&sockets,
				plan_qmp_path(paths->run_dir, row->machine, MONITOR_COMMANDS));
	}
	for (size_t i = 0; i < sockets.n; i++)
		items[i].path = sockets.items[i];
	qmp_many_ask(items, sockets.n, commands, clock_deadline_usec(QMP_MANY_USEC));
	for (size_t i = 0; i < census->n; i++)
		if (census->rows[i].is_up || census->rows[i].is_prepared)
			take_answer(&items[n++], &census->rows[i]);
	qmp_many_done(items, n);
}

/* ---- systemd ---- */

static int ask_systemd(struct bus *bus, const struct unit_row *unit, const struct unit_run *run,
		const struct strv *altered, struct census_row *row, struct error *err)
{
	int r = 0;
	if (unit->load_state[0])
		unit_info_of_row(unit, run, &row->info);
	else if (strv_contains_sorted(altered, unit->name))
		r = bus_get_unit(bus, unit->name, &row->info, err);
	else
		unit_info_at_rest(&row->info);
	row->is_up = r == 0 && row->info.main_pid && unit_is_up(row->info.active_state);
	return r;
}

static void measure(const struct config_paths *paths, struct census_row *row)
{
	CLEANUP(plan_done) struct plan plan = {};
	struct error doubt;
	if (!row->is_up)
		return;
	hookplan_recall(paths, HOOK_QEMU, row->machine, &plan, &doubt);
	sample_take(&(struct sample_source){ .info = &row->info, .plan = &plan }, 0, &row->sample);
}

static const char *state_of_file(const struct config_paths *paths, const char *unit)
{
	CLEANUP(freep) char *path = path_join(paths->unit_dir, unit);
	CLEANUP(freep) char *target = realpath(path, NULL);
	CLEANUP(buf_done) struct buf text = {};
	if (!target)
		return "";
	if (!strcmp(target, "/dev/null"))
		return "masked";
	if (lifecycle_is_enabled(paths, unit))
		return "enabled";
	if (file_read(path, UNIT_SIZE_MAX, &text, NULL) == 0 &&
			strstr(buf_text(&text), "\n[Install]\n"))
		return "disabled";
	return "static";
}

void census_find_enabled(const struct config_paths *paths, struct census *census)
{
	for (size_t i = 0; i < census->n; i++) {
		struct census_row *row = &census->rows[i];
		CLEANUP(freep) char *unit = unit_name(UNIT_QEMU, row->machine);
		if (row->info.unit_file_state[0])
			continue;
		free(row->info.unit_file_state);
		row->info.unit_file_state = xstrdup(state_of_file(paths, unit));
	}
}

/* Whoever may not look at them sees none. */
static void find_saved(const struct config_paths *paths, struct census *census)
{
	CLEANUP(strv_done) struct strv saved = {};
	struct error unused;
	if (saved_list(paths->saved_dir, &saved, &unused) < 0)
		return;
	for (size_t i = 0; saved.n && i < census->n; i++)
		census->rows[i].is_saved = strv_contains_sorted(&saved, census->rows[i].machine);
}

/* What was prepared by no unit is one in the foreground. */
static void find_prepared(const struct config_paths *paths, struct census *census)
{
	CLEANUP(strv_done) struct strv prepared = {};
	struct error unused;
	if (hookplan_list(paths, &prepared, &unused) < 0)
		return;
	for (size_t i = 0; i < census->n; i++) {
		struct census_row *row = &census->rows[i];
		const struct unit_info *info = &row->info;
		row->is_prepared = state_leaves_foreground(info->active_state, info->sub_state) &&
				   strv_contains_sorted(&prepared, row->machine);
	}
}

/* ---- together ---- */

int census_take(const struct config_paths *paths, struct bus *bus, const struct strv *names,
		unsigned what, struct census *ret, struct error *err)
{
	CLEANUP(census_done)
	struct census census = { .rows = xcalloc(names->n + 1, sizeof(*census.rows)) };
	CLEANUP(strv_done) struct strv units = {}, altered = {};
	CLEANUP(unit_list_done) struct unit_list list = {};
	lifecycle_units(names, &units);
	lifecycle_altered(paths, &altered);
	CLEANUP(freep) struct unit_run *runs = xcalloc(names->n + 1, sizeof(*runs));
	int r = lifecycle_list(bus, &units, &list, err);
	if (r >= 0)
		r = bus_get_runs(bus, &list, what, runs, err);
	for (size_t i = 0; r >= 0 && i < names->n; i++) {
		struct census_row *row = &census.rows[census.n++];
		row->machine = names->items[i];
		r = ask_systemd(bus, &list.rows[i], &runs[i], &altered, row, err);
	}
	if (r < 0)
		return r;
	for (size_t i = 0; i < census.n; i++)
		measure(paths, &census.rows[i]);
	find_saved(paths, &census);
	find_prepared(paths, &census);
	ask_qemus(paths, &census);
	*ret = census;
	census = (struct census){};
	return 0;
}
