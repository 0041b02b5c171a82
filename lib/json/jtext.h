/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text from anywhere, made fit to be shown to a human.
 */
#pragma once

#include <stddef.h>

#include "util/buf.h"

/*
 * Append text so that a terminal shows it and is not steered by it: what unicode_printable() does
 * not take (control characters, marks of direction, spaces that are none) and bytes that are no
 * UTF-8 are written as "\n", "\x1b", "\u202e", "\xff"; all else stays as it is.
 */
void text_printable(struct buf *out, const char *text, size_t len);

/* Append text for a JSON string, without its quotes: '"', '\' and what unicode_steers() escaped. */
void text_escape(struct buf *out, const char *text, size_t len);

/*
 * Append text in double quotes, by text_escape(). Of text longer than TEXT_QUOTED_MAX bytes the
 * rest is left out, and three dots follow the quotes.
 */
#define TEXT_QUOTED_MAX 60
void text_quoted(struct buf *out, const char *text);
