/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that lives as long as its owner: a machine's model is made of many small pieces that
 * are all released at once.
 *
 * `struct arena a = {};` is empty; arena_done() releases everything that came from it. Memory is
 * aligned for any type, and zeroed unless it holds a text. Out of memory ends the process, as in
 * util/mem.h.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#include "util/cleanup.h"

struct arena_block;

struct arena {
	struct arena_block *blocks; /* newest first */
	size_t used;		    /* in the newest block */
};

void arena_done(struct arena *a);
void *arena_alloc(struct arena *a, size_t size) __attribute__((returns_nonnull));
/* @n elements of @size bytes; the product is checked. */
void *arena_array(struct arena *a, size_t n, size_t size) __attribute__((returns_nonnull));
char *arena_strdup(struct arena *a, const char *text) __attribute__((returns_nonnull));
char *arena_strndup(struct arena *a, const char *text, size_t n) __attribute__((returns_nonnull));
char *arena_printf(struct arena *a, const char *format, ...) __attribute__((returns_nonnull))
PRINTF(2, 3);

char *arena_vprintf(struct arena *a, const char *format, va_list ap)
		__attribute__((returns_nonnull)) PRINTF(2, 0);

/* @a, @between and @b in one text. */
char *arena_join(struct arena *arena, const char *a, const char *between, const char *b)
		__attribute__((returns_nonnull));

/* What came from @from belongs to @to from now on, and @from is empty. */
void arena_move(struct arena *to, struct arena *from);

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
