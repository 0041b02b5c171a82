/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON pointers (RFC 6901), and the place in a document's text that one leads to.
 */
#pragma once

#include "json/jdoc.h"
#include "util/buf.h"

/*
 * Look up the position of a value, or of the key in front of it.
 *
 * @pointer: "" for the root; need not exist in @doc
 * @ret: line and column, both counted from 1, column in bytes; ret->file is @doc->name
 *
 * Returns 0, or 1 if the nearest existing parent was used instead. Cannot fail.
 * Cost: one pass over the text; meant for messages, not for lookups.
 */
int jlocate_value(const struct jdoc *doc, const char *pointer, struct where *ret);
int jlocate_key(const struct jdoc *doc, const char *pointer, struct where *ret);

/* The line and column of a byte offset in a text. */
void jlocate_offset(const char *text, size_t offset, struct where *ret);

/* Append "/" and one reference token, "~" and "/" escaped. */
void jpointer_push(struct buf *pointer, const char *token);
void jpointer_push_index(struct buf *pointer, size_t index);

/* The value at a pointer, or NULL. Borrowed. */
struct json_object *jpointer_get(struct json_object *root, const char *pointer);
