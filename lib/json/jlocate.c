/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON pointers, and the place in a document's text that one leads to. */
#include "json/jlocate.h"

#include <stdint.h>
#include <string.h>

#include "json/jscan.h"
#include "util/parse.h"

void jpointer_push(struct buf *pointer, const char *token)
{
	buf_putc(pointer, '/');
	for (;;) {
		size_t plain = strcspn(token, "~/");
		buf_add(pointer, token, plain);
		token += plain;
		if (!*token)
			return;
		buf_puts(pointer, *token++ == '~' ? "~0" : "~1");
	}
}

void jpointer_push_index(struct buf *pointer, size_t index)
{
	buf_printf(pointer, "/%zu", index);
}

bool jpointer_next(const char **pointer, struct buf *ret_token)
{
	const char *p = *pointer;
	if (*p != '/')
		return false;
	buf_clear(ret_token);
	for (p++; *p && *p != '/'; p++) {
		char c = *p;
		if (c == '~' && (p[1] == '0' || p[1] == '1'))
			c = *++p == '0' ? '~' : '/';
		buf_putc(ret_token, c);
	}
	*pointer = p;
	return true;
}

/* An index has no sign and no leading zero (RFC 6901, section 4). */
static bool parse_index(const char *token, size_t *ret)
{
	uint64_t value;
	if ((token[0] == '0' && token[1]) || parse_u64(token, &value) < 0 || value > SIZE_MAX)
		return false;
	*ret = (size_t)value;
	return true;
}

struct json_object *jpointer_get(struct json_object *root, const char *pointer)
{
	CLEANUP(buf_done) struct buf token = {};
	while (jpointer_next(&pointer, &token)) {
		size_t index;
		if (json_object_is_type(root, json_type_array) &&
				parse_index(buf_text(&token), &index))
			root = json_object_array_get_idx(root, index);
		else if (!json_object_is_type(root, json_type_object) ||
				!json_object_object_get_ex(root, buf_text(&token), &root))
			return NULL;
	}
	return root;
}

void jlocate_offset(const char *text, size_t offset, struct where *ret)
{
	size_t line = 1, begin = 0;
	for (const char *p = text; (p = memchr(p, '\n', (size_t)(text + offset - p))); p++) {
		line++;
		begin = (size_t)(p - text) + 1;
	}
	ret->line = line;
	ret->column = offset - begin + 1;
}

/* The text, and where in it the walk is: at the first byte of a value and of the key before it. */
struct cursor {
	const char *text;
	size_t len;
	size_t value;
	size_t key;
	struct buf name; /* of the member that is looked at, kept for its memory */
};

/*
 * From *@at, behind the "{", "[" or the last member's value, to the next member.
 *
 * Returns false if there is none.
 */
static bool next_member(struct cursor *c, bool is_object, size_t *at)
{
	size_t i = jscan_space(c->text, c->len, *at), fault_at;
	if (i < c->len && c->text[i] == ',')
		i = jscan_space(c->text, c->len, i + 1);
	if (i >= c->len || c->text[i] == '}' || c->text[i] == ']')
		return false;
	c->key = i;
	if (is_object) {
		buf_clear(&c->name);
		jscan_string(c->text, c->len, &i, &c->name, &fault_at);
		i = jscan_space(c->text, c->len, i);
		i = jscan_space(c->text, c->len, i + 1); /* the ":" */
	}
	c->value = i;
	*at = i;
	return i < c->len;
}

/* Move from the object or list at c->value to the member @token. False: no such member. */
static bool enter(struct cursor *c, const char *token)
{
	if (c->value >= c->len)
		return false;
	bool is_object = c->text[c->value] == '{', found = false;
	size_t index = 0, wanted = 0, at = c->value + 1;
	if (!is_object && (c->text[c->value] != '[' || !parse_index(token, &wanted)))
		return false;

	size_t key = c->key, value = c->value;
	for (; next_member(c, is_object, &at); index++) {
		if (is_object ? !strcmp(buf_text(&c->name), token) : index == wanted) {
			key = c->key;
			value = c->value;
			found = true;
			if (!is_object)
				break;
		}
		at = jscan_skip_value(c->text, c->len, at);
	}
	c->key = key;
	c->value = value;
	return found;
}

static int locate(const struct jdoc *doc, const char *pointer, bool want_key, struct where *ret)
{
	CLEANUP(buf_done) struct buf token = {};
	size_t start = jscan_space(doc->text, doc->len, 0);
	struct cursor c = { .text = doc->text, .len = doc->len, .value = start, .key = start };
	bool found = true;
	while (found && jpointer_next(&pointer, &token))
		found = enter(&c, buf_text(&token));
	buf_done(&c.name);

	*ret = (struct where){ .file = doc->name };
	jlocate_offset(doc->text, want_key ? c.key : c.value, ret);
	return found ? 0 : 1;
}

int jlocate_value(const struct jdoc *doc, const char *pointer, struct where *ret)
{
	return locate(doc, pointer, false, ret);
}

int jlocate_key(const struct jdoc *doc, const char *pointer, struct where *ret)
{
	return locate(doc, pointer, true, ret);
}
