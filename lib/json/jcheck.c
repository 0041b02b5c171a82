/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON objects against their field tables. */
#include <inttypes.h>
#include <json-c/linkhash.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "json/jbind.h"
#include "json/jfound.h"
#include "json/jknown.h"
#include "json/jlocate.h"
#include "json/jspoil.h"
#include "json/jtext.h"
#include "json/jtree.h"
#include "util/mem.h"
#include "util/parse.h"

#define MIB ((uint64_t)1 << 20)

struct check {
	const struct jdoc *doc;
	struct report *report;
	struct buf pointer; /* of the value that is looked at */
	unsigned n_findings;
};

static void check_object(struct check *c, const struct field *fields, struct json_object *object);

/* Nobody will see more, and to find out what was meant takes time. */
static bool has_enough(const struct check *c)
{
	return c->n_findings > JDOC_FINDINGS_MAX;
}

/* @on_key: the finding is about the value's key */
static void PRINTF(3, 4) add(struct check *c, bool on_key, const char *format, ...)
{
	if (has_enough(c))
		return;
	c->n_findings++;
	struct where at;
	const char *pointer = buf_text(&c->pointer);
	if (on_key)
		jlocate_key(c->doc, pointer, &at);
	else
		jlocate_value(c->doc, pointer, &at);
	if (has_enough(c)) {
		report_add(c->report, SEVERITY_ERROR, at, pointer, NULL,
				"checking stops here: %d mistakes were found in this file",
				JDOC_FINDINGS_MAX);
		return;
	}
	va_list ap;
	va_start(ap, format);
	report_vadd(c->report, SEVERITY_ERROR, at, pointer, NULL, format, ap);
	va_end(ap);
}

/* @with_type: as jfound_value() has it; @hint: what to write instead; NULL: nothing is sure */
static void wrong_value(struct check *c, struct json_object *value, const char *expected,
		bool with_type, const char *hint)
{
	CLEANUP(buf_done) struct buf found = {};
	jfound_value(&found, value, with_type);
	add(c, false, "expected %s, found %s%s%s", expected, buf_text(&found),
			hint ? "; write " : "", hint ? hint : "");
}

static void wrong_type(struct check *c, struct json_object *value, const char *expected)
{
	wrong_value(c, value, expected, true, NULL);
}

static bool is_type(struct check *c, struct json_object *value, enum json_type type,
		const char *expected)
{
	bool is = json_object_is_type(value, type);
	if (!is)
		wrong_type(c, value, expected);
	return is;
}

static void check_form(struct check *c, field_check *form, struct json_object *value)
{
	const char *expected = NULL;
	if (form && !form(jtree_text(value), &expected))
		wrong_value(c, value, expected, false, NULL);
}

static void check_string(struct check *c, field_check *form, struct json_object *value)
{
	const char *expected = NULL;
	if (json_object_is_type(value, json_type_string)) {
		check_form(c, form, value);
		return;
	}
	/* A number that would do as a text lacks the quotes, and only these. */
	CLEANUP(freep) char *quoted = NULL;
	if (json_object_is_type(value, json_type_int) &&
			(!form || form(jtree_text(value), &expected)))
		quoted = xasprintf("\"%s\"", jtree_text(value));
	wrong_value(c, value, "text in double quotes", true, quoted);
}

static void check_scalar(struct check *c, field_check *form, struct json_object *value)
{
	if (json_object_is_type(value, json_type_string))
		check_form(c, form, value);
	else if (json_object_is_type(value, json_type_array) ||
			json_object_is_type(value, json_type_object))
		wrong_type(c, value, "text in double quotes, a number, true or false");
}

static void check_term(struct check *c, field_check *form, struct json_object *value)
{
	if (json_object_is_type(value, json_type_string) ||
			json_object_is_type(value, json_type_int) ||
			json_object_is_type(value, json_type_double))
		check_form(c, form, value);
	else
		wrong_type(c, value, "text in double quotes or a number");
}

static void put_limits(struct buf *out, const struct field *f)
{
	if (f->min == f->max) {
		buf_printf(out, "the number %" PRId64, f->min);
		return;
	}
	buf_puts(out, "a whole number");
	if (f->unit)
		buf_printf(out, " of %s", f->unit);
	if (f->min != INT64_MIN && f->max != INT64_MAX)
		buf_printf(out, " from %" PRId64 " to %" PRId64, f->min, f->max);
	else if (f->min != INT64_MIN)
		buf_printf(out, " of at least %" PRId64, f->min);
	else if (f->max != INT64_MAX)
		buf_printf(out, " of at most %" PRId64, f->max);
}

