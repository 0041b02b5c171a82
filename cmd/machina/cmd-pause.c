/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina pause, resume, reset, nmi: simple commands to guests that run. */
#include <stdio.h>

#include "cli/output.h"
#include "host/machine/save.h"
#include "host/os/clock.h"
#include "host/qmp/control.h"
#include "lifecycle/monitor.h"

/* A QEMU that is busy with a slow disk answers late, and then it has done it. */
#define LIMIT_USEC (10 * USEC_PER_SEC)

struct pause_options {
	bool dry_run;
};

extern const struct command cmd_pause, cmd_resume, cmd_reset, cmd_nmi;

/* By enum control_verb. */
static const struct words {
	const struct command *command;
	const char *would;  /* "pause" */
	const char *done;   /* "paused" */
	const char *was_so; /* "is paused already"; NULL: never is */
} words[] = {
	[CONTROL_PAUSE] = { &cmd_pause, "pause", "paused", "is paused already" },
	[CONTROL_RESUME] = { &cmd_resume, "resume", "resumed", "runs already" },
	[CONTROL_RESET] = { &cmd_reset, "reset", "was reset", NULL },
	[CONTROL_NMI] = { &cmd_nmi, "inject an NMI into", "got an NMI", NULL },
};

static enum control_verb verb_of(const struct call *call)
{
	enum control_verb verb = CONTROL_PAUSE;
	while (words[verb].command != call->command)
		verb++;
	return verb;
}

static int control_one(const struct call *call, const char *machine, struct error *err)
{
	const struct pause_options *options = call->options;
	const enum control_verb verb = verb_of(call);
	const struct words *w = &words[verb];
	CLEANUP(monitor_done) struct monitor monitor = {};
	enum control_outcome outcome = CONTROL_DONE;
	uint64_t deadline = clock_deadline_usec(LIMIT_USEC);
	int r = monitor_open(&call->paths, machine, deadline, &monitor, err);
	if (r < 0)
		return r;
	/* A guest that was saved, or half so, and is wanted here all the same. */
	const char *dir = call->paths.saved_dir;
	if (verb == CONTROL_RESUME && saved_look(dir, machine) != SAVED_NONE)
		r = options->dry_run ? 0 : save_let_run(dir, machine, monitor.qmp, err);
	else
		r = (options->dry_run ? control_check : control_guest)(
				monitor.qmp, verb, deadline, &outcome, err);
	if (r < 0)
		return error_wrap(err, "machine '%s'", machine);
	if (outcome == CONTROL_WAS_SO && w->was_so)
		printf("%s: %s\n", machine, w->was_so);
	else if (options->dry_run)
		printf("would %s %s\n", w->would, machine);
	else
		printf("%s: %s\n", machine, w->done);
	return STATUS_DONE;
}

static int control_run(const struct call *call, struct error *err)
{
	CLEANUP(strv_done) struct strv names = {};
	int r = monitor_select(call, &names, err);
	if (r != 0)
		return r < 0 ? r : STATUS_FAILURE;
	return each_machine(call, &names, control_one, err);
}

static const struct option_spec options[] = {
	OPTION_DRY_RUN(struct pause_options, dry_run),
	{},
};

static const struct example pause_examples[] = {
	{ "machina pause web", "Hold web where it is; its memory stays." },
	{ "machina pause --tag lab", "The same for all machines with the tag lab that run." },
	{},
};

static const struct example resume_examples[] = {
	{ "machina resume web", "Let web run on." },
	{},
};

static const struct example reset_examples[] = {
	{ "machina reset web", "Press web's reset button." },
	{},
};

static const struct example nmi_examples[] = {
	{ "machina nmi web", "Have a guest that hangs write a crash dump, if it is set up so." },
	{},
};

const struct command cmd_pause = {
	.name = "pause",
	.group = GROUP_RUN,
	.flags = COMMAND_FILES | COMMAND_SELECTS | COMMAND_LIVE,
	.arguments = arguments_machines_up,
	.summary = "Hold guests where they are",
	.description = "The processors of the guests stand still until 'machina resume'; memory "
		       "and devices stay as they are. Network connections of a guest that is held "
		       "for long break, and its clock falls behind. 'machina stop' and 'machina "
		       "shutdown' let a paused guest run on first, so that it can shut down.\n\n"
		       "With --all and --tag only the machines that run are meant.",
	.options = options,
	.options_size = sizeof(struct pause_options),
	.examples = pause_examples,
	.run = control_run,
};

const struct command cmd_resume = {
	.name = "resume",
	.group = GROUP_RUN,
	.flags = COMMAND_FILES | COMMAND_SELECTS | COMMAND_LIVE,
	.arguments = arguments_machines_up,
	.summary = "Let guests run on that stand still",
	.description = "For guests that were paused, that wait since a disk failed (QEMU tries the "
		       "request again, which succeeds where a full disk has space by now), that "
		       "were stopped by a watchdog, or that sleep: these are woken.\n\n"
		       "A guest that has panicked does not run on: 'machina reset' starts it "
		       "again.",
	.options = options,
	.options_size = sizeof(struct pause_options),
	.examples = resume_examples,
	.run = control_run,
};

const struct command cmd_reset = {
	.name = "reset",
	.group = GROUP_RUN,
	.flags = COMMAND_FILES | COMMAND_SELECTS | COMMAND_LIVE,
	.arguments = arguments_machines_up,
	.summary = "Press the reset button of machines",
	.description = "The guests start again at once, and what they have not written is lost: "
		       "for a guest that hangs. QEMU stays the same process, so a config that was "
		       "changed does not take effect. A paused guest stays paused at its "
		       "beginning; one that had crashed runs.",
	.options = options,
	.options_size = sizeof(struct pause_options),
	.examples = reset_examples,
	.run = control_run,
};

const struct command cmd_nmi = {
	.name = "nmi",
	.group = GROUP_RUN,
	.flags = COMMAND_FILES | COMMAND_SELECTS | COMMAND_LIVE,
	.arguments = arguments_machines_up,
	.summary = "Inject a non-maskable interrupt into guests",
	.description = "What follows is up to the guest: Linux tells of it on its console, or "
		       "panics where kernel.unknown_nmi_panic says so; Windows makes a memory "
		       "dump.",
	.options = options,
	.options_size = sizeof(struct pause_options),
	.examples = nmi_examples,
	.run = control_run,
};
