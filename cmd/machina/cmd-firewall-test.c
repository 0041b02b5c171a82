/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina firewall test: what the rules make of one packet. */
#include <json-c/json_object.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "cli/complete.h"
#include "cli/output.h"
#include "config/forms.h"
#include "firewall/text.h"
#include "firewall/walk.h"
#include "json/jtree.h"
#include "model/filter-read.h"
#include "setup/firewall-target.h"
#include "util/mem.h"
#include "util/parse.h"

#define STATUS_ACCEPTED 0
#define STATUS_NOT_ACCEPTED 1
#define STATUS_TROUBLE 2

struct test_options {
	const char *from;
	const char *to;
	bool json;
};

/* What the words of the command line ask. */
struct question {
	const struct call *call;
	const struct test_options *options;
	struct fw_packet packet;
	bool has_family;	  /* the packet's family is known */
	struct fw_range from, to; /* of one address */
};

static int read_protocol(struct question *q, const char *word)
{
	const char *expected;
	if (!form_protocol(word, &expected) || !strcmp(word, "any"))
		return misuse(q->call->command,
				"'%s' is no protocol: expected tcp, udp, sctp, icmp, icmp6 or a "
				"number from 0 to 255",
				word);
	q->packet.protocol = filter_protocol(word);
	q->has_family = fw_icmp_types_of(q->packet.protocol) != NULL;
	q->packet.family = q->packet.protocol == IPPROTO_ICMPV6 ? FW_IPV6 : FW_IPV4;
	return 0;
}

/* A port, or of ICMP a type, which is an echo request if none is given. */
static int read_port(struct question *q, const char *word)
{
	const struct fw_icmp_type *types = fw_icmp_types_of(q->packet.protocol);
	int protocol = q->packet.protocol, number;
	bool has_ports = protocol == IPPROTO_TCP || protocol == IPPROTO_UDP ||
			 protocol == IPPROTO_SCTP;
	if (types) {
		if (!filter_icmp_type(types, word ? word : "echo-request", &q->packet.type))
			return misuse(q->call->command, "'%s' is no type of this protocol", word);
		return 0;
	}
	if (has_ports != (word != NULL))
		return misuse(q->call->command, has_ports ? "the destination port is missing"
							  : "this protocol has no ports");
	if (!word)
		return 0;
	if (parse_int(word, 1, UINT16_MAX, &number) < 0)
		return misuse(q->call->command, "'%s' is no port: expected 1 to 65535", word);
	q->packet.to_port = (uint16_t)number;
	return 0;
}

static int read_address(
		struct question *q, const char *option, const char *text, struct fw_range *ret)
{
	struct error err = {};
	enum fw_family family;
	if (!text)
		return 0;
	if (strpbrk(text, "/-") || fw_range_parse(text, ret, &family, &err) < 0)
		return misuse(q->call->command, "--%s: '%s' is no IP address", option, text);
	if (q->has_family && family != q->packet.family)
		return misuse(q->call->command, "--%s: '%s' is of another family than the %s",
				option, text,
				fw_icmp_types_of(q->packet.protocol) ? "protocol"
								     : "other address");
	q->has_family = true;
	q->packet.family = family;
	return 0;
}

static int read_question(struct question *q)
{
	char **words = q->call->words.items;
	size_t n = q->call->words.n;
	bool is_in = !strcmp(words[1], "in");
	if (!is_in && strcmp(words[1], "out") != 0)
		return misuse(q->call->command, "'%s' is no direction: expected 'in' or 'out'",
				words[1]);
	q->packet.direction = is_in ? FW_IN : FW_OUT;
	if (is_in && q->options->to)
		return misuse(q->call->command,
				"--to is of direction out; what comes in goes to the machine");
	int r = read_protocol(q, words[2]);
	if (r == 0)
		r = read_port(q, n > 3 ? words[3] : NULL);
	if (r == 0)
		r = read_address(q, "from", q->options->from, &q->from);
	if (r == 0)
		r = read_address(q, "to", q->options->to, &q->to);
	if (r != 0)
		return r;
	const uint8_t *from = q->options->from ? q->from.first : NULL;
	q->packet.peer = is_in ? from : q->options->to ? q->to.first : NULL;
	q->packet.source = is_in ? NULL : from;
	return 0;
}

/* What the question leaves open is what the machine can do: IPv4, if it has not addresses of IPv6
 * alone. */
static void complete_question(struct question *q, const struct vm_filter *filter)
{
	if (!q->has_family)
		q->packet.family = !filter->ip.of[FW_IPV4].n && filter->ip.of[FW_IPV6].n ? FW_IPV6
											 : FW_IPV4;
}

