/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's "firewall" section as sets and groups. */
#include <stdlib.h>
#include <string.h>

#include "firewall/check.h"
#include "json/jlocate.h"
#include "json/jtree.h"
#include "util/mem.h"

#define PRIORITY_DEFAULT 100

struct building {
	const struct host *host;
	struct fw_policy *policy;
	struct report *report;
	struct filter_reader reader;
};

static void report_host(void *context, const char *pointer, const char *text)
{
	struct building *b = context;
	host_report(b->host, b->report, SEVERITY_ERROR, pointer, "%s", text);
}

/* Sets and groups begin with their names. */
static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void build_sets(struct building *b)
{
	const struct jlist *addresses = &b->host->conf.firewall.addresses;
	const struct jnamed *confs = addresses->items;
	struct fw_policy *policy = b->policy;
	policy->sets = arena_array(&policy->arena, addresses->n, sizeof(*policy->sets));
	policy->n_sets = addresses->n;
	for (size_t i = 0; i < addresses->n; i++) {
		CLEANUP(freep) char *at = xasprintf("/firewall/addresses/%s", confs[i].key);
		policy->sets[i] = (struct fw_set){
			.name = arena_strdup(&policy->arena, confs[i].key),
			.addresses = filter_read_addresses(&b->reader, &confs[i].values, at),
		};
	}
	if (policy->n_sets > 1)
		qsort(policy->sets, policy->n_sets, sizeof(*policy->sets), compare_names);
}

struct ranked {
	struct fw_rule rule;
	size_t index;
};

