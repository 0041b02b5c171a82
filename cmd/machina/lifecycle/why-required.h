/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine that was stopped, or begun anew, since what it requires was. */
#pragma once

#include "lifecycle/why.h"

/*
 * Find out whether the last run of a unit that has not failed ended, or whether the one that goes
 * on began, since a unit that it needs was stopped, was restarted or failed. The host's own
 * shutdown counts as well.
 *
 * @why: its reason is set, and "other" if that was a machine; or neither
 */
MUST_CHECK int why_find_required(const struct config_paths *paths, struct bus *bus,
		const char *unit, struct why *why, struct error *err);
