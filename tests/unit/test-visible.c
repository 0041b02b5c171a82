/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text from outside made safe for a terminal. */
#include <string.h>

#include "test.h"
#include "util/visible.h"

static void check(const char *text, size_t len, size_t max, const char *expected)
{
	CLEANUP(buf_done) struct buf b = {};
	visible_add(&b, text, len, max);
	CHECK_STR(buf_text(&b), expected);
}

#define CHECK_VISIBLE(literal, expected) check(literal, sizeof(literal) - 1, 1000, expected)

TEST(plain_text_and_utf8_stay)
{
	CHECK_VISIBLE("", "");
	CHECK_VISIBLE("a 'b' \"c\" \\", "a 'b' \"c\" \\");
	CHECK_VISIBLE("gr\xc3\xbc\xc3\x9f \xf0\x9f\x90\xa7", "gr\xc3\xbc\xc3\x9f \xf0\x9f\x90\xa7");
}

TEST(control_characters_are_shown)
{
	CHECK_VISIBLE("a\tb", "a b");
	CHECK_VISIBLE("a\nb\rc", "a\\x0ab\\x0dc");
	CHECK_VISIBLE("\x1b[31mred\x7f", "\\x1b[31mred\\x7f");
	CHECK_VISIBLE("a\0b", "a\\x00b");
	/* U+009B is the 8-bit form of ESC [. U+00A0 is a space like others. */
	CHECK_VISIBLE("\xc2\x9b"
		      "31m",
			"\\xc2\\x9b31m");
	CHECK_VISIBLE("\xc2\xa0", "\xc2\xa0");
}

/* "moc.live" would be shown as "evil.com", and a line separator begins a line. */
TEST(what_turns_a_line_around_is_shown)
{
	CHECK_VISIBLE("a\u202emoc.live\u202c", "a\\xe2\\x80\\xaemoc.live\\xe2\\x80\\xac");
	CHECK_VISIBLE("\u2067\u2069\u061c", "\\xe2\\x81\\xa7\\xe2\\x81\\xa9\\xd8\\x9c");
	CHECK_VISIBLE("\u2028\u2029", "\\xe2\\x80\\xa8\\xe2\\x80\\xa9");
	/* What only joins or parts letters, and letters that run to the left, are text. */
	CHECK_VISIBLE("\u200c\u200d\u05d0\u0627\ufeff", "\u200c\u200d\u05d0\u0627\ufeff");
}

TEST(invalid_utf8_is_shown)
{
	CHECK_VISIBLE("\xff\xfe", "\\xff\\xfe");
	CHECK_VISIBLE("a\xc3", "a\\xc3");
	CHECK_VISIBLE("\xed\xa0\x80", "\\xed\\xa0\\x80");
	CHECK_VISIBLE("\xc0\x80", "\\xc0\\x80");
}

TEST(long_text_is_cut_between_characters)
{
	check("abcdef", 6, 6, "abcdef");
	check("abcdef", 6, 3, "abc...");
	check("ab\xc3\xbc", 4, 3, "ab...");
	check("abc", 3, 0, "...");
	check("", 0, 0, "");
}

TEST_MAIN()
