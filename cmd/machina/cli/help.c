/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What --help shows. */
#include "cli/help.h"

#include <string.h>

#include "cli/options.h"
#include "cli/output.h"
#include "util/mem.h"

#define HELP_WIDTH 80
#define HELP_COLUMN_MAX 28 /* of the second column; what is longer gets a line of its own */

const char *const command_group_titles[N_COMMAND_GROUPS] = {
	[GROUP_CONFIGURE] = "Configure",
	[GROUP_RUN] = "Run",
	[GROUP_LOOK] = "Look",
	[GROUP_GUEST] = "Reach guests",
	[GROUP_HOOKS] = "Called by the units",
	[GROUP_TOOLS] = "Tools",
};

char *command_synopsis(const struct command *command)
{
	CLEANUP(freep) char *title = command_title(command);
	CLEANUP(buf_done) struct buf out = {};

	buf_printf(&out, "%s%s", title, command == &program ? "" : " [OPTION...]");
	if (command->subcommands)
		buf_puts(&out, " COMMAND [ARGUMENT...]");
	for (const struct argument *a = command->arguments; a && a->name; a++) {
		bool optional = a->flags & ARGUMENT_OPTIONAL;
		buf_printf(&out, " %s%s%s%s", optional ? "[" : "", a->name,
				a->flags & ARGUMENT_MANY ? "..." : "", optional ? "]" : "");
	}
	return buf_take(&out);
}

void option_format(const struct option_spec *option, struct buf *out)
{
	if (option->short_name)
		buf_printf(out, "-%c, ", option->short_name);
	else
		buf_puts(out, "    ");
	buf_printf(out, "--%s", option->name);
	if (option->value)
		buf_printf(out, " %s", option->value);
}

void option_choices(const struct option_spec *option, struct buf *out)
{
	for (const char *const *choice = option->choices; *choice; choice++)
		buf_printf(out, "%s%s%s",
				choice == option->choices ? ""
				: choice[1]		  ? ", "
							  : " or ",
				*choice, choice == option->choices ? " (default)" : "");
}

/* Words from column @at on, continued at @indent; @text has paragraphs. */
static void put_wrapped(FILE *to, const char *text, size_t at, size_t indent)
{
	bool line_begins = true;
	while (*text) {
		if (text[0] == '\n' && text[1] == '\n') {
			fprintf(to, "\n\n%*s", (int)indent, "");
			at = indent;
			line_begins = true;
			text += 2;
			continue;
		}
		if (*text == ' ' || *text == '\n') {
			text++;
			continue;
		}
		size_t len = strcspn(text, " \n");
		if (!line_begins && at + 1 + len > HELP_WIDTH) {
			fprintf(to, "\n%*s", (int)indent, "");
			at = indent;
			line_begins = true;
		}
		if (!line_begins)
			fputc(' ', to);
		fwrite(text, 1, len, to);
		at += len + !line_begins;
		line_begins = false;
		text += len;
	}
	fputc('\n', to);
}

static void put_title(FILE *to, const char *title)
{
	fputc('\n', to);
	style_begin(to, STYLE_HEAD);
	fprintf(to, "%s:", title);
	style_end(to, STYLE_HEAD);
	fputc('\n', to);
}

/* @column: where the explanation stands */
static void put_item(FILE *to, const char *item, const char *text, size_t column)
{
	size_t at = 2 + strlen(item);
	fprintf(to, "  %s", item);
	if (at + 2 > column) {
		fputc('\n', to);
		at = 0;
	}
	fprintf(to, "%*s", (int)(column - at), "");
	put_wrapped(to, text, column, column);
}

static size_t widen(size_t column, const char *item)
{
	size_t wanted = 2 + strlen(item) + 2;
	return wanted > column && wanted <= HELP_COLUMN_MAX ? wanted : column;
}

static void put_commands(FILE *to, const struct command *command)
{
	size_t column = 0;
	for (const struct command *const *c = command->subcommands; *c; c++)
		if (!((*c)->flags & COMMAND_HIDDEN))
			column = widen(column, (*c)->name);

	int group = -1;
	for (const struct command *const *c = command->subcommands; *c; c++) {
		if ((*c)->flags & COMMAND_HIDDEN)
			continue;
		/* The program's commands are sorted; of others there are few. */
		if (command == &program ? group != (int)(*c)->group : group < 0)
			put_title(to, command == &program ? command_group_titles[(*c)->group]
							  : "Commands");
		group = (int)(*c)->group;
		put_item(to, (*c)->name, (*c)->summary, column);
	}
}

static void put_options(FILE *to, const struct command *command)
{
	const struct option_spec *tables[OPTION_TABLES_MAX];
	size_t n = command_option_tables(command, tables);
	size_t column = 0;
	for (int pass = 0; pass < 2; pass++) {
		if (pass)
			put_title(to, "Options");
		for (size_t i = 0; i < n; i++)
			for (const struct option_spec *o = tables[i]; o->name; o++) {
				CLEANUP(buf_done) struct buf item = {};
				option_format(o, &item);
				CLEANUP(buf_done) struct buf text = {};
				buf_puts(&text, o->help);
				if (o->choices) {
					buf_puts(&text, ": ");
					option_choices(o, &text);
				}
				if (pass)
					put_item(to, buf_text(&item), buf_text(&text), column);
				else
					column = widen(column, buf_text(&item));
			}
	}
}

static void put_examples(FILE *to, const struct example *examples)
{
	if (!examples)
		return;
	put_title(to, "Examples");
	for (const struct example *e = examples; e->line; e++) {
		fprintf(to, "  %s\n      ", e->line);
		put_wrapped(to, e->text, 6, 6);
	}
}

void print_help(FILE *to, const struct command *command)
{
	CLEANUP(freep) char *synopsis = command_synopsis(command);
	fprintf(to, "Usage: %s\n\n%s.\n", synopsis, command->summary);
	if (command->description) {
		fputc('\n', to);
		put_wrapped(to, command->description, 0, 0);
	}
	if (command->subcommands)
		put_commands(to, command);
	put_options(to, command);
	put_examples(to, command->examples);
	fputc('\n', to);
	if (command->subcommands) {
		CLEANUP(freep) char *title = command_title(command);
		fprintf(to, "'%s COMMAND --help' explains a command. ", title);
	}
	fputs("The manual page " PROGRAM_NAME "(8) has more.\n", to);
}
