/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text to values: the whole string or an error, never strtol at call sites.
 *
 * None of these sets an error text: the caller knows what the value was for. They return 0, or
 * -EINVAL for a bad form and -ERANGE for a value that does not fit, and leave *ret alone then.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/cleanup.h"

/* Decimal digits only: no sign, no space, no "0x". "007" is 7. */
MUST_CHECK int parse_u64(const char *text, uint64_t *ret);
/* An optional leading '+' or '-', then decimal digits. */
MUST_CHECK int parse_i64(const char *text, int64_t *ret);
/* Within limits (both included): no '+', and a '-' only where @min is negative. */
MUST_CHECK int parse_int(const char *text, int min, int max, int *ret);

/*
 * "4GiB", "512M", "1024": binary units K M G T (alone, or with "iB" or "B", which mean the same);
 * bytes without one. No fraction, no sign, no space, upper case.
 */
MUST_CHECK int parse_size(const char *text, uint64_t *ret_bytes);

/*
 * A span of time. Accepts Go's form ("1m25s", "1.5h", "300ms"; units ns us ms s m h; no sign) and
 * systemd.time(7)'s simple forms "90", "90s", "5min" ("90": seconds). Result in microseconds,
 * rounded down.
 */
MUST_CHECK int parse_span(const char *text, uint64_t *ret_usec);

/* Length of what @text has before @end; 0 if it does not end so, or has nothing before that. */
size_t stem_length(const char *text, const char *end) PURE;

/*
 * UUID in the four forms that google/uuid reads: with dashes, "urn:uuid:" before that, braces
 * around it (first and last of 38 characters, not looked at), or 32 hex digits. Any letter case.
 */
MUST_CHECK int parse_uuid(const char *text, uint8_t ret[16]);
/* The value of a hex digit in either case, or -1. */
int hex_digit(char c) __attribute__((const));
/*
 * @n bytes as 2 * @n digits and a NUL; returns where the NUL is.
 *
 * @digits: HEX_LOWER or HEX_UPPER
 */
char *format_hex(const uint8_t *data, size_t n, const char *digits, char *ret);
#define HEX_LOWER "0123456789abcdef"
#define HEX_UPPER "0123456789ABCDEF"

#define UUID_TEXT_MAX 37
/* Lower case with dashes. */
void format_uuid(const uint8_t uuid[16], char ret[UUID_TEXT_MAX]);

/* "52:54:00:12:34:56", either case. */
MUST_CHECK int parse_mac(const char *text, uint8_t ret[6]);
#define MAC_TEXT_MAX 18
/* Lower case with colons. */
void format_mac(const uint8_t mac[6], char ret[MAC_TEXT_MAX]);
/* QEMU takes '-' between the bytes as well; in place they become ':'. */
void mac_use_colons(char *mac);

/* Length 1..4 of the UTF-8 sequence (RFC 3629: no surrogates, no overlong form) at @text, or 0. */
size_t utf8_length(const char *text, size_t len) PURE;

/*
 * Edit distance in bytes (insert, delete, replace, swap of neighbours), for "did you mean".
 * Different texts of which one is longer than EDIT_DISTANCE_MAX bytes are that far apart, so that
 * the cost has a limit whatever stands in a file.
 */
#define EDIT_DISTANCE_MAX 128
unsigned edit_distance(const char *a, const char *b);
