/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The settings of systemd.resource-control(5) and systemd.exec(5) that attrs.limits may hold, with
 * the forms of their values. systemd skips a line that it cannot read and starts the machine
 * without the limit, so it is read here first.
 */
#pragma once

#include <stdbool.h>

/* Sorted; NULL-terminated. */
extern const char *const limit_names[];

/*
 * Has @value the form that systemd wants for the setting @name, one of limit_names?
 *
 * @ret_expected: what was expected, if not
 */
bool limit_valid(const char *name, const char *value, const char **ret_expected);
