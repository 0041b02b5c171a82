/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina explain: where each value of a machine came from. */
#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <stdio.h>
#include <string.h>

#include "cli/complete.h"
#include "cli/output.h"
#include "cli/table.h"
#include "json/jtree.h"
#include "model/explain.h"
#include "setup/built.h"
#include "util/mem.h"

struct explain_options {
	bool json;
};

static void add_origin(struct table *t, const struct call *call, const struct explain_origin *o,
		bool counts)
{
	enum style style = counts ? STYLE_PLAIN : STYLE_DIM;
	table_add(t, style, "%s", o->label);
	table_add(t, style, "%s:%zu:%zu", config_short_file(&call->paths, o->at.file), o->at.line,
			o->at.column);
}

static void add_rows(struct table *t, const struct call *call, const struct explain_entry *e)
{
	bool is_set = e->source == EXPLAIN_SET;
	table_add(t, STYLE_HEAD, "%s", e->pointer);
	if (!is_set) {
		const char *word = e->source == EXPLAIN_DERIVED ? "derived" : "default";
		table_add(t, STYLE_PLAIN, "%s", e->value);
		table_add(t, e->because ? STYLE_PLAIN : STYLE_DIM, "%s",
				e->because ? e->because : word);
		table_add(t, STYLE_DIM, "%s", "");
	} else if (e->origins[0].removes) {
		table_add(t, STYLE_WARN, "removed");
		add_origin(t, call, &e->origins[0], true);
	} else {
		table_add(t, STYLE_PLAIN, "%s%s", e->value, e->foreign ? " (foreign)" : "");
		add_origin(t, call, &e->origins[0], true);
	}
	for (size_t i = is_set ? 1 : 0; i < e->n_origins; i++) {
		const struct explain_origin *o = &e->origins[i];
		table_add(t, STYLE_PLAIN, "%s", "");
		table_add(t, STYLE_DIM, "%s %s", o->ignored ? "ignored" : "not", o->value);
		add_origin(t, call, o, false);
	}
}

static void print_text(
		const struct call *call, const struct machine *machine, const struct explanation *e)
{
	static const struct column columns[] = {
		{ "VALUE OF", .widest = 48 },
		{ "IS", .widest = 40 },
		{ "BECAUSE OF", .widest = 24 },
		{ "IN" },
	};
	CLEANUP(table_done)
	struct table t = { .columns = columns, .n_columns = ARRAY_SIZE(columns) };
	for (size_t i = 0; i < e->n; i++)
		add_rows(&t, call, &e->items[i]);
	style_begin(stdout, STYLE_HEAD);
	printf("%s", machine->name);
	style_end(stdout, STYLE_HEAD);
	printf("  (files below %s)\n\n", call->paths.config_dir);
	table_print(&t, stdout);
	if (e->n == 1 && e->items[0].doc)
		printf("\n%s\n", e->items[0].doc);
	for (size_t i = 0; e->n == 1 && i < e->items[0].n_origins; i++)
		if (strchr(e->items[0].origins[i].chain, ','))
			printf("%s: by way of %s\n", e->items[0].origins[i].label,
					e->items[0].origins[i].chain);
}

static struct json_object *origin_json(const struct explain_origin *o)
{
	struct json_object *object = jtree_object();
	jtree_set_text(object, "by", o->label);
	jtree_set_text(object, "chain", o->chain);
	jtree_set_text(object, "file", o->at.file);
	jtree_set(object, "line", jtree_int((int64_t)o->at.line));
	jtree_set(object, "column", jtree_int((int64_t)o->at.column));
	jtree_set_text(object, "pointer", o->pointer);
	jtree_set(object, "value", json_tokener_parse(o->value));
	if (o->ignored)
		jtree_set(object, "ignored", jtree_bool(true));
	return object;
}

static struct json_object *entry_json(const struct explain_entry *e)
{
	static const char *const sources[] = {
		[EXPLAIN_SET] = "set",
		[EXPLAIN_DERIVED] = "derived",
		[EXPLAIN_DEFAULT] = "default",
		[EXPLAIN_FOLLOWS] = "follows",
	};
	struct json_object *object = jtree_object();
	bool is_set = e->source == EXPLAIN_SET, removed = is_set && e->origins[0].removes;
	jtree_set_text(object, "pointer", e->pointer);
	jtree_set_text(object, "source", removed ? "removed" : sources[e->source]);
	if (e->source == EXPLAIN_DEFAULT)
		jtree_set_text(object, "default", e->value);
	else if (e->value)
		jtree_set(object, "value", json_tokener_parse(e->value));
	jtree_set_text(object, "because", e->because);
	if (e->foreign)
		jtree_set(object, "foreign", jtree_bool(true));
	if (is_set)
		jtree_set(object, "origin", origin_json(&e->origins[0]));
	struct json_object *overridden = jtree_list();
	for (size_t i = is_set ? 1 : 0; i < e->n_origins; i++)
		jtree_push(overridden, origin_json(&e->origins[i]));
	jtree_set(object, "overrides", overridden);
	jtree_set_text(object, "meaning", e->doc);
	return object;
}

