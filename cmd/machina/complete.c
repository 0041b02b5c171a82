/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Completion of command lines. */
#include "complete.h"

#include <json-c/json_object.h>
#include <json-c/linkhash.h>
#include <string.h>

#include "options.h"
#include "util/mem.h"

void complete_offer(struct completion *c, const char *text, const char *description)
{
	if (strncmp(text, c->prefix, strlen(c->prefix)) != 0)
		return;
	/* What would break a line can't be a candidate. */
	if (text[strcspn(text, "\t\n")])
		return;
	fprintf(c->out, "%s%s%s%s\n", c->glue, text, description ? "\t" : "",
			description ? description : "");
}

void complete_files(struct completion *c)
{
	fputs(":files\n", c->out);
}

void complete_directories(struct completion *c)
{
	fputs(":directories\n", c->out);
}

static void offer_subcommands(struct completion *c, const struct command *parent)
{
	for (const struct command *const *s = parent->subcommands; s && *s; s++)
		if (!((*s)->flags & COMMAND_HIDDEN))
			complete_offer(c, command_word(*s), (*s)->summary);
}

/* The words so far are commands themselves, as those of "help". */
void complete_commands(struct completion *c)
{
	const struct command *parent = &program;
	for (size_t i = 0; parent && i < c->call->words.n; i++)
		parent = command_find(parent, c->call->words.items[i]);
	if (parent)
		offer_subcommands(c, parent);
}

void complete_machines(struct completion *c)
{
	const struct call *call = c->call;
	CLEANUP(strv_done) struct strv names = {};
	CLEANUP(report_done) struct report unused_report = {};
	struct error unused;

	if (!call->paths.machine_dir ||
			machine_list(&call->paths, &names, &unused_report, &unused) < 0)
		return;
	for (size_t i = 0; i < names.n; i++)
		if (!strv_contains(&call->machines.patterns, names.items[i]))
			complete_offer(c, names.items[i], NULL);
}

/* The names of an object of the host's config, but for those that were given. */
static void offer_names(struct completion *c, const char *key, const struct strv *given)
{
	const struct call *call = c->call;
	CLEANUP(host_done) struct host host = {};
	CLEANUP(report_done) struct report unused_report = {};
	struct error unused;
	struct json_object *object;

	if (!call->paths.config_dir ||
			host_load(&call->paths, &host, &unused_report, &unused) != 0 ||
			!json_object_object_get_ex(host.merged, key, &object))
		return;
	json_object_object_foreach(object, name, definition)
	{
		(void)definition;
		if (!strv_contains(given, name))
			complete_offer(c, name, NULL);
	}
}

void complete_tags(struct completion *c)
{
	offer_names(c, "tag", &c->call->machines.tags);
}

void complete_networks(struct completion *c)
{
	offer_names(c, "network", &c->call->words);
}

static void complete_value(struct completion *c, const struct option_spec *option)
{
	if (option->complete)
		option->complete(c);
	else if (option->kind == OPTION_CHOICE)
		for (const char *const *choice = option->choices; *choice; choice++)
			complete_offer(c, *choice, NULL);
}

static void complete_option(struct completion *c, const struct line_end *end)
{
	const struct option_spec *tables[OPTION_TABLES_MAX];
	size_t n = command_option_tables(c->call->command, tables);
	for (size_t i = 0; i < n; i++)
		for (const struct option_spec *o = tables[i]; o->name; o++) {
			if (o->kind != OPTION_LIST && strv_contains(&end->given, o->name))
				continue;
			CLEANUP(freep) char *text = xasprintf("--%s", o->name);
			complete_offer(c, text, o->help);
		}
}

static void complete_word(struct completion *c)
{
	const struct command *command = c->call->command;
	if (command->subcommands) {
		offer_subcommands(c, command);
		return;
	}
	size_t at = command->flags & COMMAND_SELECTS ? c->call->machines.patterns.n
						     : c->call->words.n;
	const struct argument *a = command->arguments;
	for (; a && a->name && at > 0 && !(a->flags & ARGUMENT_MANY); a++)
		at--;
	if (a && a->name && a->complete)
		a->complete(c);
}

/* "--root=/x": completes the value. Returns false if @word is nothing of the kind. */
static bool complete_glued(struct completion *c, const char *word)
{
	const char *equals = strchr(word, '=');
	if (strncmp(word, "--", 2) != 0 || !equals)
		return false;
	const struct option_spec *option =
			command_option(c->call->command, word + 2, (size_t)(equals - word - 2));
	if (option && option->kind != OPTION_FLAG) {
		CLEANUP(freep) char *glue = xstrndup(word, (size_t)(equals + 1 - word));
		c->glue = glue;
		c->prefix = equals + 1;
		complete_value(c, option);
	}
	return true;
}

void complete(FILE *out, char **words, size_t n)
{
	CLEANUP(call_done) struct call call = {};
	CLEANUP(line_end_done) struct line_end end = {};
	CLEANUP(strv_done) struct strv argv = {};

	strv_push(&argv, PROGRAM_NAME);
	for (size_t i = 0; i + 1 < n; i++)
		strv_push(&argv, words[i]);
	call_read_unfinished(&call, (int)argv.n, argv.items, &end);
	if (end.lost)
		return;

	const char *word = n ? words[n - 1] : "";
	struct completion c = { .call = &call, .prefix = word, .glue = "", .out = out };
	if (end.awaits_value)
		complete_value(&c, end.awaits_value);
	else if (!end.only_words && complete_glued(&c, word))
		return;
	else if (!end.only_words && word[0] == '-')
		complete_option(&c, &end);
	else
		complete_word(&c);
}
