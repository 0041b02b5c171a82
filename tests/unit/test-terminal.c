/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guest writes to its console: what reaches a terminal of it, and what does not. */
#include "util/terminal.h"

#include <string.h>

#include "test.h"
#include "util/mem.h"

#define ESC "\x1b"

static const struct {
	const char *in, *screen, *text;
} rows[] = {
	{ "plain\r\ntext\ttab\b\a", "plain\r\ntext\ttab\b\a", "plain\ntext\ttab" },
	{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
			"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
			"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80" },
	{ "\xc2\xa0\xc2\xb5", "\xc2\xa0\xc2\xb5", "\xc2\xa0\xc2\xb5" },
	/* What programs on a screen need. */
	{ ESC "[1;31mred" ESC "[0m", ESC "[1;31mred" ESC "[0m", "red" },
	{ ESC "[2J" ESC "[H" ESC "[10;20Hx", ESC "[2J" ESC "[H" ESC "[10;20Hx", "x" },
	{ ESC "[?1049h" ESC "[?25l" ESC "[1;24r", ESC "[?1049h" ESC "[?25l" ESC "[1;24r", "" },
	{ ESC "[6n" ESC "[c" ESC "[>c", ESC "[6n" ESC "[c" ESC "[>c", "" },
	{ ESC "7" ESC "8" ESC "M" ESC "=" ESC ">" ESC "(0" ESC "(B",
			ESC "7" ESC "8" ESC "M" ESC "=" ESC ">" ESC "(0" ESC "(B", "" },
	{ ESC "[2 q" ESC "[!p" ESC "[4h" ESC "[4l", ESC "[2 q" ESC "[!p" ESC "[4h" ESC "[4l", "" },
	{ "\x0e"
	  "q\x0f",
			"\x0e"
			"q\x0f",
			"q" },
	/* Strings: title, clipboard, a question for colours, a picture, a macro, a message. */
	{ "a" ESC "]0;title\a"
	  "b",
			"ab", "ab" },
	{ "a" ESC "]52;c;aGk=" ESC "\\"
	  "b",
			"ab", "ab" },
	{ ESC "]10;?\a", "", "" },
	{ ESC "Pq#0;2;0;0;0" ESC "\\x", "x", "x" },
	{ ESC "P$qm" ESC "\\x", "x", "x" },
	{ ESC "_G" ESC "\\" ESC "^pm" ESC "\\" ESC "Xsos" ESC "\\x", "x", "x" },
	{ ESC "]0;cut\nnext line", "\nnext line", "\nnext line" },
	{ ESC "]0;cut" ESC "[31mred", ESC "[31mred", "red" },
	{ ESC "]0;cut\x18x", "x", "x" },
	{ ESC "]0;a" ESC "]0;b\ax", "x", "x" },
	/* Windows, printing, reports of the screen and of settings, VT52, a locked keyboard. */
	{ ESC "[21tx" ESC "[8;1;1t" ESC "[t", "x", "x" },
	{ ESC "[5i" ESC "[4i" ESC "[?5i", "", "" },
	{ ESC "[1;1;1;1;1;1*y" ESC "[2;1y" ESC "[x", "", "" },
	{ ESC "[?1$p" ESC "[1$}", "", "" },
	{ ESC "[>q" ESC "[>0q" ESC "[=c" ESC "[<u" ESC "[>1u", "", "" },
	{ ESC "[2h" ESC "[?2l" ESC "[4;2h" ESC "[?25;2l" ESC "[02h", "", "" },
	{ ESC "[?22h" ESC "[?12l", ESC "[?22h" ESC "[?12l", "" },
	{ ESC "Z" ESC "n" ESC "o" ESC "|" ESC "}" ESC "%G" ESC "#8" ESC "\\" ESC "l" ESC "m", "",
			"" },
	{ "\x05\x7f\x10\x11\x13\x1a\x1c", "", "" },
	/* The same in other clothes: characters of control beyond ASCII. */
	{ "\xc2\x9b"
	  "5ix\xc2\x9d"
	  "0;t\ay\xc2\x90q" ESC "\\z",
			"xyz", "xyz" },
	{ "\xc2\x9b"
	  "31mred\xc2\x85",
			ESC "[31mred" ESC "E", "red" },
	{ "\x9b"
	  "5i\x9d"
	  "0;t\x90",
			"5i0;t", "5i0;t" },
	{ "\xc2\xc2\x9b"
	  "5iA",
			"A", "A" },
	{ "\xe2\x82" ESC "[5iA",
			"\xe2\x82"
			"A",
			"\xe2\x82"
			"A" },
	{ "\xe2\x9b\x9b"
	  "A",
			"\xe2\x9b\x9b"
			"A",
			"\xe2\x9b\x9b"
			"A" },
	{ "\xe2\x9bx\x9bz", "\xe2\x9bxz", "\xe2\x9bxz" },
	/* Broken, and one in the other. */
	{ ESC "[31" ESC "[32mgreen", ESC "[32mgreen", "green" },
	{ ESC ESC ESC "[1mx", ESC "[1mx", "x" },
	{ ESC "[3\n1mx", "\n" ESC "[31mx", "\nx" },
	{ ESC "[3\x18"
	      "1mx",
			"1mx", "1mx" },
	{ ESC "[3\xc3\xbcx", "\xbcx", "\xbcx" },
	{ ESC "[" ESC "]0;t\a"
	      "5ix",
			"5ix", "5ix" },
	{ ESC " " ESC "[31mx", ESC "[31mx", "x" },
	{ ESC, "", "" },
	{ ESC "[", "", "" },
};

