/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text from anywhere, made fit to be shown to a human. */
#include "json/jtext.h"

#include <string.h>

#include "util/unicode.h"

void text_printable(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		uint32_t c = unicode_decode(text + i, len - i, &n);
		if (c == UNICODE_REPLACEMENT && n == 1)
			buf_printf(out, "\\x%02x", (unsigned char)text[i]);
		else if (unicode_printable(c))
			buf_add(out, text + i, n);
		else if (c == '\n' || c == '\t' || c == '\r')
			buf_puts(out, c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r");
		else
			buf_printf(out,
					c < 0x80      ? "\\x%02x"
					: c < 0x10000 ? "\\u%04x"
						      : "\\U%08x",
					c);
	}
}

void text_escape(struct buf *out, const char *text, size_t len)
{
	static const char letters[] = "bfnrt", controls[] = "\b\f\n\r\t";
	for (size_t i = 0, n; i < len; i += n) {
		uint32_t c = unicode_decode(text + i, len - i, &n);
		const char *known = c && c < 0x20 ? strchr(controls, (int)c) : NULL;
		if (known) {
			buf_printf(out, "\\%c", letters[known - controls]);
		} else if (unicode_steers(c)) {
			buf_printf(out, "\\u%04x", c);
		} else {
			if (c == '"' || c == '\\')
				buf_putc(out, '\\');
			buf_add(out, text + i, n);
		}
	}
}

void text_quoted(struct buf *out, const char *text)
{
	size_t n = unicode_fit(text, TEXT_QUOTED_MAX);
	buf_putc(out, '"');
	text_escape(out, text, n);
	buf_puts(out, text[n] ? "\"..." : "\"");
}
