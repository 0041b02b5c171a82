/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina status: what systemd knows of machines. */
#include <inttypes.h>
#include <json-c/json_object.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/output.h"
#include "host/os/clock.h"
#include "host/systemd/cgroup.h"
#include "host/systemd/journal.h"
#include "json/jtree.h"
#include "lifecycle/drain.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/monitor.h"
#include "observe/state.h"
#include "observe/status-running.h"
#include "setup/machines.h"
#include "util/mem.h"

/* As systemctl(1) has them. */
#define STATUS_RUNNING 0
#define STATUS_NOT_RUNNING 3
#define STATUS_NO_SUCH_MACHINE 4

#define JOURNAL_LINES 10

struct status_options {
	bool json;
	bool rates;
};

static bool has_unit(const struct unit_info *info)
{
	return strcmp(info->load_state, "not-found") != 0;
}

static void print_state(const struct machine_state *state, const struct unit_info *info)
{
	uint64_t usec = unit_since_usec(info);
	CLEANUP(buf_done) struct buf since = {};
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	uint64_t now_usec = (uint64_t)now.tv_sec * USEC_PER_SEC;
	if (usec) {
		char text[64];
		struct tm tm;
		time_t seconds = (time_t)(usec / USEC_PER_SEC);
		localtime_r(&seconds, &tm);
		strftime(text, sizeof(text), "%a %Y-%m-%d %H:%M:%S %Z", &tm);
		CLEANUP(freep) char *span = format_span(now_usec > usec ? now_usec - usec : 0);
		buf_printf(&since, " since %s, %s", text, span);
	}
	status_field("state", "%s%s%s%s, unit %s (%s)%s", state->word, state->reason ? ": " : "",
			state->reason ? state->reason : "",
			state->is_foreground ? " in the foreground" : "", info->active_state,
			info->sub_state, buf_text(&since));
}

static void print_process(const struct unit_info *info)
{
	CLEANUP(buf_done) struct buf text = {};
	uint64_t peak;
	if (!info->main_pid)
		return;
	buf_printf(&text, "%d", info->main_pid);
	if (info->memory_current != UINT64_MAX) {
		CLEANUP(freep) char *size = format_size(info->memory_current);
		buf_printf(&text, ", memory %s", size);
	}
	if (cgroup_memory_peak(CGROUP_ROOT, info->control_group, &peak)) {
		CLEANUP(freep) char *size = format_size(peak);
		buf_printf(&text, " (%s at most)", size);
	}
	if (info->cpu_usage_nsec != UINT64_MAX)
		buf_printf(&text, ", processor time %.1fs", (double)info->cpu_usage_nsec / 1e9);
	if (info->n_restarts)
		buf_printf(&text, ", restarted %" PRIu32 " times", info->n_restarts);
	status_field("process", "%s", buf_text(&text));
}

static void print_journal(const char *unit, const struct unit_info *info)
{
	CLEANUP(strv_done) struct strv lines = {};
	struct error err = {};
	if (journal_tail(unit, info->invocation_id, JOURNAL_LINES, &lines, &err) < 0)
		print_error(&err);
	if (lines.n)
		putchar('\n');
	for (size_t i = 0; i < lines.n; i++) {
		put_text(stdout, lines.items[i]);
		putchar('\n');
	}
}

static void print_unit(const char *unit, const struct unit_info *info, bool needs_restart)
{
	CLEANUP(buf_done) struct buf text = {};
	buf_puts(&text, unit);
	if (info->unit_file_state[0])
		buf_printf(&text, ", %s", info->unit_file_state);
	if (!has_unit(info))
		buf_puts(&text, ", removed since the start");
	else if (info->need_daemon_reload)
		buf_puts(&text, ", changed on disk since systemd read it");
	if (needs_restart)
		buf_puts(&text, ", changed since the start: it needs a restart to take effect");
	status_field("unit", "%s", buf_text(&text));
}

