/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All machines at one moment. */
#include "census.h"

#include <json-c/json_tokener.h>
#include <stdlib.h>
#include <string.h>

#include "hookplan.h"
#include "host/clock.h"
#include "json/jtree.h"
#include "lifecycle.h"
#include "monitor.h"
#include "util/mem.h"
#include "util/worker.h"

/* QEMU answers in a millisecond, but for one on a host that is overloaded. */
#define ASK_USEC (2 * USEC_PER_SEC)
/* Processes at a time. */
#define AT_ONCE 64

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

/* ---- QEMU, in a process for each ---- */

struct question {
	const struct config_paths *paths;
	const char *machine;
};

/* {"qemu": ..., "state": ..., "disks": ...} or {"error": ...} */
static bool ask(void *context, struct buf *result)
{
	const struct question *question = context;
	CLEANUP(monitor_done) struct monitor monitor = {};
	const uint64_t deadline = clock_deadline_usec(ASK_USEC);
	struct error err = {};
	struct json_object *o = jtree_object(), *status = NULL, *disks = NULL;
	int r = monitor_open(question->paths, question->machine, deadline, &monitor, &err);
	if (r == 0)
		r = qmp_call(monitor.qmp, "query-status", NULL, deadline, &status, &err);
	if (r == 0)
		r = qmp_call(monitor.qmp, "query-blockstats", NULL, deadline, &disks, &err);
	if (r == 0) {
		jtree_set(o, "qemu", jtree_string(qmp_version(monitor.qmp)));
		jtree_set(o, "state", jtree_string(jtree_get_text(status, "status")));
		jtree_set(o, "disks", json_object_get(disks));
	} else {
		jtree_set(o, "error", jtree_string(err.text));
	}
	buf_puts(result, jtree_text(o));
	json_object_put(status);
	json_object_put(disks);
	json_object_put(o);
	return true;
}

static void take_answer(struct worker *worker, struct census_row *row)
{
	CLEANUP(buf_done) struct buf text = {};
	struct json_object *o =
			worker_finish(worker, &text) ? json_tokener_parse(buf_text(&text)) : NULL;
	const char *error = jtree_get_text(o, "error");
	if (!o || *error) {
		row->error = xstrdup(o ? error : "no process could be made to ask it");
	} else {
		row->run_state = xstrdup(jtree_get_text(o, "state"));
		row->version = xstrdup(jtree_get_text(o, "qemu"));
		sample_add_disks(jtree_get(o, "disks"), &row->sample);
		row->sample.has_disks = true;
	}
	json_object_put(o);
}

static void ask_some(const struct config_paths *paths, struct census_row *rows, size_t n)
{
	struct worker workers[AT_ONCE];
	struct question questions[AT_ONCE];
	for (size_t i = 0; i < n; i++) {
		questions[i] = (struct question){ paths, rows[i].machine };
		if (rows[i].is_up)
			worker_start(&workers[i], ask, &questions[i]);
	}
	for (size_t i = 0; i < n; i++)
		if (rows[i].is_up)
			take_answer(&workers[i], &rows[i]);
}

/* ---- together ---- */

static int ask_systemd(const struct config_paths *paths, struct bus *bus, struct census_row *row,
		struct error *err)
{
	CLEANUP(freep) char *unit = unit_name(UNIT_QEMU, row->machine);
	CLEANUP(plan_done) struct plan plan = {};
	struct error doubt;
	int r = bus_get_unit(bus, unit, &row->info, err);
	if (r < 0)
		return r;
	row->has_unit = strcmp(row->info.load_state, "not-found") != 0;
	row->is_up = row->info.main_pid && unit_is_up(row->info.active_state);
	if (!row->is_up)
		return 0;
	hookplan_recall(paths, HOOK_QEMU, row->machine, &plan, &doubt);
	sample_take(&(struct sample_source){ .info = &row->info, .plan = &plan }, 0, &row->sample);
	return 0;
}

int census_take(const struct config_paths *paths, struct bus *bus, const struct strv *names,
		struct census *ret, struct error *err)
{
	CLEANUP(census_done)
	struct census census = { .rows = xcalloc(names->n + 1, sizeof(*census.rows)) };
	for (; census.n < names->n; census.n++) {
		struct census_row *row = &census.rows[census.n];
		row->machine = names->items[census.n];
		int r = ask_systemd(paths, bus, row, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < census.n; i += AT_ONCE)
		ask_some(paths, &census.rows[i], census.n - i < AT_ONCE ? census.n - i : AT_ONCE);
	*ret = census;
	census = (struct census){};
	return 0;
}
