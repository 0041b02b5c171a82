/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A list of strings that it owns. */
#include "util/strv.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

void strv_clear(struct strv *v)
{
	arena_done(&v->texts);
	v->n = 0;
	if (v->items)
		v->items[0] = NULL;
}

void strv_done(struct strv *v)
{
	arena_done(&v->texts);
	free(v->items);
	*v = (struct strv){};
}

/* @text: in v->texts, or as strv_push_static() says */
static void add(struct strv *v, char *text)
{
	if (v->n + 1 >= v->n_alloc)
		v->items = grow_array(v->items, &v->n_alloc, v->n + 1, sizeof(*v->items));
	v->items[v->n++] = text;
	v->items[v->n] = NULL;
}

void strv_push(struct strv *v, const char *text)
{
	add(v, arena_strdup(&v->texts, text));
}

void strv_push_static(struct strv *v, const char *text)
{
	char *same; /* execve(2) wants pointers to char, and changes nothing */
	memcpy(&same, &text, sizeof(same));
	add(v, same);
}

void strv_push_take(struct strv *v, char *text)
{
	strv_push(v, text);
	free(text);
}

void strv_push_join(struct strv *v, const char *a, const char *between, const char *b)
{
	add(v, arena_join(&v->texts, a, between, b));
}

void strv_pushf(struct strv *v, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	add(v, arena_vprintf(&v->texts, format, ap));
	va_end(ap);
}

void strv_extend(struct strv *v, const struct strv *from)
{
	size_t n = from->n; /* it may be @v itself */
	for (size_t i = 0; i < n; i++)
		strv_push(v, from->items[i]);
}

void strv_move(struct strv *to, struct strv *from)
{
	for (size_t i = 0; i < from->n; i++)
		add(to, from->items[i]);
	arena_move(&to->texts, &from->texts);
	strv_done(from);
}

bool strv_contains(const struct strv *v, const char *text)
{
	for (size_t i = 0; i < v->n; i++)
		if (!strcmp(v->items[i], text))
			return true;
	return false;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

bool strv_contains_sorted(const struct strv *v, const char *text)
{
	return v->n && bsearch(&text, v->items, v->n, sizeof(*v->items), compare);
}

void strv_sort(struct strv *v)
{
	if (v->n > 1)
		qsort(v->items, v->n, sizeof(*v->items), compare);
}

void strv_sort_unique(struct strv *v)
{
	size_t n = 0;
	strv_sort(v);
	for (size_t i = 0; i < v->n; i++)
		if (!n || strcmp(v->items[n - 1], v->items[i]) != 0)
			v->items[n++] = v->items[i];
	v->n = n;
	if (v->items)
		v->items[n] = NULL;
}
