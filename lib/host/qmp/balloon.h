/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much memory a guest has: its balloon (balloon, query-balloon in the QEMU QMP Reference
 * Manual).
 */
#pragma once

#include <stdint.h>

#include "host/qmp/qmp.h"

/* Less would only be a slip. */
#define BALLOON_MIN_BYTES ((uint64_t)1 << 20)
/* All that the machine was started with. */
#define BALLOON_ALL UINT64_MAX

struct balloon_request {
	uint64_t bytes; /* or BALLOON_ALL */
	/* Wait so long while nothing moves. */
	uint64_t patience_usec;
	/* How far it is; may be NULL. */
	void (*progress)(void *data, uint64_t now_bytes, uint64_t wanted_bytes);
	void *data;
};

struct balloon_size {
	uint64_t before_bytes, now_bytes, wanted_bytes, max_bytes;
};

/*
 * Look at it: *ret with what is, without changing anything; wanted_bytes is what @bytes means.
 *
 * Errors: ENODEV: there is no balloon; ERANGE: @bytes is too much or too little; with texts that
 * say what can be done.
 */
MUST_CHECK int balloon_look(
		struct qmp *qmp, uint64_t bytes, struct balloon_size *ret, struct error *err);

/*
 * Ask the guest for it and wait while it follows. It goes on following when this has ended.
 *
 * Returns 0: it has it; 1: it stopped on the way, *ret says where; or a negative errno.
 */
MUST_CHECK int balloon_set(struct qmp *qmp, const struct balloon_request *request,
		struct balloon_size *ret, struct error *err);
