/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which other machines a machine's unit requires. */
#include <string.h>

#include "unit/service.h"
#include "util/mem.h"

int unit_read_required(const char *name, const char *text, size_t len, struct strv *ret_machines,
		struct error *err)
{
	static const char before[] = "machina-qemu-", after[] = ".service";
	const size_t n_around = strlen(before) + strlen(after);
	CLEANUP(unitdoc_done) struct unitdoc doc = {};
	const struct unitdoc_entry *entry = NULL;
	int r = unitfile_parse(name, text, len, &doc, err);
	while (r == 0 && (entry = unitdoc_next(&doc, "Unit", "Requires", entry))) {
		size_t n = strlen(entry->value);
		if (n <= n_around || strncmp(entry->value, before, strlen(before)) != 0 ||
				strcmp(entry->value + n - strlen(after), after) != 0)
			continue;
		strv_push_take(ret_machines, xstrndup(entry->value + strlen(before), n - n_around));
	}
	return r;
}
