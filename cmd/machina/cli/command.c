/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables that commands share, and how a command and its options are found. */
#include "cli/command.h"

#include <string.h>

#include "cli/complete.h"
#include "cli/options.h"
#include "util/mem.h"

static const struct option_spec machine_options[] = {
	{ 0, "all", NULL, OPT_FLAG(struct machine_selection, all), "Select all machines" },
	{ 0, "tag", "TAG", OPT_LIST(struct machine_selection, tags),
			"Select the machines that have this tag; may be repeated",
			.complete = complete_tags },
	{},
};

static const struct option_spec root_options[] = {
	{ 0, "root", "DIR", OPT_TEXT(struct common_options, root),
			"Work on the system below DIR; the running one is not looked at",
			.complete = complete_directories },
	{},
};

static const struct option_spec config_dir_options[] = {
	{ 0, "config-dir", "DIR", OPT_TEXT(struct common_options, config_dir),
			"Read the config from DIR instead of /etc/machina",
			.complete = complete_directories },
	{},
};

static const struct option_spec program_options[] = {
	{ 0, "version", NULL, OPT_FLAG(struct common_options, version), "Show the version" },
	{},
};

static const struct option_spec common_options[] = {
	{ 0, "no-color", NULL, OPT_FLAG(struct common_options, no_color),
			"No colors on a terminal" },
	{ 'h', "help", NULL, OPT_FLAG(struct common_options, help), "Show this help" },
	{},
};

const struct argument arguments_machines[] = {
	{ "MACHINE", ARGUMENT_MANY, complete_machines },
	{},
};
const struct argument arguments_machines_up[] = {
	{ "MACHINE", ARGUMENT_MANY, complete_machines_up },
	{},
};

const struct argument arguments_machines_optional[] = {
	{ "MACHINE", ARGUMENT_OPTIONAL | ARGUMENT_MANY, complete_machines },
	{},
};
const struct argument arguments_machine[] = {
	{ "MACHINE", 0, complete_machines },
	{},
};

bool command_takes_root(const struct command *command)
{
	return command == &program ||
	       (command->flags & (COMMAND_FILES | COMMAND_LIVE)) == COMMAND_FILES;
}

size_t command_option_tables(
		const struct command *command, const struct option_spec *ret[OPTION_TABLES_MAX])
{
	size_t n = 0;
	if (command->options)
		ret[n++] = command->options;
	if (command->flags & COMMAND_SELECTS)
		ret[n++] = machine_options;
	if (command_takes_root(command))
		ret[n++] = root_options;
	if (command->flags & COMMAND_FILES || command == &program)
		ret[n++] = config_dir_options;
	if (command == &program)
		ret[n++] = program_options;
	ret[n++] = common_options;
	return n;
}

const struct option_spec *command_option(
		const struct command *command, const char *name, size_t len)
{
	const struct option_spec *tables[OPTION_TABLES_MAX];
	size_t n = command_option_tables(command, tables);
	for (size_t i = 0; i < n; i++)
		for (const struct option_spec *o = tables[i]; o->name; o++)
			if (!strncmp(o->name, name, len) && !o->name[len])
				return o;
	return NULL;
}

const char *command_word(const struct command *command)
{
	const char *space = strrchr(command->name, ' ');
	return space ? space + 1 : command->name;
}

const struct command *command_find(const struct command *parent, const char *word)
{
	for (const struct command *const *c = parent->subcommands; c && *c; c++)
		if (!strcmp(command_word(*c), word))
			return *c;
	return NULL;
}

char *command_title(const struct command *command)
{
	return xasprintf(PROGRAM_NAME "%s%s", command->name[0] ? " " : "", command->name);
}

static bool is_row_of(const struct option_spec *o, const struct option_spec *table)
{
	for (; table && table->name; table++)
		if (table == o)
			return true;
	return false;
}

void *option_target(struct call *call, const struct option_spec *option)
{
	if (is_row_of(option, call->command->options))
		return call->options;
	if (is_row_of(option, machine_options))
		return &call->machines;
	return &call->common;
}
