/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connections with a filter of machines that are prepared, and the networks that are: by the
 * plans that they were prepared with, so that this is what the kernel should have now, whatever the
 * config has become since. Nothing is locked.
 */
#pragma once

#include "config/load.h"
#include "host/net/firewall.h"
#include "model/network.h"
#include "model/plan.h"

struct prepared {
	struct plan **plans;
	size_t n_plans, n_plans_alloc;
	struct fw_port **ports; /* of these */
	size_t n_ports, n_ports_alloc;
	struct firewall_port *requests; /* one for each of them */
	struct network *networks;
	size_t n_networks;
};

void prepared_done(struct prepared *prepared);

/*
 * Plans that can't be read, and connections whose groups or sets the config has no more, are left
 * out: who starts or changes the machine is told.
 *
 * @policy: must outlive @ret
 * @names: NULL: all machines, and the networks
 */
MUST_CHECK int prepared_find(const struct config_paths *paths, const struct fw_policy *policy,
		const struct strv *names, struct prepared *ret, struct error *err);

/* Who tells a start what groups have lost: members of machines that are prepared. */
struct prepared_others {
	struct firewall_others others;
	const struct config_paths *paths;
	struct prepared found;
};
/* Looks for nothing until it is asked. @paths and @ret itself stay where they are. */
void prepared_others_init(struct prepared_others *ret, const struct config_paths *paths);
void prepared_others_done(struct prepared_others *others);
