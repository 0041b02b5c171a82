/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last lines that one run of a unit has left in the journal: shown when a start has failed.
 *
 * Opening the journal maps all of its files, which takes milliseconds where it is big: only for
 * when something has failed, or was asked for.
 */
#pragma once

#include <stddef.h>

#include "util/cleanup.h"
#include "util/error.h"
#include "util/strv.h"

/*
 * Append the last messages of a run, oldest first: those of its processes, hooks included, and
 * systemd's own about it. One line each, fit for a terminal:
 *
 *	Nov 21 08:51:13 machina[4711]: cannot open '/dev/net/tun': Operation not permitted
 *
 * A message of several lines makes several. Messages that are still on their way to the journal are
 * waited for, one second at most; only root can do that.
 *
 * @unit: its full name
 * @invocation_id: of the run, 32 hex digits (struct unit_info)
 * @n_max: of messages
 *
 * Nothing found, also for lack of permission, is no error: nothing is appended.
 */
MUST_CHECK int journal_tail(const char *unit, const char *invocation_id, size_t n_max,
		struct strv *ret_lines, struct error *err);
