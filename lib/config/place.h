/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a finding about a merged value is shown. Private to lib/config.
 */
#pragma once

#include "json/jmerge.h"

/*
 * The place of the value at @pointer of @merged, in the file that it came from. Where there is no
 * value, the place of what it is missing in: of a list entry, a map entry or an object that is
 * taken whole, wherever that was written; else the first layer's, as a machine's own file is where
 * one would add it.
 *
 * @layers: what @merged was made of; at least one
 * @ret_chain: borrowed; NULL for the first layer
 * @ret_pointer: in that file; where there is no value, of what is missing. The caller frees it.
 */
void place_find(const struct field *fields, const struct layer *layers, size_t n,
		struct json_object *merged, const char *pointer, struct where *ret,
		const char **ret_chain, char **ret_pointer);

/* Is it a flaw (jtree_flaw()) that is at @pointer, on the way there, beside it, or in it? */
bool place_is_flawed(const struct field *fields, struct json_object *merged, const char *pointer);
