/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What commands that write units print of them. */
#include "setup/unitset-print.h"

#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>

#include "cli/output.h"
#include "json/jtree.h"

void unit_preview_done(struct unit_preview *preview)
{
	json_object_put(preview->json);
	*preview = (struct unit_preview){};
}

void unit_preview_add(struct unit_preview *preview, const struct units *units)
{
	for (size_t i = 0; i < units->n; i++) {
		const struct unit *unit = &units->items[i];
		const char *dot = strrchr(unit->name, '.');
		/* The Go program's headings name services without their ending. */
		int len = dot && !strcmp(dot, ".service") ? (int)(dot - unit->name)
							  : (int)strlen(unit->name);
		if (preview->json)
			jtree_set(preview->json, unit->name, jtree_string(unit->text));
		else
			printf("%s----%.*s----\n%s", preview->n++ ? "\n" : "", len, unit->name,
					unit->text);
	}
}

static const char *const fates[] = {
	[UNIT_UNCHANGED] = "unchanged",
	[UNIT_WRITTEN] = "written",
	[UNIT_REMOVED] = "removed",
};
static const char *const fates_dry[] = {
	[UNIT_UNCHANGED] = "unchanged",
	[UNIT_WRITTEN] = "would write",
	[UNIT_REMOVED] = "would remove",
};

void unitset_print(const struct unitset *set, bool dry)
{
	for (size_t i = 0; i < set->n; i++) {
		const struct unitset_row *row = &set->rows[i];
		printf("%-*s %s\n", dry ? 12 : 9, (dry ? fates_dry : fates)[row->fate], row->name);
	}
}

void unitset_print_json(const struct unitset *set)
{
	struct json_object *object = jtree_object();
	for (size_t fate = 0; fate < ARRAY_SIZE(fates); fate++) {
		struct json_object *list = jtree_list();
		for (size_t i = 0; i < set->n; i++)
			if ((size_t)set->rows[i].fate == fate)
				jtree_push(list, jtree_string(set->rows[i].name));
		jtree_set(object, fates[fate], list);
	}
	print_json(object);
	json_object_put(object);
}
