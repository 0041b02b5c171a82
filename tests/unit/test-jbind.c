/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Objects to structs. */
#include "json-demo.h"
#include "json/jtree.h"
#include "test.h"

static void bind(const char *text, struct jdoc *doc, struct demo *ret, struct arena *arena)
{
	CLEANUP(report_done) struct report r = {};
	CHECK_INT(jdoc_parse("f", text, strlen(text), doc, &r), 0);
	jcheck(demo_fields, doc, doc->root, "", &r);
	for (size_t i = 0; i < r.n; i++)
		TEST_FAIL("%s: %s", r.items[i].pointer, r.items[i].text);
	/* What was there before must not shine through. */
	memset(ret, 0xa5, sizeof(*ret));
	jbind(demo_fields, r.n ? NULL : doc->root, ret, arena);
}

static const char example[] =
		"{\"name\":\"web\",\"tags\":[\"a\",\"b\"],\"vars\":{\"x\":\"1\",\"y\":null,\"z\":"
		"\"\"},"
		"\"limits\":{\"CPUWeight\":5,\"MemoryMax\":\"1G\"},"
		"\"features\":{\"a\":true,\"b\":1.50,\"c\":\"x\",\"d\":false,\"e\":-7},"
		"\"attrs\":{\"memory\":{\"ram\":4096,\"shared\":false,\"pages\":-4},\"display\":"
		"\"qxl\","
		"\"kernel\":\"/"
		"k\",\"weight\":5,\"tpm\":{\"enabled\":true,\"data\":{\"name\":\"d\"},"
		"\"socket\":{\"path\":\"s\"}}},"
		"\"disks\":[{\"name\":\"a\",\"size\":1,\"cache\":\"none\"},"
		"{\"name\":\"b\",\"size\":1000,\"bootable\":true}],"
		"\"pools\":{\"p\":{\"path\":\"/"
		"p\",\"readonly\":true,\"classes\":{\"c\":{\"places\":"
		"[3,-1]}}},\"q\":null,\"r\":{\"path\":\"/r\"}},"
		"\"sockets\":[],\"address\":\"a\",\"places\":[0,9],\"note\":5,"
		"\"definitions\":{\"a\":{\"path\":\"/\"}}, \"x-note\": 1}";

TEST(nothing_gives_all_defaults)
{
	static const char *const texts[] = { "{}",
		"{\"name\":null,\"attrs\":{\"memory\":{},\"tpm\":{\"data\":null}}}" };
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		CLEANUP(arena_done) struct arena arena = {};
		CLEANUP(jdoc_done) struct jdoc doc = {};
		struct demo d;
		bind(texts[i], &doc, &d, &arena);
		CHECK(!d.name && !d.mac && !d.attrs.weight && !d.attrs.tpm.socket_path);
		CHECK_INT(d.tags.n + d.vars.n + d.limits.n + d.disks.n + d.pools.n + d.places.n, 0);
		CHECK_INT(d.attrs.memory.ram, 0);
		CHECK(d.attrs.memory.shared);
		CHECK(!d.attrs.tpm.enabled);
		CHECK(d.attrs.tpm.data.bootable);
		CHECK_INT(d.attrs.display, -1);
	}
	CLEANUP(arena_done) struct arena arena = {};
	struct demo d;
	memset(&d, 0xa5, sizeof(d));
	jbind(demo_fields, NULL, &d, &arena);
	CHECK(!d.name);
	CHECK_INT(d.attrs.display, -1);
}

