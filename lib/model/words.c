/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of words. */
#include "model/words.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "util/parse.h"

void row_begin(struct buf *rows, const char *kind)
{
	buf_add(rows, kind, strlen(kind) + 1);
}

void row_add(struct buf *rows, const char *key, const char *value)
{
	buf_puts(rows, key);
	buf_putc(rows, '=');
	buf_add(rows, value, strlen(value) + 1);
}

void row_addf(struct buf *rows, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	buf_vprintf(rows, format, ap);
	va_end(ap);
	buf_putc(rows, '\0');
}

void row_end(struct buf *rows)
{
	buf_putc(rows, '\0');
}

/* A member of @object, whatever it is. */
static const void *member(const void *object, size_t offset)
{
	return (const char *)object + offset;
}

static size_t length(const void *object, size_t offset)
{
	return *(const size_t *)member(object, offset);
}

static void put_word(struct buf *rows, const struct word *word, const void *object)
{
	const void *at = member(object, word->offset);
	switch (word->kind) {
	case WORD_TEXT:
	case WORD_PATH:
		if (*(const char *const *)at)
			row_add(rows, word->name, *(const char *const *)at);
		break;
	case WORD_BOOL:
		if (*(const bool *)at)
			row_add(rows, word->name, "yes");
		break;
	case WORD_INT:
		if (*(const int *)at)
			row_addf(rows, "%s=%d", word->name, *(const int *)at);
		break;
	case WORD_INT64:
		if (*(const int64_t *)at)
			row_addf(rows, "%s=%" PRId64, word->name, *(const int64_t *)at);
		break;
	case WORD_TEXTS:
		for (size_t i = 0; i < length(object, word->n_offset); i++)
			row_add(rows, word->name, (*(const char *const *const *)at)[i]);
		break;
	case WORD_INTS:
		for (size_t i = 0; i < length(object, word->n_offset); i++)
			row_addf(rows, "%s=%" PRId64, word->name, (*(const int64_t *const *)at)[i]);
		break;
	case WORD_CHOICE:
		if (*(const int *)at)
			row_add(rows, word->name, word->names[*(const int *)at]);
		break;
	}
}

void row_put(struct buf *rows, const char *kind, const struct word *table, const void *object)
{
	row_begin(rows, kind);
	for (const struct word *word = table; word->name; word++)
		put_word(rows, word, object);
	row_end(rows);
}

/* Item @i of the array of a kind. */
static void *item_of(const struct row_kind *kind, const void *owner, size_t i)
{
	char *items; /* of a type that is not known here */
	memcpy(&items, member(owner, kind->offset), sizeof(items));
	return items + i * kind->size;
}

static void put_item(struct buf *rows, const struct row_kind *kind, const void *item)
{
	while (kind->has && !kind->has(item))
		kind++;
	row_put(rows, kind->name, kind->words, item);
	if (kind->part)
		for (size_t i = 0; i < length(item, kind->part->n_offset); i++)
			put_item(rows, kind->part, item_of(kind->part, item, i));
}

void rows_put(struct buf *rows, const struct row_kind *kinds, const void *owner)
{
	for (const struct row_kind *kind = kinds; kind->name; kind++) {
		if (kind > kinds && kind->offset == kind[-1].offset)
			continue;
		for (size_t i = 0; i < length(owner, kind->n_offset); i++)
			put_item(rows, kind, item_of(kind, owner, i));
	}
}

/* A new item, all zeros, at the end of an array of @owner. */
static void *append(void *owner, size_t offset, size_t n_offset, size_t size, struct arena *arena)
{
	char *at = (char *)owner + offset, *items; /* of a type that is not known here */
	size_t *n = (void *)((char *)owner + n_offset);
	memcpy(&items, at, sizeof(items));
	items = words_append(arena, items, *n, size);
	memcpy(at, &items, sizeof(items));
	return memset(items + (*n)++ * size, 0, size);
}

