/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A JSON Schema from a field table. */
#include "json/jschema.h"

#include <string.h>

#include "json/jtree.h"
#include "util/mem.h"

static struct json_object *object_schema(const struct field *fields, bool nullable);

/* A value of one of @types, which are separated by blanks; @nullable: or null. */
static struct json_object *typed(const char *types, bool nullable)
{
	struct json_object *schema = jtree_object(), *list = jtree_list();
	for (size_t len; *types; types += len + (types[len] == ' ')) {
		len = strcspn(types, " ");
		jtree_push(list, jtree_string_len(types, len));
	}
	if (nullable)
		jtree_push(list, jtree_string("null"));
	bool one = json_object_array_length(list) == 1;
	struct json_object *type = one ? json_object_array_get_idx(list, 0) : list;
	jtree_set(schema, "type", json_object_get(type));
	json_object_put(list);
	return schema;
}

/* Takes over @a and @b. */
static struct json_object *any_of(struct json_object *a, struct json_object *b)
{
	struct json_object *schema = jtree_object(), *list = jtree_list();
	jtree_push(list, a);
	jtree_push(list, b);
	jtree_set(schema, "anyOf", list);
	return schema;
}

/* Takes over @items. */
static struct json_object *list_of(struct json_object *items, bool nullable)
{
	struct json_object *schema = typed("array", nullable);
	jtree_set(schema, "items", items);
	return schema;
}

static struct json_object *integer_schema(const struct field *f, bool nullable)
{
	struct json_object *schema = typed("integer", nullable);
	/* What is not positive counts as absent then. */
	if (!(f->flags & FIELD_POSITIVE && f->min > 0) && f->min != INT64_MIN)
		jtree_set(schema, "minimum", jtree_int(f->min));
	if (f->max != INT64_MAX)
		jtree_set(schema, "maximum", jtree_int(f->max));
	return schema;
}

static struct json_object *string_schema(const struct field *f, bool nullable)
{
	struct json_object *schema = typed("string", nullable);
	if (f->flags & FIELD_REQUIRED)
		jtree_set(schema, "minLength", jtree_int(1));
	return schema;
}

/* @f: an ENUM, or a SWITCH, whose first two values are the booleans */
static struct json_object *enum_schema(const struct field *f, bool nullable)
{
	struct json_object *schema = jtree_object(), *list = jtree_list();
	for (size_t i = 0; f->names[i]; i++) {
		bool is_boolean = f->kind == FIELD_KIND_SWITCH && i < 2;
		jtree_push(list, is_boolean ? jtree_bool(i == 1) : jtree_string(f->names[i]));
	}
	if (nullable)
		jtree_push(list, NULL);
	jtree_set(schema, "enum", list);
	return schema;
}

/* Objects with keys of the user's, or with any of f->names. */
static struct json_object *map_schema(const struct field *f, bool nullable)
{
	struct json_object *schema = typed("object", nullable), *value;
	bool is_scalar = f->kind == FIELD_KIND_SCALAR_MAP;
	if (f->kind == FIELD_KIND_MAP && field_of_text(f))
		value = any_of(typed("string", true), object_schema(f->fields, false));
	else if (f->kind == FIELD_KIND_MAP)
		value = object_schema(f->fields, true);
	else if (f->kind == FIELD_KIND_STRINGS_MAP)
		value = list_of(typed("string", false), true);
	else
		value = typed(is_scalar ? "string boolean number" : "string", true);
	if (!is_scalar || !f->names) {
		jtree_set(schema, "additionalProperties", value);
		return schema;
	}
	struct json_object *properties = jtree_object();
	for (size_t i = 0; f->names[i]; i++)
		jtree_set(properties, f->names[i], json_object_get(value));
	json_object_put(value);
	jtree_set(schema, "properties", properties);
	jtree_set(schema, "additionalProperties", jtree_bool(false));
	return schema;
}

