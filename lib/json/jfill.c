/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entries of maps that are null. */
#include <json-c/linkhash.h>

#include "json/jbind.h"
#include "json/jtree.h"

static void fill_map(const struct field *f, struct json_object *map)
{
	json_object_object_foreach(map, key, value)
	{
		if (value && f->kind == FIELD_KIND_MAP)
			jfill(f->fields, value);
		else if (!value && f->kind == FIELD_KIND_MAP)
			jtree_set(map, key, jtree_object());
		else if (!value && f->kind == FIELD_KIND_STRING_MAP)
			jtree_set(map, key, jtree_string(""));
	}
}

void jfill(const struct field *fields, struct json_object *object)
{
	if (!json_object_is_type(object, json_type_object))
		return;
	json_object_object_foreach(object, key, value)
	{
		const struct field *f = value ? field_find(fields, key) : NULL;
		if (!f)
			continue;
		if (f->kind == FIELD_KIND_OBJECT)
			jfill(f->fields, value);
		else if (json_object_is_type(value, json_type_object))
			fill_map(f, value);
		for (size_t i = 0; f->kind == FIELD_KIND_LIST && i < jtree_length(value); i++)
			jfill(f->fields, jtree_at(value, i));
	}
}
