/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that is there: each call succeeds or ends the process with "out of memory" and status 1.
 *
 * A short-lived tool that writes files by atomic replacement has nothing to save when memory runs
 * out, and code without those error paths has fewer mistakes. Results are released with free().
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#include "util/cleanup.h"

void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
/* @n elements of @size zero bytes each; the product is checked. */
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
/* Grow or shrink to @n elements of @size bytes; the product is checked. */
void *xreallocarray(void *p, size_t n, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull)) NONNULL(1);
/* NULL stays NULL. */
char *xstrdup_null(const char *s);
char *xstrndup(const char *s, size_t n) __attribute__((malloc, returns_nonnull)) NONNULL(1);
char *xasprintf(const char *format, ...) __attribute__((malloc, returns_nonnull)) PRINTF(1, 2);
char *xvasprintf(const char *format, va_list ap) __attribute__((malloc, returns_nonnull))
PRINTF(1, 0);

/* For libraries that report it in their own way: the same message, the same exit. */
void out_of_memory(void) __attribute__((noreturn));
/* What such a library gives where it fails for want of memory alone: @object, which is there. */
void *xgiven(void *object) __attribute__((returns_nonnull));

/*
 * Make room for one more element in a growing array: @items has room for *@n_alloc and holds @n.
 *
 *	list->items = grow_array(list->items, &list->n_alloc, list->n, sizeof(*list->items));
 */
void *grow_array(void *items, size_t *n_alloc, size_t n, size_t item_size)
		__attribute__((returns_nonnull));
