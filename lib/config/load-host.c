/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Read and merge the files of the host's config. */
#include <stdio.h>
#include <string.h>

#include "config/inherit.h"
#include "config/load.h"
#include "config/place.h"
#include "json/jlocate.h"
#include "util/file.h"
#include "util/mem.h"

void host_done(struct host *host)
{
	inheritance_free(host->inheritance);
	json_object_put(host->merged);
	for (size_t i = 0; i < host->n_docs; i++)
		jdoc_done(&host->docs[i]);
	free(host->docs);
	free(host->layers);
	arena_done(&host->arena);
	*host = (struct host){};
}

/* The main file, then the drop-ins; false: these can't be listed. */
static bool list_files(const struct config_paths *paths, struct strv *files, struct report *report)
{
	strv_push_take(files, path_join(paths->config_dir, CONFIG_MAIN_NAME));

	CLEANUP(freep) char *dir = path_join(paths->config_dir, "machina.conf.d");
	CLEANUP(strv_done) struct strv names = {};
	bool is_listed = config_list_dir(paths, dir, &names, report);
	for (size_t i = 0; i < names.n; i++)
		if (config_stem_length(names.items[i]))
			strv_push_take(files, path_join(dir, names.items[i]));
	return is_listed;
}

/* One that can't be used may have any entry more, and others in place of those that it speaks of.
 */
static void check_doc(struct host *host, size_t i, struct report *report)
{
	struct jdoc *doc = &host->docs[i];
	jfill(host_fields, doc->root);
	if (doc->root && jcheck(host_fields, doc, doc->root, "", report))
		return;
	json_object_put(doc->root);
	doc->root = junknown(host_fields);
	host->has_flaws = true;
	for (size_t k = 0; k < i; k++)
		junknown_mentioned(host_fields, host->docs[k].root, doc->text, doc->len);
}

/* Check and merge ret->docs. */
static int use_docs(struct host *ret, struct report *report)
{
	size_t before = report->n_errors_told;
	ret->layers = xcalloc(ret->n_docs, sizeof(*ret->layers));
	for (size_t i = 0; i < ret->n_docs; i++) {
		const struct jdoc *doc = &ret->docs[i];
		check_doc(ret, i, report);
		ret->layers[ret->n_docs - 1 - i] = (struct layer){
			.doc = doc,
			.object = doc->root,
			.pointer = "",
			.label = doc->name,
			.chain = doc->name,
		};
	}
	ret->has_flaws |= report->n_errors_told > before;
	ret->merged = jmerge(host_fields, ret->layers, ret->n_docs, NULL, NULL);
	jbind(host_fields, ret->merged, &ret->conf, &ret->arena);
	ret->inheritance = inheritance_new();
	return ret->has_flaws;
}

int host_take_docs(struct jdoc *docs, size_t n, struct host *ret, struct report *report)
{
	*ret = (struct host){ .docs = docs, .n_docs = n };
	return use_docs(ret, report);
}

int host_load(const struct config_paths *paths, struct host *ret, struct report *report,
		struct error *err)
{
	*ret = (struct host){};
	CLEANUP(strv_done) struct strv files = {};
	size_t before = report->n_errors_told;
	bool is_listed = list_files(paths, &files, report), has_main = false;
	ret->docs = xcalloc(files.n + 1, sizeof(*ret->docs));
	for (size_t i = 0; i < files.n; i++) {
		/* Who removes a drop-in meanwhile is not told of it. */
		if (config_load_file(paths, files.items[i], &ret->docs[ret->n_docs], report) == 0) {
			has_main |= i == 0;
			ret->n_docs++;
		}
	}
	if (!is_listed)
		ret->docs[ret->n_docs++] = (struct jdoc){
			.name = path_join(paths->config_dir, "machina.conf.d"), .text = xstrdup("")
		};
	if (!has_main)
		return error_set(err, ENOENT,
				"there is no host config (machina.conf(5)): '%s' does not exist",
				files.items[0]);
	ret->has_flaws = report->n_errors_told > before;
	return use_docs(ret, report);
}

bool host_is_flawed(const struct host *host, const char *pointer)
{
	return host->has_flaws && place_is_flawed(host_fields, host->merged, pointer);
}

void host_locate(
		const struct host *host, const char *pointer, struct where *ret, char **ret_pointer)
{
	const char *chain;
	place_find(host_fields, host->layers, host->n_docs, host->merged, pointer, ret, &chain,
			ret_pointer);
}

void host_report(const struct host *host, struct report *report, enum severity severity,
		const char *pointer, const char *format, ...)
{
	struct where at;
	CLEANUP(freep) char *own_pointer = NULL;
	if (host_is_flawed(host, pointer)) {
		report_withhold(report, severity);
		return;
	}
	host_locate(host, pointer, &at, &own_pointer);

	va_list ap;
	va_start(ap, format);
	report_vadd(report, severity, at, own_pointer, NULL, format, ap);
	va_end(ap);
}
