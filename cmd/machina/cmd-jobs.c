/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina start, stop, restart: through systemd, with what came of it. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/complete.h"
#include "cli/output.h"
#include "hook/foreground.h"
#include "host/os/clock.h"
#include "host/qmp/run-state.h"
#include "host/systemd/bus-job.h"
#include "lifecycle/again.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/start-saved.h"
#include "lifecycle/why.h"
#include "observe/pending.h"
#include "unit/service.h"
#include "util/mem.h"

struct jobs_options {
	bool dry_run;
	bool discard_saved;
	bool one_by_one;
	bool force;
};

/* Units have time limits of their own: a start may take ten minutes, a guest an hour to shut down,
 * and what others require of it has to stop before. */
#define JOBS_TIMEOUT_USEC (UINT64_C(6) * 3600 * USEC_PER_SEC)

struct jobs {
	const struct config_paths *paths;
	struct bus *bus;
	enum bus_verb verb;
	const struct strv *machines;
	uint64_t since_usec;	   /* when this began; CLOCK_REALTIME */
	struct strv failed_before; /* units whose failure is no news */
	struct strv coming_before; /* units that were being started */
	/* Machines that are as they should be. They get a job all the same, as they may have
	 * changed by then. */
	struct strv done_before;
	struct why_guests guests; /* of a start: what their QEMUs say, in their order */
	struct strv failed;	  /* machines that did not do it */
	size_t n_done, n_explained;
	int n_held; /* of those, which systemd takes for done */
};

static void jobs_done(struct jobs *jobs)
{
	strv_done(&jobs->failed_before);
	strv_done(&jobs->coming_before);
	strv_done(&jobs->done_before);
	strv_done(&jobs->failed);
	why_guests_done(&jobs->guests);
}

static const char *const done_words[] = {
	[BUS_START] = "started",
	[BUS_STOP] = "stopped",
	[BUS_RESTART] = "restarted",
};

static void show_waiting(const struct jobs *jobs)
{
	size_t n = jobs->machines->n - jobs->n_done;
	if (n == 1 && jobs->machines->n == 1)
		progress_show("waiting for %s to %s", jobs->machines->items[0],
				bus_verb_names[jobs->verb]);
	else if (n)
		progress_show("waiting for %zu of %zu machines to %s", n, jobs->machines->n,
				bus_verb_names[jobs->verb]);
}

/* systemd ends the hooks of a unit that is stopped while it comes up by SIGTERM, and calls that a
 * failure: it is what was asked for. */
static bool was_stopped_early(
		const struct jobs *jobs, const char *unit, const struct unit_info *info)
{
	const struct exec_step *step = unit_failed_step(info);
	return strv_contains(&jobs->coming_before, unit) && step && step->code == CLD_KILLED &&
	       step->status == SIGTERM;
}

/* Returns whether it has: not after too many. */
static bool explain(struct jobs *jobs, const char *machine)
{
	if (jobs->n_explained++ >= LIFECYCLE_EXPLAINED_MAX)
		return false;
	lifecycle_explain(jobs->paths, jobs->bus, machine);
	return true;
}

/* A guest that was not shut down but cut off has stopped, too: the job is done, the unit has
 * failed. */
static void tell_bad_end(struct jobs *jobs, const char *machine)
{
	CLEANUP(strv_done) struct strv units = {};
	CLEANUP(unit_info_done) struct unit_info info = {};
	CLEANUP(buf_done) struct buf text = {};
	struct error err = {};
	strv_push_take(&units, unit_name(UNIT_QEMU, machine));
	const char *unit = units.items[0];
	if (strv_contains(&jobs->failed_before, unit) ||
			bus_get_unit(jobs->bus, unit, &info, &err) < 0 ||
			strcmp(info.active_state, "failed") != 0)
		return;
	if (was_stopped_early(jobs, unit, &info)) {
		if (bus_reset_failed(jobs->bus, &units, &err) < 0)
			complain("%s", err.text);
	} else if (!explain(jobs, machine) && unit_explain_failure(&info, &text)) {
		/* Nothing else has told of it. */
		complain("%s: %s: %s", machine, unit, buf_text(&text));
	}
}

