/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command lines as they are shown. */
#pragma once

#include "util/strv.h"

/*
 * QEMU's, on standard output, quoted for a shell: one option a line, so that two machines can be
 * compared by eye and by diff.
 *
 * @redirections: of descriptors, as the shell is to read them; NULL: none
 */
void print_qemu_argv(const struct strv *argv, const struct strv *redirections);

/* Any other one, on one line. */
void print_argv(const struct strv *argv);
