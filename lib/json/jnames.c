/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names that were probably meant. */
#include "json/jnames.h"

#include <string.h>
#include <strings.h>

#include "json/jtext.h"
#include "util/parse.h"

#define PREFIX_MIN 3 /* what is shorter is the beginning of anything */

/* How many edits still look like a slip. */
static unsigned tolerance(const char *name)
{
	size_t len = strlen(name);
	return len < 4 ? 1 : len < 8 ? 2 : 3;
}

/* The only name that begins so: "mem" was to be "memory". */
static const char *completed(const char *wanted, const char *const *names, size_t n)
{
	const char *found = NULL;
	size_t len = strlen(wanted);
	for (size_t i = 0; len >= PREFIX_MIN && i < n; i++) {
		if (strncasecmp(names[i], wanted, len) != 0)
			continue;
		if (found)
			return NULL;
		found = names[i];
	}
	return found;
}

const char *jnames_nearest(const char *wanted, const char *const *names, size_t n)
{
	const char *best = NULL;
	unsigned best_distance = tolerance(wanted) + 1;
	for (size_t i = 0; i < n; i++) {
		unsigned distance = strcasecmp(wanted, names[i]) != 0
						    ? edit_distance(wanted, names[i])
						    : 0;
		/* A name that shares nothing with the known one is no slip of it. */
		if (distance < best_distance && distance < strlen(names[i])) {
			best = names[i];
			best_distance = distance;
		}
	}
	return best ? best : completed(wanted, names, n);
}

static void put_name(struct buf *out, char quote, const char *name)
{
	buf_putc(out, quote);
	text_printable(out, name, strlen(name));
	buf_putc(out, quote);
}

bool jnames_list(struct buf *out, char quote, const char *const *names, size_t n)
{
	if (n == 0 || n > JNAMES_LISTED_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		buf_puts(out, !i ? "" : i + 1 < n ? ", " : " and ");
		put_name(out, quote, names[i]);
	}
	return true;
}

void jnames_hint(struct buf *out, const char *wanted, const char *const *names, size_t n)
{
	const char *near = jnames_nearest(wanted, names, n);
	if (near) {
		buf_puts(out, "; did you mean ");
		put_name(out, '\'', near);
		buf_putc(out, '?');
	} else if (n == 0) {
		buf_puts(out, "; it has none");
	} else if (n <= JNAMES_LISTED_MAX) {
		buf_puts(out, "; it has ");
		jnames_list(out, '\'', names, n);
	}
}
