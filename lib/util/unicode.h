/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What Unicode 15.0 says about characters. Unlike <wctype.h> it does not depend on the locale or on
 * the version of libc, so that what is made from it is the same on every host.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/cleanup.h"

/* What stands for a byte that is not UTF-8. */
#define UNICODE_REPLACEMENT 0xfffd

/*
 * The character at @text, of which @len > 0 bytes are there; *ret_len is its length in bytes. A
 * byte that begins no valid sequence (RFC 3629) is UNICODE_REPLACEMENT of length 1.
 */
uint32_t unicode_decode(const char *text, size_t len, size_t *ret_len) NONNULL(1, 3);

/* The length of the longest piece of at most @max bytes (four or more) that does not cut a
 * character in two. */
size_t unicode_fit(const char *text, size_t max);

/* Is all of it UTF-8 (RFC 3629)? */
bool unicode_is_valid(const char *text, size_t len);

#define UNICODE_MAX 0x10ffff
#define UTF8_LENGTH_MAX 4
/* UTF-8 of a character up to UNICODE_MAX; returns its length. Surrogates are not looked for. */
size_t unicode_encode(uint32_t c, char ret[UTF8_LENGTH_MAX]);
/* The same, at the end of @buf. */
void unicode_append(struct buf *buf, uint32_t c);

/*
 * Is it one of those that Unicode will never assign? systemd refuses a unit with such text in it
 * (unichar_is_valid() in its src/basic/utf8.c).
 */
bool unicode_noncharacter(uint32_t c) __attribute__((const));

/*
 * Does it steer a terminal where others are shown: control characters (category Cc), ends of lines
 * (Zl, Zp) and marks of direction, which turn around what follows (Bidi_Control in PropList.txt)?
 */
bool unicode_steers(uint32_t c) __attribute__((const));

/*
 * Is it a letter, mark, number, punctuation, symbol or the ASCII space (general categories L, M, N,
 * P and S)? The same as Go's unicode.IsPrint (Go 1.21 and later: Unicode 15.0).
 */
bool unicode_printable(uint32_t c) __attribute__((const));