TEST(every_kind_is_bound)
{
	CLEANUP(arena_done) struct arena arena = {};
	CLEANUP(jdoc_done) struct jdoc doc = {};
	struct demo d;
	bind(example, &doc, &d, &arena);
	CHECK_STR(d.name, "web");
	CHECK_INT(d.tags.n, 2);
	CHECK_STR(d.tags.items[1], "b");
	CHECK_INT(d.attrs.memory.ram, 4096);
	CHECK(!d.attrs.memory.shared);
	CHECK_INT(d.attrs.memory.pages, -4);
	CHECK_INT(d.attrs.display, 2);
	CHECK_STR(d.attrs.kernel.path, "/k");
	CHECK(!d.attrs.kernel.name && d.attrs.kernel.bootable);
	CHECK_STR(d.attrs.weight, "5");
	CHECK(d.attrs.tpm.enabled);
	CHECK_STR(d.attrs.tpm.data.name, "d");
	CHECK_STR(d.attrs.tpm.socket_path, "s");
	CHECK_INT(d.sockets.n, 0);
	CHECK_INT(d.address.n, 1);
	CHECK_STR(d.address.items[0], "a");
	CHECK_INT(d.places.n, 2);
	CHECK_INT(d.places.items[1], 9);
}

TEST(terms_switches_and_maps_of_lists_are_bound)
{
	CLEANUP(arena_done) struct arena arena = {};
	CLEANUP(jdoc_done) struct jdoc doc = {};
	struct demo d;
	bind("{\"filter\":{\"protocol\":6,\"port\":[80,\"443\"],\"strict\":\"lax\",\"guard\":{"
	     "\"mac\":false},\"sets\":{\"b\":[\"1\",\"2\"],\"n\":null,\"a\":[]},\"groups\":[],"
	     "\"rules\":[{\"port\":1}]}}",
			&doc, &d, &arena);
	CHECK_STR(d.filter.protocol, "6");
	CHECK_INT(d.filter.port.n, 2);
	CHECK_STR(d.filter.port.items[0], "80");
	CHECK_STR(d.filter.port.items[1], "443");
	CHECK_INT(d.filter.strict, 3);
	CHECK_INT(d.filter.guard.mac, 0);
	CHECK_INT(d.filter.sets.n, 2);
	const struct jnamed *sets = d.filter.sets.items;
	CHECK_STR(sets[0].key, "b");
	CHECK_INT(sets[0].values.n, 2);
	CHECK_STR(sets[0].values.items[1], "2");
	CHECK_STR(sets[1].key, "a");
	CHECK_INT(sets[1].values.n, 0);
	CHECK_INT(d.filter.rules.n, 1);
	/* [] and absence can be told apart. */
	CHECK(d.filter.groups.items && !d.tags.items);
}

