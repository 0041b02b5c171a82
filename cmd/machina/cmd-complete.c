/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina _complete: candidates for the scripts of the shells; machina completion: the scripts. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/complete.h"
#include "cli/completion-scripts.h"
#include "cli/output.h"

static int complete_run(const struct call *call, struct error *err)
{
	(void)err;
	complete(stdout, call->words.items, call->words.n);
	return STATUS_DONE;
}

static const struct argument complete_arguments[] = {
	{ "WORD", ARGUMENT_OPTIONAL | ARGUMENT_MANY },
	{},
};

const struct command cmd_complete = {
	.name = "_complete",
	.group = GROUP_TOOLS,
	.flags = COMMAND_HIDDEN,
	.arguments = complete_arguments,
	.summary = "Offer what may stand in the place of the last word",
	.run = complete_run,
};

static int completion_run(const struct call *call, struct error *err)
{
	(void)err;
	for (const struct completion_script *s = completion_scripts; s->shell; s++)
		if (!strcmp(s->shell, call->words.items[0])) {
			fputs(s->text, stdout);
			return STATUS_DONE;
		}
	return misuse(call->command, "there is no completion for '%s': bash, zsh and fish have one",
			call->words.items[0]);
}

static void complete_shells(struct completion *c)
{
	for (const struct completion_script *s = completion_scripts; s->shell; s++)
		complete_offer(c, s->shell, NULL);
}

static const struct argument completion_arguments[] = {
	{ "SHELL", 0, complete_shells },
	{},
};

static const struct example completion_examples[] = {
	{ "source <(machina completion bash)", "Use it in this shell only." },
	{},
};

const struct command cmd_completion = {
	.name = "completion",
	.group = GROUP_TOOLS,
	.arguments = completion_arguments,
	.summary = "Print the completion script of a shell: bash, zsh or fish",
	.description = "The scripts are installed where the shells look for them; this is for "
		       "shells that look elsewhere. They complete commands, options, machines and "
		       "tags, also behind sudo.",
	.examples = completion_examples,
	.run = completion_run,
};
