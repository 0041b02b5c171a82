/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows of words "key=value": how a plan stands in a unit. A table says which member of a struct
 * each word is; what has its default is left out.
 *
 *	static const struct word socket_words[] = {
 *		WORD(plan_socket, name, "name", TEXT),
 *		WORD(plan_socket, port, "port", INT),
 *		{},
 *	};
 */
#pragma once

#include <stddef.h>

#include "util/arena.h"
#include "util/error.h"
#include "util/strv.h"

enum word_kind {
	WORD_TEXT,   /* const char *; NULL is left out, "" is not */
	WORD_BOOL,   /* "yes" */
	WORD_INT,    /* int from 0 to 65535 */
	WORD_INT64,  /* int64_t */
	WORD_INTS,   /* const int64_t *, a word for each; their number is at n_offset, a size_t */
	WORD_CHOICE, /* an enum: index in @names */
};

struct word {
	const char *name; /* NULL ends a table */
	enum word_kind kind;
	size_t offset;
	size_t n_offset;	  /* INTS */
	const char *const *names; /* CHOICE; the first one is the default */
};

#define WORD(type, member, key, value)                                                             \
	{                                                                                          \
		.name = key, .kind = WORD_##value, .offset = offsetof(struct type, member)         \
	}
#define WORD_LIST(type, member, n_member, key)                                                     \
	{                                                                                          \
		.name = key, .kind = WORD_INTS, .offset = offsetof(struct type, member),           \
		.n_offset = offsetof(struct type, n_member)                                        \
	}
#define WORD_OF(type, member, key, values)                                                         \
	{                                                                                          \
		.name = key, .kind = WORD_CHOICE, .offset = offsetof(struct type, member),         \
		.names = values                                                                    \
	}

/* Append the words of @object. */
void words_put(const struct word *table, const void *object, struct strv *out);

/*
 * Read a row's words but for the first one into @object, which began as zeros. Texts are copied to
 * @arena.
 *
 * Errors: EINVAL for a word or a value that is not known.
 */
MUST_CHECK int words_parse(const struct word *table, const struct strv *words, void *object,
		struct arena *arena, struct error *err);

/* @items with room for one more: themselves, or a copy, for arena memory can't grow in place.
 *
 * @items: from this function, for one item less; NULL for the first */
void *words_append(struct arena *arena, const void *items, size_t n, size_t size);
