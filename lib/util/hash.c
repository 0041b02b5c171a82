/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two digests from which stable identifiers are made. */
#include "util/hash.h"

#include <assert.h>
#include <string.h>

#include "util/cleanup.h"

#define N_LANES 25
#define STATE_BYTES (N_LANES * 8)

/* What comes after the text: the bits that tell the functions apart, then the first of the padding
 * (FIPS 202, 6.1, 6.2 and B.2). The last bit of the padding ends the block. */
#define SHA3_SUFFIX 0x06
#define SHAKE_SUFFIX 0x1f
#define PADDING_END 0x80

static uint64_t rotate(uint64_t lane, unsigned n)
{
	return lane << n | lane >> (-n & 63);
}

/*
 * Keccak-f[1600] (3.3). A round is theta (3.2.1: each bit gets the parities of two columns), rho
 * and pi (lanes are rotated and change places), chi (3.2.4: the only step that is not linear) and
 * iota. The loops over lanes are unrolled, for lanes that are numbered by constants stay in
 * registers.
 */
static void permute(uint64_t state[N_LANES])
{
	/* Rho and pi (3.2.2, 3.2.3): how far each lane is rotated, and whose place it takes. */
	static const uint8_t rotations[N_LANES] = { 0, 1, 62, 28, 27, 36, 44, 6, 55, 20, 3, 10, 43,
		25, 39, 41, 45, 15, 21, 8, 18, 2, 61, 56, 14 };
	static const uint8_t places[N_LANES] = { 0, 10, 20, 5, 15, 16, 1, 11, 21, 6, 7, 17, 2, 12,
		22, 23, 8, 18, 3, 13, 14, 24, 9, 19, 4 };
	/* Iota (3.2.5). */
	static const uint64_t constants[] = { 0x0000000000000001, 0x0000000000008082,
		0x800000000000808a, 0x8000000080008000, 0x000000000000808b, 0x0000000080000001,
		0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088,
		0x0000000080008009, 0x000000008000000a, 0x000000008000808b, 0x800000000000008b,
		0x8000000000008089, 0x8000000000008003, 0x8000000000008002, 0x8000000000000080,
		0x000000000000800a, 0x800000008000000a, 0x8000000080008081, 0x8000000000008080,
		0x0000000080000001, 0x8000000080008008 };

	for (size_t round = 0; round < ARRAY_SIZE(constants); round++) {
		uint64_t parity[5];
		uint64_t moved[N_LANES];
#pragma GCC unroll 5
		for (unsigned x = 0; x < 5; x++)
			parity[x] = state[x] ^ state[x + 5] ^ state[x + 10] ^ state[x + 15] ^
				    state[x + 20];
#pragma GCC unroll 25
		for (unsigned i = 0; i < N_LANES; i++)
			moved[places[i]] = rotate(state[i] ^ parity[(i + 4) % 5] ^
								  rotate(parity[(i + 1) % 5], 1),
					rotations[i]);
#pragma GCC unroll 25
		for (unsigned i = 0; i < N_LANES; i++)
			state[i] = moved[i] ^ (~moved[i / 5 * 5 + (i + 1) % 5] &
							      moved[i / 5 * 5 + (i + 2) % 5]);
		state[0] ^= constants[round];
	}
}

static void flip(struct shake *s, unsigned at, uint8_t byte)
{
	s->state[at / 8] ^= (uint64_t)byte << (at % 8 * 8);
}

void shake_init(struct shake *s)
{
	*s = (struct shake){ .rate = STATE_BYTES - 2 * 128 / 8 };
}

void shake_feed(struct shake *s, const void *data, size_t len)
{
	assert(!s->is_read);
	const uint8_t *bytes = data;
	for (size_t i = 0; i < len; i++) {
		flip(s, s->at++, bytes[i]);
		if (s->at == s->rate) {
			permute(s->state);
			s->at = 0;
		}
	}
}

static void pad(struct shake *s, uint8_t suffix)
{
	flip(s, s->at, suffix);
	flip(s, s->rate - 1, PADDING_END);
	s->at = s->rate;
	s->is_read = true;
}

static void squeeze(struct shake *s, uint8_t *ret, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s->at == s->rate) {
			permute(s->state);
			s->at = 0;
		}
		ret[i] = (uint8_t)(s->state[s->at / 8] >> (s->at % 8 * 8));
		s->at++;
	}
}

void shake_read(struct shake *s, void *ret, size_t len)
{
	if (!s->is_read)
		pad(s, SHAKE_SUFFIX);
	squeeze(s, ret, len);
}

void sha3_224(const void *data, size_t len, uint8_t ret[28])
{
	struct shake s = { .rate = STATE_BYTES - 2 * 224 / 8 };
	shake_feed(&s, data, len);
	pad(&s, SHA3_SUFFIX);
	squeeze(&s, ret, 28);
}
