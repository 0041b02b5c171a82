/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One text out of a file that is known to be good. */
#include "json/jpeek.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "json/jscan.h"

struct peek {
	const char *text;
	size_t len, at;
};

/* The byte at which the next token begins; NUL at the end, and where a comment has none. */
static char next(struct peek *p)
{
	for (;;) {
		p->at = jscan_space(p->text, p->len, p->at);
		if (p->len - p->at < 2 || p->text[p->at] != '/')
			return p->at < p->len ? p->text[p->at] : '\0';
		const char *from = p->text + p->at + 2;
		size_t left = p->len - p->at - 2;
		bool is_line = from[-1] == '/';
		const char *end = is_line ? memchr(from, '\n', left) : memmem(from, left, "*/", 2);
		p->at = end ? (size_t)(end - p->text) + (is_line ? 1 : 2) : p->len;
	}
}

static bool is_byte_order_mark(const struct peek *p)
{
	return p->len >= 3 && !memcmp(p->text, "\xef\xbb\xbf", 3);
}

static bool string(struct peek *p, struct buf *ret)
{
	size_t unused;
	return jscan_string(p->text, p->len, &p->at, ret, &unused) == JSCAN_GOOD;
}

/* Over a value, to what stands behind it. */
static bool skip_value(struct peek *p)
{
	size_t depth = 0;
	for (char c; (c = next(p));) {
		if (!depth && (c == ',' || c == '}'))
			return true;
		if (c == '"') {
			if (!string(p, NULL))
				return false;
			continue;
		}
		if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && depth-- == 0)
			return false;
		p->at++;
	}
	return false;
}

int jpeek_text(const char *text, size_t len, const char *key, struct buf *ret)
{
	CLEANUP(buf_done) struct buf name = {};
	struct peek p = { text, len, 0 };
	/* A key stands there as it is, unless something is escaped: most files need no more. */
	if (!memmem(text, len, key, strlen(key)) && !memchr(text, '\\', len))
		return 0;
	p.at = is_byte_order_mark(&p) ? 3 : 0;
	char c = next(&p);
	for (bool first = true; c == (first ? '{' : ','); first = false) {
		p.at++;
		c = next(&p);
		if (first && c == '}')
			return 0;
		buf_clear(&name);
		if (c != '"' || !string(&p, &name) || next(&p) != ':')
			return -EBADMSG;
		p.at++;
		if (!strcmp(buf_text(&name), key))
			return next(&p) == '"' && string(&p, ret) ? 1 : -EBADMSG;
		if (!skip_value(&p))
			return -EBADMSG;
		c = next(&p);
	}
	return c == '}' ? 0 : -EBADMSG;
}
