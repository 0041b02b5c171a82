/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stable identifiers. */
#include "model/ident.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "util/buf.h"
#include "util/hash.h"
#include "util/mem.h"
#include "util/parse.h"
#include "util/unicode.h"

static void put_part(struct buf *to, const void *data, size_t len)
{
	uint64_t prefix = htobe64(len);
	buf_add(to, &prefix, sizeof(prefix));
	buf_add(to, data, len);
}

/*
 * @words: what is wanted, then the name or names; NULL at the end
 * @index: also stands for what is wanted; NULL for none
 */
static void begin(struct shake *s, const struct ident *id, const char *const words[],
		const uint8_t index[8])
{
	char room[300];
	CLEANUP(buf_done) struct buf text = {};
	buf_borrow(&text, room, sizeof(room));
	buf_add(&text, id->machine_id, 16);
	put_part(&text, id->machine_name, strlen(id->machine_name));
	for (; *words; words++)
		put_part(&text, *words, strlen(*words));
	if (index)
		put_part(&text, index, 8);
	shake_init(s);
	shake_feed(s, text.text, text.len);
}

static void derive(const struct ident *id, const char *const words[], uint8_t *ret, size_t len)
{
	CLEANUP(shake_done) struct shake s;
	begin(&s, id, words, NULL);
	shake_read(&s, ret, len);
}

/* Puts in what makes six bytes a MAC address of QEMU's range, as text. */
static void finish_mac(uint8_t raw[6], char ret[MAC_TEXT_MAX])
{
	memcpy(raw, "\x52\x54", 3);
	format_mac(raw, ret);
}

/* Puts in NAA 5 and the company's number; 36 bits are left. */
static void format_own_wwn(const uint8_t raw[8], char ret[IDENT_WWN_MAX])
{
	const uint8_t number[5] = { raw[3] & 0x0f, raw[4], raw[5], raw[6], raw[7] };
	format_hex(number, sizeof(number), HEX_UPPER, stpcpy(ret, "0x552540"));
}

/* Puts in version 4 (random) and the variant of RFC 4122. */
static void mark_uuid(uint8_t uuid[16])
{
	uuid[6] = (uuid[6] & 0x0f) | 0x40;
	uuid[8] = (uuid[8] & 0x3f) | 0x80;
}

/* RFC 4648 of @len bytes: @bits (5 or 6) a digit, no padding. */
static void encode(const uint8_t *data, size_t len, const char *digits, unsigned bits, char *ret)
{
	unsigned window = 0, n = 0;

	for (size_t i = 0; i < len; i++) {
		window = window << 8 | data[i];
		for (n += 8; n >= bits; n -= bits)
			*ret++ = digits[window >> (n - bits) & ((1U << bits) - 1)];
		window &= (1U << n) - 1;
	}
	if (n > 0)
		*ret++ = digits[window << (bits - n)];
	*ret = '\0';
}

void ident_mac(const struct ident *id, const char *connection, char ret[MAC_TEXT_MAX])
{
	uint8_t raw[6];
	derive(id, (const char *const[]){ "connection", "hardware-addr", connection, NULL }, raw,
			sizeof(raw));
	finish_mac(raw, ret);
}

void ident_wwn(const struct ident *id, const char *volume, char ret[IDENT_WWN_MAX])
{
	uint8_t raw[8];
	derive(id, (const char *const[]){ "volume", "wwn", volume, NULL }, raw, sizeof(raw));
	format_own_wwn(raw, ret);
}

void ident_serial(const struct ident *id, const char *volume, char ret[IDENT_SERIAL_MAX])
{
	uint8_t raw[16];
	derive(id, (const char *const[]){ "volume", "serial-number", volume, NULL }, raw,
			sizeof(raw));
	encode(raw, sizeof(raw), "0123456789ABCDEFGHIJKLMNOPQRSTUV", 5, ret);
}

void ident_device(
		const struct ident *id, const char *class_name, const char *device, uint8_t ret[16])
{
	derive(id, (const char *const[]){ "device", "id", class_name, device, NULL }, ret, 16);
	mark_uuid(ret);
}

