/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows of words "key=value": how a plan stands in a unit. A table says which member of a struct
 * each word is; what has its default is left out.
 *
 *	static const struct word socket_words[] = {
 *		WORD_NEEDED(plan_socket, name, "name", TEXT),
 *		WORD(plan_socket, port, "port", INT),
 *		{},
 *	};
 *
 * Another says which kinds of rows there are, and in which array the structs of each are:
 *
 *	static const struct row_kind kinds[] = {
 *		{ ROWS(plan, sockets, "socket", socket_words) },
 *		{},
 *	};
 *
 * Rows are written as one text: each word ends in NUL, and each row in one more.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/arena.h"
#include "util/buf.h"
#include "util/error.h"
#include "util/strv.h"

enum word_kind {
	WORD_TEXT,   /* const char *; NULL is left out, "" is not */
	WORD_PATH,   /* the same, which begins with '/' */
	WORD_BOOL,   /* "yes" */
	WORD_INT,    /* int from 0 to 65535 */
	WORD_INT64,  /* int64_t */
	WORD_TEXTS,  /* const char **, a word for each; their number is at n_offset, a size_t */
	WORD_INTS,   /* the same of int64_t */
	WORD_CHOICE, /* an enum: index in @names */
};

struct word {
	const char *name; /* NULL ends a table */
	enum word_kind kind;
	size_t offset;
	size_t n_offset;	  /* TEXTS, INTS */
	const char *const *names; /* CHOICE; the first one is the default */
	bool needed;		  /* a row without it is refused; TEXT, PATH, INT */
};

#define WORD(type, member, key, value)                                                             \
	{                                                                                          \
		.name = key, .kind = WORD_##value, .offset = offsetof(struct type, member)         \
	}
#define WORD_NEEDED(type, member, key, value)                                                      \
	{                                                                                          \
		.name = key, .kind = WORD_##value, .offset = offsetof(struct type, member),        \
		.needed = true                                                                     \
	}
#define WORD_LIST(type, member, n_member, key, value)                                              \
	{                                                                                          \
		.name = key, .kind = WORD_##value, .offset = offsetof(struct type, member),        \
		.n_offset = offsetof(struct type, n_member)                                        \
	}
#define WORD_OF(type, member, key, values)                                                         \
	{                                                                                          \
		.name = key, .kind = WORD_CHOICE, .offset = offsetof(struct type, member),         \
		.names = values                                                                    \
	}

/* A kind of rows, and the array of what they say: of the plan, or of what has them as parts. */
struct row_kind {
	const char *name; /* the first word; NULL ends a table */
	const struct word *words;
	size_t offset, n_offset; /* of the array, and of its length */
	size_t size;		 /* of an item */
	/* Kinds of one array stand together: an item is of the first that says so. NULL: all are */
	bool (*has)(const void *item);
	/* Rows of this kind follow the item of whose array they are; NULL: none do. */
	const struct row_kind *part;
	/* Is what was read complete? May add what follows from it. NULL: not asked */
	int (*check)(void *item, struct arena *arena, struct error *err);
};

#define ROWS(type, member, kind, table)                                                            \
	.name = kind, .words = table, .offset = offsetof(struct type, member),                     \
	.n_offset = offsetof(struct type, n_##member),                                             \
	.size = sizeof(*((struct type *)NULL)->member)

/* Add a row: @kind, then the words of @object. */
void row_put(struct buf *rows, const char *kind, const struct word *table, const void *object);
/* Add all rows of these kinds that @owner has. */
void rows_put(struct buf *rows, const struct row_kind *kinds, const void *owner);
/* A row that has no table: its kind, each word, its end. */
void row_begin(struct buf *rows, const char *kind);
void row_add(struct buf *rows, const char *key, const char *value);
void row_addf(struct buf *rows, const char *format, ...) PRINTF(2, 3);
void row_end(struct buf *rows);

/*
 * Read a row's words but for the first one into @object, which began as zeros. Texts are copied to
 * @arena.
 *
 * Errors: EINVAL for a word or a value that is not known, and for a word that is missing.
 */
MUST_CHECK int words_parse(const struct word *table, const struct strv *words, void *object,
		struct arena *arena, struct error *err);
/* Add what a row says to @owner. Returns 0, 1 if it is of none of these kinds, or -EINVAL. */
MUST_CHECK int row_parse(const struct row_kind *kinds, const struct strv *words, void *owner,
		struct arena *arena, struct error *err);

/* @items with room for one more: themselves, or a copy, for arena memory can't grow in place.
 *
 * @items: from this function, for one item less; NULL for the first */
void *words_append(struct arena *arena, const void *items, size_t n, size_t size);
