/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Base64. */
#include "util/base64.h"

#include <stdint.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_add(struct buf *out, const void *data, size_t len)
{
	const uint8_t *in = data;
	char *to = buf_reserve(out, (len + 2) / 3 * 4);
	for (size_t i = 0; i < len; i += 3) {
		const size_t n = len - i;
		uint32_t bits = (uint32_t)in[i] << 16;
		bits |= n > 1 ? (uint32_t)in[i + 1] << 8 : 0;
		bits |= n > 2 ? (uint32_t)in[i + 2] : 0;
		*to++ = digits[bits >> 18];
		*to++ = digits[bits >> 12 & 63];
		*to++ = n > 1 ? digits[bits >> 6 & 63] : '=';
		*to++ = n > 2 ? digits[bits & 63] : '=';
	}
	*to = '\0';
	out->len += (len + 2) / 3 * 4;
}

/* 0 to 63, or -1. */
static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int base64_read(struct buf *out, const char *text, size_t len)
{
	const size_t n_padding =
			len < 4 ? 0
				: (text[len - 1] == '=') + (text[len - 1] == '=' &&
									   text[len - 2] == '=');
	const size_t n_digits = len - n_padding, n_bytes = n_digits * 3 / 4;
	if (len % 4 != 0)
		return -EINVAL;
	char *to = buf_reserve(out, n_bytes);
	uint32_t bits = 0;
	for (size_t i = 0; i < n_digits; i++) {
		const int value = value_of(text[i]);
		if (value < 0) {
			/* Where the NUL was something may have been written. */
			out->text[out->len] = '\0';
			return -EINVAL;
		}
		bits = bits << 6 | (uint32_t)value;
		if (i % 4 != 0)
			*to++ = (char)(bits >> (6 - i % 4 * 2) & 255);
	}
	*to = '\0';
	out->len += n_bytes;
	return 0;
}