static int compare_ranked(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	if (x->rule.priority != y->rule.priority)
		return x->rule.priority < y->rule.priority ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* The rules of one direction, by priority and then as listed. */
static struct fw_rules in_order(
		struct arena *arena, const struct fw_rules *all, enum fw_direction direction)
{
	CLEANUP(freep) struct ranked *ranked = xcalloc(all->n + 1, sizeof(*ranked));
	size_t n = 0;
	for (size_t i = 0; i < all->n; i++)
		if (all->items[i].direction == direction)
			ranked[n++] = (struct ranked){ all->items[i], i };
	if (n > 1)
		qsort(ranked, n, sizeof(*ranked), compare_ranked);
	struct fw_rule *items = arena_array(arena, n, sizeof(*items));
	for (size_t i = 0; i < n; i++)
		items[i] = ranked[i].rule;
	return (struct fw_rules){ .items = items, .n = n };
}

static void build_group(struct building *b, const struct fw_group_conf *conf, struct fw_group *ret)
{
	struct arena *arena = &b->policy->arena;
	CLEANUP(freep) char *at = xasprintf("/firewall/groups/%s/rules", conf->name);
	CLEANUP(freep) char *owner = xasprintf("group %s", conf->name);
	struct fw_rules all = filter_read_rules(&b->reader, &conf->rules, at, owner);
	*ret = (struct fw_group){
		.name = arena_strdup(arena, conf->name),
		.priority = conf->priority ? (int)conf->priority : PRIORITY_DEFAULT,
		.locked = conf->locked,
		.defaults = { [FW_IN] = (enum fw_default)conf->defaults.in,
				[FW_OUT] = (enum fw_default)conf->defaults.out },
		.comment = arena_strdup(arena, conf->comment ? conf->comment : ""),
	};
	for (int d = 0; d < N_FW_DIRECTIONS; d++)
		ret->rules[d] = in_order(arena, &all, (enum fw_direction)d);
}

static void build_groups(struct building *b)
{
	const struct jlist *groups = &b->host->conf.firewall.groups;
	const struct fw_group_conf *confs = groups->items;
	struct fw_policy *policy = b->policy;
	policy->groups = arena_array(&policy->arena, groups->n, sizeof(*policy->groups));
	policy->members = arena_array(&policy->arena, groups->n, sizeof(*policy->members));
	policy->n_groups = groups->n;
	for (size_t i = 0; i < groups->n; i++)
		build_group(b, &confs[i], &policy->groups[i]);
	if (policy->n_groups > 1)
		qsort(policy->groups, policy->n_groups, sizeof(*policy->groups), compare_names);
	for (size_t i = 0; i < policy->n_groups; i++)
		policy->members[i] = (struct fw_set){ .name = policy->groups[i].name };
}

/* The walk from a group into those that its rules name. */
enum mark { UNSEEN, ON_PATH, DONE };
struct walk {
	struct building *b;
	enum mark *marks; /* one for each group */
	const struct fw_group **path;
	size_t n_path;
};

static void follow(struct walk *w, const struct fw_group *group);

static void report_circle(struct walk *w, const struct fw_rule *rule, const struct fw_group *to)
{
	CLEANUP(buf_done) struct buf circle = {};
	size_t i = 0;
	while (w->path[i] != to)
		i++;
	for (; i < w->n_path; i++)
		buf_printf(&circle, "'%s' -> ", w->path[i]->name);
	CLEANUP(freep)
	char *at = check_peer_pointer(w->b->host->merged, rule, '&', to->name);
	filter_report(&w->b->reader, at,
			"rules of groups name each other's members in a circle: %s'%s'; put one of "
			"them into a tag's or machine's own rules",
			buf_text(&circle), to->name);
}

static void follow_rule(struct walk *w, const struct fw_rule *rule)
{
	const struct fw_policy *policy = w->b->policy;
	for (size_t i = 0; i < rule->n_groups; i++) {
		const struct fw_group *to = fw_policy_group(policy, rule->groups[i]);
		if (!to || w->marks[to - policy->groups] == DONE)
			continue;
		if (w->marks[to - policy->groups] == ON_PATH)
			report_circle(w, rule, to);
		else
			follow(w, to);
	}
}

/* Recursion is bounded by the number of groups: each is entered once. */
static void follow(struct walk *w, const struct fw_group *group)
{
	size_t index = (size_t)(group - w->b->policy->groups);
	w->marks[index] = ON_PATH;
	w->path[w->n_path++] = group;
	for (int d = 0; d < N_FW_DIRECTIONS; d++)
		for (size_t i = 0; i < group->rules[d].n; i++)
			follow_rule(w, &group->rules[d].items[i]);
	w->n_path--;
	w->marks[index] = DONE;
}

static void check_circles(struct building *b)
{
	size_t n = b->policy->n_groups;
	CLEANUP(freep) enum mark *marks = xcalloc(n + 1, sizeof(*marks));
	CLEANUP(freep) const struct fw_group **path = xcalloc(n + 1, sizeof(*path));
	struct walk w = { .b = b, .marks = marks, .path = path };
	for (size_t i = 0; i < n; i++)
		if (marks[i] == UNSEEN)
			follow(&w, &b->policy->groups[i]);
}

static void check_default(struct building *b, const struct fw_default_conf *conf, const char *of,
		const char *name)
{
	const int values[] = { [FW_IN] = conf->in, [FW_OUT] = conf->out };
	for (int d = 0; d < N_FW_DIRECTIONS; d++) {
		CLEANUP(buf_done) struct buf at = {};
		buf_puts(&at, of);
		jpointer_push(&at, name);
		buf_printf(&at, "/default/%s", fw_direction_names[d]);
		if (values[d] == FW_DEFAULT_DROP)
			filter_report(&b->reader, buf_text(&at),
					"with the firewall's \"state\": \"none\" a default can't "
					"be \"drop\": answers would be dropped too");
	}
}

static void check_defaults(struct building *b)
{
	const struct jlist *groups = &b->host->conf.firewall.groups;
	const struct jlist *networks = &b->host->conf.network;
	const struct fw_group_conf *group = groups->items;
	const struct network_conf *network = networks->items;
	for (size_t i = 0; i < groups->n; i++)
		check_default(b, &group[i].defaults, "/firewall/groups", group[i].name);
	for (size_t i = 0; i < networks->n; i++)
		check_default(b, &network[i].defaults, "/network", network[i].name);
}

int fw_policy_build(const struct host *host, struct fw_policy *ret, struct report *report)
{
	*ret = (struct fw_policy){};
	struct building b = { .host = host, .policy = ret, .report = report };
	b.reader = (struct filter_reader){
		.arena = &ret->arena, .report = report_host, .context = &b
	};
	size_t before = report->n_errors_told;
	int state = host->conf.firewall.state;
	struct json_object *section = jtree_get(host->merged, "firewall");
	if (host->has_flaws && jtree_has_flaw(section))
		ret->flawed = json_object_get(section);
	ret->state = state < 0 ? FW_STATE_AUTO : (enum fw_state)state;
	build_sets(&b);
	build_groups(&b);
	for (size_t i = 0; i < ret->n_groups; i++)
		for (int d = 0; d < N_FW_DIRECTIONS; d++)
			check_rules(ret, &b.reader, host->merged, &ret->groups[i].rules[d]);
	check_circles(&b);
	if (ret->state == FW_STATE_NONE)
		check_defaults(&b);
	return ret->flawed || report->n_errors_told > before;
}
