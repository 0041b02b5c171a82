/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target of lib/json: the input is up to four documents, separated by lines "---", the
 * strongest first. They are read, checked, merged, bound and looked up by the demo format.
 */
#include "fuzz/fuzz.h"

#include <json-c/json_tokener.h>
#include <json-c/linkhash.h>
#include <string.h>

#include "json-demo.h"
#include "json/jlocate.h"
#include "json/jmerge.h"
#include "json/jtree.h"

#define DOCS_MAX 4
#define LOOKUPS_MAX 24 /* in one document: each costs a pass over it */

static const char separator[] = "\n---\n";

static void check_findings(const struct report *r, const struct jdoc *doc)
{
	size_t n_lines = 1;
	for (size_t i = 0; i < doc->len; i++)
		n_lines += doc->text[i] == '\n';
	for (size_t i = 0; i < r->n; i++) {
		CLEANUP(buf_done) struct buf line = {};
		finding_format(&r->items[i], &line);
		FUZZ_CHECK(r->items[i].line >= 1 && r->items[i].line <= n_lines);
		FUZZ_CHECK(r->items[i].column >= 1 && r->items[i].column <= doc->len + 1);
		FUZZ_CHECK(fuzz_is_utf8(line.text, line.len));
		for (size_t j = 0; j < line.len; j++)
			FUZZ_CHECK((unsigned char)line.text[j] >= 0x20 && line.text[j] != 0x7f);
	}
}

static struct json_object *json_c_parse(const char *text, size_t len)
{
	struct json_tokener *tokener = json_tokener_new_ex(JDOC_DEPTH_MAX + 8);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS);
	struct json_object *root = json_tokener_parse_ex(tokener, text, (int)len);
	FUZZ_CHECK(json_tokener_get_error(tokener) == json_tokener_success);
	json_tokener_free(tokener);
	return root;
}

/* What is good is good for json-c, with the same values, and what json-c writes is good. */
static void check_json_c(const struct jdoc *doc)
{
	struct json_object *same = json_c_parse(doc->text, doc->len + 1);
	FUZZ_CHECK(json_object_equal(doc->root, same));
	json_object_put(same);

	const char *written = json_object_to_json_string(doc->root);
	CLEANUP(report_done) struct report r = {};
	CLEANUP(jdoc_done) struct jdoc again = {};
	FUZZ_CHECK(jdoc_parse("again", written, strlen(written), &again, &r) == 0);
	FUZZ_CHECK(json_object_equal(doc->root, again.root));
	FUZZ_CHECK(!strcmp(written, json_object_to_json_string(again.root)));
}

static size_t offset_of(const char *text, struct where at)
{
	const char *p = text;
	for (size_t line = 1; line < at.line; line++)
		p = strchr(p, '\n') + 1;
	return (size_t)(p - text) + at.column - 1;
}

/* Each value is at the place that is told for its pointer. */
static void check_places(
		const struct jdoc *doc, struct json_object *value, struct buf *pointer, unsigned *n)
{
	if ((*n)++ >= LOOKUPS_MAX)
		return;
	struct where at;
	FUZZ_CHECK(jlocate_value(doc, buf_text(pointer), &at) == 0);
	FUZZ_CHECK(jpointer_get(doc->root, buf_text(pointer)) == value);
	size_t offset = offset_of(doc->text, at), len = pointer->len;
	struct json_object *again = json_c_parse(doc->text + offset, doc->len - offset + 1);
	FUZZ_CHECK(json_object_equal(value, again));
	json_object_put(again);

	if (json_object_is_type(value, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(value); i++) {
			jpointer_push_index(pointer, i);
			check_places(doc, json_object_array_get_idx(value, i), pointer, n);
			buf_truncate(pointer, len);
		}
	} else if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, key, member)
		{
			jpointer_push(pointer, key);
			check_places(doc, member, pointer, n);
			buf_truncate(pointer, len);
		}
	}
}

struct told {
	const struct layer *layers;
	size_t n_layers;
	struct json_object *merged;
	unsigned n;
};

