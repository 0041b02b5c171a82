/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Macvtaps of connections. */
#include "host/prepare/prepare-macvtap.h"

#include "host/net/macvtap.h"
#include "host/net/tap.h"
#include "util/mem.h"
#include "util/parse.h"

/* Also opens the network. @ret_alias: the caller frees it, after the request */
static int begin(struct prepare_context *c, size_t i, struct macvtap_request *ret, char **ret_alias,
		struct error *err)
{
	const struct plan_fd *fd = &c->plan->fds[i];
	*ret_alias = tap_alias(c->plan->machine, fd->connection);
	*ret = (struct macvtap_request){
		.name = fd->link,
		.alias = *ret_alias,
		.network = fd->network,
		.device = fd->device,
		.mode = fd->macvtap_mode,
		.mtu = (uint32_t)fd->mtu,
		.queues = plan_n_queues(c->plan, i),
	};
	return parse_mac(fd->mac, ret->mac) < 0
			       ? error_set(err, EINVAL, "'%s' is not a MAC address", fd->mac)
			       : prepare_network(c, err);
}

int prepare_macvtap(struct prepare_context *c, size_t i, struct error *err)
{
	CLEANUP(freep) char *alias = NULL;
	struct macvtap_request request;
	int r = begin(c, i, &request, &alias, err);
	return r < 0 ? r : macvtap_create(&c->netlink, &request, &c->fds[i], err);
}

int prepare_check_macvtap(struct prepare_context *c, size_t i, struct error *err)
{
	CLEANUP(freep) char *alias = NULL;
	struct macvtap_request request;
	int r = begin(c, i, &request, &alias, err);
	if (r == 0)
		r = tap_check_name(&c->netlink, request.name, alias, err);
	return r < 0 ? r : macvtap_look(&c->netlink, &request, err);
}

int prepare_undo_macvtap(struct prepare_context *c, size_t i, struct error *err)
{
	CLEANUP(freep) char *alias = NULL;
	struct macvtap_request request;
	int r = begin(c, i, &request, &alias, err);
	return r < 0 ? r : macvtap_remove(&c->netlink, &request, err);
}
