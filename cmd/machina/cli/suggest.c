/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "Did you mean". */
#include "cli/suggest.h"

#include <string.h>

#include "util/parse.h"

void suggestion_start(struct suggestion *s, const char *wanted)
{
	/* One slip for each three letters: more, and short names would all resemble each other. */
	unsigned slips = (unsigned)strlen(wanted) / 3;
	*s = (struct suggestion){ .wanted = wanted, .distance = (slips ? slips : 1) + 1 };
}

void suggestion_try(struct suggestion *s, const char *name)
{
	size_t len = strlen(s->wanted);
	unsigned distance = edit_distance(s->wanted, name);

	if (len > 0 && !strncmp(s->wanted, name, len)) {
		if (s->n_continued < 2)
			s->continued[s->n_continued] = name;
		s->n_continued++;
		/* The start of a name is nearer than a slip, however much is missing. */
		distance = len > 1 ? 1 : distance;
	}
	if (distance < s->distance) {
		s->distance = distance;
		s->nearest = name;
	}
}
