/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text as man(7) source. */
#include "cli/roff.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static void put_char(FILE *to, char c)
{
	switch (c) {
	case '\\':
		fputs("\\e", to);
		break;
	case '-': /* as typed: a bare one may become a typographic hyphen */
		fputs("\\-", to);
		break;
	case '~':
		fputs("\\(ti", to);
		break;
	case '^':
		fputs("\\(ha", to);
		break;
	case '`':
		fputs("\\(ga", to);
		break;
	case '\'':
		fputs("\\(aq", to);
		break;
	default:
		fputc(c, to);
	}
}

void roff_word(FILE *to, const char *text)
{
	for (; *text; text++)
		put_char(to, *text);
}

/* Lines end after a sentence, for man(7) to set it apart, and before they get too long to read. */
#define LINE_WANTED 64

void roff_text(FILE *to, const char *text)
{
	size_t column = 0;
	for (; *text; text++) {
		if (text[0] == '\n' && text[1] == '\n') {
			fputs("\n.PP\n", to);
			column = 0;
			text++;
			continue;
		}
		bool sentence_ends = column && text[-1] == '.';
		if (*text == ' ' &&
				(sentence_ends || column + strcspn(text + 1, " ") > LINE_WANTED)) {
			fputc('\n', to);
			column = 0;
			continue;
		}
		if (!column && *text == '.')
			fputs("\\&", to);
		column = *text == '\n' ? 0 : column + 1;
		put_char(to, *text);
	}
	fputc('\n', to);
}

/* Two or more capitals: a name that stands for something. */
static size_t placeholder_length(const char *text)
{
	size_t n = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
	return n > 1 && !islower((unsigned char)text[n]) ? n : 0;
}

void roff_synopsis(FILE *to, const char *text)
{
	while (*text) {
		size_t n = placeholder_length(text);
		if (n) {
			fprintf(to, "\\fI%.*s\\fR", (int)n, text);
			text += n;
			continue;
		}
		n = strcspn(text, " []|.");
		if (n) {
			fputs("\\fB", to);
			for (size_t i = 0; i < n; i++)
				put_char(to, text[i]);
			fputs("\\fR", to);
			text += n;
			continue;
		}
		fputc(*text++, to);
	}
}
