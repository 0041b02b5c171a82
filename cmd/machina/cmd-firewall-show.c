/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina firewall show: the rules of a machine, in the order in which they are tried. */
#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>

#include "cli/output.h"
#include "cli/table.h"
#include "firewall/batch.h"
#include "firewall/text.h"
#include "json/jtree.h"
#include "setup/firewall-target.h"
#include "util/mem.h"

struct show_options {
	bool json;
	bool nft;
};

/* One line of a direction's table; one object of its JSON. */
struct line {
	const char *kind;
	enum fw_action action;
	const char *packets;
	const char *origin;
	const char *comment;
	struct where at; /* line 0: none */
	bool is_locked;	 /* its group is */
};

/* The lines of one direction are told one by one. */
typedef void line_teller(void *context, const struct line *line);

struct show {
	const struct target *target;
	const struct fw_port *port;
	size_t i; /* of the connection */
	enum fw_direction direction;
	line_teller *tell;
	void *context;
};

static void tell_guard(const struct show *s)
{
	CLEANUP(strv_done) struct strv parts = {}, texts = {};
	fw_guard_describe(s->port, &parts, &texts);
	for (size_t i = 0; i < parts.n; i++)
		s->tell(s->context, &(struct line){ "guard", FW_DROP, texts.items[i],
						    parts.items[i], "", {} });
}

static void tell_state(const struct show *s)
{
	s->tell(s->context, &(struct line){ "state", FW_ACCEPT,
					    "answers, and errors about what was accepted", "state",
					    "", {} });
}

/* Behind the essentials. Flows know nothing of it. */
static void tell_invalid(const struct show *s)
{
	if (s->direction == FW_IN && s->port->has_state &&
			s->target->config.policy.state != FW_STATE_FLOWS)
		s->tell(s->context, &(struct line){ "state", FW_DROP,
						    "what belongs to no connection and begins none",
						    "state", "", {} });
}

static void tell_essentials(const struct show *s)
{
	CLEANUP(buf_done) struct buf text = {};
	for (const struct fw_essential *e = fw_essentials; e->what; e++)
		if (e->direction == s->direction)
			buf_printf(&text, "%s%s", text.len ? ", " : "", e->what);
	s->tell(s->context, &(struct line){ "essentials", FW_ACCEPT, buf_text(&text), "essentials",
					    "", {} });
}

static void tell_rule(
		const struct show *s, const struct fw_group *group, const struct fw_rule *rule)
{
	CLEANUP(buf_done) struct buf text = {};
	struct where at = target_rule_place(s->target, group, rule);
	fw_rule_put(&text, rule);
	s->tell(s->context,
			&(struct line){ group ? "group" : "rule", rule->action, buf_text(&text),
					rule->origin, rule->comment, at, group && group->locked });
}

static void tell_default(const struct show *s)
{
	const struct fw_resolved_default *found = &s->port->defaults[s->direction];
	struct where at = target_default_place(s->target, found, s->direction, s->i);
	s->tell(s->context, &(struct line){ "default", found->action, "everything else",
					    found->origin, "", at });
}

static void tell_entries(const struct show *s)
{
	const struct fw_entries *entries = &s->port->entries[s->direction];
	for (size_t i = 0; i < entries->n; i++) {
		const struct fw_entry *e = &entries->items[i];
		switch (e->kind) {
		case FW_ENTRY_GUARD:
			tell_guard(s);
			break;
		case FW_ENTRY_STATE:
			tell_state(s);
			break;
		case FW_ENTRY_ESSENTIALS:
			tell_essentials(s);
			tell_invalid(s);
			break;
		case FW_ENTRY_GROUP:
			for (size_t k = 0; k < e->group->rules[s->direction].n; k++)
				tell_rule(s, e->group, &e->group->rules[s->direction].items[k]);
			break;
		case FW_ENTRY_RULE:
			tell_rule(s, NULL, e->rule);
			break;
		case FW_ENTRY_DEFAULT:
			tell_default(s);
			break;
		}
	}
}

static void tell_direction(const struct show *port, enum fw_direction direction, line_teller *tell,
		void *context)
{
	struct show s = *port;
	s.direction = direction;
	s.tell = tell;
	s.context = context;
	tell_entries(&s);
}

static const enum style action_styles[] = {
	[FW_ACCEPT] = STYLE_GOOD, [FW_DROP] = STYLE_BAD, [FW_REJECT] = STYLE_WARN
};

