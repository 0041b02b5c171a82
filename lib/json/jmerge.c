/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Merging the objects of several documents by their field table. */
#include "json/jmerge.h"

#include <json-c/linkhash.h>
#include <stdlib.h>
#include <string.h>

#include "json/jlocate.h"
#include "json/jmerge-value.h"
#include "json/jspoil.h"
#include "json/jtree.h"
#include "util/mem.h"

struct merge {
	const struct layer *first;   /* the strongest layer */
	jmerge_trace *trace;	     /* told of leaves */
	jmerge_trace *trace_parents; /* told of objects and lists, for jmerge_locate() */
	void *context;
	enum jorigin_fate
			fate; /* of what is taken now: not JORIGIN_USED within a value that lost */
	struct arena arena;   /* lists of sources, and their pointers */
	struct buf at;	      /* traced: the pointer in the merged object */
};

/* What one layer has at one place. */
struct source {
	const struct layer *layer;
	struct json_object *value;
	const char *pointer; /* traced: in the layer's document */
};

/* Makes the merged form of one source's value. */
typedef struct json_object *taker(struct merge *m, const struct field *f, const struct source *s);

static bool is_traced(const struct merge *m)
{
	return m->trace || m->trace_parents;
}

/* The source of a member or, with @key NULL, of the @index-th entry of @parent. */
static struct source child(struct merge *m, const struct source *parent, const char *key,
		size_t index, struct json_object *value)
{
	struct source s = { .layer = parent->layer, .value = value };
	if (!is_traced(m))
		return s;
	CLEANUP(buf_done) struct buf pointer = {};
	buf_puts(&pointer, parent->pointer);
	if (key)
		jpointer_push(&pointer, key);
	else
		jpointer_push_index(&pointer, index);
	s.pointer = arena_strdup(&m->arena, buf_text(&pointer));
	return s;
}

/* Move the merged pointer to a member or entry; the result is what leave() needs to move back. */
static size_t enter(struct merge *m, const char *key)
{
	size_t len = m->at.len;
	if (is_traced(m))
		jpointer_push(&m->at, key);
	return len;
}

static size_t enter_index(struct merge *m, size_t index)
{
	size_t len = m->at.len;
	if (is_traced(m))
		jpointer_push_index(&m->at, index);
	return len;
}

static void leave(struct merge *m, size_t len)
{
	buf_truncate(&m->at, len);
}

static void tell(const struct merge *m, jmerge_trace *to, const struct source *s)
{
	if (!to)
		return;
	struct jorigin origin = {
		.layer = s->layer, .pointer = s->pointer, .value = s->value, .fate = m->fate
	};
	to(m->context, buf_text(&m->at), &origin);
}

/* Tell of the leaves of a value that is not in the merged object: take it, and throw it away. */
static void lose(struct merge *m, taker *take, const struct field *f, const struct source *s,
		enum jorigin_fate fate)
{
	if (!m->trace)
		return;
	enum jorigin_fate outer = m->fate;
	m->fate = fate;
	json_object_put(take(m, f, s));
	m->fate = outer;
}

static struct json_object *take_leaf(struct merge *m, const struct field *f, const struct source *s)
{
	if (f->kind != FIELD_KIND_NOTE)
		tell(m, m->trace, s);
	return json_object_get(s->value);
}

static struct json_object *merge_fields(struct merge *m, const struct field *fields,
		const struct source *sources, size_t n);

static struct json_object *merge_lists(struct merge *m, const struct field *f,
		const struct source *sources, size_t n, enum merge_rule rule);

/* An entry of a list or map. */
static struct json_object *take_entry(
		struct merge *m, const struct field *f, const struct source *s)
{
	if (jtree_is_flaw(s->value))
		return take_leaf(m, f, s);
	if (f->fields && json_object_is_type(s->value, json_type_object))
		return merge_fields(m, f->fields, s, 1);
	if (json_object_is_type(s->value, json_type_array))
		return merge_lists(m, f, s, 1, MERGE_APPEND);
	return take_leaf(m, f, s);
}

static struct json_object *merge_keys(
		struct merge *m, const struct field *f, const struct source *sources, size_t n)
{
	struct json_object *merged = jtree_object();
	tell(m, m->trace_parents, &sources[0]);
	for (size_t i = 0; i < n; i++) {
		json_object_object_foreach(sources[i].value, key, value)
		{
			if (!value)
				continue;
			struct source s = child(m, &sources[i], key, 0, value);
			size_t len = enter(m, key);
			if (json_object_object_get_ex(merged, key, NULL))
				lose(m, take_entry, f, &s, JORIGIN_OVERRIDDEN);
			else
				jtree_add(merged, key, take_entry(m, f, &s));
			leave(m, len);
		}
	}
	return merged;
}

