/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina schema: the formats of config files as JSON Schemas. */
#include <json-c/json_object.h>
#include <string.h>

#include "cli/command.h"
#include "cli/complete.h"
#include "cli/formats.h"
#include "cli/output.h"
#include "json/jschema.h"

static int schema_run(const struct call *call, struct error *err)
{
	(void)err;
	const char *name = call->words.items[0];
	const struct format *format = format_find(name, strlen(name));
	if (!format)
		return misuse(call->command, "there is no schema '%s': host and machine have one",
				name);
	struct json_object *schema = jschema(format->fields, format->title, format->description);
	print_json(schema);
	json_object_put(schema);
	return STATUS_DONE;
}

static void complete_formats(struct completion *c)
{
	for (const struct format *f = formats; f->name; f++)
		complete_offer(c, f->name, f->description);
}

static const struct argument arguments[] = {
	{ "FORMAT", 0, complete_formats },
	{},
};

static const struct example examples[] = {
	{ "machina schema machine >machine.schema.json", "The schema of a machine's file." },
	{},
};

const struct command cmd_schema = {
	.name = "schema",
	.group = GROUP_TOOLS,
	.arguments = arguments,
	.summary = "Print the JSON Schema of a config file: host or machine",
	.description = "For editors, which then complete keys, explain them and mark mistakes. The "
		       "same files are installed as /usr/share/machina/host.schema.json and "
		       "machine.schema.json. Comments are allowed in config files and not known to "
		       "JSON Schema: tell the editor that the files are \"JSON with comments\". A "
		       "schema finds most mistakes, 'machina validate' finds all.",
	.examples = examples,
	.run = schema_run,
};
