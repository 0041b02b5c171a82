/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina reboot: let guests shut down and start again. */
#include <stdio.h>

#include "cli/output.h"
#include "lifecycle/monitor.h"
#include "lifecycle/orderly.h"

struct reboot_options {
	bool dry_run;
	uint64_t timeout_usec;
};

static int reboot_one(const struct call *call, const char *machine, struct error *err)
{
	const struct reboot_options *options = call->options;
	return orderly_reboot(call, machine, options->timeout_usec, err);
}

static int reboot_run(const struct call *call, struct error *err)
{
	const struct reboot_options *options = call->options;
	CLEANUP(strv_done) struct strv names = {};
	int r = monitor_select(call, &names, err);
	if (r != 0)
		return r < 0 ? r : STATUS_FAILURE;
	for (size_t i = 0; options->dry_run && i < names.n; i++)
		printf("would reboot the guest of %s\n", names.items[i]);
	return options->dry_run ? STATUS_DONE : each_machine(call, &names, reboot_one, err);
}

static const struct option_spec options[] = {
	OPTION_DRY_RUN(struct reboot_options, dry_run),
	{ 't', "timeout", "TIME", OPT_SPAN(struct reboot_options, timeout_usec),
			"How long a guest may take to shut down" },
	{},
};

static const struct example examples[] = {
	{ "machina reboot web", "Let web's guest shut down and start again." },
	{},
};

const struct command cmd_reboot = {
	.name = "reboot",
	.group = GROUP_RUN,
	.flags = COMMAND_FILES | COMMAND_SELECTS | COMMAND_LIVE,
	.arguments = arguments_machines_up,
	.summary = "Let guests shut down and start again",
	.description = "As 'machina shutdown --reboot'. QEMU stays the same process, so a config "
		       "that was changed does not take effect: that is for 'machina restart'. "
		       "'machina reset' does not ask the guest.",
	.options = options,
	.options_size = sizeof(struct reboot_options),
	.examples = examples,
	.run = reboot_run,
};
