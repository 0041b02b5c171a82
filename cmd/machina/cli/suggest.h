/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "Did you mean": the known name that was most likely wanted.
 *
 *	struct suggestion s;
 *	suggestion_start(&s, "strat");
 *	suggestion_try(&s, "start");
 *	suggestion_try(&s, "status");
 *	s.nearest is "start" now
 */
#pragma once

#include <stddef.h>

struct suggestion {
	const char *wanted;
	const char *nearest; /* NULL: nothing is near; borrowed, as all names */
	unsigned distance;
	const char *continued[2]; /* the first names that begin with @wanted */
	size_t n_continued;
};

void suggestion_start(struct suggestion *s, const char *wanted);
void suggestion_try(struct suggestion *s, const char *name);
