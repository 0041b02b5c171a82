/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words as a POSIX shell reads them (XCU 2.2), for output that can be pasted into one.
 */
#pragma once

#include "util/buf.h"

/*
 * Add one argument: bare if no shell sees anything special in it, else in single quotes. Any bytes
 * without NUL. Not for the first word of a command, where also "a=b" and "if" mean something.
 */
void shell_quote(struct buf *b, const char *word);

/* One argument in single quotes, which it may not need: for commands in messages. The caller frees
 * it.
 */
char *shell_quoted(const char *word);

/* Add the first word of a command, which the shell then takes for nothing but a program. */
void shell_quote_program(struct buf *b, const char *word);
