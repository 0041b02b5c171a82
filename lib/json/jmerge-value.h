/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a single value is to a merge (json/jmerge.h). */
#pragma once

#include "json/jbind.h"

/* Does a value of a MERGE_FIRST or MERGE_WHOLE row win over those of later layers? */
bool jmerge_counts(const struct field *f, struct json_object *value);

/* Does an entry of a MERGE_NAMED list take away those of its name? */
bool jmerge_removes(struct json_object *entry);
/* Does a MERGE_WHOLE object take away those of later layers? Not one that has a name of its own. */
bool jmerge_removes_whole(struct json_object *value);

/*
 * Is the merged form of a value that stands alone this value itself? All in it counts then, keys
 * are in the order of their table, and nothing is removed.
 */
bool jmerge_is_merged(const struct field *f, struct json_object *value);
/* The same for an object and its table. */
bool jmerge_is_merged_object(const struct field *fields, struct json_object *object);
