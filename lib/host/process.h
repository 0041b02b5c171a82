/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Running another program and waiting for it: an administrator's script, a vendor's tool.
 */
#pragma once

#include "util/cleanup.h"
#include "util/error.h"

struct process {
	/* argv[0] without a slash is looked for in $PATH. */
	const char *const *argv;
	/* NULL: this process's environment without what speaks to systemd in its name. */
	const char *const *environment;
	/*
	 * Called in the child before the program starts; may be NULL. A failure ends the child, and
	 * its text becomes that of process_run().
	 */
	int (*prepare)(const void *data, struct error *err);
	const void *data;
};

/*
 * Run it to its end. Output goes where this process's goes, input is empty.
 *
 * Errors: ENOENT and others: it cannot be started; EIO: it ended with a status that is not 0, or by
 * a signal. The text names the program.
 */
MUST_CHECK int process_run(const struct process *process, struct error *err);
