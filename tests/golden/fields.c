/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prints the rows of the field tables, for check-types: "host /storage/# /path string", without the
 * space; "#" is a key that the user makes up, "0" an entry of a list. Behind the kind stand the
 * limits of a number, or the values or keys that are known.
 */
#include <inttypes.h>
#include <stdio.h>

#include "config/host.h"
#include "config/machine.h"
#include "util/mem.h"

static const char *const kinds[] = {
	[FIELD_KIND_BOOL] = "bool",
	[FIELD_KIND_INT] = "int",
	[FIELD_KIND_STRING] = "string",
	[FIELD_KIND_ENUM] = "enum",
	[FIELD_KIND_STRINGS] = "strings",
	[FIELD_KIND_STRING_OR_LIST] = "string-or-list",
	[FIELD_KIND_TERM] = "term",
	[FIELD_KIND_TERMS] = "terms",
	[FIELD_KIND_SWITCH] = "switch",
	[FIELD_KIND_OBJECT] = "object",
	[FIELD_KIND_LIST] = "list",
	[FIELD_KIND_MAP] = "map",
	[FIELD_KIND_INTS] = "ints",
	[FIELD_KIND_STRING_MAP] = "string-map",
	[FIELD_KIND_SCALAR_MAP] = "scalar-map",
	[FIELD_KIND_STRINGS_MAP] = "strings-map",
	[FIELD_KIND_NOTE] = "note",
};

static void print_fields(const char *format, const char *parent, const struct field *fields)
{
	for (const struct field *f = fields; f->name; f++) {
		CLEANUP(freep) char *path = xasprintf("%s/%s", parent, f->name);
		printf("%s %s %s", format, path, kinds[f->kind]);
		if (f->kind == FIELD_KIND_INT || f->kind == FIELD_KIND_INTS)
			printf(" %" PRId64 " %" PRId64, f->min, f->max);
		for (const char *const *name = f->names; name && *name; name++)
			printf(" %s", *name);
		putchar('\n');
		/* Tags have a listing of their own. */
		if (!f->fields || f->fields == tag_fields)
			continue;
		CLEANUP(freep)
		char *below = xasprintf("%s%s", path,
				f->kind == FIELD_KIND_MAP    ? "/#"
				: f->kind == FIELD_KIND_LIST ? "/0"
							     : "");
		print_fields(format, below, f->fields);
	}
}

int main(void)
{
	print_fields("host", "", host_fields);
	print_fields("machine", "", machine_fields);
	print_fields("tag", "", tag_fields);
	return 0;
}