/* The lists of all sources. @rule: MERGE_UNION, MERGE_APPEND or MERGE_GATHER */
static struct json_object *merge_lists(struct merge *m, const struct field *f,
		const struct source *sources, size_t n, enum merge_rule rule)
{
	bool unique = rule == MERGE_UNION || (rule == MERGE_GATHER && !f->fields);
	bool is_partial = false;
	struct json_object *merged = jtree_list();
	struct json_object *places = unique ? jtree_object() : NULL; /* entry -> its index */
	tell(m, m->trace_parents, &sources[0]);
	for (size_t i = 0; i < n; i++) {
		const struct source *from = &sources[rule == MERGE_GATHER ? i : n - 1 - i];
		struct json_object *list = from->value, *place = NULL;
		size_t n_known = jspoil_known_length(list);
		is_partial |= n_known < json_object_array_length(list);
		for (size_t j = 0; j < n_known; j++) {
			struct json_object *entry = json_object_array_get_idx(list, j);
			struct source s = child(m, from, NULL, j, entry);
			size_t index = json_object_array_length(merged);
			bool repeat = unique &&
				      json_object_object_get_ex(places, jtree_text(entry), &place);
			if (repeat)
				index = (size_t)json_object_get_int64(place);
			else if (unique)
				jtree_add(places, jtree_text(entry), jtree_int((int64_t)index));
			size_t len = enter_index(m, index);
			struct json_object *taken = take_entry(m, f, &s);
			leave(m, len);
			if (repeat)
				json_object_put(taken);
			else
				jtree_push(merged, taken);
		}
	}
	json_object_put(places);
	if (is_partial)
		jspoil_rest(merged);
	return merged;
}

/* The merged pointer of an entry that is not there: no index looks like it, not even a name "0". */
static size_t enter_removed(struct merge *m, const char *name)
{
	if (!is_traced(m))
		return m->at.len;
	CLEANUP(freep) char *token = xasprintf("-%s", name);
	return enter(m, token);
}

/* The merged pointer of an entry that lost to @winner, or was removed (NULL). */
static size_t enter_winner(struct merge *m, struct json_object *merged, struct json_object *winner,
		const char *name)
{
	if (!winner || !is_traced(m))
		return enter_removed(m, name);
	size_t index = 0;
	while (json_object_array_get_idx(merged, index) != winner)
		index++;
	return enter_index(m, index);
}

static void merge_named_entry(struct merge *m, const struct field *f, const struct source *s,
		struct json_object *merged, struct json_object *names)
{
	struct json_object *winner = NULL;
	const char *name = jtree_get_text(s->value, "name");
	size_t len;
	if (json_object_object_get_ex(names, name, &winner)) {
		len = enter_winner(m, merged, winner, name);
		lose(m, take_entry, f, s, JORIGIN_OVERRIDDEN);
	} else if (jmerge_removes(s->value)) {
		len = enter_removed(m, name);
		lose(m, take_entry, f, s, JORIGIN_REMOVED);
		jtree_add(names, name, NULL);
	} else {
		len = enter_index(m, json_object_array_length(merged));
		winner = take_entry(m, f, s);
		jtree_add(names, name, json_object_get(winner));
		jtree_push(merged, winner);
	}
	leave(m, len);
}

static struct json_object *merge_named(
		struct merge *m, const struct field *f, const struct source *sources, size_t n)
{
	struct json_object *merged = jtree_list();
	struct json_object *names = jtree_object(); /* name -> merged entry; null: removed */
	bool is_partial = false;
	tell(m, m->trace_parents, &sources[0]);
	for (size_t i = 0; i < n; i++) {
		struct json_object *list = sources[i].value;
		size_t n_known = jspoil_known_length(list);
		is_partial |= n_known < json_object_array_length(list);
		for (size_t j = 0; j < n_known; j++) {
			struct source s = child(m, &sources[i], NULL, j,
					json_object_array_get_idx(list, j));
			merge_named_entry(m, f, &s, merged, names);
		}
	}
	json_object_put(names);
	if (is_partial)
		jspoil_rest(merged);
	return merged;
}

