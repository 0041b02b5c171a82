/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ending a machine at once, without its guest: `machina kill`.
 *
 * QEMU is told to quit, which writes to the disks what QEMU itself still holds. One that does not
 * listen is killed by systemd. In both cases the unit is inactive then and is not started again.
 */
#pragma once

#include <stdint.h>

#include "host/systemd/bus.h"
#include "util/cleanup.h"
#include "util/error.h"

/* How long QEMU may take to greet, and to end. */
#define KILL_GREETING_USEC (2 * UINT64_C(1000000))
#define KILL_QUIT_USEC (8 * UINT64_C(1000000))

enum kill_outcome {
	KILL_NOT_RUNNING, /* the unit was down */
	KILL_QUIT,
	KILL_KILLED, /* QEMU did not quit, so it was killed */
};

/*
 * @socket: of QEMU's monitor
 * @note: a line for the unit's journal, before it happens
 *
 * Killed itself half way, it leaves a machine that runs, or one that is being stopped.
 *
 * Errors: ETIMEDOUT: the unit is not down even so; those of systemd.
 */
MUST_CHECK int kill_unit(struct bus *bus, const char *unit, const char *socket, const char *note,
		enum kill_outcome *ret, struct error *err);

/*
 * The same for a QEMU that no unit runs: it is told to quit, and its end is waited for.
 *
 * Returns 0 with KILL_QUIT or KILL_NOT_RUNNING, or a negative errno: ETIMEDOUT: it does not listen.
 */
MUST_CHECK int kill_qemu(const char *socket, enum kill_outcome *ret, struct error *err);
