/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Read one machine's file, find its tags, merge. */
#include <stdio.h>
#include <string.h>

#include "config/forms.h"
#include "config/inherit.h"
#include "config/load.h"
#include "config/place.h"
#include "config/tags.h"
#include "json/jlocate.h"
#include "json/jnames.h"
#include "json/jtree.h"
#include "util/file.h"
#include "util/mem.h"

void machine_done(struct machine *machine)
{
	json_object_put(machine->merged);
	jdoc_done(&machine->doc);
	free(machine->layers);
	free(machine->name);
	arena_done(&machine->arena);
	*machine = (struct machine){};
}

/* The Go program let the file give another name, and then made units whose hooks could not find
 * the file. */
static void check_name(const struct machine *m, struct report *report)
{
	const char *text = jtree_get_text(m->doc.root, "name");
	if (!machine_name_valid(text) || !strcmp(text, m->name))
		return;
	struct where at;
	jlocate_value(&m->doc, "/name", &at);
	report_add(report, SEVERITY_ERROR, at, "/name", NULL,
			"expected \"%s\", the name of the file, found \"%s\"", m->name, text);
}

static int tell_missing(const struct config_paths *paths, const char *name, const char *path,
		struct error *err)
{
	CLEANUP(strv_done) struct strv all = {};
	CLEANUP(report_done) struct report ignored = {};
	const char *near = NULL;
	if (machine_list(paths, &all, &ignored, err) == 0)
		near = jnames_nearest(name, (const char *const *)all.items, all.n);
	if (near)
		return error_set(err, ENOENT, "there is no machine '%s'; did you mean '%s'?", name,
				near);
	return error_set(err, ENOENT, "there is no machine '%s' ('%s' does not exist)", name, path);
}

static int load_doc(const struct config_paths *paths, const char *name, struct machine *ret,
		struct report *report, struct error *err)
{
	CLEANUP(freep) char *path = config_machine_path(paths, name);
	if (config_load_file(paths, path, &ret->doc, report) == 0)
		return 0;
	return tell_missing(paths, name, path, err);
}

/* Returns 0, or 1 when there are findings; without a root the document can't be used then. */
static int check_doc(struct machine *m, struct report *report)
{
	size_t before = report->n_errors_told;
	if (!m->doc.root)
		return 1;
	jfill(machine_fields, m->doc.root);
	if (!jcheck(machine_fields, &m->doc, m->doc.root, "", report))
		json_object_put(take_ptr(m->doc.root));
	else
		check_name(m, report);
	m->has_flaws |= report->n_errors_told > before;
	return m->has_flaws;
}

/* The machine's own file, checked. As check_doc(), or a negative errno. */
static int read_machine(const struct config_paths *paths, const char *name, struct machine *ret,
		struct report *report, struct error *err)
{
	*ret = (struct machine){};
	const char *expected;
	if (!form_machine_name(name, &expected))
		return error_set(err, EINVAL, "'%s' can't be the name of a machine: expected %s",
				name, expected);

	size_t before = report->n_errors_told;
	ret->name = xstrdup(name);
	int r = load_doc(paths, name, ret, report, err);
	if (r < 0)
		return r;
	ret->has_flaws = report->n_errors_told > before;
	return check_doc(ret, report);
}

/* Find the tags of a machine, and merge. */
static int merge_machine(const struct host *host, struct machine *m, struct report *report)
{
	if (!m->doc.root)
		return 1;
	tags_resolve(host, m, report);
	const struct inherited *inherited =
			inheritance_find(host->inheritance, m->layers, m->n_layers);
	if (inherited) {
		struct layer layers[] = { m->layers[0],
			{ .object = inherited->merged, .is_merged = true } };
		m->merged = jmerge(machine_fields, layers, ARRAY_SIZE(layers), NULL, NULL);
		m->conf = inherited->conf;
		jbind_changes(machine_fields, inherited->merged, m->merged, &m->conf, &m->arena);
	} else {
		m->merged = jmerge(machine_fields, m->layers, m->n_layers, NULL, NULL);
		jbind(machine_fields, m->merged, &m->conf, &m->arena);
	}
	m->conf.name = m->name;
	m->has_flaws |= host->has_flaws && jtree_has_flaw(m->merged);
	return m->has_flaws;
}

int machine_check(const struct config_paths *paths, const char *name, struct report *report,
		struct error *err)
{
	CLEANUP(machine_done) struct machine machine = {};
	return read_machine(paths, name, &machine, report, err);
}

int machine_load(const struct config_paths *paths, const struct host *host, const char *name,
		struct machine *ret, struct report *report, struct error *err)
{
	int r = read_machine(paths, name, ret, report, err);
	return r < 0 ? r : merge_machine(host, ret, report);
}

int machine_take_doc(const struct host *host, const char *name, struct jdoc *doc,
		struct machine *ret, struct report *report)
{
	*ret = (struct machine){ .name = xstrdup(name), .doc = *doc };
	*doc = (struct jdoc){};
	(void)check_doc(ret, report);
	return merge_machine(host, ret, report);
}

void machine_locate(const struct machine *machine, const char *pointer, struct where *ret,
		const char **ret_chain, char **ret_pointer)
{
	place_find(machine_fields, machine->layers, machine->n_layers, machine->merged, pointer,
			ret, ret_chain, ret_pointer);
}

bool machine_is_flawed(const struct machine *machine, const char *pointer)
{
	return machine->has_flaws && place_is_flawed(machine_fields, machine->merged, pointer);
}

void machine_report(const struct machine *machine, struct report *report, enum severity severity,
		const char *pointer, const char *format, ...)
{
	struct where at;
	const char *chain;
	CLEANUP(freep) char *own_pointer = NULL;
	if (machine_is_flawed(machine, pointer)) {
		report_withhold(report, severity);
		return;
	}
	machine_locate(machine, pointer, &at, &chain, &own_pointer);

	va_list ap;
	va_start(ap, format);
	report_vadd(report, severity, at, own_pointer, chain, format, ap);
	va_end(ap);
}

int machine_list(const struct config_paths *paths, struct strv *ret_names, struct report *report,
		struct error *err)
{
	CLEANUP(strv_done) struct strv files = {};
	int r = dir_list(paths->machine_dir, &files, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < files.n; i++) {
		size_t len = config_stem_length(files.items[i]);
		if (!len)
			continue;
		CLEANUP(freep) char *name = xstrndup(files.items[i], len);
		const char *expected;
		if (form_machine_name(name, &expected)) {
			strv_push_take(ret_names, take_ptr(name));
			continue;
		}
		CLEANUP(freep) char *path = path_join(paths->machine_dir, files.items[i]);
		report_add(report, SEVERITY_ERROR, (struct where){ .file = path }, NULL, NULL,
				"'%s' can't be the name of a machine: expected %s", name, expected);
	}
	/* "web-1.conf.json" is before "web.conf.json". */
	strv_sort(ret_names);
	return 0;
}
