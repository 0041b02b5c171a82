/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Objects against their field tables: each kind of finding, its text and its place. */
#include "json-demo.h"
#include "json/jlocate.h"
#include "json/jnames.h"
#include "json/jtree.h"
#include "test.h"

struct row {
	const char *in;
	const char *expected; /* the findings, a line each; "" for none */
};

static void check_text(const char *text, const char *expected)
{
	CLEANUP(report_done) struct report r = {};
	CLEANUP(jdoc_done) struct jdoc doc = {};
	CLEANUP(buf_done) struct buf lines = {};
	CHECK_INT(jdoc_parse("f", text, strlen(text), &doc, &r), 0);
	jcheck(demo_fields, &doc, doc.root, "", &r);
	report_sort(&r);
	for (size_t i = 0; i < r.n; i++) {
		buf_puts(&lines, i ? "\n" : "");
		finding_format(&r.items[i], &lines);
	}
	CHECK_STR(buf_text(&lines), expected);
}

static void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check_text(rows[i].in, rows[i].expected);
}

TEST(good_values_of_every_kind)
{
	check_text("{}", "");
	check_text("{\"name\":\"\",\"mac\":\"52:54:00:12:34:56\",\"tags\":[\"a\",\"a\"],"
		   "\"vars\":{\"x\":\"\"},\"limits\":{\"CPUWeight\":5,\"MemoryMax\":\"1G\"},"
		   "\"features\":{\"a\":true,\"b\":1.5,\"c\":\"x\"},\"attrs\":{\"memory\":{\"ram\":"
		   "1048576,\"shared\":false,\"pages\":-4},\"display\":\"qxl\",\"kernel\":\"/k\","
		   "\"weight\":5,\"tpm\":{\"data\":{},\"socket\":{\"path\":\"x\"}}},"
		   "\"disks\":[{\"name\":\"a\",\"size\":1},{\"name\":\"b\",\"size\":1000}],"
		   "\"ports\":[{\"port\":1},{\"port\":1}],\"pools\":{\"p\":{\"path\":\"/p\"}},"
		   "\"sockets\":[],\"args\":[\"\"],\"address\":\"a\",\"places\":[0,9],"
		   "\"note\":[{\"?\":1}],\"definitions\":{\"Any key\":{\"path\":\"/\"}}}",
			"");
	check_text("{\"attrs\":{\"kernel\":{\"path\":\"/k\"},\"weight\":\"heavy\"},\"address\":"
		   "[\"a\",\"b\"]}",
			"");
	check_text("{\"filter\":{\"protocol\":6,\"port\":[80,\"443\"],\"strict\":\"lax\",\"guard\":"
		   "{\"mac\":false},\"sets\":{\"a\":[],\"b\":[\"1\"]},\"groups\":[\"a\"],"
		   "\"rules\":[]}}",
			"");
	check_text("{\"filter\":{\"protocol\":\"6\",\"port\":80,\"strict\":true,\"guard\":false}}",
			"");
}

TEST(terms_are_checked_by_their_text_be_they_numbers_or_not)
{
	static const struct row rows[] = {
		{ "{\"filter\":{\"protocol\":\"x\"}}",
				"f:1:23: /filter/protocol: expected digits, found \"x\"" },
		{ "{\"filter\":{\"protocol\":-1}}",
				"f:1:23: /filter/protocol: expected digits, found -1" },
		{ "{\"filter\":{\"protocol\":1.5}}",
				"f:1:23: /filter/protocol: expected digits, found 1.5" },
		{ "{\"filter\":{\"protocol\":true}}",
				"f:1:23: /filter/protocol: expected text in double quotes or a "
				"number, found true" },
		{ "{\"filter\":{\"port\":[80,\"\",null,[]]}}",
				"f:1:23: /filter/port/1: expected digits, found \"\"\n"
				"f:1:26: /filter/port/2: expected text in double quotes or a "
				"number, found null\n"
				"f:1:31: /filter/port/3: expected text in double quotes or a "
				"number, found a list" },
		{ "{\"filter\":{\"port\":{}}}", "f:1:19: /filter/port: expected text in double "
						"quotes or a number, found an object" },
	};
	check_rows(rows, ARRAY_SIZE(rows));
}

