/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina help: the same as --help. */
#include "cli/command.h"
#include "cli/complete.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/output.h"

static int help_run(const struct call *call, struct error *err)
{
	(void)err;
	const struct command *command = &program;
	for (size_t i = 0; i < call->words.n; i++) {
		command = command_find(command, call->words.items[i]);
		if (!command)
			return misuse(&program, "there is no command '%s'", call->words.items[i]);
	}
	print_help(stdout, command);
	return STATUS_DONE;
}

static const struct argument arguments[] = {
	{ "COMMAND", ARGUMENT_OPTIONAL | ARGUMENT_MANY, complete_commands },
	{},
};

const struct command cmd_help = {
	.name = "help",
	.group = GROUP_TOOLS,
	.arguments = arguments,
	.summary = "Show what the program or a command does",
	.run = help_run,
};
