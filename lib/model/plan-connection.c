/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The connections in a plan. */
#include <string.h>

#include "model/plan.h"
#include "util/mem.h"

static bool is_of_connection(const struct plan_fd *fd)
{
	return fd->connection != NULL;
}

static bool is_function(const struct vm_pci *pci)
{
	return pci->vf.network != NULL;
}

size_t plan_n_connections(const struct plan *plan)
{
	size_t n = plan->n_netdevs;
	for (size_t i = 0; i < plan->n_fds; i++)
		n += is_of_connection(&plan->fds[i]);
	for (size_t i = 0; i < plan->n_pcis; i++)
		n += is_function(&plan->pcis[i]);
	return n;
}

struct plan_connection plan_connection(const struct plan *plan, size_t i)
{
	for (size_t k = 0; k < plan->n_fds; k++) {
		const struct plan_fd *fd = &plan->fds[k];
		if (!is_of_connection(fd) || i-- > 0)
			continue;
		return (struct plan_connection){
			.name = fd->connection,
			.network = fd->network,
			.id = fd->name,
			.link = fd->link,
			.tap = fd->kind == PLAN_FD_TAP ? fd : NULL,
			.disconnected = fd->disconnected,
		};
	}
	if (i < plan->n_netdevs) {
		const struct plan_netdev *netdev = &plan->netdevs[i];
		return (struct plan_connection){
			.name = netdev->connection,
			.network = netdev->network,
			.id = netdev->name,
			.disconnected = netdev->disconnected,
		};
	}
	i -= plan->n_netdevs;
	for (size_t k = 0; k < plan->n_pcis; k++) {
		const struct vm_pci *pci = &plan->pcis[k];
		if (is_function(pci) && i-- == 0)
			return (struct plan_connection){ .name = pci->name,
				.network = pci->vf.network };
	}
	return (struct plan_connection){};
}

/* "-set" can't name what has a dot in its id (qemu_vhost_args()). */
char *plan_netdev_id(const struct plan *plan, const char *id)
{
	const char *index = strrchr(id, '.') + 1;
	CLEANUP(freep) char *vhost = xasprintf("vhost.%s", index);
	return plan_find(plan, vhost) ? xasprintf("net%s", index) : xstrdup(id);
}
