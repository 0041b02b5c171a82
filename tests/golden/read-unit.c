/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads a unit back, for check-hostile: its description, the arguments of its commands and the
 * rows of its plan, as JSON.
 */
#include <json-c/json_object.h>
#include <stdio.h>

#include "json/jtree.h"
#include "unit/unitfile.h"
#include "util/file.h"
#include "util/mem.h"

static struct json_object *words_json(const struct strv *words)
{
	struct json_object *list = jtree_list();
	for (size_t i = 0; i < words->n; i++)
		jtree_push(list, jtree_string(words->items[i]));
	return list;
}

static int add_commands(struct json_object *object, const struct unitdoc *doc, const char *key,
		struct error *err)
{
	const struct unitdoc_entry *entry = NULL;
	while ((entry = unitdoc_next(doc, "Service", key, entry))) {
		CLEANUP(unit_exec_done) struct unit_exec exec = {};
		int r = unitfile_split_exec(entry->value, &exec, err);
		if (r < 0)
			return r;
		jtree_set(object, key, words_json(&exec.argv));
	}
	return 0;
}

static int read_unit(const char *path, struct json_object *object, struct error *err)
{
	CLEANUP(buf_done) struct buf text = {};
	CLEANUP(unitdoc_done) struct unitdoc doc = {};
	int r = file_read(path, (size_t)4 << 20, &text, err);
	if (r == 0)
		r = unitfile_parse(path, buf_text(&text), text.len, &doc, err);
	if (r == 0)
		r = add_commands(object, &doc, "ExecStart", err);
	if (r < 0)
		return r;
	const struct unitdoc_entry *entry = unitdoc_get(&doc, "Unit", "Description");
	jtree_set(object, "Description", jtree_string(entry ? entry->value : ""));

	struct json_object *plan = jtree_list();
	jtree_set(object, "Plan", plan);
	for (entry = NULL; (entry = unitdoc_next(&doc, "X-Machina", "Plan", entry));) {
		CLEANUP(strv_done) struct strv words = {};
		r = unitfile_split_words(entry->value, &words, err);
		if (r < 0)
			return r;
		jtree_push(plan, words_json(&words));
	}
	return 0;
}

int main(int argc, char *argv[])
{
	struct error err = {};
	struct json_object *object = jtree_object();
	int r = argc == 2 ? read_unit(argv[1], object, &err)
			  : error_set(&err, EINVAL, "usage: %s UNIT", argv[0]);
	if (r < 0)
		fprintf(stderr, "%s\n", err.text);
	else
		puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
	return r < 0;
}
