/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packet filter rules of the config files as struct fw_rule. */
#include "model/filter-read.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "json/jnames.h"
#include "json/jtext.h"
#include "util/mem.h"
#include "util/parse.h"

#define PRIORITY_DEFAULT 200

void filter_report(const struct filter_reader *reader, const char *pointer, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	CLEANUP(freep) char *text = xvasprintf(format, ap);
	va_end(ap);
	reader->report(reader->context, pointer, text);
}

const char *const *filter_copy_names(struct arena *arena, const struct jstrings *names)
{
	const char **copy = arena_array(arena, names->n, sizeof(*copy));
	for (size_t i = 0; i < names->n; i++)
		copy[i] = arena_strdup(arena, names->items[i]);
	return copy;
}

/* The place of an entry; one alone may be written without a list. */
static char *entry_pointer(const char *pointer, const struct jstrings *texts, size_t i)
{
	return texts->n == 1 ? xstrdup(pointer) : xasprintf("%s/%zu", pointer, i);
}

int filter_protocol(const char *text)
{
	static const struct {
		const char *name;
		int number;
	} names[] = {
		{ "any", -1 },
		{ "tcp", IPPROTO_TCP },
		{ "udp", IPPROTO_UDP },
		{ "sctp", IPPROTO_SCTP },
		{ "icmp", IPPROTO_ICMP },
		{ "icmp6", IPPROTO_ICMPV6 },
	};
	int number = -1;
	for (size_t i = 0; text && i < ARRAY_SIZE(names); i++)
		if (!strcmp(text, names[i].name))
			return names[i].number;
	/* Its form was checked. */
	return text && parse_int(text, 0, 255, &number) == 0 ? number : -1;
}

/* A rule while it is read. */
struct reading {
	const struct filter_reader *reader;
	const struct fw_rule_conf *conf;
	struct fw_rule *rule;
	const char *pointer;
};

/* Is a key there that may be? An empty list would match nothing. */
static bool is_given(const struct reading *r, const struct jstrings *texts, const char *key)
{
	if (texts->items && !texts->n) {
		CLEANUP(freep) char *at = xasprintf("%s/%s", r->pointer, key);
		filter_report(r->reader, at,
				"with an empty list the rule matches nothing; leave \"%s\" out to "
				"match all",
				key);
	}
	return texts->n > 0;
}

static void read_ports(struct reading *r)
{
	const struct jstrings *texts = &r->conf->port;
	struct fw_rule *rule = r->rule;
	if (!is_given(r, texts, "port"))
		return;
	if (rule->protocol != IPPROTO_TCP && rule->protocol != IPPROTO_UDP &&
			rule->protocol != IPPROTO_SCTP) {
		CLEANUP(freep) char *at = xasprintf("%s/port", r->pointer);
		filter_report(r->reader, at,
				"a rule with \"port\" needs a \"protocol\" that has ports: "
				"\"tcp\", \"udp\" or \"sctp\"");
		return;
	}
	struct fw_span *spans = arena_array(r->reader->arena, texts->n, sizeof(*spans));
	for (size_t i = 0; i < texts->n; i++)
		spans[i] = fw_span_read(texts->items[i]);
	rule->ports = spans;
	rule->n_ports = fw_spans_merge(spans, texts->n);
}

bool filter_icmp_type(const struct fw_icmp_type *types, const char *text, uint16_t *ret)
{
	int number;
	for (const struct fw_icmp_type *t = types; t->name; t++)
		if (!strcmp(t->name, text)) {
			*ret = t->number;
			return true;
		}
	if (parse_int(text, 0, 255, &number) < 0)
		return false;
	*ret = (uint16_t)number;
	return true;
}

