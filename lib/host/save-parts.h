/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a save looks at in QEMU. Private to lib/host. */
#pragma once

#include "host/qmp.h"
#include "host/run-state.h"
#include "util/strv.h"

/* For a reply. */
#define SAVE_CALL_USEC (180 * UINT64_C(1000000))

/* As run_state_query(), with 0 or a negative errno. */
MUST_CHECK int save_get_state(struct qmp *qmp, const struct run_state **ret, struct error *err);

/*
 * Has the machine the devices and media that @argv, its arguments, give it? A start makes these and
 * no others, and could not take in what was saved of another machine.
 *
 * Errors: ENOTSUP: one was plugged in or out since, or a medium changed; it is named. Or its TPM
 * has ended.
 */
MUST_CHECK int save_check_parts(struct qmp *qmp, const struct strv *argv, struct error *err);
