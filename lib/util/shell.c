/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words as a POSIX shell reads them. */
#include "util/shell.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

#define LOWER "abcdefghijklmnopqrstuvwxyz"

static const bool is_bare[UCHAR_MAX + 1] = {
	['a' ... 'z'] = true,
	['A' ... 'Z'] = true,
	['0' ... '9'] = true,
	['_'] = true,
	['@'] = true,
	['%'] = true,
	['+'] = true,
	['='] = true,
	[':'] = true,
	[','] = true,
	['.'] = true,
	['/'] = true,
	['-'] = true,
};

/* strspn(3) would make a table of so many characters anew for each word. */
static bool all_bare(const char *word)
{
	while (is_bare[(unsigned char)*word])
		word++;
	return !*word;
}

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
	quote(b, word, *word && all_bare(word));
}

char *shell_quoted(const char *word)
{
	CLEANUP(buf_done) struct buf text = {};
	quote(&text, word, false);
	return buf_take(&text);
}

void shell_quote_program(struct buf *b, const char *word)
{
	/* '=' makes an assignment; all reserved words are of lower-case letters only. */
	bool bare = all_bare(word) && word[strspn(word, LOWER)] && !strchr(word, '=');
	quote(b, word, bare);
}
