/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina version. */
#include <json-c/json_object.h>
#include <stdio.h>

#include "cli/command.h"
#include "cli/output.h"
#include "json/jtree.h"

struct version_options {
	bool json;
};

static int version_run(const struct call *call, struct error *err)
{
	(void)err;
	/* NULL for "machina --version". */
	const struct version_options *options = call->options;
	if (!options || !options->json) {
		puts(PROGRAM_NAME " " PROGRAM_VERSION);
		return STATUS_DONE;
	}
	struct json_object *object = jtree_object();
	jtree_set(object, "version", jtree_string(PROGRAM_VERSION));
	print_json(object);
	json_object_put(object);
	return STATUS_DONE;
}

static const struct option_spec options[] = {
	OPTION_JSON(struct version_options, json),
	{},
};

const struct command cmd_version = {
	.name = "version",
	.group = GROUP_TOOLS,
	.summary = "Show the version",
	.options = options,
	.options_size = sizeof(struct version_options),
	.run = version_run,
};
