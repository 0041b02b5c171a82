/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Could a machine that runs start again? A restart takes its guest down first, and one that stays
 * down is worse than one that goes on as it is.
 *
 * The checks are those that a start itself makes, of the units on disk and the plans in them.
 */
#pragma once

#include "config/load.h"
#include "util/strv.h"

/*
 * Of machines that are to be restarted, choose those that would start again, and those that do not
 * run and so have nothing to lose. Of the others it is printed what they lack, or what others lack
 * that systemd restarts with them, since they require them; and the option that goes on all the
 * same.
 *
 * Returns how many these others are.
 */
size_t again_select(const struct config_paths *paths, const struct strv *machines,
		struct strv *ret_able);
