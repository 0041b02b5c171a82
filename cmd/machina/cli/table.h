/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Aligned columns.
 *
 *	static const struct column columns[] = { { "MACHINE" }, { "FOR", .right = true } };
 *	CLEANUP(table_done)
 *	struct table t = { .columns = columns, .n_columns = ARRAY_SIZE(columns) };
 *	table_add(&t, STYLE_PLAIN, "web");
 *	table_add(&t, STYLE_PLAIN, "%s", since);
 *	table_print(&t, stdout);
 *
 * A column whose cells are all empty is left out. On a terminal that is too narrow, columns that
 * may shrink do, the first of them first, and their cells end in "...". Widths are those of a
 *terminal: wide characters count two, combining ones nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "cli/output.h"
#include "util/buf.h"
#include "util/cleanup.h"

struct column {
	const char *title; /* NULL in all columns: no line of titles */
	bool right;	   /* align to the right */
	/* Not 0: wider cells don't widen the column; what follows in their row moves aside. So one
	 * long text does not spread out all rows. */
	size_t widest;
	bool shrinks;
};

struct cell;

struct table {
	const struct column *columns;
	size_t n_columns;
	size_t max_width;   /* terminal_columns(); 0: as wide as it gets */
	struct cell *cells; /* row by row */
	size_t n;
	size_t n_alloc;
	struct buf texts; /* of the cells, a NUL behind each */
};

void table_done(struct table *t);
/* The next cell of the row; after the last column a new row begins. */
void table_add(struct table *t, enum style style, const char *format, ...) PRINTF(3, 4);
/* The titles are left out when there is no row. */
void table_print(const struct table *t, FILE *to);

/* Columns that a text takes on a terminal. */
size_t display_width(const char *text);
