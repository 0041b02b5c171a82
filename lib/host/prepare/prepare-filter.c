/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The packet filter of a machine's connections. It is there before their interfaces are, and until
 * they are gone.
 */
#include "host/prepare/prepare-filter.h"

#include "host/net/firewall.h"
#include "host/net/hold.h"
#include "host/net/tap.h"
#include "util/mem.h"

/* The host's groups and sets. */
static const struct fw_policy *policy_of(const struct prepare_context *c)
{
	static const struct fw_policy nothing = {};
	return c->options->policy ? c->options->policy : &nothing;
}

static int need_nft(struct prepare_context *c, struct error *err)
{
	int r = prepare_network(c, err);
	return r < 0 || c->nft.socket ? r : nft_open(&c->nft, err);
}

struct ports {
	struct fw_port *items;
	size_t n;
};

static void ports_done(struct ports *ports)
{
	for (size_t i = 0; i < ports->n; i++)
		fw_port_done(&ports->items[i]);
	free(ports->items);
}

/* Rules are called by the names of interfaces: one that is another's must not get them. */
static int check_link(struct prepare_context *c, const struct plan_fd *fd, struct error *err)
{
	CLEANUP(freep) char *alias = tap_alias(c->plan->machine, fd->connection);
	return tap_check_name(&c->netlink, fd->link, alias, err);
}

/* The plan's connections that have a filter, each against the host's groups and sets. */
static int resolve(struct prepare_context *c, struct ports *ret, struct error *err)
{
	const struct plan *plan = c->plan;
	ret->items = xcalloc(plan->n_fds, sizeof(*ret->items));
	for (size_t i = 0; i < plan->n_fds; i++) {
		if (!plan->fds[i].filter)
			continue;
		struct fw_port *port = &ret->items[ret->n++];
		int r = fw_port_of_plan(policy_of(c), plan, &plan->fds[i], port, err);
		if (r == 0)
			r = check_link(c, &plan->fds[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int install(struct prepare_context *c, const struct firewall_port *ports, size_t n,
		struct error *err)
{
	const struct firewall_request request = {
		.policy = policy_of(c),
		.ports = ports,
		.n = n,
		.others = c->options->others,
		.links = &c->netlink,
	};
	return firewall_install(&c->nft, &request, err);
}

int prepare_filter(struct prepare_context *c, size_t i, struct error *err)
{
	(void)i;
	CLEANUP(ports_done) struct ports ports = {};
	int r = need_nft(c, err);
	if (r == 0)
		r = resolve(c, &ports, err);
	if (r < 0)
		return r;
	CLEANUP(freep) struct firewall_port *wanted = xcalloc(ports.n, sizeof(*wanted));
	for (size_t k = 0; k < ports.n; k++)
		wanted[k].port = &ports.items[k];
	return install(c, wanted, ports.n, err);
}

int prepare_filter_one(struct prepare_context *c, const struct plan_fd *fd, struct error *err)
{
	CLEANUP(fw_port_done) struct fw_port port = {};
	int r = need_nft(c, err);
	if (r == 0)
		r = fw_port_of_plan(policy_of(c), c->plan, fd, &port, err);
	if (r == 0)
		r = check_link(c, fd, err);
	if (r < 0)
		return r;
	const struct firewall_port wanted = { .port = &port };
	return install(c, &wanted, 1, err);
}

/* Of whatever plan the machine was started with: its chains say whose they are. */
int prepare_undo_filter(struct prepare_context *c, size_t i, struct error *err)
{
	(void)i;
	const struct plan *plan = c->plan;
	CLEANUP(freep)
	const struct vm_filter **filters = xcalloc(plan->n_fds + 1, sizeof(*filters));
	CLEANUP(strv_done) struct strv links = {};
	if (plan->is_all && !plan_has_filter(plan))
		return 0;
	for (size_t k = 0; k < plan->n_fds; k++) {
		filters[k] = plan->fds[k].filter;
		if (filters[k])
			strv_push(&links, plan->fds[k].link);
	}
	int r = need_nft(c, err);
	if (r == 0)
		r = firewall_remove(&c->nft,
				&(struct firewall_removal){
						.machine = plan->machine,
						.links = plan->is_all ? &links : NULL,
						.filters = filters,
						.n_filters = plan->n_fds,
				},
				err);
	/* Who may not ask, or has a kernel without netfilter, has installed nothing. */
	bool cannot_be = r == -EPERM || r == -EPROTONOSUPPORT;
	return cannot_be && !plan_has_filter(plan) ? 0 : r;
}

/*
 * The interface is there before this looks: who leaves the mark afterwards finds it. Its guest
 * sends nothing yet.
 */
int prepare_hold(struct prepare_context *c, const struct plan_fd *fd, struct error *err)
{
	CLEANUP(freep) char *alias = tap_alias(c->plan->machine, fd->connection);
	struct link link;
	if (!fd->filter || !hold_is_on(c->parent_dir))
		return 0;
	int r = tap_find(&c->netlink, fd->link, alias, &link, err);
	if (r > 0)
		return error_set(err, ENODEV, "interface '%s' has gone", fd->link);
	return r < 0 || !link.master ? r : port_set_open(&c->netlink, &link, false, err);
}