static void print_entries_json(const struct explanation *e)
{
	struct json_object *list = jtree_list();
	for (size_t i = 0; i < e->n; i++)
		jtree_push(list, entry_json(&e->items[i]));
	print_json(list);
	json_object_put(list);
}

static int explain_run(const struct call *call, struct error *err)
{
	const struct explain_options *options = call->options;
	const char *name = call->words.items[0];
	const char *pointer = call->words.n > 1 ? call->words.items[1] : "";
	if (pointer[0] && pointer[0] != '/')
		return misuse(call->command,
				"'%s' is no place of a machine: expected a JSON pointer such as "
				"'/attrs/memory/ram'",
				pointer);
	if (!strcmp(pointer, "/"))
		pointer = "";

	CLEANUP(config_done) struct config config = {};
	CLEANUP(built_done) struct built built = {};
	CLEANUP(explanation_done) struct explanation explanation = {};
	int r = config_load(&config, &call->paths, err);
	if (r == 0)
		r = built_load(&built, &config, name, err);
	print_report(stderr, &config.report);
	if (r < 0 || !built.machine.merged)
		return r < 0 ? r : STATUS_FAILURE;
	/* Findings are where one wants to know where the values came from. */
	int status = r == 0 ? STATUS_DONE : STATUS_FAILURE;
	r = explain_machine(&built.machine, &built.vm, pointer, &explanation, err);
	if (r < 0)
		return r;
	if (options->json)
		print_entries_json(&explanation);
	else
		print_text(call, &built.machine, &explanation);
	return status;
}

/* A place and those that it lies in, each once. */
static void add_places(struct strv *places, const char *pointer)
{
	for (const char *end = pointer; *end;) {
		end += 1 + strcspn(end + 1, "/");
		CLEANUP(freep) char *place = xstrndup(pointer, (size_t)(end - pointer));
		if (!strv_contains(places, place))
			strv_push_take(places, take_ptr(place));
	}
}

static void complete_pointers(struct completion *c)
{
	CLEANUP(config_done) struct config config = {};
	CLEANUP(built_done) struct built built = {};
	CLEANUP(explanation_done) struct explanation explanation = {};
	CLEANUP(strv_done) struct strv places = {};
	struct error unused;

	if (!c->call->words.n || config_load(&config, &c->call->paths, &unused) != 0 ||
			built_load(&built, &config, c->call->words.items[0], &unused) < 0 ||
			!built.machine.merged ||
			explain_machine(&built.machine, &built.vm, "", &explanation, &unused) < 0)
		return;
	for (size_t i = 0; i < explanation.n; i++)
		add_places(&places, explanation.items[i].pointer);
	for (size_t i = 0; i < places.n; i++)
		complete_offer(c, places.items[i], NULL);
}

static const struct option_spec options[] = { OPTION_JSON(struct explain_options, json), {} };

static const struct argument arguments[] = {
	{ .name = "MACHINE", .complete = complete_machines },
	{ .name = "POINTER", .flags = ARGUMENT_OPTIONAL, .complete = complete_pointers },
	{},
};

static const struct example examples[] = {
	{ "machina explain web", "Every value of web and who set it." },
	{ "machina explain web /attrs/memory", "Only what is below /attrs/memory." },
	{ "machina explain web /attrs/cpu/model", "A value that no file sets: its default." },
	{},
};

const struct command cmd_explain = {
	.name = "explain",
	.group = GROUP_CONFIGURE,
	.flags = COMMAND_FILES,
	.arguments = arguments,
	.summary = "Show where each value of a machine came from",
	.description = "Each value with the file, line and column that set it, the machine or tag "
		       "that it stands in, and below it what it overrode. Identifiers that no file "
		       "sets are derived from the machine's id and name. What something else of "
		       "the machine needs, as a share needs shared memory, has that in the third "
		       "column; so has a port that a \"port-pattern\" makes. POINTER (RFC 6901) "
		       "limits this to one place and all below it, and "
		       "shows the default of a key that is not set.\n\n"
		       "A machine whose parts don't fit together is explained, too, after the "
		       "findings; the exit status is 1 then.",
	.options = options,
	.options_size = sizeof(struct explain_options),
	.examples = examples,
	.run = explain_run,
};
