/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What Unicode 15.0 says about characters. */
#include "util/unicode.h"

#include <string.h>

#include "util/parse.h"
#include "util/unicode-edges.h"

uint32_t unicode_decode(const char *text, size_t len, size_t *ret_len)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t n = utf8_length(text, len);

	*ret_len = n ? n : 1;
	if (n == 0)
		return UNICODE_REPLACEMENT;
	uint32_t c = n == 1 ? p[0] : p[0] & (0x7fU >> n);
	for (size_t i = 1; i < n; i++)
		c = c << 6 | (p[i] & 0x3f);
	return c;
}

size_t unicode_fit(const char *text, size_t max)
{
	size_t n = strnlen(text, max + 1);
	if (n <= max)
		return n;
	for (n = max; n > max - 4 && ((unsigned char)text[n] & 0xc0) == 0x80;)
		n--;
	return n;
}

bool unicode_is_valid(const char *text, size_t len)
{
	for (size_t at = 0, n; at < len; at += n) {
		n = utf8_length(text + at, len - at);
		if (n == 0)
			return false;
	}
	return true;
}

size_t unicode_encode(uint32_t c, char ret[UTF8_LENGTH_MAX])
{
	static const uint8_t lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (size_t i = n; i-- > 1; c >>= 6)
		ret[i] = (char)(0x80 | (c & 0x3f));
	ret[0] = (char)(lead[n] | c);
	return n;
}

void unicode_append(struct buf *buf, uint32_t c)
{
	char text[UTF8_LENGTH_MAX] = "";
	size_t len = unicode_encode(c, text);
	buf_add(buf, text, len);
}

bool unicode_noncharacter(uint32_t c)
{
	return (c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe;
}

bool unicode_steers(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || c == 0x200e || c == 0x200f ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

bool unicode_printable(uint32_t c)
{
	/* The number of edges at or below @c: after an odd number a printable range has begun. */
	size_t low = 0, high = ARRAY_SIZE(edges);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (edges[middle] <= c)
			low = middle + 1;
		else
			high = middle;
	}
	return low % 2 == 1;
}
