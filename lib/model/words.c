/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of words. */
#include "model/words.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "util/parse.h"

static void put_numbers(const struct word *word, const void *object, struct strv *out)
{
	const char *base = object;
	const int64_t *numbers = *(const int64_t *const *)(const void *)(base + word->offset);
	size_t n = *(const size_t *)(const void *)(base + word->n_offset);
	for (size_t i = 0; i < n; i++)
		strv_pushf(out, "%s=%" PRId64, word->name, numbers[i]);
}

void words_put(const struct word *table, const void *object, struct strv *out)
{
	for (const struct word *word = table; word->name; word++) {
		const char *at = (const char *)object + word->offset;
		switch (word->kind) {
		case WORD_TEXT:
			if (*(const char *const *)(const void *)at)
				strv_push_join(out, word->name, "=",
						*(const char *const *)(const void *)at);
			break;
		case WORD_BOOL:
			if (*(const bool *)at)
				strv_pushf(out, "%s=yes", word->name);
			break;
		case WORD_INT:
			if (*(const int *)(const void *)at)
				strv_pushf(out, "%s=%d", word->name,
						*(const int *)(const void *)at);
			break;
		case WORD_INT64:
			if (*(const int64_t *)(const void *)at)
				strv_pushf(out, "%s=%" PRId64, word->name,
						*(const int64_t *)(const void *)at);
			break;
		case WORD_INTS:
			put_numbers(word, object, out);
			break;
		case WORD_CHOICE:
			if (*(const int *)(const void *)at)
				strv_push_join(out, word->name, "=",
						word->names[*(const int *)(const void *)at]);
			break;
		}
	}
}

static void add_number(const struct word *word, void *object, int64_t number, struct arena *arena)
{
	int64_t **numbers = (void *)((char *)object + word->offset);
	size_t *n = (void *)((char *)object + word->n_offset);
	*numbers = words_append(arena, *numbers, *n, sizeof(**numbers));
	(*numbers)[(*n)++] = number;
}

static int parse_value(const struct word *word, const char *value, void *object,
		struct arena *arena, struct error *err)
{
	char *at = (char *)object + word->offset;
	int64_t number;
	switch (word->kind) {
	case WORD_TEXT:
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
	case WORD_INTS:
		if (parse_i64(value, &number) < 0)
			break;
		add_number(word, object, number, arena);
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
	return 0;
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
