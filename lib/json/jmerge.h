/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Merge objects of several documents by the rule in each field's row.
 *
 * The result shares its leaves with the documents (json-c reference counts); its objects and lists
 * are its own. Where a value came from is told on request: the same merge with a trace. So nothing
 * is paid for origins by those who do not ask.
 */
#pragma once

#include "json/jbind.h"

/* One source of the merge; the first one in the list is the strongest. */
struct layer {
	const struct jdoc *doc;
	struct json_object *object; /* in @doc; borrowed */
	const char *pointer; /* of @object in @doc */
	const char *label; /* "machine web", "tag desk" */
	const char *chain; /* how it was reached: "machine web, tag desk, tag base" */
};

/* What one layer said about one value. */
struct jorigin {
	const struct layer *layer;
	const char *pointer; /* in the layer's document */
	struct json_object *value;
	enum jorigin_fate {
		JORIGIN_USED, /* the merged value is this one (or, for unions, has it) */
		JORIGIN_OVERRIDDEN, /* a stronger layer has it too */
		JORIGIN_REMOVED, /* the entry that took inherited ones of its name away */
	} fate;
};

/*
 * Called once for each leaf value of each layer. Leaves: scalars, null excepted; and each string
 * of a list of strings. @pointer is the place in the merged object; for what lost or was removed,
 * the place where it would be (a removed list entry's: "/volumes/NAME" with its name for an index).
 */
typedef void jmerge_trace(void *context, const char *pointer, const struct jorigin *origin);

/*
 * @layers: objects that jcheck() found nothing wrong with
 * @trace: may be NULL
 *
 * Returns a new object; the caller releases it with json_object_put(). Lists and objects appear in it
 * when a layer has them. Keys are in the order of the table.
 */
struct json_object *jmerge(const struct field *fields, const struct layer *layers, size_t n,
		jmerge_trace *trace, void *context);

/*
 * Where the merged value at @pointer came from: the strongest layer that brought it. If it has no
 * origin of its own (a derived or default value, or a list or object), that of its nearest parent.
 *
 * @ret_chain: may be NULL; borrowed from the layer, NULL for the first layer
 * @ret_pointer: may be NULL; the pointer in the layer's document, the caller frees it
 */
void jmerge_locate(const struct field *fields, const struct layer *layers, size_t n,
		const char *pointer, struct where *ret, const char **ret_chain, char **ret_pointer);
