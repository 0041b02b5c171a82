/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text from outside made safe for a terminal. */
#include "util/visible.h"

#include "util/unicode.h"

static bool is_plain(char c)
{
	return c >= ' ' && c <= '~';
}

void visible_add(struct buf *buf, const char *text, size_t len, size_t max)
{
	for (size_t i = 0, n; i < len; i += n) {
		/* Nearly all of it, as a rule. */
		for (n = 0; i + n < len && i + n < max && is_plain(text[i + n]);)
			n++;
		if (n > 0) {
			buf_add(buf, text + i, n);
			continue;
		}
		uint32_t c = unicode_decode(text + i, len - i, &n);
		bool is_utf8 = c != UNICODE_REPLACEMENT || n > 1;
		if (i + n > max) {
			buf_puts(buf, "...");
			return;
		}
		if (c == '\t')
			buf_putc(buf, ' ');
		else if (is_utf8 && !unicode_steers(c))
			buf_add(buf, text + i, n);
		else
			for (size_t k = 0; k < n; k++)
				buf_printf(buf, "\\x%02x", (unsigned char)text[i + k]);
	}
}
