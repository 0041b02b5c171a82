/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina kill: end machines at once, without their guests. */
#include <stdio.h>
#include <unistd.h>

#include "cli/confirm.h"
#include "cli/output.h"
#include "hook/foreground.h"
#include "host/machine/kill.h"
#include "lifecycle/caller.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/monitor.h"
#include "lifecycle/why.h"
#include "model/plan.h"
#include "unit/service.h"
#include "util/mem.h"

struct kill_options {
	bool dry_run;
	bool yes;
};

static const char *const outcomes[] = {
	[KILL_NOT_RUNNING] = "does not run",
	[KILL_QUIT] = "was killed: QEMU has quit",
	[KILL_KILLED] = "was killed: QEMU did not listen and got SIGKILL",
};

/* Each has a connection to systemd of its own: they are in processes of their own. */
static int kill_one(const struct call *call, const char *machine, struct error *err)
{
	CLEANUP(bus_freep) struct bus *bus = NULL;
	CLEANUP(freep) char *unit = unit_name(UNIT_QEMU, machine);
	CLEANUP(freep)
	char *socket = plan_qmp_path(call->paths.run_dir, machine, MONITOR_COMMANDS);
	enum kill_outcome outcome = KILL_NOT_RUNNING;
	CLEANUP(freep) char *user = caller_name();
	CLEANUP(freep) char *note = xasprintf("%s " WHY_KILLED, user);
	/* Also where systemd tries to start that as well: then there are two to end. */
	const bool is_foreground = foreground_is(&call->paths, machine);
	struct error no_systemd = {};
	int r = 0;
	if (bus_open(&bus, &no_systemd) >= 0)
		r = kill_unit(bus, unit, socket, note, &outcome, err);
	/* In the foreground, perhaps without any systemd. */
	if (r >= 0 && (is_foreground || outcome == KILL_NOT_RUNNING) &&
			monitor_is_there(&call->paths, machine))
		r = kill_qemu(socket, &outcome, err);
	if (r < 0)
		return error_wrap(err, "machine '%s'", machine);
	printf("%s: %s\n", machine, outcomes[outcome]);
	return STATUS_DONE;
}

static int ask(const struct strv *names, struct error *err)
{
	CLEANUP(buf_done) struct buf question = {};
	buf_puts(&question, "kill ");
	for (size_t i = 0; i < names->n; i++)
		buf_printf(&question, "%s%s", i ? ", " : "", names->items[i]);
	buf_puts(&question, names->n == 1 ? ", as if its plug were pulled"
					  : ", as if their plugs were pulled");
	return confirm(buf_text(&question), err);
}

static int kill_run(const struct call *call, struct error *err)
{
	const struct kill_options *options = call->options;
	CLEANUP(strv_done) struct strv names = {};
	int r = lifecycle_select(call, LIFECYCLE_RUN, &names, err);
	if (r != 0)
		return r < 0 ? r : STATUS_FAILURE;
	for (size_t i = 0; options->dry_run && i < names.n; i++)
		printf("would kill %s\n", names.items[i]);
	if (options->dry_run || !names.n)
		return STATUS_DONE;
	r = options->yes ? 1 : ask(&names, err);
	if (r < 0)
		return r;
	return r ? each_machine(call, &names, kill_one, err) : STATUS_FAILURE;
}

static const struct option_spec options[] = {
	OPTION_DRY_RUN(struct kill_options, dry_run),
	{ 'y', "yes", NULL, OPT_FLAG(struct kill_options, yes), "Don't ask" },
	{},
};

static const struct example examples[] = {
	{ "machina kill web", "End web at once, after a question." },
	{ "machina kill --yes --tag lab", "End all machines with the tag lab, unasked." },
	{},
};

const struct command cmd_kill = {
	.name = "kill",
	.group = GROUP_RUN,
	.flags = COMMAND_FILES | COMMAND_SELECTS | COMMAND_LIVE,
	.arguments = arguments_machines_up,
	.summary = "End machines at once, without their guests",
	.description = "As if the plug were pulled: what a guest has not written is lost. For a "
		       "guest that does not shut down ('machina stop' ends it after a time, "
		       "too).\n\n"
		       "QEMU is told to quit; if it does not within some seconds, systemd kills "
		       "it. The unit is inactive then and does not start again by itself. A start "
		       "or stop that is under way ends.\n\n"
		       "On a terminal it asks first. Where there is nobody to ask, it needs --yes.",
	.options = options,
	.options_size = sizeof(struct kill_options),
	.examples = examples,
	.run = kill_run,
};
