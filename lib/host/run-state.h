/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The states of a machine in QEMU (qapi/run-state.json, RunState) and what they mean to a start
 * and to a stop.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "host/qmp.h"
#include "util/error.h"

/* What makes a guest in a state shut down. */
enum stop_way {
	STOP_PRESS,  /* the power button reaches it, or will */
	STOP_RESUME, /* it stands still: let it run on, then press */
	STOP_WAKE,   /* it sleeps: wake it, then press */
	STOP_QUIT,   /* no guest is there that could shut down: only QEMU is left to end */
};

struct run_state {
	const char *name;
	bool up; /* a start that leads here has succeeded */
	enum stop_way stop;
	const char *meaning; /* "the guest is paused" */
};

/* The row of a state; one for all names that are unknown. Never NULL. */
const struct run_state *run_state_find(const char *name);

/*
 * Ask QEMU (query-status). Returns an enum qmp_outcome or a negative errno (EPROTO: a reply
 * without a state).
 */
MUST_CHECK int run_state_query(struct qmp *qmp, uint64_t deadline_usec,
		const struct run_state **ret, struct error *err);
