/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of util/parse.h: each form, each limit and its neighbour. */
#include "util/parse.h"

#include <errno.h>

#include "test.h"

/* Whether a failed call left its result alone is seen by this value. */
#define UNTOUCHED 0x5a5a

static void check_u64(const char *text, int expected_r, uint64_t expected)
{
	uint64_t value = UNTOUCHED;
	int r = parse_u64(text, &value);
	if (r != expected_r || value != (r ? UNTOUCHED : expected))
		TEST_FAIL("parse_u64(\"%s\"): %d, %" PRIu64, text, r, value);
}

TEST(u64)
{
	check_u64("0", 0, 0);
	check_u64("007", 0, 7);
	check_u64("18446744073709551615", 0, UINT64_MAX);
	check_u64("00018446744073709551615", 0, UINT64_MAX);
	check_u64("18446744073709551616", -ERANGE, 0);
	check_u64("99999999999999999999", -ERANGE, 0);
	check_u64("184467440737095516150", -ERANGE, 0);
	static const char *const bad[] = { "", "-1", "+1", " 1", "1 ", "0x10", "1_000", "12abc",
		"1.0", "1e3", "99999999999999999999x", "\xd9\xa3" };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		check_u64(bad[i], -EINVAL, 0);
}

static void check_i64(const char *text, int expected_r, int64_t expected)
{
	int64_t value = UNTOUCHED;
	int r = parse_i64(text, &value);
	if (r != expected_r || value != (r ? UNTOUCHED : expected))
		TEST_FAIL("parse_i64(\"%s\"): %d, %" PRId64, text, r, value);
}

TEST(i64)
{
	check_i64("0", 0, 0);
	check_i64("-0", 0, 0);
	check_i64("+05", 0, 5);
	check_i64("-17", 0, -17);
	check_i64("9223372036854775807", 0, INT64_MAX);
	check_i64("9223372036854775808", -ERANGE, 0);
	check_i64("-9223372036854775808", 0, INT64_MIN);
	check_i64("-9223372036854775809", -ERANGE, 0);
	check_i64("-99999999999999999999999", -ERANGE, 0);
	static const char *const bad[] = { "", "-", "+", "--1", "+-1", "- 1", "1-", "0b1" };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		check_i64(bad[i], -EINVAL, 0);
}

TEST(int_within_limits)
{
	int value = UNTOUCHED;
	CHECK_INT(parse_int("0", 1, 65535, &value), -ERANGE);
	CHECK_INT(parse_int("65536", 1, 65535, &value), -ERANGE);
	CHECK_INT(parse_int("-4", -3, 65535, &value), -ERANGE);
	CHECK_INT(parse_int("4294967297", 1, 65535, &value), -ERANGE);
	CHECK_INT(parse_int("one", 1, 65535, &value), -EINVAL);
	CHECK_INT(parse_int("+1", 1, 65535, &value), -EINVAL);
	CHECK_INT(parse_int("-1", 1, 65535, &value), -EINVAL);
	CHECK_INT(parse_int("-0", 0, 65535, &value), -EINVAL);
	CHECK_INT(parse_int("+0", -3, 65535, &value), -EINVAL);
	CHECK_INT(value, UNTOUCHED);
	CHECK_INT(parse_int("1", 1, 65535, &value), 0);
	CHECK_INT(value, 1);
	CHECK_INT(parse_int("65535", 1, 65535, &value), 0);
	CHECK_INT(value, 65535);
	CHECK_INT(parse_int("-3", -3, -3, &value), 0);
	CHECK_INT(value, -3);
}

static void check_size(const char *text, int expected_r, uint64_t expected)
{
	uint64_t value = UNTOUCHED;
	int r = parse_size(text, &value);
	if (r != expected_r || value != (r ? UNTOUCHED : expected))
		TEST_FAIL("parse_size(\"%s\"): %d, %" PRIu64, text, r, value);
}

TEST(size)
{
	check_size("0", 0, 0);
	check_size("1024", 0, 1024);
	check_size("1K", 0, 1024);
	check_size("1KB", 0, 1024);
	check_size("1KiB", 0, 1024);
	check_size("512M", 0, 536870912);
	check_size("4GiB", 0, 4294967296);
	check_size("16777215T", 0, 16777215ULL << 40);
	check_size("16777216T", -ERANGE, 0);
	check_size("18446744073709551615", 0, UINT64_MAX);
	check_size("18446744073709551616", -ERANGE, 0);
	check_size("18446744073709551616K", -ERANGE, 0);
	static const char *const bad[] = { "", "G", "lots", "1.5G", "4 GiB", "4g", "4gib", "-1",
		"+1", "1B", "1KK", "1Ki", "1KiBs", "1P", "0x10", "18446744073709551616X" };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		check_size(bad[i], -EINVAL, 0);
}

