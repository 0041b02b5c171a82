/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Findings in the user's files: collected, freed of repeats, sorted, made into lines. */
#include "json/report.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "json/jtext.h"
#include "util/fnv.h"
#include "util/mem.h"

static void finding_done(struct finding *f)
{
	free(f->file);
	free(f->pointer);
	free(f->text);
	free(f->chain);
}

void report_done(struct report *r)
{
	for (size_t i = 0; i < r->n; i++)
		finding_done(&r->items[i]);
	free(r->items);
	free(r->index);
	*r = (struct report){};
}

/* A missing text and an empty one differ. */
static uint64_t hash_text(uint64_t hash, const char *text)
{
	return text ? fnv_add(hash, text, strlen(text) + 1) : hash * 31;
}

static size_t finding_hash(const struct finding *f)
{
	uint64_t hash = FNV_BEGIN ^ (f->line << 20) ^ f->column;
	hash = hash_text(hash_text(hash_text(hash, f->file), f->pointer), f->text);
	return (size_t)(hash ^ hash >> 32);
}

static bool text_equal(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool finding_equal(const struct finding *a, const struct finding *b)
{
	return a->severity == b->severity && a->line == b->line && a->column == b->column &&
	       text_equal(a->file, b->file) && text_equal(a->pointer, b->pointer) &&
	       text_equal(a->text, b->text);
}

/* The place in the index where an equal finding is, or where it would go. */
static size_t *index_slot(const struct report *r, const struct finding *f)
{
	size_t i = finding_hash(f) & (r->n_index - 1);
	while (r->index[i] && !finding_equal(&r->items[r->index[i] - 1], f))
		i = (i + 1) & (r->n_index - 1);
	return &r->index[i];
}

/* Grown to at least twice the number of findings, or made anew after sorting. */
static void index_rebuild(struct report *r)
{
	free(r->index);
	r->n_index = r->n_index ? r->n_index : 16;
	while (r->n_index < 4 * (r->n + 1))
		r->n_index *= 2;
	r->index = xcalloc(r->n_index, sizeof(*r->index));
	for (size_t i = 0; i < r->n; i++)
		*index_slot(r, &r->items[i]) = i + 1;
}

/* Takes over all that @f owns. */
static void add_take(struct report *r, struct finding *f)
{
	if (f->severity == SEVERITY_ERROR)
		r->n_errors_told++;
	if (r->n_index < 2 * (r->n + 1))
		index_rebuild(r);
	size_t *slot = index_slot(r, f);
	if (*slot) {
		finding_done(f);
		return;
	}
	r->items = grow_array(r->items, &r->n_alloc, r->n, sizeof(*r->items));
	f->number = r->n;
	r->items[r->n++] = *f;
	*slot = r->n;
	if (f->severity == SEVERITY_ERROR)
		r->n_errors++;
}

void report_vadd(struct report *r, enum severity severity, struct where at, const char *pointer,
		const char *chain, const char *format, va_list ap)
{
	struct finding f = {
		.severity = severity,
		.file = xstrdup_null(at.file),
		.line = at.line,
		.column = at.column,
		.pointer = xstrdup_null(pointer),
		.text = xvasprintf(format, ap),
		.chain = xstrdup_null(chain),
	};
	add_take(r, &f);
}

void report_add(struct report *r, enum severity severity, struct where at, const char *pointer,
		const char *chain, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	report_vadd(r, severity, at, pointer, chain, format, ap);
	va_end(ap);
}

void report_withhold(struct report *r, enum severity severity)
{
	if (severity == SEVERITY_ERROR)
		r->n_errors_told++;
}

void report_error(struct report *r, const struct error *err)
{
	report_add(r, SEVERITY_ERROR, err->at, NULL, NULL, "%s", err->text);
}

static int compare(const void *pa, const void *pb)
{
	const struct finding *a = pa, *b = pb;
	if (!a->file != !b->file)
		return a->file ? 1 : -1;
	int r = a->file ? strcmp(a->file, b->file) : 0;
	if (r)
		return r;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	if (a->column != b->column)
		return a->column < b->column ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

void report_sort(struct report *r)
{
	if (!r->n)
		return;
	qsort(r->items, r->n, sizeof(*r->items), compare);
	index_rebuild(r);
}

void finding_format(const struct finding *f, struct buf *out)
{
	if (f->file) {
		text_printable(out, f->file, strlen(f->file));
		if (f->line)
			buf_printf(out, ":%zu:%zu", f->line, f->column);
		buf_puts(out, ": ");
	}
	if (f->pointer && *f->pointer) {
		text_printable(out, f->pointer, strlen(f->pointer));
		buf_puts(out, ": ");
	}
	text_printable(out, f->text, strlen(f->text));
	if (f->chain) {
		buf_puts(out, " (");
		text_printable(out, f->chain, strlen(f->chain));
		buf_putc(out, ')');
	}
}
