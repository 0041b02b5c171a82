/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina firewall counters: what the rules of a machine have counted. */
#include <inttypes.h>
#include <json-c/json_object.h>
#include <stdio.h>

#include "cli/complete.h"
#include "cli/output.h"
#include "cli/table.h"
#include "host/net/firewall.h"
#include "host/os/netns.h"
#include "json/jtree.h"
#include "setup/hookplan.h"
#include "util/mem.h"

struct counters_options {
	bool json;
};

static void print_counters(const struct nft_list *rules)
{
	static const struct column columns[] = { { "CHAIN" }, { "PACKETS", .right = true },
		{ "BYTES", .right = true }, { "RULE" } };
	CLEANUP(table_done)
	struct table t = { .columns = columns, .n_columns = ARRAY_SIZE(columns) };
	for (size_t i = 0; i < rules->n; i++) {
		const struct nft_item *rule = &rules->items[i];
		table_add(&t, STYLE_PLAIN, "%s", rule->name);
		table_add(&t, STYLE_PLAIN, "%" PRIu64, rule->packets);
		table_add(&t, STYLE_PLAIN, "%" PRIu64, rule->bytes);
		table_add(&t, STYLE_PLAIN, "%s", rule->comment);
	}
	table_print(&t, stdout);
}

static void print_counters_json(const struct nft_list *rules)
{
	struct json_object *list = jtree_list();
	for (size_t i = 0; i < rules->n; i++) {
		const struct nft_item *rule = &rules->items[i];
		struct json_object *object = jtree_object();
		jtree_set(object, "chain", jtree_string(rule->name));
		jtree_set(object, "rule", jtree_string(rule->comment));
		jtree_set(object, "packets", jtree_int((int64_t)rule->packets));
		jtree_set(object, "bytes", jtree_int((int64_t)rule->bytes));
		jtree_push(list, object);
	}
	print_json(list);
	json_object_put(list);
}

/* The chains of groups count for all their members. */
static int count_groups(struct netlink *nl, const struct plan *plan, struct nft_list *ret,
		struct error *err)
{
	CLEANUP(strv_done) struct strv done = {};
	int r = 0;
	for (size_t i = 0; i < plan->n_fds; i++) {
		const struct vm_filter *filter = plan->fds[i].filter;
		for (size_t k = 0; filter && k < filter->n_groups; k++) {
			const char *group = filter->groups[k];
			if (strv_contains(&done, group))
				continue;
			strv_push(&done, group);
			for (int d = 0; r == 0 && d < N_FW_DIRECTIONS; d++) {
				CLEANUP(freep)
				char *chain = xasprintf("grp-%s-%s", group, fw_direction_names[d]);
				r = firewall_count_chain(nl, chain, ret, err);
			}
		}
	}
	return r;
}

static int counters_run(const struct call *call, struct error *err)
{
	const struct counters_options *options = call->options;
	const char *machine = call->words.items[0];
	CLEANUP(plan_done) struct plan plan = {};
	CLEANUP(netns_done) struct netns outside = {};
	CLEANUP(netlink_done) struct netlink nl = {};
	CLEANUP(nft_list_done) struct nft_list rules = {};
	struct error doubt = {};
	int r = netns_enter(NETNS_HOST, &outside, err);
	if (r == 0)
		r = nft_open(&nl, err);
	if (r == 0)
		r = firewall_count(&nl, machine, &rules, err);
	if (r > 0)
		return error_set(err, ENOENT,
				"machine '%s' has no packet filter now: it does not run, or none "
				"of its connections has one",
				machine);
	hookplan_recall(&call->paths, HOOK_QEMU, machine, &plan, &doubt);
	if (r == 0)
		r = count_groups(&nl, &plan, &rules, err);
	if (r < 0)
		return r;
	if (options->json)
		print_counters_json(&rules);
	else
		print_counters(&rules);
	return STATUS_DONE;
}

static const struct option_spec options[] = { OPTION_JSON(struct counters_options, json), {} };

static const struct example examples[] = {
	{ "machina firewall counters web", "What was dropped, and by which rule." },
	{},
};

const struct command cmd_firewall_counters = {
	.name = "firewall counters",
	.group = GROUP_LOOK,
	.flags = COMMAND_FILES | COMMAND_LIVE,
	.arguments = arguments_machine,
	.summary = "Show how many packets each rule of a machine that runs has decided",
	.description = "Since the rules were installed; first those of the machine's connections, "
		       "then those of its groups (chains \"grp-...\"), which count for all their "
		       "members together.",
	.options = options,
	.options_size = sizeof(struct counters_options),
	.examples = examples,
	.run = counters_run,
};
