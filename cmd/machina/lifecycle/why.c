/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding out what became of a machine and why. */
#include "lifecycle/why.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/machine/saved.h"
#include "host/os/clock.h"
#include "host/systemd/journal.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/why-parts.h"
#include "lifecycle/why-required.h"
#include "setup/hookplan.h"
#include "unit/service.h"
#include "util/mem.h"

#define LINES_MAX 60
/* Between QEMU's end and systemd's knowing of it are some milliseconds, and more where it has a lot
 * to do. */
#define NOTICE_USEC (2 * USEC_PER_SEC)
#define NOTICE_EVERY_USEC (20 * USEC_PER_MSEC)
/* Units that need each other in a circle don't come up, and must not hold us. */
#define DEPTH_MAX 16

const char *const why_outcome_names[] = {
	[WHY_FAILED] = "failed",
	[WHY_RUNS] = "runs",
	[WHY_STANDS] = "stands",
	[WHY_COMES] = "changes",
	[WHY_ENDED] = "ended",
	[WHY_NEVER] = "not-started",
	[WHY_NO_MACHINE] = "no-machine",
};

void why_done(struct why *why)
{
	if (why->before)
		why_done(why->before);
	free(why->before);
	free(why->machine);
	free(why->unit);
	free(why->other);
	free(why->phase);
	free(why->result);
	free(why->reason);
	cause_done(&why->cause);
	strv_done(&why->lines);
	*why = (struct why){};
}

static bool has_failed(const struct unit_info *info)
{
	CLEANUP(buf_done) struct buf text = {};
	return strcmp(info->load_state, "not-found") != 0 && unit_explain_failure(info, &text);
}

/* ---- one unit that has failed ---- */

/* QEMU knows a disk by the number of a set of descriptors; people know its file. */
static void name_files(const struct config_paths *paths, const char *machine, char **text)
{
	CLEANUP(plan_done) struct plan plan = {};
	struct error doubt;
	if (!*text || !strstr(*text, HOOKPLAN_SET))
		return;
	hookplan_recall(paths, HOOK_QEMU, machine, &plan, &doubt);
	char *named = hookplan_name_files(&plan, *text);
	free(*text);
	*text = named;
}

static void set_text(char **to, const char *text)
{
	free(*to);
	*to = xstrdup(text);
}

/*
 * systemd says something of each run: a journal without a line of it was not written, or may not be
 * read. What systemd itself knows of a hook is its status alone.
 */
static void tell_silence(struct why *why)
{
	const char *machine = why->machine ? why->machine : "--all";
	if (why->lines.n || why->cause.id[0] || why->cause.advice[0])
		return;
	free(why->cause.advice);
	why->cause.advice =
			geteuid() == 0 ? xasprintf("the journal has no line of this run "
						   "('systemctl status systemd-journald' tells "
						   "whether it is written at all); 'machina doctor "
						   "%s' looks for what stands in the way",
							 machine)
				       : xasprintf("the journal can't be read by this user: "
						   "'machina why %s' tells root more",
							 machine);
}

static int look_at_run(const struct config_paths *paths, const char *unit,
		const struct unit_info *info, const char *invocation, struct why *why,
		struct error *err)
{
	int r = *invocation ? journal_tail(unit, invocation, LINES_MAX, &why->lines, err) : 0;
	if (r < 0)
		return r;
	cause_find(info, &why->lines, &why->cause);
	name_files(paths, why->machine, &why->cause.sentence);
	tell_silence(why);
	set_text(&why->unit, unit);
	set_text(&why->phase, cause_phase(info, &why->lines));
	set_text(&why->result, info->result);
	why->outcome = WHY_FAILED;
	return 0;
}

/* Until the host is cleaned up behind it, the unit is on its way down: from a run that was up, or
 * from a start that has come to nothing. */
static uint64_t failed_usec(const struct unit_info *info)
{
	if (unit_is_down(info->active_state))
		return info->inactive_enter_usec;
	if (!strcmp(info->active_state, "deactivating") &&
			info->active_exit_usec > info->inactive_exit_usec)
		return info->active_exit_usec;
	return info->inactive_exit_usec;
}

static int look_at_failure(const struct config_paths *paths, const char *unit,
		const struct unit_info *info, struct why *why, struct error *err)
{
	why->is_retried = !strcmp(info->sub_state, "auto-restart");
	why->time_usec = failed_usec(info);
	int r = look_at_run(paths, unit, info, info->invocation_id, why, err);
	/* The result stays that of the last run, if there was one. */
	why->is_given_up = !strcmp(info->result, "start-limit-hit");
	why->is_given_up |= cause_is_given_up(&why->lines);
	return r;
}

/* ---- what it needs ---- */

static int look_deep(const struct config_paths *paths, struct bus *bus, const char *machine,
		const struct qmp_many *guest, unsigned depth, struct why *ret, struct error *err);

