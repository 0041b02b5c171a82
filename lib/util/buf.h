/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Growing text, always NUL-terminated.
 *
 * `struct buf b = {};` is an empty buffer; b.text is NULL until something was added, and
 * buf_text() gives "" then. NUL bytes may be added: the length counts.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#include "util/cleanup.h"

struct buf {
	char *text;
	size_t len; /* without the NUL */
	size_t n_alloc;
};

void buf_done(struct buf *b);
/* Back to empty, keeping the memory. */
void buf_clear(struct buf *b);
/* Back to the first @len bytes. */
void buf_truncate(struct buf *b, size_t len);
void buf_add(struct buf *b, const void *data, size_t len);
void buf_puts(struct buf *b, const char *text);
/* One character; in the header because text is often built that way. */
static inline void buf_putc(struct buf *b, char c);
/* printf(3); what is added must not lie in @b itself. */
void buf_printf(struct buf *b, const char *format, ...) PRINTF(2, 3);
void buf_vprintf(struct buf *b, const char *format, va_list ap) PRINTF(2, 0);
/* Room for @len more bytes without another allocation; returns where they go. */
char *buf_reserve(struct buf *b, size_t len);
/* Never NULL; valid until the next change. */
const char *buf_text(const struct buf *b);
/* Move the text out, "" if nothing was added; the caller frees it. */
char *buf_take(struct buf *b);

static inline void buf_putc(struct buf *b, char c)
{
	if (b->len + 1 >= b->n_alloc) {
		buf_add(b, &c, 1);
		return;
	}
	b->text[b->len++] = c;
	b->text[b->len] = '\0';
}
