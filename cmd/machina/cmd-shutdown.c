/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina shutdown: ask guests to shut down or to reboot. */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/output.h"
#include "hook/foreground.h"
#include "hook/hook-resume.h"
#include "host/os/clock.h"
#include "host/systemd/bus-unit.h"
#include "host/systemd/journal.h"
#include "lifecycle/caller.h"
#include "lifecycle/drain.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/monitor.h"
#include "lifecycle/orderly.h"
#include "lifecycle/saving.h"
#include "lifecycle/why.h"
#include "unit/service.h"
#include "util/mem.h"

struct shutdown_options {
	bool system;
	bool again;
	bool wait;
	bool force;
	bool reboot;
	bool dry_run;
	int host_end; /* enum vm_host_end */
	uint64_t timeout_usec;
};

/*
 * Has the unit's call before this one come to its end, and failed? QEMU had all of its time then.
 * Where systemd does not tell, it may have been killed.
 */
static bool has_failed_before(const char *machine)
{
	CLEANUP(freep) char *unit = unit_name(UNIT_QEMU, machine);
	CLEANUP(bus_freep) struct bus *bus = NULL;
	CLEANUP(unit_info_done) struct unit_info info = {};
	bool failed = false;
	if (bus_open(&bus, NULL) < 0 || bus_get_unit(bus, unit, &info, NULL) < 0)
		return false;
	for (size_t i = 0; i < info.n_steps; i++)
		failed |= strcmp(info.steps[i].setting, "ExecStop") == 0 &&
			  info.steps[i].pid != getpid() && info.steps[i].code == CLD_EXITED &&
			  info.steps[i].status == STATUS_FAILURE;
	return failed;
}

/* A last word to a QEMU that did not take it in its time: where it hangs, that is short. */
static int quit_again(const struct call *call, const char *machine, struct error *err)
{
	const struct orderly_options how = {
		.system = true, .force = true, .timeout_usec = SHUTDOWN_PRESS_ONCE
	};
	return orderly_shutdown(call, machine, &how, err);
}

/* systemd does not know who has asked for the end of a run: 'machina why' does. */
static void note_who(const char *unit, const struct unit_info *info, bool force)
{
	CLEANUP(freep) char *user = caller_name();
	CLEANUP(freep)
	char *note = force ? xasprintf("%s told its QEMU to quit " WHY_BY_SHUTDOWN " --force'",
					     user)
			   : xasprintf("%s asked its guest to shut down " WHY_BY_SHUTDOWN "'",
					     user);
	if (unit_is_up(info->active_state))
		journal_note(unit, info->invocation_id, note);
}

/* Who waits for a machine to be down wants to start it again: also its unit has to be. */
static int shut_down_by_hand(const struct call *call, const char *machine,
		const struct orderly_options *how, struct error *err)
{
	CLEANUP(freep) char *unit = unit_name(UNIT_QEMU, machine);
	CLEANUP(bus_freep) struct bus *bus = NULL;
	CLEANUP(unit_info_done) struct unit_info info = {};
	bool waits = how->force || how->timeout_usec != SHUTDOWN_PRESS_ONCE;
	/* Which run of the unit it is has to be known before that ends. It is none of one that is
	 * run in the foreground, also where systemd tries to start that as well. */
	bool has_unit = !foreground_is(&call->paths, machine) && bus_open(&bus, NULL) == 0 &&
			bus_get_unit(bus, unit, &info, NULL) >= 0;
	/* One that is about to come up has no guest to ask, and is not off. */
	if (has_unit && !info.main_pid && !strcmp(info.active_state, "activating"))
		return monitor_explain_off(&call->paths, machine, err);
	if (has_unit)
		note_who(unit, &info, how->force);
	int r = orderly_shutdown(call, machine, how, err);
	if (r != STATUS_DONE || !has_unit || !waits)
		return r;
	r = lifecycle_wait_run(bus, unit, info.invocation_id, err);
	return r < 0 ? error_wrap(err, "%s", machine) : STATUS_DONE;
}

/* The call of a machine's unit. */
static int shut_down_unit(const struct call *call, const char *machine, struct orderly_options *how,
		struct error *err)
{
	const struct shutdown_options *options = call->options;
	pid_t pid = orderly_main_pid();
	if (pid != SHUTDOWN_PID_UNKNOWN)
		saving_end_resume(&call->paths, machine, pid != SHUTDOWN_PID_NONE);
	if (pid == SHUTDOWN_PID_NONE)
		return STATUS_DONE;
	if (options->again && has_failed_before(machine))
		return quit_again(call, machine, err);
	bool host_stops = options->host_end && saving_host_stops();
	bool wants_save = (host_stops && options->host_end == VM_HOST_SAVE) ||
			  drain_saves(&call->paths, machine);
	if (wants_save && saving_for_host(&call->paths, machine))
		return STATUS_DONE;
	/* What the save took is no part of the guest's time. */
	if (wants_save)
		hook_resume_ask_time(clock_add_usec(
				options->timeout_usec, PLAN_QUIT_SEC * USEC_PER_SEC));
	how->force |= host_stops && options->host_end == VM_HOST_KILL;
	return orderly_shutdown(call, machine, how, err);
}

