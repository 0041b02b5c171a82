/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What there is to say of a machine that runs. */
#include "observe/status-running.h"

#include <json-c/json_object.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "host/agent/guest-address.h"
#include "host/os/clock.h"
#include "host/os/rundir.h"
#include "host/prepare/connect.h"
#include "json/jtree.h"
#include "lifecycle/monitor.h"
#include "model/network.h"
#include "setup/hookplan.h"
#include "util/mem.h"

/* An agent that answers does so in a tenth of it. */
#define AGENT_USEC (300 * USEC_PER_MSEC)

void status_field(const char *name, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	CLEANUP(freep) char *text = xvasprintf(format, ap);
	va_end(ap);
	style_begin(stdout, STYLE_DIM);
	printf("%11s: ", name);
	style_end(stdout, STYLE_DIM);
	put_text(stdout, text);
	putchar('\n');
}

void status_running_done(struct status_running *running)
{
	plan_done(&running->plan);
	lent_devices_done(&running->devices);
	free(running->doors);
	free(running->connections);
	*running = (struct status_running){};
}

static void add_door(struct status_running *running, const char *name, const char *path, int port)
{
	running->doors[running->n_doors++] = (struct door){ name, path, port };
}

/* What can't be found out is told once. */
static void look_at_connections(struct status_running *running)
{
	static const struct prepare_options options = {};
	const struct plan *plan = &running->plan;
	size_t n = plan_n_connections(plan);
	bool failed = false;
	running->connections = xcalloc(n + 1, sizeof(*running->connections));
	for (size_t i = 0; i < n; i++) {
		struct error err = {};
		running->connections[i] = connect_look(plan, i, &options, &err);
		if (running->connections[i] >= 0)
			continue;
		/* Who is no operator is not told everything. */
		if (!failed && running->connections[i] != -EACCES)
			print_error(&err);
		failed = true;
		running->connections[i] = -1;
	}
}

static void look_at_devices(struct status_running *running)
{
	const struct plan *plan = &running->plan;
	if (!plan->run_dir)
		return;
	CLEANUP(freep) char *parent = rundir_parent(plan->run_dir);
	lent_find(&(struct device_host){ .sys = "/sys", .lock_dir = parent }, plan,
			&running->devices);
}

/* Why there are none, 'machina ip' tells. */
static int add_addresses(const struct call *call, void *context, const char *machine,
		struct json_object *list, struct error *err)
{
	CLEANUP(plan_done) struct plan plan = {};
	CLEANUP(guest_addresses_done) struct guest_addresses found = {};
	struct json_object *one = jtree_object(), *texts = jtree_list();
	bool changed;
	(void)context;
	(void)err;
	if (hookplan_running(&call->paths, machine, &plan, &changed, NULL) == 0 &&
			guest_addresses_find(
					&plan, clock_deadline_usec(AGENT_USEC), &found, NULL) == 0)
		for (size_t i = 0; i < found.n; i++)
			jtree_push(texts, jtree_string(found.items[i].text));
	jtree_set(one, "machine", jtree_string(machine));
	jtree_set(one, "addresses", texts);
	jtree_push(list, one);
	return 0;
}

void status_find_addresses(
		const struct call *call, const struct strv *machines, struct json_object *ret_list)
{
	(void)each_machine_lists(call, machines, add_addresses, NULL, ret_list);
}

static struct json_object *addresses_of(struct json_object *list, const char *machine)
{
	for (size_t i = 0; i < jtree_length(list); i++)
		if (!strcmp(jtree_get_text(jtree_at(list, i), "machine"), machine))
			return jtree_get(jtree_at(list, i), "addresses");
	return NULL;
}

void status_running_load(const struct call *call, const char *machine,
		struct json_object *addresses, const struct usage *usage,
		struct status_running *ret)
{
	static const char *const fds[] = { "console", "agent" };
	struct plan *plan = &ret->plan;
	struct error err = {};
	*ret = (struct status_running){};
	int r = hookplan_running(&call->paths, machine, plan, &ret->needs_restart, &err);
	/* Without the file it has stopped meanwhile. */
	if (r < 0 && r != -ENOENT)
		print_error(&err);
	if (r < 0)
		plan_done(plan);
	ret->doors = xcalloc(plan->n_sockets + ARRAY_SIZE(fds), sizeof(*ret->doors));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		const struct plan_fd *fd = plan_find(plan, fds[i]);
		if (fd)
			add_door(ret, fds[i], fd->path, fd->port);
	}
	for (size_t i = 0; i < plan->n_sockets; i++)
		add_door(ret, plan->sockets[i].name, plan->sockets[i].path, plan->sockets[i].port);
	const struct plan_fd *log = plan_find(plan, "console.log");
	ret->console_log = log ? log->path : NULL;
	look_at_connections(ret);
	look_at_devices(ret);
	ret->addresses = addresses_of(addresses, machine);
	ret->usage = usage;
}

/* What puts a tap back into its bridge; nothing does before there is one. */
static void print_lost(const struct plan *plan, const struct plan_connection *c)
{
	const char *bridge = c->tap->bridge;
	CLEANUP(freep) char *unit = network_unit_name(c->network);
	if (if_nametoindex(bridge))
		status_field("connection",
				"%s, not a port of its bridge '%s': 'machina connect %s.%s' puts "
				"it back",
				c->name, bridge, plan->machine, c->name);
	else if (c->tap->own)
		status_field("connection",
				"%s, its bridge '%s' has gone: 'systemctl restart %s' makes it, "
				"and starts the network's machines again",
				c->name, bridge, unit);
	else
		status_field("connection",
				"%s, its bridge '%s' has gone: when there is one again, 'machina "
				"connect %s.%s' joins it",
				c->name, bridge, plan->machine, c->name);
}

