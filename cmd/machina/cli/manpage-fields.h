/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys of a config file as sections of its manual page, from its field table.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "cli/command.h"
#include "json/jbind.h"

/*
 * One .TP for each key, then one .SS for each object, each table once.
 *
 * @with_merge: say how the values of a machine and its tags become one
 */
void print_fields(FILE *to, const struct field *fields, bool with_merge);
