/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON as text. */
#include "json/jwrite.h"

#include <json-c/json_tokener.h>

#include "test.h"

static void check_both(const char *text, const char *line, const char *pretty)
{
	struct json_object *value = json_tokener_parse(text);
	CLEANUP(buf_done) struct buf out = {};
	jwrite(&out, value, JWRITE_LINE);
	CHECK_STR(buf_text(&out), line);

	struct json_object *back = json_tokener_parse(buf_text(&out));
	CHECK(json_object_equal(value, back));
	json_object_put(back);

	buf_clear(&out);
	jwrite(&out, value, JWRITE_PRETTY);
	CHECK_STR(buf_text(&out), pretty);
	json_object_put(value);
}

TEST(values_are_written_as_they_were_read)
{
	check_both("{}", "{}", "{}");
	check_both("[]", "[]", "[]");
	check_both("null", "null", "null");
	check_both("[true,false,null,-1,1.5]", "[true,false,null,-1,1.5]",
			"[true, false, null, -1, 1.5]");
	check_both("[9223372036854775807,18446744073709551615,-9223372036854775808]",
			"[9223372036854775807,18446744073709551615,-9223372036854775808]",
			"[9223372036854775807, 18446744073709551615, -9223372036854775808]");
	check_both("{\"b\":{\"c\":[{\"d\":1}]},\"a\":\"x\"}",
			"{\"b\":{\"c\":[{\"d\":1}]},\"a\":\"x\"}",
			"{\n  \"b\": {\n    \"c\": [\n      {\n        \"d\": 1\n      }\n    ]\n  "
			"},\n  \"a\": \"x\"\n}");
}

TEST(every_character_survives)
{
	check_both("\"a\\\"b\\\\c/d\\b\\f\\n\\r\\t\\u0001\\u007f\\u00e4\\ud83d\\ude00\"",
			"\"a\\\"b\\\\c/d\\b\\f\\n\\r\\t\\u0001\\u007f\xc3\xa4\xf0\x9f\x98\x80\"",
			"\"a\\\"b\\\\c/d\\b\\f\\n\\r\\t\\u0001\\u007f\xc3\xa4\xf0\x9f\x98\x80\"");
}

/* JSON lets these stand, and a terminal obeys them, or turns the rest of the line around. */
TEST(no_terminal_is_told_what_to_do)
{
	check_both("\"a\xc2\x9b"
		   "31m\xc2\x80\xc2\xa0\\u001b\"",
			"\"a\\u009b31m\\u0080\xc2\xa0\\u001b\"",
			"\"a\\u009b31m\\u0080\xc2\xa0\\u001b\"");
	check_both("\"\u202emoc.live\u2069\u200d\"", "\"\\u202emoc.live\\u2069\u200d\"",
			"\"\\u202emoc.live\\u2069\u200d\"");
}

TEST(long_lists_have_a_line_for_each_item)
{
	struct json_object *value =
			json_tokener_parse("[\"a very long text that fills a line\",\"another text "
					   "that fills the rest\"]");
	CLEANUP(buf_done) struct buf out = {};
	jwrite(&out, value, JWRITE_PRETTY);
	CHECK_STR(buf_text(&out), "[\n  \"a very long text that fills a line\",\n  \"another text "
				  "that fills the rest\"\n]");
	json_object_put(value);
}

TEST_MAIN()