struct printing {
	const struct target *target;
	struct table *table;
};

static void add_line(void *context, const struct line *line)
{
	const struct printing *p = context;
	struct table *t = p->table;
	CLEANUP(freep) char *place = target_place_text(p->target, &line->at);
	table_add(t, action_styles[line->action], "%s", fw_action_names[line->action]);
	table_add(t, STYLE_PLAIN, "%s", line->packets);
	table_add(t, STYLE_PLAIN, "%s%s%s", !strcmp(line->kind, "default") ? "default: " : "",
			line->origin, line->is_locked ? " (locked)" : "");
	table_add(t, STYLE_DIM, "%s", place);
	table_add(t, STYLE_DIM, "%s", line->comment);
}

static void print_head(const struct target *target, const struct vm_nic *nic)
{
	style_begin(stdout, STYLE_HEAD);
	printf("%s.%s", target->built.vm.name, nic->name);
	style_end(stdout, STYLE_HEAD);
	printf("  on network %s, interface %s, MAC address %s", nic->network, nic->link, nic->mac);
	for (size_t i = 0; i < nic->ip.n; i++)
		printf("%s%s", i ? ", " : ", IP address ", nic->ip.items[i]);
	putchar('\n');
}

static void print_groups(const struct fw_port *port)
{
	if (!port->n_groups)
		return;
	printf("member of");
	for (size_t i = 0; i < port->n_groups; i++) {
		const struct fw_group *g = port->groups[i];
		printf("%s %s%s", i ? "," : "", g->name, g->locked ? " (locked)" : "");
		if (g->comment[0])
			printf(": %s", g->comment);
	}
	putchar('\n');
}

static void print_port(const struct show *s)
{
	static const struct column columns[] = { { "ACTION" }, { "PACKETS" }, { "BECAUSE OF" },
		{ "IN" }, { "COMMENT" } };
	static const char *const titles[] = {
		[FW_IN] = "in: sent to the guest; the first line that matches decides",
		[FW_OUT] = "out: sent by the guest; the first line that matches decides",
	};
	print_groups(s->port);
	for (int d = 0; d < N_FW_DIRECTIONS; d++) {
		CLEANUP(table_done)
		struct table t = { .columns = columns, .n_columns = ARRAY_SIZE(columns) };
		struct printing printing = { s->target, &t };
		tell_direction(s, (enum fw_direction)d, add_line, &printing);
		printf("\n%s\n", titles[d]);
		table_print(&t, stdout);
	}
}

static void push_line(void *context, const struct line *line)
{
	struct json_object *list = context, *object = jtree_object();
	jtree_set(object, "kind", jtree_string(line->kind));
	jtree_set(object, "action", jtree_string(fw_action_names[line->action]));
	jtree_set(object, "packets", jtree_string(line->packets));
	jtree_set(object, "origin", jtree_string(line->origin));
	jtree_set(object, "locked", jtree_bool(line->is_locked));
	if (line->comment[0])
		jtree_set(object, "comment", jtree_string(line->comment));
	target_place_json(&line->at, object);
	jtree_push(list, object);
}

static struct json_object *nic_json(const struct vm_nic *nic)
{
	struct json_object *object = jtree_object(), *ip = jtree_list();
	jtree_set(object, "connection", jtree_string(nic->name));
	jtree_set(object, "network", jtree_string(nic->network));
	jtree_set(object, "link", jtree_string(nic->link));
	jtree_set(object, "mac", jtree_string(nic->mac));
	for (size_t i = 0; i < nic->ip.n; i++)
		jtree_push(ip, jtree_string(nic->ip.items[i]));
	jtree_set(object, "ip", ip);
	jtree_set(object, "filtered", jtree_bool(nic->filter != NULL));
	return object;
}

static void port_json(const struct show *s, struct json_object *object)
{
	struct json_object *groups = jtree_list();
	for (size_t i = 0; i < s->port->n_groups; i++)
		jtree_push(groups, jtree_string(s->port->groups[i]->name));
	jtree_set(object, "groups", groups);
	for (int d = 0; d < N_FW_DIRECTIONS; d++) {
		struct json_object *list = jtree_list();
		tell_direction(s, (enum fw_direction)d, push_line, list);
		jtree_set(object, fw_direction_names[d], list);
	}
}