/* NULL: it was not asked. */
static const struct qmp_many *guest_before(const struct jobs *jobs, const char *machine)
{
	for (size_t i = 0; i < jobs->guests.sockets.n; i++)
		if (!strcmp(jobs->done_before.items[i], machine))
			return &jobs->guests.items[i];
	return NULL;
}

/* Of a machine that was up before. That it runs does not mean that its guest does. */
static void tell_runs(const struct jobs *jobs, const char *machine)
{
	const struct qmp_many *guest = guest_before(jobs, machine);
	CLEANUP(buf_done) struct buf remedy = {};
	const struct run_state *state =
			guest && guest->is_answered ? run_state_read(guest->replies[0]) : NULL;
	if (state && state->kind != RUN_ON) {
		run_state_add_remedy(state, machine, &remedy);
		printf("%s: runs already, but its guest does not: %s%s\n", machine, state->meaning,
				buf_text(&remedy));
	} else if (guest && guest->is_late) {
		printf("%s: runs already, but could not be asked: %s\n", machine, guest->reason);
	} else {
		printf("%s: runs already\n", machine);
	}
}

/* What came of a job. */
static void tell_done(const struct jobs *jobs, const char *machine)
{
	CLEANUP(freep) char *unit = unit_name(UNIT_QEMU, machine);
	if (!strv_contains(&jobs->done_before, machine)) {
		bool was_coming = strv_contains(&jobs->coming_before, unit);
		const char *note = jobs->verb == BUS_STOP
						   ? ""
						   : pending_note(jobs->paths, jobs->bus, machine,
								     was_coming ? 0
										: jobs->since_usec);
		printf("%s: %s%s\n", machine, done_words[jobs->verb], note);
	} else if (jobs->verb == BUS_STOP) {
		printf("%s: was off already\n", machine);
	} else {
		tell_runs(jobs, machine);
	}
}

static void job_done(void *data, size_t i, const struct bus_job *job)
{
	struct jobs *jobs = data;
	const char *machine = jobs->machines->items[i];
	const bool is_done = job->result == JOB_DONE;
	/* systemd asks no conditions of a unit that is up. */
	const bool is_sure = is_done &&
			     (jobs->verb == BUS_STOP || strv_contains(&jobs->done_before, machine));
	CLEANUP(freep)
	char *cause = is_sure ? NULL
			      : why_job_failed(jobs->paths, jobs->bus, machine, job->result,
						jobs->since_usec);
	jobs->n_done++;
	progress_clear();
	if (is_done && !cause) {
		tell_done(jobs, machine);
		fflush(stdout);
		if (jobs->verb == BUS_STOP)
			tell_bad_end(jobs, machine);
	} else {
		jobs->n_held += is_done;
		strv_push(&jobs->failed, machine);
		complain("%s did not %s: %s", machine, bus_verb_names[jobs->verb],
				cause ? cause : job->text);
		explain(jobs, machine);
	}
	show_waiting(jobs);
}

/* Whoever starts a machine has seen to what made it fail. */
static int begin_anew(struct jobs *jobs, const struct strv *units, uint64_t deadline_usec,
		struct error *err)
{
	const struct strv *machines = jobs->machines;
	CLEANUP(unit_list_done) struct unit_list list = {};
	int r = lifecycle_list(jobs->bus, units, &list, err);
	for (size_t i = 0; i < list.n; i++) {
		const struct unit_row *row = &list.rows[i];
		if (!strcmp(row->active_state, "activating") &&
				strcmp(row->sub_state, "auto-restart") != 0)
			strv_push(&jobs->coming_before, row->name);
		if (jobs->verb == BUS_START && unit_is_up(row->active_state))
			strv_push(&jobs->done_before, machines->items[i]);
	}
	return r < 0 ? r
		     : lifecycle_begin_anew(jobs->paths, jobs->bus, machines,
				       jobs->verb == BUS_START, deadline_usec, err);
}

