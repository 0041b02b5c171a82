/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machines that have filters now: what "machina firewall apply" works on. A machine's own rules
 * come from its unit, as everything of it does; while it runs the rules of a newer unit are taken
 * for the interfaces that it has in both.
 *
 * Nobody prepares these machines or tears them down until running_done().
 */
#pragma once

#include "config/load.h"
#include "host/net/firewall.h"
#include "host/os/lock.h"
#include "model/plan.h"

struct running_machine {
	char *name;
	struct lock lock;
	struct plan plan;		 /* by which it was prepared, with the newest filters */
	struct plan now;		 /* of its unit; empty if that can't be read */
	struct fw_port *ports;		 /* of the connections with a filter */
	const struct vm_filter **before; /* for each, what it had */
	size_t n_ports;
	bool is_changed; /* the filters of @plan are not those of the start */
	bool has_failed; /* its rules can't be resolved, which was printed; it has no ports */
};

struct running {
	struct running_machine *items;
	size_t n, n_alloc;
	struct strv gone; /* machines that are in the kernel and not prepared, in byte order */
	struct lock *gone_locks; /* of these */
	size_t n_gone, n_gone_alloc;
	size_t n_failed; /* machines that have failed or could not be taken in at all */
};

void running_done(struct running *running);

/*
 * @names: NULL: all that are prepared, and what else the kernel has
 * @nft, @links: of the host's network
 *
 * Errors: ENOENT: a machine of @names does not run; those of the kernel.
 */
MUST_CHECK int running_find(const struct config_paths *paths, const struct fw_policy *policy,
		const struct strv *names, struct netlink *nft, struct netlink *links,
		struct running *ret, struct error *err);

/* Set the ports of a machine's filtered connections up as its newest filters want it. Failures as
 * with running_open(). */
size_t running_renew(struct netlink *nl, const struct plan *plan);

/* Open or close the ports of a machine's filtered connections. Goes on after failures, which are
 * printed; returns how many there were. */
size_t running_open(struct netlink *nl, const struct plan *plan, bool open);
