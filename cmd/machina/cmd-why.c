/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina why: the cause of the last failure. */
#include <json-c/json_object.h>
#include <stdio.h>

#include "cli/output.h"
#include "json/jtree.h"
#include "lifecycle/why.h"
#include "setup/machines.h"
#include "util/mem.h"

#define STATUS_NO_SUCH_MACHINE 4

struct why_options {
	bool json;
	bool lines;
};

static void set(struct json_object *o, const char *key, const char *text)
{
	if (text && *text)
		jtree_set(o, key, jtree_string(text));
}

static struct json_object *why_json(const struct why *why)
{
	struct json_object *o = jtree_object();
	CLEANUP(buf_done) struct buf text = {};
	set(o, "machine", why->machine);
	set(o, "state", why_outcome_names[why->outcome]);
	if (why->time_usec)
		jtree_set(o, "time_usec", jtree_int((int64_t)why->time_usec));
	set(o, "unit", why->unit);
	set(o, "because_of", why->other);
	set(o, "phase", why->phase);
	set(o, "result", why->result);
	set(o, "cause", why->cause.id);
	set(o, "sentence", why->cause.sentence);
	set(o, "advice", why->cause.advice);
	set(o, "message", why->cause.message);
	set(o, "reason", why->reason);
	if (why->is_retried)
		jtree_set(o, "is_retried", jtree_bool(true));
	if (why->is_given_up)
		jtree_set(o, "is_given_up", jtree_bool(true));
	if (why->before)
		jtree_set(o, "before", why_json(why->before));
	why_tell(why, &text);
	set(o, "text", buf_text(&text));
	return o;
}

static void print_why(const struct why *why, bool with_lines)
{
	CLEANUP(buf_done) struct buf text = {};
	why_tell(why, &text);
	put_text(stdout, buf_text(&text));
	putchar('\n');
	for (size_t i = 0; with_lines && i < why->lines.n; i++) {
		fputs("    ", stdout);
		put_text(stdout, why->lines.items[i]);
		putchar('\n');
	}
}

static int why_run(const struct call *call, struct error *err)
{
	const struct why_options *options = call->options;
	CLEANUP(strv_done) struct strv names = {};
	CLEANUP(bus_freep) struct bus *bus = NULL;
	int r = machines_select_known(call, MACHINES_ANY, &names, err);
	if (r == 0)
		r = bus_open(&bus, err);
	if (r != 0)
		return r < 0 ? r : STATUS_FAILURE;
	CLEANUP(why_guests_done) struct why_guests guests;
	why_ask_guests(&call->paths, &names, &guests);
	int worst = STATUS_DONE;
	struct json_object *list = jtree_list();
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		CLEANUP(why_done) struct why why = {};
		r = why_look(&call->paths, bus, names.items[i], &guests.items[i], &why, err);
		if (r < 0)
			break;
		if (why.outcome == WHY_NO_MACHINE)
			worst = STATUS_NO_SUCH_MACHINE;
		if (options->json)
			jtree_push(list, why_json(&why));
		else
			print_why(&why, options->lines);
	}
	if (r == 0 && options->json)
		print_json(list);
	json_object_put(list);
	return r < 0 ? r : worst;
}

static const struct option_spec options[] = {
	OPTION_JSON(struct why_options, json),
	{ 'l', "lines", NULL, OPT_FLAG(struct why_options, lines),
			"Show the lines of the journal as well" },
	{},
};

static const struct example examples[] = {
	{ "machina why web", "What became of web, and what to do if it failed." },
	{ "machina why --lines web", "The same with what the run has left in the journal." },
	{ "machina why --json --all", "All machines, for a program." },
	{},
};

const struct command cmd_why = {
	.name = "why",
	.group = GROUP_LOOK,
	.flags = COMMAND_FILES | COMMAND_SELECTS | COMMAND_LIVE,
	.arguments = arguments_machines,
	.summary = "Tell why machines failed, in one paragraph",
	.description = "What failed last, when, why, and what to do: from the state of its unit, "
		       "of the units that it needs and of the machines that it requires, from what "
		       "hooks, QEMU and the programs beside it left in the journal, and from QEMU "
		       "itself where the machine runs but its guest stands still. Of a machine "
		       "that has not failed: since when it runs, or how it ended, whether that was "
		       "since a machine that it requires was stopped, was restarted or has failed, "
		       "and the failure before that.\n\n"
		       "With --json, \"cause\" is a word for the cause that stays the same in "
		       "later versions (machina-json(5) lists them), and is missing where the "
		       "cause is not known: then the text "
		       "says only what is. \"because_of\" names the other machine whose failure or "
		       "stop was the reason.\n\n"
		       "The exit status is 0 whether a machine has failed or not, and 4 if there "
		       "is none of a name.",
	.options = options,
	.options_size = sizeof(struct why_options),
	.examples = examples,
	.run = why_run,
};
