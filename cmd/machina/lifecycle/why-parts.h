/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parts of finding out why (why.h), for that and for its tests.
 */
#pragma once

#include "host/systemd/journal.h"
#include "lifecycle/why.h"

/*
 * Was it the failure of @needed that kept the unit @own from coming up, or took it down? Not one
 * that came after @own's failure, as its consequence.
 */
bool why_is_cause(const struct unit_info *needed, const struct unit_info *own);

/* "web" of "machina-qemu-web.service", or NULL. The caller frees it. */
char *why_machine_of_unit(const char *unit);

/*
 * A failure of which systemd knows nothing any more: the journal is all there is.
 *
 * @info: of the unit as it is now
 * @why: its machine is set, or NULL; the rest is filled in
 */
MUST_CHECK int why_look_at_past(const struct config_paths *paths, const char *unit,
		const struct unit_info *info, const struct journal_event *failure, struct why *why,
		struct error *err);

/* How a run ended that did not fail, from its lines in the journal; CAUSE_END_GUEST where they
 * don't tell. */
void why_find_end(const struct strv *lines, struct cause *ret);

/*
 * A guest that stands still although its unit is up: WHY_STANDS. Returns false if there is no QEMU:
 * it has just ended, unless systemd does not take notice.
 *
 * @guest: what QEMU has said; NULL: it was not asked
 */
bool why_look_at_guest(
		const struct config_paths *paths, const struct qmp_many *guest, struct why *why);

/* A machine without a unit: what there is of it. */
void why_find_config(const struct config_paths *paths, struct why *why);

/* A condition or an assertion of its unit did not hold, and so it was not started. */
void why_tell_unmet(const struct journal_event *held, const char *unit, struct why *why);

/* A unit that it needed has failed, and is well again or unknown. */
void why_tell_held(const struct journal_event *failure, const char *unit, struct why *why);
