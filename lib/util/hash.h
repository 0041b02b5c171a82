/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two digests from which stable identifiers are made, by libgcrypt: SHAKE128 and SHA3-224
 * (FIPS 202); and SHA-256 (FIPS 180-4), which every system has a program for.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * SHAKE128 as a stream: feed, then read as many bytes as needed. After the first read nothing may
 * be fed. `struct shake s; shake_init(&s); ... shake_done(&s);`
 */
struct shake {
	void *handle; /* gcry_md_hd_t */
};
void shake_init(struct shake *s);
void shake_done(struct shake *s);
void shake_feed(struct shake *s, const void *data, size_t len);
void shake_read(struct shake *s, void *ret, size_t len);

void sha3_224(const void *data, size_t len, uint8_t ret[28]);

#define SHA256_LEN 32

/* SHA-256 as a stream. */
struct sha256 {
	void *handle; /* gcry_md_hd_t */
};
void sha256_init(struct sha256 *s);
/* NULL- and zero-safe. */
void sha256_done(struct sha256 *s);
void sha256_feed(struct sha256 *s, const void *data, size_t len);
void sha256_read(struct sha256 *s, uint8_t ret[SHA256_LEN]);
