/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One JSON document: its text, its tree, its name. */
#include "json/jdoc.h"

#include <stdlib.h>
#include <string.h>

#include "json/jlocate.h"
#include "json/jparse.h"
#include "json/jscan.h"
#include "util/file.h"
#include "util/mem.h"

void jdoc_done(struct jdoc *doc)
{
	json_object_put(doc->root);
	free(doc->name);
	free(doc->text);
	*doc = (struct jdoc){};
}

/* Make the tree of @doc's text. */
static int parse(struct jdoc *doc, struct report *report)
{
	int r = jparse(doc->name, doc->text, doc->len, &doc->root, report);
	if (r < 0)
		return 1;
	if (json_object_is_type(doc->root, json_type_object))
		return r;

	struct where at = { .file = doc->name };
	jlocate_offset(doc->text, jscan_space(doc->text, doc->len, 0), &at);
	report_add(report, SEVERITY_ERROR, at, NULL, NULL,
			"expected an object, which begins with '{', found %s",
			json_object_is_type(doc->root, json_type_array) ? "a list"
									: "a single value");
	json_object_put(take_ptr(doc->root));
	return 1;
}

int jdoc_load_at(int dirfd, const char *path, const char *name, struct jdoc *ret,
		struct report *report, struct error *err)
{
	*ret = (struct jdoc){};
	CLEANUP(buf_done) struct buf text = {};
	int r = file_read_at(dirfd, path, JDOC_SIZE_MAX, &text, err);
	if (r < 0)
		return r;
	ret->name = xstrdup(name);
	ret->len = text.len;
	ret->text = buf_take(&text);
	return parse(ret, report);
}

int jdoc_parse(const char *name, const char *text, size_t len, struct jdoc *ret,
		struct report *report)
{
	CLEANUP(buf_done) struct buf copy = {};
	buf_add(&copy, text, len);
	*ret = (struct jdoc){ .name = xstrdup(name), .len = len, .text = buf_take(&copy) };
	return parse(ret, report);
}
