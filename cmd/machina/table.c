/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Aligned columns. */
#include "table.h"

#include <locale.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>

#include "util/mem.h"
#include "util/visible.h"

#define COLUMN_GAP 2

struct cell {
	char *text; /* made visible */
	enum style style;
};

void table_done(struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->cells[i].text);
	free(t->cells);
	t->cells = NULL;
	t->n = t->n_alloc = 0;
}

void table_add(struct table *t, enum style style, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	CLEANUP(freep) char *text = xvasprintf(format, ap);
	va_end(ap);
	CLEANUP(buf_done) struct buf visible = {};
	visible_add(&visible, text, strlen(text), SIZE_MAX);
	t->cells = grow_array(t->cells, &t->n_alloc, t->n, sizeof(*t->cells));
	t->cells[t->n++] = (struct cell){ buf_take(&visible), style };
}

/* glibc knows the width of a character in a UTF-8 locale only, whatever the user's is. */
static size_t wide_width(const char *text)
{
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	locale_t before = utf8 ? uselocale(utf8) : (locale_t)0;
	mbstate_t state = {};
	size_t width = 0;

	while (*text) {
		wchar_t c;
		size_t n = mbrtowc(&c, text, strlen(text), &state);
		if (n == (size_t)-1 || n == (size_t)-2) {
			state = (mbstate_t){};
			n = 1;
			c = '?';
		}
		int w = wcwidth(c);
		width += w < 0 ? 1 : (size_t)w;
		text += n;
	}
	if (utf8) {
		uselocale(before);
		freelocale(utf8);
	}
	return width;
}

size_t display_width(const char *text)
{
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c >= 0x80)
			return wide_width(text);
	return strlen(text);
}

static bool has_titles(const struct table *t)
{
	for (size_t i = 0; i < t->n_columns; i++)
		if (t->columns[i].title)
			return true;
	return false;
}

/* Widths of the columns, 0 for those that are left out. */
static size_t *measure(const struct table *t)
{
	size_t *widths = xcalloc(t->n_columns, sizeof(*widths));
	for (size_t i = 0; i < t->n; i++) {
		size_t width = display_width(t->cells[i].text), k = i % t->n_columns;
		size_t widest = t->columns[k].widest;
		if (widest && width > widest)
			width = 1;
		if (width > widths[k])
			widths[k] = width;
	}
	for (size_t i = 0; i < t->n_columns; i++) {
		size_t title = t->columns[i].title ? display_width(t->columns[i].title) : 0;
		if (widths[i] && title > widths[i])
			widths[i] = title;
	}
	return widths;
}

/* @cells: NULL for the line of titles; a last row may have fewer than there are columns */
static void put_row(const struct table *t, FILE *to, const size_t *widths, const struct cell *cells,
		size_t n_cells)
{
	size_t gap = 0;
	for (size_t i = 0; i < t->n_columns; i++) {
		if (!widths[i])
			continue;
		const char *title = t->columns[i].title ? t->columns[i].title : "";
		const char *text = !cells ? title : i < n_cells ? cells[i].text : "";
		size_t width = display_width(text);
		size_t pad = widths[i] > width ? widths[i] - width : 0;
		if (!text[0]) { /* no blanks at the end of a line */
			gap += widths[i] + COLUMN_GAP;
			continue;
		}
		bool right = t->columns[i].right;
		enum style style = cells ? cells[i].style : STYLE_HEAD;
		fprintf(to, "%*s", (int)(gap + (right ? pad : 0)), "");
		style_begin(to, style);
		fputs(text, to);
		style_end(to, style);
		gap = COLUMN_GAP + (right ? 0 : pad);
	}
	fputc('\n', to);
}

void table_print(const struct table *t, FILE *to)
{
	if (!t->n)
		return;
	CLEANUP(freep) size_t *widths = measure(t);
	if (has_titles(t))
		put_row(t, to, widths, NULL, 0);
	for (size_t i = 0; i < t->n; i += t->n_columns)
		put_row(t, to, widths, t->cells + i,
				t->n - i < t->n_columns ? t->n - i : t->n_columns);
}
