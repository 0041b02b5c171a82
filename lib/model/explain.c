/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where each value of a merged machine came from. */
#include "model/explain.h"

#include <json-c/json_object.h>
#include <json-c/linkhash.h>
#include <stdlib.h>
#include <string.h>

#include "json/jknown.h"
#include "json/jlocate.h"
#include "json/jtree.h"
#include "json/jwrite.h"
#include "model/describe.h"
#include "util/buf.h"
#include "util/mem.h"
#include "util/parse.h"

/* What the merge told about one value. */
struct said {
	char *pointer;
	struct jorigin origin;
	char *origin_pointer;
};

struct walk {
	const struct machine *machine;
	struct explanation *out;
	const char *below; /* only what is at or below it */
	struct said *said;
	size_t n_said;
	size_t n_alloc;
};

void explanation_done(struct explanation *e)
{
	free(e->items);
	arena_done(&e->arena);
	*e = (struct explanation){};
}

static void note(void *context, const char *pointer, const struct jorigin *origin)
{
	struct walk *w = context;
	/* A value with a fault says nothing, nor does a tag that nobody knows. */
	if (jtree_is_flaw(origin->value))
		return;
	w->said = grow_array(w->said, &w->n_alloc, w->n_said, sizeof(*w->said));
	w->said[w->n_said++] = (struct said){ .pointer = xstrdup(pointer),
		.origin = *origin,
		.origin_pointer = xstrdup(origin->pointer) };
}

static bool is_below(const char *pointer, const char *parent)
{
	size_t len = strlen(parent);
	return !strncmp(pointer, parent, len) && (pointer[len] == '\0' || pointer[len] == '/');
}

static const char *as_json(struct arena *arena, struct json_object *value)
{
	CLEANUP(buf_done) struct buf text = {};
	jwrite(&text, value, JWRITE_LINE);
	return arena_strdup(arena, buf_text(&text));
}

static bool counts(const struct said *s)
{
	return s->origin.fate == JORIGIN_USED || s->origin.fate == JORIGIN_REMOVED;
}

static struct explain_origin origin_of(struct walk *w, const struct said *s)
{
	struct arena *arena = &w->out->arena;
	struct explain_origin o = {
		.label = s->origin.layer->label,
		.chain = s->origin.layer->chain,
		.pointer = arena_strdup(arena, s->origin_pointer),
		.value = as_json(arena, s->origin.value),
		.counts = counts(s),
		.removes = s->origin.fate == JORIGIN_REMOVED,
		.ignored = s->origin.fate == JORIGIN_IGNORED,
	};
	jlocate_value(s->origin.layer->doc, s->origin_pointer, &o.at);
	return o;
}

/* Is what follows the key an index of a list, or a key that the user makes up? */
static bool has_entries(enum field_kind kind)
{
	return kind != FIELD_KIND_OBJECT && kind != FIELD_KIND_BOOL && kind != FIELD_KIND_INT &&
	       kind != FIELD_KIND_STRING && kind != FIELD_KIND_ENUM && kind != FIELD_KIND_TERM &&
	       kind != FIELD_KIND_SWITCH;
}

/* The rows of the field table along a pointer: the row of the last key that is one, or NULL. */
static const struct field *field_at(const char *pointer)
{
	const struct field *fields = machine_fields, *found = NULL;
	CLEANUP(freep) char *copy = xstrdup(pointer);
	char *state = NULL;
	bool skip = false;
	for (char *token = strtok_r(copy, "/", &state); token;
			token = strtok_r(NULL, "/", &state)) {
		if (skip) {
			skip = false;
			continue;
		}
		if (!fields)
			return NULL;
		found = field_find(fields, token);
		if (!found)
			return NULL;
		fields = found->fields;
		skip = has_entries(found->kind);
	}
	return found;
}

static struct explain_entry *add_entry(struct walk *w, const char *pointer)
{
	struct explanation *out = w->out;
	out->items = grow_array(out->items, &out->n_alloc, out->n, sizeof(*out->items));
	struct explain_entry *e = &out->items[out->n++];
	const struct field *field = field_at(pointer);
	*e = (struct explain_entry){
		.pointer = arena_strdup(&out->arena, pointer),
		.foreign = is_below(pointer, "/qemu-args"),
		.doc = field ? field->doc : NULL,
	};
	return e;
}

