/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A JSON tree as text. */
#include "json/jwrite.h"

#include <inttypes.h>
#include <json-c/linkhash.h>
#include <stdbool.h>
#include <string.h>

#include "json/jtext.h"
#include "json/jtree.h"

/* Lists of scalars up to this many bytes stay on one line. */
#define LINE_LIST_MAX 72

static void put_string(struct buf *out, const char *text, size_t len)
{
	buf_putc(out, '"');
	text_escape(out, text, len);
	buf_putc(out, '"');
}

static void put_newline(struct buf *out, unsigned level)
{
	buf_putc(out, '\n');
	for (unsigned i = 0; i < level; i++)
		buf_puts(out, "  ");
}

static void put(struct buf *out, struct json_object *value, bool pretty, unsigned level);

static void put_object(struct buf *out, struct json_object *value, bool pretty, unsigned level)
{
	bool first = true;
	buf_putc(out, '{');
	json_object_object_foreach(value, key, child)
	{
		if (!first)
			buf_putc(out, ',');
		first = false;
		if (pretty)
			put_newline(out, level + 1);
		put_string(out, key, strlen(key));
		buf_puts(out, pretty ? ": " : ":");
		put(out, child, pretty, level + 1);
	}
	if (pretty && !first)
		put_newline(out, level);
	buf_putc(out, '}');
}

static bool is_scalar_list(struct json_object *value)
{
	for (size_t i = 0; i < json_object_array_length(value); i++) {
		enum json_type type = json_object_get_type(json_object_array_get_idx(value, i));
		if (type == json_type_object || type == json_type_array)
			return false;
	}
	return true;
}

static void put_items(
		struct buf *out, struct json_object *value, bool lines, bool pretty, unsigned level)
{
	size_t n = json_object_array_length(value);
	buf_putc(out, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_puts(out, pretty && !lines ? ", " : ",");
		if (lines)
			put_newline(out, level + 1);
		put(out, json_object_array_get_idx(value, i), pretty, level + 1);
	}
	if (lines && n)
		put_newline(out, level);
	buf_putc(out, ']');
}

static void put_list(struct buf *out, struct json_object *value, bool pretty, unsigned level)
{
	size_t before = out->len;
	if (!pretty || is_scalar_list(value)) {
		put_items(out, value, false, pretty, level);
		if (!pretty || out->len - before <= LINE_LIST_MAX)
			return;
		buf_truncate(out, before);
	}
	put_items(out, value, true, pretty, level);
}

/* Depth is that of the tree, which a document limits (JDOC_DEPTH_MAX). */
static void put(struct buf *out, struct json_object *value, bool pretty, unsigned level)
{
	switch (json_object_get_type(value)) {
	case json_type_null:
		buf_puts(out, "null");
		return;
	case json_type_boolean:
		buf_puts(out, json_object_get_boolean(value) ? "true" : "false");
		return;
	case json_type_int:
		/* json-c keeps large unsigned numbers apart, and tells by what it returns here. */
		if (json_object_get_int64(value) < INT64_MAX)
			buf_printf(out, "%" PRId64, json_object_get_int64(value));
		else
			buf_printf(out, "%" PRIu64, json_object_get_uint64(value));
		return;
	case json_type_double:
		buf_puts(out, jtree_text(value));
		return;
	case json_type_string:
		put_string(out, json_object_get_string(value),
				(size_t)json_object_get_string_len(value));
		return;
	case json_type_object:
		put_object(out, value, pretty, level);
		return;
	case json_type_array:
		put_list(out, value, pretty, level);
		return;
	}
}

void jwrite(struct buf *out, struct json_object *value, enum jwrite_style style)
{
	put(out, value, style == JWRITE_PRETTY, 0);
}
