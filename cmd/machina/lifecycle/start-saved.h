/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a start of machines that were saved (host/machine/saved.h) begins with. */
#pragma once

#include "cli/command.h"
#include "host/os/lock.h"
#include "host/systemd/bus-unit.h"

/* Machines whose start throws away what was saved of them, as long as this is held. */
struct start_discards {
	struct strv machines;
	struct lock *locks; /* one of each */
};

/*
 * A machine that was saved, but whose QEMU was never told to quit, looks as if it ran: the stop
 * that is missing is done.
 *
 * @ret_discards: NULL: none is thrown away. Else those of which something was saved; prepare throws
 * it away when all is ready for QEMU
 *
 * Errors: EBUSY: such a machine runs, or is being saved.
 */
MUST_CHECK int start_saved(const struct call *call, struct bus *bus, const struct strv *machines,
		struct start_discards *ret_discards, uint64_t deadline_usec, struct error *err);

/* When they have started, or not: tell what has become of what was saved. */
void start_discards_tell(const struct config_paths *paths, const struct start_discards *discards);
void start_discards_done(struct start_discards *discards);