static void put_question(struct buf *out, const struct question *q)
{
	buf_puts(out, fw_direction_names[q->packet.direction]);
	for (size_t i = 2; i < q->call->words.n; i++)
		buf_printf(out, " %s", q->call->words.items[i]);
	if (q->options->from)
		buf_printf(out, " from %s", q->options->from);
	if (q->options->to)
		buf_printf(out, " to %s", q->options->to);
}

/* The answer, in parts that text and JSON share. */
struct answer {
	const struct fw_decision *decision;
	const char *connection; /* "web.lan" */
	const char *lead;	/* in front of the origin: "default: " */
	struct where at;
	uint16_t from_port; /* 0: from any */
	bool by_default;
	bool locked;
};

static void print_answer(
		const struct target *target, const struct question *q, const struct answer *a)
{
	static const char *const words[] = {
		[FW_ACCEPT] = "accepted", [FW_DROP] = "dropped", [FW_REJECT] = "rejected"
	};
	static const enum style styles[] = {
		[FW_ACCEPT] = STYLE_GOOD, [FW_DROP] = STYLE_BAD, [FW_REJECT] = STYLE_WARN
	};
	const struct fw_rule *rule = a->decision->rule;
	CLEANUP(buf_done) struct buf question = {}, text = {};
	CLEANUP(freep) char *place = target_place_text(target, &a->at);
	put_question(&question, q);
	style_begin(stdout, styles[a->decision->action]);
	fputs(words[a->decision->action], stdout);
	style_end(stdout, styles[a->decision->action]);
	printf("  %s %s\n", a->connection, buf_text(&question));
	printf("by        %s%s%s\n", a->lead, a->decision->origin, a->locked ? " (locked)" : "");
	if (rule) {
		fw_rule_put(&text, rule);
		printf("which is  %s %s\n", fw_action_names[rule->action], buf_text(&text));
	}
	if (place[0])
		printf("in        %s\n", place);
	if (rule && rule->rate_count)
		printf("as long as there are not more: the next rules are tried then\n");
	if (a->from_port)
		printf("if it comes from port %u: of others the next rules decide\n", a->from_port);
}

static void print_answer_json(const struct question *q, const struct answer *a)
{
	const struct fw_rule *rule = a->decision->rule;
	struct json_object *object = jtree_object();
	CLEANUP(buf_done) struct buf question = {}, text = {};
	put_question(&question, q);
	jtree_set(object, "connection", jtree_string(a->connection));
	jtree_set(object, "packet", jtree_string(buf_text(&question)));
	jtree_set(object, "action", jtree_string(fw_action_names[a->decision->action]));
	jtree_set(object, "origin", jtree_string(a->decision->origin));
	jtree_set(object, "default", jtree_bool(a->by_default));
	jtree_set(object, "locked", jtree_bool(a->locked));
	if (a->from_port)
		jtree_set(object, "from-port", jtree_int(a->from_port));
	if (rule) {
		fw_rule_put(&text, rule);
		jtree_set(object, "rule", jtree_string(buf_text(&text)));
	}
	target_place_json(&a->at, object);
	print_json(object);
	json_object_put(object);
}

static bool names_groups(const struct fw_port *port, enum fw_direction direction)
{
	bool found = false;
	for (size_t i = 0; i < port->entries[direction].n; i++) {
		const struct fw_entry *e = &port->entries[direction].items[i];
		size_t n = e->group ? e->group->rules[direction].n : 0;
		for (size_t k = 0; k < n; k++)
			found |= e->group->rules[direction].items[k].n_groups > 0;
		found |= e->rule && e->rule->n_groups > 0;
	}
	return found;
}

static int answer(struct target *target, struct question *q, struct error *err)
{
	const struct vm *vm = &target->built.vm;
	const struct vm_nic *nic = &vm->nics[target->first];
	enum fw_direction direction = q->packet.direction;
	CLEANUP(fw_port_done) struct fw_port port = {};
	int r = fw_port_of_nic(&target->config.policy, vm, nic, &port, err);
	if (r == 0 && names_groups(&port, direction))
		r = target_add_members(target, err);
	if (r < 0)
		return r;
	complete_question(q, nic->filter);
	const struct fw_decision decision = fw_walk(&target->config.policy, &port, &q->packet);
	CLEANUP(freep) char *connection = xasprintf("%s.%s", vm->name, nic->name);
	const struct fw_group *group = decision.entry->group;
	struct answer a = {
		.decision = &decision,
		.connection = connection,
		.by_default = decision.entry->kind == FW_ENTRY_DEFAULT,
		.lead = decision.entry->kind == FW_ENTRY_DEFAULT      ? "default: "
			: decision.entry->kind == FW_ENTRY_ESSENTIALS ? "essentials: "
								      : "",
		.from_port = decision.essential ? decision.essential->from_port : 0,
		.locked = group && group->locked,
	};
	if (decision.rule)
		a.at = target_rule_place(target, group, decision.rule);
	else if (a.by_default)
		a.at = target_default_place(
				target, &port.defaults[direction], direction, target->first);
	if (q->options->json)
		print_answer_json(q, &a);
	else
		print_answer(target, q, &a);
	return decision.action == FW_ACCEPT ? STATUS_ACCEPTED : STATUS_NOT_ACCEPTED;
}

