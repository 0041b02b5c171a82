/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Merging: each rule, what the trace tells, and where a merged value came from. */
#include "json/jmerge.h"

#include <json-c/linkhash.h>

#include "json-demo.h"
#include "json/jlocate.h"
#include "json/jtree.h"
#include "test.h"
#include "util/mem.h"
#include "util/strv.h"

#define LAYERS_MAX 4

struct stack {
	struct jdoc docs[LAYERS_MAX];
	struct layer layers[LAYERS_MAX];
	size_t n;
};

static void stack_done(struct stack *s)
{
	for (size_t i = 0; i < s->n; i++)
		jdoc_done(&s->docs[i]);
}

/* Documents are given strongest first; NULL ends them. */
static void load(struct stack *s, const char *const *texts)
{
	static const char *const names[] = { "m", "t1", "t2", "t3" };
	static const char *const chains[] = { "machine m", "machine m, tag t1",
		"machine m, tag t1, tag t2", "machine m, tag t3" };
	CLEANUP(report_done) struct report r = {};
	for (s->n = 0; s->n < LAYERS_MAX && texts[s->n]; s->n++) {
		struct jdoc *doc = &s->docs[s->n];
		CHECK_INT(jdoc_parse(names[s->n], texts[s->n], strlen(texts[s->n]), doc, &r), 0);
		s->layers[s->n] = (struct layer){ doc, doc->root, "", names[s->n], chains[s->n] };
		jcheck(demo_fields, doc, doc->root, "", &r);
	}
	for (size_t i = 0; i < r.n; i++)
		TEST_FAIL("%s: %s: %s", r.items[i].file, r.items[i].pointer, r.items[i].text);
}

