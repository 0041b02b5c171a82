/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina help: the same as --help. */
#include "cli/command.h"
#include "cli/complete.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/output.h"

static int help_run(const struct call *call, struct error *err)
{
	const struct command *command = &program;
	for (size_t i = 0; i < call->words.n; i++) {
		const char *word = call->words.items[i];
		const struct command *next = command_find(command, word);
		if (!next) {
			command_unknown(command, word, err);
			return misuse(command, "%s", err->text);
		}
		command = next;
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
