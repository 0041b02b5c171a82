/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Has systemd started what was prepared?
 */
#pragma once

#include <sys/types.h>

#include "config/load.h"
#include "model/plan.h"

/*
 * Hooks follow the unit on disk, systemd starts what it has read. Where the file was changed and
 * systemd was not told, or was told in the middle of a start, the numbers in QEMU's arguments mean
 * other descriptors than those that it got: a disk would stand in the place of another.
 *
 * @plan: that was prepared
 * @pid: of QEMU, which was executed a moment ago: its guest has read nothing from a disk; or of
 *	what will be QEMU at once, which is waited for
 *
 * Errors: ESTALE: so it is. What a drop-in has made of the arguments is its own matter.
 */
MUST_CHECK int await_check_started(const struct config_paths *paths, const struct plan *plan,
		pid_t pid, uint64_t deadline_usec, struct error *err);
