/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The steps of host/prepare/prepare.h: what each kind does, how it is undone, what it is called. */
#pragma once

#include "host/prepare/prepare-context.h"

/* How many descriptors there are in any case: those that are not VHOST. */
size_t prepare_n_fixed(const struct plan *plan) PURE;

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
	STEP_EMULATOR,	 /* what is known of QEMU alone, for all of plan->peers */
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
	/*
	 * What @run would not find, as far as that shows without taking, making or changing
	 * anything; the machine may run meanwhile. NULL: nothing shows.
	 */
	int (*check)(struct prepare_context *c, size_t i, struct error *err);
};
extern const struct prepare_step_row prepare_step_rows[N_STEP_KINDS];