/*
 * What was never generated is off, and one in the foreground is not systemd's to stop: these are
 * left out, but for a unit that tries to start the latter again and again. Returns how many run on,
 * or a negative errno.
 */
static int look_before_stop(
		struct jobs *jobs, struct strv *machines, struct strv *units, struct error *err)
{
	CLEANUP(strv_done) struct strv left = {};
	CLEANUP(unit_list_done) struct unit_list list = {};
	int n = 0, r = bus_list_units(jobs->bus, units, &list, err);
	for (size_t i = 0; r >= 0 && i < list.n; i++) {
		const struct unit_row *row = &list.rows[i];
		const char *machine = machines->items[i];
		bool is_down = unit_is_down(row->active_state);
		if (foreground_is(jobs->paths, machine)) {
			complain("%s did not stop: it runs in the foreground; 'machina shutdown "
				 "%s' asks its guest",
					machine, machine);
			n++;
			if (is_down)
				continue;
		}
		if (is_down && !strcmp(row->load_state, "not-found")) {
			printf("%s: was off already\n", machine);
			continue;
		}
		strv_push(&left, machine);
		if (!strcmp(row->active_state, "failed"))
			strv_push(&jobs->failed_before, row->name);
		if (!strcmp(row->active_state, "activating"))
			strv_push(&jobs->coming_before, row->name);
		if (is_down)
			strv_push(&jobs->done_before, machine);
	}
	if (r < 0)
		return r;
	strv_clear(machines);
	strv_extend(machines, &left);
	strv_clear(units);
	lifecycle_units(machines, units);
	return n;
}

/* Returns how many did not do it, or a negative errno. */
static int run_all(const struct call *call, struct bus *bus, enum bus_verb verb,
		struct strv *machines, struct error *err)
{
	const struct jobs_options *options = call->options;
	CLEANUP(strv_done) struct strv units = {};
	CLEANUP(start_discards_done) struct start_discards discards = {};
	uint64_t deadline_usec = clock_deadline_usec(JOBS_TIMEOUT_USEC);
	CLEANUP(jobs_done)
	struct jobs jobs = {
		.paths = &call->paths,
		.bus = bus,
		.verb = verb,
		.machines = machines,
		.since_usec = clock_real_usec(),
	};
	int n_left = 0, r = 0;
	lifecycle_units(machines, &units);
	if (verb == BUS_STOP)
		r = n_left = look_before_stop(&jobs, machines, &units, err);
	else
		r = begin_anew(&jobs, &units, deadline_usec, err);
	/* All at once, so that those that hang cost two seconds and not two each. */
	if (r == 0 && verb == BUS_START)
		why_ask_guests(&call->paths, &jobs.done_before, &jobs.guests);
	if (r == 0 && verb == BUS_START)
		r = start_saved(call, bus, machines, options->discard_saved ? &discards : NULL,
				deadline_usec, err);
	if (r < 0 || !units.n)
		return r;
	show_waiting(&jobs);
	r = bus_run_jobs(bus, verb, &units, job_done, &jobs, deadline_usec, err);
	progress_clear();
	start_discards_tell(&call->paths, &discards);
	lifecycle_tell_failed(&jobs.failed, machines->n, bus_verb_names[verb]);
	return r < 0 ? r : r + n_left + jobs.n_held;
}

/* One that takes long to stop keeps none waiting but those that need it. */
static int start_all(
		const struct call *call, struct bus *bus, struct strv *machines, struct error *err)
{
	CLEANUP(strv_done) struct strv now = {}, later = {};
	if (machines->n == 1)
		return run_all(call, bus, BUS_START, machines, err);
	int n = 0, r = lifecycle_split(&call->paths, bus, machines, &now, &later, err);
	if (r == 0 && now.n)
		r = n = run_all(call, bus, BUS_START, &now, err);
	if (r >= 0 && later.n)
		r = run_all(call, bus, BUS_START, &later, err);
	return r < 0 ? r : later.n ? r + n : n;
}