/* The number that a string holds, if that is what is wanted; the caller frees it. */
static char *number_of(const struct field *f, struct json_object *value)
{
	int64_t number;
	uint64_t bytes;
	if (!json_object_is_type(value, json_type_string))
		return NULL;
	const char *text = jtree_text(value);
	if (parse_i64(text, &number) < 0) {
		if (!f->unit || strcmp(f->unit, "MiB") != 0 || parse_size(text, &bytes) < 0 ||
				bytes % MIB != 0)
			return NULL;
		number = (int64_t)(bytes / MIB);
	}
	return number >= f->min && number <= f->max ? xasprintf("%" PRId64, number) : NULL;
}

static void check_int(struct check *c, const struct field *f, struct json_object *value)
{
	bool is_int = json_object_is_type(value, json_type_int);
	int64_t number = json_object_get_int64(value);
	if (is_int && number >= f->min && number <= f->max)
		return;
	/* A field that may be 0 has no sign, and nothing below. */
	if (is_int && f->flags & FIELD_POSITIVE && f->min > 0 && number <= 0)
		return;
	CLEANUP(buf_done) struct buf expected = {};
	put_limits(&expected, f);
	CLEANUP(freep) char *hint = number_of(f, value);
	wrong_value(c, value, buf_text(&expected), true, hint);
}

/* A value that is one of @words, if not what @before says; "" for nothing. */
static void check_words(struct check *c, const char *const *words, const char *before,
		struct json_object *value)
{
	bool is_string = json_object_is_type(value, json_type_string);
	CLEANUP(buf_done) struct buf expected = {};
	buf_puts(&expected, before);
	for (size_t i = 0; words[i]; i++) {
		if (is_string && !strcmp(words[i], jtree_text(value)))
			return;
		buf_puts(&expected, !expected.len ? "" : words[i + 1] ? ", " : " or ");
		text_quoted(&expected, words[i]);
	}
	wrong_value(c, value, buf_text(&expected), !*words, NULL);
}

static void check_switch(struct check *c, const struct field *f, struct json_object *value)
{
	/* Those in front of the words are the booleans' names. */
	const char *const *words = f->names + 2;
	if (!json_object_is_type(value, json_type_boolean))
		check_words(c, words, *words ? "true, false" : "true or false", value);
}

/* The entries of a list of strings or numbers. */
static void check_entries(struct check *c, const struct field *f, struct json_object *list)
{
	size_t len = c->pointer.len;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *value = json_object_array_get_idx(list, i);
		jpointer_push_index(&c->pointer, i);
		if (jtree_is_flaw(value))
			; /* told when it was read */
		else if (f->kind == FIELD_KIND_INTS)
			check_int(c, f, value);
		else if (f->kind == FIELD_KIND_TERMS)
			check_term(c, f->check, value);
		else
			check_string(c, f->check, value);
		buf_truncate(&c->pointer, len);
	}
}

/* An entry of a list, for finding names that are there twice. */
struct entry {
	const char *name; /* "" when it has none */
	size_t index;
};

static int compare_entries(const void *pa, const void *pb)
{
	const struct entry *a = pa, *b = pb;
	int r = strcmp(a->name, b->name);
	return r ? r : a->index < b->index ? -1 : a->index > b->index;
}

static void push_entry(struct check *c, const struct entry *entry)
{
	jpointer_push_index(&c->pointer, entry->index);
	buf_puts(&c->pointer, *entry->name ? "/name" : "");
}

static void add_repeat(struct check *c, const struct entry *first, const struct entry *second,
		struct json_object *list)
{
	size_t len = c->pointer.len;
	struct where at;
	if (has_enough(c))
		return;
	push_entry(c, first);
	jlocate_value(c->doc, buf_text(&c->pointer), &at);
	buf_truncate(&c->pointer, len);

	push_entry(c, second);
	CLEANUP(buf_done) struct buf name = {};
	text_quoted(&name, second->name);
	if (*second->name)
		add(c, false, "the name %s is given twice in this list; first at %zu:%zu",
				buf_text(&name), at.line, at.column);
	else
		add(c, false,
				"this entry has no name, and neither has the one at %zu:%zu; only "
				"one may be without",
				at.line, at.column);
	jspoil(json_object_array_get_idx(list, second->index), "name");
	buf_truncate(&c->pointer, len);
}

