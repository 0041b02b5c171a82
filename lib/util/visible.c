/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text from outside made safe for a terminal. */
#include "util/visible.h"

#include <stdbool.h>

#include "util/parse.h"

static bool is_control(const unsigned char *c, size_t n)
{
	return c[0] < 0x20 || c[0] == 0x7f || (n == 2 && c[0] == 0xc2 && c[1] < 0xa0);
}

void visible_add(struct buf *buf, const char *text, size_t len, size_t max)
{
	size_t i = 0;
	while (i < len) {
		const unsigned char *c = (const unsigned char *)text + i;
		size_t n = utf8_length(text + i, len - i);
		size_t step = n > 0 ? n : 1;
		if (i + step > max) {
			buf_puts(buf, "...");
			return;
		}

		if (*c == '\t')
			buf_putc(buf, ' ');
		else if (n > 0 && !is_control(c, n))
			buf_add(buf, c, n);
		else
			for (size_t k = 0; k < step; k++)
				buf_printf(buf, "\\x%02x", c[k]);
		i += step;
	}
}
