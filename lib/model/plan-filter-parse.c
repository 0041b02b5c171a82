/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A connection's packet filter out of the rows of a plan. */
#include <string.h>

#include "model/filter-read.h"
#include "model/plan-filter.h"
#include "model/words.h"
#include "util/mem.h"
#include "util/parse.h"

/* What the words of a row are read into. */
struct parsing {
	struct arena *arena;
	struct vm_filter *filter;
	struct fw_rule *rule;
	struct jstrings groups, sets, addresses; /* room for as many as there are words */
	struct fw_span *ports, *types;
	uint16_t *vlans;
};

/* Returns false for a value that is not understood. */
typedef bool parse_word(struct parsing *p, const char *value);

static bool parse_name(struct parsing *p, struct jstrings *list, const char *value)
{
	list->items[list->n++] = arena_strdup(p->arena, value);
	return true;
}

static bool parse_group(struct parsing *p, const char *value)
{
	return parse_name(p, &p->groups, value);
}

static bool parse_set(struct parsing *p, const char *value)
{
	return parse_name(p, &p->sets, value);
}

static bool parse_address(struct parsing *p, const char *value)
{
	return parse_name(p, &p->addresses, value);
}

static int index_of(const char *const *names, const char *value)
{
	for (int i = 0; names[i]; i++)
		if (!strcmp(names[i], value))
			return i;
	return -1;
}

static bool parse_any(struct parsing *p, const char *value)
{
	p->filter->has_any = true;
	return !strcmp(value, "yes");
}

static bool parse_guard(struct parsing *p, const char *value)
{
	for (size_t i = 0; plan_guard_words[i].name; i++)
		if (!strcmp(value, plan_guard_words[i].name)) {
			*(bool *)((char *)&p->filter->guard + plan_guard_words[i].offset) = true;
			return true;
		}
	for (int i = FW_GUARD_ADDRESS_ON; plan_guard_address_words[i]; i++)
		if (!strcmp(value, plan_guard_address_words[i])) {
			p->filter->guard.address = (enum fw_guard_address)i;
			return true;
		}
	return false;
}

static bool parse_vlan(struct parsing *p, const char *value)
{
	int vlan;
	if (parse_int(value, 1, 4094, &vlan) < 0)
		return false;
	p->vlans[p->filter->n_vlans++] = (uint16_t)vlan;
	return true;
}

static bool parse_direction(struct parsing *p, const char *value)
{
	int i = index_of(fw_direction_names, value);
	p->rule->direction = (enum fw_direction)i;
	return i >= 0;
}

static bool parse_action(struct parsing *p, const char *value)
{
	int i = index_of(fw_action_names, value);
	p->rule->action = (enum fw_action)i;
	return i >= 0;
}

static bool parse_protocol(struct parsing *p, const char *value)
{
	return parse_int(value, 0, 255, &p->rule->protocol) == 0;
}

static bool parse_a_span(struct fw_span *spans, size_t *n, const char *value)
{
	int first, last;
	CLEANUP(freep) char *copy = xstrdup(value);
	char *dash = strchr(copy, '-');
	if (dash)
		*dash = '\0';
	if (parse_int(copy, 0, UINT16_MAX, &first) < 0 ||
			parse_int(dash ? dash + 1 : copy, first, UINT16_MAX, &last) < 0)
		return false;
	spans[(*n)++] = (struct fw_span){ (uint16_t)first, (uint16_t)last };
	return true;
}

static bool parse_port(struct parsing *p, const char *value)
{
	return parse_a_span(p->ports, &p->rule->n_ports, value);
}

static bool parse_type(struct parsing *p, const char *value)
{
	return parse_a_span(p->types, &p->rule->n_types, value);
}

static bool parse_log(struct parsing *p, const char *value)
{
	p->rule->log = true;
	return !strcmp(value, "yes");
}

static bool parse_rate(struct parsing *p, const char *value)
{
	CLEANUP(freep) char *copy = xstrdup(value);
	char *slash = strchr(copy, '/');
	int count, seconds;
	if (!slash)
		return false;
	*slash = '\0';
	if (parse_int(copy, 1, UINT16_MAX, &count) < 0 ||
			parse_int(slash + 1, 1, 86400, &seconds) < 0)
		return false;
	p->rule->rate_count = (uint32_t)count;
	p->rule->rate_seconds = (uint32_t)seconds;
	return true;
}

static bool parse_priority(struct parsing *p, const char *value)
{
	return parse_int(value, 1, 999, &p->rule->priority) == 0;
}

static bool parse_comment(struct parsing *p, const char *value)
{
	p->rule->comment = arena_strdup(p->arena, value);
	return true;
}

static bool parse_origin(struct parsing *p, const char *value)
{
	p->rule->origin = arena_strdup(p->arena, value);
	return true;
}

struct filter_word {
	const char *name;
	parse_word *parse;
};
static const struct filter_word filter_words[] = {
	{ "group", parse_group },
	{ "any", parse_any },
	{ "guard", parse_guard },
	{ "ip", parse_address },
	{ "vlan", parse_vlan },
	{},
};
static const struct filter_word rule_words[] = {
	{ "direction", parse_direction },
	{ "action", parse_action },
	{ "protocol", parse_protocol },
	{ "port", parse_port },
	{ "type", parse_type },
	{ "address", parse_address },
	{ "set", parse_set },
	{ "group", parse_group },
	{ "log", parse_log },
	{ "rate", parse_rate },
	{ "priority", parse_priority },
	{ "comment", parse_comment },
	{ "origin", parse_origin },
	{},
};