static char *filtered(enum terminal_mode mode, const char *in, size_t len, size_t piece)
{
	struct terminal_filter filter = { .mode = mode };
	CLEANUP(buf_done) struct buf out = {};
	for (size_t at = 0; at < len; at += piece)
		terminal_filter_add(&filter, &out, in + at, len - at < piece ? len - at : piece);
	return buf_take(&out);
}

TEST(a_terminal_gets_what_programs_need_and_nothing_else)
{
	static const size_t pieces[] = { 1, 2, 3, 1000 };
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t k = 0; k < ARRAY_SIZE(pieces); k++) {
			const size_t len = strlen(rows[i].in);
			CLEANUP(freep)
			char *screen = filtered(TERMINAL_SCREEN, rows[i].in, len, pieces[k]);
			CLEANUP(freep)
			char *text = filtered(TERMINAL_TEXT, rows[i].in, len, pieces[k]);
			CLEANUP(freep)
			char *raw = filtered(TERMINAL_RAW, rows[i].in, len, pieces[k]);
			if (strcmp(screen, rows[i].screen) != 0 || strcmp(text, rows[i].text) != 0)
				test_note("row %zu in pieces of %zu", i, pieces[k]);
			CHECK_STR(screen, rows[i].screen);
			CHECK_STR(text, rows[i].text);
			CHECK_STR(raw, rows[i].in);
		}
}

TEST(nul_bytes_are_left_out)
{
	CLEANUP(freep) char *got = filtered(TERMINAL_SCREEN, "a\0b\0\0c", 6, 1);
	CHECK_STR(got, "abc");
}

TEST(what_never_ends_swallows_little)
{
	static const char *const begins[] = { ESC "]0;", ESC "P", ESC "[", ESC "(" };
	for (size_t i = 0; i < ARRAY_SIZE(begins); i++) {
		CLEANUP(buf_done) struct buf in = {};
		buf_puts(&in, begins[i]);
		for (int k = 0; k < 6000; k++)
			buf_putc(&in, '0');
		buf_puts(&in, "end");
		CLEANUP(freep) char *got = filtered(TERMINAL_SCREEN, in.text, in.len, 100);
		CHECK(strlen(got) > 1000 && strcmp(got + strlen(got) - 3, "end") == 0);
	}
}

/* Bytes of all kinds, many of which begin something. */
TEST(whatever_comes_no_sequence_gets_through_that_is_not_known)
{
	static const char bytes[] = ESC "[]P_^X?>;0125tiycmh \\\a\n\x18\xc2\x9b\x9d\xe2\x82Zz";
	unsigned seed = 1;
	for (int round = 0; round < 2000; round++) {
		CLEANUP(buf_done) struct buf in = {}, out = {};
		struct terminal_filter filter = { .mode = TERMINAL_SCREEN };
		for (int k = 0; k < 200; k++) {
			seed = seed * 1103515245 + 12345;
			buf_putc(&in, bytes[(seed >> 16) % (sizeof(bytes) - 1)]);
		}
		terminal_filter_add(&filter, &out, in.text, in.len);
		const char *text = buf_text(&out);
		CHECK(!strstr(text, ESC "]") && !strstr(text, ESC "P") && !strstr(text, ESC "_"));
		CHECK(!strstr(text, ESC "X") && !strstr(text, ESC "^") && !strstr(text, ESC "Z"));
		CHECK(!strstr(text, "\xc2\x9b"));
		for (const char *at = text; (at = strstr(at, ESC "[")); at += 2) {
			const char final = at[2 + strspn(at + 2, "?>;0125 ")];
			if (!strchr("cmhXPZ", final))
				TEST_FAIL("a sequence ends in '%c'", final);
		}
		/* What was let through is let through again as it is. */
		CLEANUP(freep) char *again = filtered(TERMINAL_SCREEN, text, out.len, out.len);
		CHECK_STR(again, text);
	}
}

TEST(the_end_puts_back_what_the_guest_has_changed)
{
	struct terminal_filter filter = { .mode = TERMINAL_SCREEN };
	CLEANUP(buf_done) struct buf out = {};
	terminal_filter_end(&filter, &out);
	CHECK(!strstr(buf_text(&out), "1049l") && strstr(buf_text(&out), ESC "[?25h"));
	terminal_filter_add(&filter, &out, ESC "[?1049h", 8);
	CHECK(filter.alternate);
	terminal_filter_end(&filter, &out);
	CHECK(strstr(buf_text(&out), ESC "[?1049l"));
	terminal_filter_add(&filter, &out, ESC "[?1049l", 8);
	CHECK(!filter.alternate);
}

TEST(the_alternate_screen_is_known_by_its_number)
{
	static const struct {
		const char *text;
		bool alternate;
	} steps[] = {
		{ ESC "[47h" ESC "[?10499h" ESC "[?471h" ESC "[?1048h", false },
		{ ESC "[?25;1049h", true },
		{ ESC "[?25l", true },
		{ ESC "[?47;7l", false },
		{ ESC "[?01047h", true },
		{ ESC "[?1047l", false },
	};
	struct terminal_filter filter = { .mode = TERMINAL_SCREEN };
	CLEANUP(buf_done) struct buf out = {};
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		terminal_filter_add(&filter, &out, steps[i].text, strlen(steps[i].text));
		CHECK(filter.alternate == steps[i].alternate);
	}
}

TEST_MAIN()
