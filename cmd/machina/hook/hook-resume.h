/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the hooks of QEMU's unit do for a machine that was saved (host/machine/saved.h).
 */
#pragma once

#include "config/load.h"
#include "host/prepare/prepare.h"
#include "model/plan.h"
#include "util/buf.h"
#include "util/error.h"
#include "util/strv.h"

/*
 * Before QEMU starts.
 *
 * @text: of the unit
 * @ret_words: QEMU's arguments for this start are appended; none for one that boots
 *
 * Errors: EINVAL: what was saved does not fit; the text names the way out.
 */
MUST_CHECK int hook_resume_prepare(const struct config_paths *paths, const struct plan *plan,
		const struct buf *text, struct strv *ret_words, struct error *err);

/*
 * A start that throws away what was saved of a machine ("machina start --discard-saved") holds this
 * lock until it has come to its end. The caller frees it.
 */
char *hook_resume_discard_path(const struct config_paths *paths, const char *machine);

/* Is there such a start? */
bool hook_resume_is_discarded(const struct config_paths *paths, const char *machine);

/* The last step before QEMU of such a start. */
MUST_CHECK int hook_resume_put_aside(
		const struct config_paths *paths, const struct plan *plan, struct error *err);

/*
 * When QEMU answers. Of one that boots, what was put aside is thrown away. Returns 0, or 1 if its
 * guest goes on.
 *
 * @options: of the hook
 * @is_stopped: is asked while QEMU reads
 *
 * Errors: ECANCELED: the unit is being stopped; what was saved stays, and QEMU has to be ended.
 */
MUST_CHECK int hook_resume_await(const struct config_paths *paths, const struct plan *plan,
		const struct prepare_options *options, bool (*is_stopped)(void), struct error *err);

/* Ask systemd for time, from now on, if the unit's own limit is earlier. */
void hook_resume_ask_time(uint64_t usec);

/*
 * Ask systemd for more time, now and then, as a progress function (struct migration_watch): while
 * bytes move, no time limit of the unit ends a hook. @data: NULL
 */
void hook_resume_extend(void *data, uint64_t done, uint64_t total);
