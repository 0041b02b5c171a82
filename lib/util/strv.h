/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A list of strings that it owns, but for static ones; once something was added, items[n] is NULL,
 * as execve(2) wants.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "util/arena.h"

struct strv {
	char **items; /* NULL while empty and never filled */
	size_t n;
	size_t n_alloc;
	struct arena texts; /* what the items point to, where they are no static texts */
};

void strv_done(struct strv *v);
void strv_clear(struct strv *v);
/* Add a copy; _static: @text itself, which is not to go away or change before @v. */
void strv_push(struct strv *v, const char *text);
void strv_push_static(struct strv *v, const char *text);
/* The same, and release @text, which must be from malloc. */
void strv_push_take(struct strv *v, char *text);
/* Add @a, @between and @b in one text. */
void strv_push_join(struct strv *v, const char *a, const char *between, const char *b);
void strv_pushf(struct strv *v, const char *format, ...) PRINTF(2, 3);
/* Add copies of all of @from. */
void strv_extend(struct strv *v, const struct strv *from);
bool strv_contains(const struct strv *v, const char *text);
/* The same, faster, for a list in byte order. */
bool strv_contains_sorted(const struct strv *v, const char *text);
/* Move all of @from to the end; @from is empty then. */
void strv_move(struct strv *to, struct strv *from);
/* Byte order (strcmp). */
void strv_sort(struct strv *v);
/* The same, and of those that are equal one stays. */
void strv_sort_unique(struct strv *v);
