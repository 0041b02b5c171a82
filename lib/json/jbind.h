/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Field tables: what a JSON object may hold, how it is checked, merged, documented, and where in a
 * C struct it goes. One row states each fact once; the checker, the merger (json/jmerge.h), the
 * binder, the JSON Schema, the man page tables and the completion all read the rows.
 *
 *	static const struct field memory_fields[] = {
 *		FIELD_INT(struct memory, ram_mib, "ram", 1, 1 << 30, FIELD_POSITIVE, NULL,
 *				"Guest memory in MiB."),
 *		FIELD_BOOL(struct memory, shared, "shared", false, "Share guest memory."),
 *		{},
 *	};
 *
 * The macros compare the member's type with the reader's at compile time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "json/jdoc.h"
#include "util/arena.h"

enum field_kind {
	FIELD_KIND_BOOL,	   /* bool */
	FIELD_KIND_INT,		   /* int64_t */
	FIELD_KIND_STRING,	   /* const char *, NULL when absent */
	FIELD_KIND_ENUM,	   /* int: index in @names, -1 when absent */
	FIELD_KIND_STRINGS,	   /* struct jstrings: a list of strings */
	FIELD_KIND_STRING_OR_LIST, /* struct jstrings: one string or a list of strings */
	FIELD_KIND_TERM,   /* const char *: string or number, kept as text; both are checked */
	FIELD_KIND_TERMS,  /* struct jstrings: one such or a list of them */
	FIELD_KIND_SWITCH, /* int: false 0, true 1, else the index in @names, whose first two are
			      "false" and "true"; -1 when absent */
	FIELD_KIND_OBJECT, /* a struct, inside its parent */
	FIELD_KIND_LIST,   /* struct jlist of structs: a list of objects */
	FIELD_KIND_MAP,	   /* struct jlist of structs: an object of objects; key in @key_offset */
	FIELD_KIND_INTS,   /* struct jints: a list of integers */
	FIELD_KIND_STRING_MAP, /* struct jpairs: an object of strings */
	FIELD_KIND_SCALAR_MAP, /* struct jpairs: an object of strings, booleans, numbers, as text */
	FIELD_KIND_STRINGS_MAP, /* struct jlist of struct jnamed: an object of lists of strings */
	FIELD_KIND_NOTE,	/* accepted, not looked at, not bound */
};

/*
 * How values of several layers become one. null never counts; a string counts when it is not
 * empty; an integer with FIELD_POSITIVE when it is > 0; all else that is written counts, false and
 * [] too.
 */
enum merge_rule {
	MERGE_FIRST,  /* the first layer in which the value counts */
	MERGE_FIELDS, /* objects: each key by its own rule */
	MERGE_WHOLE,  /* objects: the first whose "name", "storage", "path" or "when" counts, or a
			 string (FIELD_PATH_TEXT, FIELD_WHEN_TEXT) that does; or none at all if
			 one that says "remove": true comes first */
	MERGE_NAMED,  /* lists of objects: all in layer order; of each "name" (none and "" are one
			 name too) the first, or none at all if that says "remove": true */
	MERGE_KEYS,   /* maps: each key from the first layer that has it; "" counts */
	MERGE_UNION,  /* STRINGS: last layer first, first layer last; repeats dropped */
	MERGE_APPEND, /* STRINGS: last layer first, first layer last */
	MERGE_GATHER, /* STRINGS, lists of objects: first layer first; of strings, repeats dropped
		       */
	MERGE_NEVER,  /* belongs to its own file; only the first layer's counts */
};

enum field_flags {
	FIELD_POSITIVE = 1 << 0,  /* an integer <= 0 counts as absent (the Go program's rule);
				   * a negative one is refused where @min is 0 */
	FIELD_REQUIRED = 1 << 1,  /* absent is a finding of the checker */
	FIELD_DERIVED = 1 << 2,	  /* filled in by derivation when absent; shown so in documents */
	FIELD_PATH_TEXT = 1 << 3, /* OBJECT: a string is taken as an object with that "path" */
	FIELD_INLINE = 1 << 4,	  /* OBJECT: its rows' offsets count from the parent's struct */
	FIELD_SWITCHED = 1 << 5,  /* OBJECT: a boolean is taken as an object with that "enabled", a
				     SWITCH, which is true in an object that does not have it */
	FIELD_WHEN_TEXT = 1 << 6, /* OBJECT: a string is taken as an object with that "when" */
	FIELD_NAME_TEXT = 1 << 7, /* MAP: a string is taken as an entry with that "name" */
};

/* Bound lists; memory belongs to the arena given to jbind(). */
struct jstrings {
	const char **items;
	size_t n;
};
struct jints {
	int64_t *items;
	size_t n;
};
struct jpair {
	const char *key;
	const char *value;
};
struct jpairs {
	struct jpair *items; /* in file order */
	size_t n;
};
struct jlist {
	void *items; /* NULL when the key is absent, not when it is [] or {}; so in all of these */
	size_t n;
};
struct jnamed {
	const char *key;
	struct jstrings values;
};

