/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The JSON Schema of a field table, and that it never refuses what the checker takes. */
#include "json/jschema.h"

#include <json-c/linkhash.h>

#include "json-demo.h"
#include "json/jlocate.h"
#include "json/jtree.h"
#include "test.h"

static struct json_object *get(struct json_object *object, const char *key)
{
	struct json_object *value;
	return json_object_object_get_ex(object, key, &value) ? value : NULL;
}

static const char *plain(struct json_object *value)
{
	return json_object_to_json_string_ext(
			value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

static bool valid(struct json_object *schema, struct json_object *value);

static bool type_is(struct json_object *value, const char *type)
{
	static const char *const names[] = { [json_type_null] = "null",
		[json_type_boolean] = "boolean",
		[json_type_double] = "number",
		[json_type_int] = "integer",
		[json_type_object] = "object",
		[json_type_array] = "array",
		[json_type_string] = "string" };
	enum json_type actual = json_object_get_type(value);
	return !strcmp(names[actual], type) || (actual == json_type_int && !strcmp(type, "number"));
}

static bool one_type_is(struct json_object *value, struct json_object *types)
{
	if (json_object_is_type(types, json_type_string))
		return type_is(value, json_object_get_string(types));
	for (size_t i = 0; i < json_object_array_length(types); i++)
		if (type_is(value, json_object_get_string(json_object_array_get_idx(types, i))))
			return true;
	return false;
}

static bool is_among(struct json_object *value, struct json_object *list)
{
	for (size_t i = 0; i < json_object_array_length(list); i++)
		if (json_object_equal(value, json_object_array_get_idx(list, i)))
			return true;
	return false;
}

static bool members_valid(struct json_object *schema, struct json_object *object)
{
	struct json_object *required = get(schema, "required"), *named = get(schema, "properties"),
			   *rest = get(schema, "additionalProperties"), *member;
	for (size_t i = 0; required && i < json_object_array_length(required); i++)
		if (!json_object_object_get_ex(object,
				    json_object_get_string(json_object_array_get_idx(required, i)),
				    NULL))
			return false;
	json_object_object_foreach(object, key, value)
	{
		bool is_note = get(schema, "patternProperties") && !strncmp(key, "x-", 2);
		if (json_object_object_get_ex(named, key, &member)
						? !valid(member, value)
						: !is_note && rest && !valid(rest, value))
			return false;
	}
	return true;
}

static bool entries_valid(struct json_object *schema, struct json_object *list)
{
	struct json_object *items = get(schema, "items");
	for (size_t i = 0; items && i < json_object_array_length(list); i++)
		if (!valid(items, json_object_array_get_idx(list, i)))
			return false;
	return true;
}

/* As much of a validator as these schemas need. */
static bool valid(struct json_object *schema, struct json_object *value)
{
	struct json_object *rule;
	int64_t number = json_object_get_int64(value);
	bool is_number = json_object_is_type(value, json_type_int);
	if (json_object_is_type(schema, json_type_boolean))
		return json_object_get_boolean(schema);
	if ((rule = get(schema, "type")) && !one_type_is(value, rule))
		return false;
	if ((rule = get(schema, "enum")) && !is_among(value, rule))
		return false;
	if ((rule = get(schema, "const")) && !json_object_equal(value, rule))
		return false;
	if ((rule = get(schema, "minimum")) && is_number && number < json_object_get_int64(rule))
		return false;
	if ((rule = get(schema, "maximum")) && is_number && number > json_object_get_int64(rule))
		return false;
	if (get(schema, "minLength") && json_object_is_type(value, json_type_string) &&
			!json_object_get_string_len(value))
		return false;
	if ((rule = get(schema, "anyOf")) && !valid(json_object_array_get_idx(rule, 0), value) &&
			!valid(json_object_array_get_idx(rule, 1), value))
		return false;
	if ((rule = get(schema, "if")) && !valid(rule, value) && !valid(get(schema, "else"), value))
		return false;
	if (json_object_is_type(value, json_type_object))
		return members_valid(schema, value);
	if (json_object_is_type(value, json_type_array))
		return entries_valid(schema, value);
	return true;
}

static struct json_object *schema;

__attribute__((constructor)) static void make(void)
{
	schema = jschema(demo_fields, "demo", "A format.");
}

__attribute__((destructor)) static void drop(void)
{
	json_object_put(schema);
}

TEST(the_schema_names_itself)
{
	CHECK_STR(plain(get(schema, "$schema")),
			"\"https://json-schema.org/draft/2020-12/schema\"");
	CHECK_STR(plain(get(schema, "title")), "\"demo\"");
	CHECK_STR(plain(get(schema, "description")), "\"A format.\"");
	CHECK_STR(plain(get(schema, "type")), "\"object\"");
}

TEST(each_kind_has_its_schema)
{
	static const struct {
		const char *pointer, *expected;
	} rows[] = {
		{ "/name", "{\"type\":[\"string\",\"null\"],\"description\":\"Name.\"}" },
		{ "/mac", "{\"type\":[\"string\",\"null\"],\"description\":\"MAC. Default: "
			  "derived.\"}" },
		{ "/tags", "{\"type\":[\"array\",\"null\"],\"items\":{\"type\":\"string\"},"
			   "\"description\":\"Tags.\"}" },
		{ "/vars", "{\"type\":[\"object\",\"null\"],\"additionalProperties\":{\"type\":["
			   "\"string\",\"null\"]},\"description\":\"Variables.\"}" },
		{ "/limits/properties/MemoryMax",
				"{\"type\":[\"string\",\"boolean\",\"number\",\"null\"]}" },
		{ "/limits/additionalProperties", "false" },
		{ "/features/additionalProperties",
				"{\"type\":[\"string\",\"boolean\",\"number\",\"null\"]}" },
		{ "/address", "{\"anyOf\":[{\"type\":[\"string\",\"null\"]},{\"type\":\"array\","
			      "\"items\":{\"type\":\"string\"}}],\"description\":\"Addresses.\"}" },
		{ "/places", "{\"type\":[\"array\",\"null\"],\"items\":{\"type\":\"integer\","
			     "\"minimum\":"
			     "0,\"maximum\":9},\"description\":\"Places.\"}" },
		{ "/note", "{\"description\":\"Anything.\"}" },
		{ "/attrs/properties/display",
				"{\"enum\":[\"none\",\"virtio\",\"qxl\",null],\"description\":"
				"\"Display.\"}" },
		{ "/attrs/properties/weight", "{\"type\":[\"string\",\"number\",\"null\"],"
					      "\"description\":\"Weight.\"}" },
		{ "/attrs/properties/memory/properties/ram", "{\"type\":[\"integer\",\"null\"],"
							     "\"maximum\":1048576,\"description\":"
							     "\"MiB.\"}" },
		{ "/attrs/properties/memory/properties/pages",
				"{\"type\":[\"integer\",\"null\"],\"minimum\":-4,\"description\":"
				"\"Pages.\"}" },
		{ "/attrs/properties/memory/properties/shared",
				"{\"type\":[\"boolean\",\"null\"],\"description\":\"Share it.\","
				"\"default\":true}" },
		{ "/attrs/properties/kernel/anyOf/0", "{\"type\":[\"string\",\"null\"]}" },
		{ "/filter/properties/protocol",
				"{\"type\":[\"string\",\"number\",\"null\"],\"description\":"
				"\"Protocol. Default: any.\"}" },
		{ "/filter/properties/port/anyOf",
				"[{\"type\":[\"string\",\"number\",\"null\"]},{\"type\":\"array\","
				"\"items\":{\"type\":[\"string\",\"number\"]}}]" },
		{ "/filter/properties/strict/enum", "[false,true,\"strict\",\"lax\",null]" },
		{ "/filter/properties/guard/anyOf/0", "{\"type\":[\"boolean\",\"null\"]}" },
		{ "/filter/properties/sets/additionalProperties",
				"{\"type\":[\"array\",\"null\"],\"items\":{\"type\":\"string\"}}" },
		{ "/disks/items/required", "[\"name\"]" },
		{ "/disks/items/if", "{\"properties\":{\"remove\":{\"const\":true}},\"required\":["
				     "\"remove\"]}" },
		{ "/disks/items/else", "{\"required\":[\"size\"]}" },
		{ "/disks/items/properties/name",
				"{\"type\":\"string\",\"minLength\":1,\"description\":\"Name.\"}" },
		{ "/ports/items/required", "[\"port\"]" },
		{ "/ports/items/additionalProperties", "false" },
		{ "/ports/items/patternProperties", "{\"^x-\":true}" },
		{ "/pools/additionalProperties/type", "[\"object\",\"null\"]" },
		{ "/pools/additionalProperties/required", "[\"path\"]" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		CHECK_STR(plain(jpointer_get(get(schema, "properties"), rows[i].pointer)),
				rows[i].expected);
}

/* Documents, each with what the checker and the schema make of it. */
TEST(the_schema_never_refuses_what_the_checker_takes)
{
	static const struct {
		const char *text;
		bool checked, valid;
	} rows[] = {
		{ "{}", true, true },
		{ "{\"$schema\":\"x\",\"x-a\":[],\"name\":null}", true, true },
		{ "{\"attrs\":{\"memory\":{\"ram\":-5,\"pages\":-4},\"display\":null}}", true,
				true },
		{ "{\"attrs\":{\"kernel\":\"/k\"}}", true, true },
		{ "{\"attrs\":{\"kernel\":null}}", true, true },
		{ "{\"attrs\":{\"kernel\":{\"path\":\"/k\"}}}", true, true },
		{ "{\"address\":\"a\",\"limits\":{\"CPUWeight\":1},\"note\":5}", true, true },
		{ "{\"address\":[\"a\"],\"limits\":{\"CPUWeight\":null}}", true, true },
		{ "{\"disks\":[{\"name\":\"a\",\"size\":1}]}", true, true },
		{ "{\"disks\":[{\"name\":\"a\",\"remove\":true}]}", true, true },
		{ "{\"disks\":[{\"name\":\"a\",\"remove\":true,\"size\":null}]}", true, true },
		{ "{\"pools\":{\"a\":{\"path\":\"/\"},\"b\":null}}", true, true },
		{ "{\"filter\":{\"protocol\":6,\"port\":[1,\"2\"],\"strict\":\"lax\",\"guard\":{},"
		  "\"sets\":{\"a\":[\"1\"],\"b\":null},\"groups\":[\"a\"],\"rules\":[]}}",
				true, true },
		{ "{\"filter\":{\"port\":1,\"strict\":false,\"guard\":true}}", true, true },
		/* Beyond a schema. */
		{ "{\"filter\":{\"port\":[1.5]}}", false, true },
		{ "{\"mac\":\"x\"}", false, true },
		{ "{\"vars\":{\"A\":\"x\"}}", false, true },
		{ "{\"disks\":[{\"name\":\"a\",\"size\":1},{\"name\":\"a\",\"size\":1}]}", false,
				true },
		/* Wrong for both. */
		{ "{\"nmae\":\"x\"}", false, false },
		{ "{\"name\":5}", false, false },
		{ "{\"tags\":[null]}", false, false },
		{ "{\"attrs\":{\"memory\":{\"ram\":1048577}}}", false, false },
		{ "{\"attrs\":{\"memory\":{\"pages\":-5}}}", false, false },
		{ "{\"attrs\":{\"memory\":{\"ram\":1.5}}}", false, false },
		{ "{\"attrs\":{\"display\":\"vga\"}}", false, false },
		{ "{\"attrs\":{\"kernel\":5}}", false, false },
		{ "{\"address\":5}", false, false },
		{ "{\"filter\":{\"protocol\":true}}", false, false },
		{ "{\"filter\":{\"port\":{}}}", false, false },
		{ "{\"filter\":{\"strict\":\"true\"}}", false, false },
		{ "{\"filter\":{\"guard\":1}}", false, false },
		{ "{\"filter\":{\"sets\":{\"a\":\"1\"}}}", false, false },
		{ "{\"limits\":{\"Nice\":1}}", false, false },
		{ "{\"limits\":{\"CPUWeight\":[]}}", false, false },
		{ "{\"disks\":[{\"size\":1}]}", false, false },
		{ "{\"disks\":[{\"name\":\"\",\"size\":1}]}", false, false },
		{ "{\"disks\":[{\"name\":\"a\"}]}", false, false },
		{ "{\"disks\":[{\"name\":\"a\",\"remove\":false}]}", false, false },
		{ "{\"disks\":[{\"remove\":true}]}", false, false },
		{ "{\"disks\":[null]}", false, false },
		{ "{\"places\":[10]}", false, false },
		{ "{\"pools\":{\"a\":{}}}", false, false },
		{ "{\"pools\":{\"a\":{\"path\":null}}}", false, false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(report_done) struct report r = {};
		CLEANUP(jdoc_done) struct jdoc doc = {};
		CHECK_INT(jdoc_parse("f", rows[i].text, strlen(rows[i].text), &doc, &r), 0);
		/* The checker changes it. */
		bool is_valid = valid(schema, doc.root);
		jcheck(demo_fields, &doc, doc.root, "", &r);
		if ((r.n == 0) != rows[i].checked)
			TEST_FAIL("the checker on %s: %zu findings", rows[i].text, r.n);
		if (is_valid != rows[i].valid)
			TEST_FAIL("the schema on %s: should be %s", rows[i].text,
					rows[i].valid ? "valid" : "refused");
	}
}

TEST_MAIN()