/* @running: NULL if it does not run */
static void print_machine(const struct config_paths *paths, const struct machine_state *state,
		const char *unit, const struct unit_info *info,
		const struct status_running *running)
{
	CLEANUP(buf_done) struct buf failure = {};
	const char *machine = state->machine;
	bool configured = machine_is_configured(paths, machine);
	style_begin(stdout, state->style == STYLE_PLAIN ? STYLE_HEAD : state->style);
	printf("%s", machine);
	style_end(stdout, STYLE_HEAD);
	if (info->description[0]) {
		fputs(" - ", stdout);
		put_text(stdout, info->description);
	}
	putchar('\n');
	if (!running && !has_unit(info)) {
		status_field("state",
				configured ? "no unit: 'machina generate %s' makes it"
					   : "there is no machine '%s': it has neither a config "
					     "nor a unit",
				machine);
		return;
	}
	print_state(state, info);
	print_unit(unit, info, running && running->needs_restart);
	if (!configured)
		status_field("config", "there is none any more: when the machine is off, 'machina "
				       "generate --all' removes its unit");
	if (info->load_error[0])
		status_field("fault", "%s", info->load_error);
	print_process(info);
	if (unit_explain_failure(info, &failure))
		status_field("failure", "%s", buf_text(&failure));
	if (running)
		status_running_print(running);
	if (failure.len)
		print_journal(unit, info);
}

static struct json_object *machine_json(const struct machine_state *state, const char *unit,
		const struct unit_info *info, const struct status_running *running)
{
	struct json_object *o = jtree_object();
	CLEANUP(buf_done) struct buf failure = {};
	uint64_t peak;
	jtree_set(o, "machine", jtree_string(state->machine));
	jtree_set(o, "state", jtree_string(state->word));
	jtree_set(o, "foreground", jtree_bool(state->is_foreground));
	jtree_set_text(o, "reason", state->reason);
	if (state->in_qemu)
		jtree_set(o, "guest", jtree_string(state->in_qemu->name));
	jtree_set(o, "unit", jtree_string(unit));
	jtree_set(o, "load", jtree_string(info->load_state));
	jtree_set(o, "active", jtree_string(info->active_state));
	jtree_set(o, "sub", jtree_string(info->sub_state));
	jtree_set(o, "result", jtree_string(info->result));
	jtree_set(o, "enabled", jtree_string(info->unit_file_state));
	jtree_set(o, "need_daemon_reload", jtree_bool(info->need_daemon_reload));
	if (info->main_pid)
		jtree_set(o, "pid", jtree_int((int64_t)info->main_pid));
	if (unit_since_usec(info))
		jtree_set(o, "since_usec", jtree_int((int64_t)unit_since_usec(info)));
	if (info->active_enter_usec)
		jtree_set(o, "active_enter_usec", jtree_int((int64_t)info->active_enter_usec));
	if (info->inactive_enter_usec)
		jtree_set(o, "inactive_enter_usec", jtree_int((int64_t)info->inactive_enter_usec));
	if (info->memory_current != UINT64_MAX)
		jtree_set(o, "memory_bytes", jtree_int((int64_t)info->memory_current));
	if (cgroup_memory_peak(CGROUP_ROOT, info->control_group, &peak))
		jtree_set(o, "memory_peak_bytes", jtree_int((int64_t)peak));
	if (info->cpu_usage_nsec != UINT64_MAX)
		jtree_set(o, "cpu_usage_nsec", jtree_int((int64_t)info->cpu_usage_nsec));
	jtree_set(o, "n_restarts", jtree_int((int64_t)info->n_restarts));
	if (unit_explain_failure(info, &failure))
		jtree_set(o, "failure", jtree_string(buf_text(&failure)));
	if (running)
		status_running_add_json(running, o);
	return o;
}

static int status_of(const struct unit_info *info)
{
	return unit_is_up(info->active_state) ? STATUS_RUNNING
	       : has_unit(info)		      ? STATUS_NOT_RUNNING
					      : STATUS_NO_SUCH_MACHINE;
}

/* All that systemd and the QEMUs say, in the order of the names. */
struct shown {
	const struct strv *names;
	struct strv units;
	struct unit_info *infos;
	struct machine_state *states;
};

static void shown_done(struct shown *shown)
{
	size_t n = shown->infos ? shown->names->n : 0;
	for (size_t i = 0; i < n; i++)
		unit_info_done(&shown->infos[i]);
	states_done(shown->states, n);
	strv_done(&shown->units);
	free(shown->infos);
	free(shown->states);
}

static int shown_load(const struct call *call, struct shown *shown, struct error *err)
{
	CLEANUP(bus_freep) struct bus *bus = NULL;
	size_t n = shown->names->n;
	shown->infos = xcalloc(n + 1, sizeof(*shown->infos));
	shown->states = xcalloc(n + 1, sizeof(*shown->states));
	lifecycle_units(shown->names, &shown->units);
	int r = bus_open(&bus, err);
	for (size_t i = 0; r >= 0 && i < n; i++) {
		struct unit_info *info = &shown->infos[i];
		r = bus_get_unit(bus, shown->units.items[i], info, err);
		if (r >= 0)
			shown->states[i] = (struct machine_state){
				.machine = shown->names->items[i],
				.active = info->active_state,
				.sub = info->sub_state,
				.since_usec = unit_since_usec(info),
				/* The reason is told with the unit's failure. */
				.refusal = unit_is_refused(info->load_state) ? "" : NULL,
			};
	}
	if (r >= 0)
		states_find(&call->paths, NULL, shown->states, n);
	return r < 0 ? r : 0;
}

