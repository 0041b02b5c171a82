/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina firewall check: the rules of the config before the kernel. */
#include <json-c/json_object.h>
#include <stdio.h>

#include "cli/output.h"
#include "hook/firewall-prepared.h"
#include "host/net/firewall.h"
#include "host/net/net-rules.h"
#include "host/os/netns.h"
#include "json/jtree.h"
#include "setup/built.h"
#include "setup/machines.h"
#include "util/mem.h"

struct check_options {
	bool json;
};

/* Everything that is to be checked at once, since machines share what is checked. */
struct checked {
	struct built *built;
	size_t n;
	struct fw_port *ports;
	struct firewall_port *requests;
	size_t n_ports, n_alloc;
};

static void checked_done(struct checked *c)
{
	for (size_t i = 0; i < c->n_ports; i++)
		fw_port_done(&c->ports[i]);
	for (size_t i = 0; i < c->n; i++)
		built_done(&c->built[i]);
	free(c->built);
	free(c->ports);
	free(c->requests);
}

static int add_ports(struct checked *c, const struct fw_policy *policy, const struct vm *vm,
		struct error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < vm->n_nics; i++) {
		if (!vm->nics[i].filter)
			continue;
		c->ports = grow_array(c->ports, &c->n_alloc, c->n_ports, sizeof(*c->ports));
		r = fw_port_of_nic(policy, vm, &vm->nics[i], &c->ports[c->n_ports++], err);
	}
	return r;
}

/* Returns 0, 1 with findings in @config, or a negative errno. */
static int load_all(struct checked *c, struct config *config, const struct strv *names,
		struct error *err)
{
	c->built = xcalloc(names->n + 1, sizeof(*c->built));
	for (size_t i = 0; i < names->n; i++) {
		struct built *built = &c->built[c->n++];
		int r = built_load(built, config, names->items[i], err);
		if (r == 0)
			r = add_ports(c, &config->policy, &built->vm, err);
		if (r < 0)
			return r;
	}
	return config->report.n_errors ? 1 : 0;
}

static int ask_kernel(struct checked *c, const struct fw_policy *policy, struct netlink *nft,
		struct error *err)
{
	c->requests = xcalloc(c->n_ports + 1, sizeof(*c->requests));
	const struct firewall_request request = {
		.policy = policy, .ports = c->requests, .n = c->n_ports
	};
	for (size_t i = 0; i < c->n_ports; i++)
		c->requests[i].port = &c->ports[i];
	return firewall_check(nft, &request, err);
}

/* What the kernel should have already, of machines that are prepared. */
static int find_changed(const struct config_paths *paths, const struct fw_policy *policy,
		const struct strv *names, struct netlink *nft, struct strv *ret_changed,
		struct error *err)
{
	CLEANUP(prepared_done) struct prepared prepared = {};
	CLEANUP(netlink_done) struct netlink links = {};
	int r = prepared_find(paths, policy, names, &prepared, err);
	const struct firewall_request request = {
		.policy = policy, .ports = prepared.requests, .n = prepared.n_ports
	};
	if (r == 0)
		r = netlink_open(&links, err);
	if (r == 0)
		r = firewall_find_changed(nft, &links, &request, ret_changed, err);
	for (size_t i = 0; r == 0 && i < prepared.n_networks; i++)
		r = net_rules_find_changed(nft, &links, &prepared.networks[i], ret_changed, err);
	return r;
}

/* Returns 0, or a negative errno. @names: of the machines that were asked for; NULL: all */
static int look(const struct call *call, struct checked *c, const struct fw_policy *policy,
		const struct strv *names, struct strv *ret_changed, struct error *err)
{
	CLEANUP(netns_done) struct netns outside = {};
	CLEANUP(netlink_done) struct netlink nft = {};
	int r = netns_enter(NETNS_HOST, &outside, err);
	if (r == 0)
		r = nft_open(&nft, err);
	if (r == 0)
		r = ask_kernel(c, policy, &nft, err);
	if (r < 0)
		return r;
	return find_changed(&call->paths, policy, names, &nft, ret_changed, err);
}

static void print_json_result(const struct checked *c, const struct strv *changed)
{
	struct json_object *o = jtree_object();
	jtree_set(o, "n_connections", jtree_int((int64_t)c->n_ports));
	jtree_set(o, "changed", jtree_strings(changed));
	print_json(o);
	json_object_put(o);
}

static void print_result(const struct checked *c, const struct strv *changed)
{
	printf("the kernel takes the packet filters of %zu connection%s\n", c->n_ports,
			c->n_ports == 1 ? "" : "s");
	for (size_t i = 0; i < changed->n; i++)
		complain("%s is not as machina makes it, changed by hand or older than an upgrade: "
			 "'machina firewall apply' mends it",
				changed->items[i]);
}

static int check_run(const struct call *call, struct error *err)
{
	const struct check_options *options = call->options;
	CLEANUP(config_done) struct config config = {};
	CLEANUP(checked_done) struct checked checked = {};
	CLEANUP(strv_done) struct strv names = {}, changed = {};
	bool some = call->machines.patterns.n || call->machines.tags.n;
	int r = config_load(&config, &call->paths, err);
	if (r == 0)
		r = some ? machines_select(call, &config.report, &names, err)
			 : machine_list(&call->paths, &names, &config.report, err);
	if (r == 0)
		r = load_all(&checked, &config, &names, err);
	print_errors(&config.report);
	if (r != 0)
		return r < 0 ? r : STATUS_FAILURE;
	r = look(call, &checked, &config.policy, some ? &names : NULL, &changed, err);
	if (r < 0)
		return r;
	if (options->json)
		print_json_result(&checked, &changed);
	else
		print_result(&checked, &changed);
	return changed.n ? STATUS_FAILURE : STATUS_DONE;
}

static const struct option_spec options[] = {
	OPTION_JSON(struct check_options, json),
	{},
};

static const struct example examples[] = {
	{ "machina firewall check", "Before 'machina generate' and 'machina firewall apply'." },
	{},
};

const struct command cmd_firewall_check = {
	.name = "firewall check",
	.group = GROUP_CONFIGURE,
	.flags = COMMAND_FILES | COMMAND_SELECTS | COMMAND_LIVE,
	.arguments = arguments_machines_optional,
	.summary = "Ask the kernel whether it would take the rules of the config",
	.description = "As the config says them now, of the named machines or of all. The kernel "
		       "looks at the whole transaction and changes nothing.\n"
		       "\n"
		       "What the kernel has already of machines that are prepared is looked at, "
		       "too, and without names what it has of networks: chains, maps and address "
		       "sets that are not as this version makes them, as somebody has changed "
		       "them or an upgrade came since, are named, and are a failure.",
	.options = options,
	.options_size = sizeof(struct check_options),
	.examples = examples,
	.run = check_run,
};
