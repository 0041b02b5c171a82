/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest writes to its console, made fit for the terminal of somebody on the host.
 *
 *	struct terminal_filter filter = { .mode = TERMINAL_SCREEN };
 *	terminal_filter_add(&filter, &out, data, len);
 *
 * A terminal obeys what it is shown: it sets the clipboard, reports its title and its screen as if
 * they were typed, prints on paper (ECMA-48; xterm's ctlseqs). What programs on a screen need is
 * let through, and nothing else: colours, the cursor, the parts of the screen, modes, questions for
 * the cursor's place and the kind of terminal, whose answers go to the guest that asks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "util/buf.h"

enum terminal_mode {
	TERMINAL_TEXT,	 /* lines of text: no sequences at all, of control characters \n and \t */
	TERMINAL_SCREEN, /* what programs on a screen need */
	TERMINAL_RAW,	 /* all bytes as they come */
};

#define TERMINAL_SEQUENCE_MAX 64

/* `{}` with the mode is a new one. A sequence may arrive in any pieces. */
struct terminal_filter {
	enum terminal_mode mode;
	bool alternate; /* the guest has switched to the alternate screen */

	unsigned char state;
	unsigned char n_more; /* bytes of a UTF-8 character that are to come */
	size_t n_string;
	char sequence[TERMINAL_SEQUENCE_MAX]; /* behind ESC, up to now */
	size_t n_sequence;
};

void terminal_filter_add(
		struct terminal_filter *filter, struct buf *out, const char *data, size_t len);

/* What brings a terminal back to how it was before a guest had it; the cursor stays. */
void terminal_filter_end(const struct terminal_filter *filter, struct buf *out);
