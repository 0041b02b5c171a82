/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a finding about a merged value is shown. */
#include "config/place.h"

#include <json-c/linkhash.h>
#include <stdlib.h>
#include <string.h>

#include "json/jlocate.h"
#include "json/jtree.h"
#include "util/mem.h"

/* Is the place one in objects that are made key by key of all layers? */
static bool is_shared(const struct field *fields, const char *pointer)
{
	CLEANUP(buf_done) struct buf token = {};
	while (jpointer_next(&pointer, &token) && *pointer) {
		const struct field *f = field_find(fields, buf_text(&token));
		if (!f || f->kind != FIELD_KIND_OBJECT || f->merge != MERGE_FIELDS)
			return false;
		fields = f->fields;
	}
	return true;
}

/* The length of the beginning of @pointer that leads to a value. */
static size_t existing_length(struct json_object *merged, const char *pointer)
{
	CLEANUP(freep) char *prefix = xstrdup(pointer);
	while (prefix[0] && !jpointer_get(merged, prefix))
		*strrchr(prefix, '/') = '\0';
	return strlen(prefix);
}

void place_find(const struct field *fields, const struct layer *layers, size_t n,
		struct json_object *merged, const char *pointer, struct where *ret,
		const char **ret_chain, char **ret_pointer)
{
	size_t len = existing_length(merged, pointer);
	if (pointer[len] && is_shared(fields, pointer)) {
		jlocate_value(layers[0].doc, pointer, ret);
		*ret_chain = NULL;
		*ret_pointer = xstrdup(pointer);
		return;
	}
	CLEANUP(freep) char *parent = xstrndup(pointer, len), *own = NULL;
	jmerge_locate(fields, layers, n, parent, ret, ret_chain, &own);
	*ret_pointer = xasprintf("%s%s", own, pointer + len);
}

/* Do the entries of the object at that place have names that the user gave them? */
static bool is_map(const struct field *fields, const char *pointer)
{
	CLEANUP(buf_done) struct buf token = {};
	const struct field *f = NULL;
	/* Behind the name of an entry, or its number, come the keys of its rows. */
	for (bool is_entry = false; jpointer_next(&pointer, &token);
			is_entry = !is_entry && f && f->kind != FIELD_KIND_OBJECT) {
		if (is_entry)
			continue;
		f = fields ? field_find(fields, buf_text(&token)) : NULL;
		fields = f ? f->fields : NULL;
	}
	return f && f->kind != FIELD_KIND_OBJECT && f->merge == MERGE_KEYS;
}

/*
 * Is a member unknown that could be about the others? The sections of a file are about themselves,
 * but for one that nobody knows, and so are the entries of a map.
 *
 * @path: of @object
 */
static bool has_flaw_beside(
		const struct field *fields, const char *path, struct json_object *object)
{
	if (is_map(fields, path))
		return jtree_is_flaw(jtree_get(object, ""));
	json_object_object_foreach(object, key, value)
	{
		if (jtree_is_flaw(value) && (path[0] || !field_find(fields, key)))
			return true;
	}
	return false;
}

bool place_is_flawed(const struct field *fields, struct json_object *merged, const char *pointer)
{
	CLEANUP(freep) char *path = xstrndup(pointer, existing_length(merged, pointer));
	struct json_object *value = jpointer_get(merged, path);
	if (jtree_is_flaw(value))
		return true;
	if (pointer[strlen(path)])
		return json_object_is_type(value, json_type_object) &&
		       has_flaw_beside(fields, path, value);
	if (json_object_is_type(value, json_type_object) ||
			json_object_is_type(value, json_type_array))
		return jtree_has_flaw(value);
	char *last = strrchr(path, '/');
	if (!last)
		return false;
	*last = '\0';
	value = jpointer_get(merged, path);
	return json_object_is_type(value, json_type_object) && has_flaw_beside(fields, path, value);
}