/* A number from 65536 to @max: smaller ones are given out by hand. One in 65536 tries misses. */
static uint32_t derive_number(const struct ident *id, const char *const words[],
		const uint8_t index[8], uint32_t max)
{
	CLEANUP(shake_done) struct shake s;
	uint32_t number;

	begin(&s, id, words, index);
	do {
		shake_read(&s, &number, sizeof(number));
		number = be32toh(number);
	} while (number < 65536 || number > max);
	return number;
}

uint32_t ident_group_id(const struct ident *id)
{
	static const uint8_t index[8];
	return derive_number(id,
			(const char *const[]){ "privilege", "file-system", "group-id", NULL },
			index, UINT32_MAX);
}

uint32_t ident_cid(const struct ident *id)
{
	return derive_number(
			id, (const char *const[]){ "vsock", "cid", NULL }, NULL, UINT32_MAX - 1);
}

char *ident_group_name(const char *machine_name)
{
	return xasprintf("machina-%s", machine_name);
}

/* The kernel's limit, IFNAMSIZ without the NUL. */
#define LINK_LEN 15

/* Copy what may be in the name of an interface. A space is the only white space that is printable.
 */
static void clean_link(const char *text, size_t len, char *ret)
{
	for (size_t n; len > 0; text += n, len -= n) {
		uint32_t c = unicode_decode(text, len, &n);
		bool valid = c != UNICODE_REPLACEMENT || n > 1;
		if (c == '/' || c == ' ' || !unicode_printable(c))
			continue;
		ret = mempcpy(ret, valid ? text : "\xef\xbf\xbd", valid ? n : 3);
	}
	*ret = '\0';
}

void ident_link(const char *machine_name, const char *connection, char ret[IDENT_LINK_MAX])
{
	static const char digits[] =
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	CLEANUP(freep) char *text = xasprintf("%s.%s", machine_name, connection);
	size_t len = strlen(text);

	if (len <= LINK_LEN) {
		clean_link(text, len, ret);
		return;
	}
	uint8_t digest[28];
	sha3_224(text, len, digest);
	encode(digest, 11, digits, 6, ret);
}

static int wwn_error(const char *text, struct error *err)
{
	return error_set(err, EINVAL,
			"expected a World Wide Name: 16 hex digits that begin with 1, 2, 5, C, D, "
			"E or F, or 32 that begin with 6, found \"%s\"",
			text);
}

int wwn_parse(const char *text, char ret[IDENT_WWN_MAX], struct error *err)
{
	static const char digits[] = "0123456789ABCDEF";
	char clean[2 + 32 + 1] = "";
	size_t n = 0;

	/* Colons go first: "0:x1..." has the prefix as well. */
	for (const char *p = text; *p; p++) {
		if (*p == ':')
			continue;
		if (n == sizeof(clean) - 1)
			return wwn_error(text, err);
		clean[n++] = *p;
	}
	clean[n] = '\0';
	char *from = clean + (strncmp(clean, "0x", 2) ? 0 : 2);
	n -= (size_t)(from - clean);
	for (char *p = from; *p; p++) {
		if (*p >= 'a' && *p <= 'f')
			*p = (char)(*p - 'a' + 'A');
		if (!strchr(digits, *p))
			return wwn_error(text, err);
	}
	if (*text && n != (*from == '6' ? 32 : 16))
		return wwn_error(text, err);
	if (*text && !strchr("1256CDEF", *from))
		return wwn_error(text, err);
	snprintf(ret, IDENT_WWN_MAX, "%s%s", *text ? "0x" : "", from);
	return 0;
}

static int read_random(void *ret, size_t len, struct error *err)
{
	/* Up to 256 bytes come whole (getrandom(2)). */
	if (getrandom(ret, len, 0) != (ssize_t)len)
		return error_errno(err, "cannot get random bytes");
	return 0;
}

int ident_random_uuid(uint8_t ret[16], struct error *err)
{
	int r = read_random(ret, 16, err);
	if (r == 0)
		mark_uuid(ret);
	return r;
}

int ident_random_mac(char ret[MAC_TEXT_MAX], struct error *err)
{
	uint8_t raw[6];
	int r = read_random(raw, sizeof(raw), err);
	if (r == 0)
		finish_mac(raw, ret);
	return r;
}

int ident_random_wwn(char ret[IDENT_WWN_MAX], struct error *err)
{
	uint8_t raw[8];
	int r = read_random(raw, sizeof(raw), err);
	if (r == 0)
		format_own_wwn(raw, ret);
	return r;
}
