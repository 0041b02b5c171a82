/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of util/unicode.h. */
#include "util/unicode.h"

#include "test.h"
#include "util/hash.h"
#include "util/mem.h"

TEST(decode)
{
	static const struct {
		const char *text;
		uint32_t c;
		size_t len;
	} rows[] = {
		{ "a", 'a', 1 },
		{ "\xc3\xa4", 0xe4, 2 },
		{ "\xe2\x82\xac", 0x20ac, 3 },
		{ "\xf0\x9f\x98\x80", 0x1f600, 4 },
		{ "\xf4\x8f\xbf\xbf", 0x10ffff, 4 },
		{ "\xef\xbf\xbd", UNICODE_REPLACEMENT, 3 },
		{ "\xff", UNICODE_REPLACEMENT, 1 },
		{ "\xe2\x82", UNICODE_REPLACEMENT, 1 },
		{ "\xed\xa0\x80", UNICODE_REPLACEMENT, 1 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t len = 0;
		CHECK_INT(unicode_decode(rows[i].text, strlen(rows[i].text), &len), rows[i].c);
		CHECK_INT(len, rows[i].len);
	}
}

TEST(text_is_valid_to_its_last_byte)
{
	CHECK(unicode_is_valid("", 0));
	CHECK(unicode_is_valid("caf\xc3\xa9", 5));
	CHECK(!unicode_is_valid("caf\xe9", 4));
	CHECK(!unicode_is_valid("caf\xc3\xa9", 4));
}

TEST(no_character_is_cut_in_two)
{
	CHECK_INT(unicode_fit("", 4), 0);
	CHECK_INT(unicode_fit("abcd", 4), 4);
	CHECK_INT(unicode_fit("abcde", 4), 4);
	CHECK_INT(unicode_fit("abc\xc3\xa4", 4), 3);
	CHECK_INT(unicode_fit("abc\xc3\xa4", 5), 5);
	CHECK_INT(unicode_fit("abc\xf0\x9f\x98\x80", 6), 3);
}

TEST(encode)
{
	/* Each of the shortest and longest sequences of a length, read back. */
	static const uint32_t edges[] = { 1, 'a', 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff,
		0x10000, UNICODE_MAX };
	for (size_t i = 0; i < ARRAY_SIZE(edges); i++) {
		char text[UTF8_LENGTH_MAX];
		size_t len = 0, n = unicode_encode(edges[i], text);
		CHECK_INT(unicode_decode(text, n, &len), edges[i]);
		CHECK_INT(len, n);
	}
}

TEST(noncharacters)
{
	static const uint32_t yes[] = { 0xfdd0, 0xfdef, 0xfffe, 0xffff, 0x1fffe, 0x10ffff };
	static const uint32_t no[] = { 0, 'a', 0xfdcf, 0xfdf0, 0xfffd, 0x10000, 0x10fffd };
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		if (!unicode_noncharacter(yes[i]))
			TEST_FAIL("U+%04X is none", yes[i]);
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		if (unicode_noncharacter(no[i]))
			TEST_FAIL("U+%04X is one", no[i]);
}

TEST(steering)
{
	static const uint32_t yes[] = { 0, '\n', '\t', 0x1f, 0x7f, 0x80, 0x9f, 0x61c, 0x200e,
		0x200f, 0x2028, 0x2029, 0x202a, 0x202e, 0x2066, 0x2069 };
	static const uint32_t no[] = { ' ', '~', 0xa0, 0xad, 0x61b, 0x200b, 0x200d, 0x2010, 0x2027,
		0x202f, 0x2065, 0x206a, 0xfeff, 0xfffd, 0x1f600, 0x10ffff };
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		if (!unicode_steers(yes[i]))
			TEST_FAIL("U+%04X steers", yes[i]);
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		if (unicode_steers(no[i]))
			TEST_FAIL("U+%04X does not steer", no[i]);
}

TEST(printable)
{
	static const uint32_t yes[] = { ' ', '!', '~', 0xa1, 0xae, 0xe4, 0x301, 0x378 - 1, 0x20ac,
		0x4e00, 0x9fff, 0xac00, 0xd7a3, 0xfffd, 0x1f600, 0x20000, 0x323af, 0xe01ef };
	static const uint32_t no[] = { 0, '\t', '\n', 0x1f, 0x7f, 0x85, 0xa0, 0xad, 0x378, 0x1680,
		0x2000, 0x200b, 0x2028, 0x202f, 0x3000, 0xd800, 0xdfff, 0xe000, 0xf8ff, 0xfeff,
		0xffff, 0x323b0, 0xe0001, 0xf0000, 0x10ffff, 0x110000, UINT32_MAX };
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		if (!unicode_printable(yes[i]))
			TEST_FAIL("U+%04X is printable", yes[i]);
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		if (unicode_printable(no[i]))
			TEST_FAIL("U+%04X is not printable", no[i]);
}

/*
 * One bit a character, digested: the value comes from another program that read UnicodeData.txt of
 * Unicode 15.0.0.
 */
TEST(printable_characters_are_those_of_unicode_15)
{
	size_t size = 0x110000 / 8, n = 0;
	CLEANUP(freep) uint8_t *bits = xcalloc(1, size);
	for (uint32_t c = 0; c < 0x110000; c++) {
		bits[c / 8] = (uint8_t)(bits[c / 8] | unicode_printable(c) << c % 8);
		n += unicode_printable(c);
	}
	CHECK_INT(n, 148998);
	uint8_t digest[28];
	char hex[57];
	sha3_224(bits, size, digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	CHECK_STR(hex, "1e1ba02e98ad4f5e4a0c67682d4f94e97e06db47496a61608f7a91bd");
}
TEST_MAIN()