static void report_type(const struct reading *r, const struct fw_icmp_type *types, size_t i)
{
	CLEANUP(freep) char *key = xasprintf("%s/type", r->pointer);
	CLEANUP(freep) char *at = entry_pointer(key, &r->conf->type, i);
	CLEANUP(buf_done) struct buf text = {};
	const char *names[32] = {};
	size_t n = 0;
	for (; types[n].name; n++)
		names[n] = types[n].name;
	const char *nearest = jnames_nearest(r->conf->type.items[i], names, n);
	buf_printf(&text, "%s has no type ", r->rule->protocol == IPPROTO_ICMP ? "ICMP" : "ICMPv6");
	text_quoted(&text, r->conf->type.items[i]);
	if (nearest)
		buf_printf(&text, "; did you mean \"%s\"?", nearest);
	else
		buf_puts(&text, "; types are names (machina-firewall(7)) or numbers from 0 to 255");
	filter_report(r->reader, at, "%s", buf_text(&text));
}

static void read_types(struct reading *r)
{
	const struct jstrings *texts = &r->conf->type;
	const struct fw_icmp_type *types = fw_icmp_types_of(r->rule->protocol);
	if (!is_given(r, texts, "type"))
		return;
	if (!types) {
		CLEANUP(freep) char *at = xasprintf("%s/type", r->pointer);
		filter_report(r->reader, at,
				"a rule with \"type\" needs the \"protocol\" \"icmp\" or "
				"\"icmp6\"");
		return;
	}
	struct fw_span *spans = arena_array(r->reader->arena, texts->n, sizeof(*spans));
	for (size_t i = 0; i < texts->n; i++) {
		if (!filter_icmp_type(types, texts->items[i], &spans[i].first))
			report_type(r, types, i);
		spans[i].last = spans[i].first;
	}
	r->rule->types = spans;
	r->rule->n_types = fw_spans_merge(spans, texts->n);
}

/* Room for as many ranges of either family as there are texts. */
struct collected {
	struct fw_range *items[N_FW_FAMILIES];
	size_t n[N_FW_FAMILIES];
};

static void collect_begin(struct collected *c, struct arena *arena, size_t n)
{
	*c = (struct collected){};
	for (int f = 0; f < N_FW_FAMILIES; f++)
		c->items[f] = arena_array(arena, n, sizeof(**c->items));
}

static void collect(const struct filter_reader *reader, struct collected *c, const char *text,
		const char *pointer)
{
	struct fw_range range;
	enum fw_family family;
	struct error err = {};
	if (fw_range_parse(text, &range, &family, &err) < 0)
		filter_report(reader, pointer, "%s", err.text);
	else
		c->items[family][c->n[family]++] = range;
}

static struct fw_addresses collect_end(struct collected *c)
{
	struct fw_addresses addresses = {};
	for (int f = 0; f < N_FW_FAMILIES; f++)
		addresses.of[f] = (struct fw_ranges){
			.items = c->items[f],
			.n = fw_ranges_merge(c->items[f], c->n[f], (enum fw_family)f),
		};
	return addresses;
}

struct fw_addresses filter_read_addresses(const struct filter_reader *reader,
		const struct jstrings *texts, const char *pointer)
{
	struct collected c;
	collect_begin(&c, reader->arena, texts->n);
	for (size_t i = 0; i < texts->n; i++) {
		CLEANUP(freep) char *at = xasprintf("%s/%zu", pointer, i);
		collect(reader, &c, texts->items[i], at);
	}
	return collect_end(&c);
}

