/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a save looks at in QEMU. Private to lib/host. */
#pragma once

#include <sys/types.h>

#include "host/machine/saved-meta.h"
#include "host/qmp/qmp.h"
#include "host/qmp/run-state.h"
#include "util/strv.h"

/* For a reply. */
#define SAVE_CALL_USEC (180 * UINT64_C(1000000))

/* As run_state_query(), with 0 or a negative errno. */
MUST_CHECK int save_get_state(struct qmp *qmp, const struct run_state **ret, struct error *err);

/* As migration_check(), with the names of the shares (@plan) where these are what QEMU refuses. */
MUST_CHECK int save_check_migration(struct qmp *qmp, const struct plan *plan, struct error *err);

/*
 * Has the machine the devices and media that @argv, its arguments, give it? A start makes these and
 * no others, and could not take in what was saved of another machine. But CDs it can change.
 *
 * @pid: of QEMU; 0: not known, then it may have no other CD
 * @arena: gets the items of @ret_media and their texts
 * @ret_media: struct saved_medium: the CD drives that have something else in them
 *
 * Errors: ENOTSUP: one was plugged in or out since, or a medium changed; it is named. Or its TPM
 * has ended, or it has not the CD open that it tells of. What access(2) says of a CD.
 */
MUST_CHECK int save_check_parts(struct qmp *qmp, pid_t pid, const struct strv *argv,
		struct arena *arena, struct jlist *ret_media, struct error *err);

/* Errors: ENOTSUP: its TPM has ended. Without a TPM all is well. */
MUST_CHECK int save_check_tpm(struct qmp *qmp, struct error *err);
