/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina shutdown: ask guests to shut down, over QMP. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/shutdown.h"
#include "lifecycle.h"
#include "model/plan.h"
#include "monitor.h"
#include "output.h"
#include "util/mem.h"
#include "util/parse.h"

struct shutdown_options {
	bool system;
	bool wait;
	bool dry_run;
	uint64_t timeout_usec;
};

/* Lines of several machines come from as many processes: each is one write. */
static void say(const char *machine, const char *text)
{
	CLEANUP(freep) char *line = xasprintf("%s: %s\n", machine, text);
	fflush(stdout);
	fputs(line, stdout);
	fflush(stdout);
}

static void progress(void *data, const char *text)
{
	say(data, text);
}

/* systemd.exec(5), $SYSTEMD_EXEC_PID: not so for what a user types, wherever the shell came from.
 */
static bool is_run_by_systemd(void)
{
	const char *text = getenv("SYSTEMD_EXEC_PID");
	int pid;
	return text && parse_int(text, 1, INT32_MAX, &pid) == 0 && pid == getpid();
}

/* systemd sets $MAINPID for ExecStop= while QEMU lives, and leaves it empty when it has gone. */
static pid_t main_pid(bool system)
{
	const char *text = getenv("MAINPID");
	int pid;
	if (!system)
		return SHUTDOWN_PID_UNKNOWN;
	if (!text || parse_int(text, 1, INT32_MAX, &pid) < 0)
		return is_run_by_systemd() ? SHUTDOWN_PID_NONE : SHUTDOWN_PID_UNKNOWN;
	return pid;
}

static const char *outcome_text(enum shutdown_outcome outcome)
{
	switch (outcome) {
	case SHUTDOWN_NOT_RUNNING:
		return "is not running";
	case SHUTDOWN_PRESSED:
		return "was asked to shut down";
	case SHUTDOWN_DONE:
		return "is down";
	case SHUTDOWN_QUIT:
		return "did not shut down in time; QEMU was told to quit";
	}
	return "";
}

static int shut_down(const struct call *call, const char *machine, struct error *err)
{
	const struct shutdown_options *options = call->options;
	CLEANUP(freep) char *name = xstrdup(machine);
	CLEANUP(freep)
	char *path = plan_qmp_path(
			call->paths.run_dir, machine, options->system ? "systemd.0" : "command.0");
	struct shutdown_request request = {
		.path = path,
		.main_pid = main_pid(options->system),
		.timeout_usec = options->timeout_usec ? options->timeout_usec
				: options->wait	      ? SHUTDOWN_WAIT_FOREVER
						      : SHUTDOWN_PRESS_ONCE,
		.progress = progress,
		.data = name,
	};
	enum shutdown_outcome outcome;
	if (shutdown_machine(&request, &outcome, err) < 0)
		return error_wrap(err, "%s", machine);
	/* For systemd's own call this is the normal end of a guest that went by itself. */
	if (outcome != SHUTDOWN_NOT_RUNNING || !options->system)
		say(machine, outcome_text(outcome));
	return STATUS_DONE;
}

static int shutdown_run(const struct call *call, struct error *err)
{
	const struct shutdown_options *options = call->options;
	const struct machine_selection *selected = &call->machines;
	CLEANUP(strv_done) struct strv names = {};
	int r = 0;
	/* The unit's own call must work whatever became of the config. */
	if (options->system && !selected->all && !selected->tags.n)
		strv_extend(&names, &selected->patterns);
	else
		r = lifecycle_select(call, false, &names, err);
	if (r != 0)
		return r < 0 ? r : STATUS_FAILURE;
	for (size_t i = 0; options->dry_run && i < names.n; i++)
		printf("would press the power button of %s\n", names.items[i]);
	return options->dry_run || !names.n ? STATUS_DONE
					    : each_machine(call, &names, shut_down, err);
}

static const struct option_spec options[] = {
	OPTION_DRY_RUN(struct shutdown_options, dry_run),
	{ 's', "system", NULL, OPT_FLAG(struct shutdown_options, system),
			"Called by the machine's unit: use the unit's own socket" },
	{ 'w', "wait", NULL, OPT_FLAG(struct shutdown_options, wait),
			"Wait until the guests are down" },
	{ 't', "timeout", "TIME", OPT_SPAN(struct shutdown_options, timeout_usec),
			"Wait so long, then tell QEMU to quit" },
	{},
};

static const struct example examples[] = {
	{ "machina shutdown web", "Press web's power button." },
	{ "machina shutdown --timeout 2min web", "Press it until web is down; after two minutes "
						 "tell QEMU to quit." },
	{},
};

const struct command cmd_shutdown = {
	.name = "shutdown",
	.group = GROUP_RUN,
	.flags = COMMAND_FILES | COMMAND_SELECTS | COMMAND_LIVE,
	.arguments = arguments_machines,
	.summary = "Ask guests to shut down",
	.description = "Presses the power button of each machine, all at once. With --wait or "
		       "--timeout "
		       "it is pressed again while the guest does not react. A guest that stands "
		       "still "
		       "is let run first. 'machina stop' does the same through systemd.",
	.options = options,
	.options_size = sizeof(struct shutdown_options),
	.examples = examples,
	.run = shutdown_run,
};
