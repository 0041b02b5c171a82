/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Merge objects of several documents by the rule in each field's row.
 *
 * The result shares its leaves with the documents (json-c reference counts), and the objects and
 * lists that are in it as they stand in one document: it is not to be changed. Where a value came
 * from is told on request: the same merge with a trace. So nothing is paid for origins by those who
 * do not ask.
 */
#pragma once

#include "json/jbind.h"

/* One source of the merge; the first one in the list is the strongest. */
struct layer {
	const struct jdoc *doc;
	struct json_object *object; /* in @doc; borrowed */
	const char *pointer;	    /* of @object in @doc */
	const char *label;	    /* "machine web", "tag desk" */
	const char *chain;	    /* how it was reached: "machine web, tag desk, tag base" */
	bool is_merged;		    /* @object was made by jmerge(): what stands alone is shared */
};

/* What one layer said about one value. */
struct jorigin {
	const struct layer *layer;
	const char *pointer; /* in the layer's document */
	struct json_object *value;
	enum jorigin_fate {
		JORIGIN_USED,	    /* the merged value is this one (or, for unions, has it) */
		JORIGIN_OVERRIDDEN, /* a stronger layer has it too, or takes it away */
		JORIGIN_REMOVED,    /* the entry that takes inherited ones of its name away */
		JORIGIN_IGNORED,    /* written, but does not count: 0, "", a tag's own "tags" */
	} fate;
};

/*
 * Called once for each leaf value of each layer. Leaves: scalars, null excepted; and each entry of
 * a list of strings or numbers. Keys without a row and notes are passed over.
 *
 * @pointer: the place in the merged object; for what lost or was removed, the place where it would
 *           be. Entries that are not in the merged list because one of their name removes them
 *           have "-" and their name for an index: "/volumes/-NAME/storage".
 *
 * The order of the calls is that of the table; of one value, mostly but not always (unions) the
 * strongest layer first.
 */
typedef void jmerge_trace(void *context, const char *pointer, const struct jorigin *origin);

/*
 * @layers: objects that jcheck() has looked at; a NULL object (null) has no keys. A flaw counts as
 *          a value; with others it merges to one
 * @trace: may be NULL
 *
 * Returns a new object; the caller releases it with json_object_put(). Lists and objects appear in
 * it when a layer has them, even if empty; an object with MERGE_WHOLE only if one wins. Keys are
 * in the order of the table.
 */
struct json_object *jmerge(const struct field *fields, const struct layer *layers, size_t n,
		jmerge_trace *trace, void *context);

/*
 * Where the merged value at @pointer came from: the strongest layer that brought it. If it has no
 * origin of its own (a derived or default value), that of its nearest parent: the place of the
 * object or list in the strongest layer that has it; in the end the first layer's object.
 *
 * @n: at least 1
 * @ret_chain: may be NULL; borrowed from the layer, NULL for the first layer
 * @ret_pointer: may be NULL; the pointer in the layer's document, the caller frees it
 *
 * Cost: one merge, and one look-up of a place; meant for messages.
 */
void jmerge_locate(const struct field *fields, const struct layer *layers, size_t n,
		const char *pointer, struct where *ret, const char **ret_chain, char **ret_pointer);