/* Those that may be restarted. Returns how many may not. */
static size_t leave_out_stuck(
		const struct call *call, const struct strv *machines, struct strv *ret)
{
	const struct jobs_options *options = call->options;
	if (!options->force)
		return again_select(&call->paths, machines, ret);
	strv_extend(ret, machines);
	return 0;
}

/* Returns how many did not do it, or a negative errno. */
static int restart_all(const struct call *call, struct bus *bus, const struct strv *machines,
		struct error *err)
{
	CLEANUP(strv_done) struct strv able = {};
	size_t n_stuck = leave_out_stuck(call, machines, &able);
	int r = able.n ? run_all(call, bus, BUS_RESTART, &able, err) : 0;
	return r < 0 ? r : r + (int)n_stuck;
}

/* What has failed is not to take the next one down as well. One that is left as it is has not. */
static int run_one_by_one(const struct call *call, struct bus *bus, const struct strv *machines,
		struct error *err)
{
	int r = 0, n_stuck = 0;
	for (size_t i = 0; r == 0 && i < machines->n; i++) {
		CLEANUP(strv_done) struct strv one = {}, able = {};
		strv_push(&one, machines->items[i]);
		/* What the one before it has used up counts. */
		if (leave_out_stuck(call, &one, &able)) {
			n_stuck++;
			continue;
		}
		r = run_all(call, bus, BUS_RESTART, &able, err);
		if (r > 0 && i + 1 < machines->n)
			complain("%zu of %zu machines were left as they are", machines->n - i - 1,
					machines->n);
	}
	return r < 0 ? r : r + n_stuck;
}

/* Returns how many would not do it. */
static size_t run_dry(const struct call *call, enum bus_verb verb, const struct strv *machines)
{
	CLEANUP(strv_done) struct strv able = {}, units = {};
	if (verb == BUS_RESTART)
		leave_out_stuck(call, machines, &able);
	else
		strv_extend(&able, machines);
	lifecycle_units(&able, &units);
	for (size_t i = 0; i < units.n; i++)
		printf("would %s %s\n", bus_verb_names[verb], units.items[i]);
	return machines->n - able.n;
}

static int run_jobs(const struct call *call, enum bus_verb verb, struct error *err)
{
	const struct jobs_options *options = call->options;
	CLEANUP(bus_freep) struct bus *bus = NULL;
	CLEANUP(strv_done) struct strv machines = {};
	int r = lifecycle_select(
			call, verb == BUS_STOP ? LIFECYCLE_RUN : LIFECYCLE_START, &machines, err);
	if (r != 0)
		return r < 0 ? r : STATUS_FAILURE;
	if (options->dry_run)
		return run_dry(call, verb, &machines) ? STATUS_FAILURE : STATUS_DONE;
	if (machines.n)
		r = bus_open(&bus, err);
	if (r < 0 || !machines.n)
		return r;
	if (verb == BUS_START)
		r = start_all(call, bus, &machines, err);
	else if (verb == BUS_STOP)
		r = run_all(call, bus, verb, &machines, err);
	else if (options->one_by_one)
		r = run_one_by_one(call, bus, &machines, err);
	else
		r = restart_all(call, bus, &machines, err);
	return r < 0 ? r : r > 0 ? STATUS_FAILURE : STATUS_DONE;
}

static int start_run(const struct call *call, struct error *err)
{
	return run_jobs(call, BUS_START, err);
}

static int stop_run(const struct call *call, struct error *err)
{
	return run_jobs(call, BUS_STOP, err);
}

static int restart_run(const struct call *call, struct error *err)
{
	return run_jobs(call, BUS_RESTART, err);
}

static const struct option_spec options[] = { OPTION_DRY_RUN(struct jobs_options, dry_run), {} };