/* Somebody who waits for a guest to come up or to go wants its console. */
static bool runs(const struct call *call, const struct shown *shown, size_t i)
{
	const struct unit_info *info = &shown->infos[i];
	return unit_is_up(info->active_state) || shown->states[i].is_foreground ||
	       (info->main_pid && monitor_is_there(&call->paths, shown->names->items[i]));
}

/* What takes its time, and is therefore asked of all that run at once. */
struct answers {
	struct strv running;
	struct json_object *addresses;
	struct usage *usages; /* in the order of those that run; NULL: not asked for */
};

static void answers_done(struct answers *answers)
{
	strv_done(&answers->running);
	json_object_put(answers->addresses);
	free(answers->usages);
}

static void ask_all(const struct call *call, const struct shown *shown, struct answers *ret)
{
	const struct status_options *options = call->options;
	*ret = (struct answers){ .addresses = jtree_list() };
	for (size_t i = 0; i < shown->names->n; i++)
		if (runs(call, shown, i))
			strv_push(&ret->running, shown->names->items[i]);
	status_find_addresses(call, &ret->running, ret->addresses);
	if (!options->rates)
		return;
	ret->usages = xcalloc(ret->running.n + 1, sizeof(*ret->usages));
	usage_measure(&call->paths, &ret->running, ret->usages);
}

static int status_run(const struct call *call, struct error *err)
{
	const struct status_options *options = call->options;
	CLEANUP(strv_done) struct strv names = {};
	CLEANUP(shown_done) struct shown shown = { .names = &names };
	CLEANUP(answers_done) struct answers answers = {};
	int r = machines_select_known(call, MACHINES_ANY, &names, err);
	if (r == 0)
		r = shown_load(call, &shown, err);
	if (r != 0)
		return r < 0 ? r : STATUS_FAILURE;

	int worst = STATUS_RUNNING;
	struct json_object *list = jtree_list();
	ask_all(call, &shown, &answers);
	for (size_t i = 0, k = 0; i < names.n; i++) {
		const struct unit_info *info = &shown.infos[i];
		const struct machine_state *state = &shown.states[i];
		const char *unit = shown.units.items[i];
		CLEANUP(status_running_done) struct status_running running = {};
		bool is_there = k < answers.running.n &&
				!strcmp(answers.running.items[k], names.items[i]);
		int status = state->is_foreground ? STATUS_RUNNING : status_of(info);
		if (status > worst)
			worst = status;
		if (is_there) {
			status_running_load(call, names.items[i], answers.addresses,
					answers.usages ? &answers.usages[k] : NULL, &running);
			k++;
		}
		if (options->json) {
			jtree_push(list, machine_json(state, unit, info,
							 is_there ? &running : NULL));
			continue;
		}
		if (i)
			putchar('\n');
		print_machine(&call->paths, state, unit, info, is_there ? &running : NULL);
	}
	if (options->json)
		print_json(list);
	else
		drain_note(&call->paths);
	json_object_put(list);
	return worst;
}

static const struct option_spec options[] = {
	{ 'r', "rates", NULL, OPT_FLAG(struct status_options, rates),
			"Measure for a fifth of a second what machines use" },
	OPTION_JSON(struct status_options, json),
	{},
};

const struct command cmd_status = {
	.name = "status",
	.group = GROUP_LOOK,
	.flags = COMMAND_FILES | COMMAND_SELECTS | COMMAND_LIVE,
	.arguments = arguments_machines,
	.summary = "Show the state of machines",
	.description = "State (as 'machina list' has it), process, use of memory (and the most "
		       "that it was, where the kernel tells) and processor, sockets; addresses, as "
		       "far as they are found out at once ('machina ip' tells from whom); "
		       "connections that are disconnected or have lost their bridge or interface; "
		       "which of the host's devices it has got; whether its unit has changed since "
		       "it was started; after a failure its cause and the last lines of the "
		       "journal.\n\n"
		       "The exit status is 0 when all run, 3 when one does not, 4 when one has no "
		       "unit.",
	.options = options,
	.options_size = sizeof(struct status_options),
	.run = status_run,
};