/*
 * Checks a string's form. Returns true if it is good, else *ret_expected says what was expected, as
 * in "a MAC address such as \"52:54:00:12:34:56\"". It is asked about "" too, and takes it where ""
 * means "not set".
 */
typedef bool field_check(const char *text, const char **ret_expected);

struct field {
	const char *name; /* NULL ends a table */
	enum field_kind kind;
	enum merge_rule merge;
	unsigned flags;
	size_t offset;
	const struct field *fields; /* OBJECT, LIST, MAP: the rows of the (element's) object */
	size_t item_size;	    /* LIST, MAP; 0: checked and merged, but not bound */
	size_t key_offset;	    /* MAP: const char * member of the element that gets the key */
	int64_t min, max;	    /* INT, INTS: limits, both included */
	const char *unit;	    /* INT: of what the number counts, for messages; may be NULL */
	bool default_bool;	    /* BOOL */
	const char *const *names; /* ENUM, SWITCH: values. SCALAR_MAP: its keys, or NULL for any */
	field_check *check;	  /* STRING, TERM, lists and values of maps; NULL: any text */
	field_check *check_key;	  /* MAP, STRING_MAP, STRINGS_MAP; NULL accepts any key */
	const char *default_text; /* for documents: what absence means; may be NULL */
	const char *doc;	  /* one or two sentences */
};

#define FIELD_TYPE_(type, member, wanted)                                                          \
	(sizeof(char[__builtin_types_compatible_p(__typeof__(((type *)0)->member), wanted)         \
					 ? 1                                                       \
					 : -1]) *                                                  \
			0)
#define FIELD_AT_(type, member, wanted)                                                            \
	__builtin_offsetof(type, member) + FIELD_TYPE_(type, member, wanted)

/* A row of any kind; what is not said by name is 0. */
#define FIELD_ROW(type, member, member_type, key, what, rule, text, ...)                           \
	{                                                                                          \
		.name = key, .kind = what, .merge = rule,                                          \
		.offset = FIELD_AT_(type, member, member_type), .doc = text, __VA_ARGS__           \
	}
#define FIELD_BOOL(type, member, key, standard, text)                                              \
	FIELD_ROW(type, member, bool, key, FIELD_KIND_BOOL, MERGE_FIRST, text,                     \
			.default_bool = standard)
#define FIELD_INT(type, member, key, lowest, highest, flag, standard, text)                        \
	FIELD_ROW(type, member, int64_t, key, FIELD_KIND_INT, MERGE_FIRST, text, .min = lowest,    \
			.max = highest, .flags = flag, .default_text = standard)
#define FIELD_STRING(type, member, key, checker, flag, standard, text)                             \
	FIELD_ROW(type, member, const char *, key, FIELD_KIND_STRING, MERGE_FIRST, text,           \
			.check = checker, .flags = flag, .default_text = standard)
#define FIELD_ENUM(type, member, key, table, standard, text)                                       \
	FIELD_ROW(type, member, int, key, FIELD_KIND_ENUM, MERGE_FIRST, text, .names = table,      \
			.default_text = standard)
#define FIELD_TERM(type, member, key, checker, standard, text)                                     \
	FIELD_ROW(type, member, const char *, key, FIELD_KIND_TERM, MERGE_FIRST, text,             \
			.check = checker, .default_text = standard)
#define FIELD_TERMS(type, member, key, checker, standard, text)                                    \
	FIELD_ROW(type, member, struct jstrings, key, FIELD_KIND_TERMS, MERGE_FIRST, text,         \
			.check = checker, .default_text = standard)
#define FIELD_SWITCH(type, member, key, table, standard, text)                                     \
	FIELD_ROW(type, member, int, key, FIELD_KIND_SWITCH, MERGE_FIRST, text, .names = table,    \
			.default_text = standard)
#define FIELD_STRINGS(type, member, key, rule, checker, text)                                      \
	FIELD_ROW(type, member, struct jstrings, key, FIELD_KIND_STRINGS, rule, text,              \
			.check = checker)
#define FIELD_STRING_OR_LIST(type, member, key, checker, text)                                     \
	FIELD_ROW(type, member, struct jstrings, key, FIELD_KIND_STRING_OR_LIST, MERGE_FIRST,      \
			text, .check = checker)
#define FIELD_INTS(type, member, key, lowest, highest, text)                                       \
	FIELD_ROW(type, member, struct jints, key, FIELD_KIND_INTS, MERGE_FIRST, text,             \
			.min = lowest, .max = highest)
#define FIELD_OBJECT(type, member, member_type, key, rule, table, text)                            \
	FIELD_ROW(type, member, member_type, key, FIELD_KIND_OBJECT, rule, text, .fields = table)