static int show_connection(
		const struct target *target, size_t i, struct json_object *all, struct error *err)
{
	const struct vm_nic *nic = &target->built.vm.nics[i];
	CLEANUP(fw_port_done) struct fw_port port = {};
	const struct show show = { .target = target, .port = &port, .i = i };
	if (nic->filter) {
		int r = fw_port_of_nic(&target->config.policy, &target->built.vm, nic, &port, err);
		if (r < 0)
			return r;
	}
	if (all) {
		struct json_object *object = nic_json(nic);
		if (nic->filter)
			port_json(&show, object);
		jtree_push(all, object);
		return 0;
	}
	if (i > target->first)
		putchar('\n');
	print_head(target, nic);
	if (nic->filter) {
		print_port(&show);
	} else {
		CLEANUP(freep) char *why = target_why_unfiltered(nic);
		puts(why);
	}
	return 0;
}

/* As they would be installed on a host without any. */
static int show_nft(const struct target *target, struct error *err)
{
	const struct vm *vm = &target->built.vm;
	const struct fw_policy *policy = &target->config.policy;
	CLEANUP(freep) struct fw_port *resolved = xcalloc(vm->n_nics + 1, sizeof(*resolved));
	CLEANUP(freep) struct batch_port *ports = xcalloc(vm->n_nics + 1, sizeof(*ports));
	CLEANUP(nft_batch_done) struct nft_batch batch = {};
	CLEANUP(buf_done) struct buf text = {};
	struct batch_request request = {
		.policy = policy,
		.state = policy->state == FW_STATE_AUTO ? FW_STATE_CONNTRACK : policy->state,
		.ports = ports,
	};
	int r = 0;
	for (size_t i = target->first; r == 0 && i < target->end; i++) {
		if (!vm->nics[i].filter)
			continue;
		r = fw_port_of_nic(policy, vm, &vm->nics[i], &resolved[request.n], err);
		ports[request.n].port = &resolved[request.n];
		request.n++;
	}
	if (r == 0 && request.n) {
		batch_install(&batch, &request);
		nft_text_batch(&batch, &text);
		fputs(buf_text(&text), stdout);
	}
	for (size_t i = 0; i < request.n; i++)
		fw_port_done(&resolved[i]);
	return r < 0 ? r : STATUS_DONE;
}

static int show_run(const struct call *call, struct error *err)
{
	const struct show_options *options = call->options;
	CLEANUP(target_done) struct target target = {};
	if (options->json && options->nft)
		return misuse(call->command, "'--json' and '--nft' can't both be had");
	int r = target_load(&target, call, call->words.items[0], err);
	print_errors(&target.config.report);
	if (r != 0)
		return r < 0 ? r : STATUS_FAILURE;
	if (options->nft)
		return show_nft(&target, err);
	struct json_object *all = options->json ? jtree_list() : NULL;
	for (size_t i = target.first; r == 0 && i < target.end; i++)
		r = show_connection(&target, i, all, err);
	if (r == 0 && all)
		print_json(all);
	else if (r == 0 && !all && target.first == target.end)
		printf("%s has no connections\n", target.built.vm.name);
	json_object_put(all);
	return r < 0 ? r : STATUS_DONE;
}

static const struct option_spec options[] = {
	OPTION_JSON(struct show_options, json),
	{ 0, "nft", NULL, OPT_FLAG(struct show_options, nft),
			"In the language of nft(8), as it would be installed on a host without any "
			"rules" },
	{},
};

static const struct argument arguments[] = {
	{ .name = "MACHINE[.NAME]", .complete = complete_connections },
	{},
};

static const struct example examples[] = {
	{ "machina firewall show web", "The rules of all connections of web." },
	{ "machina firewall show web.lan", "Those of its connection lan." },
	{ "machina firewall show --nft web", "The same as nft(8) reads it." },
	{},
};

const struct command cmd_firewall_show = {
	.name = "firewall show",
	.group = GROUP_LOOK,
	.flags = COMMAND_FILES,
	.arguments = arguments,
	.summary = "Show the rules of a machine in the order in which they are tried",
	.description = "As the config says them now, of all connections or of the one called NAME. "
		       "Each line shows what happens to which packets, the group, rule or part of "
		       "the guard that says so, and where it is written. machina-firewall(7) says "
		       "what the lines mean.",
	.options = options,
	.options_size = sizeof(struct show_options),
	.examples = examples,
	.run = show_run,
};
