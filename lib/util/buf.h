/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Growing text, always NUL-terminated.
 *
 * `struct buf b = {};` is an empty buffer; b.text is NULL until something was added, and
 * buf_text() gives "" then. NUL bytes may be added: the length counts.
 *
 * Where a great many short texts are made, a buffer can begin with memory that is there anyway, and
 * allocates only when that is too small:
 *
 *	char room[200];
 *	CLEANUP(buf_done) struct buf b = {};
 *	buf_borrow(&b, room, sizeof(room));
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "util/cleanup.h"

struct buf {
	char *text;
	size_t len; /* without the NUL */
	size_t n_alloc;
	bool borrowed; /* @text is not of the heap */
};

/* @b: empty; must not outlive @room, nor be moved out but by buf_take() */
void buf_borrow(struct buf *b, char *room, size_t size);

void buf_done(struct buf *b);
/* Back to empty, keeping the memory. */
void buf_clear(struct buf *b);
/* Back to the first @len bytes. */
void buf_truncate(struct buf *b, size_t len);
/* Bytes, a text, one character: in the header, because nearly all text is built that way. */
static inline void buf_add(struct buf *b, const void *data, size_t len);
static inline void buf_puts(struct buf *b, const char *text);
static inline void buf_putc(struct buf *b, char c);
/* printf(3); what is added must not lie in @b itself. */
void buf_printf(struct buf *b, const char *format, ...) PRINTF(2, 3);
void buf_vprintf(struct buf *b, const char *format, va_list ap) PRINTF(2, 0);
/* Room for @len more bytes without another allocation; returns where they go. */
static inline char *buf_reserve(struct buf *b, size_t len);
/* Never NULL; valid until the next change. */
const char *buf_text(const struct buf *b);
bool buf_equal(const struct buf *a, const struct buf *b) PURE;
/* Move the text out, "" if nothing was added; the caller frees it. */
char *buf_take(struct buf *b);

/* For buf_reserve() alone. */
void buf_grow(struct buf *b, size_t len);

static inline char *buf_reserve(struct buf *b, size_t len)
{
	/* The NUL is in n_alloc: where nothing is allocated, both are 0. */
	if (len >= b->n_alloc - b->len)
		buf_grow(b, len);
	return b->text + b->len;
}

static inline void buf_add(struct buf *b, const void *data, size_t len)
{
	char *to = buf_reserve(b, len);
	if (len)
		memcpy(to, data, len);
	to[len] = '\0';
	b->len += len;
}

static inline void buf_puts(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

static inline void buf_putc(struct buf *b, char c)
{
	char *to = buf_reserve(b, 1);
	to[0] = c;
	to[1] = '\0';
	b->len++;
}
