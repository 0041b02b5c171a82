/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON pointers and the places that they lead to. */
#include "json/jlocate.h"

#include <json-c/json_tokener.h>
#include <json-c/linkhash.h>

#include "test.h"

static void parse(const char *text, struct jdoc *ret)
{
	CLEANUP(report_done) struct report r = {};
	(void)!jdoc_parse("f", text, strlen(text), ret, &r);
	CHECK(ret->root);
}

static void check_place(const struct jdoc *doc, const char *pointer, bool key, int expected_r,
		size_t line, size_t column)
{
	struct where at = {};
	int r = key ? jlocate_key(doc, pointer, &at) : jlocate_value(doc, pointer, &at);
	if (r != expected_r || at.line != line || at.column != column)
		TEST_FAIL("\"%s\": expected %d at %zu:%zu, got %d at %zu:%zu", pointer, expected_r,
				line, column, r, at.line, at.column);
	CHECK_STR(at.file, "f");
}

static const char example[] = "// comment\n"
			      "{ \"a\": 1, \"b\" :\n"
			      "  { \"c\": [ 10, \"x,]}\\\"\", { \"d\": null } ],\n"
			      "    \"\\u00e9/~\": true, \"\": [[]] }, // \"z\": 1\n"
			      "\"e\": -1.5e3 }";

TEST(values_and_keys_are_found)
{
	CLEANUP(jdoc_done) struct jdoc doc = {};
	parse(example, &doc);
	check_place(&doc, "", false, 0, 2, 1);
	check_place(&doc, "", true, 0, 2, 1);
	check_place(&doc, "/a", false, 0, 2, 8);
	check_place(&doc, "/a", true, 0, 2, 3);
	check_place(&doc, "/b", false, 0, 3, 3);
	check_place(&doc, "/b", true, 0, 2, 11);
	check_place(&doc, "/b/c/0", false, 0, 3, 12);
	check_place(&doc, "/b/c/0", true, 0, 3, 12);
	check_place(&doc, "/b/c/1", false, 0, 3, 16);
	check_place(&doc, "/b/c/2/d", false, 0, 3, 33);
	check_place(&doc, "/b/c/2/d", true, 0, 3, 28);
	check_place(&doc, "/b/\u00e9~1~0", false, 0, 4, 17);
	check_place(&doc, "/b/", false, 0, 4, 27);
	check_place(&doc, "/b//0/", false, 1, 4, 28);
	check_place(&doc, "/e", false, 0, 5, 6);
}

TEST(what_is_not_there_gives_the_nearest_parent)
{
	CLEANUP(jdoc_done) struct jdoc doc = {};
	parse(example, &doc);
	check_place(&doc, "/z", false, 1, 2, 1);
	check_place(&doc, "/z/y/x", true, 1, 2, 1);
	check_place(&doc, "/b/z", false, 1, 3, 3);
	check_place(&doc, "/b/z", true, 1, 2, 11);
	check_place(&doc, "/b/c/3", false, 1, 3, 10);
	check_place(&doc, "/b/c/-", false, 1, 3, 10);
	check_place(&doc, "/b/c/00", false, 1, 3, 10);
	check_place(&doc, "/b/c/+1", false, 1, 3, 10);
	check_place(&doc, "/b/c/99999999999999999999999", false, 1, 3, 10);
	check_place(&doc, "/a/0", false, 1, 2, 8);
	check_place(&doc, "/b/c/1/0", false, 1, 3, 16);
}

TEST(of_a_key_given_twice_the_last_is_found)
{
	CLEANUP(jdoc_done) struct jdoc doc = {};
	parse("{\"a\":{\"b\":1},\"a\":{\"c\":1}}", &doc);
	check_place(&doc, "/a", true, 0, 1, 14);
	check_place(&doc, "/a/c", false, 0, 1, 23);
	check_place(&doc, "/a/b", false, 1, 1, 18);
}

TEST(columns_count_bytes_and_carriage_returns)
{
	CLEANUP(jdoc_done) struct jdoc doc = {};
	parse("{\r\n\"\u00fc\":\t1}", &doc);
	check_place(&doc, "/\u00fc", false, 0, 2, 7);
}

TEST(offsets_become_lines_and_columns)
{
	static const char text[] = "ab\n\nc\n";
	static const size_t expected[][2] = { { 1, 1 }, { 1, 2 }, { 1, 3 }, { 2, 1 }, { 3, 1 },
		{ 3, 2 }, { 4, 1 } };
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		struct where at = {};
		jlocate_offset(text, i, &at);
		CHECK_INT(at.line, expected[i][0]);
		CHECK_INT(at.column, expected[i][1]);
	}
}

TEST(pointers_are_escaped_and_taken_apart)
{
	CLEANUP(buf_done) struct buf pointer = {}, token = {};
	static const char *const tokens[] = { "a", "", "~", "/", "~1/~0", "m~n", "x/y" };
	for (size_t i = 0; i < ARRAY_SIZE(tokens); i++)
		jpointer_push(&pointer, tokens[i]);
	jpointer_push_index(&pointer, 12);
	CHECK_STR(buf_text(&pointer), "/a//~0/~1/~01~1~00/m~0n/x~1y/12");

	const char *p = buf_text(&pointer);
	for (size_t i = 0; i < ARRAY_SIZE(tokens); i++) {
		CHECK(jpointer_next(&p, &token));
		CHECK_STR(buf_text(&token), tokens[i]);
	}
	CHECK(jpointer_next(&p, &token));
	CHECK_STR(buf_text(&token), "12");
	CHECK(!jpointer_next(&p, &token));
}

