/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What machines inherit from their tags. */
#include "config/inherit.h"

#include <json-c/json_object.h>
#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

/* Different lists of tags. To look through more would cost what is saved. */
#define KEPT_MAX 32

struct inheritance {
	struct inherited *items[KEPT_MAX];
	size_t n;
	struct json_object *unknown;
	struct arena arena;
};

struct inheritance *inheritance_new(void)
{
	return xcalloc(1, sizeof(struct inheritance));
}

void inheritance_free(struct inheritance *inheritance)
{
	if (!inheritance)
		return;
	for (size_t i = 0; i < inheritance->n; i++)
		json_object_put(inheritance->items[i]->merged);
	json_object_put(inheritance->unknown);
	arena_done(&inheritance->arena);
	free(inheritance);
}

struct json_object *inheritance_unknown(struct inheritance *inheritance)
{
	if (!inheritance->unknown)
		inheritance->unknown = junknown(machine_fields);
	return inheritance->unknown;
}

static bool is_of(const struct inherited *inherited, const struct layer *layers, size_t n)
{
	if (inherited->n != n)
		return false;
	for (size_t i = 1; i < n; i++)
		if (inherited->layers[i].object != layers[i].object)
			return false;
	return true;
}

static void note(struct inheritance *inheritance, const struct layer *layers, size_t n)
{
	struct inherited *new = ARENA_NEW(&inheritance->arena, struct inherited);
	new->layers = arena_array(&inheritance->arena, n, sizeof(*layers));
	new->n = n;
	memcpy(new->layers, layers, n * sizeof(*layers));
	/* A machine that says nothing: some keys are never inherited. */
	new->layers[0].object = NULL;
	inheritance->items[inheritance->n++] = new;
}

const struct inherited *inheritance_find(
		struct inheritance *inheritance, const struct layer *layers, size_t n)
{
	struct inherited *found = NULL;
	for (size_t i = 0; i < inheritance->n && !found; i++)
		if (is_of(inheritance->items[i], layers, n))
			found = inheritance->items[i];
	if (!found && inheritance->n < KEPT_MAX)
		note(inheritance, layers, n);
	if (found && !found->merged) {
		found->merged = jmerge(machine_fields, found->layers, n, NULL, NULL);
		jbind(machine_fields, found->merged, &found->conf, &inheritance->arena);
	}
	return found;
}
