/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two digests from which stable identifiers are made, by libgcrypt: SHAKE128 and SHA3-224
 * (FIPS 202).
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
