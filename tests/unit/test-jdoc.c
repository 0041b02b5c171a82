/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Documents: what is taken, and what is said about what is not, byte for byte. */
#include "json/jdoc.h"

#include <fcntl.h>

#include "json/jtree.h"
#include "test.h"
#include "util/mem.h"

struct row {
	const char *in;
	const char *expected; /* the findings, a line each; "" for none */
};

static char *findings(const char *text, size_t len, struct jdoc *ret, int *ret_r)
{
	CLEANUP(report_done) struct report r = {};
	struct buf lines = {};
	*ret_r = jdoc_parse("f", text, len, ret, &r);
	report_sort(&r);
	for (size_t i = 0; i < r.n; i++) {
		buf_puts(&lines, i ? "\n" : "");
		finding_format(&r.items[i], &lines);
	}
	return buf_take(&lines);
}

static void check_text(const char *text, size_t len, const char *expected)
{
	CLEANUP(jdoc_done) struct jdoc doc = {};
	int r;
	CLEANUP(freep) char *got = findings(text, len, &doc, &r);
	CHECK_STR(got, expected);
	CHECK_INT(r, *expected != '\0');
}

static void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check_text(rows[i].in, strlen(rows[i].in), rows[i].expected);
}

/* Parse @text, which is good, and write the tree in its shortest form. */
static void check_tree(const char *text, const char *expected)
{
	CLEANUP(jdoc_done) struct jdoc doc = {};
	int r;
	CLEANUP(freep) char *got = findings(text, strlen(text), &doc, &r);
	CHECK_STR(got, "");
	CHECK_INT(r, 0);
	CHECK_STR(json_object_to_json_string_ext(doc.root,
				  JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
			expected);
}

TEST(all_of_json_is_taken)
{
	check_tree("{}", "{}");
	check_tree(" \t\r\n{ } \n", "{}");
	check_tree("{\"a\":[true,false,null,{},[]]}", "{\"a\":[true,false,null,{},[]]}");
	check_tree("{\"a\" : 1 , \"b\" : [ 2 , 3 ] }", "{\"a\":1,\"b\":[2,3]}");
	check_tree("{\"\":0}", "{\"\":0}");
	check_tree("{\"\\u0061\":\"\\u0062\"}", "{\"a\":\"b\"}");
}

TEST(every_escape_is_decoded)
{
	CLEANUP(jdoc_done) struct jdoc doc = {};
	int r;
	static const char text[] = "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00fc\\u00DF\\u732B"
				   "\\ud83d\\ude00\\uFFFF\x7f\"}";
	CLEANUP(freep) char *got = findings(text, strlen(text), &doc, &r);
	CHECK_STR(got, "");
	CHECK_STR(json_object_get_string(json_object_object_get(doc.root, "a")),
			"\"\\/\b\f\n\r\t\u00fc\u00df\u732b\U0001f600\xef\xbf\xbf\x7f");
}

TEST(numbers_keep_their_type_and_text)
{
	static const struct {
		const char *text;
		enum json_type type;
	} rows[] = {
		{ "0", json_type_int },
		{ "-1", json_type_int },
		{ "9223372036854775807", json_type_int },
		{ "-9223372036854775808", json_type_int },
		{ "1.0", json_type_double },
		{ "1e3", json_type_double },
		{ "-0.0", json_type_double },
		{ "0e0", json_type_double },
		{ "0.1e-5", json_type_double },
		{ "12.50E+07", json_type_double },
		{ "1e-999", json_type_double },
		{ "0.10000000000000000000000000000000000000001", json_type_double },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(buf_done) struct buf text = {};
		CLEANUP(jdoc_done) struct jdoc doc = {};
		int r;
		buf_printf(&text, "{\"a\":%s}", rows[i].text);
		CLEANUP(freep) char *got = findings(text.text, text.len, &doc, &r);
		CHECK_STR(got, "");
		struct json_object *value = json_object_object_get(doc.root, "a");
		CHECK_INT(json_object_get_type(value), rows[i].type);
		CHECK_STR(jtree_text(value), rows[i].text);
	}
}

TEST(comments_may_stand_between_any_two_tokens)
{
	check_tree("/**/{/**/\"a\"/*:*/:/***/1/* */,//\n\"b\"//\n:[//,\n1/*]*/,/*,*/2//\n]//}\n}//",
			"{\"a\":1,\"b\":[1,2]}");
	check_tree("{}//\xc3\xbc comment without a newline", "{}");
	check_tree("{}/* a\nb */\n// c\r\n", "{}");
	check_tree("{\"a\":1//2\n}", "{\"a\":1}");
	check_tree("{\"a\":true/**/}", "{\"a\":true}");
	check_tree("{\"//a\":\"/*b*/\"}", "{\"//a\":\"/*b*/\"}");
	check_tree("/* // */{}", "{}");
	check_tree("// /*\n{}", "{}");
	check_tree("/*/ */{}", "{}");
}

TEST(comments_are_blanked_in_place)
{
	CLEANUP(jdoc_done) struct jdoc doc = {};
	int r;
	static const char text[] = "{ // x\xc3\xbc\r\n /* a\n b */ }";
	CLEANUP(freep) char *got = findings(text, strlen(text), &doc, &r);
	CHECK_STR(got, "");
	CHECK_STR(doc.text, "{        \n     \n      }");
	CHECK_INT(doc.len, strlen(text));
}

TEST(faults_in_comments)
{
	static const struct row rows[] = {
		{ "{} /* a\n", "f:1:4: this comment has no end \"*/\"" },
		{ "{} /*", "f:1:4: this comment has no end \"*/\"" },
		{ "{} /*/", "f:1:4: this comment has no end \"*/\"" },
		{ "{ /* { } ", "f:1:3: this comment has no end \"*/\"" },
		{ "{\"a\" /*", "f:1:6: this comment has no end \"*/\"" },
		{ "{\"a\": /*", "f:1:7: this comment has no end \"*/\"" },
		{ "{\"a\":[ /*", "f:1:8: this comment has no end \"*/\"" },
		{ "{\"a\":[1, /*", "f:1:10: this comment has no end \"*/\"" },
		{ "{\"a\":1, /*", "f:1:9: this comment has no end \"*/\"" },
		{ "/*", "f:1:1: this comment has no end \"*/\"" },
		{ "{} /", "f:1:4: expected nothing after the end of the document, found '/'" },
		{ "{} # a", "f:1:4: expected nothing after the end of the document, found '#'" },
		{ "{/ a", "f:1:2: expected a key in double quotes or '}', found '/'" },
		{ "{}// \xff\xfe", "f:1:6: the byte 0xff in this comment is not UTF-8" },
		{ "// only", "f:1:8: the file holds only white space and comments" },
	};
	check_rows(rows, ARRAY_SIZE(rows));
}

TEST(the_document_is_an_object)
{
	static const struct row rows[] = {
		{ "", "f:1:1: the file is empty" },
		{ " \n ", "f:2:2: the file holds only white space and comments" },
		{ "[]", "f:1:1: expected an object, which begins with '{', found a list" },
		{ " null", "f:1:2: expected an object, which begins with '{', found a single "
			   "value" },
		{ "\n 5", "f:2:2: expected an object, which begins with '{', found a single "
			  "value" },
		{ "\"a\"", "f:1:1: expected an object, which begins with '{', found a single "
			   "value" },
		{ "memory: 5", "f:1:1: expected '{', found 'memory'; text is written in double "
			       "quotes: "
			       "\"...\"" },
		{ "}", "f:1:1: expected '{', found '}'" },
		{ "{} {}", "f:1:4: expected nothing after the end of the document, found '{'" },
		{ "{}x", "f:1:3: expected nothing after the end of the document, found 'x'" },
		{ "{}}", "f:1:3: expected nothing after the end of the document, found '}'" },
		{ "{}\v", "f:1:3: expected nothing after the end of the document, found the byte "
			  "0x0b" },
	};
	check_rows(rows, ARRAY_SIZE(rows));
	check_text("{}\0", 3,
			"f:1:3: expected nothing after the end of the document, found the "
			"byte 0x00");
	check_text("\0", 1, "f:1:1: expected '{', found the byte 0x00");
}

TEST(other_encodings_are_named)
{
	static const struct row rows[] = {
		{ "\xef\xbb\xbf{}",
				"f:1:1: the file begins with a byte-order mark (BOM); save it as "
				"UTF-8 without one" },
		{ "\xff\xfe{", "f:1:1: this file is UTF-16; save it as UTF-8" },
		{ "\xfe\xff", "f:1:1: this file is UTF-16; save it as UTF-8" },
		{ "{\"a\":\"\xe4\"}", "f:1:7: /a: the byte 0xe4 is not UTF-8" },
		{ "{\"a\":\"\xc3\xbc\xff\"}", "f:1:9: /a: the byte 0xff is not UTF-8" },
		{ "{\"a\":\"\xc0\x80\"}", "f:1:7: /a: the byte 0xc0 is not UTF-8" },
		{ "{\"a\":\"\xed\xa0\x80\"}", "f:1:7: /a: the byte 0xed is not UTF-8" },
		{ "{\"a\":\"\xf4\x90\x80\x80\"}", "f:1:7: /a: the byte 0xf4 is not UTF-8" },
		{ "{\"a\":\"\xe2\x82\"}", "f:1:7: /a: the byte 0xe2 is not UTF-8" },
		{ "{\"\xff\":1}", "f:1:3: /\xef\xbf\xbd: the byte 0xff is not UTF-8" },
		{ "{\xff", "f:1:2: expected a key in double quotes or '}', found the byte 0xff" },
		{ "{\u00a0\"a\":1}",
				"f:1:2: expected a key in double quotes or '}', found '\\u00a0', "
				"an invisible character that is no space in JSON" },
	};
	check_rows(rows, ARRAY_SIZE(rows));
}

TEST(faults_in_strings)
{
	static const struct row rows[] = {
		{ "{\"a\":\"b\n\"}", "f:1:8: expected '\"' at the end of the string that began in "
				     "column 6, found the end of the line" },
		{ "{\"a\n\":1}", "f:1:4: expected '\"' at the end of the string that began in "
				 "column 2, "
				 "found the end of the line" },
		{ "{\"a\":\"b", "f:1:8: the file ends inside the string that began at line 1" },
		{ "{\"a\":\"b\\", "f:1:9: the file ends inside the string that began at line 1" },
		{ "{\"a\":\"b\\\"",
				"f:1:10: the file ends inside the string that began at line 1" },
		{ "{\"a\":\"\\u12",
				"f:1:11: the file ends inside the string that began at line 1" },
		{ "{\"a\":\"\t\"}",
				"f:1:7: /a: a string must not contain a tab; it is written \\t" },
		{ "{\"a\":\"\r\"}",
				"f:1:7: /a: a string must not contain a control character; it is "
				"written \\r" },
		{ "{\"a\":\"\x1b[\"}",
				"f:1:7: /a: a string must not contain a control character; it "
				"is written \\u00 and two hex digits" },
		{ "{\"a\":\"C:\\dir\"}",
				"f:1:9: /a: expected one of \" \\ / b f n r t u after '\\', "
				"found 'dir'; a backslash is written \\\\" },
		{ "{\"a\":\"\\'\"}",
				"f:1:7: /a: expected one of \" \\ / b f n r t u after '\\', found "
				"'''; a backslash is written \\\\" },
		{ "{\"a\":\"\\\n", "f:1:8: expected '\"' at the end of the string that began in "
				   "column "
				   "6, found the end of the line" },
		{ "{\"a\":\"\\u12g4\"}", "f:1:7: /a: expected four hex digits after \\u" },
		{ "{\"a\":\"\\u\"}", "f:1:7: /a: expected four hex digits after \\u" },
		{ "{\"a\":\"\\U0041\"}",
				"f:1:7: /a: expected one of \" \\ / b f n r t u after '\\', "
				"found 'U0041'; a backslash is written \\\\" },
		{ "{\"a\":\"\\u0000\"}", "f:1:7: /a: a string must not contain \\u0000" },
		{ "{\"\\u0000\":1}", "f:1:3: /\xef\xbf\xbd: a string must not contain \\u0000" },
		{ "{\"a\":\"x\\ud800\"}",
				"f:1:8: /a: \\ud800 is half of a surrogate pair; the other "
				"half is missing" },
		{ "{\"a\":\"\\uDC00\"}",
				"f:1:7: /a: \\uDC00 is half of a surrogate pair; the other "
				"half is missing" },
		{ "{\"a\":\"\\ud83d\\ud83d\"}",
				"f:1:7: /a: \\ud83d is half of a surrogate pair; the "
				"other half is missing" },
		{ "{\"a\":\"\\ud83d\\u0041\"}",
				"f:1:7: /a: \\ud83d is half of a surrogate pair; the "
				"other half is missing" },
		{ "{\"a\":\"\\ude00\\ud83d\"}",
				"f:1:7: /a: \\ude00 is half of a surrogate pair; the "
				"other half is missing" },
	};
	check_rows(rows, ARRAY_SIZE(rows));
	check_text("{\"a\":\"\0\"}", 9,
			"f:1:7: /a: a string must not contain a control character; "
			"it is written \\u00 and two hex digits");
}

TEST(faults_in_numbers)
{
	static const struct row rows[] = {
		{ "{\"a\":+1}", "f:1:6: '+1' is not a number: it must begin with a digit or '-'" },
		{ "{\"a\":.5}", "f:1:6: '.5' is not a number: it must begin with a digit or '-'" },
		{ "{\"a\":-}", "f:1:7: '-' is not a number: there must be a digit here" },
		{ "{\"a\":--1}", "f:1:7: '--1' is not a number: there must be a digit here" },
		{ "{\"a\":-Infinity}",
				"f:1:7: '-Infinity' is not a number: there must be a digit here" },
		{ "{\"a\":01}", "f:1:6: '01' is not a number: a 0 must not stand in front of other "
				"digits" },
		{ "{\"a\":-007}", "f:1:7: '-007' is not a number: a 0 must not stand in front of "
				  "other "
				  "digits" },
		{ "{\"a\":1.}", "f:1:8: '1.' is not a number: there must be a digit here" },
		{ "{\"a\":1.e5}", "f:1:8: '1.e5' is not a number: there must be a digit here" },
		{ "{\"a\":1e}", "f:1:8: '1e' is not a number: there must be a digit here" },
		{ "{\"a\":1E+}", "f:1:9: '1E+' is not a number: there must be a digit here" },
		{ "{\"a\":0x10}", "f:1:7: '0x10' is not a number" },
		{ "{\"a\":12abc}", "f:1:8: '12abc' is not a number" },
		{ "{\"a\":1_000}", "f:1:7: '1_000' is not a number" },
		{ "{\"a\":1-2}", "f:1:7: '1-2' is not a number" },
		{ "{\"a\":1.2.3}", "f:1:9: '1.2.3' is not a number" },
		{ "{\"a\":1,5}", "f:1:8: expected a key in double quotes, found '5'; text is "
				 "written in "
				 "double quotes: \"...\"" },
		{ "{\"a\":9223372036854775808}",
				"f:1:6: /a: the number '9223372036854775808' does not "
				"fit in 64 bits" },
		{ "{\"a\":[0,-9223372036854775809]}",
				"f:1:9: /a/1: the number '-9223372036854775809' "
				"does not fit in 64 bits" },
		{ "{\"a\":1e999}", "f:1:6: /a: the number '1e999' is too large" },
		{ "{\"a\":-1.5e+400}", "f:1:6: /a: the number '-1.5e+400' is too large" },
		{ "{\"a\":11111111111111111111111111111111111111111111}",
				"f:1:6: /a: the number "
				"'1111111111111111111111111111111111111111...' "
				"does not fit in 64 bits" },
	};
	check_rows(rows, ARRAY_SIZE(rows));
}

TEST(faults_where_a_value_should_be)
{
	static const struct row rows[] = {
		{ "{\"ram\":}", "f:1:8: expected a value for \"ram\", found '}'" },
		{ "{\"ram\":,", "f:1:8: expected a value for \"ram\", found ','" },
		{ "{\"ram\":]", "f:1:8: expected a value for \"ram\", found ']'; an object began "
				"at line "
				"1" },
		{ "{\"ram\":'x'}", "f:1:8: expected a value for \"ram\", found '''; text is "
				   "written in "
				   "plain double quotes: \"...\"" },
		{ "{\"ram\":\u201ex\u201c}",
				"f:1:8: expected a value for \"ram\", found '\u201e'; text "
				"is written in plain double quotes: \"...\"" },
		{ "{\"ram\":True}",
				"f:1:8: expected a value for \"ram\", found 'True'; it is written "
				"in small letters" },
		{ "{\"ram\":NULL}",
				"f:1:8: expected a value for \"ram\", found 'NULL'; it is written "
				"in small letters" },
		{ "{\"ram\":NaN}", "f:1:8: expected a value for \"ram\", found 'NaN', which is no "
				   "number "
				   "in JSON" },
		{ "{\"ram\":Infinity}",
				"f:1:8: expected a value for \"ram\", found 'Infinity', which is "
				"no number in JSON" },
		{ "#a\n{}", "f:1:1: expected '{', found '#'; a comment begins with //" },
		{ "[Off]", "f:1:2: expected a value or ']', found 'Off'; it is written false" },
		{ "{\"ram\":yes}", "f:1:8: expected a value for \"ram\", found 'yes'; it is "
				   "written true" },
		{ "{\"ram\":tru}", "f:1:8: expected a value for \"ram\", found 'tru'; text is "
				   "written in "
				   "double quotes: \"...\"" },
		{ "{\"ram\":truex}", "f:1:8: expected a value for \"ram\", found 'truex'; text is "
				     "written in double quotes: \"...\"" },
		{ "{\"ram\":$x}", "f:1:8: expected a value for \"ram\", found '$'" },
		{ "{\"ram\":\x1b[2J}", "f:1:8: expected a value for \"ram\", found the byte 0x1b" },
		{ "{\"ram\":[,]}", "f:1:9: expected a value or ']', found ','" },
		{ "{\"ram\":[1,,2]}", "f:1:11: expected a value or ']', found ','" },
		{ "{\"ram\":[}", "f:1:9: expected a value or ']', found '}'; a list began at line "
				 "1" },
	};
	check_rows(rows, ARRAY_SIZE(rows));
}

TEST(faults_between_values)
{
	static const struct row rows[] = {
		{ "{\"ram\":1 \"b\":2}",
				"f:1:10: expected ',' or '}' after the value of \"ram\", found "
				"'\"'" },
		{ "{\n \"a\": {\n  \"b\": 1\n ]\n}",
				"f:4:2: expected ',' or '}' after the value of "
				"\"b\", found ']'; an object began at line 2" },
		{ "{\"a\":[1 2]}",
				"f:1:9: expected ',' or ']' after entry 1 of the list, found '2'" },
		{ "{\"a\":[1,2}", "f:1:10: expected ',' or ']' after entry 2 of the list, found "
				  "'}'; a "
				  "list began at line 1" },
		{ "{\"a\":1;\"b\":2}",
				"f:1:7: expected ',' or '}' after the value of \"a\", found ';'" },
		{ "{\"a\":1,}", "f:1:7: no ',' may stand between the last value and '}'" },
		{ "{\"a\":1,\n\n }", "f:1:7: no ',' may stand between the last value and '}'" },
		{ "{\"a\":[1,]}", "f:1:8: no ',' may stand between the last entry and ']'" },
		{ "{\"a\":1,,\"b\":2}", "f:1:8: expected a key in double quotes, found ','" },
		{ "{,}", "f:1:2: expected a key in double quotes or '}', found ','" },
		{ "{a:1}", "f:1:2: expected a key in double quotes or '}', found 'a'; text is "
			   "written in "
			   "double quotes: \"...\"" },
		{ "{'a':1}", "f:1:2: expected a key in double quotes or '}', found '''; text is "
			     "written "
			     "in plain double quotes: \"...\"" },
		{ "{1:1}", "f:1:2: expected a key in double quotes or '}', found '1'; text is "
			   "written in "
			   "double quotes: \"...\"" },
		{ "{\"a\"}", "f:1:5: expected ':' after the key \"a\", found '}'" },
		{ "{\"a\" 1}", "f:1:6: expected ':' after the key \"a\", found '1'" },
		{ "{\"a\"=1}", "f:1:5: expected ':' after the key \"a\", found '='" },
		{ "{\"a\"::1}", "f:1:6: expected a value for \"a\", found ':'" },
		{ "{\"a\":1", "f:1:7: the file ends inside an object that began at line 1" },
		{ "{\n\"a\":[\n1,\n", "f:4:1: the file ends inside a list that began at line 2" },
		{ "{\n\"a\":\n", "f:3:1: the file ends inside an object that began at line 1" },
	};
	check_rows(rows, ARRAY_SIZE(rows));
}

TEST(keys_given_twice)
{
	static const struct row rows[] = {
		{ "{\"a\":1,\"a\":1}", "f:1:8: /a: \"a\" is given twice; first at 1:2" },
		{ "{\"a\":1,\n \"\\u0061\":1}", "f:2:2: /a: \"a\" is given twice; first at 1:2" },
		{ "{\"b\":[{\"c\":{},\"d\":\"}\",\"c\":0}]}",
				"f:1:23: /b/0/c: \"c\" is given twice; "
				"first at 1:8" },
		{ "{\"a\":1,\"a\":2,\"a\":3}", "f:1:8: /a: \"a\" is given twice; first at 1:2\n"
					       "f:1:14: /a: \"a\" is given twice; first at 1:2" },
		{ "{\"x\":{\"a\":1},\"y\":{\"a\":1}}", "" },
		{ "{\"a/b~\":1,\"a/b~\":1}",
				"f:1:11: /a~1b~0: \"a/b~\" is given twice; first at 1:2" },
		{ "{\"\":1,\"\":1}", "f:1:7: /: \"\" is given twice; first at 1:2" },
		{ "{\"a\":1, /* \"a\":2, */ \"a\":3}",
				"f:1:22: /a: \"a\" is given twice; first at 1:2" },
	};
	check_rows(rows, ARRAY_SIZE(rows));
}

TEST(of_a_key_given_twice_the_last_counts)
{
	CLEANUP(jdoc_done) struct jdoc doc = {};
	int r;
	static const char text[] = "{\"a\":1,\"a\":2}";
	CLEANUP(freep) char *got = findings(text, strlen(text), &doc, &r);
	CHECK_INT(json_object_get_int64(json_object_object_get(doc.root, "a")), 2);
}

TEST(reading_goes_on_after_what_is_no_syntax_error)
{
	check_text("{\"a\":\"\\x\",\"b\":1e999,\"c\":\"\xff\",\"b\":2}", 34,
			"f:1:7: /a: expected one of \" \\ / b f n r t u after '\\', found 'x'; a "
			"backslash is written \\\\\n"
			"f:1:15: /b: the number '1e999' is too large\n"
			"f:1:26: /c: the byte 0xff is not UTF-8\n"
			"f:1:29: /b: \"b\" is given twice; first at 1:11");
}

TEST(a_number_that_does_not_fit_is_null_in_the_tree)
{
	CLEANUP(jdoc_done) struct jdoc doc = {};
	int r;
	static const char text[] = "{\"a\":99999999999999999999,\"b\":\"x\\u0000y\"}";
	CLEANUP(freep) char *got = findings(text, strlen(text), &doc, &r);
	CHECK_INT(r, 1);
	struct json_object *a = doc.root;
	CHECK(json_object_object_get_ex(doc.root, "a", &a) && jtree_is_flaw(a));
	CHECK_STR(json_object_get_string(json_object_object_get(doc.root, "b")), "x\xef\xbf\xbdy");
}

/* @n lists within the document's object. */
static char *nested(size_t n)
{
	struct buf b = {};
	buf_puts(&b, "{\"a\":");
	for (size_t i = 0; i < n; i++)
		buf_putc(&b, '[');
	for (size_t i = 0; i < n; i++)
		buf_putc(&b, ']');
	buf_putc(&b, '}');
	return buf_take(&b);
}

TEST(nesting_has_a_limit)
{
	CLEANUP(freep) char *good = nested(63), *bad = nested(64), *deep = nested(1000000);
	check_text(good, strlen(good), "");
	check_text(bad, strlen(bad), "f:1:69: this is nested deeper than 64 levels");
	check_text(deep, strlen(deep), "f:1:69: this is nested deeper than 64 levels");
}

TEST(findings_have_a_limit)
{
	CLEANUP(buf_done) struct buf text = {};
	buf_puts(&text, "{\"a\":[0");
	for (int i = 0; i < 1000; i++)
		buf_puts(&text, ",1e999");
	buf_puts(&text, "]}");
	CLEANUP(report_done) struct report r = {};
	CLEANUP(jdoc_done) struct jdoc doc = {};
	CHECK_INT(jdoc_parse("f", text.text, text.len, &doc, &r), 1);
	CHECK_INT(r.n, JDOC_FINDINGS_MAX + 1);
	CHECK_STR(r.items[JDOC_FINDINGS_MAX].text,
			"reading stops here: 200 mistakes were found in this file");
	CHECK(!doc.root);

	/* So have those of comments, each of which is one. */
	CLEANUP(report_done) struct report of_comments = {};
	CLEANUP(jdoc_done) struct jdoc commented = {};
	buf_clear(&text);
	for (int i = 0; i < 1000; i++)
		buf_puts(&text, "//\xff\n");
	buf_puts(&text, "{}");
	CHECK_INT(jdoc_parse("f", text.text, text.len, &commented, &of_comments), 1);
	CHECK_INT(of_comments.n, JDOC_FINDINGS_MAX + 1);
	CHECK_STR(of_comments.items[JDOC_FINDINGS_MAX].text, r.items[JDOC_FINDINGS_MAX].text);
}

static const char example[] = "// a machine\n"
			      "{\n"
			      "\t\"name\": \"web\\u00fc\", /* its name */\n"
			      "\t\"attrs\": { \"memory\": { \"ram\": 4096 }, \"x\": -1.5e+3 },\n"
			      "\t\"tags\": [ \"a\", \"b\\n\", true, false, null, [], {} ]\n"
			      "}";

TEST(the_example_is_good)
{
	check_text(example, strlen(example), "");
}

TEST(truncation_at_each_byte_is_one_finding_with_a_position)
{
	for (size_t len = 0; len < strlen(example); len++) {
		/* On the heap, so that a sanitizer sees each byte read behind the end. */
		CLEANUP(freep) char *text = malloc(len + 1);
		memcpy(text, example, len);
		CLEANUP(report_done) struct report r = {};
		CLEANUP(jdoc_done) struct jdoc doc = {};
		CHECK_INT(jdoc_parse("f", text, len, &doc, &r), 1);
		CHECK_INT(r.n, 1);
		CHECK(!doc.root);
		if (r.n && (!r.items[0].line || !r.items[0].column || !r.items[0].text[0]))
			TEST_FAIL("no position or text when cut at %zu", len);
	}
}

TEST(each_byte_replaced_is_taken_or_told_with_a_position)
{
	static const char bytes[] = "\0\n\"\\,:{}[]/*'x0-.\x1b\x80\xff";
	for (size_t i = 0; i < strlen(example); i++) {
		for (size_t b = 0; b < sizeof(bytes) - 1; b++) {
			char text[sizeof(example)];
			memcpy(text, example, sizeof(example));
			text[i] = bytes[b];
			CLEANUP(report_done) struct report r = {};
			CLEANUP(jdoc_done) struct jdoc doc = {};
			int result = jdoc_parse("f", text, strlen(example), &doc, &r);
			CHECK_INT(result, r.n > 0);
			CHECK(result || doc.root);
			for (size_t j = 0; j < r.n; j++)
				CHECK(r.items[j].line && r.items[j].column);
		}
	}
}

TEST(big_objects_are_read_in_linear_time)
{
	/* 200000 keys, of which the last is there twice: a quadratic search would take minutes. */
	CLEANUP(buf_done) struct buf text = {};
	buf_putc(&text, '{');
	for (int i = 0; i < 200000; i++)
		buf_printf(&text, "\"key%d\":%d,\n", i, i);
	buf_puts(&text, "\"key0\":0}");
	check_text(text.text, text.len, "f:200001:1: /key0: \"key0\" is given twice; first at 1:2");
}

TEST(files_are_read_whole)
{
	CLEANUP(freep) char *top = test_directory();
	CLEANUP(freep) char *path = xasprintf("%s/x.json", top);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	CHECK_INT(write(fd, example, strlen(example)), strlen(example));
	close(fd);

	CLEANUP(report_done) struct report r = {};
	CLEANUP(jdoc_done) struct jdoc doc = {};
	struct error err;
	CHECK_INT(jdoc_load_at(AT_FDCWD, path, "shown.json", &doc, &r, &err), 0);
	CHECK_STR(doc.name, "shown.json");
	CHECK(doc.root);
	CHECK_INT(doc.len, strlen(example));
	unlink(path);
	rmdir(top);
}

TEST(files_that_cannot_be_read_are_errors)
{
	CLEANUP(report_done) struct report r = {};
	CLEANUP(jdoc_done) struct jdoc doc = {}, dir = {};
	struct error err;
	CHECK_INT(jdoc_load_at(AT_FDCWD, "/nonexistent/x.json", "x", &doc, &r, &err), -ENOENT);
	CHECK(strstr(err.text, "/nonexistent/x.json"));
	CHECK(jdoc_load_at(AT_FDCWD, "/tmp", "x", &dir, &r, &err) < 0);
	CHECK_INT(r.n, 0);
	CHECK(!doc.root && !dir.root);
}

TEST_MAIN()
