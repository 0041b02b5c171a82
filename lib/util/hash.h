/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two digests from which stable identifiers are made: SHAKE128 and SHA3-224 (FIPS 202).
 *
 * They are for identifiers and for nothing that is secret: no care is taken of what stays in memory
 * or in caches. A library that takes this care costs each process half a millisecond to load.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * SHAKE128 as a stream: feed, then read as many bytes as needed. After the first read nothing may
 * be fed. `struct shake s; shake_init(&s); ...`: it owns nothing.
 */
struct shake {
	uint64_t state[25]; /* bit b of lane i is bit 64 * i + b of FIPS 202's string */
	unsigned rate;	    /* bytes of the state that take input and give output */
	unsigned at;	    /* the next of them */
	bool is_read;
};
void shake_init(struct shake *s);
void shake_feed(struct shake *s, const void *data, size_t len);
void shake_read(struct shake *s, void *ret, size_t len);

void sha3_224(const void *data, size_t len, uint8_t ret[28]);
