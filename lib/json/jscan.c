/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tokens of JSON text. */
#include "json/jscan.h"

#include <string.h>

#include "util/parse.h"
#include "util/unicode.h"

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

size_t jscan_space(const char *text, size_t len, size_t at)
{
	while (at < len && (text[at] == ' ' || text[at] == '\n' || text[at] == '\t' ||
					   text[at] == '\r'))
		at++;
	return at;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The four hex digits at @at, or -1. */
static int hex4(const char *text, size_t len, size_t at)
{
	int value = 0;
	if (len - at < 4)
		return -1;
	for (size_t i = at; i < at + 4; i++) {
		int digit = hex_digit(text[i]);
		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

/* What stands behind "\u" at @at; *@ret_len: how many bytes of it are used. */
static enum jscan_fault unicode_escape(
		const char *text, size_t len, size_t at, struct buf *out, size_t *ret_len)
{
	enum jscan_fault fault = JSCAN_GOOD;
	int c = hex4(text, len, at), low;
	*ret_len = c < 0 ? 0 : 4;
	if (c < 0) {
		fault = JSCAN_HEX;
	} else if (c == 0) {
		fault = JSCAN_NUL;
	} else if (c >= 0xd800 && c <= 0xdbff && len - at >= 10 && text[at + 4] == '\\' &&
			text[at + 5] == 'u' && (low = hex4(text, len, at + 6)) >= 0xdc00 &&
			low <= 0xdfff) {
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		*ret_len = 10;
	} else if (c >= 0xd800 && c <= 0xdfff) {
		fault = JSCAN_SURROGATE;
	}
	if (out && fault)
		buf_puts(out, replacement);
	else if (out)
		unicode_append(out, (uint32_t)c);
	return fault;
}

/* The escape whose backslash is at *@at, which moves behind it. */
static enum jscan_fault escape(const char *text, size_t len, size_t *at, struct buf *out)
{
	static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	size_t n = 0;
	enum jscan_fault fault = JSCAN_GOOD;
	char c = *at + 1 < len ? text[*at + 1] : '\0';
	const char *letter = c ? strchr(letters, c) : NULL;
	if (letter) {
		if (out)
			buf_putc(out, meanings[letter - letters]);
	} else if (c == 'u') {
		fault = unicode_escape(text, len, *at + 2, out, &n);
	} else {
		/* Only the backslash is passed over: what follows may be the end of the line. */
		if (out)
			buf_puts(out, replacement);
		*at += 1;
		return JSCAN_ESCAPE;
	}
	*at += 2 + n;
	return fault;
}

/* A byte that needs a closer look than plain ASCII does; *@at moves behind the character. */
static enum jscan_fault special(const char *text, size_t len, size_t *at, struct buf *out)
{
	unsigned char c = (unsigned char)text[*at];
	if (c == '\\')
		return escape(text, len, at, out);
	size_t n = c < 0x20 ? 0 : utf8_length(text + *at, len - *at);
	if (out && n)
		buf_add(out, text + *at, n);
	else if (out)
		buf_puts(out, replacement);
	*at += n ? n : 1;
	return n ? JSCAN_GOOD : c < 0x20 ? JSCAN_CONTROL : JSCAN_UTF8;
}

static bool is_plain(char c)
{
	return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

enum jscan_fault jscan_string(
		const char *text, size_t len, size_t *at, struct buf *decoded, size_t *ret_fault_at)
{
	enum jscan_fault first = JSCAN_GOOD;
	size_t i = *at + 1;
	for (;;) {
		size_t run = i;
		while (i < len && is_plain(text[i]))
			i++;
		if (decoded)
			buf_add(decoded, text + run, i - run);
		if (i >= len || text[i] == '\n' || text[i] == '"')
			break;
		size_t here = i;
		enum jscan_fault fault = special(text, len, &i, decoded);
		if (fault && !first) {
			first = fault;
			*ret_fault_at = here;
		}
	}
	*at = i;
	if (i < len && text[i] == '"') {
		*at = i + 1;
		return first;
	}
	*ret_fault_at = i;
	return i < len ? JSCAN_LINE_BREAK : JSCAN_END;
}

size_t jscan_word_end(const char *text, size_t len, size_t at)
{
	while (at < len && (is_letter(text[at]) || is_digit(text[at]) ||
					   (text[at] && strchr("_-+.", text[at]))))
		at++;
	return at;
}

static size_t skip_digits(const char *text, size_t len, size_t at)
{
	while (at < len && is_digit(text[at]))
		at++;
	return at;
}

enum jscan_fault jscan_number(const char *text, size_t len, bool *ret_integer, size_t *ret_fault_at)
{
	size_t start = len && text[0] == '-', i = skip_digits(text, len, start);
	*ret_integer = i == len;
	*ret_fault_at = i;
	if (i == start)
		return start ? JSCAN_NUMBER_DIGIT : JSCAN_NUMBER_START;
	if (text[start] == '0' && i > start + 1) {
		*ret_fault_at = start;
		return JSCAN_NUMBER_ZERO;
	}
	if (i < len && text[i] == '.') {
		size_t fraction = i + 1;
		*ret_fault_at = i = skip_digits(text, len, fraction);
		if (i == fraction)
			return JSCAN_NUMBER_DIGIT;
	}
	if (i < len && (text[i] | 0x20) == 'e') {
		i++;
		i += i < len && (text[i] == '+' || text[i] == '-');
		size_t exponent = i;
		*ret_fault_at = i = skip_digits(text, len, exponent);
		if (i == exponent)
			return JSCAN_NUMBER_DIGIT;
	}
	*ret_fault_at = i;
	return i == len ? JSCAN_GOOD : JSCAN_NUMBER_JUNK;
}

size_t jscan_skip_value(const char *text, size_t len, size_t at)
{
	size_t depth = 0, fault_at;
	while (at < len) {
		char c = text[at];
		size_t word_end = jscan_word_end(text, len, at);
		if (c == '"')
			jscan_string(text, len, &at, NULL, &fault_at);
		else
			at = word_end > at ? word_end : at + 1;
		if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && depth)
			depth--;
		if (!depth)
			return at;
		at = jscan_space(text, len, at);
	}
	return len;
}