TEST(values_are_got_by_pointer)
{
	CLEANUP(jdoc_done) struct jdoc doc = {};
	parse(example, &doc);
	CHECK(jpointer_get(doc.root, "") == doc.root);
	CHECK_INT(json_object_get_int64(jpointer_get(doc.root, "/a")), 1);
	CHECK_INT(json_object_get_int64(jpointer_get(doc.root, "/b/c/0")), 10);
	CHECK(json_object_get_boolean(jpointer_get(doc.root, "/b/\u00e9~1~0")));
	static const char *const absent[] = { "/z", "/a/b", "/b/c/3", "/b/c/x", "/b/c/-1",
		"/b/c/01", "/b/c/", "/b/c/2/d", "/b/c/2/d/e" };
	for (size_t i = 0; i < ARRAY_SIZE(absent); i++)
		CHECK(!jpointer_get(doc.root, absent[i]));
}

/* The byte offset of a line and column. */
static size_t offset_of(const char *text, struct where at)
{
	const char *p = text;
	for (size_t line = 1; line < at.line; line++)
		p = strchr(p, '\n') + 1;
	return (size_t)(p - text) + at.column - 1;
}

static unsigned n_visited;

/* What json-c reads at the place of each value is that value. */
static void check_all(const struct jdoc *doc, struct json_object *value, struct buf *pointer)
{
	struct where at;
	CHECK_INT(jlocate_value(doc, buf_text(pointer), &at), 0);
	size_t offset = offset_of(doc->text, at), len = pointer->len;
	struct json_tokener *tokener = json_tokener_new_ex(100);
	struct json_object *again = json_tokener_parse_ex(
			tokener, doc->text + offset, (int)(doc->len - offset + 1));
	if (!json_object_equal(value, again))
		TEST_FAIL("another value at the place of \"%s\"", buf_text(pointer));
	json_tokener_free(tokener);
	json_object_put(again);
	CHECK(jpointer_get(doc->root, buf_text(pointer)) == value);
	n_visited++;

	if (json_object_is_type(value, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(value); i++) {
			jpointer_push_index(pointer, i);
			check_all(doc, json_object_array_get_idx(value, i), pointer);
			buf_truncate(pointer, len);
		}
	} else if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, key, member)
		{
			jpointer_push(pointer, key);
			check_all(doc, member, pointer);
			struct where key_at;
			CHECK_INT(jlocate_key(doc, buf_text(pointer), &key_at), 0);
			CHECK(doc->text[offset_of(doc->text, key_at)] == '"');
			buf_truncate(pointer, len);
		}
	}
}

static unsigned random_state;

static unsigned random_below(unsigned n)
{
	random_state = random_state * 1103515245 + 12345;
	return (random_state >> 16) % n;
}

static void random_space(struct buf *out)
{
	static const char *const spaces[] = { "", "", "", " ", "\n", "\t", "// , \" {\n", "/* ] */",
		"\r\n" };
	buf_puts(out, spaces[random_below(ARRAY_SIZE(spaces))]);
}

static void random_value(struct buf *out, unsigned depth)
{
	static const char *const leaves[] = { "0", "-1.5e2", "true", "false", "null", "\"\"",
		"\"a\"", "\"{[,:]}\"", "\"\\\"\\\\\"", "\"\\u00fc\u00fc/*\"", "\"//\"" };
	unsigned kind = depth ? random_below(4) : 0, n = random_below(5);
	random_space(out);
	if (kind < 2)
		buf_puts(out, leaves[random_below(ARRAY_SIZE(leaves))]);
	else
		buf_putc(out, kind == 2 ? '{' : '[');
	for (unsigned i = 0; kind >= 2 && i < n; i++) {
		buf_puts(out, i ? "," : "");
		random_space(out);
		if (kind == 2) {
			buf_printf(out, "\"%s%u\"", random_below(2) ? "~/\\u0041" : "k", i);
			random_space(out);
			buf_putc(out, ':');
		}
		random_value(out, depth - 1);
	}
	if (kind >= 2)
		random_space(out);
	if (kind >= 2)
		buf_putc(out, kind == 2 ? '}' : ']');
	random_space(out);
}

TEST(each_pointer_of_a_document_leads_to_its_value)
{
	CLEANUP(buf_done) struct buf pointer = {};
	CLEANUP(jdoc_done) struct jdoc doc = {};
	parse(example, &doc);
	check_all(&doc, doc.root, &pointer);
	for (unsigned seed = 1; seed <= 300; seed++) {
		unsigned failures = test_failures;
		random_state = seed;
		CLEANUP(buf_done) struct buf text = {};
		buf_puts(&text, "{\"r\":[0");
		for (unsigned i = 0; i < 5; i++) {
			buf_puts(&text, ",");
			random_value(&text, 5);
		}
		buf_puts(&text, "]}");
		CLEANUP(jdoc_done) struct jdoc random = {};
		parse(text.text, &random);
		check_all(&random, random.root, &pointer);
		if (test_failures > failures)
			test_note("seed %u: %s", seed, text.text);
	}
	CHECK(n_visited > 2000);
}

TEST_MAIN()
