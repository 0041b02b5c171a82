/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is said of a name that the host's config does not have. */
#include <string.h>

#include "json/jlocate.h"
#include "json/jnames.h"
#include "model/build.h"
#include "util/mem.h"

void build_unknown(struct build *b, const struct reference *ref, const char *const *known, size_t n)
{
	CLEANUP(buf_done) struct buf text = {}, entry = {};
	jpointer_push(&entry, ref->section);
	jpointer_push(&entry, ref->name ? ref->name : "");
	if (host_is_flawed(b->host, buf_text(&entry))) {
		report_withhold(b->report, SEVERITY_ERROR);
		return;
	}
	if (ref->owner)
		buf_printf(&text, "%s '%s'", ref->owner, ref->owner_name ? ref->owner_name : "");
	if (ref->name && ref->name[0]) {
		buf_printf(&text, "%sthe host's config has no %s '%s'", ref->owner ? ": " : "",
				ref->kind, ref->name);
		jnames_hint(&text, ref->name, known, n);
	} else {
		buf_printf(&text, " needs \"%s\": a %s of the host's config, which has ", ref->key,
				ref->kind);
		if (!jnames_list(&text, '\'', known, n))
			buf_puts(&text, n ? "many" : "none");
	}
	CLEANUP(freep) char *pointer = xasprintf("%s/%s", ref->pointer, ref->key);
	BUILD_ERROR(b, pointer, "%s", buf_text(&text));
}

/* Each struct of a map of the host's config begins with its key. */
const char **build_names(struct build *b, const struct jlist *map, size_t item_size)
{
	const char **names = arena_array(&b->vm->arena, map->n, sizeof(*names));
	for (size_t i = 0; i < map->n; i++)
		memcpy(&names[i], (const char *)map->items + i * item_size, sizeof(names[i]));
	return names;
}
