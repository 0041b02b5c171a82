/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Findings: kept once, sorted, shown without steering the terminal. */
#include "json/jtext.h"
#include "json/report.h"

#include "test.h"

static const char *line(const struct report *r, size_t i)
{
	static struct buf b;
	buf_clear(&b);
	if (i >= r->n)
		return "(no such finding)";
	finding_format(&r->items[i], &b);
	return buf_text(&b);
}

static struct where at(const char *file, size_t row, size_t column)
{
	return (struct where){ .file = file, .line = row, .column = column };
}

TEST(parts_that_are_missing_are_left_out)
{
	CLEANUP(report_done) struct report r = {};
	report_add(&r, SEVERITY_ERROR, at("a.json", 12, 19), "/x", "machine w, tag t", "bad %d", 5);
	report_add(&r, SEVERITY_ERROR, at("a.json", 12, 19), NULL, NULL, "bad");
	report_add(&r, SEVERITY_ERROR, at("a.json", 12, 19), "", NULL, "the root is bad");
	report_add(&r, SEVERITY_ERROR, at("a.json", 0, 0), NULL, NULL, "all bad");
	report_add(&r, SEVERITY_ADVICE, at(NULL, 0, 0), NULL, NULL, "nowhere");
	CHECK_STR(line(&r, 0), "a.json:12:19: /x: bad 5 (machine w, tag t)");
	CHECK_STR(line(&r, 1), "a.json:12:19: bad");
	CHECK_STR(line(&r, 2), "a.json:12:19: the root is bad");
	CHECK_STR(line(&r, 3), "a.json: all bad");
	CHECK_STR(line(&r, 4), "nowhere");
	CHECK_INT(r.n, 5);
	CHECK_INT(r.n_errors, 4);
}

TEST(an_error_becomes_a_finding)
{
	CLEANUP(report_done) struct report r = {};
	struct error err;
	error_set(&err, ENOENT, "cannot open 'x'");
	report_error(&r, &err);
	CHECK_STR(line(&r, 0), "cannot open 'x'");
	CHECK_INT(r.n_errors, 1);
}

TEST(exact_repeats_are_dropped)
{
	CLEANUP(report_done) struct report r = {};
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < 500; i++)
			report_add(&r, SEVERITY_ERROR, at("f", i, 1), "/p", "tag a", "text");
		report_sort(&r);
	}
	CHECK_INT(r.n, 500);
	CHECK_INT(r.n_errors, 500);
	report_add(&r, SEVERITY_ERROR, at("f", 1, 1), "/p", "tag b", "text");
	CHECK_INT(r.n, 500);
}

TEST(a_repeat_is_told_all_the_same)
{
	CLEANUP(report_done) struct report r = {};
	report_add(&r, SEVERITY_ERROR, at("f", 1, 1), "/p", "machine a, tag t", "text");
	size_t before = r.n_errors_told;
	report_add(&r, SEVERITY_ERROR, at("f", 1, 1), "/p", "machine b, tag t", "text");
	CHECK_INT(r.n_errors, 1);
	CHECK(r.n_errors_told > before);
	report_add(&r, SEVERITY_ADVICE, at("f", 2, 1), "/p", NULL, "text");
	CHECK_INT(r.n_errors_told, 2);
}

TEST(findings_that_differ_anywhere_are_kept)
{
	CLEANUP(report_done) struct report r = {};
	report_add(&r, SEVERITY_ERROR, at("f", 1, 1), "/p", NULL, "text");
	report_add(&r, SEVERITY_ADVICE, at("f", 1, 1), "/p", NULL, "text");
	report_add(&r, SEVERITY_ERROR, at("g", 1, 1), "/p", NULL, "text");
	report_add(&r, SEVERITY_ERROR, at("f", 2, 1), "/p", NULL, "text");
	report_add(&r, SEVERITY_ERROR, at("f", 1, 2), "/p", NULL, "text");
	report_add(&r, SEVERITY_ERROR, at("f", 1, 1), "/q", NULL, "text");
	report_add(&r, SEVERITY_ERROR, at("f", 1, 1), NULL, NULL, "text");
	report_add(&r, SEVERITY_ERROR, at("f", 1, 1), "/p", NULL, "Text");
	report_add(&r, SEVERITY_ERROR, at(NULL, 1, 1), "/p", NULL, "text");
	CHECK_INT(r.n, 9);
}

