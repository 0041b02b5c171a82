/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Growing text. */
#include "util/buf.h"

#include <stdint.h>
#include <string.h>

#include "util/mem.h"

/* Holds most texts: one option of QEMU, one path. */
#define ALLOC_MIN ((size_t)128)

void buf_done(struct buf *b)
{
	free(b->text);
	*b = (struct buf){};
}

void buf_clear(struct buf *b)
{
	buf_truncate(b, 0);
}

void buf_truncate(struct buf *b, size_t len)
{
	if (len >= b->len)
		return;
	b->len = len;
	b->text[len] = '\0';
}

char *buf_reserve(struct buf *b, size_t len)
{
	if (len > SIZE_MAX / 2 - b->len - 1)
		out_of_memory();
	size_t wanted = b->len + len + 1;
	if (wanted > b->n_alloc) {
		size_t grown = b->n_alloc ? b->n_alloc * 2 : ALLOC_MIN;
		if (grown < wanted)
			grown = wanted;
		b->text = xreallocarray(b->text, grown, 1);
		b->n_alloc = grown;
		b->text[b->len] = '\0';
	}
	return b->text + b->len;
}

void buf_add(struct buf *b, const void *data, size_t len)
{
	char *to = buf_reserve(b, len);
	if (len)
		memcpy(to, data, len);
	to[len] = '\0';
	b->len += len;
}

void buf_puts(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

const char *buf_text(const struct buf *b)
{
	return b->text ? b->text : "";
}

char *buf_take(struct buf *b)
{
	char *text = b->text ? b->text : xstrdup("");
	*b = (struct buf){};
	return text;
}
