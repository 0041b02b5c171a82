/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The states of a machine in QEMU (qapi/run-state.json, RunState) and what they mean to a start, to
 * a stop, and to a person.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "host/qmp/qmp.h"
#include "util/buf.h"
#include "util/error.h"

/* What makes a guest in a state shut down. */
enum stop_way {
	STOP_PRESS,  /* the power button reaches it, or will */
	STOP_RESUME, /* it stands still: let it run on, then press */
	STOP_WAKE,   /* it sleeps: wake it, then press */
	STOP_WAIT,   /* QEMU is at something with it that ends by itself: look again */
	STOP_MOVED,  /* it has moved away, or was saved, or that was never finished */
	STOP_QUIT,   /* no guest is there that could shut down: only QEMU is left to end */
};

/* What a person would say of a guest in a state. */
enum run_kind {
	RUN_ON,
	RUN_PAUSED,  /* it stands still, and can run on */
	RUN_ASLEEP,  /* of its own will (ACPI S3) */
	RUN_CRASHED, /* it stands still since something went wrong */
	RUN_ENDED,   /* it has shut down, QEMU has not */
	RUN_BUSY,    /* it is on its way elsewhere, or into a file, or from there: hands off */
};

struct run_state {
	const char *name;
	enum run_kind kind;
	const char *label; /* one word for a list: "running" */
	bool up;	   /* a start that leads here has succeeded */
	enum stop_way stop;
	const char *meaning; /* "the guest is paused" */
};

/*
 * What a person can do about a guest that does not run, behind its meaning: "; 'machina resume web'
 * lets it run on". Nothing if there is no such thing.
 */
void run_state_add_remedy(const struct run_state *state, const char *machine, struct buf *to);

/* The row of a state; one for all names that are unknown. Never NULL. */
const struct run_state *run_state_find(const char *name);

/* That of a reply to query-status; NULL: it tells none. */
const struct run_state *run_state_read(struct json_object *reply);

/*
 * Ask QEMU (query-status). Returns an enum qmp_outcome or a negative errno (EPROTO: a reply
 * without a state).
 */
MUST_CHECK int run_state_query(struct qmp *qmp, uint64_t deadline_usec,
		const struct run_state **ret, struct error *err);
