/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Completion of command lines. */
#include "cli/complete.h"

#include <json-c/json_object.h>
#include <json-c/linkhash.h>
#include <string.h>

#include "cli/options.h"
#include "host/systemd/bus-unit.h"
#include "unit/service.h"
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

/* The configured machines that may stand there, in byte order. */
static void list_machines(const struct completion *c, struct strv *ret)
{
	const struct call *call = c->call;
	CLEANUP(strv_done) struct strv names = {};
	CLEANUP(report_done) struct report unused_report = {};
	struct error unused;

	if (!call->paths.machine_dir ||
			machine_list(&call->paths, &names, &unused_report, &unused) < 0)
		return;
	for (size_t i = 0; i < names.n; i++)
		if (!strncmp(names.items[i], c->prefix, strlen(c->prefix)) &&
				!strv_contains(&call->machines.patterns, names.items[i]))
			strv_push(ret, names.items[i]);
}

/* Those that are down, or those that are not. Where systemd can't be asked, or where it would be
 * none, all of them: who types the name of a machine wants to hear from the command why not. */
static void choose_machines(const struct completion *c, bool down, struct strv *names)
{
	CLEANUP(bus_freep) struct bus *bus = NULL;
	CLEANUP(unit_list_done) struct unit_list list = {};
	CLEANUP(strv_done) struct strv units = {}, chosen = {};
	CLEANUP(freep) char *pattern = unit_name(UNIT_QEMU, "*");
	struct error unused;

	if (c->call->paths.offline || !names->n || bus_open(&bus, &unused) < 0)
		return;
	for (size_t i = 0; i < names->n; i++)
		strv_push_take(&units, unit_name(UNIT_QEMU, names->items[i]));
	if (bus_list_loaded_units(bus, pattern, &units, &list, &unused) < 0)
		return;
	for (size_t i = 0; i < list.n; i++)
		if (unit_is_down(list.rows[i].active_state) == down)
			strv_push(&chosen, names->items[i]);
	if (!chosen.n)
		return;
	strv_done(names);
	*names = chosen;
	chosen = (struct strv){};
}

static void offer_all(struct completion *c, const struct strv *names)
{
	for (size_t i = 0; i < names->n; i++)
		complete_offer(c, names->items[i], NULL);
}

void complete_machines(struct completion *c)
{
	CLEANUP(strv_done) struct strv names = {};
	list_machines(c, &names);
	offer_all(c, &names);
}

void complete_machines_up(struct completion *c)
{
	CLEANUP(strv_done) struct strv names = {};
	list_machines(c, &names);
	choose_machines(c, false, &names);
	offer_all(c, &names);
}

void complete_machines_down(struct completion *c)
{
	CLEANUP(strv_done) struct strv names = {};
	list_machines(c, &names);
	choose_machines(c, true, &names);
	offer_all(c, &names);
}

/* "web:/etc", as with scp(1). */
static bool is_guest_path(const char *word)
{
	return word[strcspn(word, ":/")] == ':';
}

/* One of two is a place in a guest, the other one a file of this host. */
void complete_copy(struct completion *c)
{
	bool is_second = c->call->words.n > 0;
	bool is_out = is_second && is_guest_path(c->call->words.items[0]);
	CLEANUP(strv_done) struct strv names = {};
	if (is_guest_path(c->prefix))
		return;
	if (!is_out) {
		list_machines(c, &names);
		choose_machines(c, false, &names);
	}
	for (size_t i = 0; i < names.n; i++) {
		CLEANUP(freep) char *text = xasprintf("%s:", names.items[i]);
		complete_offer(c, text, NULL);
	}
	if (is_out || !is_second)
		complete_files(c);
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
