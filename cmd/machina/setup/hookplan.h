/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which plan a hook of a unit follows.
 *
 * Prepare follows the unit, and leaves a copy of it beside the machine's run directory. Whoever
 * comes after it (await, teardown, status) follows the copy: the unit on disk may have been written
 * anew since. Without either, a plan that only names the machine is still enough to find its links
 * and its directory.
 */
#pragma once

#include "config/load.h"
#include "model/plan.h"
#include "util/buf.h"

/* The @machine of a share's is "MACHINE@SHARE" (unit_share_instance()). */
enum hook_unit { HOOK_QEMU, HOOK_SWTPM, HOOK_SHARE };
/* The machine alone. The caller frees it. */
char *hookplan_machine(const char *instance);

/* For prepare: the unit's plan, and its text to keep. -ENOENT: there is no unit. */
MUST_CHECK int hookplan_begin(const struct config_paths *paths, enum hook_unit unit,
		const char *machine, struct plan *ret, struct buf *ret_text, struct error *err);
/*
 * Keep the copy; it is replaced whole. Like the unit, everyone may read it.
 *
 * @text: of the unit; NULL: there is none, and the plan alone is kept
 *
 * Returns 0; 1 when there was no copy: no earlier start has left anything (is_all of struct plan);
 * or a negative errno.
 */
MUST_CHECK int hookplan_keep(const struct config_paths *paths, enum hook_unit unit,
		const struct plan *plan, const char *text, struct error *err);
/* Put another plan into the copy, and leave the rest of it as it is. */
MUST_CHECK int hookplan_change(
		const struct config_paths *paths, const struct plan *plan, struct error *err);
/* The machines of which there are copies of QEMU's plan, in byte order. */
MUST_CHECK int hookplan_list(const struct config_paths *paths, struct strv *ret, struct error *err);
/*
 * For those after it. A copy or unit that can't be read is no failure: its error is told by
 * @ret_doubt (code 0: there is none), and the plan names only the machine.
 */
void hookplan_recall(const struct config_paths *paths, enum hook_unit unit, const char *machine,
		struct plan *ret, struct error *ret_doubt);
/*
 * For those who show a machine that its unit runs.
 *
 * @ret: the plan by which it was started; released with plan_done() in every case
 * @ret_changed: the units on disk, QEMU's, the TPM's or those of shares, ask for what only a
 * restart brings about
 *
 * Returns 0; 1 when no copy was kept, since another program's unit has started it: @ret is empty
 * then; or a negative errno.
 */
MUST_CHECK int hookplan_running(const struct config_paths *paths, const char *machine,
		struct plan *ret, bool *ret_changed, struct error *err);
/*
 * QEMU's arguments in a unit's text, without what comes at each start. Appended.
 *
 * @name: of the file, for messages
 */
MUST_CHECK int hookplan_argv(
		const char *name, const struct buf *text, struct strv *ret, struct error *err);
/* The same from the copy. EOPNOTSUPP: no unit has started this machine. */
MUST_CHECK int hookplan_started_argv(const struct config_paths *paths, const char *machine,
		struct strv *ret, struct error *err);
/*
 * The plan of the TPM's unit, where the machine of @plan has a TPM; else @ret is empty. Released
 * with plan_done() in every case.
 *
 * Errors: there is none, or it can't be read.
 */
MUST_CHECK int hookplan_recall_tpm(const struct config_paths *paths, const struct plan *plan,
		struct plan *ret, struct error *err);
/* Is there a copy? Then what was prepared was not cleaned up, or is in use. */
bool hookplan_is_kept(const struct config_paths *paths, enum hook_unit unit, const char *machine);
/*
 * Remove the copy. There may be none.
 *
 * @is_all: of the plan that was recalled; false: also look for what was left when one was made
 */
MUST_CHECK int hookplan_forget(const struct config_paths *paths, enum hook_unit unit,
		const char *machine, bool is_all, struct error *err);

/* How QEMU names a file that it got as a descriptor. */
#define HOOKPLAN_SET "/dev/fdset/"
/* A text of QEMU's, with the paths of the plan in place of such names. The caller frees it. */
char *hookplan_name_files(const struct plan *plan, const char *text);
