/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What machines inherit from their tags: merged and bound once for all that have the same ones, as
 * most of a host's machines do. Private to lib/config.
 */
#pragma once

#include "config/load.h"

struct inherited {
	struct layer *layers; /* copies of a machine's, without its own object */
	size_t n;
	struct json_object *merged;
	struct machine_conf conf; /* bound to @merged */
};

struct inheritance;

struct inheritance *inheritance_new(void) __attribute__((returns_nonnull));
void inheritance_free(struct inheritance *inheritance);

/* What stands for a tag that nobody knows: the same object each time. Borrowed. */
struct json_object *inheritance_unknown(struct inheritance *inheritance)
		__attribute__((returns_nonnull));

/*
 * @layers: of a machine, its own file first
 *
 * Returns what the others have to say; NULL: it is the first machine with these tags, for which
 * alone nothing would be won, or there are too many lists of tags to keep another.
 */
const struct inherited *inheritance_find(
		struct inheritance *inheritance, const struct layer *layers, size_t n);
