/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Base64, with the examples of RFC 4648. */
#include "util/base64.h"

#include "test.h"
#include "util/mem.h"

static const char *const rows[][2] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" },
	{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" }, { "\xff\xef\xbe", "/+++" } };

TEST(what_is_written_reads_back)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(buf_done) struct buf text = {}, data = {};
		base64_add(&text, rows[i][0], strlen(rows[i][0]));
		CHECK_STR(buf_text(&text), rows[i][1]);
		CHECK_INT(base64_read(&data, rows[i][1], strlen(rows[i][1])), 0);
		CHECK_STR(buf_text(&data), rows[i][0]);
	}
}

TEST(what_is_none_is_refused)
{
	static const char *const bad[] = { "Z", "Zg",
		"Zg=", "Zg===", "====", "Z===", "Zg==Zg==", "Zm9v\n", "Zm 9", "Zm9-" };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CLEANUP(buf_done) struct buf data = {};
		buf_puts(&data, "x");
		if (base64_read(&data, bad[i], strlen(bad[i])) != -EINVAL)
			TEST_FAIL("'%s' was read", bad[i]);
		CHECK_STR(buf_text(&data), "x");
	}
}

TEST_MAIN()
