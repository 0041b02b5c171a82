/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json-c's constructors, made to succeed or to end the process with "out of memory", as
 * util/mem.h does. What they return is released with json_object_put().
 */
#pragma once

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/strv.h"

struct json_object *jtree_object(void) __attribute__((returns_nonnull));
struct json_object *jtree_list(void) __attribute__((returns_nonnull));
struct json_object *jtree_string(const char *text) __attribute__((returns_nonnull));
struct json_object *jtree_string_len(const char *text, size_t len) __attribute__((returns_nonnull));
/* A list of the texts of @texts. */
struct json_object *jtree_strings(const struct strv *texts) __attribute__((returns_nonnull));
struct json_object *jtree_int(int64_t value) __attribute__((returns_nonnull));
struct json_object *jtree_bool(bool value) __attribute__((returns_nonnull));
/* A number with a fraction or an exponent; @text is how it is written, and stays so. */
struct json_object *jtree_double(double value, const char *text) __attribute__((returns_nonnull));

/*
 * What stands in a checked document for a value with a fault (json/jcheck.c): an empty object to
 * whoever only looks for members.
 */
struct json_object *jtree_flaw(void) __attribute__((returns_nonnull));
bool jtree_is_flaw(struct json_object *value);
/* What stands for a value that was given twice: @value, which is taken over, until it was checked.
 */
struct json_object *jtree_doubt(struct json_object *value) __attribute__((returns_nonnull));
bool jtree_is_doubtful(struct json_object *value);
/* Is it one, or is there one in it, however deep? */
bool jtree_has_flaw(struct json_object *value);

/* A copy of its own, flaws included. */
struct json_object *jtree_copy(struct json_object *value) __attribute__((returns_nonnull));
/* Take all of them out of it, however deep. @value is none itself. */
void jtree_drop_flaws(struct json_object *value);

/* For CLEANUP(). */
static inline void jtree_putp(struct json_object **value)
{
	json_object_put(*value);
	*value = NULL;
}

/* Takes over @value, which may be NULL (null). A key that is there is replaced. */
void jtree_set(struct json_object *object, const char *key, struct json_object *value);
/* Set a string; @text NULL: nothing. */
void jtree_set_text(struct json_object *object, const char *key, const char *text);
/* The same as jtree_set(), faster, for a key that is known not to be there; _static: and not to go
 * away either. */
void jtree_add(struct json_object *object, const char *key, struct json_object *value);
void jtree_add_static(struct json_object *object, const char *key, struct json_object *value);
/* Takes over @value, which may be NULL (null). */
void jtree_push(struct json_object *list, struct json_object *value);

/* The text of a string, or of a number as it was written. Borrowed from @value. */
const char *jtree_text(struct json_object *value) __attribute__((returns_nonnull));

/*
 * Members of what another program has sent, which may be of any form. @object may be NULL or
 * anything else that has no members.
 */
/* NULL: there is none, or it is null. Borrowed from @object. */
struct json_object *jtree_get(struct json_object *object, const char *key);
/* "": there is none, or it is no string. Borrowed from @object. */
const char *jtree_get_text(struct json_object *object, const char *key)
		__attribute__((returns_nonnull));
/* @otherwise: there is none, or it is no whole number. */
int64_t jtree_get_int(struct json_object *object, const char *key, int64_t otherwise);
/* false: there is none, or it is not true. */
bool jtree_get_bool(struct json_object *object, const char *key);
/* 0 for what is no list. */
size_t jtree_length(struct json_object *list);
/* NULL: there is none. Borrowed from @list. */
struct json_object *jtree_at(struct json_object *list, size_t i);
