/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Growing text. */
#include "util/buf.h"

#include <stdint.h>
#include <string.h>

#include "util/mem.h"

/* Holds most texts: one option of QEMU, one path. */
#define ALLOC_MIN ((size_t)128)

void buf_borrow(struct buf *b, char *room, size_t size)
{
	room[0] = '\0';
	*b = (struct buf){ .text = room, .n_alloc = size, .borrowed = true };
}

void buf_done(struct buf *b)
{
	if (!b->borrowed)
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

void buf_grow(struct buf *b, size_t len)
{
	if (len > SIZE_MAX / 2 - b->len - 1)
		out_of_memory();
	size_t wanted = b->len + len + 1, grown = b->n_alloc ? b->n_alloc * 2 : ALLOC_MIN;
	if (grown < wanted)
		grown = wanted;
	if (b->text && !b->borrowed)
		b->text = xreallocarray(b->text, grown, 1);
	else
		b->text = memcpy(xmalloc(grown), buf_text(b), b->len + 1);
	b->n_alloc = grown;
	b->borrowed = false;
}

const char *buf_text(const struct buf *b)
{
	return b->text ? b->text : "";
}

bool buf_equal(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && !memcmp(buf_text(a), buf_text(b), a->len);
}

char *buf_take(struct buf *b)
{
	char *text = b->text;
	if (!text || b->borrowed) {
		text = xmalloc(b->len + 1);
		memcpy(text, buf_text(b), b->len + 1);
	}
	*b = (struct buf){};
	return text;
}