static void check_origin(void *context, const char *pointer, const struct jorigin *origin)
{
	struct told *told = context;
	FUZZ_CHECK(jpointer_get(origin->layer->doc->root, origin->pointer) == origin->value);
	if (origin->fate != JORIGIN_USED)
		return;
	FUZZ_CHECK(json_object_equal(jpointer_get(told->merged, pointer), origin->value));
	if (told->n++ >= LOOKUPS_MAX)
		return;
	struct where at;
	char *own;
	jmerge_locate(demo_fields, told->layers, told->n_layers, pointer, &at, NULL, &own);
	for (const struct layer *l = told->layers; l <= origin->layer; l++)
		if (l->doc->name == at.file)
			FUZZ_CHECK(json_object_equal(jpointer_get(l->object, own), origin->value));
	free(own);
}

static bool strings_equal(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static void check_bound(struct json_object *merged)
{
	CLEANUP(arena_done) struct arena first = {}, second = {};
	struct demo a, b;
	memset(&b, 0xa5, sizeof(b));
	jbind(demo_fields, merged, &a, &first);
	jbind(demo_fields, merged, &b, &second);
	FUZZ_CHECK(strings_equal(a.name, b.name) && a.disks.n == b.disks.n);
	FUZZ_CHECK(a.attrs.memory.ram == b.attrs.memory.ram);
	FUZZ_CHECK(a.attrs.memory.shared == b.attrs.memory.shared);
	FUZZ_CHECK(a.attrs.memory.ram >= 0 && a.attrs.memory.ram <= 1048576);
	FUZZ_CHECK(a.features.n == b.features.n && a.sockets.n == b.sockets.n);
	for (size_t i = 0; i < a.features.n; i++)
		FUZZ_CHECK(!strcmp(a.features.items[i].value, b.features.items[i].value));
	for (size_t i = 0; i < a.disks.n; i++) {
		const struct demo_disk *disk = (const struct demo_disk *)a.disks.items + i;
		FUZZ_CHECK(*disk->name && disk->size >= 1 && disk->size <= 1000 && !disk->remove);
	}
}

static void check_merged(const struct layer *layers, size_t n)
{
	struct json_object *merged = jmerge(demo_fields, layers, n, NULL, NULL);
	struct told told = { .layers = layers, .n_layers = n, .merged = merged };
	struct json_object *again = jmerge(demo_fields, layers, n, check_origin, &told);
	FUZZ_CHECK(json_object_equal(merged, again));
	json_object_put(again);

	/* What was merged is good, and merging it once more changes nothing. */
	CLEANUP(report_done) struct report r = {};
	char name[] = "merged", text[] = "{}";
	struct jdoc doc = { .name = name, .text = text, .len = 2, .root = merged };
	jcheck(demo_fields, &doc, merged, "", &r);
	FUZZ_CHECK(r.n == 0);
	struct layer two[] = { { &doc, merged, "", "", "" }, { &doc, NULL, "", "", "" } };
	again = jmerge(demo_fields, two, 2, NULL, NULL);
	FUZZ_CHECK(json_object_equal(merged, again));
	json_object_put(again);
	check_bound(merged);
	json_object_put(merged);
}

/* Read and check one document. Returns whether nothing is wrong with it. */
static bool load(const char *text, size_t len, struct jdoc *ret)
{
	CLEANUP(report_done) struct report r = {};
	int result = jdoc_parse("doc", text, len, ret, &r);
	FUZZ_CHECK(result == (r.n > 0) && (result == 1 || ret->root) && ret->len == len);
	if (result == 0) {
		CLEANUP(buf_done) struct buf pointer = {};
		unsigned n = 0;
		check_json_c(ret);
		check_places(ret, ret->root, &pointer, &n);
	}
	if (ret->root)
		jcheck(demo_fields, ret, ret->root, "", &r);
	report_sort(&r);
	check_findings(&r, ret);
	return r.n == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct jdoc docs[DOCS_MAX] = {};
	struct layer layers[DOCS_MAX];
	const char *text = size ? (const char *)data : "";
	size_t n = 0;
	bool good = true;
	for (;;) {
		const char *end = n + 1 < DOCS_MAX ? memmem(text, size, separator, 5) : NULL;
		size_t len = end ? (size_t)(end - text) : size;
		good = load(text, len, &docs[n]) && good;
		layers[n] = (struct layer){ &docs[n], docs[n].root, "", "doc", "doc" };
		n++;
		if (!end)
			break;
		text = end + 5;
		size -= len + 5;
	}
	if (good)
		check_merged(layers, n);
	for (size_t i = 0; i < n; i++)
		jdoc_done(&docs[i]);
	return 0;
}
