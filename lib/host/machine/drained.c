/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The record of a host that was drained. */
#include "host/machine/drained.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/forms.h"
#include "json/jbind.h"
#include "json/jdoc.h"
#include "json/jtree.h"
#include "json/jwrite.h"
#include "json/report.h"
#include "util/file.h"
#include "util/mem.h"

struct bound {
	const char *since;
	struct jstrings machines;
	struct jstrings enabled;
};

static const struct field fields[] = {
	FIELD_STRING(struct bound, since, "since", form_text_line, FIELD_REQUIRED, NULL,
			"When the host was drained."),
	FIELD_STRINGS(struct bound, machines, "machines", MERGE_WHOLE, form_machine_name,
			"Those that ran."),
	FIELD_STRINGS(struct bound, enabled, "enabled", MERGE_WHOLE, form_machine_name,
			"Those that start with the host."),
	{},
};

void drained_done(struct drained *drained)
{
	free(drained->since);
	strv_done(&drained->machines);
	strv_done(&drained->enabled);
	*drained = (struct drained){};
}

static void copy(const struct jstrings *from, struct strv *to)
{
	for (size_t i = 0; i < from->n; i++)
		strv_push(to, from->items[i]);
}

static int damaged(const struct report *report, struct error *err)
{
	const struct finding *f = &report->items[0];
	return error_set(err, EINVAL,
			"'%s' is damaged (line %zu: %s); it says which machines ran before the "
			"host was drained: start those and remove it",
			f->file, f->line, f->text);
}

int drained_load(const char *dir, struct drained *ret, struct error *err)
{
	CLEANUP(report_done) struct report report = {};
	CLEANUP(jdoc_done) struct jdoc doc = {};
	CLEANUP(arena_done) struct arena arena = {};
	CLEANUP(freep) char *path = path_join(dir, DRAINED_FILE);
	struct bound bound = {};
	*ret = (struct drained){};
	int r = jdoc_load_at(AT_FDCWD, path, path, &doc, &report, err);
	if (r == -ENOENT)
		return 1;
	if (r < 0)
		return r;
	if (!report.n_errors)
		jcheck(fields, &doc, doc.root, "", &report);
	if (report.n_errors)
		return damaged(&report, err);
	jbind(fields, doc.root, &bound, &arena);
	ret->since = xstrdup(bound.since);
	copy(&bound.machines, &ret->machines);
	copy(&bound.enabled, &ret->enabled);
	return 0;
}

int drained_store(const char *dir, const struct drained *drained, struct error *err)
{
	CLEANUP(buf_done) struct buf text = {};
	CLEANUP(freep) char *path = path_join(dir, DRAINED_FILE);
	struct json_object *object = jtree_object();
	jtree_set(object, "since", jtree_string(drained->since));
	jtree_set(object, "machines", jtree_strings(&drained->machines));
	jtree_set(object, "enabled", jtree_strings(&drained->enabled));
	jwrite(&text, object, JWRITE_PRETTY);
	json_object_put(object);
	buf_putc(&text, '\n');
	int r = mkdir_all(dir, 0755, err);
	file_remove_stale_of(path);
	return r < 0 ? r : file_replace(path, buf_text(&text), text.len, 0644, err);
}

int drained_forget(const char *dir, struct error *err)
{
	CLEANUP(freep) char *path = path_join(dir, DRAINED_FILE);
	CLEANUP(closep) int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	file_remove_stale_of(path);
	if ((unlink(path) < 0 && errno != ENOENT) || dirfd < 0 || fsync(dirfd) < 0)
		return error_errno(err, "cannot remove '%s'", path);
	return 0;
}

void drained_add(struct strv *list, const struct strv *names)
{
	for (size_t i = 0; i < names->n; i++)
		if (!strv_contains(list, names->items[i]))
			strv_push(list, names->items[i]);
}
