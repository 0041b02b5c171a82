/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What to say beside a name that is not known: the one that was probably meant, or those there are.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "util/buf.h"

#define JNAMES_LISTED_MAX 40 /* more names than this are not listed in a message */

/* The name that @wanted looks like a slip of, or NULL. Of equally near ones, the first. */
const char *jnames_nearest(const char *wanted, const char *const *names, size_t n);

/*
 * Append "'a', 'b' and 'c'".
 *
 * @quote: '\'' for names, '"' for keys of the config files
 *
 * Returns false, and appends nothing, if there are none or more than JNAMES_LISTED_MAX.
 */
bool jnames_list(struct buf *out, char quote, const char *const *names, size_t n);

/* Append "; did you mean 'a'?", or "; it has 'a' and 'b'", or "; it has none", or nothing. */
void jnames_hint(struct buf *out, const char *wanted, const char *const *names, size_t n);
