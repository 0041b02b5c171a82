/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina ip: the addresses of guests. */
#include <stdio.h>

#include "built.h"
#include "guest.h"
#include "host/agent/guest-address.h"
#include "host/os/clock.h"
#include "json/jtree.h"
#include "monitor.h"
#include "output.h"
#include "table.h"
#include "util/mem.h"

#define AGENT_USEC (2 * USEC_PER_SEC)

struct ip_options {
	bool json;
};

/* A machine whose files have faults has no addresses of them. */
static void add_config(const struct call *call, const char *machine, struct guest_addresses *list)
{
	CLEANUP(config_done) struct config config = {};
	CLEANUP(built_done) struct built built = {};
	if (config_load(&config, &call->paths, NULL) == 0 &&
			built_load(&built, &config, machine, NULL) == 0)
		guest_addresses_add_config(list, &built.vm);
}

static int find(const struct call *call, const char *machine, struct guest_addresses *ret,
		struct error *err)
{
	CLEANUP(plan_done) struct plan plan = {};
	int r = guest_plan(&call->paths, machine, &plan, err);
	if (r == 0)
		r = guest_addresses_find(&plan, clock_deadline_usec(AGENT_USEC), ret, err);
	if (r == 0)
		add_config(call, machine, ret);
	return r;
}

static char *sources_text(unsigned sources)
{
	CLEANUP(buf_done) struct buf text = {};
	for (unsigned i = 0; i < N_GUEST_ADDRESS_SOURCES; i++)
		if (sources & 1U << i)
			buf_printf(&text, "%s%s", text.len > 0 ? ", " : "",
					guest_address_source_names[i]);
	return buf_take(&text);
}

static void add_rows(struct table *t, const char *machine, const struct guest_addresses *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct guest_address *a = &list->items[i];
		CLEANUP(freep) char *sources = sources_text(a->sources);
		table_add(t, STYLE_HEAD, "%s", machine);
		if (a->prefix >= 0)
			table_add(t, STYLE_PLAIN, "%s/%d", a->text, a->prefix);
		else
			table_add(t, STYLE_PLAIN, "%s", a->text);
		table_add(t, STYLE_PLAIN, "%s", sources);
		table_add(t, STYLE_PLAIN, "%s", a->connection ? a->connection : "");
		table_add(t, STYLE_PLAIN, "%s", a->interface ? a->interface : "");
		table_add(t, STYLE_DIM, "%s", a->mac ? a->mac : "");
	}
}

static void set_text(struct json_object *object, const char *key, const char *text)
{
	if (text)
		jtree_set(object, key, jtree_string(text));
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
		set_text(one, "connection", a->connection);
		set_text(one, "interface", a->interface);
		set_text(one, "mac", a->mac);
		jtree_push(to, one);
	}
}

static int ip_run(const struct call *call, struct error *err)
{
	static const struct column columns[] = {
		{ "MACHINE" },
		{ "ADDRESS" },
		{ "FROM" },
		{ "CONNECTION" },
		{ "INTERFACE" },
		{ "MAC" },
	};
	const struct ip_options *options = call->options;
	CLEANUP(strv_done) struct strv names = {};
	CLEANUP(table_done)
	struct table t = { .columns = columns, .n_columns = ARRAY_SIZE(columns) };
	int r = monitor_select(call, &names, err);
	if (r != 0)
		return r < 0 ? r : STATUS_FAILURE;
	struct json_object *json = jtree_list();
	int status = STATUS_DONE;
	for (size_t i = 0; i < names.n; i++) {
		CLEANUP(guest_addresses_done) struct guest_addresses list = {};
		struct error own = {};
		const char *machine = names.items[i];
		if (find(call, machine, &list, &own) < 0) {
			print_error(&own);
			status = STATUS_FAILURE;
		} else if (list.n == 0) {
			complain("nobody knows an address of '%s': %s", machine,
					list.agent.code ? list.agent.text : "its agent tells none");
			status = STATUS_FAILURE;
		}
		add_rows(&t, machine, &list);
		add_json(json, machine, &list);
	}
	if (options->json)
		print_json(json);
	else
		table_print(&t, stdout);
	json_object_put(json);
	return status;
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
		       "guest "
		       "agent; 'neighbour', the host has seen it on the connection's bridge; "
		       "'lease', "
		       "the DHCP server of a network of this program has lent it; 'config', the "
		       "connection's \"ip\". All but the first need not be true at this moment, "
		       "and "
		       "the first is what the guest likes to tell.\n\n"
		       "The exit status is 1 when a machine does not run or nobody knows an "
		       "address of "
		       "it.",
	.options = options,
	.options_size = sizeof(struct ip_options),
	.examples = examples,
	.run = ip_run,
};
