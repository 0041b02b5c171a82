/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What --help shows, from the rows of command.h.
 */
#pragma once

#include <stdio.h>

#include "cli/command.h"

/* Of the program or of one command. */
void print_help(FILE *to, const struct command *command);

/* "machina prepare qemu [OPTION...] MACHINE..."; the caller frees it. */
char *command_synopsis(const struct command *command);

/* Append "cpu (default), memory or name": the values of an option that has a choice. */
void option_choices(const struct option_spec *option, struct buf *out);

/* "-t, --tag TAG", with blanks instead of a short name that is missing. */
void option_format(const struct option_spec *option, struct buf *out);
