/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which tags a machine inherits from. */
#include "config/tags.h"

#include <json-c/linkhash.h>
#include <stdlib.h>
#include <string.h>

#include "config/inherit.h"
#include "json/jlocate.h"
#include "json/jnames.h"
#include "json/jtree.h"
#include "util/buf.h"
#include "util/mem.h"

/* The walk from a machine or tag into the tags that it names. */
struct walk {
	const struct host *host;
	struct arena *arena; /* of the layers' texts */
	struct layer *layers;
	size_t n;
	size_t n_alloc;
	struct report *report;
	size_t n_certain; /* with the first one that stands for a tag that nobody knows; 0: none */
};

/* One step of the path that the walk is on, the innermost first. */
struct step {
	const struct step *outer;
	const char *tag; /* NULL: the machine */
	size_t layer;
};

static bool find_tag(
		const struct host *host, struct arena *arena, const char *name, struct layer *ret)
{
	for (size_t i = 0; i < host->n_docs; i++) {
		struct json_object *tag = jtree_get(jtree_get(host->layers[i].object, "tag"), name);
		if (!tag)
			continue;
		CLEANUP(buf_done) struct buf pointer = {};
		buf_puts(&pointer, "/tag");
		jpointer_push(&pointer, name);
		*ret = (struct layer){
			.doc = host->layers[i].doc,
			.object = tag,
			.pointer = arena_strdup(arena, buf_text(&pointer)),
			.label = arena_printf(arena, "tag %s", name),
		};
		return true;
	}
	return false;
}

static void add_layer(struct walk *w, const struct layer *layer)
{
	w->layers = grow_array(w->layers, &w->n_alloc, w->n, sizeof(*w->layers));
	w->layers[w->n++] = *layer;
}

/* A tag that nobody knows, which may replace what those behind it bring in: they don't count. */
static void add_unknown(struct walk *w, const struct layer *from)
{
	struct layer unknown = *from;
	unknown.object = inheritance_unknown(w->host->inheritance);
	unknown.label = "tag ";
	add_layer(w, &unknown);
	if (!w->n_certain)
		w->n_certain = w->n;
}

static void report_entry(struct walk *w, const struct layer *from, size_t index, const char *text)
{
	CLEANUP(buf_done) struct buf pointer = {};
	buf_printf(&pointer, "%s/tags/%zu", from->pointer, index);
	struct where at;
	jlocate_value(from->doc, buf_text(&pointer), &at);
	bool is_machine = from->pointer[0] == '\0';
	report_add(w->report, SEVERITY_ERROR, at, buf_text(&pointer),
			is_machine ? NULL : from->chain, "%s", text);
	add_unknown(w, from);
}

static void report_unknown(struct walk *w, const struct layer *from, size_t index, const char *tag)
{
	CLEANUP(buf_done) struct buf text = {}, entry = {};
	struct json_object *tags = jtree_get(w->host->merged, "tag");
	jpointer_push(&entry, "tag");
	jpointer_push(&entry, tag);
	if (host_is_flawed(w->host, buf_text(&entry))) {
		add_unknown(w, from);
		return;
	}
	size_t n = 0, n_max = tags ? (size_t)json_object_object_length(tags) : 0;
	CLEANUP(freep) const char **known = xcalloc(n_max + 1, sizeof(*known));
	if (tags) {
		json_object_object_foreach(tags, key, value)
		{
			(void)value;
			known[n++] = key;
		}
	}
	buf_printf(&text, "the host's config has no tag '%s'", tag);
	jnames_hint(&text, tag, known, n);
	report_entry(w, from, index, buf_text(&text));
}

static void report_cycle(struct walk *w, const struct step *inner, size_t index, const char *tag)
{
	/* The steps come innermost first; the cycle is told from its entry. */
	const char *text = arena_printf(w->arena, "'%s'", tag);
	for (const struct step *s = inner; s && s->tag; s = s->outer) {
		text = arena_printf(w->arena, "'%s' -> %s", s->tag, text);
		if (!strcmp(s->tag, tag))
			break;
	}
	text = arena_printf(w->arena, "tags name each other in a circle: %s", text);
	report_entry(w, &w->layers[inner->layer], index, text);
}

static bool on_path(const struct step *s, const char *tag)
{
	for (; s; s = s->outer)
		if (s->tag && !strcmp(s->tag, tag))
			return true;
	return false;
}

static bool seen(const struct walk *w, const struct layer *found)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->layers[i].object == found->object)
			return true;
	return false;
}

/* Recursion is bounded by the number of tags: a tag is entered once, and never from itself. */
static void follow(struct walk *w, const struct step *at)
{
	struct json_object *object = w->layers[at->layer].object, *tags = jtree_get(object, "tags");
	if (jtree_is_flaw(object) || jtree_is_flaw(tags))
		add_unknown(w, &w->layers[at->layer]);
	for (size_t i = 0; i < jtree_length(tags); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(tags, i));
		struct layer found;
		if (!find_tag(w->host, w->arena, name, &found)) {
			report_unknown(w, &w->layers[at->layer], i, name);
		} else if (on_path(at, name)) {
			report_cycle(w, at, i, name);
		} else if (!seen(w, &found)) {
			found.chain = arena_printf(
					w->arena, "%s, tag %s", w->layers[at->layer].chain, name);
			add_layer(w, &found);
			struct step step = { .outer = at, .tag = name, .layer = w->n - 1 };
			follow(w, &step);
		}
	}
}

void tags_resolve(const struct host *host, struct machine *machine, struct report *report)
{
	struct walk w = { .host = host, .arena = &machine->arena, .report = report };
	const char *label = arena_printf(&machine->arena, "machine %s", machine->name);
	add_layer(&w, &(struct layer){ .doc = &machine->doc,
				      .object = machine->doc.root,
				      .pointer = "",
				      .label = label,
				      .chain = label });
	follow(&w, &(struct step){});
	machine->layers = w.layers;
	machine->n_layers = w.n_certain ? w.n_certain : w.n;
	machine->has_flaws |= w.n_certain > 0;
}

void host_check_tags(const struct host *host, struct report *report)
{
	struct json_object *tags = jtree_get(host->merged, "tag");
	if (!tags)
		return;
	/* One walk over all, so that each circle is told once. */
	CLEANUP(arena_done) struct arena arena = {};
	struct walk w = { .host = host, .arena = &arena, .report = report };
	json_object_object_foreach(tags, key, value)
	{
		(void)value;
		struct layer found;
		if (!find_tag(host, &arena, key, &found) || seen(&w, &found))
			continue;
		found.chain = found.label;
		add_layer(&w, &found);
		follow(&w, &(struct step){ .tag = key, .layer = w.n - 1 });
	}
	free(w.layers);
}

bool machine_has_tag(const struct machine *machine, const char *tag)
{
	for (size_t i = 1; i < machine->n_layers; i++)
		if (!strcmp(machine->layers[i].label + strlen("tag "), tag))
			return true;
	return false;
}