TEST(a_switched_object_is_on_when_it_is_written)
{
	static const struct {
		const char *text;
		int enabled, mac;
	} rows[] = {
		{ "{}", -1, -1 },
		{ "{\"filter\":{}}", -1, -1 },
		{ "{\"filter\":{\"guard\":null}}", -1, -1 },
		{ "{\"filter\":{\"guard\":true}}", 1, -1 },
		{ "{\"filter\":{\"guard\":false}}", 0, -1 },
		{ "{\"filter\":{\"guard\":{}}}", 1, -1 },
		{ "{\"filter\":{\"guard\":{\"mac\":true}}}", 1, 1 },
		{ "{\"filter\":{\"guard\":{\"enabled\":false,\"mac\":true}}}", 0, 1 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(arena_done) struct arena arena = {};
		CLEANUP(jdoc_done) struct jdoc doc = {};
		struct demo d;
		bind(rows[i].text, &doc, &d, &arena);
		if (d.filter.guard.enabled != rows[i].enabled || d.filter.guard.mac != rows[i].mac)
			TEST_FAIL("%s: got %d and %d", rows[i].text, d.filter.guard.enabled,
					d.filter.guard.mac);
	}
}

TEST(lists_and_maps_keep_their_order)
{
	CLEANUP(arena_done) struct arena arena = {};
	CLEANUP(jdoc_done) struct jdoc doc = {};
	struct demo d;
	bind(example, &doc, &d, &arena);
	const struct demo_disk *disks = d.disks.items;
	CHECK_INT(d.disks.n, 2);
	CHECK_STR(disks[0].name, "a");
	CHECK_INT(disks[0].cache, 1);
	CHECK(!disks[0].bootable && !disks[0].remove && !disks[0].path);
	CHECK_STR(disks[1].name, "b");
	CHECK_INT(disks[1].size, 1000);
	CHECK_INT(disks[1].cache, -1);
	CHECK(disks[1].bootable);

	const struct demo_pool *pools = d.pools.items;
	CHECK_INT(d.pools.n, 2);
	CHECK_STR(pools[0].name, "p");
	CHECK(pools[0].readonly);
	CHECK_STR(pools[1].name, "r");
	CHECK_STR(pools[1].path, "/r");
	const struct demo_class *classes = pools[0].classes.items;
	CHECK_INT(pools[0].classes.n, 1);
	CHECK_STR(classes[0].name, "c");
	CHECK_INT(classes[0].places.items[1], -1);
	CHECK_INT(pools[1].classes.n, 0);
}

TEST(pairs_are_text_as_it_was_written)
{
	static const char *const expected[][2] = { { "a", "true" }, { "b", "1.50" }, { "c", "x" },
		{ "d", "false" }, { "e", "-7" } };
	CLEANUP(arena_done) struct arena arena = {};
	CLEANUP(jdoc_done) struct jdoc doc = {};
	struct demo d;
	bind(example, &doc, &d, &arena);
	CHECK_INT(d.features.n, ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		CHECK_STR(d.features.items[i].key, expected[i][0]);
		CHECK_STR(d.features.items[i].value, expected[i][1]);
	}
	CHECK_INT(d.vars.n, 2);
	CHECK_STR(d.vars.items[1].key, "z");
	CHECK_STR(d.vars.items[1].value, "");
	CHECK_STR(d.limits.items[0].value, "5");
}

TEST(positive_integers_are_never_negative)
{
	static const struct {
		const char *text;
		int64_t expected;
	} rows[] = {
		{ "{\"attrs\":{\"memory\":{\"ram\":-9223372036854775808}}}", 0 },
		{ "{\"attrs\":{\"memory\":{\"ram\":-1}}}", 0 },
		{ "{\"attrs\":{\"memory\":{\"ram\":0}}}", 0 },
		{ "{\"attrs\":{\"memory\":{\"ram\":1}}}", 1 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(arena_done) struct arena arena = {};
		CLEANUP(jdoc_done) struct jdoc doc = {};
		struct demo d;
		bind(rows[i].text, &doc, &d, &arena);
		CHECK_INT(d.attrs.memory.ram, rows[i].expected);
	}
}

TEST(binding_twice_is_equal)
{
	CLEANUP(arena_done) struct arena first = {}, second = {};
	CLEANUP(jdoc_done) struct jdoc doc = {};
	struct demo a, b;
	bind(example, &doc, &a, &first);
	memset(&b, 0xa5, sizeof(b));
	jbind(demo_fields, doc.root, &b, &second);
	/* Strings are borrowed, so that even the pointers are the same; lists are not. */
	CHECK(a.name == b.name && a.attrs.weight == b.attrs.weight);
	CHECK_INT(a.attrs.memory.ram, b.attrs.memory.ram);
	CHECK(a.attrs.memory.shared == b.attrs.memory.shared);
	CHECK_INT(a.disks.n, b.disks.n);
	CHECK(!memcmp(a.disks.items, b.disks.items, a.disks.n * sizeof(struct demo_disk)));
	CHECK_INT(a.features.n, b.features.n);
	for (size_t i = 0; i < a.features.n; i++)
		CHECK_STR(a.features.items[i].value, b.features.items[i].value);
	CHECK(!memcmp(a.places.items, b.places.items, a.places.n * sizeof(int64_t)));
}

TEST(rows_are_found_by_their_exact_name)
{
	CHECK(field_find(demo_fields, "name") == &demo_fields[0]);
	CHECK(!field_find(demo_fields, "Name"));
	CHECK(!field_find(demo_fields, "nam"));
	CHECK(!field_find(demo_fields, ""));
}

TEST_MAIN()