static void check_names(struct check *c, struct json_object *list)
{
	size_t n_all = json_object_array_length(list), n = 0;
	CLEANUP(freep) struct entry *entries = xcalloc(n_all + 1, sizeof(*entries));
	for (size_t i = 0; i < n_all; i++) {
		struct json_object *value = json_object_array_get_idx(list, i);
		if (!jspoil_is_nameless(value))
			entries[n++] = (struct entry){ jtree_get_text(value, "name"), i };
	}
	qsort(entries, n, sizeof(*entries), compare_entries);
	for (size_t i = 1, first = 0; i < n; i++) {
		if (strcmp(entries[i].name, entries[first].name) != 0)
			first = i;
		else
			add_repeat(c, &entries[first], &entries[i], list);
	}
}

static void check_list(struct check *c, const struct field *f, struct json_object *list)
{
	size_t len = c->pointer.len;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *value = json_object_array_get_idx(list, i);
		jpointer_push_index(&c->pointer, i);
		if (!jtree_is_flaw(value) && is_type(c, value, json_type_object, "an object"))
			check_object(c, f->fields, value);
		buf_truncate(&c->pointer, len);
	}
	if (field_find(f->fields, "name"))
		check_names(c, list);
}

static void check_key(struct check *c, const struct field *f, const char *key)
{
	const char *expected = NULL;
	CLEANUP(buf_done) struct buf text = {};
	if (f->kind == FIELD_KIND_SCALAR_MAP && f->names) {
		if (jknown_complaint(NULL, f->names, key, &text, NULL))
			add(c, true, "%s", buf_text(&text));
	} else if (f->check_key && !f->check_key(key, &expected)) {
		text_quoted(&text, key);
		add(c, true, "expected %s, found the key %s", expected, buf_text(&text));
	}
}

static void check_strings(struct check *c, const struct field *f, struct json_object *value)
{
	if (is_type(c, value, json_type_array,
			    f->kind == FIELD_KIND_INTS ? "a list of whole numbers"
						       : "a list of strings"))
		check_entries(c, f, value);
}

/* An object, or what may stand for it; a key's or an entry of a map. */
static void check_member(struct check *c, const struct field *f, struct json_object *value)
{
	const struct field *text = field_of_text(f);
	bool has_path = f->flags & FIELD_PATH_TEXT, is_switched = f->flags & FIELD_SWITCHED;
	if (text && json_object_is_type(value, json_type_string))
		check_form(c, text->check, value);
	else if (!(is_switched && json_object_is_type(value, json_type_boolean)) &&
			is_type(c, value, json_type_object,
					has_path      ? "an object, or a path in double quotes"
					: text	      ? "an object, or text in double quotes"
					: is_switched ? "true, false or an object"
						      : "an object"))
		check_object(c, f->fields, value);
}

static void check_map(struct check *c, const struct field *f, struct json_object *map)
{
	size_t len = c->pointer.len;
	bool is_partial = false;
	json_object_object_foreach(map, key, value)
	{
		unsigned before = c->n_findings;
		if (has_enough(c))
			return;
		jpointer_push(&c->pointer, key);
		check_key(c, f, key);
		bool is_misnamed = c->n_findings > before;
		if (!value || jtree_is_flaw(value))
			; /* not set, or not to be known */
		else if (f->kind == FIELD_KIND_STRING_MAP)
			check_string(c, f->check, value);
		else if (f->kind == FIELD_KIND_SCALAR_MAP)
			check_scalar(c, f->check, value);
		else if (f->kind == FIELD_KIND_STRINGS_MAP)
			check_strings(c, f, value);
		else
			check_member(c, f, value);
		bool is_part = f->kind == FIELD_KIND_MAP &&
			       json_object_is_type(value, json_type_object);
		/* Who forgot a level, or misspelled a name, meant an entry of another name. */
		bool is_odd = is_misnamed || (c->n_findings > before && !is_part);
		is_partial |= is_misnamed || (is_odd && f->fields && field_find(f->fields, key));
		if (is_odd || jtree_is_doubtful(value))
			jspoil(map, key);
		buf_truncate(&c->pointer, len);
	}
	if (is_partial)
		jspoil_rest(map);
}

