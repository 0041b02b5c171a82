/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys of a config file as sections of its manual page. */
#include "cli/manpage-fields.h"

#include <inttypes.h>
#include <stdlib.h>

#include "cli/roff.h"
#include "config/machine.h"
#include "config/network.h"
#include "util/mem.h"

/* One object of the format and where it stands: "", "attrs.memory", "volumes[]", "storage.NAME". */
struct section {
	char *path;
	const struct field *fields;
	const char *doc;
};

/* Objects in the order of their depth, so that a table is shown where it is used first. */
struct sections {
	struct section *items;
	size_t n;
	size_t n_alloc;
};

static void sections_done(struct sections *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->items[i].path);
	free(s->items);
}

static void sections_push(
		struct sections *s, char *path, const struct field *fields, const char *doc)
{
	s->items = grow_array(s->items, &s->n_alloc, s->n, sizeof(*s->items));
	s->items[s->n++] = (struct section){ path, fields, doc };
}

static char *section_path(const char *parent, const struct field *f)
{
	return xasprintf("%s%s%s%s", parent, parent[0] ? "." : "", f->name,
			f->kind == FIELD_KIND_LIST  ? "[]"
			: f->kind == FIELD_KIND_MAP ? ".NAME"
						    : "");
}

static const char *const kind_texts[] = {
	[FIELD_KIND_BOOL] = "boolean",
	[FIELD_KIND_INT] = "integer",
	[FIELD_KIND_STRING] = "string",
	[FIELD_KIND_ENUM] = "string",
	[FIELD_KIND_STRINGS] = "list of strings",
	[FIELD_KIND_STRING_OR_LIST] = "string or list of strings",
	[FIELD_KIND_TERM] = "string or number",
	[FIELD_KIND_TERMS] = "string, number or list of such",
	[FIELD_KIND_SWITCH] = "boolean",
	[FIELD_KIND_OBJECT] = "object",
	[FIELD_KIND_LIST] = "list of objects",
	[FIELD_KIND_MAP] = "object of objects",
	[FIELD_KIND_INTS] = "list of integers",
	[FIELD_KIND_STRING_MAP] = "object of strings",
	[FIELD_KIND_SCALAR_MAP] = "object of strings, booleans and numbers",
	[FIELD_KIND_STRINGS_MAP] = "object of lists of strings",
	[FIELD_KIND_NOTE] = "anything",
};

static const char *const merge_texts[] = {
	[MERGE_FIRST] = NULL,
	[MERGE_FIELDS] = NULL,
	[MERGE_WHOLE] = "Taken whole from the first definition that names one.",
	[MERGE_NAMED] = "Entries of all definitions, the first of each name.",
	[MERGE_KEYS] = "Keys of all definitions, each from the first one that has it.",
	[MERGE_UNION] = "Strings of all definitions.",
	[MERGE_APPEND] = "Strings of all definitions, the machine's own last.",
	[MERGE_GATHER] = "Entries of all definitions, the machine's own first.",
	[MERGE_NEVER] = "Not inherited.",
};

static void put_names(FILE *to, const char *lead, const char *const *names)
{
	CLEANUP(buf_done) struct buf text = {};
	buf_puts(&text, lead);
	for (const char *const *n = names; *n; n++)
		buf_printf(&text, "%s%s", n == names ? " " : ", ", *n);
	buf_putc(&text, '.');
	roff_text(to, buf_text(&text));
}

static void put_kind(FILE *to, const struct field *f)
{
	fputs(kind_texts[f->kind], to);
	if (field_of_text(f))
		fputs(" or string", to);
	if (f->flags & FIELD_SWITCHED)
		fputs(" or boolean", to);
	for (const char *const *word = f->kind == FIELD_KIND_SWITCH ? f->names + 2 : NULL;
			word && *word; word++)
		fprintf(to, " or \"%s\"", *word);
	if (f->kind != FIELD_KIND_INT && f->kind != FIELD_KIND_INTS)
		return;
	if (f->min > INT64_MIN && f->max < INT64_MAX)
		fprintf(to, ", %" PRId64 " to %" PRId64, f->min, f->max);
	else if (f->min > INT64_MIN)
		fprintf(to, ", at least %" PRId64, f->min);
	else if (f->max < INT64_MAX)
		fprintf(to, ", at most %" PRId64, f->max);
}

static void put_default(FILE *to, const struct field *f)
{
	if (f->flags & FIELD_REQUIRED)
		fputs("Required.\n", to);
	if (f->kind == FIELD_KIND_BOOL)
		fprintf(to, "Default: %s.\n", f->default_bool ? "true" : "false");
	else if (f->default_text) {
		CLEANUP(freep) char *text = xasprintf("Default: %s.", f->default_text);
		roff_text(to, text);
	}
}

/* @see: where the object's keys are described, or NULL */
static void put_field(FILE *to, const struct field *f, const char *see, bool with_merge)
{
	fputs(".TP\n\\fB", to);
	roff_word(to, f->name);
	fputs("\\fR (", to);
	put_kind(to, f);
	fputs(")\n", to);
	roff_text(to, f->doc);
	if (f->kind == FIELD_KIND_ENUM)
		put_names(to, "One of", f->names);
	if (f->kind == FIELD_KIND_SCALAR_MAP && f->names)
		put_names(to, "Keys:", f->names);
	put_default(to, f);
	if (with_merge && merge_texts[f->merge])
		roff_text(to, merge_texts[f->merge]);
	if (see) {
		fputs("Keys: see ", to);
		roff_word(to, see);
		fputs(".\n", to);
	}
}

static const struct section *sections_find(const struct sections *s, const struct field *fields)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->items[i].fields == fields)
			return &s->items[i];
	return NULL;
}

static void put_section(FILE *to, struct sections *all, struct section section, bool with_merge)
{
	if (section.path[0]) {
		fputs(".SS ", to);
		roff_word(to, section.path);
		fputs("\n", to);
		roff_text(to, section.doc);
	}
	for (const struct field *f = section.fields; f->name; f++) {
		CLEANUP(freep) char *see = NULL;
		if (f->fields == tag_fields)
			see = xstrdup(PROGRAM_NAME "-machine(5)");
		else if (f->fields == network_fields)
			see = xstrdup(PROGRAM_NAME "-network(5)");
		else if (f->fields) {
			const struct section *known = sections_find(all, f->fields);
			if (!known) {
				sections_push(all, section_path(section.path, f), f->fields,
						f->doc);
				known = &all->items[all->n - 1];
			}
			see = xstrdup(known->path);
		}
		put_field(to, f, see, with_merge);
	}
}

void print_fields(FILE *to, const struct field *fields, bool with_merge)
{
	CLEANUP(sections_done) struct sections all = {};
	sections_push(&all, xstrdup(""), fields, NULL);
	/* The list grows while it is walked. */
	for (size_t i = 0; i < all.n; i++)
		put_section(to, &all, all.items[i], with_merge);
}
