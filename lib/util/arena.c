/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that is released all at once. */
#include "util/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "util/buf.h"
#include "util/mem.h"

#define BLOCK_SIZE ((size_t)1024)

/*
 * Where a thousand machines are made one after another, each takes some dozens of blocks and
 * releases them: they wait here for the next, which costs a tenth of malloc(3) and free(3). The
 * address sanitizer is to see each use after a release, so that there none waits.
 */
#if defined(ADDRESS_SANITIZER)
#define N_SPARE_MAX 0
#else
#define N_SPARE_MAX 64
#endif

struct arena_block {
	struct arena_block *next;
	size_t size;
	alignas(max_align_t) unsigned char data[];
};

static struct arena_block *spare;
static unsigned n_spare;

static struct arena_block *new_block(size_t size)
{
	struct arena_block *b = spare;
	if (b && size == BLOCK_SIZE) {
		spare = b->next;
		n_spare--;
		return b;
	}
	b = xmalloc(sizeof(*b) + size);
	b->size = size;
	return b;
}

static void release_block(struct arena_block *b)
{
	if (b->size != BLOCK_SIZE || n_spare == N_SPARE_MAX) {
		free(b);
		return;
	}
	b->next = spare;
	spare = b;
	n_spare++;
}

void arena_done(struct arena *a)
{
	struct arena_block *b = a->blocks;
	while (b) {
		struct arena_block *next = b->next;
		release_block(b);
		b = next;
	}
	*a = (struct arena){};
}

/* @size bytes that hold anything. */
static void *take(struct arena *a, size_t size)
{
	if (size > SIZE_MAX / 2)
		out_of_memory();
	size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (!a->blocks || a->blocks->size - a->used < size) {
		struct arena_block *b = new_block(size > BLOCK_SIZE ? size : BLOCK_SIZE);
		b->next = a->blocks;
		a->blocks = b;
		a->used = 0;
	}
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

char *arena_join(struct arena *arena, const char *a, const char *between, const char *b)
{
	size_t a_len = strlen(a), between_len = strlen(between), b_len = strlen(b);
	char *text = take(arena, a_len + between_len + b_len + 1);
	char *at = mempcpy(text, a, a_len);
	at = mempcpy(at, between, between_len);
	memcpy(at, b, b_len + 1);
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