static void check_value(struct check *c, const struct field *f, struct json_object *value)
{
	bool is_string = json_object_is_type(value, json_type_string);
	switch (f->kind) {
	case FIELD_KIND_BOOL:
		is_type(c, value, json_type_boolean, "true or false");
		break;
	case FIELD_KIND_INT:
		check_int(c, f, value);
		break;
	case FIELD_KIND_STRING:
		check_string(c, f->check, value);
		break;
	case FIELD_KIND_ENUM:
		check_words(c, f->names, "", value);
		break;
	case FIELD_KIND_TERM:
		check_term(c, f->check, value);
		break;
	case FIELD_KIND_TERMS:
		if (json_object_is_type(value, json_type_array))
			check_entries(c, f, value);
		else
			check_term(c, f->check, value);
		break;
	case FIELD_KIND_SWITCH:
		check_switch(c, f, value);
		break;
	case FIELD_KIND_STRING_OR_LIST:
		if (is_string)
			check_form(c, f->check, value);
		else if (is_type(c, value, json_type_array,
					 "text in double quotes, or a list of such"))
			check_entries(c, f, value);
		break;
	case FIELD_KIND_STRINGS:
	case FIELD_KIND_INTS:
		check_strings(c, f, value);
		break;
	case FIELD_KIND_OBJECT:
		check_member(c, f, value);
		break;
	case FIELD_KIND_LIST:
		if (is_type(c, value, json_type_array, "a list of objects"))
			check_list(c, f, value);
		break;
	case FIELD_KIND_MAP:
	case FIELD_KIND_STRING_MAP:
	case FIELD_KIND_SCALAR_MAP:
	case FIELD_KIND_STRINGS_MAP:
		if (is_type(c, value, json_type_object, "an object"))
			check_map(c, f, value);
		break;
	case FIELD_KIND_NOTE:
		break;
	}
}

/* Is it a text that has to say something, and does not? */
static bool is_empty_text(const struct field *f, struct json_object *value)
{
	return f->flags & FIELD_REQUIRED && f->kind == FIELD_KIND_STRING &&
	       json_object_is_type(value, json_type_string) && !*jtree_text(value);
}

static void check_required(struct check *c, const struct field *fields, struct json_object *object)
{
	struct json_object *value;
	bool removes = json_object_object_get_ex(object, "remove", &value) &&
		       json_object_get_boolean(value);
	for (const struct field *f = fields; f->name; f++) {
		if (!(f->flags & FIELD_REQUIRED) || (removes && strcmp(f->name, "name") != 0))
			continue;
		if (!json_object_object_get_ex(object, f->name, &value) || !value) {
			add(c, false, "the key \"%s\" is missing", f->name);
			jspoil(object, f->name);
			continue;
		}
		size_t len = c->pointer.len;
		jpointer_push(&c->pointer, f->name);
		if (is_empty_text(f, value)) {
			add(c, false, "this must not be empty");
			jspoil(object, f->name);
		}
		buf_truncate(&c->pointer, len);
	}
}

static void check_object(struct check *c, const struct field *fields, struct json_object *object)
{
	size_t len = c->pointer.len;
	CLEANUP(strv_done) struct strv meant = {};
	json_object_object_foreach(object, key, value)
	{
		unsigned before = c->n_findings;
		if (has_enough(c))
			return;
		const struct field *f = field_find(fields, key);
		bool is_note = !f && (!strncmp(key, "x-", 2) || !strcmp(key, "$schema"));
		if (is_note || (f && (!value || jtree_is_flaw(value))))
			continue;
		jpointer_push(&c->pointer, key);
		CLEANUP(buf_done) struct buf text = {};
		size_t n_meant = meant.n;
		if (f)
			check_value(c, f, value);
		else if (jknown_complaint(fields, NULL, key, &text, &meant))
			add(c, true, "%s", buf_text(&text));
		if (!f && meant.n == n_meant)
			jspoil(object, key);
		/* What is empty check_required() spoils. */
		if (f && !is_empty_text(f, value) &&
				((c->n_findings > before && jspoil_is_whole(f, value)) ||
						jspoil_has_entry(value) ||
						jtree_is_doubtful(value)))
			jspoil(object, key);
		buf_truncate(&c->pointer, len);
	}
	for (size_t i = 0; i < meant.n; i++)
		jspoil_meant(object, meant.items[i]);
	check_required(c, fields, object);
}

bool jcheck(const struct field *fields, const struct jdoc *doc, struct json_object *object,
		const char *pointer, struct report *report)
{
	if (!object)
		return true;
	struct check c = { .doc = doc, .report = report };
	buf_puts(&c.pointer, pointer);
	if (is_type(&c, object, json_type_object, "an object"))
		check_object(&c, fields, object);
	buf_done(&c.pointer);
	return json_object_is_type(object, json_type_object) && !has_enough(&c);
}