TEST(switches_are_booleans_and_words)
{
	static const struct row rows[] = {
		{ "{\"filter\":{\"strict\":\"true\"}}",
				"f:1:21: /filter/strict: expected true, false, \"strict\" or "
				"\"lax\", found \"true\"" },
		{ "{\"filter\":{\"strict\":1}}",
				"f:1:21: /filter/strict: expected true, false, \"strict\" or "
				"\"lax\", found 1" },
		{ "{\"filter\":{\"guard\":{\"mac\":\"x\"}}}",
				"f:1:27: /filter/guard/mac: expected true or false, found \"x\" "
				"(a string)" },
		{ "{\"filter\":{\"guard\":\"on\"}}",
				"f:1:20: /filter/guard: expected true, false or an object, found "
				"\"on\" (a string)" },
	};
	check_rows(rows, ARRAY_SIZE(rows));
}

TEST(maps_of_lists_check_their_keys_and_entries)
{
	static const struct row rows[] = {
		{ "{\"filter\":{\"sets\":{\"A\":[\"x\",1]}}}",
				"f:1:20: /filter/sets/A: expected a word of small letters, found "
				"the key \"A\"\n"
				"f:1:25: /filter/sets/A/0: expected digits, found \"x\"\n"
				"f:1:29: /filter/sets/A/1: expected text in double quotes, found "
				"1; write \"1\"" },
		{ "{\"filter\":{\"sets\":{\"a\":\"1\"}}}",
				"f:1:24: /filter/sets/a: expected a list of strings, found \"1\" "
				"(a string)" },
		{ "{\"filter\":{\"sets\":[]}}",
				"f:1:19: /filter/sets: expected an object, found a list" },
	};
	check_rows(rows, ARRAY_SIZE(rows));
}

TEST(null_is_not_set)
{
	check_text("{\"name\":null,\"tags\":null,\"features\":null,\"attrs\":{\"memory\":{\"ram\":"
		   "null}"
		   ","
		   "\"tpm\":null,\"kernel\":null},\"disks\":null,\"pools\":{\"p\":null},\"vars\":{"
		   "\"x\":null},\"limits\":{\"CPUWeight\":null},\"places\":null}",
			"");
}

#define THOSE_KNOWN                                                                                \
	"; those known here are \"name\", \"mac\", \"tags\", \"vars\", \"limits\", "               \
	"\"features\", \"attrs\", \"disks\", \"ports\", \"pools\", \"sockets\", \"args\", "        \
	"\"address\", \"places\", \"filter\", \"note\" and \"definitions\""

TEST(notes_are_not_looked_at)
{
	check_text("{\"x-a\":{\"b\":1},\"$schema\":5,\"attrs\":{\"x-\":null,\"$schema\":[]}}", "");
	check_text("{\"X-a\":1}", "f:1:2: /X-a: unknown key \"X-a\"" THOSE_KNOWN);
	check_text("{\"pools\":{\"x-a\":5}}", "f:1:11: /pools/x-a: expected a word of small "
					      "letters, found the key \"x-a\"\n"
					      "f:1:17: /pools/x-a: expected an object, found 5");
	check_text("{\"limits\":{\"x-a\":5}}",
			"f:1:12: /limits/x-a: unknown key \"x-a\"; those known here are "
			"\"CPUWeight\" and \"MemoryMax\"");
}

