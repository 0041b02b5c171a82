/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the steps of host/prepare/prepare.h share in one run. */
#pragma once

#include "host/device/device.h"
#include "host/device/vf.h"
#include "host/net/netlink.h"
#include "host/os/account.h"
#include "host/os/netns.h"
#include "host/os/rundir.h"
#include "host/prepare/prepare-options.h"
#include "host/systemd/fdstore.h"

/* Members that are looked up have a function that does. */
struct prepare_context {
	const struct plan *plan;
	const struct prepare_options *options;
	int *fds;		   /* plan->n_fds, -1: not open */
	bool keeps_fds;		   /* they go to the caller and not to systemd */
	size_t n_credential_bytes; /* of those that are open */
	struct sharing sharing;	   /* prepare_sharing() */
	bool has_sharing;
	struct device_host devices;
	struct vf_access functions;
	char *parent_dir;
	struct netns outside;
	struct netlink netlink;
	struct netlink nft;
	struct fdstore store;
	struct account account;
	bool has_account;
};

/* Opens nothing and asks nobody. */
void prepare_context_init(struct prepare_context *c, const struct plan *plan,
		const struct prepare_options *options);
void prepare_context_done(struct prepare_context *c);

/* Enter the host's network and open c->netlink. Once; prepare_context_done() leaves it. */
MUST_CHECK int prepare_network(struct prepare_context *c, struct error *err);
/* The user that will run QEMU, in c->account. */
MUST_CHECK int prepare_account(struct prepare_context *c, struct error *err);

/* The operators' group. Borrowed from @c. */
const struct sharing *prepare_sharing(struct prepare_context *c);
