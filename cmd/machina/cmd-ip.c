/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina ip: the addresses of guests. */
#include <errno.h>
#include <stdio.h>

#include "cli/output.h"
#include "cli/table.h"
#include "guest/guest.h"
#include "host/agent/guest-address.h"
#include "host/os/clock.h"
#include "json/jtree.h"
#include "lifecycle/monitor.h"
#include "setup/built.h"
#include "util/mem.h"

#define AGENT_USEC (2 * USEC_PER_SEC)

struct ip_options {
	bool json;
};

/* A machine whose files have faults has no addresses of them. */
static void add_config(struct config *config, const char *machine, struct guest_addresses *list)
{
	CLEANUP(built_done) struct built built = {};
	if (built_load(&built, config, machine, NULL) == 0)
		guest_addresses_add_config(list, &built.vm);
}

/* @config: NULL if that of the host has faults */
static int find(const struct call *call, struct config *config, const char *machine,
		struct guest_addresses *ret, struct error *err)
{
	CLEANUP(plan_done) struct plan plan = {};
	int r = guest_plan(&call->paths, machine, &plan, err);
	if (r == 0)
		r = guest_addresses_find(&plan, clock_deadline_usec(AGENT_USEC), ret, err);
	if (r == 0 && config)
		add_config(config, machine, ret);
	return r;
}

static void add_json(
		struct json_object *to, const char *machine, const struct guest_addresses *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct guest_address *a = &list->items[i];
		struct json_object *one = jtree_object(), *sources = jtree_list();
		jtree_set(one, "machine", jtree_string(machine));
		jtree_set(one, "address", jtree_string(a->text));
		if (a->prefix >= 0)
			jtree_set(one, "prefix", jtree_int(a->prefix));
		for (unsigned k = 0; k < N_GUEST_ADDRESS_SOURCES; k++)
			if (a->sources & 1U << k)
				jtree_push(sources, jtree_string(guest_address_source_names[k]));
		jtree_set(one, "sources", sources);
		jtree_set_text(one, "connection", a->connection);
		jtree_set_text(one, "interface", a->interface);
		jtree_set_text(one, "mac", a->mac);
		jtree_push(to, one);
	}
}

static int look(const struct call *call, void *config, const char *machine,
		struct json_object *list, struct error *err)
{
	CLEANUP(guest_addresses_done) struct guest_addresses found = {};
	int r = find(call, config, machine, &found, err);
	if (r < 0)
		return r;
	add_json(list, machine, &found);
	if (found.n)
		return STATUS_DONE;
	if (found.agent.code == ETIMEDOUT)
		guest_explain_silence(&call->paths, machine, &found.agent);
	complain("nobody knows an address of '%s': %s", machine,
			found.agent.code ? found.agent.text : "its agent tells none");
	return STATUS_FAILURE;
}

static void add_row(struct table *t, struct json_object *address)
{
	CLEANUP(buf_done) struct buf from = {};
	struct json_object *sources = jtree_get(address, "sources");
	const int64_t prefix = jtree_get_int(address, "prefix", -1);
	for (size_t i = 0; i < jtree_length(sources); i++)
		buf_printf(&from, "%s%s", i > 0 ? ", " : "", jtree_text(jtree_at(sources, i)));
	table_add(t, STYLE_HEAD, "%s", jtree_get_text(address, "machine"));
	if (prefix >= 0)
		table_add(t, STYLE_PLAIN, "%s/%d", jtree_get_text(address, "address"), (int)prefix);
	else
		table_add(t, STYLE_PLAIN, "%s", jtree_get_text(address, "address"));
	table_add(t, STYLE_PLAIN, "%s", buf_text(&from));
	table_add(t, STYLE_PLAIN, "%s", jtree_get_text(address, "connection"));
	table_add(t, STYLE_PLAIN, "%s", jtree_get_text(address, "interface"));
	table_add(t, STYLE_DIM, "%s", jtree_get_text(address, "mac"));
}

static void print_rows(struct json_object *list)
{
	static const struct column columns[] = {
		{ "MACHINE" },
		{ "ADDRESS" },
		{ "FROM" },
		{ "CONNECTION" },
		{ "INTERFACE" },
		{ "MAC" },
	};
	CLEANUP(table_done)
	struct table t = { .columns = columns, .n_columns = ARRAY_SIZE(columns) };
	for (size_t i = 0; i < jtree_length(list); i++)
		add_row(&t, jtree_at(list, i));
	table_print(&t, stdout);
}

static int ip_run(const struct call *call, struct error *err)
{
	const struct ip_options *options = call->options;
	CLEANUP(strv_done) struct strv names = {};
	CLEANUP(config_done) struct config config = {};
	int r = monitor_select(call, &names, err);
	if (r != 0)
		return r < 0 ? r : STATUS_FAILURE;
	struct json_object *list = jtree_list();
	const bool is_loaded = config_load(&config, &call->paths, NULL) == 0;
	r = each_machine_lists(call, &names, look, is_loaded ? &config : NULL, list);
	if (options->json)
		print_json(list);
	else
		print_rows(list);
	json_object_put(list);
	return r;
}

static const struct option_spec options[] = {
	OPTION_JSON(struct ip_options, json),
	{},
};

static const struct example examples[] = {
	{ "machina ip web", "Show web's addresses." },
	{ "machina ip --all --json", "Those of all machines that run, for a program." },
	{},
};

const struct command cmd_ip = {
	.name = "ip",
	.group = GROUP_GUEST,
	.flags = COMMAND_FILES | COMMAND_SELECTS | COMMAND_LIVE,
	.arguments = arguments_machines_up,
	.summary = "Show the addresses of guests that run",
	.description = "FROM says who knows an address: 'agent', the guest's own word by QEMU's "
		       "guest agent; 'neighbour', the host has seen it on the connection's bridge; "
		       "'lease', the DHCP server of a network of this program has lent it; "
		       "'config', the connection's \"ip\". All but the first need not be true at "
		       "this moment, and the first is what the guest likes to tell.\n\n"
		       "The exit status is 1 when a machine does not run or nobody knows an "
		       "address of it.",
	.options = options,
	.options_size = sizeof(struct ip_options),
	.examples = examples,
	.run = ip_run,
};
