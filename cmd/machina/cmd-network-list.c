/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina network list: the networks of the host, and who is on them. */
#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>

#include "cli/complete.h"
#include "cli/output.h"
#include "cli/table.h"
#include "host/net/netlink.h"
#include "host/systemd/bus-unit.h"
#include "json/jtree.h"
#include "model/network.h"
#include "setup/built.h"
#include "util/mem.h"

/* Of many machines so many are named in the table. */
#define NAMES_MAX 6

struct network_list_options {
	bool json;
};

struct network_row {
	const struct network_conf *conf;
	struct strv machines; /* sorted */
	const char *state;    /* of the unit, or of the bridge; "": not known */
};

struct list {
	struct config config;
	struct strv machines;
	struct network_row *rows;
	size_t n;
	struct unit_list units;
};

static void list_done(struct list *list)
{
	for (size_t i = 0; i < list->n; i++)
		strv_done(&list->rows[i].machines);
	free(list->rows);
	unit_list_done(&list->units);
	strv_done(&list->machines);
	config_done(&list->config);
}

static bool has_device(const struct network_conf *conf)
{
	return conf->device && conf->device[0];
}

/* Those that can't be read have findings, and are left out. */
static int find_machines(struct list *list, struct error *err)
{
	int r = machine_list(list->config.paths, &list->machines, &list->config.report, err);
	for (size_t i = 0; r == 0 && i < list->machines.n; i++) {
		CLEANUP(built_done) struct built built = {};
		const char *name = list->machines.items[i];
		struct error failure = {};
		int loaded = built_load(&built, &list->config, name, &failure);
		if (loaded < 0)
			report_error(&list->config.report, &failure);
		if (loaded != 0)
			continue;
		for (size_t k = 0; k < built.machine.conf.connections.n; k++) {
			const struct connection_conf *c = built.machine.conf.connections.items;
			for (size_t n = 0; n < list->n; n++)
				if (!strcmp(list->rows[n].conf->name, c[k].network) &&
						!strv_contains(&list->rows[n].machines, name))
					strv_push(&list->rows[n].machines, name);
		}
	}
	return r;
}

static void ask_systemd(struct list *list)
{
	CLEANUP(bus_freep) struct bus *bus = NULL;
	CLEANUP(strv_done) struct strv units = {};
	struct error err = {};
	for (size_t i = 0; i < list->n; i++)
		if (network_owns_bridge(list->rows[i].conf->mode))
			strv_push_take(&units, network_unit_name(list->rows[i].conf->name));
	/* Without a systemd to ask, there is still a list of what is configured. */
	if (!units.n || bus_open(&bus, &err) < 0 ||
			bus_list_units(bus, &units, &list->units, &err) < 0)
		return;
	for (size_t i = 0, k = 0; i < list->n; i++)
		if (network_owns_bridge(list->rows[i].conf->mode) && k < list->units.n)
			list->rows[i].state = list->units.rows[k++].active_state;
}

static void look_at_links(struct list *list)
{
	CLEANUP(netlink_done) struct netlink nl = {};
	struct error err = {};
	if (netlink_open(&nl, &err) < 0)
		return;
	for (size_t i = 0; i < list->n; i++) {
		struct network_row *row = &list->rows[i];
		struct link link;
		if (network_owns_bridge(row->conf->mode) || !has_device(row->conf))
			continue;
		int r = netlink_get(&nl, row->conf->device, &link, &err);
		if (r >= 0)
			row->state = r > 0 ? "missing" : link.up ? "up" : "down";
	}
}

static const char *mode_of(const struct network_conf *conf)
{
	return conf->mode >= 0 ? network_mode_names[conf->mode] : "";
}

