/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a single value is to a merge. */
#include "json/jmerge-value.h"

#include <json-c/linkhash.h>

#include "json/jtree.h"

/* Of an object that is taken whole: does it say which one? */
static bool is_named(struct json_object *value)
{
	static const char *const keys[] = { "name", "storage", "path", "when" };
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (jtree_get_text(value, keys[i])[0])
			return true;
	return false;
}

bool jmerge_counts(const struct field *f, struct json_object *value)
{
	if (jtree_is_flaw(value))
		return true;
	if (json_object_is_type(value, json_type_string))
		return json_object_get_string_len(value) > 0;
	if (f->kind == FIELD_KIND_INT && f->flags & FIELD_POSITIVE)
		return json_object_get_int64(value) > 0;
	if (f->merge == MERGE_WHOLE)
		return is_named(value) || jmerge_removes(value);
	return true;
}

bool jmerge_removes_whole(struct json_object *value)
{
	return jmerge_removes(value) && !is_named(value);
}

bool jmerge_removes(struct json_object *entry)
{
	return jtree_get_bool(entry, "remove");
}

static bool is_merged_entry(const struct field *f, struct json_object *entry)
{
	bool is_object = json_object_is_type(entry, json_type_object);
	if (jtree_is_flaw(entry))
		return true;
	if (f->fields)
		return is_object && jmerge_is_merged_object(f->fields, entry);
	return entry && !is_object && !json_object_is_type(entry, json_type_array);
}

static bool is_merged_list(const struct field *f, struct json_object *list)
{
	/* Of strings, repeats may have to go. */
	bool is_kept = f->merge == MERGE_FIRST || f->merge == MERGE_APPEND ||
		       f->merge == MERGE_NAMED || (f->merge == MERGE_GATHER && f->fields);
	for (size_t i = 0; is_kept && i < json_object_array_length(list); i++) {
		struct json_object *entry = json_object_array_get_idx(list, i);
		is_kept = is_merged_entry(f, entry) &&
			  !(f->merge == MERGE_NAMED && jmerge_removes(entry));
	}
	return is_kept;
}

static bool is_merged_map(const struct field *f, struct json_object *map)
{
	json_object_object_foreach(map, key, value)
	{
		(void)key;
		if (!is_merged_entry(f, value))
			return false;
	}
	return true;
}

bool jmerge_is_merged(const struct field *f, struct json_object *value)
{
	if (jtree_is_flaw(value))
		return true;
	if (json_object_is_type(value, json_type_array))
		return is_merged_list(f, value);
	if (!json_object_is_type(value, json_type_object))
		return f->merge == MERGE_FIRST && jmerge_counts(f, value);
	if (f->merge == MERGE_KEYS)
		return is_merged_map(f, value);
	bool removes = f->merge == MERGE_WHOLE && jmerge_removes_whole(value);
	return f->kind == FIELD_KIND_OBJECT && jmerge_counts(f, value) && !removes &&
	       jmerge_is_merged_object(f->fields, value);
}

bool jmerge_is_merged_object(const struct field *fields, struct json_object *object)
{
	const struct field *from = fields;
	json_object_object_foreach(object, key, value)
	{
		const struct field *f = value ? field_find(from, key) : NULL;
		if (!f || !jmerge_is_merged(f, value))
			return false;
		from = f + 1;
	}
	return true;
}