/* "machine-in=drop" and the like. */
static bool parse_default(struct parsing *p, const char *word)
{
	for (int level = 0; level < N_FW_LEVELS; level++)
		for (int d = 0; d < N_FW_DIRECTIONS; d++) {
			CLEANUP(freep)
			char *key = xasprintf(
					"%s-%s=", plan_filter_levels[level], fw_direction_names[d]);
			if (strncmp(word, key, strlen(key)) != 0)
				continue;
			int i = index_of(fw_default_names, word + strlen(key));
			p->filter->defaults[level][d] = (enum fw_default)i;
			return i >= 0;
		}
	return false;
}

static bool parse_by_table(const struct filter_word *table, struct parsing *p, const char *text)
{
	const char *equals = strchr(text, '=');
	size_t len = equals ? (size_t)(equals - text) : strlen(text);
	for (; table->name; table++)
		if (strlen(table->name) == len && !strncmp(table->name, text, len))
			return equals && table->parse(p, equals + 1);
	return p->filter && parse_default(p, text);
}

static void report_address(void *context, const char *pointer, const char *text)
{
	struct error *err = context;
	(void)pointer;
	error_set(err, EINVAL, "%s", text);
}

/* @first: the first of the words that are of the table. Their lists have room for all of them. */
static int parse_row(const struct filter_word *table, struct parsing *p, const struct strv *words,
		size_t first, struct fw_addresses *ret_addresses, struct error *err)
{
	struct jstrings *lists[] = { &p->groups, &p->sets, &p->addresses };
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		lists[i]->items = arena_array(p->arena, words->n, sizeof(*lists[i]->items));
	p->ports = arena_array(p->arena, words->n, sizeof(*p->ports));
	p->types = arena_array(p->arena, words->n, sizeof(*p->types));
	p->vlans = arena_array(p->arena, words->n, sizeof(*p->vlans));
	for (size_t i = first; i < words->n; i++)
		if (!parse_by_table(table, p, words->items[i]))
			return error_set(err, EINVAL, "'%s' is not understood", words->items[i]);

	struct error wrong = {};
	const struct filter_reader reader = {
		.arena = p->arena, .report = report_address, .context = &wrong
	};
	*ret_addresses = filter_read_addresses(&reader, &p->addresses, "");
	if (!wrong.code)
		return 0;
	*err = wrong;
	return -EINVAL;
}

static struct plan_fd *find_tap(struct plan *plan, const struct strv *words)
{
	for (size_t i = 0; i < plan->n_fds && words->n > 1; i++)
		if (plan->fds[i].kind == PLAN_FD_TAP && !strncmp(words->items[1], "name=", 5) &&
				!strcmp(words->items[1] + 5, plan->fds[i].name))
			return &plan->fds[i];
	return NULL;
}

int plan_filter_parse(struct plan *plan, const struct strv *words, struct error *err)
{
	struct plan_fd *fd = find_tap(plan, words);
	if (!fd || fd->filter)
		return error_set(err, EINVAL, "a 'filter' is of no 'tap', or of one that has one");
	struct vm_filter *filter = ARENA_NEW(&plan->arena, struct vm_filter);
	*filter = (struct vm_filter){};
	for (int level = 0; level < N_FW_LEVELS; level++)
		for (int d = 0; d < N_FW_DIRECTIONS; d++)
			filter->defaults[level][d] = FW_DEFAULT_NONE;
	struct parsing p = { .arena = &plan->arena, .filter = filter };
	int r = parse_row(filter_words, &p, words, 2, &filter->ip, err);
	if (r < 0)
		return r;
	filter->groups = p.groups.items;
	filter->n_groups = p.groups.n;
	filter->vlans = p.vlans;
	fd->filter = filter;
	plan->last_filter = filter;
	return 0;
}

int plan_filter_parse_rule(struct plan *plan, const struct strv *words, struct error *err)
{
	if (!plan->last_filter)
		return error_set(err, EINVAL, "a 'rule' comes before any 'filter'");
	struct fw_rule rule = { .protocol = -1, .priority = 0, .comment = "" };
	struct parsing p = { .arena = &plan->arena, .rule = &rule };
	int r = parse_row(rule_words, &p, words, 1, &rule.addresses, err);
	if (r < 0)
		return r;
	if (!rule.priority || !rule.origin)
		return error_set(err, EINVAL, "a 'rule' lacks what it needs");
	rule.ports = p.ports;
	rule.types = p.types;
	rule.sets = p.sets.items;
	rule.n_sets = p.sets.n;
	rule.groups = p.groups.items;
	rule.n_groups = p.groups.n;
	struct vm_filter *filter = plan->last_filter;
	filter->rules = words_append(
			&plan->arena, filter->rules, filter->n_rules, sizeof(*filter->rules));
	filter->rules[filter->n_rules++] = rule;
	return 0;
}