/* A tag's own list of tags is about that tag; it neither makes nor loses the machine's. */
static bool is_about(const struct said *s, const char *pointer)
{
	bool is_tags = is_below(pointer, "/tags");
	return !strcmp(s->pointer, pointer) && !(is_tags && s->origin.fate == JORIGIN_IGNORED);
}

/* All that was said about one place: what counts first. */
static void add_origins(struct walk *w, struct explain_entry *e)
{
	size_t n = 0;
	for (size_t i = 0; i < w->n_said; i++)
		n += is_about(&w->said[i], e->pointer);
	e->origins = arena_array(&w->out->arena, n, sizeof(*e->origins));
	for (unsigned pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < w->n_said; i++) {
			const struct said *s = &w->said[i];
			if (is_about(s, e->pointer) && counts(s) == (pass == 0))
				e->origins[e->n_origins++] = origin_of(w, s);
		}
	}
}

static void explain_leaf(struct walk *w, const char *pointer, struct json_object *value)
{
	if (!is_below(pointer, w->below))
		return;
	struct explain_entry *e = add_entry(w, pointer);
	e->value = as_json(&w->out->arena, value);
	add_origins(w, e);
	e->source = e->n_origins && e->origins[0].counts ? EXPLAIN_SET : EXPLAIN_DERIVED;
}

/* Depth is bounded by the field tables. */
static void walk_value(struct walk *w, struct buf *pointer, struct json_object *value)
{
	size_t len = pointer->len;
	switch (json_object_get_type(value)) {
	case json_type_object: {
		json_object_object_foreach(value, key, child)
		{
			jpointer_push(pointer, key);
			walk_value(w, pointer, child);
			buf_truncate(pointer, len);
		}
		return;
	}
	case json_type_array:
		for (size_t i = 0; i < json_object_array_length(value); i++) {
			jpointer_push_index(pointer, i);
			walk_value(w, pointer, json_object_array_get_idx(value, i));
			buf_truncate(pointer, len);
		}
		return;
	case json_type_null:
		return;
	case json_type_boolean:
	case json_type_double:
	case json_type_int:
	case json_type_string:
		explain_leaf(w, buf_text(pointer), value);
		return;
	}
}

static struct explain_entry *find_entry(const struct explanation *e, const char *pointer)
{
	for (size_t i = 0; i < e->n; i++)
		if (!strcmp(e->items[i].pointer, pointer))
			return &e->items[i];
	return NULL;
}

/* Entries that were taken away have no place of their own in the merged machine any more. */
static void add_removed(struct walk *w)
{
	for (size_t i = 0; i < w->n_said; i++) {
		const struct said *s = &w->said[i];
		if (s->origin.fate != JORIGIN_REMOVED || !is_below(s->pointer, w->below) ||
				find_entry(w->out, s->pointer))
			continue;
		struct explain_entry *e = add_entry(w, s->pointer);
		e->source = EXPLAIN_SET;
		add_origins(w, e);
	}
}

/* What a file says of it does not count then, unless it says the same. @value: as JSON */
static void add_following(
		struct walk *w, const char *pointer, const char *value, const char *because)
{
	if (!is_below(pointer, w->below))
		return;
	struct explain_entry *e = find_entry(w->out, pointer);
	if (e && !strcmp(e->value, value))
		return;
	if (!e) {
		e = add_entry(w, pointer);
		add_origins(w, e);
	}
	e->value = arena_strdup(&w->out->arena, value);
	e->source = EXPLAIN_FOLLOWS;
	e->because = arena_strdup(&w->out->arena, because);
	for (size_t i = 0; i < e->n_origins; i++)
		e->origins[i].counts = false;
}

static void add_port(struct walk *w, const char *pointer, const struct port_conf *conf, int port)
{
	if (port && !conf->port)
		add_following(w, pointer, arena_printf(&w->out->arena, "%d", port), "port-pattern");
}

static void add_all_following(struct walk *w, const struct vm *vm)
{
	const struct attrs_conf *attrs = &w->machine->conf.attrs;
	if (vm->memory.shared_for)
		add_following(w, "/attrs/memory/shared", "true", vm->memory.shared_for);
	add_port(w, "/attrs/agent/qemu/port", &attrs->agent.qemu, vm->agent.port);
	add_port(w, "/attrs/spice/port", &attrs->spice, vm->spice.port);
	add_port(w, "/attrs/vnc/port", &attrs->vnc, vm->vnc.port);
}

