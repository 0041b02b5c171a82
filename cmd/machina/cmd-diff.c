/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina diff: what runs against what the config would generate. */
#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>

#include "drift.h"
#include "host/bus.h"
#include "json/jtree.h"
#include "machines.h"
#include "output.h"
#include "util/mem.h"

/* As diff(1) has them. */
enum { STATUS_SAME = 0, STATUS_DIFFERENT = 1, STATUS_TROUBLE = 2 };

struct diff_options {
	bool json;
};

static void print_item(const struct argdiff_item *item)
{
	CLEANUP(buf_done) struct buf text = {};
	buf_puts(&text, *item->option ? item->option : "program");
	if (*item->name)
		buf_printf(&text, " %s", item->name);
	if (*item->driver && *item->option && (!item->key || *item->key))
		buf_printf(&text, " (%s)", item->driver);
	if (!item->key) {
		printf("  %s ", item->before ? "-" : "+");
		put_text(stdout, buf_text(&text));
		buf_clear(&text);
		buf_printf(&text, ": %s", item->before ? item->before : item->after);
	} else {
		fputs("    ", stdout);
		buf_printf(&text, ": %s%s%s -> %s", item->key, *item->key ? ": " : "",
				item->before ? item->before : "not set",
				item->after ? item->after : "not set");
	}
	put_text(stdout, buf_text(&text));
	putchar('\n');
}

static void set(struct json_object *o, const char *key, const char *text)
{
	if (text && (*text || !strcmp(key, "key")))
		jtree_set(o, key, jtree_string(text));
}

static struct json_object *drift_json(const char *machine, const struct drift *drift)
{
	struct json_object *o = jtree_object(), *list = jtree_list();
	jtree_set(o, "machine", jtree_string(machine));
	jtree_set(o, "program_replaced", jtree_bool(drift->replaced[0] != '\0'));
	for (size_t i = 0; i < drift->diff.n; i++) {
		const struct argdiff_item *item = &drift->diff.items[i];
		struct json_object *one = jtree_object();
		set(one, "option", item->option);
		set(one, "name", item->name);
		set(one, "driver", item->driver);
		set(one, "key", item->key);
		set(one, "running", item->before);
		set(one, "generated", item->after);
		jtree_push(list, one);
	}
	jtree_set(o, "differences", list);
	return o;
}

static void print_drift(const char *machine, const struct drift *drift)
{
	if (drift->diff.n)
		printf("%s: its config would now generate something else:\n", machine);
	for (size_t i = 0; i < drift->diff.n; i++)
		print_item(&drift->diff.items[i]);
	if (drift->replaced[0]) {
		printf("%s: was replaced since it was started: ", machine);
		put_text(stdout, drift->replaced);
		putchar('\n');
	}
}

static int diff_run(const struct call *call, struct error *err)
{
	const struct diff_options *options = call->options;
	CLEANUP(config_done) struct config config = {};
	CLEANUP(strv_done) struct strv names = {};
	CLEANUP(bus_freep) struct bus *bus = NULL;
	int worst = STATUS_SAME;
	int r = config_load(&config, &call->paths, err);
	if (r == 0)
		r = machines_select(call, &config.report, &names, err);
	if (r == 0)
		r = bus_open(&bus, err);
	if (r != 0) {
		print_report(stderr, &config.report);
		if (r < 0)
			print_error(err);
		return STATUS_TROUBLE;
	}
	struct json_object *list = jtree_list();
	for (size_t i = 0; i < names.n; i++) {
		CLEANUP(drift_done) struct drift drift = {};
		struct error local = {};
		r = drift_find(&config, bus, names.items[i], &drift, &local);
		if (r < 0)
			print_error(&local);
		if (r != 0) {
			worst = STATUS_TROUBLE;
			continue;
		}
		if ((drift.diff.n || drift.replaced[0]) && worst == STATUS_SAME)
			worst = STATUS_DIFFERENT;
		if (options->json)
			jtree_push(list, drift_json(names.items[i], &drift));
		else
			print_drift(names.items[i], &drift);
	}
	print_report(stderr, &config.report);
	if (options->json)
		print_json(list);
	json_object_put(list);
	return worst;
}

static const struct option_spec options[] = { OPTION_JSON(struct diff_options, json), {} };

static const struct example examples[] = {
	{ "machina diff web", "What a restart would change, after 'machina generate web'." },
	{ "machina diff --all || echo restarts are due", "For a script." },
	{},
};

const struct command cmd_diff = {
	.name = "diff",
	.group = GROUP_LOOK,
	.flags = COMMAND_FILES | COMMAND_SELECTS | COMMAND_LIVE,
	.arguments = arguments_machines,
	.summary = "Compare machines that run with what their config says now",
	.description = "The arguments of the QEMU that runs against those that 'machina generate' "
		       "would write now, by device and key: a line with both values for each key, "
		       "'-' for an option that would go and '+' for one that would come. Order "
		       "doesn't count, nor do numbers of descriptors: a disk is its file. Whether "
		       "QEMU's program or a library of it was replaced since, as by an upgrade, is "
		       "told, too.\n\n"
		       "The status is 0 if all is the same, 1 if something differs, 2 if that "
		       "couldn't be found out, as of a machine that does not run.",
	.options = options,
	.options_size = sizeof(struct diff_options),
	.examples = examples,
	.run = diff_run,
};
