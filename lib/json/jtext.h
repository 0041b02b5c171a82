/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text from anywhere, made fit to be shown to a human.
 */
#pragma once

#include <stddef.h>

#include "util/buf.h"

/*
 * Append text so that a terminal shows it and is not steered by it: control characters (C0, DEL,
 * C1), the invisible characters that change the direction of text, and bytes that are no UTF-8 are
 * written as "\n", "\x1b", "\u202e", "\xff"; all else stays as it is.
 */
void text_printable(struct buf *out, const char *text, size_t len);

/*
 * Append text in double quotes, with '"', '\' and control characters escaped as JSON does it. Of
 * text longer than TEXT_QUOTED_MAX bytes the rest is left out, and three dots follow the quotes.
 */
#define TEXT_QUOTED_MAX 60
void text_quoted(struct buf *out, const char *text);