static int shut_down(const struct call *call, const char *machine, struct error *err)
{
	const struct shutdown_options *options = call->options;
	struct orderly_options how = {
		.system = options->system,
		.force = options->force,
		.timeout_usec = options->timeout_usec ? options->timeout_usec
				: options->wait	      ? SHUTDOWN_WAIT_FOREVER
						      : SHUTDOWN_PRESS_ONCE,
	};
	if (options->reboot)
		return orderly_reboot(call, machine, options->timeout_usec, err);
	return options->system ? shut_down_unit(call, machine, &how, err)
			       : shut_down_by_hand(call, machine, &how, err);
}

static int check_options(const struct call *call)
{
	const struct shutdown_options *options = call->options;
	if (options->reboot && options->force)
		return misuse(call->command, "'--reboot' asks the guest, and '--force' does not: "
					     "'machina reset' restarts it without");
	if (options->system && options->reboot)
		return misuse(call->command, "'--system' and '--reboot' can't both be had");
	if (options->again && !options->system)
		return misuse(call->command, "'--again' is for '--system'");
	if (options->host_end && !options->system)
		return misuse(call->command, "'--host-end' is for '--system'");
	return STATUS_DONE;
}

static const char *what_would_be_done(const struct shutdown_options *options)
{
	return options->force	 ? "would tell QEMU to quit, without asking the guest, of"
	       : options->reboot ? "would press the power button, and reset when the guest is off,"
				 : "would press the power button of";
}

static int shutdown_run(const struct call *call, struct error *err)
{
	const struct shutdown_options *options = call->options;
	const struct machine_selection *selected = &call->machines;
	CLEANUP(strv_done) struct strv names = {};
	int r = check_options(call);
	if (r != STATUS_DONE)
		return r;
	/* The unit's own call must work whatever became of the config. */
	if (options->system && !selected->all && !selected->tags.n)
		strv_extend(&names, &selected->patterns);
	else
		r = lifecycle_select(call, LIFECYCLE_RUN, &names, err);
	if (r != 0)
		return r < 0 ? r : STATUS_FAILURE;
	for (size_t i = 0; options->dry_run && i < names.n; i++)
		printf("%s %s\n", what_would_be_done(options), names.items[i]);
	return options->dry_run ? STATUS_DONE : each_machine(call, &names, shut_down, err);
}

static const struct option_spec options[] = {
	OPTION_DRY_RUN(struct shutdown_options, dry_run),
	{ 's', "system", NULL, OPT_FLAG(struct shutdown_options, system),
			"Called by the machine's unit: use the unit's own socket" },
	{ 0, "again", NULL, OPT_FLAG(struct shutdown_options, again),
			"With --system, the second try: the first one may have been killed" },
	{ 0, "host-end", "WHAT", OPT_CHOICE(struct shutdown_options, host_end, vm_host_end_names),
			"With --system, what is done when the host shuts down" },
	{ 'w', "wait", NULL, OPT_FLAG(struct shutdown_options, wait),
			"Wait until the guests are down" },
	{ 't', "timeout", "TIME", OPT_SPAN(struct shutdown_options, timeout_usec),
			"Wait so long, then tell QEMU to quit; with --reboot, then give up" },
	{ 0, "reboot", NULL, OPT_FLAG(struct shutdown_options, reboot),
			"Have the guests shut down and start again" },
	{ 0, "force", NULL, OPT_FLAG(struct shutdown_options, force),
			"Don't ask the guests: tell QEMU to quit at once, a power cut" },
	{},
};

static const struct example examples[] = {
	{ "machina shutdown web", "Press web's power button." },
	{ "machina shutdown --timeout 2min web",
			"Press it until web is down; after two minutes tell QEMU to quit." },
	{ "machina shutdown --reboot web", "Have web's guest shut down, then start it again." },
	{},
};

const struct command cmd_shutdown = {
	.name = "shutdown",
	.group = GROUP_RUN,
	.flags = COMMAND_FILES | COMMAND_SELECTS | COMMAND_LIVE,
	.arguments = arguments_machines_up,
	.summary = "Ask guests to shut down",
	.description = "Asks the guest agent of each machine, or presses its power button, all at "
		       "once. With --wait or --timeout it is pressed again while the guest does "
		       "not react. A guest that stands still is let run first. 'machina stop' does "
		       "the same through systemd, and keeps to the time that the machine's config "
		       "sets; machina-life-cycle(7) has the whole ladder. --all means also "
		       "machines that run and have lost their config.\n\n"
		       "With --reboot QEMU stays, and resets the machine when its guest has shut "
		       "down. A guest that does not within --timeout, or the time of its config, "
		       "goes on, and the command fails. What generate has written since the start "
		       "does not take effect: that needs 'machina restart'.",
	.options = options,
	.options_size = sizeof(struct shutdown_options),
	.examples = examples,
	.run = shutdown_run,
};
