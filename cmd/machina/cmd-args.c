/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina args: the arguments that QEMU gets. */
#include <json-c/json_object.h>
#include <stdio.h>

#include "json/jtree.h"
#include "machines.h"
#include "output.h"
#include "print-argv.h"
#include "util/mem.h"

struct args_options {
	bool json;
	bool annotate;
	bool standalone;
};

static struct json_object *argv_json(const struct strv *argv)
{
	struct json_object *list = jtree_list();
	for (size_t i = 0; i < argv->n; i++)
		jtree_push(list, jtree_string(argv->items[i]));
	return list;
}

static void print_annotations(const struct plan *plan)
{
	CLEANUP(strv_done) struct strv rows = {};
	qemu_annotate(plan, &rows);
	for (size_t i = 0; i < rows.n; i++)
		printf("# %s\n", rows.items[i]);
}

static void print_built(const struct built *built, const struct args_options *options)
{
	if (options->annotate && !options->standalone)
		print_annotations(&built->plan);
	print_qemu_argv(&built->argv);
}

static int args_run(const struct call *call, struct error *err)
{
	const struct args_options *options = call->options;
	enum qemu_form form = options->standalone ? QEMU_FORM_STANDALONE : QEMU_FORM_UNIT;
	CLEANUP(config_done) struct config config = {};
	CLEANUP(strv_done) struct strv names = {};
	int r = config_load(&config, &call->paths, err);
	if (r == 0)
		r = machines_select(call, &config.report, &names, err);
	if (r < 0)
		return r;

	struct json_object *all = names.n > 1 ? jtree_object() : NULL;
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		CLEANUP(built_done) struct built built = {};
		r = built_argv(&built, &config, names.items[i], form, NULL, err);
		if (r < 0)
			break;
		if (r > 0 || config.report.n_errors) {
			r = 0;
			continue;
		}
		if (options->json && all) {
			jtree_set(all, names.items[i], argv_json(&built.argv));
		} else if (options->json) {
			struct json_object *list = argv_json(&built.argv);
			print_json(list);
			json_object_put(list);
		} else {
			if (names.n > 1)
				printf("%s----%s----\n", i ? "\n" : "", names.items[i]);
			print_built(&built, options);
		}
	}
	if (r >= 0 && all && options->json && !config.report.n_errors)
		print_json(all);
	json_object_put(all);
	if (config.report.n_errors)
		print_report(stderr, &config.report);
	return r < 0 ? r : config.report.n_errors ? STATUS_FAILURE : STATUS_DONE;
}

static const struct option_spec options[] = {
	OPTION_JSON(struct args_options, json),
	{ 'a', "annotate", NULL, OPT_FLAG(struct args_options, annotate),
			"Say what each descriptor number is" },
	{ 's', "standalone", NULL, OPT_FLAG(struct args_options, standalone),
			"With paths in place of descriptors, to paste into a shell" },
	{},
};

static const struct example examples[] = {
	{ "machina args web", "The command line of web's unit, one option a line." },
	{ "machina args --standalone web", "A command line that a shell can run." },
	{ "diff <(machina args web1) <(machina args web2)", "Compare two machines." },
	{},
};

const struct command cmd_args = {
	.name = "args",
	.group = GROUP_CONFIGURE,
	.flags = COMMAND_FILES | COMMAND_SELECTS,
	.arguments = arguments_machines,
	.summary = "Show the arguments that QEMU gets",
	.description = "As they stand in the unit, quoted for a shell. Disks, taps and sockets are "
		       "descriptors there, which the unit's hooks open; --annotate says what each "
		       "number is. With several machines each is preceded by its name; with --json "
		       "they become one object.",
	.options = options,
	.options_size = sizeof(struct args_options),
	.examples = examples,
	.run = args_run,
};