static void check_span(const char *text, int expected_r, uint64_t expected)
{
	uint64_t value = UNTOUCHED;
	int r = parse_span(text, &value);
	if (r != expected_r || value != (r ? UNTOUCHED : expected))
		TEST_FAIL("parse_span(\"%s\"): %d, %" PRIu64, text, r, value);
}

TEST(span)
{
	check_span("0", 0, 0);
	check_span("90", 0, 90000000);
	check_span("90s", 0, 90000000);
	check_span("5min", 0, 300000000);
	check_span("5m", 0, 300000000);
	check_span("1m25s", 0, 85000000);
	check_span("1min25s", 0, 85000000);
	check_span("1.5h", 0, 5400000000);
	check_span(".5s", 0, 500000);
	check_span("1.s", 0, 1000000);
	check_span("300ms", 0, 300000);
	check_span("1h1m1s1ms1us1ns", 0, 3661001001);
	check_span("7us", 0, 7);
	check_span("7\xc2\xb5s", 0, 7);
	check_span("7\xce\xbcs", 0, 7);
	check_span("1999ns", 0, 1);
	check_span("0.0000019s", 0, 1);
	check_span("0.00000199999999999999999999999999s", 0, 1);
	check_span("5124095h", 0, 5124095ULL * 3600000000);
	check_span("5124096h", -ERANGE, 0);
	check_span("5124095h5124095h", -ERANGE, 0);
	check_span("99999999999999999999s", -ERANGE, 0);
	check_span("99999999999999999999", -ERANGE, 0);
	check_span("18446744073709", 0, 18446744073709000000U);
	check_span("18446744073710", -ERANGE, 0);
	static const char *const bad[] = { "", "s", ".s", ".", "-5s", "+5s", "5 s", "5s ", "1.5",
		"1m25", "5d", "5S", "1..5s", "5x", "99999999999999999999x", "5ms\xc2", "infinity" };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		check_span(bad[i], -EINVAL, 0);
}

TEST(uuid_has_four_forms)
{
	static const char *const good[] = {
		"8b18191a-234f-45ce-b43c-b46e28cd2f70",
		"8B18191A-234F-45CE-B43C-B46E28CD2F70",
		"urn:uuid:8b18191a-234f-45ce-b43c-b46e28cd2f70",
		"URN:Uuid:8b18191a-234F-45ce-b43c-b46e28cd2f70",
		"{8b18191a-234f-45ce-b43c-b46e28cd2f70}",
		"x8b18191a-234f-45ce-b43c-b46e28cd2f70y",
		"8b18191a234f45ceb43cb46e28cd2f70",
	};
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		uint8_t uuid[16];
		char text[UUID_TEXT_MAX];
		CHECK_INT(parse_uuid(good[i], uuid), 0);
		format_uuid(uuid, text);
		CHECK_STR(text, "8b18191a-234f-45ce-b43c-b46e28cd2f70");
	}
}

TEST(uuid_of_another_form_is_refused)
{
	static const char *const bad[] = {
		"",
		"8b18191a-234f-45ce-b43c-b46e28cd2f7",
		"8b18191a-234f-45ce-b43c-b46e28cd2f700",
		"8b18191a_234f-45ce-b43c-b46e28cd2f70",
		"8b18191a-234f-45ce-b43cb-46e28cd2f70",
		"8b18191-a234f-45ce-b43c-b46e28cd2f70",
		"8b18191a-234f-45ce-b43c-b46e28cd2f7g",
		"urn-uuid:8b18191a-234f-45ce-b43c-b46e28cd2f70",
		"8b18191a234f45ceb43cb46e28cd2f7",
		"8b18191a234f45ceb43cb46e28cd2f7 ",
		"8b18191a234f45ceb43cb46e28cd2f7\xff",
		"{8b18191a234f45ceb43cb46e28cd2f70}",
		"{8b18191a-234f-45ce-b43c-b46e28cd2-70}",
	};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		uint8_t uuid[16] = { 42 };
		if (parse_uuid(bad[i], uuid) != -EINVAL || uuid[0] != 42)
			TEST_FAIL("parse_uuid(\"%s\") took it", bad[i]);
	}
}

TEST(hex_digits_of_either_case)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	for (int c = -128; c < 128; c++) {
		const char *at = c ? strchr(digits, c) : NULL;
		long value = !at ? -1 : at - digits < 16 ? at - digits : at - digits - 6;
		CHECK_INT(hex_digit((char)c), value);
	}
}

TEST(mac_with_dashes)
{
	char mac[] = "52-54-00-12-34-56";
	mac_use_colons(mac);
	CHECK_STR(mac, "52:54:00:12:34:56");
}