static void print_rows(const struct list *list)
{
	static const struct column columns[] = { { "NETWORK" }, { "MODE" }, { "DEVICE" },
		{ "STATE" }, { "MACHINES" } };
	CLEANUP(table_done)
	struct table t = { .columns = columns, .n_columns = ARRAY_SIZE(columns) };
	for (size_t i = 0; i < list->n; i++) {
		const struct network_row *row = &list->rows[i];
		CLEANUP(buf_done) struct buf names = {};
		size_t n = row->machines.n <= NAMES_MAX + 1 ? row->machines.n : NAMES_MAX;
		for (size_t k = 0; k < n; k++)
			buf_printf(&names, "%s%s", k ? " " : "", row->machines.items[k]);
		if (n < row->machines.n)
			buf_printf(&names, " and %zu more", row->machines.n - n);
		table_add(&t, STYLE_HEAD, "%s", row->conf->name);
		table_add(&t, STYLE_PLAIN, "%s", mode_of(row->conf));
		table_add(&t, STYLE_PLAIN, "%s", has_device(row->conf) ? row->conf->device : "");
		bool is_bad = !strcmp(row->state, "missing") || !strcmp(row->state, "failed");
		table_add(&t, is_bad ? STYLE_BAD : STYLE_PLAIN, "%s", row->state);
		table_add(&t, STYLE_PLAIN, "%s", buf_text(&names));
	}
	table_print(&t, stdout);
}

static void print_rows_json(const struct list *list)
{
	struct json_object *rows = jtree_list();
	for (size_t i = 0; i < list->n; i++) {
		const struct network_row *row = &list->rows[i];
		struct json_object *o = jtree_object();
		jtree_set(o, "network", jtree_string(row->conf->name));
		if (row->conf->mode >= 0)
			jtree_set(o, "mode", jtree_string(mode_of(row->conf)));
		if (has_device(row->conf))
			jtree_set(o, "device", jtree_string(row->conf->device));
		if (row->state[0])
			jtree_set(o, "state", jtree_string(row->state));
		jtree_set(o, "machines", jtree_strings(&row->machines));
		jtree_push(rows, o);
	}
	print_json(rows);
	json_object_put(rows);
}

static int compare(const void *a, const void *b)
{
	const struct network_row *x = a, *y = b;
	return strcmp(x->conf->name, y->conf->name);
}

/* Those that were asked for, or all, in byte order. */
static int find_networks(struct list *list, const struct strv *words, struct error *err)
{
	const struct network_conf *confs = list->config.host.conf.network.items;
	size_t n = list->config.host.conf.network.n;
	list->rows = xcalloc(n + 1, sizeof(*list->rows));
	for (size_t i = 0; i < words->n; i++) {
		bool found = false;
		for (size_t k = 0; k < n; k++)
			found |= !strcmp(confs[k].name, words->items[i]);
		if (!found)
			return error_set(err, ENOENT, "network '%s' is not configured",
					words->items[i]);
	}
	for (size_t i = 0; i < n; i++)
		if (!words->n || strv_contains(words, confs[i].name))
			list->rows[list->n++] =
					(struct network_row){ .conf = &confs[i], .state = "" };
	qsort(list->rows, list->n, sizeof(*list->rows), compare);
	return 0;
}

static int network_list_run(const struct call *call, struct error *err)
{
	const struct network_list_options *options = call->options;
	CLEANUP(list_done) struct list list = {};
	int r = config_load(&list.config, &call->paths, err);
	if (r == 0)
		r = find_networks(&list, &call->words, err);
	if (r == 0)
		r = find_machines(&list, err);
	print_errors(&list.config.report);
	if (r != 0)
		return r < 0 ? r : STATUS_FAILURE;
	if (!call->paths.offline) {
		ask_systemd(&list);
		look_at_links(&list);
	}
	if (options->json)
		print_rows_json(&list);
	else
		print_rows(&list);
	return list.config.report.n_errors ? STATUS_FAILURE : STATUS_DONE;
}

static const struct option_spec options[] = {
	OPTION_JSON(struct network_list_options, json),
	{},
};

static const struct argument networks[] = {
	{ "NETWORK", ARGUMENT_OPTIONAL | ARGUMENT_MANY, complete_networks },
	{},
};

const struct command cmd_network_list = {
	.name = "network list",
	.group = GROUP_LOOK,
	.flags = COMMAND_FILES,
	.arguments = networks,
	.summary = "List networks, their states, and the machines on them",
	.description = "The state is that of the unit of a network that makes its bridge, else "
		       "whether the bridge or card is there. With --root, only what the files say.",
	.options = options,
	.options_size = sizeof(struct network_list_options),
	.run = network_list_run,
};
