/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The connections with a filter of machines that are prepared. */
#include "hook/firewall-prepared.h"

#include "setup/hookplan.h"
#include "setup/networks.h"
#include "util/mem.h"

static void port_free(struct fw_port *port)
{
	fw_port_done(port);
	free(port);
}

void prepared_done(struct prepared *prepared)
{
	for (size_t i = 0; i < prepared->n_ports; i++)
		port_free(prepared->ports[i]);
	for (size_t i = 0; i < prepared->n_plans; i++) {
		plan_done(prepared->plans[i]);
		free(prepared->plans[i]);
	}
	for (size_t i = 0; i < prepared->n_networks; i++)
		network_done(&prepared->networks[i]);
	free(prepared->networks);
	free(prepared->ports);
	free(prepared->plans);
	free(prepared->requests);
	*prepared = (struct prepared){};
}

static void add_ports(
		struct prepared *prepared, const struct fw_policy *policy, const struct plan *plan)
{
	for (size_t i = 0; i < plan->n_fds; i++) {
		struct error ignored = {};
		if (plan->fds[i].kind != PLAN_FD_TAP || !plan->fds[i].filter)
			continue;
		struct fw_port *port = xcalloc(1, sizeof(*port));
		if (fw_port_of_plan(policy, plan, &plan->fds[i], port, &ignored) < 0) {
			port_free(port);
			continue;
		}
		prepared->ports = grow_array(prepared->ports, &prepared->n_ports_alloc,
				prepared->n_ports, sizeof(*prepared->ports));
		prepared->ports[prepared->n_ports++] = port;
	}
}

static void add_machine(struct prepared *prepared, const struct config_paths *paths,
		const struct fw_policy *policy, const char *name)
{
	struct error doubt = {};
	struct plan *plan = xcalloc(1, sizeof(*plan));
	hookplan_recall(paths, HOOK_QEMU, name, plan, &doubt);
	prepared->plans = grow_array(prepared->plans, &prepared->n_plans_alloc, prepared->n_plans,
			sizeof(struct plan *));
	prepared->plans[prepared->n_plans++] = plan;
	add_ports(prepared, policy, plan);
}

static int add_networks(
		struct prepared *prepared, const struct config_paths *paths, struct error *err)
{
	CLEANUP(strv_done) struct strv names = {};
	int r = networks_recall_names(paths, &names, err);
	prepared->networks = xcalloc(names.n + 1, sizeof(*prepared->networks));
	for (size_t i = 0; i < names.n; i++) {
		CLEANUP(freep) char *run_dir = network_run_dir(paths->run_dir, names.items[i]);
		struct network *network = &prepared->networks[prepared->n_networks];
		network_recall(run_dir, names.items[i], network);
		if (network->bridge)
			prepared->n_networks++;
		else
			network_done(network);
	}
	return r;
}

int prepared_find(const struct config_paths *paths, const struct fw_policy *policy,
		const struct strv *names, struct prepared *ret, struct error *err)
{
	CLEANUP(strv_done) struct strv kept = {};
	*ret = (struct prepared){};
	int r = hookplan_list(paths, &kept, err);
	for (size_t i = 0; r == 0 && i < kept.n; i++)
		if (!names || strv_contains(names, kept.items[i]))
			add_machine(ret, paths, policy, kept.items[i]);
	ret->requests = xcalloc(ret->n_ports + 1, sizeof(*ret->requests));
	for (size_t i = 0; i < ret->n_ports; i++)
		ret->requests[i].port = ret->ports[i];
	return r < 0 || names ? r : add_networks(ret, paths, err);
}

/* ---- others ---- */

static int find_others(void *data, const struct fw_policy *policy, const struct firewall_port **ret,
		size_t *ret_n, struct error *err)
{
	struct prepared_others *others = data;
	prepared_done(&others->found);
	int r = prepared_find(others->paths, policy, NULL, &others->found, err);
	if (r < 0)
		return r;
	*ret = others->found.requests;
	*ret_n = others->found.n_ports;
	return 0;
}

void prepared_others_init(struct prepared_others *ret, const struct config_paths *paths)
{
	*ret = (struct prepared_others){
		.others = { .find = find_others, .data = ret },
		.paths = paths,
	};
}

void prepared_others_done(struct prepared_others *others)
{
	prepared_done(&others->found);
}
