/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a document can't be known because of a fault. */
#include "json/jspoil.h"

#include <json-c/linkhash.h>
#include <string.h>

#include "json/jlocate.h"
#include "json/jtree.h"

void jspoil(struct json_object *object, const char *key)
{
	jtree_set(object, key, jtree_flaw());
}

void jspoil_meant(struct json_object *object, const char *pointer)
{
	CLEANUP(buf_done) struct buf token = {};
	while (jpointer_next(&pointer, &token) && *pointer) {
		/* An object, or nothing: jcheck() calls this after all members were looked at, and
		 * what should be an object and is none is a flaw by then, which is one. */
		struct json_object *inner = jtree_get(object, buf_text(&token));
		if (!inner)
			jtree_set(object, buf_text(&token), inner = jtree_object());
		object = inner;
	}
	if (json_object_is_type(object, json_type_object) && !jtree_get(object, buf_text(&token)))
		jspoil(object, buf_text(&token));
}

struct json_object *junknown(const struct field *fields)
{
	struct json_object *object = jtree_object();
	for (const struct field *f = fields; f->name; f++)
		if (f->merge != MERGE_NEVER && f->kind != FIELD_KIND_NOTE)
			jtree_set(object, f->name,
					f->kind == FIELD_KIND_OBJECT && f->merge == MERGE_FIELDS
							? junknown(f->fields)
							: jtree_flaw());
	return object;
}

void junknown_mentioned(const struct field *fields, struct json_object *object, const char *text,
		size_t len)
{
	for (const struct field *f = fields; f->name; f++) {
		struct json_object *value = jtree_get(object, f->name);
		if (!value || jtree_is_flaw(value) || f->merge == MERGE_NEVER)
			continue;
		if (f->kind == FIELD_KIND_OBJECT && f->merge == MERGE_FIELDS)
			junknown_mentioned(f->fields, value, text, len);
		if (f->merge != MERGE_KEYS)
			continue;
		json_object_object_foreach(value, key, entry)
		{
			(void)entry;
			if (memmem(text, len, key, strlen(key)))
				jspoil(value, key);
		}
	}
}

void jspoil_rest(struct json_object *value)
{
	if (json_object_is_type(value, json_type_array))
		jtree_push(value, jtree_flaw());
	else
		jspoil(value, "");
}

size_t jspoil_known_length(struct json_object *list)
{
	size_t n = json_object_array_length(list);
	return n && jtree_is_flaw(json_object_array_get_idx(list, n - 1)) ? n - 1 : n;
}

bool jspoil_is_nameless(struct json_object *entry)
{
	return !json_object_is_type(entry, json_type_object) ||
	       jtree_is_flaw(jtree_get(entry, "name"));
}

/* Can nobody say which entries a list has, and what they are called? */
static bool is_list_spoiled(const struct field *f, struct json_object *list)
{
	for (size_t i = 0; i < jtree_length(list); i++) {
		struct json_object *entry = jtree_at(list, i);
		if (jspoil_is_nameless(entry))
			return true;
		for (const struct field *row = f->fields; row->name; row++)
			if (row->flags & FIELD_REQUIRED &&
					jtree_is_flaw(jtree_get(entry, row->name)))
				return true;
	}
	return false;
}

bool jspoil_is_whole(const struct field *f, struct json_object *value)
{
	switch (f->kind) {
	case FIELD_KIND_OBJECT:
	case FIELD_KIND_MAP:
	case FIELD_KIND_STRING_MAP:
	case FIELD_KIND_SCALAR_MAP:
	case FIELD_KIND_STRINGS_MAP:
		return !json_object_is_type(value, json_type_object);
	case FIELD_KIND_LIST:
		return !json_object_is_type(value, json_type_array) || is_list_spoiled(f, value);
	case FIELD_KIND_BOOL:
	case FIELD_KIND_INT:
	case FIELD_KIND_STRING:
	case FIELD_KIND_ENUM:
	case FIELD_KIND_STRINGS:
	case FIELD_KIND_STRING_OR_LIST:
	case FIELD_KIND_TERM:
	case FIELD_KIND_TERMS:
	case FIELD_KIND_SWITCH:
	case FIELD_KIND_INTS:
	case FIELD_KIND_NOTE:
		break;
	}
	return true;
}

bool jspoil_has_entry(struct json_object *value)
{
	for (size_t i = 0; i < jtree_length(value); i++)
		if (jtree_is_flaw(jtree_at(value, i)))
			return true;
	return false;
}
