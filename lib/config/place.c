/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a finding about a merged value is shown. */
#include "config/place.h"

#include <stdlib.h>
#include <string.h>

#include "json/jlocate.h"
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
