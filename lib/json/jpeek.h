/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One text out of a file that is known to be good, without reading it in full: for who shows
 * something of many files.
 */
#pragma once

#include <stddef.h>

#include "util/buf.h"
#include "util/cleanup.h"

/*
 * The text of a key of the outermost object, comments being allowed as in json/jdoc.h.
 *
 * @text: @len bytes. What is no JSON is not always noticed, and does no harm
 * @ret: the text is appended
 *
 * Returns 1; 0: the key is not there; -EBADMSG: the text is not what was expected, or the value is
 * none. @ret may have got something then.
 */
MUST_CHECK int jpeek_text(const char *text, size_t len, const char *key, struct buf *ret);
