/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One process at a time: a lock that is a file while it is held and nothing afterwards.
 *
 *	CLEANUP(lock_done) struct lock lock = {};
 *	int r = lock_take(path, clock_deadline_usec(LOCK_WAIT_USEC), &lock, err);
 *
 * A process that is killed leaves the empty file and no lock; the next one that holds the lock
 * removes the file in the end.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/cleanup.h"
#include "util/error.h"

#define LOCK_WAIT_USEC (30 * UINT64_C(1000000))

struct lock {
	char *path; /* NULL: not held */
	int fd;
};

/*
 * Its directory must exist. Waits for another holder until the deadline.
 *
 * Errors: EBUSY with a text that names the process that holds it, if that can be found; those of
 * open(2) (ELOOP: a symlink is at @path).
 */
MUST_CHECK int lock_take(
		const char *path, uint64_t deadline_usec, struct lock *ret, struct error *err);
void lock_done(struct lock *lock);

/*
 * Keep others from preparing a machine or tearing it down.
 *
 * @dir: of all machines ("/run/machina"), which exists
 *
 * Errors: as lock_take(), with the machine's name; EBUSY after @wait_usec.
 */
MUST_CHECK int lock_machine(const char *dir, const char *machine, uint64_t wait_usec,
		struct lock *ret, struct error *err);

/* Does a process hold it now? */
bool lock_is_held(const char *path);
