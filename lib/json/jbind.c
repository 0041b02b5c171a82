/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON objects to structs by their field tables. */
#include "json/jbind.h"

#include <assert.h>
#include <json-c/linkhash.h>
#include <string.h>

#include "json/jspoil.h"
#include "json/jtree.h"

const struct field *field_find(const struct field *fields, const char *key)
{
	for (const struct field *f = fields; f->name; f++)
		if (f->name[0] == key[0] && !strcmp(f->name, key))
			return f;
	return NULL;
}

const struct field *field_of_text(const struct field *field)
{
	return field->flags & FIELD_PATH_TEXT	? field_find(field->fields, "path")
	       : field->flags & FIELD_WHEN_TEXT ? field_find(field->fields, "when")
	       : field->flags & FIELD_NAME_TEXT ? field_find(field->fields, "name")
						: NULL;
}

/* Rows that have no member in the struct. */
static bool is_bound(const struct field *f)
{
	bool is_list = f->kind == FIELD_KIND_LIST || f->kind == FIELD_KIND_MAP;
	return f->kind != FIELD_KIND_NOTE && (!is_list || f->item_size);
}

/* Where an OBJECT's own rows count their offsets from. */
static void *member_base(const struct field *f, void *base)
{
	return f->flags & FIELD_INLINE ? base : (char *)base + f->offset;
}

static void bind_defaults(const struct field *fields, void *base);

static void bind_default(const struct field *f, void *base)
{
	void *at = (char *)base + f->offset;
	if (!is_bound(f))
		return;
	switch (f->kind) {
	case FIELD_KIND_BOOL:
		*(bool *)at = f->default_bool;
		break;
	case FIELD_KIND_INT:
		*(int64_t *)at = 0;
		break;
	case FIELD_KIND_STRING:
	case FIELD_KIND_TERM:
		*(const char **)at = NULL;
		break;
	case FIELD_KIND_ENUM:
	case FIELD_KIND_SWITCH:
		*(int *)at = -1;
		break;
	case FIELD_KIND_STRINGS:
	case FIELD_KIND_STRING_OR_LIST:
	case FIELD_KIND_TERMS:
		*(struct jstrings *)at = (struct jstrings){};
		break;
	case FIELD_KIND_OBJECT:
		bind_defaults(f->fields, member_base(f, base));
		break;
	case FIELD_KIND_LIST:
	case FIELD_KIND_MAP:
	case FIELD_KIND_STRINGS_MAP:
		*(struct jlist *)at = (struct jlist){};
		break;
	case FIELD_KIND_INTS:
		*(struct jints *)at = (struct jints){};
		break;
	case FIELD_KIND_STRING_MAP:
	case FIELD_KIND_SCALAR_MAP:
		*(struct jpairs *)at = (struct jpairs){};
		break;
	case FIELD_KIND_NOTE:
		break;
	}
}

static void bind_defaults(const struct field *fields, void *base)
{
	for (const struct field *f = fields; f->name; f++)
		bind_default(f, base);
}

static int enum_index(const char *const *names, const char *text)
{
	for (int i = 0; names[i]; i++)
		if (!strcmp(names[i], text))
			return i;
	return -1;
}

static const char *scalar_text(struct json_object *value)
{
	if (json_object_is_type(value, json_type_boolean))
		return json_object_get_boolean(value) ? "true" : "false";
	return jtree_text(value);
}

static struct jstrings bind_strings(struct json_object *value, struct arena *arena)
{
	bool is_list = json_object_is_type(value, json_type_array);
	struct jstrings list = { .n = is_list ? jspoil_known_length(value) : 1 };
	list.items = arena_array(arena, list.n, sizeof(*list.items));
	for (size_t i = 0; i < list.n; i++)
		list.items[i] = jtree_text(is_list ? json_object_array_get_idx(value, i) : value);
	return list;
}

static struct jints bind_ints(struct json_object *value, struct arena *arena)
{
	struct jints list = { .n = jspoil_known_length(value) };
	list.items = arena_array(arena, list.n, sizeof(*list.items));
	for (size_t i = 0; i < list.n; i++)
		list.items[i] = json_object_get_int64(json_object_array_get_idx(value, i));
	return list;
}

static struct jpairs bind_pairs(struct json_object *value, struct arena *arena)
{
	struct jpairs pairs = {};
	pairs.items = arena_array(
			arena, (size_t)json_object_object_length(value), sizeof(*pairs.items));
	json_object_object_foreach(value, key, member)
	{
		if (member && !jtree_is_flaw(member))
			pairs.items[pairs.n++] = (struct jpair){ key, scalar_text(member) };
	}
	return pairs;
}

static struct jlist bind_list(const struct field *f, struct json_object *value, struct arena *arena)
{
	struct jlist list = { .n = jspoil_known_length(value) };
	list.items = arena_array(arena, list.n, f->item_size);
	for (size_t i = 0; i < list.n; i++)
		jbind(f->fields, json_object_array_get_idx(value, i),
				(char *)list.items + i * f->item_size, arena);
	return list;
}

