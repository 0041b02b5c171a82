/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What stands at a place in JSON text where something else should, in words for the user.
 */
#pragma once

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stddef.h>

#include "util/buf.h"

/* A word in single quotes; the rest of a long one is left out. */
void jfound_word(struct buf *out, const char *word, size_t len);

/* What stands at @at, which lies before @len: "'true'", "','", "the byte 0x1b". */
void jfound_describe(const char *text, size_t len, size_t at, struct buf *out);

/* Advice to follow that, or "". @at: where a key or a value should be, or the end. */
const char *jfound_advice(const char *text, size_t len, size_t at);

/* A value that was read. @with_type: say that a string is one, because something else was expected
 */
void jfound_value(struct buf *out, struct json_object *value, bool with_type);
