/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who runs a machine: its unit, or 'machina run' in the foreground. Never both: they would replace
 * each other's sockets and clean up behind each other.
 *
 * Whoever runs one in the foreground holds a lock in the directory of all machines; the hooks of
 * units look at it.
 */
#pragma once

#include <stdbool.h>

#include "config/load.h"
#include "host/os/lock.h"
#include "model/plan.h"

/*
 * Begin to run a machine in the foreground: until lock_done().
 *
 * Errors: EBUSY: it runs already, by its unit or otherwise, with a text that says how; or it was
 * saved.
 */
MUST_CHECK int foreground_begin(const struct config_paths *paths, const struct plan *plan,
		struct lock *ret, struct error *err);

/* For hooks. Errors: EBUSY: the machine runs in the foreground. */
MUST_CHECK int foreground_check(
		const struct config_paths *paths, const char *machine, struct error *err);

/*
 * For whoever is not systemd's hook. Where systemd does not run or may not be asked, there is
 * nothing to say. Errors: EBUSY: a unit of the machine is not down.
 */
MUST_CHECK int foreground_check_units(const char *machine, struct error *err);
/* The same of a network. */
MUST_CHECK int foreground_check_network(const char *network, struct error *err);

/* Does 'machina run' have the machine? For whoever is no hook and leaves the lock alone. */
bool foreground_is(const struct config_paths *paths, const char *machine);