/* A whole value of one layer, which wins or loses as one. */
static struct json_object *take_value(
		struct merge *m, const struct field *f, const struct source *s)
{
	if (jtree_is_flaw(s->value))
		return take_leaf(m, f, s);
	switch (json_object_get_type(s->value)) {
	case json_type_object:
		if (f->kind == FIELD_KIND_OBJECT)
			return merge_fields(m, f->fields, s, 1);
		return f->kind == FIELD_KIND_NOTE ? take_leaf(m, f, s) : merge_keys(m, f, s, 1);
	case json_type_array:
		if (f->kind != FIELD_KIND_NOTE)
			return merge_lists(m, f, s, 1, MERGE_APPEND);
		return take_leaf(m, f, s);
	case json_type_null:
	case json_type_boolean:
	case json_type_int:
	case json_type_double:
	case json_type_string:
		break;
	}
	return take_leaf(m, f, s);
}

static struct json_object *merge_first(
		struct merge *m, const struct field *f, const struct source *sources, size_t n)
{
	struct json_object *merged = NULL;
	bool decided = false;
	for (size_t i = 0; i < n; i++) {
		struct json_object *value = sources[i].value;
		if (!jmerge_counts(f, value)) {
			lose(m, take_value, f, &sources[i], JORIGIN_IGNORED);
			continue;
		}
		if (decided)
			lose(m, take_value, f, &sources[i], JORIGIN_OVERRIDDEN);
		else if (f->merge == MERGE_WHOLE && jmerge_removes_whole(value))
			lose(m, take_value, f, &sources[i], JORIGIN_REMOVED);
		else
			merged = take_value(m, f, &sources[i]);
		decided = true;
	}
	return merged;
}

static struct json_object *merge_never(
		struct merge *m, const struct field *f, const struct source *sources, size_t n)
{
	struct json_object *merged = NULL;
	for (size_t i = 0; i < n; i++) {
		if (sources[i].layer == m->first)
			merged = take_value(m, f, &sources[i]);
		else
			lose(m, take_value, f, &sources[i], JORIGIN_IGNORED);
	}
	return merged;
}

/* The first that is to be merged with others, and can't be: nobody knows what it would bring. */
static const struct source *find_flaw(const struct field *f, const struct source *sources, size_t n)
{
	if (f->merge == MERGE_FIRST || f->merge == MERGE_WHOLE || f->merge == MERGE_NEVER)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (jtree_is_flaw(sources[i].value))
			return &sources[i];
	return NULL;
}

static struct json_object *merge_by_rule(
		struct merge *m, const struct field *f, const struct source *sources, size_t n)
{
	switch (f->merge) {
	case MERGE_FIRST:
	case MERGE_WHOLE:
		return merge_first(m, f, sources, n);
	case MERGE_FIELDS:
		return merge_fields(m, f->fields, sources, n);
	case MERGE_NAMED:
		return merge_named(m, f, sources, n);
	case MERGE_KEYS:
		return merge_keys(m, f, sources, n);
	case MERGE_UNION:
	case MERGE_APPEND:
	case MERGE_GATHER:
		return merge_lists(m, f, sources, n, f->merge);
	case MERGE_NEVER:
		return merge_never(m, f, sources, n);
	}
	return NULL;
}

/* What is known of them. Objects are one: their keys belong together. */
static struct json_object *merge_known(struct merge *m, const struct field *f,
		const struct source *sources, size_t n, const struct source *flaw)
{
	struct source *known = arena_array(&m->arena, n, sizeof(*known));
	size_t n_known = 0;
	for (size_t i = 0; i < n; i++)
		if (!jtree_is_flaw(sources[i].value))
			known[n_known++] = sources[i];
	if (!n_known || f->merge == MERGE_FIELDS)
		return take_leaf(m, f, flaw);
	struct json_object *merged = merge_by_rule(m, f, known, n_known);
	jspoil_rest(merged);
	return merged;
}

static struct json_object *merge_value(
		struct merge *m, const struct field *f, const struct source *sources, size_t n)
{
	const struct source *flaw = find_flaw(f, sources, n);
	if (flaw)
		return merge_known(m, f, sources, n, flaw);
	/* Most of a machine is a tag's, and a host has one file: nobody needs copies of them. */
	if (n == 1 && !is_traced(m) &&
			(sources[0].layer->is_merged || jmerge_is_merged(f, sources[0].value)))
		return json_object_get(sources[0].value);
	return merge_by_rule(m, f, sources, n);
}

