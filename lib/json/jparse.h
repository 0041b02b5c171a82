/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON text to a json-c tree: the strict parser behind json/jdoc.h.
 *
 * json-c's own parser takes 'a', NaN, 1., -01, overlong UTF-8 and keys given twice, clamps integers
 * and tells a position only as an offset of where it gave up. This one takes RFC 8259 and comments,
 * and says what is wrong in words.
 */
#pragma once

#include <json-c/json_object.h>
#include <stddef.h>

#include "json/report.h"

/*
 * @name: of the file, for findings
 * @text: @len bytes and a NUL; comments and a byte-order mark become spaces
 * @ret: the tree, NULL for null; NULL after a syntax error. A number that does not fit is null in
 *       it, and what is no text within a string is U+FFFD: checking can go on.
 *
 * Returns 0, 1 when there were findings that the tree can bear, or -EBADMSG after a syntax error,
 * which is a finding too.
 */
int jparse(const char *name, char *text, size_t len, struct json_object **ret,
		struct report *report);
