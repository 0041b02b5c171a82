/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Claims on their way from one process to another. */
#include <string.h>

#include "model/claims.h"
#include "util/mem.h"

static const char *take(const char *from, void *ret, size_t len)
{
	memcpy(ret, from, len);
	return from + len;
}

void claims_pack(const struct claims *claims, struct buf *to)
{
	buf_add(to, &claims->names.n, sizeof(claims->names.n));
	for (size_t i = 0; i < claims->names.n; i++) {
		buf_add(to, claims->names.items[i], strlen(claims->names.items[i]) + 1);
		buf_add(to, &claims->selected[i], sizeof(claims->selected[i]));
	}
	buf_add(to, &claims->n, sizeof(claims->n));
	for (size_t i = 0; i < claims->n; i++) {
		const struct claim *c = &claims->items[i];
		buf_add(to, &c->hash, sizeof(c->hash));
		buf_add(to, &c->machine, sizeof(c->machine));
		buf_add(to, &c->shared, sizeof(c->shared));
	}
}

const char *claims_unpack(struct claims *claims, const char *from)
{
	uint32_t first = (uint32_t)claims->names.n;
	size_t n;
	from = take(from, &n, sizeof(n));
	for (size_t i = 0; i < n; i++) {
		const char *name = from;
		claims->selected = grow_array(claims->selected, &claims->n_selected_alloc,
				claims->names.n, sizeof(*claims->selected));
		from = take(name + strlen(name) + 1, &claims->selected[claims->names.n],
				sizeof(*claims->selected));
		strv_push(&claims->names, name);
	}
	from = take(from, &n, sizeof(n));
	for (size_t i = 0; i < n; i++) {
		struct claim c = {};
		from = take(from, &c.hash, sizeof(c.hash));
		from = take(from, &c.machine, sizeof(c.machine));
		from = take(from, &c.shared, sizeof(c.shared));
		c.machine += first;
		claims->items = grow_array(
				claims->items, &claims->n_alloc, claims->n, sizeof(*claims->items));
		claims->items[claims->n++] = c;
	}
	return from;
}
