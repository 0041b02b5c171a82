/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A JSON tree as text (RFC 8259). json-c has a writer too, but where memory runs out it returns
 * text that ends early, and says nothing.
 */
#pragma once

#include <json-c/json_object.h>

#include "util/buf.h"

enum jwrite_style {
	JWRITE_LINE,   /* on one line, without spaces */
	JWRITE_PRETTY, /* a value a line, two spaces a level; small lists of scalars on one line */
};

/* @value: may be NULL (null). Keys stay in the order in which they were added. */
void jwrite(struct buf *out, struct json_object *value, enum jwrite_style style);
