/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which other machines a machine's unit requires. */
#include "unit/service.h"

int unit_read_required(const char *name, const char *text, size_t len, struct strv *ret_machines,
		struct error *err)
{
	CLEANUP(unitdoc_done) struct unitdoc doc = {};
	const struct unitdoc_entry *entry = NULL;
	int r = unitfile_parse(name, text, len, &doc, err);
	while (r == 0 && (entry = unitdoc_next(&doc, "Unit", "Requires", entry))) {
		char *machine = unit_name_subject(UNIT_QEMU, entry->value);
		if (machine)
			strv_push_take(ret_machines, machine);
	}
	return r;
}
