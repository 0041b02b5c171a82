/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina firewall check: the rules of the config before the kernel. */
#include <stdio.h>

#include "built.h"
#include "host/firewall.h"
#include "host/netns.h"
#include "machines.h"
#include "output.h"
#include "util/mem.h"

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

/* @ret_changed: chains that somebody has changed by hand */
static int ask_kernel(struct checked *c, const struct fw_policy *policy, struct strv *ret_changed,
		struct error *err)
{
	CLEANUP(netns_done) struct netns outside = {};
	CLEANUP(netlink_done) struct netlink nl = {};
	c->requests = xcalloc(c->n_ports + 1, sizeof(*c->requests));
	const struct firewall_request request = {
		.policy = policy, .ports = c->requests, .n = c->n_ports
	};
	for (size_t i = 0; i < c->n_ports; i++)
		c->requests[i].port = &c->ports[i];
	int r = netns_enter(NETNS_HOST, &outside, err);
	if (r == 0)
		r = nft_open(&nl, err);
	if (r == 0)
		r = firewall_check(&nl, &request, err);
	return r < 0 ? r : firewall_find_changed(&nl, &request, ret_changed, err);
}

static int check_run(const struct call *call, struct error *err)
{
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
	print_report(stderr, &config.report);
	if (r != 0)
		return r < 0 ? r : STATUS_FAILURE;
	r = ask_kernel(&checked, &config.policy, &changed, err);
	if (r < 0)
		return r;
	printf("the kernel takes the packet filters of %zu connections\n", checked.n_ports);
	for (size_t i = 0; i < changed.n; i++)
		complain("somebody has emptied or changed the chain '%s' by hand: 'machina "
			 "firewall apply' gives it its rules back",
				changed.items[i]);
	return changed.n ? STATUS_FAILURE : STATUS_DONE;
}

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
		       "What the kernel has of them already is looked at, too: chains that "
		       "somebody has emptied or changed by hand are named, and are a failure.",
	.examples = examples,
	.run = check_run,
};
