/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina query: its commands. */
#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>

#include "host/os/clock.h"
#include "json/jtree.h"
#include "monitor.h"
#include "output.h"
#include "query.h"
#include "util/mem.h"

#define LIMIT_USEC (5 * USEC_PER_SEC)

struct query_options {
	bool json;
};

struct answer {
	struct json_object *replies[QUERY_COMMANDS_MAX];
};

static void answer_done(struct answer *answer)
{
	for (size_t i = 0; i < QUERY_COMMANDS_MAX; i++)
		json_object_put(answer->replies[i]);
}

static int ask(struct qmp *qmp, const struct query *query, uint64_t deadline_usec,
		struct answer *ret, struct error *err)
{
	for (size_t i = 0; i < QUERY_COMMANDS_MAX && query->commands[i].name; i++) {
		CLEANUP(qmp_reply_done) struct qmp_reply reply = {};
		int r = qmp_execute(qmp, &(struct qmp_command){ .name = query->commands[i].name },
				deadline_usec, &reply, err);
		if (r == QMP_REFUSED && query->commands[i].optional)
			continue;
		if (r != QMP_DONE)
			return r < 0 ? r : -err->code;
		ret->replies[i] = take_ptr(reply.value);
	}
	return 0;
}

/* What QEMU has answered, by command. */
static struct json_object *answer_json(
		const char *machine, const struct query *query, const struct answer *answer)
{
	struct json_object *o = jtree_object();
	jtree_set(o, "machine", jtree_string(machine));
	for (size_t i = 0; i < QUERY_COMMANDS_MAX && query->commands[i].name; i++)
		if (answer->replies[i])
			jtree_set(o, query->commands[i].name, json_object_get(answer->replies[i]));
	return o;
}

static int query_one(const struct call *call, const struct query *query, const char *machine,
		struct json_object *list, struct error *err)
{
	const struct query_options *options = call->options;
	CLEANUP(monitor_done) struct monitor monitor = {};
	CLEANUP(answer_done) struct answer answer = {};
	const uint64_t deadline = clock_deadline_usec(LIMIT_USEC);
	int r = monitor_open(&call->paths, machine, deadline, &monitor, err);
	if (r < 0)
		return r;
	r = ask(monitor.qmp, query, deadline, &answer, err);
	if (r < 0)
		return error_wrap(err, "machine '%s'", machine);
	if (options->json)
		jtree_push(list, answer_json(machine, query, &answer));
	else
		query->print(&monitor.plan, answer.replies);
	return 0;
}

static int query_run(const struct call *call, struct error *err)
{
	const struct query_options *options = call->options;
	const struct query *query = query_find(strchr(call->command->name, ' ') + 1);
	CLEANUP(strv_done) struct strv names = {};
	int worst = STATUS_DONE;
	int r = monitor_select(call, &names, err);
	if (r != 0)
		return r < 0 ? r : STATUS_FAILURE;
	struct json_object *list = jtree_list();
	for (size_t i = 0; i < names.n; i++) {
		struct error local = {};
		if (names.n > 1 && !options->json)
			printf("%s%s:\n", i ? "\n" : "", names.items[i]);
		if (query_one(call, query, names.items[i], list, &local) < 0) {
			print_error(&local);
			worst = STATUS_FAILURE;
		}
	}
	if (options->json)
		print_json(list);
	json_object_put(list);
	return worst;
}

static const struct option_spec options[] = { OPTION_JSON(struct query_options, json), {} };

#define QUERY(id, what, text)                                                                      \
	static const struct command cmd_query_##id = {                                             \
		.name = "query " #id,                                                              \
		.group = GROUP_LOOK,                                                               \
		.flags = COMMAND_FILES | COMMAND_SELECTS | COMMAND_LIVE,                           \
		.arguments = arguments_machines,                                                   \
		.summary = what,                                                                   \
		.description = text,                                                               \
		.options = options,                                                                \
		.options_size = sizeof(struct query_options),                                      \
		.run = query_run,                                                                  \
	}

QUERY(pci, "Show the PCI devices that a guest sees",
		"Address, QEMU's name, vendor and device, and class of each, those behind bridges "
		"after their bridge.");
QUERY(cpu, "Show the processors of a guest",
		"Where each is in the guest's topology, and the thread of the host that it is.");
QUERY(block, "Show the disks of a machine",
		"Format, size, how much of the host's disk the image takes, mode, state, and "
		"file.");
QUERY(memory, "Show the memory of a guest",
		"What it has been given, what was plugged in, and what its balloon has left to "
		"it.");
QUERY(status, "Show the state of a machine's QEMU",
		"QEMU's own word for the state, its version, and the accelerator.");
QUERY(stats, "Show what a machine's disks have read and written",
		"Since QEMU was started, as the guest sees it.");

static const struct command *const commands[] = {
	&cmd_query_pci,
	&cmd_query_cpu,
	&cmd_query_block,
	&cmd_query_memory,
	&cmd_query_status,
	&cmd_query_stats,
	NULL,
};

const struct command cmd_query = {
	.name = "query",
	.group = GROUP_LOOK,
	.summary = "Ask the QEMU of machines that run",
	.description = "With --json, each gives a list with an object for each machine, with "
		       "QEMU's answers under the names of its commands, as they came.",
	.subcommands = commands,
};
