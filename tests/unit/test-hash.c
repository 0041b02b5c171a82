/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of util/hash.h against the examples that NIST published. */
#include "util/hash.h"

#include "test.h"
#include "util/cleanup.h"
#include "util/fnv.h"
#include "util/mem.h"

static void check_hex(const uint8_t *data, size_t len, const char *expected)
{
	CLEANUP(freep) char *hex = xcalloc(1, 2 * len + 1);
	for (size_t i = 0; i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", data[i]);
	CHECK_STR(hex, expected);
}

TEST(shake128_of_nothing)
{
	uint8_t out[32];
	struct shake s;
	shake_init(&s);
	shake_read(&s, out, sizeof(out));
	shake_done(&s);
	check_hex(out, sizeof(out),
			"7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26");
}

/* 1600 bits of 0xa3: longer than the rate of 168 bytes. */
TEST(shake128_of_a_long_text_in_pieces)
{
	uint8_t in[200], out[32];
	memset(in, 0xa3, sizeof(in));
	struct shake s;
	shake_init(&s);
	for (size_t i = 0; i < sizeof(in); i += 25)
		shake_feed(&s, in + i, 25);
	shake_feed(&s, in, 0);
	/* Reading in pieces gives the same stream. */
	for (size_t i = 0; i < sizeof(out); i += 4)
		shake_read(&s, out + i, 4);
	shake_done(&s);
	check_hex(out, sizeof(out),
			"131ab8d2b594946b9c81333f9bb6e0ce75c3b93104fa3469d3917457385da037");
}

TEST(sha256_examples)
{
	static const struct {
		const char *text, *sum;
	} rows[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sha256 s = {};
		uint8_t out[SHA256_LEN];
		sha256_init(&s);
		for (const char *at = rows[i].text; *at; at++)
			sha256_feed(&s, at, 1);
		sha256_read(&s, out);
		sha256_done(&s);
		check_hex(out, sizeof(out), rows[i].sum);
	}
}

TEST(sha3_224_examples)
{
	uint8_t in[200], out[28];
	memset(in, 0xa3, sizeof(in));
	sha3_224("", 0, out);
	check_hex(out, sizeof(out), "6b4e03423667dbb73b6e15454f0eb1abd4597f9a1b078e3f5b5a6bc7");
	sha3_224(in, sizeof(in), out);
	check_hex(out, sizeof(out), "9376816aba503f72f96ce7eb65ac095deee3be4bf9bbc2a1cb7e11e0");
}

/* Of those that its authors publish. */
TEST(fnv_examples)
{
	CHECK(fnv_add(FNV_BEGIN, "", 0) == UINT64_C(0xcbf29ce484222325));
	CHECK(fnv_add(FNV_BEGIN, "a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
	CHECK(fnv_add(fnv_add(FNV_BEGIN, "foo", 3), "bar", 3) == UINT64_C(0x85944171f73967e8));
}

TEST_MAIN()
