/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saving a machine that runs: memory and devices to a file, then QEMU quits. host/machine/saved.h
 * has the order and what is left when it breaks off.
 */
#pragma once

#include <sys/types.h>

#include "host/machine/saved.h"
#include "host/qmp/migration.h"

struct save_request {
	struct saved_machine machine; /* as it was started */
	struct qmp *qmp;	      /* nobody else uses it; borrowed */
	pid_t main_pid; /* QEMU's; 0: not known, then one with another CD can't be saved */
	struct migration_watch watch;
	/* What QEMU has of the host's memory, for a first look at the space; 0: not known. What the
	 * guest never touched takes none. */
	uint64_t used_bytes;
};

/*
 * Could it be saved now? Changes nothing.
 *
 * Errors: ENOTSUP: not in its state, or not with what it has; ENOSPC: there is too little space.
 */
MUST_CHECK int save_check(const struct save_request *request, struct error *err);

/*
 * Save it. QEMU was told to quit, and its connection is closed, when this returns 0. The file
 * system and the descriptors' times count: call it as root.
 *
 * Also for a machine whose save broke off: it is saved anew, or, if only the end is missing, QEMU
 * is told to quit.
 *
 * Errors: those of save_check(); EBUSY: somebody is at it; those of migration_send() and of files.
 * The guest goes on as it was, unless the text says that it could not be let run.
 */
MUST_CHECK int save_run(const struct save_request *request, struct error *err);

/*
 * "cont", for whoever wants a machine to run whose guest stands still: all of the tool go this way,
 * since what was saved of the guest, or was about to be, is no longer true then. A migration that
 * is under way ends, and the files are thrown away, durably.
 *
 * Errors: EBUSY: it is being saved at this moment, or QEMU waits for what was; those of "cont".
 */
MUST_CHECK int save_let_run(
		const char *dir, const char *machine, struct qmp *qmp, struct error *err);
