/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One text out of a file, against the parser. */
#include "json/jpeek.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "json/jdoc.h"
#include "test.h"
#include "util/mem.h"

static void check_peek(const char *text, int expected, const char *expected_text)
{
	/* Without a NUL behind it, so that a sanitizer sees who reads too far. */
	size_t len = strlen(text);
	char *copy = memcpy(malloc(len + 1), text, len);
	copy = realloc(copy, len ? len : 1);
	CLEANUP(buf_done) struct buf got = {};
	CHECK_INT(jpeek_text(copy, len, "description", &got), expected);
	if (expected == 1)
		CHECK_STR(buf_text(&got), expected_text);
	free(copy);
}

TEST(text_is_found_wherever_it_stands)
{
	check_peek("{\"description\":\"a\"}", 1, "a");
	check_peek("\xef\xbb\xbf // c \"description\"\n { /* , } */ \"description\" // :\n : "
		   "/**/ \"a \\u00e4\\n\" , \"b\": 1 }",
			1, "a \xc3\xa4\n");
	check_peek("{\"a\": {\"description\": \"no\", \"x\": [1, {}, \"}\", [[]]]}, \"b\": "
		   "-1.5e3, \"c\": null, \"description\": \"yes\"}",
			1, "yes");
}

TEST(absent_key_is_told)
{
	check_peek("{}", 0, NULL);
	check_peek(" { // c\n }", 0, NULL);
	check_peek("{\"a\": {\"description\": \"no\"}, \"b\": \"description\"}", 0, NULL);
}

TEST(what_is_not_expected_is_left_to_the_parser)
{
	static const char *const texts[] = { "", "[]", "\"description\"", "{", "{\"a\"",
		"{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{\"a\":1]", "{\"a\":]}",
		"{\"a\" 1}", "{a:1}", "{\"description\":1}", "{\"description\":null}",
		"{\"description\":\"a", "{\"description\":\"\\x\"}", "{\"a\":[}", "{/*", "{//",
		"{\"a\":\"\n\"}", "/", "{\"a\":1/" };
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		/* Without a backslash, and without the key, nothing more is looked at. */
		CLEANUP(freep) char *text = xasprintf("%s//\\", texts[i]);
		check_peek(text, -EBADMSG, NULL);
	}
}

TEST(key_may_be_escaped)
{
	check_peek("{\"descr\\u0069ption\": \"web\"}", 1, "web");
}

/* Where both find a text, it is the same one, however the file is cut off or damaged. */
TEST(damaged_text_does_no_harm)
{
	static const char whole[] = "{\"a\":[1,{\"b\":\"c\\\"\"}],/*x*/\"description\":\"d\",//y\n"
				    "\"e\":{}}";
	static const char bytes[] = "\"\\{}[],:/*\n a";
	for (size_t i = 0; i < sizeof(whole) - 1; i++) {
		for (size_t k = 0; k < sizeof(bytes); k++) {
			char text[sizeof(whole)];
			memcpy(text, whole, sizeof(whole));
			text[i] = bytes[k];
			CLEANUP(buf_done) struct buf got = {};
			CLEANUP(jdoc_done) struct jdoc doc = {};
			CLEANUP(report_done) struct report report = {};
			int r = jpeek_text(text, strlen(text), "description", &got);
			struct json_object *value = NULL;
			if (jdoc_parse("x", text, strlen(text), &doc, &report) != 0)
				continue;
			json_object_object_get_ex(doc.root, "description", &value);
			CHECK_INT(r, !value ? 0 : 1);
			if (value)
				CHECK_STR(buf_text(&got), json_object_get_string(value));
		}
	}
}

TEST_MAIN()
