/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What to say about a key that is not known where it stands.
 */
#pragma once

#include <stdbool.h>

#include "json/jbind.h"
#include "util/buf.h"
#include "util/strv.h"

/*
 * @fields: the table of the object that has the key; or NULL, and
 * @names: the keys that it may have, NULL-terminated
 * @text: the complaint is appended: the right letter case; else what other programs call so
 *        (json/jhabits.h); else the nearest known key; else where in the objects below a key
 *        of that name belongs; else the known keys, if they are few
 * @ret_meant: pointers, from that object, to the keys that it proposes are appended; may be NULL
 *
 * Returns false, and appends nothing, if the key is known.
 */
bool jknown_complaint(const struct field *fields, const char *const *names, const char *key,
		struct buf *text, struct strv *ret_meant);