/* The member of a row that a FIELD_SWITCHED object must have. */
static void *member_at(const struct field *fields, const char *key, void *base)
{
	const struct field *f = field_find(fields, key);
	assert(f);
	return (char *)base + f->offset;
}

static void bind_members(const struct field *fields, struct json_object *object, void *base,
		struct arena *arena);

/* @base: has the defaults */
static void bind_object(
		const struct field *f, struct json_object *value, void *base, struct arena *arena)
{
	bool is_object = json_object_is_type(value, json_type_object);
	if (is_object)
		bind_members(f->fields, value, base, arena);
	const struct field *text = field_of_text(f);
	if (text && json_object_is_type(value, json_type_string))
		*(const char **)((char *)base + text->offset) = jtree_text(value);
	if (!(f->flags & FIELD_SWITCHED))
		return;
	int *enabled = member_at(f->fields, "enabled", base);
	if (!is_object)
		*enabled = json_object_get_boolean(value);
	else if (*enabled < 0)
		*enabled = true;
}

static struct jlist bind_map(const struct field *f, struct json_object *value, struct arena *arena)
{
	struct jlist list = {};
	list.items = arena_array(arena, (size_t)json_object_object_length(value), f->item_size);
	json_object_object_foreach(value, key, member)
	{
		if (!member || jtree_has_flaw(member))
			continue;
		char *item = (char *)list.items + list.n++ * f->item_size;
		*(const char **)(void *)(item + f->key_offset) = key;
		bind_defaults(f->fields, item);
		bind_object(f, member, item, arena);
	}
	return list;
}

static struct jlist bind_strings_map(struct json_object *value, struct arena *arena)
{
	struct jlist list = {};
	struct jnamed *items = arena_array(
			arena, (size_t)json_object_object_length(value), sizeof(*items));
	list.items = items;
	json_object_object_foreach(value, key, member)
	{
		if (member && !jtree_is_flaw(member))
			items[list.n++] = (struct jnamed){ key, bind_strings(member, arena) };
	}
	return list;
}

static void bind_value(
		const struct field *f, struct json_object *value, void *base, struct arena *arena)
{
	void *at = (char *)base + f->offset;
	int64_t number;
	switch (f->kind) {
	case FIELD_KIND_BOOL:
		*(bool *)at = json_object_get_boolean(value);
		break;
	case FIELD_KIND_INT:
		number = json_object_get_int64(value);
		*(int64_t *)at = f->flags & FIELD_POSITIVE && number < 0 ? 0 : number;
		break;
	case FIELD_KIND_STRING:
	case FIELD_KIND_TERM:
		*(const char **)at = jtree_text(value);
		break;
	case FIELD_KIND_ENUM:
		*(int *)at = enum_index(f->names, jtree_text(value));
		break;
	case FIELD_KIND_SWITCH:
		*(int *)at = enum_index(f->names, scalar_text(value));
		break;
	case FIELD_KIND_STRINGS:
	case FIELD_KIND_STRING_OR_LIST:
	case FIELD_KIND_TERMS:
		*(struct jstrings *)at = bind_strings(value, arena);
		break;
	case FIELD_KIND_OBJECT:
		bind_object(f, value, member_base(f, base), arena);
		break;
	case FIELD_KIND_LIST:
		*(struct jlist *)at = bind_list(f, value, arena);
		break;
	case FIELD_KIND_MAP:
		*(struct jlist *)at = bind_map(f, value, arena);
		break;
	case FIELD_KIND_INTS:
		*(struct jints *)at = bind_ints(value, arena);
		break;
	case FIELD_KIND_STRING_MAP:
	case FIELD_KIND_SCALAR_MAP:
		*(struct jpairs *)at = bind_pairs(value, arena);
		break;
	case FIELD_KIND_STRINGS_MAP:
		*(struct jlist *)at = bind_strings_map(value, arena);
		break;
	case FIELD_KIND_NOTE:
		break;
	}
}

/* Where there are values, in place of the defaults. */
static void bind_members(const struct field *fields, struct json_object *object, void *base,
		struct arena *arena)
{
	json_object_object_foreach(object, key, value)
	{
		const struct field *f = value ? field_find(fields, key) : NULL;
		if (f && is_bound(f) && !jtree_is_flaw(value))
			bind_value(f, value, base, arena);
	}
}

void jbind(const struct field *fields, struct json_object *object, void *ret, struct arena *arena)
{
	bind_defaults(fields, ret);
	if (object)
		bind_members(fields, object, ret, arena);
}

void jbind_changes(const struct field *fields, struct json_object *from, struct json_object *object,
		void *ret, struct arena *arena)
{
	json_object_object_foreach(object, key, value)
	{
		struct json_object *same;
		if (json_object_object_get_ex(from, key, &same) && same == value)
			continue;
		const struct field *f = value ? field_find(fields, key) : NULL;
		if (!f || !is_bound(f))
			continue;
		bind_default(f, ret);
		if (!jtree_is_flaw(value))
			bind_value(f, value, ret, arena);
	}
}
