/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON pointers (RFC 6901), and the place in a document's text that one leads to.
 */
#pragma once

#include <stdbool.h>

#include "json/jdoc.h"
#include "util/buf.h"

/*
 * Look up the position of a value, or of the key in front of it.
 *
 * @doc: one whose root is not NULL
 * @pointer: "" for the root; need not exist in @doc. Of a key that is given twice, the last counts.
 * @ret: line and column, both counted from 1, column in bytes; ret->file is @doc->name. A list
 *       entry and the root have no key: their value is what jlocate_key() gives.
 *
 * Returns 0, or 1 if the nearest existing parent was used instead. Cannot fail.
 * Cost: one pass over the text for each step of the pointer; meant for messages, not for lookups.
 */
int jlocate_value(const struct jdoc *doc, const char *pointer, struct where *ret);
int jlocate_key(const struct jdoc *doc, const char *pointer, struct where *ret);

/* The line and column of a byte offset in a text; ret->file stays as it is. */
void jlocate_offset(const char *text, size_t offset, struct where *ret);

/* Append "/" and one reference token, "~" and "/" escaped. */
void jpointer_push(struct buf *pointer, const char *token);
void jpointer_push_index(struct buf *pointer, size_t index);

/*
 * Take one reference token off a pointer: *@pointer, which begins with "/", moves to the next "/"
 * or the end, and @ret_token gets the token's text, unescaped. Returns false at the end.
 */
bool jpointer_next(const char **pointer, struct buf *ret_token);

/* The value at a pointer, or NULL. Borrowed. */
struct json_object *jpointer_get(struct json_object *root, const char *pointer);