TEST(unknown_keys)
{
	static const struct row rows[] = {
		{ "{\"nmae\":1}", "f:1:2: /nmae: unknown key \"nmae\"; did you mean \"name\"?" },
		{ "{\"Attrs\":1}", "f:1:2: /Attrs: the key is written \"attrs\", not \"Attrs\"" },
		{ "{\"attrs\":{\"memroy\":{}}}", "f:1:11: /attrs/memroy: unknown key \"memroy\"; "
						 "did you mean \"memory\"?" },
		{ "{\"ports\":[{\"port\":1,\"to_port\":2}]}",
				"f:1:21: /ports/0/to_port: unknown key \"to_port\"; did you mean "
				"\"to-port\"?" },
		{ "{\"attrs\":{\"MEMO\":{}}}", "f:1:11: /attrs/MEMO: unknown key \"MEMO\"; did "
					       "you mean \"memory\"?" },
		{ "{\"attrs\":{\"MEM\":{}}}", "f:1:11: /attrs/MEM: unknown key \"MEM\"; did "
					      "you mean \"memory\": { \"ram\": ... }?" },
		{ "{\"memory.ram\":1}", "f:1:2: /memory.ram: unknown key \"memory.ram\"; did "
					"you mean \"attrs\": { \"memory\": { \"ram\": ... } }?" },
		{ "{\"ram\":1}", "f:1:2: /ram: unknown key \"ram\"; did you mean \"attrs\": { "
				 "\"memory\": { \"ram\": ... } }?" },
		{ "{\"display\":1}", "f:1:2: /display: unknown key \"display\"; did you mean "
				     "\"attrs\": { \"display\": ... }?" },
		{ "{\"attrs\":{\"tpm\":{\"zzzzzz\":1}}}", "f:1:18: /attrs/tpm/zzzzzz: unknown key "
							  "\"zzzzzz\"; those known here are "
							  "\"enabled\", \"data\" and \"socket\"" },
		{ "{\"attrs\":{\"tpm\":{\"socket\":{\"number\":1}}}}",
				"f:1:28: /attrs/tpm/socket/number: unknown key \"number\"; the "
				"only one "
				"here is \"path\"" },
		{ "{\"zzzzzzzzz\":1}", "f:1:2: /zzzzzzzzz: unknown key \"zzzzzzzzz\"" THOSE_KNOWN },
		{ "{\"\":1}", "f:1:2: /: unknown key \"\"" THOSE_KNOWN },
		{ "{\"a\\u001b\\\"b\":1}",
				"f:1:2: /a\\x1b\"b: unknown key \"a\\u001b\\\"b\"" THOSE_KNOWN },
		{ "{\"limits\":{\"memorymax\":1}}", "f:1:12: /limits/memorymax: the key is written "
						    "\"MemoryMax\", not \"memorymax\"" },
		{ "{\"limits\":{\"MemoryMx\":1}}", "f:1:12: /limits/MemoryMx: unknown key "
						   "\"MemoryMx\"; did you mean \"MemoryMax\"?" },
	};
	check_rows(rows, ARRAY_SIZE(rows));
}

