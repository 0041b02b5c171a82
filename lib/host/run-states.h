/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The states of many guests, asked for side by side: a list takes as long as the slowest QEMU and
 * not as long as all of them, and one that hangs costs no more than the deadline.
 *
 *	struct run_states_item items[] = { { .path = "/run/machina/web/qmp/..." }, ... };
 *	run_states_query(items, n, clock_deadline_usec(RUN_STATES_USEC));
 *	...
 *	run_states_done(items, n);
 *
 * Each monitor is taken for the time of one question: other commands wait that long for it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "host/run-state.h"

/* As long as a list may wait for a QEMU that does not answer. */
#define RUN_STATES_USEC (500 * UINT64_C(1000))

struct run_states_item {
	const char *path;	       /* of a QMP socket; borrowed. NULL: is not asked */
	const struct run_state *state; /* NULL: not known, ... */
	char *reason;		       /* ... since; else NULL */
	bool is_absent;		       /* ... since nobody listens: QEMU has ended, or not begun */
	bool is_forbidden;	       /* ... since this user may not ask */
};

/* Fills the rest of each item. There are no errors: what can't be found out is a reason. */
void run_states_query(struct run_states_item *items, size_t n, uint64_t deadline_usec);

/* Releases the reasons. */
void run_states_done(struct run_states_item *items, size_t n);
