/* SPDX-License-Identifier: GPL-2.0-or-later */
/* json-c's constructors, made to succeed or to end the process. */
#include "json/jtree.h"

#include <json-c/linkhash.h>
#include <limits.h>
#include <string.h>

#include "util/mem.h"

struct json_object *jtree_object(void)
{
	return xgiven(json_object_new_object());
}

struct json_object *jtree_list(void)
{
	return xgiven(json_object_new_array());
}

struct json_object *jtree_string(const char *text)
{
	return jtree_string_len(text, strlen(text));
}

struct json_object *jtree_string_len(const char *text, size_t len)
{
	if (len > INT_MAX)
		out_of_memory();
	return xgiven(json_object_new_string_len(text, (int)len));
}

struct json_object *jtree_int(int64_t value)
{
	return xgiven(json_object_new_int64(value));
}

struct json_object *jtree_bool(bool value)
{
	return xgiven(json_object_new_boolean(value));
}

struct json_object *jtree_double(double value, const char *text)
{
	return xgiven(json_object_new_double_s(value, text));
}

static char flaw_mark, doubt_mark;

struct json_object *jtree_flaw(void)
{
	struct json_object *flaw = jtree_object();
	json_object_set_userdata(flaw, &flaw_mark, NULL);
	return flaw;
}

bool jtree_is_flaw(struct json_object *value)
{
	return json_object_is_type(value, json_type_object) &&
	       json_object_get_userdata(value) == &flaw_mark;
}

struct json_object *jtree_doubt(struct json_object *value)
{
	/* json-c keeps the text of such a number where the mark would be. */
	if (!value || json_object_is_type(value, json_type_double)) {
		json_object_put(value);
		return jtree_flaw();
	}
	json_object_set_userdata(value, &doubt_mark, NULL);
	return value;
}

bool jtree_is_doubtful(struct json_object *value)
{
	return value && !json_object_is_type(value, json_type_double) &&
	       json_object_get_userdata(value) == &doubt_mark;
}

static int copy_one(struct json_object *from, struct json_object *parent, const char *key,
		size_t index, struct json_object **to)
{
	/* 2: json-c can't copy marks, and needs not. */
	if (jtree_is_flaw(from)) {
		*to = jtree_flaw();
		return 2;
	}
	int r = json_c_shallow_copy_default(from, parent, key, index, to);
	return r == 1 && jtree_is_doubtful(from) ? 2 : r;
}

struct json_object *jtree_copy(struct json_object *value)
{
	struct json_object *copy = NULL;
	if (json_object_deep_copy(value, &copy, copy_one) < 0)
		out_of_memory();
	return xgiven(copy);
}

/* Bounded by JDOC_DEPTH_MAX. */
bool jtree_has_flaw(struct json_object *value)
{
	if (jtree_is_flaw(value))
		return true;
	for (size_t i = 0; i < jtree_length(value); i++)
		if (jtree_has_flaw(jtree_at(value, i)))
			return true;
	if (!json_object_is_type(value, json_type_object))
		return false;
	json_object_object_foreach(value, key, member)
	{
		(void)key;
		if (jtree_has_flaw(member))
			return true;
	}
	return false;
}

/* Likewise. */
void jtree_drop_flaws(struct json_object *value)
{
	for (size_t i = jtree_length(value); i-- > 0;) {
		if (jtree_is_flaw(jtree_at(value, i)))
			json_object_array_del_idx(value, i, 1);
		else
			jtree_drop_flaws(jtree_at(value, i));
	}
	if (!json_object_is_type(value, json_type_object))
		return;
	/* A member may be removed while it is the one that is looked at. */
	json_object_object_foreach(value, key, member)
	{
		if (jtree_is_flaw(member))
			json_object_object_del(value, key);
		else
			jtree_drop_flaws(member);
	}
}

static void set(struct json_object *object, const char *key, struct json_object *value,
		unsigned flags)
{
	if (json_object_object_add_ex(object, key, value, flags) < 0)
		out_of_memory();
}

void jtree_set(struct json_object *object, const char *key, struct json_object *value)
{
	set(object, key, value, 0);
}

void jtree_set_text(struct json_object *object, const char *key, const char *text)
{
	if (text)
		jtree_set(object, key, jtree_string(text));
}

void jtree_add(struct json_object *object, const char *key, struct json_object *value)
{
	set(object, key, value, JSON_C_OBJECT_ADD_KEY_IS_NEW);
}

void jtree_add_static(struct json_object *object, const char *key, struct json_object *value)
{
	set(object, key, value, JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_KEY_IS_CONSTANT);
}

void jtree_push(struct json_object *list, struct json_object *value)
{
	if (json_object_array_add(list, value) < 0)
		out_of_memory();
}

struct json_object *jtree_strings(const struct strv *texts)
{
	struct json_object *list = jtree_list();
	for (size_t i = 0; i < texts->n; i++)
		jtree_push(list, jtree_string(texts->items[i]));
	return list;
}

const char *jtree_text(struct json_object *value)
{
	const char *text = json_object_get_string(value);
	if (!text)
		out_of_memory();
	return text;
}

struct json_object *jtree_get(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;
	if (!json_object_is_type(object, json_type_object))
		return NULL;
	json_object_object_get_ex(object, key, &value);
	return value;
}

const char *jtree_get_text(struct json_object *object, const char *key)
{
	struct json_object *value = jtree_get(object, key);
	return json_object_is_type(value, json_type_string) ? jtree_text(value) : "";
}

int64_t jtree_get_int(struct json_object *object, const char *key, int64_t otherwise)
{
	struct json_object *value = jtree_get(object, key);
	return json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : otherwise;
}

bool jtree_get_bool(struct json_object *object, const char *key)
{
	struct json_object *value = jtree_get(object, key);
	return json_object_is_type(value, json_type_boolean) && json_object_get_boolean(value);
}

size_t jtree_length(struct json_object *list)
{
	return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

struct json_object *jtree_at(struct json_object *list, size_t i)
{
	return i < jtree_length(list) ? json_object_array_get_idx(list, i) : NULL;
}