/* The values that the sources have, not null, at [row * n + source]. */
static struct json_object **sort_values(
		struct merge *m, const struct field *fields, const struct source *sources, size_t n)
{
	size_t n_rows = 0;
	while (fields[n_rows].name)
		n_rows++;
	struct json_object **values = arena_array(&m->arena, n_rows * n, sizeof(*values));
	for (size_t i = 0; i < n; i++) {
		if (!sources[i].value)
			continue;
		json_object_object_foreach(sources[i].value, key, value)
		{
			const struct field *f = value ? field_find(fields, key) : NULL;
			if (f)
				values[(size_t)(f - fields) * n + i] = value;
		}
	}
	return values;
}

/* A flaw of no known key: any key of the object may be meant. */
static void keep_strays(
		const struct field *fields, const struct source *s, struct json_object *merged)
{
	if (!s->value)
		return;
	json_object_object_foreach(s->value, key, value)
	{
		if (jtree_is_flaw(value) && !field_find(fields, key))
			jtree_set(merged, key, json_object_get(value));
	}
}

/* Objects, each key by its own rule. */
static struct json_object *merge_fields(
		struct merge *m, const struct field *fields, const struct source *sources, size_t n)
{
	if (n == 1 && !is_traced(m) && sources[0].value &&
			jmerge_is_merged_object(fields, sources[0].value))
		return json_object_get(sources[0].value);
	struct json_object *merged = jtree_object();
	struct json_object **values = sort_values(m, fields, sources, n);
	struct source *found = arena_array(&m->arena, n, sizeof(*found));
	tell(m, m->trace_parents, &sources[0]);
	for (const struct field *f = fields; f->name; f++, values += n) {
		size_t n_found = 0;
		for (size_t i = 0; i < n; i++)
			if (values[i])
				found[n_found++] = child(m, &sources[i], f->name, 0, values[i]);
		if (!n_found)
			continue;
		size_t len = enter(m, f->name);
		struct json_object *value = merge_value(m, f, found, n_found);
		leave(m, len);
		if (value)
			jtree_add_static(merged, f->name, value);
	}
	for (size_t i = 0; i < n; i++)
		keep_strays(fields, &sources[i], merged);
	return merged;
}

static struct json_object *merge_layers(
		struct merge *m, const struct field *fields, const struct layer *layers, size_t n)
{
	struct source *sources = arena_array(&m->arena, n, sizeof(*sources));
	for (size_t i = 0; i < n; i++)
		sources[i] = (struct source){ &layers[i], layers[i].object, layers[i].pointer };
	m->first = layers;
	m->fate = JORIGIN_USED;
	struct json_object *merged = n ? merge_fields(m, fields, sources, n) : jtree_object();
	buf_done(&m->at);
	arena_done(&m->arena);
	return merged;
}

struct json_object *jmerge(const struct field *fields, const struct layer *layers, size_t n,
		jmerge_trace *trace, void *context)
{
	struct merge m = { .trace = trace, .context = context };
	return merge_layers(&m, fields, layers, n);
}

/* The search for where a pointer's value came from. */
struct search {
	const char *pointer;
	const struct layer *layer; /* the best so far */
	size_t len;		   /* of the part of the pointer that it accounts for */
	char *origin;
};

static void search_origin(void *context, const char *pointer, const struct jorigin *origin)
{
	struct search *s = context;
	size_t len = strlen(pointer);
	bool leads = !strncmp(s->pointer, pointer, len) &&
		     (s->pointer[len] == '\0' || s->pointer[len] == '/');
	if (origin->fate != JORIGIN_USED || !leads || len < s->len ||
			(s->layer && len == s->len && origin->layer >= s->layer))
		return;
	s->layer = origin->layer;
	s->len = len;
	free(s->origin);
	s->origin = xstrdup(origin->pointer);
}

void jmerge_locate(const struct field *fields, const struct layer *layers, size_t n,
		const char *pointer, struct where *ret, const char **ret_chain, char **ret_pointer)
{
	struct search s = { .pointer = pointer };
	struct merge m = { .trace = search_origin, .trace_parents = search_origin, .context = &s };
	json_object_put(merge_layers(&m, fields, layers, n));

	jlocate_value(s.layer->doc, s.origin, ret);
	if (ret_chain)
		*ret_chain = s.layer == layers ? NULL : s.layer->chain;
	if (ret_pointer)
		*ret_pointer = take_ptr(s.origin);
	free(s.origin);
}
