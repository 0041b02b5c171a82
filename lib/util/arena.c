/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that is released all at once. */
#include "util/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "util/buf.h"
#include "util/mem.h"

/* Blocks double, so that a short list costs little and a long one few calls. */
#define BLOCK_SIZE_MIN ((size_t)256)
#define BLOCK_SIZE_MAX ((size_t)8192)

struct arena_block {
	struct arena_block *next;
	size_t size;
	alignas(max_align_t) unsigned char data[];
};

void arena_done(struct arena *a)
{
	struct arena_block *b = a->blocks;
	while (b) {
		struct arena_block *next = b->next;
		free(b);
		b = next;
	}
	*a = (struct arena){};
}

static void add_block(struct arena *a, size_t wanted)
{
	size_t size = a->blocks ? a->blocks->size * 2 : BLOCK_SIZE_MIN;
	if (size > BLOCK_SIZE_MAX)
		size = BLOCK_SIZE_MAX;
	if (size < wanted)
		size = wanted;
	struct arena_block *b = xmalloc(sizeof(*b) + size);
	b->size = size;
	b->next = a->blocks;
	a->blocks = b;
	a->used = 0;
}

/* @size bytes that hold anything. */
static void *take(struct arena *a, size_t size)
{
	if (size > SIZE_MAX / 2)
		out_of_memory();
	size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (!a->blocks || a->blocks->size - a->used < size)
		add_block(a, size);
	void *p = a->blocks->data + a->used;
	a->used += size;
	return p;
}

void *arena_alloc(struct arena *a, size_t size)
{
	return memset(take(a, size), 0, size);
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	size_t product;
	if (__builtin_mul_overflow(n, size, &product))
		out_of_memory();
	return arena_alloc(a, product);
}

/* @len bytes of text, and a NUL. */
static char *copy_text(struct arena *a, const char *text, size_t len)
{
	char *copy = take(a, len + 1);
	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

char *arena_strdup(struct arena *a, const char *text)
{
	return copy_text(a, text, strlen(text));
}

char *arena_strndup(struct arena *a, const char *text, size_t n)
{
	return copy_text(a, text, strnlen(text, n));
}

char *arena_vprintf(struct arena *a, const char *format, va_list ap)
{
	char room[200]; /* for nearly all */
	CLEANUP(buf_done) struct buf text = {};
	buf_borrow(&text, room, sizeof(room));
	buf_vprintf(&text, format, ap);
	return copy_text(a, buf_text(&text), text.len);
}

char *arena_printf(struct arena *a, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	char *text = arena_vprintf(a, format, ap);
	va_end(ap);
	return text;
}

void arena_move(struct arena *to, struct arena *from)
{
	if (!to->blocks) {
		*to = *from;
	} else if (from->blocks) {
		/* Behind the newest block, which goes on being filled. */
		struct arena_block *last = from->blocks;
		while (last->next)
			last = last->next;
		last->next = to->blocks->next;
		to->blocks->next = from->blocks;
	}
	*from = (struct arena){};
}