TEST(names_that_were_meant)
{
	static const char *const names[] = { "fw", "disk", "Diskette" };
	static const struct {
		const char *wanted;
		size_t n;
		const char *hint;
	} rows[] = {
		{ "dsik", 3, "; did you mean 'disk'?" },
		{ "DISK", 3, "; did you mean 'disk'?" },
		{ "diskette", 3, "; did you mean 'Diskette'?" },
		{ "iso", 3, "; it has 'fw', 'disk' and 'Diskette'" },
		{ "ab", 1, "; it has 'fw'" },
		{ "", 2, "; it has 'fw' and 'disk'" },
		{ "iso", 0, "; it has none" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(buf_done) struct buf text = {};
		jnames_hint(&text, rows[i].wanted, names, rows[i].n);
		CHECK_STR(buf_text(&text), rows[i].hint);
	}

	/* The beginning of one name, of two, and of less than three letters. */
	static const char *const longer[] = { "memory", "machine", "machine-name" };
	CHECK_STR(jnames_nearest("mem", longer, ARRAY_SIZE(longer)), "memory");
	CHECK(!jnames_nearest("mac", longer, ARRAY_SIZE(longer)));
	CHECK(!jnames_nearest("me", longer, ARRAY_SIZE(longer)));

	const char *many[JNAMES_LISTED_MAX + 1];
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = "name";
	CLEANUP(buf_done) struct buf text = {};
	CHECK(!jnames_list(&text, '"', many, ARRAY_SIZE(many)));
	jnames_hint(&text, "other", many, ARRAY_SIZE(many));
	CHECK_STR(buf_text(&text), "");
}

/* Each row of a table, given each type of value. */
TEST(wrong_types)
{
	static const struct {
		const char *key, *expected;
		const char *takes; /* letters of the types that it takes */
	} rows[] = {
		{ "name", "text in double quotes", "s" },
		{ "tags", "a list of strings", "l" },
		{ "vars", "an object", "o" },
		{ "limits", "an object", "o" },
		{ "disks", "a list of objects", "l" },
		{ "pools", "an object", "o" },
		{ "places", "a list of whole numbers", "l" },
		{ "address", "text in double quotes, or a list of such", "sl" },
		{ "attrs", "an object", "o" },
		{ "note", "", "bidslo" },
	};
	static const struct {
		char letter;
		const char *text, *found;
	} values[] = {
		{ 'b', "true", "true" },
		{ 'i', "5", "5" },
		{ 'd', "1.50", "1.50" },
		{ 's', "\"t\"", "\"t\" (a string)" },
		{ 'l', "[]", "a list" },
		{ 'o', "{}", "an object" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(values); j++) {
			CLEANUP(buf_done) struct buf in = {}, out = {};
			buf_printf(&in, "{\"%s\":%s}", rows[i].key, values[j].text);
			if (!strchr(rows[i].takes, values[j].letter))
				buf_printf(&out, "f:1:%zu: /%s: expected %s, found %s",
						strlen(rows[i].key) + 5, rows[i].key,
						rows[i].expected, values[j].found);
			/* A number in place of a text lacks the quotes, and only these. */
			if (!strcmp(rows[i].takes, "s") && values[j].letter == 'i')
				buf_puts(&out, "; write \"5\"");
			check_text(in.text, buf_text(&out));
		}
	}
}

TEST(wrong_types_further_down)
{
	static const struct row rows[] = {
		{ "{\"attrs\":{\"memory\":{\"ram\":\"4096\"}}}",
				"f:1:27: /attrs/memory/ram: expected a whole number from 1 to "
				"1048576, "
				"found \"4096\" (a string); write 4096" },
		{ "{\"attrs\":{\"memory\":{\"ram\":\"0\"}}}",
				"f:1:27: /attrs/memory/ram: expected a whole number from 1 to "
				"1048576, found \"0\" (a string)" },
		{ "{\"attrs\":{\"memory\":{\"ram\":\"4G\"}}}",
				"f:1:27: /attrs/memory/ram: expected a whole number from 1 to "
				"1048576, found \"4G\" (a string)" },
		{ "{\"attrs\":{\"memory\":{\"shared\":\"yes\"}}}",
				"f:1:30: /attrs/memory/shared: expected true or false, found "
				"\"yes\" (a "
				"string)" },
		{ "{\"attrs\":{\"memory\":{\"shared\":0}}}",
				"f:1:30: /attrs/memory/shared: expected true or false, found 0" },
		{ "{\"attrs\":{\"kernel\":5}}",
				"f:1:20: /attrs/kernel: expected an object, or a path "
				"in double quotes, found 5" },
		{ "{\"attrs\":{\"weight\":[]}}", "f:1:20: /attrs/weight: expected text in double "
						 "quotes or a number, found a list" },
		{ "{\"tags\":[1,\"a\",null]}",
				"f:1:10: /tags/0: expected text in double quotes, found "
				"1; write \"1\"\n"
				"f:1:16: /tags/2: expected text in double quotes, found "
				"null" },
		{ "{\"disks\":[\"a\",null]}",
				"f:1:11: /disks/0: expected an object, found \"a\" (a "
				"string)\n"
				"f:1:15: /disks/1: expected an object, found null" },
		{ "{\"vars\":{\"a\":1}}",
				"f:1:14: /vars/a: expected text in double quotes, found 1; write "
				"\"1\"" },
		{ "{\"features\":{\"a\":{}}}",
				"f:1:18: /features/a: expected text in double quotes, a "
				"number, true or false, found an object" },
		{ "{\"pools\":{\"a\":[]}}", "f:1:15: /pools/a: expected an object, found a list" },
		{ "{\"places\":[1,\"2\",3.0]}", "f:1:14: /places/1: expected a whole number from 0 "
						"to 9, found \"2\" (a "
						"string); write 2\n"
						"f:1:18: /places/2: expected a whole number from 0 "
						"to 9, found 3.0" },
	};
	check_rows(rows, ARRAY_SIZE(rows));
}

TEST(numbers_at_and_past_their_limits)
{
	static const struct {
		const char *value;
		bool ram, size, pages; /* is it taken there? */
	} rows[] = {
		{ "1", true, true, true },
		{ "0", true, false, true },
		{ "-1", true, false, true },
		{ "-4", true, false, true },
		{ "-5", true, false, false },
		{ "-9223372036854775808", true, false, false },
		{ "1000", true, true, true },
		{ "1001", true, false, true },
		{ "1048576", true, false, true },
		{ "1048577", false, false, true },
		{ "9223372036854775807", false, false, true },
		{ "1.0", false, false, false },
		{ "1e3", false, false, false },
		{ "-0.0", false, false, false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(buf_done) struct buf in = {}, out = {};
		const char *value = rows[i].value;
		buf_printf(&in,
				"{\"attrs\":{\"memory\":{\n\"ram\":%s,\n\"pages\":%s}},\"disks\":[{"
				"\"name\":\"a\",\n\"size\":%s}]}",
				value, value, value);
		if (!rows[i].ram)
			buf_printf(&out,
					"f:2:7: /attrs/memory/ram: expected a whole number from 1 "
					"to "
					"1048576, found %s\n",
					value);
		if (!rows[i].pages)
			buf_printf(&out,
					"f:3:9: /attrs/memory/pages: expected a whole number of at "
					"least -4, found %s\n",
					value);
		if (!rows[i].size)
			buf_printf(&out,
					"f:4:8: /disks/0/size: expected a whole number from 1 to "
					"1000, found %s\n",
					value);
		if (out.len)
			buf_truncate(&out, out.len - 1);
		check_text(in.text, buf_text(&out));
	}
}

TEST(limits_may_be_open_at_either_end)
{
	struct numbers {
		int64_t low, any;
	};
	static const struct field fields[] = {
		FIELD_INT(struct numbers, low, "low", INT64_MIN, 5, 0, NULL, "Low."),
		FIELD_INT(struct numbers, any, "any", INT64_MIN, INT64_MAX, 0, NULL, "Any."),
		{},
	};
	static const char text[] = "{\"low\":6,\"any\":1.5}";
	CLEANUP(report_done) struct report r = {};
	CLEANUP(jdoc_done) struct jdoc doc = {};
	CHECK_INT(jdoc_parse("f", text, strlen(text), &doc, &r), 0);
	jcheck(fields, &doc, doc.root, "", &r);
	CHECK_INT(r.n, 2);
	CHECK_STR(r.items[0].text, "expected a whole number of at most 5, found 6");
	CHECK_STR(r.items[1].text, "expected a whole number, found 1.5");
}

TEST(enums_list_their_values)
{
	static const struct row rows[] = {
		{ "{\"attrs\":{\"display\":\"vga\"}}", "f:1:21: /attrs/display: expected \"none\", "
						       "\"virtio\" or \"qxl\", found \"vga\"" },
		{ "{\"attrs\":{\"display\":\"\"}}", "f:1:21: /attrs/display: expected \"none\", "
						    "\"virtio\" or \"qxl\", found \"\"" },
		{ "{\"attrs\":{\"display\":\"QXL\"}}", "f:1:21: /attrs/display: expected \"none\", "
						       "\"virtio\" or \"qxl\", found \"QXL\"" },
		{ "{\"attrs\":{\"display\":false}}", "f:1:21: /attrs/display: expected \"none\", "
						     "\"virtio\" or \"qxl\", found false" },
		{ "{\"disks\":[{\"name\":\"a\",\"size\":1,\"cache\":{}}]}",
				"f:1:40: /disks/0/cache: expected \"writeback\" or \"none\", found "
				"an "
				"object" },
	};
	check_rows(rows, ARRAY_SIZE(rows));
}

TEST(forms_are_checked_wherever_text_stands)
{
	static const struct row rows[] = {
		{ "{\"mac\":\"\"}", "" },
		{ "{\"mac\":\"52-54\"}", "f:1:8: /mac: expected a MAC address such as "
					 "\"52:54:00:12:34:56\", found \"52-54\"" },
		{ "{\"mac\":\"\\u001b[2J\\n\"}", "f:1:8: /mac: expected a MAC address such as "
						 "\"52:54:00:12:34:56\", found \"\\u001b[2J\\n\"" },
		{ "{\"address\":\"A\"}",
				"f:1:12: /address: expected a word of small letters, found "
				"\"A\"" },
		{ "{\"address\":[\"a\",\"\"]}",
				"f:1:17: /address/1: expected a word of small letters, "
				"found \"\"" },
		{ "{\"attrs\":{\"kernel\":\"k\"}}",
				"f:1:20: /attrs/kernel: expected an absolute path, "
				"found \"k\"" },
		{ "{\"attrs\":{\"kernel\":{\"path\":\"k\"}}}",
				"f:1:28: /attrs/kernel/path: expected "
				"an absolute path, found \"k\"" },
		{ "{\"vars\":{\"A b\":\"\"}}",
				"f:1:10: /vars/A b: expected a word of small letters, "
				"found the key \"A b\"" },
	};
	check_rows(rows, ARRAY_SIZE(rows));
}

TEST(long_values_are_cut)
{
	CLEANUP(buf_done) struct buf in = {};
	buf_puts(&in, "{\"mac\":\"");
	for (int i = 0; i < 500; i++)
		buf_putc(&in, 'x');
	buf_puts(&in, "\"}");
	check_text(in.text,
			"f:1:8: /mac: expected a MAC address such as \"52:54:00:12:34:56\", found "
			"\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"...");
}

TEST(required_keys)
{
	static const struct row rows[] = {
		{ "{\"disks\":[\n{}]}", "f:2:1: /disks/0: the key \"name\" is missing\n"
					"f:2:1: /disks/0: the key \"size\" is missing" },
		{ "{\"disks\":[{\"name\":\"\",\"size\":null}]}",
				"f:1:11: /disks/0: the key \"size\" is "
				"missing\n"
				"f:1:19: /disks/0/name: this must not "
				"be empty" },
		{ "{\"disks\":[{\"name\":\"a\",\"remove\":true}]}", "" },
		{ "{\"disks\":[{\"name\":\"a\",\"remove\":false}]}",
				"f:1:11: /disks/0: the key \"size\" "
				"is missing" },
		{ "{\"disks\":[{\"remove\":true}]}",
				"f:1:11: /disks/0: the key \"name\" is missing" },
		{ "{\"pools\":{\"a\":{}}}", "f:1:15: /pools/a: the key \"path\" is missing" },
	};
	check_rows(rows, ARRAY_SIZE(rows));
}

TEST(one_name_twice_in_one_list)
{
	static const struct row rows[] = {
		{ "{\"disks\":[{\"name\":\"a\",\"size\":1},\n {\"name\":\"b\",\"size\":1},\n "
		  "{\"size\":2, \"name\":\"a\"},\n {\"name\":\"a\",\"remove\":true}]}",
				"f:3:20: /disks/2/name: the name \"a\" is given twice in this "
				"list; first "
				"at 1:19\n"
				"f:4:10: /disks/3/name: the name \"a\" is given twice in this "
				"list; first "
				"at 1:19" },
		{ "{\"disks\":[{\"name\":\"\",\"size\":1},\n{\"size\":1},\n{\"name\":null,\"size\":"
		  "1}]}",
				"f:1:19: /disks/0/name: this must not be empty\n"
				"f:2:1: /disks/1: the key \"name\" is missing\n"
				"f:3:1: /disks/2: the key \"name\" is missing" },
		{ "{\"ports\":[{\"port\":1},{\"port\":1}]}", "" },
	};
	check_rows(rows, ARRAY_SIZE(rows));
}

TEST(big_lists_are_checked_in_less_than_quadratic_time)
{
	CLEANUP(buf_done) struct buf in = {};
	buf_puts(&in, "{\"disks\":[");
	for (int i = 0; i < 100000; i++)
		buf_printf(&in, "{\"name\":\"disk%d\",\"size\":1},\n", i);
	buf_puts(&in, "{\"name\":\"disk0\",\"size\":1}]}");
	check_text(in.text,
			"f:100001:9: /disks/100000/name: the name \"disk0\" is given twice in this "
			"list; first at 1:19");
}

TEST(many_repeats_are_told_in_less_than_quadratic_time)
{
	CLEANUP(buf_done) struct buf in = {};
	buf_puts(&in, "{\"disks\":[");
	for (int i = 0; i < 10000; i++)
		buf_printf(&in, "%s{\"name\":\"disk\",\"size\":1}", i ? ",\n" : "");
	buf_puts(&in, "]}");
	CLEANUP(report_done) struct report r = {};
	CLEANUP(jdoc_done) struct jdoc doc = {};
	CHECK_INT(jdoc_parse("f", in.text, in.len, &doc, &r), 0);
	jcheck(demo_fields, &doc, doc.root, "", &r);
	CHECK_INT(r.n, JDOC_FINDINGS_MAX + 1);
}

TEST(everything_wrong_is_found_in_one_go)
{
	check_text("{\"attrs\":{\"memory\":{\"ram\":\"x\"},\"z\":1},\n\"disks\":[{\"name\":1,"
		   "\"size\":"
		   "0}],\n\"mac\":\"z\"}",
			"f:1:27: /attrs/memory/ram: expected a whole number from 1 to 1048576, "
			"found "
			"\"x\" (a string)\n"
			"f:1:32: /attrs/z: unknown key \"z\"; those known here are \"memory\", "
			"\"tpm\", "
			"\"display\", \"kernel\" and \"weight\"\n"
			"f:2:18: /disks/0/name: expected text in double quotes, found 1; write "
			"\"1\"\n"
			"f:2:27: /disks/0/size: expected a whole number from 1 to 1000, found 0\n"
			"f:3:7: /mac: expected a MAC address such as \"52:54:00:12:34:56\", found "
			"\"z\"");
}

TEST(findings_have_a_limit)
{
	CLEANUP(buf_done) struct buf in = {};
	buf_putc(&in, '{');
	for (int i = 0; i < 1000; i++)
		buf_printf(&in, "%s\"zzzzzzzzzz%d\":1", i ? ",\n" : "", i);
	buf_putc(&in, '}');
	CLEANUP(report_done) struct report r = {};
	CLEANUP(jdoc_done) struct jdoc doc = {};
	CHECK_INT(jdoc_parse("f", in.text, in.len, &doc, &r), 0);
	jcheck(demo_fields, &doc, doc.root, "", &r);
	CHECK_INT(r.n, JDOC_FINDINGS_MAX + 1);
	CHECK_STR(r.items[JDOC_FINDINGS_MAX].text,
			"checking stops here: 200 mistakes were found in this file");
}

static unsigned n_looked_at;

static bool never(const char *text, const char **ret_expected)
{
	(void)text;
	n_looked_at++;
	*ret_expected = "another text";
	return false;
}

/* What is meant by a key that is not known takes longer to find than the key takes to read. */
TEST(behind_the_limit_nothing_is_looked_at)
{
	struct item {
		const char *text;
	};
	struct lists {
		struct jlist list, map;
	};
	static const struct field item_fields[] = {
		FIELD_STRING(struct item, text, "text", never, 0, NULL, "Text."),
		{},
	};
	static const struct field fields[] = {
		FIELD_LIST(struct lists, list, struct item, "list", MERGE_FIRST, item_fields,
				"List."),
		FIELD_MAP(struct lists, map, struct item, text, "map", item_fields, never, "Map."),
		{},
	};
	for (int is_map = 0; is_map < 2; is_map++) {
		CLEANUP(buf_done) struct buf in = {};
		buf_puts(&in, is_map ? "{\"map\":{" : "{\"list\":[");
		for (int i = 0; i < 1000; i++) {
			buf_puts(&in, i ? "," : "");
			if (is_map)
				buf_printf(&in, "\"%d\":{}", i);
			else
				buf_puts(&in, "{\"text\":\"\"}");
		}
		buf_puts(&in, is_map ? "}}" : "]}");
		CLEANUP(report_done) struct report r = {};
		CLEANUP(jdoc_done) struct jdoc doc = {};
		CHECK_INT(jdoc_parse("f", in.text, in.len, &doc, &r), 0);
		n_looked_at = 0;
		jcheck(fields, &doc, doc.root, "", &r);
		CHECK_INT(r.n, JDOC_FINDINGS_MAX + 1);
		CHECK_INT(n_looked_at, JDOC_FINDINGS_MAX + 1);
	}
}

TEST(a_part_of_a_document_is_checked_at_its_pointer)
{
	static const char text[] = "{\"tag\":{\"a/b\":{\"nam\":1},\"c\":[],\"d\":null}}";
	CLEANUP(report_done) struct report r = {};
	CLEANUP(jdoc_done) struct jdoc doc = {};
	CHECK_INT(jdoc_parse("f", text, strlen(text), &doc, &r), 0);
	static const char *const pointers[] = { "/tag/a~1b", "/tag/c", "/tag/d" };
	for (size_t i = 0; i < ARRAY_SIZE(pointers); i++)
		jcheck(demo_fields, &doc, jpointer_get(doc.root, pointers[i]), pointers[i], &r);
	CHECK_INT(r.n, 2);
	CHECK_STR(r.items[0].pointer, "/tag/a~1b/nam");
	CHECK_INT(r.items[0].column, 16);
	CHECK_STR(r.items[1].text, "expected an object, found a list");
}

TEST_MAIN()