/* Of those that are as they should be there is nothing to say. */
static void print_connections(const struct status_running *running)
{
	const struct plan *plan = &running->plan;
	for (size_t i = 0; i < plan_n_connections(plan); i++) {
		const struct plan_connection c = plan_connection(plan, i);
		if (running->connections[i] == CONNECT_OFF)
			status_field("connection", "%s, disconnected", c.name);
		if (running->connections[i] == CONNECT_LOST)
			print_lost(plan, &c);
		if (running->connections[i] == CONNECT_GONE)
			status_field("connection",
					"%s, its interface '%s' has gone: 'machina restart %s' "
					"makes it anew",
					c.name, c.link, plan->machine);
	}
}

/* "gpu, PCI 0000:01:00.0, 0000:01:00.1", "key, USB port 1-3.4 (0529:0001)" */
static void print_devices(const struct lent_devices *devices)
{
	static const char *const before[] = {
		[LENT_PCI] = "PCI",
		[LENT_USB] = "USB port",
		[LENT_MEDIATED] = "a part of",
	};
	for (size_t i = 0; i < devices->n; i++) {
		const struct lent_device *d = &devices->items[i];
		CLEANUP(buf_done) struct buf text = {};
		for (size_t k = 0; k < d->places.n; k++)
			buf_printf(&text, "%s%s", k ? ", " : "", d->places.items[k]);
		if (d->is)
			buf_printf(&text, " (%s)", d->is);
		if (d->is_gone)
			buf_puts(&text, ", unplugged: the guest gets it with its next start only");
		status_field(d->is_connection ? "connection" : "device", "%s, %s %s", d->name,
				d->is_connection ? "virtual function" : before[d->kind],
				buf_text(&text));
	}
}

static void print_addresses(struct json_object *list)
{
	CLEANUP(buf_done) struct buf text = {};
	for (size_t i = 0; i < jtree_length(list); i++)
		buf_printf(&text, "%s%s", i > 0 ? ", " : "", jtree_text(jtree_at(list, i)));
	if (text.len)
		status_field("addresses", "%s", buf_text(&text));
}

void status_running_print(const struct status_running *running)
{
	print_addresses(running->addresses);
	if (running->usage) {
		CLEANUP(freep) char *text = usage_text(running->usage);
		status_field("use", "%s", text[0] ? text : "not known");
	}
	for (size_t i = 0; i < running->n_doors; i++) {
		const struct door *door = &running->doors[i];
		CLEANUP(buf_done) struct buf text = {};
		buf_puts(&text, door->path ? door->path : "");
		if (door->port)
			buf_printf(&text, "%s127.0.0.1:%d", door->path ? ", " : "", door->port);
		status_field(door->name, "%s", buf_text(&text));
	}
	if (running->console_log)
		status_field("console log", "%s", running->console_log);
	print_connections(running);
	print_devices(&running->devices);
}

static struct json_object *connections_json(const struct status_running *running)
{
	static const char *const states[] = {
		[CONNECT_ON] = "connected",
		[CONNECT_OFF] = "disconnected",
		[CONNECT_LOST] = "lost",
		[CONNECT_GONE] = "gone",
	};
	const struct plan *plan = &running->plan;
	struct json_object *list = jtree_list();
	for (size_t i = 0; i < plan_n_connections(plan); i++) {
		const struct plan_connection c = plan_connection(plan, i);
		struct json_object *o = jtree_object();
		jtree_set(o, "name", jtree_string(c.name));
		jtree_set_text(o, "network", c.network);
		jtree_set_text(o, "link", c.link);
		if (running->connections[i] >= 0)
			jtree_set(o, "state", jtree_string(states[running->connections[i]]));
		jtree_push(list, o);
	}
	return list;
}

static struct json_object *doors_json(const struct status_running *running)
{
	struct json_object *list = jtree_list();
	for (size_t i = 0; i < running->n_doors; i++) {
		const struct door *door = &running->doors[i];
		struct json_object *o = jtree_object();
		jtree_set(o, "name", jtree_string(door->name));
		jtree_set_text(o, "path", door->path);
		if (door->port)
			jtree_set(o, "port", jtree_int(door->port));
		jtree_push(list, o);
	}
	return list;
}

static struct json_object *devices_json(const struct lent_devices *devices)
{
	struct json_object *list = jtree_list();
	for (size_t i = 0; i < devices->n; i++) {
		const struct lent_device *d = &devices->items[i];
		struct json_object *o = jtree_object();
		struct json_object *places = jtree_list();
		jtree_set(o, d->is_connection ? "connection" : "device", jtree_string(d->name));
		jtree_set(o, "kind", jtree_string(lent_kind_names[d->kind]));
		for (size_t k = 0; k < d->places.n; k++)
			jtree_push(places, jtree_string(d->places.items[k]));
		jtree_set(o, "places", places);
		jtree_set(o, "unplugged", jtree_bool(d->is_gone));
		jtree_set_text(o, "is", d->is);
		jtree_push(list, o);
	}
	return list;
}

void status_running_add_json(const struct status_running *running, struct json_object *to)
{
	jtree_set(to, "needs_restart", jtree_bool(running->needs_restart));
	if (running->usage)
		jtree_set(to, "rates", usage_json(running->usage));
	jtree_set(to, "sockets", doors_json(running));
	jtree_set_text(to, "console_log", running->console_log);
	jtree_set(to, "connections", connections_json(running));
	jtree_set(to, "addresses",
			running->addresses ? json_object_get(running->addresses) : jtree_list());
	jtree_set(to, "devices", devices_json(&running->devices));
}
