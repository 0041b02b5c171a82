/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text from anywhere, made fit to be shown to a human. */
#include "json/jtext.h"

#include <stdbool.h>
#include <string.h>

#include "util/parse.h"

/* The code point of a valid UTF-8 sequence of @n bytes. */
static unsigned decode(const unsigned char *s, size_t n)
{
	static const unsigned char first_mask[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	unsigned c = s[0] & first_mask[n];
	for (size_t i = 1; i < n; i++)
		c = c << 6 | (s[i] & 0x3f);
	return c;
}

/* Characters that do not show but act: the controls, and Unicode's marks of direction and line. */
static bool acts(unsigned c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c || c == 0x200e || c == 0x200f ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

void text_printable(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		unsigned char byte = (unsigned char)text[i];
		n = utf8_length(text + i, len - i);
		if (!n) {
			buf_printf(out, "\\x%02x", byte);
			n = 1;
			continue;
		}
		unsigned c = decode((const unsigned char *)text + i, n);
		if (!acts(c))
			buf_add(out, text + i, n);
		else if (c == '\n' || c == '\t' || c == '\r')
			buf_puts(out, c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r");
		else
			buf_printf(out, c < 0x80 ? "\\x%02x" : "\\u%04x", c);
	}
}

/* The longest piece of at most @max bytes that does not cut a character in two. */
static size_t cut(const char *text, size_t max)
{
	size_t n = strnlen(text, max + 1);
	if (n <= max)
		return n;
	for (n = max; n > max - 4 && ((unsigned char)text[n] & 0xc0) == 0x80;)
		n--;
	return n;
}

void text_quoted(struct buf *out, const char *text)
{
	size_t n = cut(text, TEXT_QUOTED_MAX);
	buf_putc(out, '"');
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c == '"' || c == '\\')
			buf_printf(out, "\\%c", c);
		else if (c == '\n' || c == '\t' || c == '\r')
			buf_puts(out, c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r");
		else if (c < 0x20 || c == 0x7f)
			buf_printf(out, "\\u%04x", c);
		else
			buf_putc(out, (char)c);
	}
	buf_puts(out, text[n] ? "\"..." : "\"");
}
