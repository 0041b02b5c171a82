/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a start of machines that were saved (host/machine/saved.h) begins with. */
#pragma once

#include "cli/command.h"
#include "host/systemd/bus-unit.h"

/*
 * A machine that was saved, but whose QEMU was never told to quit, looks as if it ran: the stop
 * that is missing is done.
 *
 * @discard: what was saved is thrown away instead
 *
 * Errors: EBUSY: such a machine runs, or is being saved.
 */
MUST_CHECK int start_saved(const struct call *call, struct bus *bus, const struct strv *machines,
		bool discard, uint64_t deadline_usec, struct error *err);
