/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tokens of JSON text, for the parser and for whoever looks up a place in text that was parsed.
 * No function reads at or behind @len; offsets count bytes from the beginning of the text.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "util/buf.h"

enum jscan_fault {
	JSCAN_GOOD,
	/* Within a string; its end was found all the same. */
	JSCAN_CONTROL,	 /* a raw control character */
	JSCAN_UTF8,	 /* a byte that is no UTF-8 */
	JSCAN_ESCAPE,	 /* a backslash with a character behind it that has no meaning there */
	JSCAN_HEX,	 /* "\u" without four hex digits */
	JSCAN_SURROGATE, /* half of a surrogate pair */
	JSCAN_NUL,	 /* "\u0000" */
	/* A string without an end. */
	JSCAN_LINE_BREAK,
	JSCAN_END,
	/* Within a number. */
	JSCAN_NUMBER_START, /* neither '-' nor a digit where a number should begin */
	JSCAN_NUMBER_ZERO,  /* digits behind a leading 0 */
	JSCAN_NUMBER_DIGIT, /* no digit where there must be one */
	JSCAN_NUMBER_JUNK,  /* something that belongs to no number */
};

/* The offset of the first byte from @at that is no white space (RFC 8259: space, \t, \n, \r). */
size_t jscan_space(const char *text, size_t len, size_t at);

/*
 * The string whose opening quote is at *@at, decoded.
 *
 * @at: moves behind the closing quote, or to the line break or end that stands in its place
 * @decoded: appended to; NULL: not wanted. What could not be decoded is U+FFFD there, so that it
 *           never holds a NUL.
 * @ret_fault_at: where the first fault is
 *
 * Returns the first fault, except that a missing end comes before all others.
 */
enum jscan_fault jscan_string(const char *text, size_t len, size_t *at, struct buf *decoded,
		size_t *ret_fault_at);

/* The end of the run of letters, digits, '_', '-', '+' and '.' at @at: a number or a literal. */
size_t jscan_word_end(const char *text, size_t len, size_t at);

/* Is the word @text[0, len) a number of RFC 8259? @ret_integer: no fraction and no exponent. */
enum jscan_fault jscan_number(
		const char *text, size_t len, bool *ret_integer, size_t *ret_fault_at);

/* The offset behind the value at @at, in text that was found to be valid. */
size_t jscan_skip_value(const char *text, size_t len, size_t at);
