/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Saving a machine (host/machine/save.h) that was started by its unit, for commands and hooks. */
#pragma once

#include "config/load.h"
#include "host/qmp/migration.h"
#include "model/plan.h"

/*
 * @plan, @qmp: of the machine as it runs
 * @dry_run: only look whether it could be saved
 *
 * Errors: EOPNOTSUPP: no unit has started it; those of save_run(). The texts don't name it.
 */
MUST_CHECK int saving_run(const struct config_paths *paths, const struct plan *plan,
		struct qmp *qmp, const struct migration_watch *watch, bool dry_run,
		struct error *err);

/*
 * For ExecStop=, when the host shuts down: save the machine through the unit's own monitor. What
 * fails is told, and the guest runs on.
 *
 * Returns true if nothing is left to do.
 */
bool saving_for_host(const struct config_paths *paths, const char *machine);

/*
 * For ExecStop=, which systemd runs only when await has come to its end, and for what await becomes
 * when a unit is stopped while it starts: the guest has gone on from what was saved of it, and
 * whoever was to remove that may not have got to it. What fails is told.
 *
 * @runs: QEMU is there, and the guest about to be shut down
 */
void saving_end_resume(const struct config_paths *paths, const char *machine, bool runs);

/*
 * For ExecStopPost=, which is all that systemd runs after a crash: the same if the unit was active.
 * A QEMU that crashed before that is no proof that anything came of what it was let run with. And
 * what is left of a save that broke off is of no use without its QEMU. What fails is told.
 */
void saving_end_gone(const struct config_paths *paths, const char *machine);

/* Does systemd shut the host down? What can't be asked is told, and taken for no. */
bool saving_host_stops(void);
