/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Allocation that does not fail. */
#include "util/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/buf.h"

void out_of_memory(void)
{
	/* No stdio here: it may want memory itself. */
	static const char text[] = "machina: error: out of memory\n";
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(1);
}

void *xgiven(void *object)
{
	if (!object)
		out_of_memory();
	return object;
}

void *xmalloc(size_t size)
{
	return xgiven(malloc(size ? size : 1));
}

void *xcalloc(size_t n, size_t size)
{
	return xgiven(calloc(n ? n : 1, size ? size : 1));
}

void *xreallocarray(void *p, size_t n, size_t size)
{
	return xgiven(reallocarray(p, n ? n : 1, size ? size : 1));
}

char *xstrdup(const char *s)
{
	return xstrndup(s, strlen(s));
}

char *xstrdup_null(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

char *xstrndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *copy = xmalloc(len + 1);
	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *xasprintf(const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	char *text = xvasprintf(format, ap);
	va_end(ap);
	return text;
}

char *xvasprintf(const char *format, va_list ap)
{
	CLEANUP(buf_done) struct buf text = {};
	buf_vprintf(&text, format, ap);
	return buf_take(&text);
}

void *grow_array(void *items, size_t *n_alloc, size_t n, size_t item_size)
{
	if (n < *n_alloc)
		return items;
	size_t wanted = *n_alloc ? *n_alloc * 2 : 8;
	items = xreallocarray(items, wanted, item_size);
	*n_alloc = wanted;
	return items;
}