static const char *plain(struct json_object *value)
{
	return json_object_to_json_string_ext(
			value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

static void check_merge(const char *const *texts, const char *expected)
{
	CLEANUP(stack_done) struct stack s = {};
	load(&s, texts);
	struct json_object *merged = jmerge(demo_fields, s.layers, s.n, NULL, NULL);
	CHECK_STR(plain(merged), expected);
	json_object_put(merged);
}
#define CHECK_MERGE(expected, ...) check_merge((const char *const[]){ __VA_ARGS__, NULL }, expected)

TEST(of_strings_the_first_that_is_not_empty_wins)
{
	CHECK_MERGE("{\"name\":\"a\"}", "{\"name\":\"a\"}", "{\"name\":\"b\"}");
	CHECK_MERGE("{\"name\":\"b\"}", "{\"name\":\"\"}", "{\"name\":\"b\"}");
	CHECK_MERGE("{\"name\":\"b\"}", "{\"name\":null}", "{}", "{\"name\":\"b\"}");
	CHECK_MERGE("{}", "{\"name\":\"\"}", "{\"name\":null}");
}

TEST(of_integers_the_first_that_counts_wins)
{
	CHECK_MERGE("{\"attrs\":{\"memory\":{\"ram\":3}}}", "{\"attrs\":{\"memory\":{\"ram\":0}}}",
			"{\"attrs\":{\"memory\":{\"ram\":-2}}}",
			"{\"attrs\":{\"memory\":{\"ram\":3}}}",
			"{\"attrs\":{\"memory\":{\"ram\":4}}}");
	CHECK_MERGE("{\"attrs\":{\"memory\":{\"pages\":0}}}",
			"{\"attrs\":{\"memory\":{\"pages\":0}}}",
			"{\"attrs\":{\"memory\":{\"pages\":5}}}");
	CHECK_MERGE("{\"attrs\":{\"memory\":{}}}", "{\"attrs\":{\"memory\":{\"ram\":0}}}");
}

TEST(of_booleans_the_first_that_is_written_wins)
{
	CHECK_MERGE("{\"attrs\":{\"tpm\":{\"enabled\":false}}}",
			"{\"attrs\":{\"tpm\":{\"enabled\":false}}}",
			"{\"attrs\":{\"tpm\":{\"enabled\":true}}}");
	CHECK_MERGE("{\"attrs\":{\"tpm\":{\"enabled\":true}}}",
			"{\"attrs\":{\"tpm\":{\"enabled\":null}}}",
			"{\"attrs\":{\"tpm\":{\"enabled\":true}}}");
}

TEST(lists_with_merge_first_win_as_a_whole)
{
	CHECK_MERGE("{\"places\":[]}", "{\"places\":[]}", "{\"places\":[1]}");
	CHECK_MERGE("{\"places\":[2,1]}", "{}", "{\"places\":[2,1]}", "{\"places\":[3]}");
	CHECK_MERGE("{\"address\":[\"a\"]}", "{\"address\":[\"a\"]}", "{\"address\":\"b\"}");
	CHECK_MERGE("{\"ports\":[{\"port\":1},{\"port\":1}]}",
			"{\"ports\":[{\"port\":1},{\"port\":1}]}", "{\"ports\":[{\"port\":2}]}");
}

TEST(objects_merge_key_by_key_and_in_the_order_of_the_table)
{
	CHECK_MERGE("{\"attrs\":{\"memory\":{\"ram\":1,\"shared\":true,\"pages\":2},\"display\":"
		    "\"qxl\"}}",
			"{\"attrs\":{\"display\":\"qxl\",\"memory\":{\"pages\":2,\"ram\":1}}}",
			"{\"attrs\":{\"display\":\"none\",\"memory\":{\"shared\":true,\"ram\":7}}"
			"}");
	CHECK_MERGE("{\"attrs\":{\"memory\":{}}}", "{}", "{\"attrs\":{\"memory\":{}}}");
}

TEST(notes_and_keys_without_a_row)
{
	CHECK_MERGE("{\"name\":\"a\",\"note\":{\"b\":[null]}}",
			"{\"x-1\":2,\"$schema\":\"y\",\"name\":\"a\"}",
			"{\"note\":{\"b\":[null]}}");
}

TEST(whole_objects_come_from_one_layer)
{
	CHECK_MERGE("{\"attrs\":{\"tpm\":{\"data\":{\"storage\":\"s\"}}}}",
			"{\"attrs\":{\"tpm\":{\"data\":{\"bootable\":true}}}}",
			"{\"attrs\":{\"tpm\":{\"data\":{\"name\":\"\",\"storage\":\"s\"}}}}",
			"{\"attrs\":{\"tpm\":{\"data\":{\"name\":\"n\",\"bootable\":true}}}}");
	CHECK_MERGE("{\"attrs\":{\"kernel\":\"/k\"}}", "{\"attrs\":{\"kernel\":\"\"}}",
			"{\"attrs\":{\"kernel\":\"/k\"}}",
			"{\"attrs\":{\"kernel\":{\"name\":\"k\"}}}");
	CHECK_MERGE("{\"attrs\":{\"kernel\":{\"path\":\"/k\"}}}",
			"{\"attrs\":{\"kernel\":{\"bootable\":true}}}",
			"{\"attrs\":{\"kernel\":{\"path\":\"/k\"}}}",
			"{\"attrs\":{\"kernel\":\"/l\"}}");
	CHECK_MERGE("{\"attrs\":{\"tpm\":{}}}", "{\"attrs\":{\"tpm\":{\"data\":{}}}}");
}

TEST(gathered_lists_begin_with_the_first_layer)
{
	CHECK_MERGE("{\"filter\":{\"groups\":[\"b\",\"a\",\"c\"]}}",
			"{\"filter\":{\"groups\":[\"b\",\"a\"]}}", "{}",
			"{\"filter\":{\"groups\":[\"c\",\"b\"]}}");
	CHECK_MERGE("{\"filter\":{\"rules\":[{\"port\":2},{\"port\":1},{\"port\":2}]}}",
			"{\"filter\":{\"rules\":[{\"port\":2}]}}",
			"{\"filter\":{\"rules\":[{\"port\":1},{\"port\":2}]}}");
	CHECK_MERGE("{\"filter\":{\"groups\":[]}}", "{\"filter\":{\"groups\":[]}}");
}

TEST(switched_objects_win_as_a_whole)
{
	CHECK_MERGE("{\"filter\":{\"guard\":{\"mac\":false}}}",
			"{\"filter\":{\"guard\":{\"mac\":false}}}",
			"{\"filter\":{\"guard\":{\"enabled\":false}}}");
	CHECK_MERGE("{\"filter\":{\"guard\":false}}", "{\"filter\":{\"guard\":false}}",
			"{\"filter\":{\"guard\":{\"mac\":false}}}");
	CHECK_MERGE("{\"filter\":{\"guard\":{}}}", "{\"filter\":{\"guard\":{}}}",
			"{\"filter\":{\"guard\":true}}");
}

TEST(maps_of_lists_merge_key_by_key)
{
	CHECK_MERGE("{\"filter\":{\"sets\":{\"a\":[\"1\"],\"b\":[\"3\"]}}}",
			"{\"filter\":{\"sets\":{\"a\":[\"1\"]}}}",
			"{\"filter\":{\"sets\":{\"a\":[\"2\"],\"b\":[\"3\"]}}}");
}

TEST(of_map_keys_the_first_wins)
{
	CHECK_MERGE("{\"vars\":{\"a\":\"1\",\"b\":\"\",\"c\":\"3\"}}",
			"{\"vars\":{\"a\":\"1\",\"b\":\"\",\"c\":null}}",
			"{\"vars\":{\"b\":\"2\",\"c\":\"3\"}}");
	CHECK_MERGE("{\"limits\":{\"CPUWeight\":0,\"MemoryMax\":\"x\"}}",
			"{\"limits\":{\"CPUWeight\":0}}",
			"{\"limits\":{\"MemoryMax\":\"x\",\"CPUWeight\":1}}");
	CHECK_MERGE("{\"pools\":{\"a\":{\"path\":\"/1\"},\"b\":{\"path\":\"/"
		    "3\",\"readonly\":false}}}",
			"{\"pools\":{\"a\":{\"path\":\"/1\"}}}",
			"{\"pools\":{\"b\":{\"readonly\":false,\"path\":\"/3\"},\"a\":{\"path\":\"/"
			"2\","
			"\"readonly\":true}}}");
	CHECK_MERGE("{\"vars\":{}}", "{\"vars\":{}}");
}

#define DISK(name, size) "{\"name\":\"" name "\",\"size\":" #size "}"
#define REMOVE(name) "{\"name\":\"" name "\",\"remove\":true}"
#define DISKS(list) "{\"disks\":[" list "]}"

TEST(of_named_entries_the_first_of_each_name_wins)
{
	CHECK_MERGE(DISKS(DISK("b", 1) "," DISK("a", 2) "," DISK("c", 4)), DISKS(DISK("b", 1)),
			DISKS(DISK("a", 2) "," DISK("b", 3)), DISKS(DISK("c", 4) "," DISK("a", 5)));
	CHECK_MERGE("{\"disks\":[]}", "{\"disks\":[]}", "{\"disks\":null}");
}

TEST(a_removed_name_is_gone_in_all_weaker_layers)
{
	CHECK_MERGE(DISKS(DISK("b", 2)), DISKS(REMOVE("a")), DISKS(DISK("a", 1) "," DISK("b", 2)),
			DISKS(DISK("a", 3)));
	/* A stronger layer's entry stays, whatever a weaker one removes. */
	CHECK_MERGE(DISKS(DISK("a", 1)), DISKS(DISK("a", 1)), DISKS(REMOVE("a")),
			DISKS(DISK("a", 2)));
	CHECK_MERGE("{\"disks\":[]}", DISKS(REMOVE("a")));
	CHECK_MERGE("{\"disks\":[{\"name\":\"a\",\"remove\":false,\"size\":1}]}",
			"{\"disks\":[{\"name\":\"a\",\"remove\":false,\"size\":1}]}");
}

/* jcheck() refuses them here, but not in tables where a name is not required. */
TEST(entries_without_a_name_are_one_name)
{
	CLEANUP(jdoc_done) struct jdoc doc = {};
	CLEANUP(report_done) struct report r = {};
	static const char text[] = "{\"disks\":[{\"size\":1},{\"name\":\"\",\"size\":2},{\"name\":"
				   "null,\"size\":3},{\"name\":\"a\",\"size\":4}]}";
	CHECK_INT(jdoc_parse("f", text, strlen(text), &doc, &r), 0);
	struct layer layer = { &doc, doc.root, "", "f", "f" };
	struct json_object *merged = jmerge(demo_fields, &layer, 1, NULL, NULL);
	CHECK_STR(plain(merged), "{\"disks\":[{\"size\":1},{\"name\":\"a\",\"size\":4}]}");
	json_object_put(merged);
}

/* The copy of a thousand machines' tags is what merging would cost. */
TEST(an_object_that_stands_alone_is_not_copied)
{
	static const struct {
		const char *entry, *expected;
		bool is_same;
	} rows[] = {
		{ "{\"name\":\"a\",\"size\":4}", "{\"name\":\"a\",\"size\":4}", true },
		{ "{\"size\":4,\"name\":\"a\"}", "{\"name\":\"a\",\"size\":4}", false },
		{ "{\"name\":\"a\",\"storage\":\"\",\"size\":4}", "{\"name\":\"a\",\"size\":4}",
				false },
		{ "{\"name\":\"a\",\"storage\":null,\"size\":4}", "{\"name\":\"a\",\"size\":4}",
				false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(stack_done) struct stack s = {};
		CLEANUP(freep) char *text = xasprintf("{\"disks\":[%s]}", rows[i].entry);
		load(&s, (const char *const[]){ text, "{}", NULL });
		struct json_object *merged = jmerge(demo_fields, s.layers, s.n, NULL, NULL);
		struct json_object *from = jpointer_get(s.docs[0].root, "/disks/0");
		struct json_object *to = jpointer_get(merged, "/disks/0");
		CHECK_STR(plain(to), rows[i].expected);
		CHECK((from == to) == rows[i].is_same);
		json_object_put(merged);
	}
}

TEST(a_list_that_stands_alone_is_not_copied)
{
#define A "{\"name\":\"a\",\"size\":4}"
#define B "{\"name\":\"b\",\"size\":5}"
	static const struct {
		const char *list, *expected;
		bool is_same;
	} rows[] = {
		{ "[" A "," B "]", "[" A "," B "]", true },
		{ "[]", "[]", true },
		{ "[" A ",{\"size\":5,\"name\":\"b\"}]", "[" A "," B "]", false },
		{ "[" A ",{\"name\":\"b\",\"remove\":true}]", "[" A "]", false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(stack_done) struct stack s = {};
		CLEANUP(freep) char *text = xasprintf("{\"disks\":%s}", rows[i].list);
		load(&s, (const char *const[]){ "{}", text, NULL });
		struct json_object *merged = jmerge(demo_fields, s.layers, s.n, NULL, NULL);
		struct json_object *from = jpointer_get(s.docs[1].root, "/disks");
		struct json_object *to = jpointer_get(merged, "/disks");
		CHECK_STR(plain(to), rows[i].expected);
		CHECK((from == to) == rows[i].is_same);
		json_object_put(merged);
	}
#undef A
#undef B
}

TEST(lists_are_joined_from_the_last_layer_to_the_first)
{
	CHECK_MERGE("{\"args\":[\"d\",\"a\",\"c\",\"a\",\"b\",\"a\"]}", "{\"args\":[\"b\",\"a\"]}",
			"{\"args\":[\"c\",\"a\"]}", "{}", "{\"args\":[\"d\",\"a\"]}");
	CHECK_MERGE("{\"sockets\":[\"d\",\"a\",\"c\",\"b\"]}", "{\"sockets\":[\"b\",\"a\",\"b\"]}",
			"{\"sockets\":[\"c\",\"a\"]}", "{}", "{\"sockets\":[\"d\",\"a\"]}");
	CHECK_MERGE("{\"sockets\":[],\"args\":[]}", "{\"args\":[]}", "{\"sockets\":[]}");
}

TEST(some_keys_belong_to_their_own_layer)
{
	CHECK_MERGE("{\"tags\":[\"a\"]}", "{\"tags\":[\"a\"]}", "{\"tags\":[\"b\"]}");
	CHECK_MERGE("{}", "{}", "{\"tags\":[\"b\"]}");
}

TEST(a_layer_may_be_null_and_there_may_be_none)
{
	struct json_object *merged = jmerge(demo_fields, NULL, 0, NULL, NULL);
	CHECK_STR(plain(merged), "{}");
	json_object_put(merged);

	CLEANUP(stack_done) struct stack s = {};
	load(&s, (const char *const[]){ "{}", "{\"name\":\"a\"}", NULL });
	s.layers[0].object = NULL;
	merged = jmerge(demo_fields, s.layers, 2, NULL, NULL);
	CHECK_STR(plain(merged), "{\"name\":\"a\"}");
	json_object_put(merged);
}

static void collect(void *context, const char *pointer, const struct jorigin *origin)
{
	static const char *const fates[] = { "used", "overridden", "removed", "ignored" };
	strv_pushf(context, "%s = %s from %s%s: %s", pointer, json_object_get_string(origin->value),
			origin->layer->label, origin->pointer, fates[origin->fate]);
}

static void check_trace(const char *const *texts, const char *const *expected)
{
	CLEANUP(stack_done) struct stack s = {};
	CLEANUP(strv_done) struct strv told = {};
	load(&s, texts);
	struct json_object *untraced = jmerge(demo_fields, s.layers, s.n, NULL, NULL);
	struct json_object *merged = jmerge(demo_fields, s.layers, s.n, collect, &told);
	CHECK_STR(plain(merged), plain(untraced));
	json_object_put(untraced);
	json_object_put(merged);
	size_t i = 0;
	for (; expected[i] && i < told.n; i++)
		CHECK_STR(told.items[i], expected[i]);
	CHECK_STR(i < told.n ? told.items[i] : NULL, expected[i]);
}

TEST(the_trace_tells_of_scalars)
{
	check_trace((const char *const[]){ "{\"attrs\":{\"memory\":{\"ram\":0,\"shared\":false}}}",
				    "{\"name\":\"\",\"attrs\":{\"memory\":{\"ram\":5,\"shared\":"
				    "true}}}",
				    "{\"name\":\"x\",\"attrs\":{\"memory\":{\"ram\":null}},"
				    "\"note\":1}",
				    NULL },
			(const char *const[]){ "/name =  from t1/name: ignored",
					"/name = x from t2/name: used",
					"/attrs/memory/ram = 0 from m/attrs/memory/ram: ignored",
					"/attrs/memory/ram = 5 from t1/attrs/memory/ram: used",
					"/attrs/memory/shared = false from m/attrs/memory/shared: "
					"used",
					"/attrs/memory/shared = true from t1/attrs/memory/shared: "
					"overridden",
					NULL });
}

TEST(the_trace_tells_of_lists_and_maps)
{
	check_trace(
			(const char *const[]){
					"{\"tags\":[\"u\"],\"vars\":{\"a\":\"1\"},\"args\":[\"p\"],"
					"\"sockets\":[\"s\",\"t\"],\"places\":[1,2]}",
					"{\"tags\":[\"v\"],\"vars\":{\"b\":\"2\",\"a\":\"3\"},"
					"\"args\":[\"p\"],"
					"\"sockets\":[\"t\"],\"places\":[3]}",
					NULL },
			(const char *const[]){ "/tags/0 = u from m/tags/0: used",
					"/tags/0 = v from t1/tags/0: ignored",
					"/vars/a = 1 from m/vars/a: used",
					"/vars/b = 2 from t1/vars/b: used",
					"/vars/a = 3 from t1/vars/a: overridden",
					"/sockets/0 = t from t1/sockets/0: used",
					"/sockets/1 = s from m/sockets/0: used",
					"/sockets/0 = t from m/sockets/1: used",
					"/args/0 = p from t1/args/0: used",
					"/args/1 = p from m/args/0: used",
					"/places/0 = 1 from m/places/0: used",
					"/places/1 = 2 from m/places/1: used",
					"/places/0 = 3 from t1/places/0: overridden", NULL });
}

TEST(the_trace_tells_of_named_entries)
{
	check_trace((const char *const[]){ DISKS(REMOVE("a/") "," DISK("b", 1)),
				    DISKS(DISK("a/", 2) "," DISK("c", 3) "," DISK("b", 4)), NULL },
			(const char *const[]){ "/disks/-a~1/name = a/ from m/disks/0/name: removed",
					"/disks/-a~1/remove = true from m/disks/0/remove: removed",
					"/disks/0/name = b from m/disks/1/name: used",
					"/disks/0/size = 1 from m/disks/1/size: used",
					"/disks/-a~1/name = a/ from t1/disks/0/name: overridden",
					"/disks/-a~1/size = 2 from t1/disks/0/size: overridden",
					"/disks/1/name = c from t1/disks/1/name: used",
					"/disks/1/size = 3 from t1/disks/1/size: used",
					"/disks/0/name = b from t1/disks/2/name: overridden",
					"/disks/0/size = 4 from t1/disks/2/size: overridden",
					NULL });
}

TEST(the_trace_tells_of_whole_objects_and_map_entries)
{
	check_trace((const char *const[]){ "{\"attrs\":{\"kernel\":{\"bootable\":true}},\"pools\":{"
					   "\"p\":"
					   "{\"path\":\"/1\"}}}",
				    "{\"attrs\":{\"kernel\":\"/k\"},\"pools\":{\"p\":{\"path\":\"/"
				    "2\","
				    "\"classes\":{\"c\":{\"places\":[7]}}}}}",
				    "{\"attrs\":{\"kernel\":{\"name\":\"n\"}}}", NULL },
			(const char *const[]){ "/attrs/kernel/bootable = true from "
					       "m/attrs/kernel/bootable: ignored",
					"/attrs/kernel = /k from t1/attrs/kernel: used",
					"/attrs/kernel/name = n from t2/attrs/kernel/name: "
					"overridden",
					"/pools/p/path = /1 from m/pools/p/path: used",
					"/pools/p/path = /2 from t1/pools/p/path: overridden",
					"/pools/p/classes/c/places/0 = 7 from "
					"t1/pools/p/classes/c/places/0: overridden",
					NULL });
}

static void check_origin(const struct stack *s, const char *pointer, const char *file, size_t line,
		size_t column, const char *chain, const char *own_pointer)
{
	struct where at = {};
	const char *got_chain = "unset";
	CLEANUP(freep) char *got_pointer = NULL;
	jmerge_locate(demo_fields, s->layers, s->n, pointer, &at, &got_chain, &got_pointer);
	CHECK_STR(at.file, file);
	if (at.line != line || at.column != column)
		TEST_FAIL("%s: expected %zu:%zu, got %zu:%zu", pointer, line, column, at.line,
				at.column);
	CHECK_STR(got_chain, chain);
	CHECK_STR(got_pointer, own_pointer);
}

TEST(merged_values_are_located)
{
	CLEANUP(stack_done) struct stack s = {};
	load(&s, (const char *const[]){ "{\"name\":\"x\",\n\"disks\":[" REMOVE("z") "," DISK(
							"b", 1) "],\n"
								"\"sockets\":[\"s\",\"t\"]}",
				 "{\"attrs\":{\"memory\":\n{\"ram\":5}},\n\"disks\":[" DISK(
						 "z", 1) "," DISK("a", 2) "," DISK("b",
						 3) "],\n\"sockets\":[\"t\",\"u\"]}",
				 "{\"features\":\n {\"v/w\":\"1\"}}", NULL });
	check_origin(&s, "", "m", 1, 1, NULL, "");
	check_origin(&s, "/name", "m", 1, 9, NULL, "/name");
	check_origin(&s, "/attrs/memory/ram", "t1", 2, 8, "machine m, tag t1", "/attrs/memory/ram");
	check_origin(&s, "/disks/0/size", "m", 2, 56, NULL, "/disks/1/size");
	check_origin(&s, "/disks/1/size", "t1", 3, 51, "machine m, tag t1", "/disks/1/size");
	check_origin(&s, "/features/v~1w", "t2", 2, 9, "machine m, tag t1, tag t2",
			"/features/v~1w");
	/* Of a string that both have, the strongest; "t" comes first in the merged list. */
	check_origin(&s, "/sockets/0", "m", 3, 16, NULL, "/sockets/1");
	check_origin(&s, "/sockets/1", "t1", 4, 16, "machine m, tag t1", "/sockets/1");
	check_origin(&s, "/sockets/2", "m", 3, 12, NULL, "/sockets/0");
}

TEST(gathered_entries_and_entries_of_maps_of_lists_are_located)
{
	CLEANUP(stack_done) struct stack s = {};
	load(&s, (const char *const[]){
				 "{\"filter\":{\"groups\":[\"a\"],\n\"rules\":[{\"port\":1}]}}",
				 "{\"filter\":{\"groups\":[\"b\",\"a\"],\n\"rules\":[{\"port\":2}],"
				 "\n"
				 "\"sets\":{\"x\":[\"1\",\"2\"]}}}",
				 NULL });
	check_origin(&s, "/filter/groups/0", "m", 1, 22, NULL, "/filter/groups/0");
	check_origin(&s, "/filter/groups/1", "t1", 1, 22, "machine m, tag t1", "/filter/groups/0");
	check_origin(&s, "/filter/rules/0/port", "m", 2, 18, NULL, "/filter/rules/0/port");
	check_origin(&s, "/filter/rules/1", "t1", 2, 10, "machine m, tag t1", "/filter/rules/0");
	check_origin(&s, "/filter/sets/x/1", "t1", 3, 18, "machine m, tag t1", "/filter/sets/x/1");
}

TEST(what_has_no_origin_is_located_at_its_nearest_parent)
{
	CLEANUP(stack_done) struct stack s = {};
	load(&s, (const char *const[]){ "{\"attrs\":{\"tpm\":{}}}",
				 "{\"attrs\":\n {\"memory\":\n {\"ram\":5}}}",
				 "{\"attrs\":{\"memory\":{\"ram\":6}},\n\"disks\":[\n" DISK(
						 "a", 2) "]}",
				 NULL });
	check_origin(&s, "/disks/0/serial", "t2", 3, 1, "machine m, tag t1, tag t2", "/disks/0");
	check_origin(&s, "/disks/0", "t2", 3, 1, "machine m, tag t1, tag t2", "/disks/0");
	check_origin(&s, "/disks/7/name", "t2", 2, 9, "machine m, tag t1, tag t2", "/disks");
	check_origin(&s, "/attrs/memory/pages", "t1", 3, 2, "machine m, tag t1", "/attrs/memory");
	check_origin(&s, "/attrs/memory", "t1", 3, 2, "machine m, tag t1", "/attrs/memory");
	check_origin(&s, "/attrs/display", "m", 1, 10, NULL, "/attrs");
	check_origin(&s, "/attrs/memory/ramx", "t1", 3, 2, "machine m, tag t1", "/attrs/memory");
	check_origin(&s, "/privileges/group", "m", 1, 1, NULL, "");
}

TEST(what_was_removed_or_overridden_has_no_origin)
{
	CLEANUP(stack_done) struct stack s = {};
	load(&s, (const char *const[]){ "{\n\"disks\":[" REMOVE("a") "," DISK("b", 1) "]}",
				 "{\"disks\":[" DISK("a", 2) ","
							     "{\"name\":\"b\",\"size\":3,"
							     "\"cache\":\"none\"}]}",
				 NULL });
	check_origin(&s, "/disks/-a/size", "m", 2, 9, NULL, "/disks");
	check_origin(&s, "/disks/0/cache", "m", 2, 37, NULL, "/disks/1");
}

TEST(a_layer_may_begin_within_its_document)
{
	static const char host[] = "{\"tag\":{\"a\":\n{\"name\":\"x\"}}}";
	CLEANUP(report_done) struct report r = {};
	CLEANUP(stack_done) struct stack s = { .n = 1 };
	load(&s, (const char *const[]){ "{}", NULL });
	struct jdoc *doc = &s.docs[1];
	CHECK_INT(jdoc_parse("host", host, strlen(host), doc, &r), 0);
	s.layers[1] = (struct layer){ doc, jpointer_get(doc->root, "/tag/a"), "/tag/a", "tag a",
		"machine m, tag a" };
	s.n = 2;
	check_origin(&s, "/name", "host", 2, 9, "machine m, tag a", "/tag/a/name");
	check_origin(&s, "/mac", "m", 1, 1, NULL, "");
}

static unsigned random_state;

static unsigned random_below(unsigned n)
{
	random_state = random_state * 1103515245 + 12345;
	return (random_state >> 16) % n;
}

static const char *one_of(const char *const *texts, size_t n)
{
	return texts[random_below((unsigned)n)];
}
#define ONE_OF(...)                                                                                \
	one_of((const char *const[]){ __VA_ARGS__ },                                               \
			ARRAY_SIZE(((const char *const[]){ __VA_ARGS__ })))

/* A document of the demo format in which each part is there or not. */
static char *random_document(void)
{
	struct buf b = {};
	buf_puts(&b, "{\"x-\":0");
	buf_puts(&b, ONE_OF("", ",\"name\":\"a\"", ",\"name\":\"b\"", ",\"name\":\"\""));
	buf_puts(&b, ONE_OF("", ",\"tags\":[\"a\"]", ",\"tags\":[]"));
	buf_puts(&b, ONE_OF("", ",\"vars\":{\"a\":\"1\"}", ",\"vars\":{\"b\":\"\",\"a\":\"2\"}"));
	buf_puts(&b, ONE_OF("", ",\"limits\":{\"CPUWeight\":1}", ",\"limits\":{\"CPUWeight\":2}"));
	buf_puts(&b, ONE_OF("", ",\"sockets\":[\"a\",\"b\"]", ",\"sockets\":[\"b\",\"c\",\"b\"]"));
	buf_puts(&b, ONE_OF("", ",\"args\":[\"a\",\"b\"]", ",\"args\":[\"b\",\"c\",\"b\"]"));
	buf_puts(&b, ONE_OF("", ",\"address\":\"a\"", ",\"address\":[\"b\"]", ",\"address\":[]"));
	buf_puts(&b, ONE_OF("", ",\"filter\":{\"groups\":[\"b\"],\"guard\":false}",
				     ",\"filter\":{\"groups\":[\"a\",\"b\"],\"guard\":{\"mac\":"
				     "true}}",
				     ",\"filter\":{\"rules\":[{\"port\":1}],\"sets\":{\"a\":[\"1\"]"
				     "}}",
				     ",\"filter\":{\"rules\":[],\"sets\":{\"a\":[],\"b\":[]}}"));
	buf_puts(&b, ONE_OF("", ",\"places\":[1]", ",\"places\":[]", ",\"places\":null"));
	buf_puts(&b, ONE_OF("", ",\"disks\":[" DISK("a", 1) "," DISK("b", 2) "]",
				     ",\"disks\":[" REMOVE("b") "," DISK("c", 4) "]",
				     ",\"disks\":[" DISK("b", 5) "," REMOVE("a") "]"));
	buf_puts(&b, ONE_OF("", ",\"pools\":{\"p\":{\"path\":\"/\",\"readonly\":false}}",
				     ",\"pools\":{\"q\":{\"path\":\"/q\"},\"p\":{\"path\":\"/"
				     "p\"}}"));
	buf_printf(&b, ",\"attrs\":{\"memory\":{\"ram\":%s,\"shared\":%s}",
			ONE_OF("null", "0", "1", "2", "-3"), ONE_OF("null", "true", "false"));
	buf_puts(&b, ONE_OF("", ",\"kernel\":\"/k\"", ",\"kernel\":\"\"",
				     ",\"kernel\":{\"name\":\"k\"}",
				     ",\"kernel\":{\"bootable\":false}"));
	buf_puts(&b, ONE_OF("", ",\"tpm\":{\"data\":{\"name\":\"d\"}}",
				     ",\"tpm\":{\"enabled\":false}"));
	buf_puts(&b, "}}");
	return buf_take(&b);
}

static void load_random(struct stack *s)
{
	char *texts[LAYERS_MAX] = {};
	for (size_t i = 0; i < LAYERS_MAX - 1; i++)
		texts[i] = random_document();
	load(s, (const char *const *)texts);
	for (size_t i = 0; i < LAYERS_MAX - 1; i++)
		free(texts[i]);
}

/* Put an empty object in front of the @at-th layer. */
static void insert_empty(struct stack *s, size_t at, const struct jdoc *empty)
{
	memmove(&s->layers[at + 1], &s->layers[at], (s->n - at) * sizeof(*s->layers));
	s->layers[at] = (struct layer){ empty, empty->root, "", "empty", "empty" };
}

TEST(an_empty_layer_changes_nothing)
{
	CLEANUP(jdoc_done) struct jdoc empty = {};
	CLEANUP(report_done) struct report r = {};
	CHECK_INT(jdoc_parse("empty", "{}", 2, &empty, &r), 0);
	for (unsigned seed = 1; seed <= 300; seed++) {
		random_state = seed;
		CLEANUP(stack_done) struct stack s = {};
		load_random(&s);
		struct json_object *merged = jmerge(demo_fields, s.layers, s.n, NULL, NULL);
		/* In front of the first it would take MERGE_NEVER's values away. */
		size_t at = 1 + random_below((unsigned)s.n);
		insert_empty(&s, at, &empty);
		struct json_object *again = jmerge(demo_fields, s.layers, s.n + 1, NULL, NULL);
		if (strcmp(plain(merged), plain(again)) != 0)
			TEST_FAIL("seed %u: %s is not %s", seed, plain(again), plain(merged));
		json_object_put(merged);
		json_object_put(again);
	}
}

TEST(merging_what_was_merged_changes_nothing)
{
	for (unsigned seed = 1; seed <= 300; seed++) {
		random_state = seed;
		CLEANUP(stack_done) struct stack s = {};
		load_random(&s);
		struct json_object *merged = jmerge(demo_fields, s.layers, s.n, NULL, NULL);
		/* An argument may be there twice, and stays so; all else is stable. */
		struct layer layer = { &s.docs[0], merged, "", "merged", "merged" };
		struct json_object *again = jmerge(demo_fields, &layer, 1, NULL, NULL);
		if (strcmp(plain(merged), plain(again)) != 0)
			TEST_FAIL("seed %u: %s is not %s", seed, plain(again), plain(merged));
		json_object_put(merged);
		json_object_put(again);
	}
}

static void check_bound(const struct demo *a, const struct demo *b, unsigned seed)
{
	/* Strings are borrowed, so that even the pointers are the same; lists are not. */
	bool same = a->name == b->name && !memcmp(&a->attrs, &b->attrs, sizeof(a->attrs)) &&
		    a->filter.guard.mac == b->filter.guard.mac && a->tags.n == b->tags.n &&
		    a->vars.n == b->vars.n && a->limits.n == b->limits.n &&
		    a->sockets.n == b->sockets.n && a->pools.n == b->pools.n &&
		    a->disks.n == b->disks.n && a->places.n == b->places.n;
	for (size_t i = 0; same && i < a->vars.n; i++)
		same = !strcmp(a->vars.items[i].value, b->vars.items[i].value);
	for (size_t i = 0; same && i < a->disks.n; i++)
		same = !memcmp((const struct demo_disk *)a->disks.items + i,
				(const struct demo_disk *)b->disks.items + i,
				sizeof(struct demo_disk));
	if (!same)
		TEST_FAIL("seed %u: bound to something else", seed);
}

/* As config/inherit.h does, for many machines with the same tags. */
TEST(weaker_layers_can_be_merged_and_bound_before)
{
	for (unsigned seed = 1; seed <= 300; seed++) {
		random_state = seed;
		CLEANUP(arena_done) struct arena arena = {};
		CLEANUP(stack_done) struct stack s = {};
		struct demo before = {}, after = {};
		load_random(&s);
		struct json_object *merged = jmerge(demo_fields, s.layers, s.n, NULL, NULL);
		struct layer two[] = { s.layers[0], { .is_merged = true } };
		s.layers[0].object = NULL;
		two[1].object = jmerge(demo_fields, s.layers, s.n, NULL, NULL);
		struct json_object *again = jmerge(demo_fields, two, 2, NULL, NULL);
		if (strcmp(plain(merged), plain(again)) != 0)
			TEST_FAIL("seed %u: %s is not %s", seed, plain(again), plain(merged));
		jbind(demo_fields, two[1].object, &before, &arena);
		jbind_changes(demo_fields, two[1].object, again, &before, &arena);
		jbind(demo_fields, again, &after, &arena);
		check_bound(&before, &after, seed);
		json_object_put(merged);
		json_object_put(two[1].object);
		json_object_put(again);
	}
}

/* What a traced merge told, and what it made. */
struct told {
	struct stack *stack;
	struct json_object *merged;
	unsigned n_used;
	bool wrong;
};

static void verify(void *context, const char *pointer, const struct jorigin *origin)
{
	struct told *t = context;
	/* The pointer in the layer's document leads to the value that was told of. */
	if (jpointer_get(origin->layer->doc->root, origin->pointer) != origin->value)
		t->wrong = true;
	if (origin->fate != JORIGIN_USED)
		return;
	t->n_used++;
	if (!json_object_equal(jpointer_get(t->merged, pointer), origin->value))
		t->wrong = true;
	/* jmerge_locate() gives this place, or one of a stronger layer with an equal value. */
	struct where at;
	CLEANUP(freep) char *own = NULL;
	jmerge_locate(demo_fields, t->stack->layers, t->stack->n, pointer, &at, NULL, &own);
	bool found = false;
	for (const struct layer *l = t->stack->layers; l <= origin->layer; l++)
		if (!strcmp(l->doc->name, at.file))
			found = json_object_equal(jpointer_get(l->object, own), origin->value);
	if (!found)
		t->wrong = true;
}

static unsigned count_leaves(struct json_object *value)
{
	unsigned n = 0;
	if (json_object_is_type(value, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(value); i++)
			n += count_leaves(json_object_array_get_idx(value, i));
		return n;
	}
	if (!json_object_is_type(value, json_type_object))
		return 1;
	json_object_object_foreach(value, key, member)
	{
		(void)key;
		n += count_leaves(member);
	}
	return n;
}

TEST(the_trace_and_the_merged_object_agree)
{
	for (unsigned seed = 1; seed <= 200; seed++) {
		random_state = seed;
		CLEANUP(stack_done) struct stack s = {};
		load_random(&s);
		struct told told = { .stack = &s };
		told.merged = jmerge(demo_fields, s.layers, s.n, NULL, NULL);
		json_object_put(jmerge(demo_fields, s.layers, s.n, verify, &told));
		if (told.wrong || told.n_used < count_leaves(told.merged))
			TEST_FAIL("seed %u: the trace does not fit %s", seed, plain(told.merged));
		json_object_put(told.merged);
	}
}

TEST(big_lists_and_maps_are_merged_in_linear_time)
{
	CLEANUP(buf_done) struct buf text = {};
	buf_puts(&text, "{\"disks\":[");
	for (int i = 0; i < 50000; i++)
		buf_printf(&text, "%s{\"name\":\"d%d\",\"size\":1}", i ? "," : "", i);
	buf_puts(&text, "],\"sockets\":[");
	for (int i = 0; i < 50000; i++)
		buf_printf(&text, "%s\"s%d\"", i ? "," : "", i);
	buf_puts(&text, "]}");
	CLEANUP(stack_done) struct stack s = {};
	load(&s, (const char *const[]){ text.text, text.text, NULL });
	struct json_object *merged = jmerge(demo_fields, s.layers, s.n, NULL, NULL);
	CHECK_INT(json_object_array_length(json_object_object_get(merged, "disks")), 50000);
	CHECK_INT(json_object_array_length(json_object_object_get(merged, "sockets")), 50000);
	json_object_put(merged);
}

TEST_MAIN()
