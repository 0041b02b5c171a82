/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The steps of host/prepare.h: what each kind does, how it is undone, what it is called. */
#pragma once

#include "host/account.h"
#include "host/fdstore.h"
#include "host/mdev.h"
#include "host/netlink.h"
#include "host/netns.h"
#include "host/prepare.h"
#include "host/rundir.h"
#include "host/vf.h"

/* What the steps of one run share. Members that are looked up have a function that does. */
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

/* How many descriptors there are in any case: those that are not VHOST. */
size_t prepare_n_fixed(const struct plan *plan) PURE;

/* Enter the host's network and open c->netlink. Once; prepare_context_done() leaves it. */
MUST_CHECK int prepare_network(struct prepare_context *c, struct error *err);
/* The user that will run QEMU, in c->account. */
MUST_CHECK int prepare_account(struct prepare_context *c, struct error *err);

/* The operators' group. Borrowed from @c. */
const struct sharing *prepare_sharing(struct prepare_context *c);

/* In the order in which they are done. */
enum prepare_step_kind {
	STEP_FORGET,	/* what an earlier start has left in systemd's store */
	STEP_PORT,	/* one of plan->sockets that systemd listens at a port for */
	STEP_DIRECTORY, /* one of plan->directories */
	STEP_PEER,	/* one of plan->peers */
	STEP_FILE,	/* one of plan->fds, FILE */
	STEP_COPY,	/* COPY */
	STEP_CREDENTIAL,
	STEP_SEED,  /* SEED */
	STEP_VSOCK, /* VSOCK */
	STEP_RUN_DIR,
	STEP_SOCKET_DIR, /* plan->socket_dir, which a unit gets from systemd */
	STEP_TREE,	 /* TREE */
	STEP_USERNS,	 /* USERNS */
	STEP_STATE,	 /* STATE */
	STEP_MDEV,	 /* one of plan->mdevs */
	STEP_LOANS,	 /* what the machine has of the host's devices: only undone */
	STEP_LEND,	 /* one of plan->pcis */
	STEP_PCI,	 /* the same, when all are lent */
	STEP_USB,	 /* one of plan->usbs */
	STEP_FILTERS,	 /* the packet filter of the machine's connections: only undone */
	STEP_FILTER,	 /* the same, before there is anything that it filters */
	STEP_LINKS,	 /* what there is of the machine's links: only undone */
	STEP_TAP,	 /* TAP */
	STEP_MACVTAP,	 /* MACVTAP */
	STEP_LISTEN,
	STEP_LISTEN_TCP,
	STEP_LOG,
	STEP_CONNECT,
	STEP_VHOST, /* all of plan->fds, VHOST */
	STEP_STORE,
	N_STEP_KINDS,
};

struct prepare_step {
	enum prepare_step_kind kind;
	size_t i; /* where there are several */
};

/* For whom a step is done. Teardown undoes it whoever it was. */
enum prepare_step_when { STEP_ALWAYS, STEP_UNIT, STEP_OWN };

struct prepare_step_row {
	enum prepare_step_when when;
	/*
	 * All of it or nothing: whoever fails leaves nothing. Returns 0 or a negative errno. NULL:
	 * there is only something to undo.
	 */
	int (*run)(struct prepare_context *c, size_t i, struct error *err);
	/* Succeeds where there is nothing. NULL: nothing to undo. */
	int (*undo)(struct prepare_context *c, size_t i, struct error *err);
	/* Each is NULL exactly if that function is. */
	void (*describe)(const struct plan *plan, size_t i, struct buf *ret);
	void (*describe_undo)(const struct plan *plan, size_t i, struct buf *ret);
};
extern const struct prepare_step_row prepare_step_rows[N_STEP_KINDS];