TEST(sorting_is_by_place_and_keeps_the_order_within_one)
{
	CLEANUP(report_done) struct report r = {};
	report_add(&r, SEVERITY_ERROR, at("b", 1, 1), NULL, NULL, "5");
	report_add(&r, SEVERITY_ERROR, at("a", 10, 1), NULL, NULL, "3");
	report_add(&r, SEVERITY_ERROR, at("a", 9, 7), NULL, NULL, "z 1");
	report_add(&r, SEVERITY_ERROR, at("a", 9, 7), NULL, NULL, "a 2");
	report_add(&r, SEVERITY_ERROR, at("a", 10, 2), NULL, NULL, "4");
	report_add(&r, SEVERITY_ERROR, at(NULL, 0, 0), NULL, NULL, "0");
	report_sort(&r);
	static const char *const expected[] = { "0", "a:9:7: z 1", "a:9:7: a 2", "a:10:1: 3",
		"a:10:2: 4", "b:1:1: 5" };
	CHECK_INT(r.n, ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		CHECK_STR(line(&r, i), expected[i]);
	report_add(&r, SEVERITY_ERROR, at("a", 9, 7), NULL, NULL, "a 2");
	CHECK_INT(r.n, ARRAY_SIZE(expected));
}

TEST(an_empty_report_can_be_sorted)
{
	struct report r = {};
	report_sort(&r);
	CHECK_INT(r.n, 0);
	report_done(&r);
}

TEST(nothing_steers_the_terminal)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "plain ~ text", "plain ~ text" },
		{ "\033[2J", "\\x1b[2J" },
		{ "a\nb\tc\rd", "a\\nb\\tc\\rd" },
		{ "\x7f", "\\x7f" },
		{ "\xc2\x85\xc2\x9b", "\\u0085\\u009b" },
		{ "\u202egnp.exe", "\\u202egnp.exe" },
		{ "\u2066\u200f\u2028", "\\u2066\\u200f\\u2028" },
		{ "\xff\xc3", "\\xff\\xc3" },
		{ "a\u00a0b\ufeff\u200b", "a\\u00a0b\\ufeff\\u200b" },
		{ "\U000e0001\ufffd", "\\U000e0001\ufffd" },
		{ "gr\u00fc\u00df \u732b \U0001f600", "gr\u00fc\u00df \u732b \U0001f600" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(buf_done) struct buf b = {};
		text_printable(&b, rows[i].in, strlen(rows[i].in));
		CHECK_STR(buf_text(&b), rows[i].out);
	}
	CLEANUP(buf_done) struct buf b = {};
	text_printable(&b, "a\0b", 3);
	CHECK_STR(buf_text(&b), "a\\x00b");
}

TEST(every_part_of_a_finding_is_made_printable)
{
	CLEANUP(report_done) struct report r = {};
	report_add(&r, SEVERITY_ERROR, at("\033f", 1, 1), "/\033p", "\033c", "\033t");
	CHECK_STR(line(&r, 0), "\\x1bf:1:1: /\\x1bp: \\x1bt (\\x1bc)");
}

TEST(quoted_text_is_escaped_and_cut_between_characters)
{
	CLEANUP(buf_done) struct buf b = {};
	text_quoted(&b, "a\"b\\c\n\x01");
	CHECK_STR(buf_text(&b), "\"a\\\"b\\\\c\\n\\u0001\"");

	char text[200];
	for (size_t i = 0; i < 60; i++)
		memcpy(text + 2 * i + 1, "\u00fc", 3);
	text[0] = 'x';
	buf_clear(&b);
	text_quoted(&b, text);
	CHECK_INT(b.len, 1 + 59 + 1 + 3);
	CHECK(!strcmp(b.text + b.len - 6, "\u00fc\"..."));
	memset(text, 'x', TEXT_QUOTED_MAX);
	text[TEXT_QUOTED_MAX] = '\0';
	buf_clear(&b);
	text_quoted(&b, text);
	CHECK_INT(b.len, TEXT_QUOTED_MAX + 2);
}

TEST_MAIN()