TEST(mac)
{
	uint8_t mac[6] = {};
	char text[MAC_TEXT_MAX];
	CHECK_INT(parse_mac("52:54:00:aB:Cd:ff", mac), 0);
	CHECK(!memcmp(mac, "\x52\x54\x00\xab\xcd\xff", 6));
	format_mac(mac, text);
	CHECK_STR(text, "52:54:00:ab:cd:ff");
	static const char *const bad[] = { "", "52:54:00:12:34",
		"52:54:00:12:34:", "52:54:00:12:34:5", "52:54:00:12:34:56:", "52:54:00:12:34:567",
		"52-54-00-12-34-56", "525400123456", "5:54:00:12:34:56", "52:54:00:12:34:5g",
		" 52:54:00:12:34:56" };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (parse_mac(bad[i], mac) != -EINVAL || mac[5] != 0xff)
			TEST_FAIL("parse_mac(\"%s\") took it", bad[i]);
}

static void check_utf8(const char *text, size_t len, size_t expected)
{
	size_t n = utf8_length(text, len);
	if (n != expected)
		TEST_FAIL("utf8_length of %02x%02x%02x%02x: expected %zu, got %zu",
				(unsigned char)text[0], (unsigned char)text[1],
				(unsigned char)text[2], (unsigned char)text[3], expected, n);
}

TEST(utf8_sequences)
{
	static const struct {
		char text[5]; /* with a NUL that is none of it */
		size_t expected;
	} rows[] = {
		{ "a", 1 },
		{ "\0", 1 },
		{ "\x7f", 1 },
		{ "\x80", 0 },
		{ "\xbf", 0 },
		{ "\xc0\x80", 0 },
		{ "\xc1\xbf", 0 },
		{ "\xc2\x80", 2 },
		{ "\xdf\xbf", 2 },
		{ "\xc3\x28", 0 },
		{ "\xc3\xc3", 0 },
		{ "\xe0\x9f\xbf", 0 },
		{ "\xe0\xa0\x80", 3 },
		{ "\xe2\x82\xac", 3 },
		{ "\xe2\x28\xa1", 0 },
		{ "\xe2\x82\x28", 0 },
		{ "\xed\x9f\xbf", 3 },
		{ "\xed\xa0\x80", 0 },
		{ "\xed\xbf\xbf", 0 },
		{ "\xee\x80\x80", 3 },
		{ "\xef\xbf\xbf", 3 },
		{ "\xf0\x8f\xbf\xbf", 0 },
		{ "\xf0\x90\x80\x80", 4 },
		{ "\xf4\x8f\xbf\xbf", 4 },
		{ "\xf4\x90\x80\x80", 0 },
		{ "\xf0\x9f\x98\x28", 0 },
		{ "\xf5\x80\x80\x80", 0 },
		{ "\xff\xff\xff\xff", 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check_utf8(rows[i].text, sizeof(rows[i].text) - 1, rows[i].expected);
	/* Cut off by the length, not by a NUL. */
	check_utf8("\xe2\x82\xac", 2, 0);
	check_utf8("\xf0\x90\x80\x80", 3, 0);
	check_utf8("\xc3\xa4xx", 0, 0);
}

TEST(stem_of_a_name)
{
	CHECK_INT((int)stem_length("web.conf.json", ".conf.json"), 3);
	CHECK_INT((int)stem_length(".conf.json", ".conf.json"), 0);
	CHECK_INT((int)stem_length("json", ".conf.json"), 0);
	CHECK_INT((int)stem_length("web.conf.json~", ".conf.json"), 0);
	CHECK_INT((int)stem_length("", ""), 0);
}

TEST(edit_distance_counts_slips)
{
	static const struct {
		const char *a, *b;
		unsigned expected;
	} rows[] = {
		{ "", "", 0 },
		{ "", "abc", 3 },
		{ "same", "same", 0 },
		{ "a", "b", 1 },
		{ "memory", "memroy", 1 },
		{ "memory", "memry", 1 },
		{ "memory", "memoory", 1 },
		{ "ca", "abc", 3 },
		{ "kitten", "sitting", 3 },
		{ "ab", "ba", 1 },
		{ "abcd", "badc", 2 },
		{ "tags", "Tags", 1 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CHECK_INT(edit_distance(rows[i].a, rows[i].b), rows[i].expected);
		CHECK_INT(edit_distance(rows[i].b, rows[i].a), rows[i].expected);
	}
}

TEST(edit_distance_of_long_texts_has_a_limit)
{
	char fits[EDIT_DISTANCE_MAX + 1] = {}, too_long[EDIT_DISTANCE_MAX + 2] = {};
	memset(fits, 'x', sizeof(fits) - 1);
	memset(too_long, 'x', sizeof(too_long) - 1);
	CHECK_INT(edit_distance(fits, ""), EDIT_DISTANCE_MAX);
	CHECK_INT(edit_distance(fits, fits + 1), 1);
	CHECK_INT(edit_distance(fits, too_long), EDIT_DISTANCE_MAX);
	CHECK_INT(edit_distance(too_long, too_long), 0);
}
TEST_MAIN()
