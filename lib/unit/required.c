/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which other units a unit requires. */
#include "unit/service.h"

int unit_read_required(const char *name, const char *text, size_t len, struct strv *ret_units,
		struct error *err)
{
	CLEANUP(unitdoc_done) struct unitdoc doc = {};
	const struct unitdoc_entry *entry = NULL;
	int r = unitfile_parse(name, text, len, &doc, err);
	while (r == 0 && (entry = unitdoc_next(&doc, "Unit", "Requires", entry)))
		strv_push(ret_units, entry->value);
	return r;
}