/* What to say of a pointer that leads nowhere, by the first of its keys that is not known. */
static void put_nearest(struct buf *out, const char *pointer)
{
	const struct field *fields = machine_fields;
	CLEANUP(buf_done) struct buf token = {};
	while (fields && jpointer_next(&pointer, &token)) {
		const struct field *f = field_find(fields, buf_text(&token));
		if (!f) {
			CLEANUP(buf_done) struct buf text = {};
			jknown_complaint(fields, NULL, buf_text(&token), &text, NULL);
			buf_printf(out, ": %s", buf_text(&text));
			return;
		}
		fields = f->fields;
		if (f->kind != FIELD_KIND_OBJECT)
			jpointer_next(&pointer, &token);
	}
}

/* Does it lead to an entry of a list that has no such entry? */
static bool is_behind_list(struct json_object *described, const char *pointer)
{
	CLEANUP(freep) char *parent = xstrdup(pointer);
	while (parent[0] && !jpointer_get(described, parent))
		*strrchr(parent, '/') = '\0';
	return json_object_is_type(jpointer_get(described, parent), json_type_array);
}

/* Of a disk, whose pool may say it. */
static const char *default_of_volume(const struct vm *vm, const char *pointer)
{
	static const char list[] = "/volumes/";
	if (strncmp(pointer, list, strlen(list)) != 0)
		return NULL;
	char *key;
	size_t i = strtoul(pointer + strlen(list), &key, 10);
	const struct vm_volume *v = i < vm->n_volumes ? &vm->volumes[i] : NULL;
	if (!v || !v->type ||
			(v->type->format != VM_FORMAT_RAW && v->type->format != VM_FORMAT_QCOW2))
		return NULL;
	return !strcmp(key, "/discard")		? disk_discard_names[v->discard]
	       : !strcmp(key, "/detect-zeroes") ? disk_detect_zeroes_names[v->detect_zeroes]
	       : !strcmp(key, "/cache")		? disk_cache_names[v->cache]
	       : !strcmp(key, "/aio")		? disk_aio_names[v->aio]
						: NULL;
}

/* What this machine has where the default depends on others of its values; NULL: it does not. */
static const char *default_here(struct walk *w, const struct vm *vm)
{
	if (!strcmp(w->below, "/attrs/cpu/model"))
		return vm->cpu.model;
	if (!strcmp(w->below, "/attrs/cpu/threads"))
		return arena_printf(
				&w->out->arena, "%d", vm->cpu.threads > 1 ? vm->cpu.threads : 1);
	if (!strcmp(w->below, "/attrs/display"))
		return vm_display_names[vm->display];
	return default_of_volume(vm, w->below);
}

static int explain_default(struct walk *w, const struct vm *vm, struct json_object *described,
		struct error *err)
{
	const struct field *field = field_at(w->below);
	if (!field || is_behind_list(described, w->below)) {
		CLEANUP(buf_done) struct buf near = {};
		put_nearest(&near, w->below);
		return error_set(err, ENOENT, "'%s' is no place of machine '%s'%s", w->below,
				w->machine->name, buf_text(&near));
	}
	struct explain_entry *e = add_entry(w, w->below);
	e->source = EXPLAIN_DEFAULT;
	const char *here = default_here(w, vm);
	e->value = here							   ? here
		   : field->kind == FIELD_KIND_BOOL && field->default_bool ? "true"
		   : field->kind == FIELD_KIND_BOOL			   ? "false"
		   : field->default_text				   ? field->default_text
									   : "not set";
	return 0;
}

int explain_machine(const struct machine *machine, const struct vm *vm, const char *pointer,
		struct explanation *ret, struct error *err)
{
	*ret = (struct explanation){};
	struct walk w = { .machine = machine, .out = ret, .below = pointer };
	json_object_put(jmerge(machine_fields, machine->layers, machine->n_layers, note, &w));

	struct json_object *described = vm_describe(machine, vm);
	CLEANUP(buf_done) struct buf at = {};
	walk_value(&w, &at, described);
	add_all_following(&w, vm);
	add_removed(&w);
	int r = ret->n || !pointer[0] ? 0 : explain_default(&w, vm, described, err);
	json_object_put(described);
	for (size_t i = 0; i < w.n_said; i++) {
		free(w.said[i].pointer);
		free(w.said[i].origin_pointer);
	}
	free(w.said);
	return r;
}
