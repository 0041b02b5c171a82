/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's migration, to a descriptor and from one ("migrate" and "migrate-incoming" in the QEMU QMP
 * Reference Manual): how memory and devices go to a file and come back.
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "host/qmp/qmp.h"
#include "util/cleanup.h"
#include "util/error.h"

/* For a reply: QEMU may be busy with the disks. So long nobody is told of progress. */
#define MIGRATION_CALL_USEC (180 * UINT64_C(1000000))

/* Who is told of progress, and may end it. {}: nobody. */
struct migration_watch {
	/* @total: of what goes out, bytes of guest memory to look at (what is written is less); of
	 * what comes in, and of what is brought to its disk, bytes of the file */
	void (*progress)(void *data, uint64_t done, uint64_t total);
	bool (*is_canceled)(void *data);
	void *data;
};

/* Errors: ENOTSUP: a device or an option of this machine can't be migrated; it is named. */
MUST_CHECK int migration_check(struct qmp *qmp, struct error *err);

/*
 * Migrate a guest that stands still to a file, as fast as it goes. QEMU is in the state
 * "postmigrate" then, its disks are flushed and not its own any more.
 *
 * @fd: of a file, opened for writing alone; borrowed, and QEMU writes from its position on
 *
 * Errors: EREMOTEIO: it failed, and QEMU says why; ECANCELED: @watch wants it, or somebody has let
 * the guest run on; ETIMEDOUT: nothing moves; the connection's. In all cases migration_cancel() is
 * next.
 */
MUST_CHECK int migration_send(
		struct qmp *qmp, int fd, const struct migration_watch *watch, struct error *err);

/* End a migration that is under way, whoever has begun it, and let go of what it was given. There
 * may be none, or one that ended. */
MUST_CHECK int migration_cancel(struct qmp *qmp, struct error *err);

/*
 * The other side: a QEMU that was started with "-incoming defer".
 *
 * @fd: of a file, opened for reading alone, at its beginning; borrowed, and QEMU moves its position
 * @late: "cont" comes next, and the disks stay untouched until then. Not for a guest that stays
 *        paused: a QEMU that does not have its disks ends when it is migrated again
 *        (bdrv_inactivate_recurse() in block.c)
 *
 * Errors: as above; ECONNRESET: QEMU could not read it, and has ended.
 */
MUST_CHECK int migration_receive(struct qmp *qmp, int fd, bool late,
		const struct migration_watch *watch, struct error *err);

/*
 * Is a migration, or a dump, at work? A guest that stands still has ever less to do, and a QEMU
 * that its guest has taken over tells of progress for as long as it likes: what counts is only that
 * less is left than ever before, by a 256th of what there was, in each three minutes. So it has an
 * end, after half a day whatever is told; a disk that takes 1.5 MB a second meets it with a guest
 * of 64 GiB.
 *
 * @pace: {} at first
 * @now_usec: of CLOCK_MONOTONIC
 * @total: 0: not known yet
 */
struct migration_pace {
	uint64_t left, part; /* bytes */
	uint64_t until_usec;
};
bool migration_goes_on(
		struct migration_pace *pace, uint64_t now_usec, uint64_t done, uint64_t total);
