/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happens to machines, as it happens: the events of their QEMUs and the states of their units,
 * from one loop that waits for all of them. Machines may start, end and start again meanwhile.
 *
 * QEMU's events come from the operators' second monitor (MONITOR_EVENTS), so that other commands
 * find the first one free.
 */
#pragma once

#include <json-c/json_object.h>

#include "config/load.h"
#include "util/error.h"
#include "util/strv.h"

struct observed {
	const char *machine;
	/* QEMU's name; or one of our own: OBSERVED (QEMU is connected), UNOBSERVED (it is no more),
	 * HELD (another client has the monitor); UNIT_STARTING, UNIT_ACTIVE, UNIT_STOPPING,
	 * UNIT_INACTIVE, UNIT_FAILED */
	const char *event;
	struct json_object *data; /* NULL: none */
	const char *text;	  /* a sentence for people, without a full stop */
	uint64_t time_usec;	  /* CLOCK_REALTIME */
};

/* Those of our own. */
#define N_OBSERVED_OWN 8
extern const char *const observed_own[N_OBSERVED_OWN];

/* Returns whether to go on. */
typedef bool observe_fn(void *data, const struct observed *event);

struct observe {
	const struct config_paths *paths;
	const struct strv *machines;
	bool others; /* also machines that are not in the list, when their units start */
	observe_fn *fn;
	void *data;
	uint64_t deadline_usec; /* host/os/clock.h */
};

/* Returns 0 at the deadline, 1 when @fn has had enough, 2 when a signal came (SIGINT, SIGTERM), or
 * a negative errno. */
MUST_CHECK int observe_run(const struct observe *observe, struct error *err);
