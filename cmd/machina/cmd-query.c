/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina query: its commands. */
#include <errno.h>
#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>

#include "cli/output.h"
#include "host/machine/saved.h"
#include "host/os/clock.h"
#include "host/qmp/qmp-many.h"
#include "json/jtree.h"
#include "lifecycle/monitor.h"
#include "observe/query.h"
#include "setup/hookplan.h"
#include "util/mem.h"

#define LIMIT_USEC (5 * USEC_PER_SEC)

struct query_options {
	bool json;
};

/* What QEMU has answered, by command. */
static struct json_object *answer_json(
		const char *machine, const struct query *query, const struct qmp_many *answer)
{
	struct json_object *o = jtree_object();
	jtree_set(o, "machine", jtree_string(machine));
	for (size_t i = 0; i < QUERY_COMMANDS_MAX && query->commands[i].name; i++)
		if (answer->replies[i])
			jtree_set(o, query->commands[i].name, json_object_get(answer->replies[i]));
	return o;
}

static int check(const struct call *call, const struct query *query, const char *machine,
		const struct qmp_many *answer, struct error *err)
{
	if (!monitor_is_there(&call->paths, machine) || answer->is_absent)
		return monitor_explain_off(&call->paths, machine, err);
	if (answer->is_forbidden)
		return monitor_forbidden(machine, err);
	if (!answer->is_answered)
		return error_set(err, ETIMEDOUT, "machine '%s': %s", machine, answer->reason);
	for (size_t i = 0; i < QUERY_COMMANDS_MAX && query->commands[i].name; i++)
		if (!answer->replies[i] && !query->commands[i].optional)
			return error_set(err, EREMOTEIO, "machine '%s': QEMU refuses '%s'", machine,
					query->commands[i].name);
	return 0;
}

/* Returns an exit status. */
static int show(const struct call *call, const struct query *query, const struct strv *names,
		const struct qmp_many *answers, struct json_object *list)
{
	const struct query_options *options = call->options;
	int worst = STATUS_DONE, n = 0;
	for (size_t i = 0; i < names->n; i++) {
		const char *machine = names->items[i];
		CLEANUP(plan_done) struct plan plan = {};
		struct error err = {};
		int r = check(call, query, machine, &answers[i], &err);
		if (r == 0)
			hookplan_recall(&call->paths, HOOK_QEMU, machine, &plan, &err);
		if (err.code) {
			print_error(&err);
			worst = STATUS_FAILURE;
			continue;
		}
		if (options->json) {
			jtree_push(list, answer_json(machine, query, &answers[i]));
			continue;
		}
		if (names->n > 1)
			printf("%s%s:\n", n++ ? "\n" : "", machine);
		query->print(&plan, answers[i].replies);
	}
	return worst;
}

static int query_run(const struct call *call, struct error *err)
{
	const struct query_options *options = call->options;
	const struct query *query = query_find(strchr(call->command->name, ' ') + 1);
	CLEANUP(strv_done) struct strv names = {}, sockets = {};
	int r = monitor_select(call, &names, err);
	if (r != 0)
		return r < 0 ? r : STATUS_FAILURE;
	const char *commands[QUERY_COMMANDS_MAX + 1] = {};
	for (size_t i = 0; i < QUERY_COMMANDS_MAX; i++)
		commands[i] = query->commands[i].name;
	for (size_t i = 0; i < names.n; i++)
		strv_push_take(&sockets, plan_qmp_path(call->paths.run_dir, names.items[i],
							 MONITOR_COMMANDS));
	CLEANUP(freep) struct qmp_many *answers = xcalloc(names.n + 1, sizeof(*answers));
	for (size_t i = 0; i < names.n; i++)
		answers[i] = (struct qmp_many){
			.path = sockets.items[i],
			.occupied = saved_occupied(call->paths.saved_dir, names.items[i]),
			.is_partial = true,
		};
	qmp_many_ask(answers, names.n, commands, clock_deadline_usec(LIMIT_USEC));

	struct json_object *list = jtree_list();
	int status = show(call, query, &names, answers, list);
	if (options->json)
		print_json(list);
	json_object_put(list);
	qmp_many_done(answers, names.n);
	return status;
}

static const struct option_spec options[] = { OPTION_JSON(struct query_options, json), {} };

#define QUERY(id, what, text)                                                                      \
	static const struct command cmd_query_##id = {                                             \
		.name = "query " #id,                                                              \
		.group = GROUP_LOOK,                                                               \
		.flags = COMMAND_FILES | COMMAND_SELECTS | COMMAND_LIVE,                           \
		.arguments = arguments_machines_up,                                                \
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
	.description = "All are asked side by side; one that does not answer within five "
		       "seconds is named. With --json, each gives a list with an object for each "
		       "machine, with QEMU's answers under the names of its commands, as they "
		       "came.",
	.subcommands = commands,
};
