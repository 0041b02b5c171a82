/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Growing text. */
#include "util/buf.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "test.h"

TEST(empty_buffer_reads_as_empty_text)
{
	struct buf b = {};
	CHECK_STR(buf_text(&b), "");
	buf_done(&b);
}

TEST(long_formats_grow_the_buffer)
{
	CLEANUP(buf_done) struct buf b = {};
	for (int i = 0; i < 1000; i++)
		buf_printf(&b, "%s%04d", i ? "," : "", i);
	CHECK_INT(b.len, 4999);
	CHECK_INT(strlen(b.text), 4999);
	CHECK(!memcmp(b.text + 4990, "0998,0999", 9));
}

TEST(truncate_keeps_the_start)
{
	CLEANUP(buf_done) struct buf b = {};
	buf_puts(&b, "abcdef");
	buf_truncate(&b, 3);
	CHECK_STR(b.text, "abc");
	buf_truncate(&b, 9);
	CHECK_STR(b.text, "abc");
}

TEST(nul_bytes_count)
{
	CLEANUP(buf_done) struct buf b = {};
	buf_add(&b, "a\0b", 3);
	CHECK_INT(b.len, 3);
}

TEST(borrowed_memory_is_used_as_far_as_it_goes)
{
	char room[8];
	CLEANUP(buf_done) struct buf b = {};
	buf_borrow(&b, room, sizeof(room));
	CHECK_STR(buf_text(&b), "");
	buf_puts(&b, "1234567");
	CHECK(b.text == room);
	CLEANUP(freep) char *taken = buf_take(&b);
	CHECK_STR(taken, "1234567");
	CHECK(taken != room);
	CHECK_STR(buf_text(&b), "");

	buf_borrow(&b, room, sizeof(room));
	buf_puts(&b, "1234567");
	buf_putc(&b, '8');
	buf_puts(&b, "9");
	CHECK(b.text != room);
	CHECK_STR(b.text, "123456789");
	CLEANUP(freep) char *grown = buf_take(&b);
	CHECK_STR(grown, "123456789");
	buf_borrow(&b, room, sizeof(room));
	CLEANUP(freep) char *empty = buf_take(&b);
	CHECK_STR(empty, "");
}

/* What printf(3) would make of it, is there, behind what was there before. */
#define CHECK_FORMAT(...)                                                                          \
	do {                                                                                       \
		CLEANUP(buf_done) struct buf b_ = {};                                              \
		char wanted_[400];                                                                 \
		snprintf(wanted_, sizeof(wanted_), __VA_ARGS__);                                   \
		buf_puts(&b_, "x");                                                                \
		buf_printf(&b_, __VA_ARGS__);                                                      \
		CHECK(b_.len == strlen(wanted_) + 1);                                              \
		CHECK_STR(b_.text + 1, wanted_);                                                   \
	} while (0)

TEST(formats_are_those_of_printf)
{
	static const int numbers[] = { 0, 1, 9, 10, 99, -1, -10, 4711, INT_MAX, INT_MIN };
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		CHECK_FORMAT("%d", numbers[i]);
		CHECK_FORMAT("<%d %u>", numbers[i], (unsigned)numbers[i]);
		CHECK_FORMAT("%x", (unsigned)numbers[i]);
		CHECK_FORMAT("%ld", (long)numbers[i]);
	}
	CHECK_FORMAT("%" PRId64 ",%" PRIu64, INT64_MIN, UINT64_MAX);
	CHECK_FORMAT("%ld %lu %zu", LONG_MAX, ULONG_MAX, SIZE_MAX);
	CHECK_FORMAT("%zu", (size_t)0);
	CHECK_FORMAT("%c%s%c", 'a', "", 'b');
	CHECK_FORMAT("%d%%", 5);
	CHECK_FORMAT("no conversion");
	CHECK_FORMAT("%.*s|%.*s|%.*s|%.*s", 2, "abc", 3, "abc", 4, "abc", -1, "abc");
	/* No NUL within the precision. */
	CHECK_FORMAT("%.*s", 2, ((const char[]){ 'a', 'b' }));
}

TEST(other_formats_and_what_follows_them)
{
	CHECK_FORMAT("%s=%02x,%s", "a", 5, "b");
	CHECK_FORMAT("%d %5d|%-5s|%05zu|%+d", 1, 2, "c", (size_t)4, 5);
	CHECK_FORMAT("%.3s %s", "abcdef", "g");
	CHECK_FORMAT("%lld %s %d", 1LL << 60, "then", 3);
	CHECK_FORMAT("%zd %lx %X %o %hhu", (ssize_t)-1, 255UL, 255, 8, (unsigned char)7);
	CHECK_FORMAT("%f %s", 1.5, "after");
	CHECK_FORMAT("%-*d|", 6, 1);
}

TEST_MAIN()
