/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text from a guest, from QEMU or from a log, made safe for a terminal and for one line.
 */
#pragma once

#include <stddef.h>

#include "util/buf.h"

/*
 * Append @text to @buf with each byte of what unicode_steers() or is no UTF-8 as "\xNN", so that it
 * can neither move the cursor nor begin a line nor turn one around. Tabs become spaces.
 *
 * @max: at most this many bytes of @text are taken, never half a character; "..." tells of a cut
 */
void visible_add(struct buf *buf, const char *text, size_t len, size_t max);