char *why_machine_of_unit(const char *unit)
{
	return unit_name_subject(UNIT_QEMU, unit);
}

/* Another machine has its own story, which is this one's then. */
static int take_machine(const struct config_paths *paths, struct bus *bus, const char *other,
		const char *unit, unsigned depth, struct why *why, struct error *err)
{
	CLEANUP(why_done) struct why its = {};
	int r = depth < DEPTH_MAX ? look_deep(paths, bus, other, NULL, depth + 1, &its, err) : 0;
	if (r < 0)
		return r;
	why->outcome = WHY_FAILED;
	set_text(&why->unit, its.unit ? its.unit : unit);
	set_text(&why->other, its.other ? its.other : other);
	set_text(&why->phase, its.phase ? its.phase : "");
	set_text(&why->result, its.result ? its.result : "");
	why->cause = its.cause;
	its.cause = (struct cause){};
	strv_move(&why->lines, &its.lines);
	return 0;
}

bool why_is_cause(const struct unit_info *needed, const struct unit_info *own)
{
	if (!has_failed(needed))
		return false;
	if (!needed->inactive_enter_usec || !has_failed(own))
		return true;
	return needed->inactive_enter_usec < own->inactive_enter_usec ||
	       needed->inactive_exit_usec > own->inactive_enter_usec;
}

/* Returns 1 if a unit that is needed is the cause. */
static int look_at_needs(const struct config_paths *paths, struct bus *bus,
		const struct unit_info *own, const char *unit, unsigned depth, struct why *why,
		struct error *err)
{
	CLEANUP(strv_done) struct strv needs = {};
	int r = bus_get_needs(bus, unit, &needs, err);
	for (size_t i = 0; r == 0 && i < needs.n; i++) {
		const char *name = needs.items[i];
		CLEANUP(unit_info_done) struct unit_info info = {};
		CLEANUP(freep) char *other = why_machine_of_unit(name);
		r = bus_get_unit(bus, name, &info, err);
		if (r < 0)
			return r;
		bool missing = !strcmp(info.load_state, "not-found");
		if (missing || why_is_cause(&info, own)) {
			r = other ? take_machine(paths, bus, other, name, depth, why, err)
				  : look_at_failure(paths, name, &info, why, err);
			return r < 0 ? r : 1;
		}
	}
	return r;
}

/* ---- one machine ---- */

static bool is_dependency(const struct unit_info *info, const struct journal_event *failure)
{
	return failure->is_dependency && failure->time_usec >= info->active_enter_usec &&
	       failure->time_usec >= info->inactive_enter_usec;
}

int why_look_at_past(const struct config_paths *paths, const char *unit,
		const struct unit_info *info, const struct journal_event *failure, struct why *why,
		struct error *err)
{
	char result[] = "exit-code";
	struct unit_info past = {
		.load_state = info->load_state,
		.load_error = info->load_error,
		.result = result,
	};
	why->time_usec = failure->time_usec;
	int r = look_at_run(paths, unit, &past, failure->invocation_id, why, err);
	set_text(&why->result, "");
	return r;
}

static int look_before(const struct config_paths *paths, const char *unit,
		const struct unit_info *info, const struct journal_event *failure, struct why *why,
		struct error *err)
{
	if (!failure->invocation_id[0] || failure->is_dependency)
		return 0;
	why->before = xcalloc(1, sizeof(*why->before));
	set_text(&why->before->machine, why->machine);
	return why_look_at_past(paths, unit, info, failure, why->before, err);
}

static int look_well(const struct config_paths *paths, const char *unit,
		const struct unit_info *info, struct why *why, struct error *err)
{
	why->time_usec = unit_since_usec(info);
	if (unit_is_up(info->active_state))
		return 0;
	if (!unit_is_down(info->active_state)) {
		why->outcome = WHY_COMES;
		why->is_leaving = !strcmp(info->active_state, "deactivating");
		if (!why->is_leaving && !strcmp(info->sub_state, "start-post"))
			why->cause.sentence = xstrdup("QEMU is there, and the guest is waited for");
		if (why->is_leaving && !info->main_pid)
			why->cause.sentence = xstrdup("QEMU has ended, and the host is being "
						      "cleaned up behind it");
		return 0;
	}
	/* systemd soon forgets a unit that is down and has not failed. */
	struct journal_event last = {};
	int r = journal_last_event(unit, &last, err);
	if (r > 0 && (last.is_condition || last.is_assert)) {
		why_tell_unmet(&last, unit, why);
		return 0;
	}
	why->outcome = r > 0 && last.invocation_id[0] ? WHY_ENDED : WHY_NEVER;
	if (r < 0 || why->outcome == WHY_NEVER)
		return r < 0 ? r : 0;
	why->time_usec = last.time_usec;
	if (saved_is_whole(paths->saved_dir, why->machine)) {
		why->cause.id = cause_found_ids[CAUSE_SAVED];
		why->cause.sentence = xasprintf(
				"it was saved, and 'machina start %s' lets it go on from there",
				why->machine);
		return 0;
	}
	r = journal_tail(unit, last.invocation_id, LINES_MAX, &why->lines, err);
	if (r == 0)
		why_find_end(&why->lines, &why->cause);
	return r;
}

