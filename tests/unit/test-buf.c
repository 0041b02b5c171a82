/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Growing text. */
#include "util/buf.h"

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

TEST_MAIN()
