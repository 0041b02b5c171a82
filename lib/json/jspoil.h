/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of a document can't be known because of a fault. Private to lib/json.
 */
#pragma once

#include "json/jbind.h"

/* Of a member: what it says is not known, so that nobody takes something else for it. */
void jspoil(struct json_object *object, const char *key);

/* The same where a misspelled or misplaced key was meant to be, unless something is there. */
void jspoil_meant(struct json_object *object, const char *pointer);

/*
 * Of a map or list: it may have more entries, which nobody knows. That is a flaw behind the others
 * of a list, and one without a name among those of a map.
 */
void jspoil_rest(struct json_object *value);
/* Of a list: its entries before that. */
size_t jspoil_known_length(struct json_object *list);

/* Is it no entry that can be told from others by its name? */
bool jspoil_is_nameless(struct json_object *entry);

/* Is it a list with an entry that could not be read? */
bool jspoil_has_entry(struct json_object *value);

/* Of a value with findings: is it unknown as a whole, and not only in parts of it? */
bool jspoil_is_whole(const struct field *f, struct json_object *value);