static struct json_object *value_schema(const struct field *f, bool nullable)
{
	switch (f->kind) {
	case FIELD_KIND_BOOL:
		return typed("boolean", nullable);
	case FIELD_KIND_INT:
		return integer_schema(f, nullable);
	case FIELD_KIND_STRING:
		return string_schema(f, nullable);
	case FIELD_KIND_ENUM:
	case FIELD_KIND_SWITCH:
		return enum_schema(f, nullable);
	case FIELD_KIND_STRINGS:
		return list_of(typed("string", false), nullable);
	case FIELD_KIND_STRING_OR_LIST:
		return any_of(typed("string", nullable), list_of(typed("string", false), false));
	case FIELD_KIND_TERM:
		return typed("string number", nullable);
	case FIELD_KIND_TERMS:
		return any_of(typed("string number", nullable),
				list_of(typed("string number", false), false));
	case FIELD_KIND_OBJECT:
		if (f->flags & FIELD_SWITCHED)
			return any_of(typed("boolean", nullable), object_schema(f->fields, false));
		if (field_of_text(f))
			return any_of(typed("string", nullable), object_schema(f->fields, false));
		return object_schema(f->fields, nullable);
	case FIELD_KIND_LIST:
		return list_of(object_schema(f->fields, false), nullable);
	case FIELD_KIND_INTS:
		return list_of(integer_schema(f, false), nullable);
	case FIELD_KIND_MAP:
	case FIELD_KIND_STRING_MAP:
	case FIELD_KIND_SCALAR_MAP:
	case FIELD_KIND_STRINGS_MAP:
		return map_schema(f, nullable);
	case FIELD_KIND_NOTE:
		break;
	}
	return jtree_object();
}

static void describe(struct json_object *schema, const struct field *f)
{
	CLEANUP(freep)
	char *text = f->default_text ? xasprintf("%s Default: %s.", f->doc, f->default_text)
				     : xstrdup(f->doc);
	jtree_set(schema, "description", jtree_string(text));
	if (f->kind == FIELD_KIND_BOOL)
		jtree_set(schema, "default", jtree_bool(f->default_bool));
}

/* Is a key required even of an entry that only takes another away? */
static bool always_required(const struct field *fields, const struct field *f)
{
	return f->flags & FIELD_REQUIRED &&
	       (!strcmp(f->name, "name") || !field_find(fields, "remove"));
}

/* Takes over @list. Nothing is added if it is empty. */
static void set_required(struct json_object *schema, struct json_object *list)
{
	if (json_object_array_length(list) > 0)
		jtree_set(schema, "required", list);
	else
		json_object_put(list);
}

/* What must be there: always, and of an entry that does not say "remove": true. */
static void add_required(struct json_object *schema, const struct field *fields)
{
	struct json_object *always = jtree_list(), *otherwise = jtree_list();
	for (const struct field *f = fields; f->name; f++) {
		if (f->flags & FIELD_REQUIRED)
			jtree_push(always_required(fields, f) ? always : otherwise,
					jtree_string(f->name));
	}
	set_required(schema, always);
	if (json_object_array_length(otherwise) == 0) {
		json_object_put(otherwise);
		return;
	}
	struct json_object *condition = jtree_object(), *properties = jtree_object(),
			   *remove = jtree_object(), *key = jtree_list(),
			   *consequence = jtree_object();
	jtree_set(remove, "const", jtree_bool(true));
	jtree_set(properties, "remove", remove);
	jtree_set(condition, "properties", properties);
	jtree_push(key, jtree_string("remove"));
	set_required(condition, key);
	set_required(consequence, otherwise);
	jtree_set(schema, "if", condition);
	jtree_set(schema, "else", consequence);
}

static void fill_object(struct json_object *schema, const struct field *fields)
{
	struct json_object *properties = jtree_object(), *notes = jtree_object();
	for (const struct field *f = fields; f->name; f++) {
		struct json_object *value = value_schema(f, !always_required(fields, f));
		describe(value, f);
		jtree_set(properties, f->name, value);
	}
	jtree_set(properties, "$schema", jtree_bool(true));
	jtree_set(notes, "^x-", jtree_bool(true));
	jtree_set(schema, "properties", properties);
	jtree_set(schema, "patternProperties", notes);
	jtree_set(schema, "additionalProperties", jtree_bool(false));
	add_required(schema, fields);
}

static struct json_object *object_schema(const struct field *fields, bool nullable)
{
	struct json_object *schema = typed("object", nullable);
	fill_object(schema, fields);
	return schema;
}

struct json_object *jschema(const struct field *fields, const char *title, const char *description)
{
	struct json_object *schema = jtree_object();
	jtree_set(schema, "$schema", jtree_string("https://json-schema.org/draft/2020-12/schema"));
	jtree_set(schema, "title", jtree_string(title));
	jtree_set(schema, "description", jtree_string(description));
	jtree_set(schema, "type", jtree_string("object"));
	fill_object(schema, fields);
	return schema;
}
