/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Aligned columns. */
#include "cli/table.h"

#include <locale.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>

#include "util/mem.h"
#include "util/visible.h"

#define COLUMN_GAP 2
/* What a text that was cut ends in, and how many columns are left of one at least. */
#define CUT "..."
#define CUT_WIDTH_MIN 12

struct cell {
	size_t at;    /* its text, made visible, in the table's */
	size_t width; /* of that, in columns of a terminal */
	enum style style;
};

void table_done(struct table *t)
{
	free(t->cells);
	buf_done(&t->texts);
	t->cells = NULL;
	t->n = t->n_alloc = 0;
}

static const char *text_of(const struct table *t, const struct cell *cell)
{
	return t->texts.text + cell->at;
}

void table_add(struct table *t, enum style style, const char *format, ...)
{
	char room[200];
	CLEANUP(buf_done) struct buf text = {};
	buf_borrow(&text, room, sizeof(room));
	va_list ap;
	va_start(ap, format);
	buf_vprintf(&text, format, ap);
	va_end(ap);
	struct cell cell = { .at = t->texts.len, .style = style };
	visible_add(&t->texts, buf_text(&text), text.len, SIZE_MAX);
	buf_putc(&t->texts, '\0');
	cell.width = display_width(text_of(t, &cell));
	t->cells = grow_array(t->cells, &t->n_alloc, t->n, sizeof(*t->cells));
	t->cells[t->n++] = cell;
}

/* The beginning of a text. */
struct extent {
	size_t bytes, columns; /* of a terminal */
};

/* glibc knows the width of a character in a UTF-8 locale only, whatever the user's is. */
static struct extent fit_wide(const char *text, size_t max_columns)
{
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	locale_t before = utf8 ? uselocale(utf8) : (locale_t)0;
	mbstate_t state = {};
	struct extent e = {};

	while (text[e.bytes]) {
		wchar_t c;
		const char *at = &text[e.bytes];
		size_t n = mbrtowc(&c, at, strlen(at), &state);
		if (n == (size_t)-1 || n == (size_t)-2) {
			state = (mbstate_t){};
			n = 1;
			c = '?';
		}
		int w = wcwidth(c);
		size_t width = w < 0 ? 1 : (size_t)w;
		if (width > max_columns - e.columns)
			break;
		e.columns += width;
		e.bytes += n;
	}
	if (utf8) {
		uselocale(before);
		freelocale(utf8);
	}
	return e;
}

/* What of it is not wider than that. */
static struct extent fit(const char *text, size_t max_columns)
{
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c >= 0x80)
			return fit_wide(text, max_columns);
	size_t n = strnlen(text, max_columns);
	return (struct extent){ n, n };
}

size_t display_width(const char *text)
{
	return fit(text, SIZE_MAX).columns;
}

static bool has_titles(const struct table *t)
{
	for (size_t i = 0; i < t->n_columns; i++)
		if (t->columns[i].title)
			return true;
	return false;
}

static size_t title_width(const struct table *t, size_t i)
{
	return t->columns[i].title ? display_width(t->columns[i].title) : 0;
}

static void shrink(const struct table *t, size_t *widths)
{
	size_t total = 0;
	for (size_t i = 0; i < t->n_columns; i++)
		total += widths[i] ? widths[i] + (total ? COLUMN_GAP : 0) : 0;
	for (size_t i = 0; i < t->n_columns && total > t->max_width; i++) {
		size_t title = title_width(t, i);
		size_t least = title > CUT_WIDTH_MIN ? title : CUT_WIDTH_MIN;
		if (!t->columns[i].shrinks || widths[i] <= least)
			continue;
		size_t excess = total - t->max_width, spare = widths[i] - least;
		size_t less = excess < spare ? excess : spare;
		widths[i] -= less;
		total -= less;
	}
}

/* Widths of the columns, 0 for those that are left out. */
static size_t *measure(const struct table *t)
{
	size_t *widths = xcalloc(t->n_columns, sizeof(*widths));
	for (size_t i = 0; i < t->n; i++) {
		size_t width = t->cells[i].width, k = i % t->n_columns;
		size_t widest = t->columns[k].widest;
		if (widest && width > widest)
			width = 1;
		if (width > widths[k])
			widths[k] = width;
	}
	for (size_t i = 0; i < t->n_columns; i++) {
		size_t title = title_width(t, i);
		if (widths[i] && title > widths[i])
			widths[i] = title;
	}
	if (t->max_width)
		shrink(t, widths);
	return widths;
}

/* How wide a cell may be: into what is free behind it, too. */
static size_t room_of(const struct table *t, const size_t *widths, const struct cell *cells,
		size_t n_cells, size_t i)
{
	size_t begin = 0;
	if (!t->max_width || !t->columns[i].shrinks)
		return SIZE_MAX;
	for (size_t k = i + 1; k < n_cells; k++)
		if (text_of(t, &cells[k])[0])
			return widths[i];
	for (size_t k = 0; k < i; k++)
		begin += widths[k] ? widths[k] + COLUMN_GAP : 0;
	return begin + widths[i] < t->max_width ? t->max_width - begin : widths[i];
}

static void put_blanks(FILE *to, size_t n)
{
	while (n-- > 0)
		fputc(' ', to);
}

/* @cells: NULL for the line of titles; a last row may have fewer than there are columns */
static void put_row(const struct table *t, FILE *to, const size_t *widths, const struct cell *cells,
		size_t n_cells)
{
	size_t gap = 0;
	for (size_t i = 0; i < t->n_columns; i++) {
		if (!widths[i])
			continue;
		const struct cell *cell = cells && i < n_cells ? &cells[i] : NULL;
		const char *title = !cells && t->columns[i].title ? t->columns[i].title : "";
		const char *text = cell ? text_of(t, cell) : title;
		if (!text[0]) { /* no blanks at the end of a line */
			gap += widths[i] + COLUMN_GAP;
			continue;
		}
		size_t room = cell ? room_of(t, widths, cells, n_cells, i) : SIZE_MAX;
		size_t width = cell ? cell->width : display_width(title), bytes = SIZE_MAX;
		const char *cut = "";
		if (width > room) {
			struct extent kept = fit(text, room - strlen(CUT));
			bytes = kept.bytes;
			cut = CUT;
			width = kept.columns + strlen(CUT);
		}
		size_t pad = widths[i] > width ? widths[i] - width : 0;
		bool right = t->columns[i].right;
		enum style style = cell ? cell->style : STYLE_HEAD;
		put_blanks(to, gap + (right ? pad : 0));
		style_begin(to, style);
		fwrite(text, 1, strnlen(text, bytes), to);
		fputs(cut, to);
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