static int parse_value(const struct word *word, const char *value, void *object,
		struct arena *arena, struct error *err)
{
	char *at = (char *)object + word->offset;
	int64_t number;
	switch (word->kind) {
	case WORD_TEXT:
	case WORD_PATH:
		if (word->kind == WORD_PATH && value[0] != '/')
			break;
		*(const char **)(void *)at = arena_strdup(arena, value);
		return 0;
	case WORD_BOOL:
		if (strcmp(value, "yes") != 0)
			break;
		*(bool *)at = true;
		return 0;
	case WORD_INT:
		if (parse_int(value, 0, 65535, (int *)(void *)at) < 0)
			break;
		return 0;
	case WORD_INT64:
		if (parse_i64(value, &number) < 0)
			break;
		*(int64_t *)(void *)at = number;
		return 0;
	case WORD_TEXTS:
		*(const char **)append(object, word->offset, word->n_offset, sizeof(value), arena) =
				arena_strdup(arena, value);
		return 0;
	case WORD_INTS:
		if (parse_i64(value, &number) < 0)
			break;
		*(int64_t *)append(object, word->offset, word->n_offset, sizeof(number), arena) =
				number;
		return 0;
	case WORD_CHOICE:
		for (int i = 0; word->names[i]; i++) {
			if (strcmp(value, word->names[i]) != 0)
				continue;
			*(int *)(void *)at = i;
			return 0;
		}
		break;
	}
	return error_set(err, EINVAL, "'%s' has the value '%s', which is not understood",
			word->name, value);
}

/* Does @object have no value for it? */
static bool is_missing(const struct word *word, const void *object)
{
	const void *at = member(object, word->offset);
	return word->needed &&
	       (word->kind == WORD_INT ? !*(const int *)at : !*(const char *const *)at);
}

int words_parse(const struct word *table, const struct strv *words, void *object,
		struct arena *arena, struct error *err)
{
	for (size_t i = 1; i < words->n; i++) {
		const char *equals = strchr(words->items[i], '=');
		size_t len = equals ? (size_t)(equals - words->items[i]) : 0;
		const struct word *word = table;
		while (word->name &&
				(strlen(word->name) != len ||
						strncmp(word->name, words->items[i], len) != 0))
			word++;
		if (!equals || !word->name)
			return error_set(err, EINVAL, "'%s' is not understood", words->items[i]);
		int r = parse_value(word, equals + 1, object, arena, err);
		if (r < 0)
			return r;
	}
	for (const struct word *word = table; word->name; word++)
		if (is_missing(word, object))
			return error_set(err, EINVAL, "a '%s' has no '%s'", words->items[0],
					word->name);
	return 0;
}

static int parse_item(const struct row_kind *kind, const struct strv *words, void *owner,
		struct arena *arena, struct error *err)
{
	void *item = append(owner, kind->offset, kind->n_offset, kind->size, arena);
	int r = words_parse(kind->words, words, item, arena, err);
	return r < 0 || !kind->check ? r : kind->check(item, arena, err);
}

int row_parse(const struct row_kind *kinds, const struct strv *words, void *owner,
		struct arena *arena, struct error *err)
{
	const char *name = words->items[0];
	for (const struct row_kind *kind = kinds; kind->name; kind++) {
		if (!strcmp(name, kind->name))
			return parse_item(kind, words, owner, arena, err);
		if (!kind->part || strcmp(name, kind->part->name) != 0)
			continue;
		size_t n = length(owner, kind->n_offset);
		if (!n)
			return error_set(err, EINVAL, "a '%s' comes before any '%s'", name,
					kind->name);
		return parse_item(kind->part, words, item_of(kind, owner, n - 1), arena, err);
	}
	return 1;
}

void *words_append(struct arena *arena, const void *items, size_t n, size_t size)
{
	/* There is room for a power of two. */
	if (n & (n - 1)) {
		void *same;
		memcpy(&same, &items, sizeof(same));
		return same;
	}
	void *grown = arena_array(arena, n ? 2 * n : 1, size);
	if (n)
		memcpy(grown, items, n * size);
	return grown;
}