/* The state of a unit and, where it is up, of its guest: systemd is given the time to see that a
 * QEMU has ended. */
static int get_state(const struct config_paths *paths, struct bus *bus, const char *unit,
		const struct qmp_many *guest, struct unit_info *ret, struct why *why,
		struct error *err)
{
	const uint64_t deadline = clock_deadline_usec(NOTICE_USEC);
	for (;;) {
		int r = bus_get_unit(bus, unit, ret, err);
		if (r < 0 || !unit_is_up(ret->active_state))
			return r;
		why->outcome = WHY_RUNS;
		if (why_look_at_guest(paths, guest, why) || clock_now_usec() >= deadline)
			return 0;
		cause_done(&why->cause);
		unit_info_done(ret);
		clock_pause(NOTICE_EVERY_USEC);
	}
}

static int look_deep(const struct config_paths *paths, struct bus *bus, const char *machine,
		const struct qmp_many *guest, unsigned depth, struct why *ret, struct error *err)
{
	CLEANUP(freep) char *unit = unit_name(UNIT_QEMU, machine);
	CLEANUP(unit_info_done) struct unit_info info = {};
	struct journal_event failure = {};
	ret->machine = xstrdup(machine);
	int r = get_state(paths, bus, unit, guest, &info, ret, err);
	if (r < 0)
		return r;
	if (!strcmp(info.load_state, "not-found")) {
		ret->outcome = WHY_NO_MACHINE;
		why_find_config(paths, ret);
		return 0;
	}
	r = journal_last_failure(unit, &failure, err);
	if (r < 0)
		return r;
	bool failed = has_failed(&info), held = is_dependency(&info, &failure);
	if (failed || held) {
		r = look_at_needs(paths, bus, &info, unit, depth, ret, err);
		if (r == 1 && held)
			ret->time_usec = failure.time_usec;
		if (r != 0)
			return r < 0 ? r : 0;
	}
	if (failed)
		return look_at_failure(paths, unit, &info, ret, err);
	if (held) {
		why_tell_held(&failure, unit, ret);
		return 0;
	}
	r = look_well(paths, unit, &info, ret, err);
	if (r == 0 && ret->outcome != WHY_NEVER)
		r = why_find_required(paths, bus, unit, ret, err);
	return r == 0 ? look_before(paths, unit, &info, &failure, ret, err) : r;
}

int why_look(const struct config_paths *paths, struct bus *bus, const char *machine,
		const struct qmp_many *guest, struct why *ret, struct error *err)
{
	*ret = (struct why){};
	return look_deep(paths, bus, machine, guest, 0, ret, err);
}

static bool is_up(struct bus *bus, const char *machine)
{
	CLEANUP(freep) char *unit = unit_name(UNIT_QEMU, machine);
	CLEANUP(unit_info_done) struct unit_info info = {};
	return bus_get_unit(bus, unit, &info, NULL) < 0 || !unit_is_down(info.active_state);
}

char *why_job_failed(const struct config_paths *paths, struct bus *bus, const char *machine,
		enum job_result result, uint64_t since_usec)
{
	CLEANUP(strv_done) struct strv alone = {};
	CLEANUP(why_guests_done) struct why_guests guests = {};
	CLEANUP(why_done) struct why why = {};
	struct error unused = {};
	const bool is_held = result == JOB_DONE || result == JOB_ASSERT;
	if (result != JOB_FAILED && (!is_held || is_up(bus, machine)))
		return NULL;
	strv_push(&alone, machine);
	why_ask_guests(paths, &alone, &guests);
	if (why_look(paths, bus, machine, &guests.items[0], &why, &unused) < 0)
		return NULL;
	/* Where many fail, systemd has tried again before this one's turn has come. */
	const struct why *before =
			why.before && why.before->time_usec >= since_usec ? why.before : NULL;
	const struct why *failed = why.outcome == (is_held ? WHY_NEVER : WHY_FAILED) ? &why
				   : is_held					     ? NULL
										     : before;
	if (!failed || failed->other || !failed->cause.sentence || !failed->cause.sentence[0])
		return NULL;
	const char *advice = why.outcome == WHY_RUNS ? "systemd has tried again, and it runs now"
						     : failed->cause.advice;
	bool advised = advice && advice[0];
	return xasprintf("%s%s%s", failed->cause.sentence, advised ? "; " : "",
			advised ? advice : "");
}
