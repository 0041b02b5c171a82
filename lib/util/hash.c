/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SHAKE128 and SHA3-224: the sponge of FIPS 202 with its permutation Keccak-p[1600, 24].
 *
 * Nearly each command makes an identifier or two: to load and set up a library for that would take
 * a third of a millisecond, a fifth of what "args" takes.
 */
#include "util/hash.h"

#include <string.h>

#include "util/cleanup.h"

#define ROUNDS 24
/* In bytes: what is not kept from the outside is twice the strength (FIPS 202, 6). */
#define RATE_SHAKE128 168
#define RATE_SHA3_224 144
/* What follows the message, with the first bit of the padding. */
#define END_SHAKE 0x1f
#define END_SHA3 0x06

/* With indexes that are known, lanes stay in registers: a permutation is three times as quick. */
#define UNROLL _Pragma("GCC unroll 24")

static uint64_t rotate(uint64_t lane, unsigned n)
{
	return lane << n | lane >> (64 - n);
}

/* FIPS 202, 3.2.1: each bit takes up the parity of two columns. */
static void theta(uint64_t a[static SHAKE_LANES])
{
	uint64_t c[5];
	UNROLL
	for (size_t x = 0; x < 5; x++)
		c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
	UNROLL
	for (size_t x = 0; x < 5; x++) {
		uint64_t d = c[(x + 4) % 5] ^ rotate(c[(x + 1) % 5], 1);
		UNROLL
		for (size_t y = 0; y < SHAKE_LANES; y += 5)
			a[x + y] ^= d;
	}
}

/* 3.2.2 and 3.2.3: lanes are rotated, and change their places in one cycle that begins at 1. */
static void rho_and_pi(uint64_t a[static SHAKE_LANES])
{
	static const struct {
		uint8_t to, by;
	} steps[] = {
		{ 10, 1 },
		{ 7, 3 },
		{ 11, 6 },
		{ 17, 10 },
		{ 18, 15 },
		{ 3, 21 },
		{ 5, 28 },
		{ 16, 36 },
		{ 8, 45 },
		{ 21, 55 },
		{ 24, 2 },
		{ 4, 14 },
		{ 15, 27 },
		{ 23, 41 },
		{ 19, 56 },
		{ 13, 8 },
		{ 12, 25 },
		{ 2, 43 },
		{ 20, 62 },
		{ 14, 18 },
		{ 22, 39 },
		{ 9, 61 },
		{ 6, 20 },
		{ 1, 44 },
	};
	uint64_t lane = a[1];
	UNROLL
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		uint64_t next = a[steps[i].to];
		a[steps[i].to] = rotate(lane, steps[i].by);
		lane = next;
	}
}

/* 3.2.4: the only step that is not linear. */
static void chi(uint64_t a[static SHAKE_LANES])
{
	UNROLL
	for (size_t y = 0; y < SHAKE_LANES; y += 5) {
		uint64_t row[5];
		memcpy(row, a + y, sizeof(row));
		UNROLL
		for (size_t x = 0; x < 5; x++)
			a[x + y] ^= ~row[(x + 1) % 5] & row[(x + 2) % 5];
	}
}

static void permute(uint64_t a[static SHAKE_LANES])
{
	/* 3.2.5: what makes each round another one. */
	static const uint64_t iota[ROUNDS] = {
		0x0000000000000001,
		0x0000000000008082,
		0x800000000000808a,
		0x8000000080008000,
		0x000000000000808b,
		0x0000000080000001,
		0x8000000080008081,
		0x8000000000008009,
		0x000000000000008a,
		0x0000000000000088,
		0x0000000080008009,
		0x000000008000000a,
		0x000000008000808b,
		0x800000000000008b,
		0x8000000000008089,
		0x8000000000008003,
		0x8000000000008002,
		0x8000000000000080,
		0x000000000000800a,
		0x800000008000000a,
		0x8000000080008081,
		0x8000000000008080,
		0x0000000080000001,
		0x8000000080008008,
	};
	for (size_t i = 0; i < ROUNDS; i++) {
		theta(a);
		rho_and_pi(a);
		chi(a);
		a[0] ^= iota[i];
	}
}

/* Bytes are in lanes with the lowest first, on any processor. */
static void add_byte(struct shake *s, size_t at, uint8_t byte)
{
	s->lanes[at / 8] ^= (uint64_t)byte << at % 8 * 8;
}

static void feed(struct shake *s, size_t rate, const void *data, size_t len)
{
	const uint8_t *bytes = data;
	for (size_t i = 0; i < len; i++) {
		add_byte(s, s->at++, bytes[i]);
		if (s->at == rate) {
			permute(s->lanes);
			s->at = 0;
		}
	}
}

static void end(struct shake *s, size_t rate, uint8_t suffix)
{
	add_byte(s, s->at, suffix);
	add_byte(s, rate - 1, 0x80);
	permute(s->lanes);
	s->at = 0;
}

static void read_out(struct shake *s, size_t rate, uint8_t *ret, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s->at == rate) {
			permute(s->lanes);
			s->at = 0;
		}
		ret[i] = (uint8_t)(s->lanes[s->at / 8] >> s->at % 8 * 8);
		s->at++;
	}
}

void shake_init(struct shake *s)
{
	*s = (struct shake){};
}

void shake_feed(struct shake *s, const void *data, size_t len)
{
	feed(s, RATE_SHAKE128, data, len);
}

void shake_read(struct shake *s, void *ret, size_t len)
{
	if (!s->is_ended)
		end(s, RATE_SHAKE128, END_SHAKE);
	s->is_ended = true;
	read_out(s, RATE_SHAKE128, ret, len);
}

void sha3_224(const void *data, size_t len, uint8_t ret[28])
{
	struct shake s = {};
	feed(&s, RATE_SHA3_224, data, len);
	end(&s, RATE_SHA3_224, END_SHA3);
	read_out(&s, RATE_SHA3_224, ret, 28);
}
