/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What systemd calls the main process of a unit is systemd itself for a moment, since version 254
 * its executor: until it has made the sandbox and executes the program. Type=exec has others wait
 * for that, Type=simple does not.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/cleanup.h"
#include "util/error.h"
#include "util/strv.h"

/* Is it not systemd's own? Also of a process that has ended, or that we may not look at. */
bool executed_is(pid_t pid);

/*
 * The words that the program of a unit was executed with, appended.
 *
 * Errors: EAGAIN: it is not executed before the deadline; ESRCH: it has ended; those of
 * process_argv().
 */
MUST_CHECK int executed_argv(
		pid_t pid, uint64_t deadline_usec, struct strv *ret, struct error *err);