static void read_peers(struct reading *r)
{
	bool is_in = r->rule->direction == FW_IN;
	const char *key = is_in ? "from" : "to", *other = is_in ? "to" : "from";
	const struct jstrings *texts = is_in ? &r->conf->from : &r->conf->to;
	struct arena *arena = r->reader->arena;
	struct collected c;

	if ((is_in ? &r->conf->to : &r->conf->from)->items) {
		CLEANUP(freep) char *at = xasprintf("%s/%s", r->pointer, other);
		filter_report(r->reader, at,
				"a rule of direction \"%s\" takes \"%s\" and not \"%s\": the other "
				"end is the machine itself",
				fw_direction_names[r->rule->direction], key, other);
	}
	if (!is_given(r, texts, key))
		return;
	CLEANUP(freep) char *list = xasprintf("%s/%s", r->pointer, key);
	const char **sets = arena_array(arena, texts->n, sizeof(*sets));
	const char **groups = arena_array(arena, texts->n, sizeof(*groups));
	collect_begin(&c, arena, texts->n);
	for (size_t i = 0; i < texts->n; i++) {
		const char *text = texts->items[i];
		CLEANUP(freep) char *at = entry_pointer(list, texts, i);
		if (text[0] == '@')
			sets[r->rule->n_sets++] = arena_strdup(arena, text + 1);
		else if (text[0] == '&')
			groups[r->rule->n_groups++] = arena_strdup(arena, text + 1);
		else
			collect(r->reader, &c, text, at);
	}
	r->rule->sets = sets;
	r->rule->groups = groups;
	r->rule->addresses = collect_end(&c);
}

static void read_rate(struct fw_rule *rule, const char *text)
{
	static const struct {
		const char *name;
		uint32_t seconds;
	} units[] = { { "second", 1 }, { "minute", 60 }, { "hour", 3600 }, { "day", 86400 } };
	char *end;
	if (!text || !text[0])
		return;
	/* Its form was checked. */
	rule->rate_count = (uint32_t)strtoul(text, &end, 10);
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (!strcmp(end + 1, units[i].name))
			rule->rate_seconds = units[i].seconds;
}

static struct fw_rule read_rule(const struct filter_reader *reader, const struct fw_rule_conf *conf,
		const char *pointer)
{
	struct fw_rule rule = {
		.direction = conf->direction < 0 ? FW_IN : (enum fw_direction)conf->direction,
		.action = conf->action < 0 ? FW_ACCEPT : (enum fw_action)conf->action,
		.protocol = filter_protocol(conf->protocol),
		.log = conf->log,
		.priority = conf->priority ? (int)conf->priority : PRIORITY_DEFAULT,
		.comment = arena_strdup(reader->arena, conf->comment ? conf->comment : ""),
		.pointer = arena_strdup(reader->arena, pointer),
	};
	struct reading r = { reader, conf, &rule, pointer };
	if (rule.action == FW_REJECT && rule.direction == FW_IN) {
		CLEANUP(freep) char *at = xasprintf("%s/action", pointer);
		filter_report(reader, at,
				"\"reject\" is possible in direction \"out\" only: bridges can't "
				"answer the sender of a packet on its way to a guest; use "
				"\"drop\"");
	}
	read_ports(&r);
	read_types(&r);
	read_peers(&r);
	read_rate(&rule, conf->rate);
	return rule;
}

struct fw_rules filter_read_rules(const struct filter_reader *reader, const struct jlist *rules,
		const char *pointer, const char *owner)
{
	const struct fw_rule_conf *confs = rules->items;
	struct fw_rule *items = arena_array(reader->arena, rules->n, sizeof(*items));
	size_t n = 0;
	for (size_t i = 0; i < rules->n; i++) {
		CLEANUP(freep) char *at = xasprintf("%s/%zu", pointer, i);
		struct fw_rule rule = read_rule(reader, &confs[i], at);
		rule.origin = arena_printf(reader->arena, "%s #%zu", owner, i + 1);
		if (confs[i].enabled)
			items[n++] = rule;
	}
	return (struct fw_rules){ .items = items, .n = n };
}

struct fw_guard filter_read_guard(const struct fw_guard_conf *conf)
{
	if (conf->enabled == 0)
		return (struct fw_guard){};
	return (struct fw_guard){
		.mac = conf->mac != 0,
		.address = conf->address < 0 ? FW_GUARD_ADDRESS_ON
					     : (enum fw_guard_address)conf->address,
		.router = conf->router != 0,
		.dhcp_server = conf->dhcp_server != 0,
		.fragments = conf->fragments != 0,
		.other = conf->other != 0,
	};
}
