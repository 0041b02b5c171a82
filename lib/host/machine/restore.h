/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Resuming a machine that was saved, by the hooks of its unit. host/machine/saved.h has the order
 * and what is left when it breaks off.
 */
#pragma once

#include "host/machine/saved.h"
#include "host/qmp/migration.h"

/*
 * Before QEMU starts: is there a guest to resume, and may it be? What is out of date is thrown
 * away.
 *
 * @machine: as it is to be started
 * @ret_words: arguments of QEMU for this one start are appended
 * @ret_note: what to tell of a saved state that was out of date; the caller frees it. NULL: nothing
 *
 * Returns 1 if it is to be resumed, 0 if it boots, or a negative errno. Errors: EINVAL: it must not
 * be resumed by this start, with the reason and the way out; EBUSY: it is being saved.
 */
MUST_CHECK int restore_prepare(const struct saved_machine *machine, struct strv *ret_words,
		char **ret_note, struct error *err);

/*
 * The start that is being prepared boots, and the guest in what was saved is given up: from here on
 * it may run, and what was saved is SAVED_RESUMING until restore_finish(). What a save that was
 * killed has left goes at once. Succeeds where nothing was saved.
 */
MUST_CHECK int restore_put_aside(const struct saved_machine *machine, struct error *err);

/* Take what restore_prepare() has added to the end of @argv away from it, if it is there. */
void restore_drop_words(struct strv *argv);

/*
 * The ids of the connections that were taken away when the machine was saved ("net.0"). The caller
 * takes them away again before restore_run(): in the guest their links are down.
 */
MUST_CHECK int restore_list_taken(
		const struct saved_machine *machine, struct strv *ret, struct error *err);

/*
 * When QEMU answers: let it read the guest, and let that run if it ran.
 *
 * @machine: dir and plan
 * @qmp: of a QEMU that was started with the words of restore_prepare()
 *
 * Returns 0, or 1 if QEMU does not wait for a guest or none was saved, so that there is nothing to
 * do. Errors: EINVAL: this QEMU is older than the one that saved it; those of migration_receive().
 */
MUST_CHECK int restore_run(const struct saved_machine *machine, struct qmp *qmp,
		const struct migration_watch *watch, struct error *err);

/* When the guest runs and nothing takes it away with this process: remove what it was resumed from.
 * Succeeds where that has been done. */
MUST_CHECK int restore_finish(const char *dir, const char *machine, struct error *err);

/*
 * Throw away what was saved of a guest that runs all the same: somebody has let it run on at a
 * monitor, after a save that was killed.
 *
 * @qmp: of its QEMU
 */
MUST_CHECK int restore_disown(
		const char *dir, const char *machine, struct qmp *qmp, struct error *err);