static const struct option_spec restart_options[] = {
	OPTION_DRY_RUN(struct jobs_options, dry_run),
	{ 0, "one-by-one", NULL, OPT_FLAG(struct jobs_options, one_by_one),
			"One after the other; end when one fails" },
	{ 'f', "force", NULL, OPT_FLAG(struct jobs_options, force),
			"Also those that would not start again" },
	{},
};

static const struct example restart_examples[] = {
	{ "machina restart --one-by-one --tag lan",
			"Each one waits until the one before it is ready again." },
	{ "machina restart --dry-run --all", "Tell which machines would not start again." },
	{},
};

static const struct option_spec start_options[] = {
	OPTION_DRY_RUN(struct jobs_options, dry_run),
	{ 0, "discard-saved", NULL, OPT_FLAG(struct jobs_options, discard_saved),
			"Throw away what 'machina save' has kept, and boot" },
	{},
};

static const struct example start_examples[] = {
	{ "machina start web", "Start web and wait until it has started." },
	{ "machina start 'db*' --tag lan", "Start several at once." },
	{ "machina start --discard-saved web",
			"Boot web, and throw away what 'machina save' has kept of it." },
	{},
};

static const struct argument start_arguments[] = {
	{ "MACHINE", ARGUMENT_MANY, complete_machines_down },
	{},
};

const struct command cmd_start = {
	.name = "start",
	.group = GROUP_RUN,
	.flags = COMMAND_FILES | COMMAND_SELECTS | COMMAND_LIVE,
	.arguments = start_arguments,
	.summary = "Start machines",
	.description = "Waits until each machine's unit is active: when QEMU answers, or when the "
		       "guest is ready, where attrs.ready says so. One that is being stopped, or "
		       "requires a machine that is, starts when that is over, after the others. "
		       "When a start fails, the cause is shown as by 'machina why', then the step "
		       "that failed and the last lines "
		       "of the journal; of many that fail, these are shown for the first eight, "
		       "and a last line names the machines. What starts is the machine as it was "
		       "generated; if its config says something else by now, a line says so. A "
		       "machine that was saved goes on from there ('machina save').",
	.options = start_options,
	.options_size = sizeof(struct jobs_options),
	.examples = start_examples,
	.run = start_run,
};

const struct command cmd_stop = {
	.name = "stop",
	.group = GROUP_RUN,
	.flags = COMMAND_FILES | COMMAND_SELECTS | COMMAND_LIVE,
	.arguments = arguments_machines_up,
	.summary = "Shut machines down",
	.description = "Asks the guest agent, then presses the guest's power button, again every 5 "
		       "seconds, and tells QEMU to quit if the guest is not down after "
		       "attrs.shutdown.timeout, 85 seconds if the config sets none. Waits until "
		       "all machines are down. machina-life-cycle(7) tells all that happens. With "
		       "--all also machines that run and have lost their config are stopped. A "
		       "machine that 'machina run' has in the foreground is not, which is a "
		       "failure: 'machina shutdown' asks its guest.",
	.options = options,
	.options_size = sizeof(struct jobs_options),
	.run = stop_run,
};

const struct command cmd_restart = {
	.name = "restart",
	.group = GROUP_RUN,
	.flags = COMMAND_FILES | COMMAND_SELECTS | COMMAND_LIVE,
	.arguments = arguments_machines,
	.summary = "Shut machines down and start them",
	.description = "A machine that was off is started. What generate has written since the "
		       "last start takes effect.\n\n"
		       "One that runs and would not start again, as far as that can be seen, is "
		       "left as it is, and a message says what it lacks; the others are restarted, "
		       "and the exit status is 1. --force takes it down all the same. What is "
		       "looked at: machina-life-cycle(7), RESTARTING.\n\n"
		       "With --one-by-one, in the order of names, the next one is restarted when "
		       "the one before it is active again (attrs.ready says when that is). When "
		       "one fails, the others are left as they are.",
	.options = restart_options,
	.options_size = sizeof(struct jobs_options),
	.examples = restart_examples,
	.run = restart_run,
};
