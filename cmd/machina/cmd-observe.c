/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina observe: what happens to machines, as it happens. */
#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "cli/complete.h"
#include "cli/output.h"
#include "host/os/clock.h"
#include "host/qmp/event-text.h"
#include "json/jtree.h"
#include "json/jwrite.h"
#include "observe/observe.h"
#include "setup/machines.h"
#include "util/mem.h"

struct observe_options {
	bool json;
	int count;
	const char *until;
	uint64_t timeout_usec;
};

struct seen {
	const struct observe_options *options;
	int n;
	bool found;
};

static void print_json_line(const struct observed *event)
{
	struct json_object *o = jtree_object();
	jtree_set(o, "time_usec", jtree_int((int64_t)event->time_usec));
	jtree_set(o, "machine", jtree_string(event->machine));
	jtree_set(o, "event", jtree_string(event->event));
	if (event->data)
		jtree_set(o, "data", json_object_get(event->data));
	jtree_set(o, "text", jtree_string(event->text));
	CLEANUP(buf_done) struct buf text = {};
	jwrite(&text, o, JWRITE_LINE);
	puts(buf_text(&text));
	json_object_put(o);
}

static void print_line(const struct observed *event)
{
	char when[64] = "";
	struct tm tm;
	time_t seconds = (time_t)(event->time_usec / USEC_PER_SEC);
	if (localtime_r(&seconds, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	style_begin(stdout, STYLE_DIM);
	printf("%s.%03u ", when, (unsigned)(event->time_usec % USEC_PER_SEC / USEC_PER_MSEC));
	style_end(stdout, STYLE_DIM);
	style_begin(stdout, STYLE_HEAD);
	put_text(stdout, event->machine);
	style_end(stdout, STYLE_HEAD);
	fputs(": ", stdout);
	put_text(stdout, event->text);
	putchar('\n');
}

/* Our own words about the connection are no events that anybody counts. */
static bool counts(const char *event)
{
	return strcmp(event, "OBSERVED") != 0 && strcmp(event, "UNOBSERVED") != 0 &&
	       strcmp(event, "HELD") != 0;
}

static bool take_event(void *data, const struct observed *event)
{
	struct seen *seen = data;
	const struct observe_options *options = seen->options;
	if (options->json)
		print_json_line(event);
	else
		print_line(event);
	/* Who reads wants to know now. */
	bool lost = fflush(stdout) != 0;
	seen->n += counts(event->event);
	seen->found = (options->until && !strcasecmp(options->until, event->event)) ||
		      (options->count && seen->n >= options->count);
	return !seen->found && !lost;
}

static int observe_command(const struct call *call, struct error *err)
{
	const struct observe_options *options = call->options;
	const struct machine_selection *selected = &call->machines;
	CLEANUP(strv_done) struct strv names = {};
	/* One that is named may still come. */
	int r = selected->patterns.n ? machines_select_known(call, MACHINES_ANY, &names, err)
				     : machines_select_or_all(call, &names, err);
	if (r != 0)
		return r < 0 ? r : STATUS_FAILURE;

	struct seen seen = { .options = options };
	const struct observe observe = {
		.paths = &call->paths,
		.machines = &names,
		.others = !selected->patterns.n && !selected->tags.n,
		.fn = take_event,
		.data = &seen,
		.deadline_usec = options->timeout_usec ? clock_deadline_usec(options->timeout_usec)
						       : DEADLINE_NEVER,
	};
	r = observe_run(&observe, err);
	if (r < 0)
		return r;
	if (r == 0 && (options->until || options->count) && !seen.found)
		return error_set(err, ETIMEDOUT, "what was waited for did not happen in time");
	return STATUS_DONE;
}

static void complete_events(struct completion *c)
{
	const char *name;
	for (size_t cursor = 0; (name = event_text_name(&cursor));)
		complete_offer(c, name, NULL);
	for (size_t i = 0; i < N_OBSERVED_OWN; i++)
		complete_offer(c, observed_own[i], NULL);
}

static const struct option_spec options[] = {
	{ 'j', "json", NULL, OPT_FLAG(struct observe_options, json),
			"Write a JSON object on a line for each event" },
	{ 'c', "count", "N", OPT_INT(struct observe_options, count, 1, 1000000),
			"End after N events" },
	{ 'u', "until", "EVENT", OPT_TEXT(struct observe_options, until),
			"End after an event of that name", complete_events },
	{ 't', "timeout", "TIME", OPT_SPAN(struct observe_options, timeout_usec),
			"End after that time" },
	{},
};

static const struct example examples[] = {
	{ "machina observe", "What happens to all machines, until Ctrl-C." },
	{ "machina observe --json web | jq -r .event", "The names of the events of web." },
	{ "machina observe --until SHUTDOWN --timeout 2min web",
			"Wait for the guest to shut down, two minutes at most." },
	{},
};

const struct command cmd_observe = {
	.name = "observe",
	.group = GROUP_LOOK,
	.flags = COMMAND_FILES | COMMAND_SELECTS | COMMAND_LIVE,
	.arguments = arguments_machines_optional,
	.summary = "Show what happens to machines, as it happens",
	.description = "A line for each event of QEMU and each change of state of the unit, with "
		       "time and machine. Without MACHINE all machines, also those that are "
		       "configured later. Machines may start, end and start again meanwhile. "
		       "Events are taken from the operators' second monitor (\"command.1\"), so "
		       "that other commands go on working; if another program has it, a line says "
		       "so, and the events begin when it has gone.\n\n"
		       "With --json, \"event\" is QEMU's name for it (SHUTDOWN, BLOCK_IO_ERROR, "
		       "...) with its \"data\"; UNIT_STARTING, UNIT_ACTIVE, UNIT_STOPPING, "
		       "UNIT_INACTIVE or UNIT_FAILED for the unit; OBSERVED and UNOBSERVED when "
		       "QEMU's monitor was connected and lost, HELD when another program has it. "
		       "The latter three don't count for --count.\n\n"
		       "The exit status is 0 when it was ended by Ctrl-C, or when what --count or "
		       "--until asks for has happened; 1 when that did not happen before "
		       "--timeout.",
	.options = options,
	.options_size = sizeof(struct observe_options),
	.examples = examples,
	.run = observe_command,
};