/* The one connection that is meant: of several, the word must name it. */
static int check_connection(const struct target *target, struct error *err)
{
	const struct vm *vm = &target->built.vm;
	CLEANUP(buf_done) struct buf names = {};
	if (target->end - target->first == 1) {
		const struct vm_nic *nic = &vm->nics[target->first];
		CLEANUP(freep) char *why = nic->filter ? NULL : target_why_unfiltered(nic);
		return nic->filter ? 0
				   : error_set(err, ENOENT, "connection '%s.%s' is %s", vm->name,
						     nic->name, why);
	}
	for (size_t i = target->first; i < target->end; i++)
		buf_printf(&names, "%s'%s.%s'", i > target->first ? ", " : "", vm->name,
				vm->nics[i].name);
	if (!names.len)
		return error_set(err, ENOENT, "machine '%s' has no connections", vm->name);
	return error_set(err, EINVAL, "machine '%s' has several connections: say which, of %s",
			vm->name, buf_text(&names));
}

static int test_run(const struct call *call, struct error *err)
{
	struct question question = { .call = call, .options = call->options };
	CLEANUP(target_done) struct target target = {};
	int r = read_question(&question);
	if (r != 0)
		return r;
	r = target_load(&target, call, call->words.items[0], err);
	print_errors(&target.config.report);
	if (r > 0)
		return STATUS_TROUBLE;
	if (r == 0)
		r = check_connection(&target, err);
	if (r == 0)
		r = answer(&target, &question, err);
	if (r >= 0)
		return r;
	print_error(err);
	return STATUS_TROUBLE;
}

static void complete_directions(struct completion *c)
{
	for (const char *const *name = fw_direction_names; *name; name++)
		complete_offer(c, *name, NULL);
}

static void complete_protocols(struct completion *c)
{
	static const char *const names[] = { "tcp", "udp", "sctp", "icmp", "icmp6" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		complete_offer(c, names[i], NULL);
}

static void complete_types(struct completion *c)
{
	const struct fw_icmp_type *types = NULL;
	if (c->call->words.n > 2)
		types = fw_icmp_types_of(filter_protocol(c->call->words.items[2]));
	for (; types && types->name; types++)
		complete_offer(c, types->name, NULL);
}

static const struct option_spec options[] = {
	{ 0, "from", "ADDR", OPT_TEXT(struct test_options, from),
			"Address that sends; with 'out' the guest's own" },
	{ 0, "to", "ADDR", OPT_TEXT(struct test_options, to),
			"Address that it is sent to, with 'out'" },
	OPTION_JSON(struct test_options, json),
	{},
};

static const struct argument arguments[] = {
	{ .name = "MACHINE[.NAME]", .complete = complete_connections },
	{ .name = "in|out", .complete = complete_directions },
	{ .name = "PROTOCOL", .complete = complete_protocols },
	{ .name = "PORT", .flags = ARGUMENT_OPTIONAL, .complete = complete_types },
	{},
};

static const struct example examples[] = {
	{ "machina firewall test web in tcp 22 --from 192.0.2.7",
			"Does a connection from there reach the guest's port 22?" },
	{ "machina firewall test web.lan out tcp 25", "May it send mail to anybody?" },
	{ "machina firewall test web in icmp echo-request", "Does it answer ping?" },
	{},
};

const struct command cmd_firewall_test = {
	.name = "firewall test",
	.group = GROUP_LOOK,
	.flags = COMMAND_FILES,
	.arguments = arguments,
	.summary = "Show what the rules make of a packet, and which one decides",
	.description = "For the first packet of a new connection, by the config as it is now; "
		       "nothing is sent. NAME is the connection's; a machine that has one needs "
		       "none. The packet goes in (to the guest) or out, PROTOCOL is tcp, udp, "
		       "sctp, icmp, icmp6 or a number, PORT the destination port, or the type of "
		       "ICMP (echo-request if there is none).\n\n"
		       "Without --from or --to the other end is one that no rule names. The exit "
		       "status is 0 if it is accepted, 1 if it is dropped or rejected, 2 if the "
		       "question can't be answered.",
	.options = options,
	.options_size = sizeof(struct test_options),
	.examples = examples,
	.run = test_run,
};
