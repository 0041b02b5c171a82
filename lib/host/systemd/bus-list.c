/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The states of many units. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/os/clock.h"
#include "host/systemd/bus-call.h"
#include "host/systemd/bus-unit.h"
#include "util/mem.h"

void unit_list_done(struct unit_list *list)
{
	free(list->rows);
	arena_done(&list->arena);
	*list = (struct unit_list){};
}

/* Names, sorted, with their places. */
struct place {
	const char *name;
	size_t i;
};

static int compare_places(const void *a, const void *b)
{
	return strcmp(((const struct place *)a)->name, ((const struct place *)b)->name);
}

static struct place *sort_names(const struct strv *names)
{
	struct place *places = xcalloc(names->n + 1, sizeof(*places));
	for (size_t i = 0; i < names->n; i++)
		places[i] = (struct place){ names->items[i], i };
	qsort(places, names->n, sizeof(*places), compare_places);
	return places;
}

/* The first one that is not before @name. */
static size_t first_place(const struct place *places, size_t n, const char *name)
{
	size_t low = 0;
	for (size_t high = n; low < high;) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(places[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* What nobody has asked for is left out. */
static int read_rows(sd_bus_message *reply, const struct strv *names, struct unit_list *list)
{
	CLEANUP(freep) struct place *places = sort_names(names);
	int r = sd_bus_message_enter_container(reply, 'a', "(ssssssouso)");
	while (r >= 0) {
		const char *name, *description, *load, *active, *sub, *following, *path, *job_type,
				*job_path;
		uint32_t job_id;
		r = sd_bus_message_read(reply, "(ssssssouso)", &name, &description, &load, &active,
				&sub, &following, &path, &job_id, &job_type, &job_path);
		if (r <= 0)
			break;
		for (size_t i = first_place(places, names->n, name);
				i < names->n && !strcmp(places[i].name, name); i++)
			list->rows[places[i].i] = (struct unit_row){
				.name = arena_strdup(&list->arena, name),
				.load_state = arena_strdup(&list->arena, load),
				.active_state = arena_strdup(&list->arena, active),
				.sub_state = arena_strdup(&list->arena, unit_sub_state(sub)),
				.job_type = arena_strdup(&list->arena, job_type),
			};
	}
	return r;
}

static void fill_gaps(struct unit_list *list, const struct strv *names, const char *load_state)
{
	for (size_t i = 0; i < list->n; i++)
		if (!list->rows[i].name)
			list->rows[i] = (struct unit_row){
				.name = arena_strdup(&list->arena, names->items[i]),
				.load_state = load_state,
				.active_state = "inactive",
				.sub_state = "dead",
				.job_type = "",
			};
}

/* @gap: the load state of units that are not in the answer; a constant */
static int list_units(struct bus *bus, sd_bus_message *call, const struct strv *names,
		const char *gap, struct unit_list *ret, struct error *err)
{
	CLEANUP(bus_message_unrefp) sd_bus_message *reply = NULL;
	int r = bus_call(bus, call, "list units", &reply, err);
	if (r < 0)
		return r;
	CLEANUP(unit_list_done)
	struct unit_list list = {
		.rows = xcalloc(names->n + 1, sizeof(*list.rows)),
		.n = names->n,
	};
	r = read_rows(reply, names, &list);
	if (r < 0)
		return bus_broken(err, r);
	fill_gaps(&list, names, gap);
	*ret = list;
	list = (struct unit_list){};
	return 0;
}

int bus_list_units(
		struct bus *bus, const struct strv *names, struct unit_list *ret, struct error *err)
{
	CLEANUP(bus_message_unrefp) sd_bus_message *call = NULL;
	int r = bus_new_call(bus, "ListUnitsByNames", &call, err);
	if (r >= 0)
		r = bus_append_names(call, names, err);
	/* systemd leaves out impossible names and tells aliases by their unit's name. */
	return r < 0 ? r : list_units(bus, call, names, "not-found", ret, err);
}

int bus_list_loaded_units(struct bus *bus, const char *pattern, const struct strv *names,
		struct unit_list *ret, struct error *err)
{
	CLEANUP(bus_message_unrefp) sd_bus_message *call = NULL;
	CLEANUP(strv_done) struct strv states = {}, patterns = {};
	strv_push(&patterns, pattern);
	int r = bus_new_call(bus, "ListUnitsByPatterns", &call, err);
	if (r >= 0)
		r = bus_append_names(call, &states, err);
	if (r >= 0)
		r = bus_append_names(call, &patterns, err);
	return r < 0 ? r : list_units(bus, call, names, "", ret, err);
}

/* One question of bus_get_runs(). */
struct question {
	const char *interface, *property;
	char type;
	void *to;
	size_t *n_answered;
};

/* What has gone meanwhile has no answer. */
static int take_answer(sd_bus_message *m, void *userdata, sd_bus_error *unused)
{
	(void)unused;
	const struct question *question = userdata;
	const char contents[] = { question->type, '\0' };
	++*question->n_answered;
	if (!sd_bus_message_get_error(m))
		(void)!sd_bus_message_read(m, "v", contents, question->to);
	return 0;
}

/* The moment at which a unit has come into this state; NULL: nobody asks. */
static const char *since_property(const char *active_state)
{
	return unit_is_up(active_state)		       ? "ActiveEnterTimestamp"
	       : !strcmp(active_state, "activating")   ? "InactiveExitTimestamp"
	       : !strcmp(active_state, "deactivating") ? "ActiveExitTimestamp"
	       : strcmp(active_state, "inactive") != 0 ? "InactiveEnterTimestamp"
						       : NULL;
}

#define QUESTIONS_MAX 5

static size_t questions_of(const struct unit_row *unit, unsigned what, struct unit_run *run,
		struct question *ret)
{
	static const char service[] = BUS_NAME ".Service";
	const char *since = since_property(unit->active_state);
	const bool is_up = unit_is_up(unit->active_state);
	size_t n = 0;
	*run = (struct unit_run){ .memory_current = UINT64_MAX, .cpu_usage_nsec = UINT64_MAX };
	if (since && what & UNIT_SINCE)
		ret[n++] = (struct question){ BUS_NAME ".Unit", since, 't', &run->since_usec };
	if (is_up && what & UNIT_MAIN_PID)
		ret[n++] = (struct question){ service, "MainPID", 'u', &run->main_pid };
	if (is_up && what & UNIT_USAGE) {
		ret[n++] = (struct question){ service, "MemoryCurrent", 't', &run->memory_current };
		ret[n++] = (struct question){ service, "CPUUsageNSec", 't', &run->cpu_usage_nsec };
	}
	if (!strcmp(unit->load_state, "loaded") && what & UNIT_RESTARTS)
		ret[n++] = (struct question){ service, "NRestarts", 'u', &run->n_restarts };
	return n;
}

static int ask(struct bus *bus, const struct unit_row *row, struct question *question,
		sd_bus_slot **ret_slot, struct error *err)
{
	CLEANUP(freep) char *path = NULL;
	int r = sd_bus_path_encode(BUS_PATH "/unit", row->name, &path);
	if (r >= 0)
		r = sd_bus_call_method_async(bus->sd, ret_slot, BUS_NAME, path,
				"org.freedesktop.DBus.Properties", "Get", take_answer, question,
				"ss", question->interface, question->property);
	return r < 0 ? bus_broken(err, r) : 0;
}

/* Until so few are on their way. */
static int wait_for(struct bus *bus, size_t n_asked, const size_t *n_answered, size_t n,
		uint64_t deadline_usec, struct error *err)
{
	int r = 1;
	while (r > 0 && n_asked - *n_answered > n)
		r = bus_process(bus, deadline_usec, err);
	return r == 0 ? error_set(err, ETIMEDOUT, "systemd does not answer") : r;
}

int bus_get_runs(struct bus *bus, const struct unit_list *list, unsigned what, struct unit_run *ret,
		struct error *err)
{
	const size_t n_max = list->n * QUESTIONS_MAX;
	CLEANUP(freep) struct question *questions = xcalloc(n_max + 1, sizeof(*questions));
	CLEANUP(freep) sd_bus_slot **slots = xcalloc(n_max + 1, sizeof(*slots));
	uint64_t deadline = clock_deadline_usec(BUS_ANSWER_USEC);
	size_t n_asked = 0, n_answered = 0;
	int r = 1;
	for (size_t i = 0; r > 0 && i < list->n; i++) {
		size_t end = n_asked +
			     questions_of(&list->rows[i], what, &ret[i], &questions[n_asked]);
		while (r > 0 && n_asked < end) {
			struct question *question = &questions[n_asked];
			question->n_answered = &n_answered;
			r = ask(bus, &list->rows[i], question, &slots[n_asked], err);
			n_asked += r == 0;
			if (r == 0)
				r = wait_for(bus, n_asked, &n_answered, BUS_IN_FLIGHT_MAX - 1,
						deadline, err);
		}
	}
	if (r > 0)
		r = wait_for(bus, n_asked, &n_answered, 0, deadline, err);
	for (size_t i = 0; i < n_asked; i++)
		sd_bus_slot_unref(slots[i]);
	return r < 0 ? r : 0;
}
