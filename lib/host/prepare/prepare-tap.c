/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taps of connections. */
#include "host/prepare/prepare-tap.h"

#include <unistd.h>

#include "host/os/process.h"
#include "host/prepare/prepare-filter.h"
#include "util/mem.h"
#include "util/parse.h"

static int run_script(const struct plan_fd *fd, const char *script, struct error *err)
{
	const char *argv[] = { script, fd->link, NULL };
	int r = process_run(&(struct process){ .argv = argv }, err);
	return r < 0 ? error_wrap(err, "network '%s'", fd->network) : 0;
}

int prepare_tap_want_init(const struct plan *plan, const struct plan_fd *fd,
		struct prepare_tap_want *ret, struct error *err)
{
	*ret = (struct prepare_tap_want){
		.alias = tap_alias(plan->machine, fd->connection),
		.port = {
			.protect = fd->protect,
			.isolate = fd->isolate,
			.lock = fd->filter && fd->filter->guard.mac,
			.catch_reserved = fd->filter && fd->filter->guard.other,
			.vlan = (uint16_t)fd->vlan,
			.vlans = fd->filter ? fd->filter->vlans : NULL,
			.n_vlans = fd->filter ? fd->filter->n_vlans : 0,
		},
		.request = {
			.name = fd->link,
			.network = fd->network,
			.bridge = fd->bridge,
			.own_bridge = fd->own,
			.mtu = (uint32_t)fd->mtu,
			/* The script is to see the interface when QEMU is gone. */
			.persistent = fd->down != NULL,
		},
	};
	ret->request.alias = ret->alias;
	const struct port_settings *port = &ret->port;
	ret->request.port = port->protect || port->lock || port->catch_reserved ? port : NULL;
	if (parse_mac(fd->mac, ret->request.mac) < 0)
		return error_set(err, EINVAL, "'%s' is not a MAC address", fd->mac);
	return 0;
}

void prepare_tap_want_done(struct prepare_tap_want *tap)
{
	free(tap->alias);
	*tap = (struct prepare_tap_want){};
}

int prepare_tap_renew(struct netlink *nl, const struct plan *plan, const struct plan_fd *fd,
		struct error *err)
{
	CLEANUP(prepare_tap_want_done) struct prepare_tap_want tap = {};
	int r = prepare_tap_want_init(plan, fd, &tap, err);
	if (r == 0)
		r = tap_renew(nl, &tap.request, err);
	return r < 0 ? r : 0;
}

int prepare_tap(struct prepare_context *c, size_t i, struct error *err)
{
	const struct plan_fd *fd = &c->plan->fds[i];
	CLEANUP(prepare_tap_want_done) struct prepare_tap_want tap = {};
	int r = prepare_tap_want_init(c->plan, fd, &tap, err);
	tap.request.queues = plan_n_queues(c->plan, i);
	/* 'machina connect' lets it join, with all of a port's settings. */
	if (fd->disconnected)
		tap.request.bridge = NULL;
	if (r == 0)
		r = prepare_network(c, err);
	if (r == 0)
		r = tap_create(&c->netlink, &tap.request, &c->fds[i], err);
	if (r < 0)
		return r;
	if (fd->up)
		r = run_script(fd, fd->up, err);
	if (r == 0)
		r = prepare_hold(c, fd, err);
	if (r < 0)
		(void)!tap_remove(&c->netlink, fd->link, tap.alias, NULL);
	return r;
}

int prepare_check_tap(struct prepare_context *c, size_t i, struct error *err)
{
	const struct plan_fd *fd = &c->plan->fds[i];
	CLEANUP(prepare_tap_want_done) struct prepare_tap_want tap = {};
	int r = prepare_tap_want_init(c->plan, fd, &tap, err);
	if (r == 0)
		r = prepare_network(c, err);
	if (r == 0)
		r = tap_check_name(&c->netlink, fd->link, tap.alias, err);
	/* A bridge of our own is made by its network's unit: that is to be asked
	 * (host/net/network.h). */
	if (r == 0 && !fd->disconnected && !fd->own)
		r = tap_look(&c->netlink, &tap.request, err);
	if (r == 0 && fd->up && access(fd->up, X_OK) < 0)
		return error_errno(err, "network '%s': cannot execute '%s'", fd->network, fd->up);
	return r;
}

int prepare_undo_tap(struct prepare_context *c, size_t i, struct error *err)
{
	const struct plan_fd *fd = &c->plan->fds[i];
	CLEANUP(freep) char *alias = tap_alias(c->plan->machine, fd->connection);
	struct link link;
	int r = prepare_network(c, err);
	if (r == 0)
		r = tap_find(&c->netlink, fd->link, alias, &link, err);
	if (r != 0)
		return r;
	int script = fd->down ? run_script(fd, fd->down, err) : 0;
	int removed = tap_remove(&c->netlink, fd->link, alias, script < 0 ? NULL : err);
	return script < 0 ? script : removed;
}

int prepare_undo_links(struct prepare_context *c, size_t i, struct error *err)
{
	(void)i;
	if (c->plan->is_all)
		return 0;
	CLEANUP(freep) char *prefix = tap_alias_prefix(c->plan->machine);
	int r = prepare_network(c, err);
	return r < 0 ? r : tap_remove_all(&c->netlink, prefix, err);
}
