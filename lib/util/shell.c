/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words as a POSIX shell reads them. */
#include "util/shell.h"

#include <stdbool.h>
#include <string.h>

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define BARE LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-"

static void quote(struct buf *b, const char *word, bool bare)
{
	if (bare) {
		buf_puts(b, word);
		return;
	}
	buf_putc(b, '\'');
	for (const char *at = word; *at; at++)
		if (*at == '\'')
			buf_puts(b, "'\\''");
		else
			buf_putc(b, *at);
	buf_putc(b, '\'');
}

void shell_quote(struct buf *b, const char *word)
{
	quote(b, word, *word && !word[strspn(word, BARE)]);
}

void shell_quote_program(struct buf *b, const char *word)
{
	/* '=' makes an assignment; all reserved words are of lower-case letters only. */
	bool bare = !word[strspn(word, BARE)] && word[strspn(word, LOWER)] && !strchr(word, '=');
	quote(b, word, bare);
}