/* An object whose rows fill the same struct as those beside it. */
#define FIELD_GROUP(key, table, text)                                                              \
	{                                                                                          \
		.name = key, .kind = FIELD_KIND_OBJECT, .merge = MERGE_FIELDS,                     \
		.flags = FIELD_INLINE, .fields = table, .doc = text                                \
	}
#define FIELD_LIST(type, member, item_type, key, rule, table, text)                                \
	FIELD_ROW(type, member, struct jlist, key, FIELD_KIND_LIST, rule, text, .fields = table,   \
			.item_size = sizeof(item_type))
#define FIELD_MAP(type, member, item_type, key_member, key, table, key_checker, text)              \
	FIELD_ROW(type, member, struct jlist, key, FIELD_KIND_MAP, MERGE_KEYS, text,               \
			.fields = table, .item_size = sizeof(item_type),                           \
			.key_offset = FIELD_AT_(item_type, key_member, const char *),              \
			.check_key = key_checker)
#define FIELD_STRING_MAP(type, member, key, key_checker, checker, text)                            \
	FIELD_ROW(type, member, struct jpairs, key, FIELD_KIND_STRING_MAP, MERGE_KEYS, text,       \
			.check = checker, .check_key = key_checker)
#define FIELD_STRINGS_MAP(type, member, key, key_checker, checker, text)                           \
	FIELD_ROW(type, member, struct jlist, key, FIELD_KIND_STRINGS_MAP, MERGE_KEYS, text,       \
			.check = checker, .check_key = key_checker)
#define FIELD_SCALAR_MAP(type, member, key, table, text)                                           \
	FIELD_ROW(type, member, struct jpairs, key, FIELD_KIND_SCALAR_MAP, MERGE_KEYS, text,       \
			.names = table)

/* The row of a key, or NULL. Exact match. */
const struct field *field_find(const struct field *fields, const char *key);
/* The row of the table of an object, or of a map's entries, that a string in its place fills, or
 * NULL: none may be there. */
const struct field *field_of_text(const struct field *field);

/*
 * Give entries of MAPs and STRING_MAPs that are null what their kind has for nothing: an empty
 * object, an empty string. A key of the user's that is written is there, as it was in the Go
 * program, also with null; only of the program's own keys is null the same as leaving them out.
 *
 * @object: what jdoc_parse() has made, checked or not; may be NULL
 */
void jfill(const struct field *fields, struct json_object *object);

/*
 * Check an object of @doc against its table: unknown keys (with the nearest known one, or the
 * right letter case), wrong types, limits, forms, required keys, one name twice in one list of
 * objects that have a "name" row (all entries without a name count as one name). Keys that begin
 * with "x-", and "$schema", are not looked at, except that in maps they are keys like others. null
 * is "not set". An entry that says "remove": true needs no key but its name. Goes on after each
 * finding, until there are JDOC_FINDINGS_MAX.
 *
 * What has a fault is replaced by a flaw (jtree_flaw()), as is what a key that is not known was
 * meant to be, and what was given twice: so that the rest can be looked at, and what is wrong only
 * because of it be left untold.
 *
 * @object: NULL (null): nothing to check; something else than an object is a finding
 * @pointer: where @object is in @doc
 *
 * Returns false when not all of it was looked at: it is no object, or there were too many findings.
 */
bool jcheck(const struct field *fields, const struct jdoc *doc, struct json_object *object,
		const char *pointer, struct report *report);

/*
 * What stands for an object that can't be read at all: each value that others could merge with is a
 * flaw. Those of MERGE_NEVER say nothing about others, and are left out.
 */
struct json_object *junknown(const struct field *fields) __attribute__((returns_nonnull));
/*
 * Entries of maps that such a one may replace, because its text speaks of them, become flaws.
 *
 * @object: checked, and weaker in the merge
 * @text: of the one that can't be read
 */
void junknown_mentioned(const struct field *fields, struct json_object *object, const char *text,
		size_t len);

/*
 * Fill a struct from an object that jcheck() has looked at. Absent keys and flaws get their
 * defaults: false or default_bool, 0, NULL, -1 for enums and switches, empty lists. A
 * FIELD_POSITIVE integer <= 0 becomes 0. Strings are borrowed from @object, lists belong to @arena.
 * Members that no row names are left alone; those of list and map entries are zero. An entry of a
 * map that has a flaw anywhere is not there.
 *
 * @object: may be NULL: all defaults
 */
void jbind(const struct field *fields, struct json_object *object, void *ret, struct arena *arena);

/*
 * The same where most is known: @ret is bound to @from, of which @object, made of it by jmerge(),
 * has all keys. What @object shares with it stays as it is.
 */
void jbind_changes(const struct field *fields, struct json_object *from, struct json_object *object,
		void *ret, struct arena *arena);
