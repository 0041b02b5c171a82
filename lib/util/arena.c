/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that is released all at once. */
#include "util/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "util/mem.h"

#define BLOCK_SIZE ((size_t)8192)

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

void *arena_alloc(struct arena *a, size_t size)
{
	if (size > SIZE_MAX / 2)
		out_of_memory();
	size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (!a->blocks || a->blocks->size - a->used < size) {
		size_t wanted = size > BLOCK_SIZE ? size : BLOCK_SIZE;
		struct arena_block *b = xcalloc(1, sizeof(*b) + wanted);
		b->size = wanted;
		b->next = a->blocks;
		a->blocks = b;
		a->used = 0;
	}
	void *p = a->blocks->data + a->used;
	a->used += size;
	return p;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	size_t product;
	if (__builtin_mul_overflow(n, size, &product))
		out_of_memory();
	return arena_alloc(a, product);
}

char *arena_strdup(struct arena *a, const char *text)
{
	return arena_strndup(a, text, strlen(text));
}

char *arena_strndup(struct arena *a, const char *text, size_t n)
{
	size_t len = strnlen(text, n);
	char *copy = arena_alloc(a, len + 1);
	memcpy(copy, text, len);
	return copy;
}

char *arena_printf(struct arena *a, const char *format, ...)
{
	/* Most texts are short: they are formatted only once. */
	char text[128];
	va_list ap;
	va_start(ap, format);
	int n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (n < 0)
		out_of_memory();
	char *copy = arena_alloc(a, (size_t)n + 1);
	if ((size_t)n < sizeof(text)) {
		memcpy(copy, text, (size_t)n);
		return copy;
	}
	va_start(ap, format);
	vsnprintf(copy, (size_t)n + 1, format, ap);
	va_end(ap);
	return copy;
}
