/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From words, patterns and tags to names. */
#include "setup/machines.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>
#include <unistd.h>

#include "cli/output.h"
#include "config/forms.h"
#include "json/jnames.h"
#include "setup/hookplan.h"
#include "unit/network.h"
#include "util/file.h"
#include "util/mem.h"

static bool is_pattern(const char *word)
{
	return strpbrk(word, "*?[") != NULL;
}

static int unknown_machine(const struct call *call, const struct strv *all, const char *word,
		struct error *err)
{
	size_t len = config_stem_length(word);
	CLEANUP(freep) char *stem = xstrndup(word, len ? len : strlen(word));
	const char *near = jnames_nearest(stem, (const char *const *)all->items, all->n);
	if (near)
		return error_set(err, ENOENT, "there is no machine '%s'; did you mean '%s'?", word,
				near);
	return error_set(err, ENOENT, "there is no machine '%s' ('%s/%s.conf.json' does not exist)",
			word, call->paths.machine_dir, word);
}

static bool word_means(const char *word, const char *name)
{
	return is_pattern(word) ? fnmatch(word, name, 0) == 0 : !strcmp(word, name);
}

bool machines_has_named(const struct call *call, const char *name)
{
	const struct strv *words = &call->machines.patterns;
	for (size_t i = 0; i < words->n; i++)
		if (word_means(words->items[i], name))
			return true;
	return false;
}

bool machines_are_one(const struct call *call)
{
	const struct machine_selection *selected = &call->machines;
	return selected->patterns.n == 1 && !selected->all && !selected->tags.n &&
	       !is_pattern(selected->patterns.items[0]);
}

/* Names stay in the order of the list, which is that of the bytes. */
static int select_words(
		const struct call *call, const struct strv *all, bool *chosen, struct error *err)
{
	const struct strv *patterns = &call->machines.patterns;
	for (size_t i = 0; i < patterns->n; i++) {
		const char *word = patterns->items[i];
		bool found = false;
		for (size_t k = 0; k < all->n; k++)
			if (word_means(word, all->items[k]))
				chosen[k] = found = true;
		if (found)
			continue;
		if (is_pattern(word))
			return error_set(err, ENOENT, "no machine matches '%s'", word);
		const char *expected;
		if (!form_machine_name(word, &expected))
			return error_set(err, EINVAL,
					"'%s' can't be the name of a machine: expected %s", word,
					expected);
		return unknown_machine(call, all, word, err);
	}
	return 0;
}

static int select_tags(const struct call *call, struct report *report, const struct strv *all,
		bool *chosen, struct error *err)
{
	const struct strv *tags = &call->machines.tags;
	CLEANUP(host_done) struct host host = {};
	int r = host_load(&call->paths, &host, report, err);
	if (r != 0)
		return r;
	for (size_t i = 0; i < all->n; i++) {
		CLEANUP(machine_done) struct machine machine = {};
		r = machine_load(&call->paths, &host, all->items[i], &machine, report, err);
		if (r < 0)
			return r;
		for (size_t k = 0; r == 0 && k < tags->n; k++)
			chosen[i] |= machine_has_tag(&machine, tags->items[k]);
	}
	return report->n_errors ? 1 : 0;
}

bool machine_is_configured(const struct config_paths *paths, const char *machine)
{
	CLEANUP(freep) char *file = config_machine_path(paths, machine);
	CLEANUP(freep) char *path = NULL;
	struct error ignored;
	return config_follow(paths, file, &path, &ignored) == 0 && access(path, F_OK) == 0;
}

/* Machines that are called by their names; false: not only such, or one is not there. Beside a
 * thousand others, to list them all would take a third of the time of "args". */
static bool select_named(const struct call *call, struct strv *ret_names)
{
	const struct strv *words = &call->machines.patterns;
	CLEANUP(strv_done) struct strv names = {};
	if (call->machines.all || call->machines.tags.n)
		return false;
	for (size_t i = 0; i < words->n; i++) {
		const char *word = words->items[i], *expected;
		if (!form_machine_name(word, &expected) ||
				!machine_is_configured(&call->paths, word))
			return false;
		if (!strv_contains(&names, word))
			strv_push(&names, word);
	}
	strv_sort(&names);
	strv_move(ret_names, &names);
	return true;
}

int machines_select(const struct call *call, struct report *report, struct strv *ret_names,
		struct error *err)
{
	if (select_named(call, ret_names))
		return 0;
	CLEANUP(strv_done) struct strv all = {};
	CLEANUP(report_done) struct report names_report = {};
	bool whole = call->machines.all || call->machines.tags.n;
	int r = machine_list(&call->paths, &all, whole ? report : &names_report, err);
	return r < 0 ? r : machines_select_of(call, &all, report, ret_names, err);
}

int machines_select_or_all(const struct call *call, struct strv *ret_names, struct error *err)
{
	CLEANUP(report_done) struct report report = {};
	bool some = call->machines.patterns.n || call->machines.tags.n;
	int r = some ? machines_select(call, &report, ret_names, err)
		     : machine_list(&call->paths, ret_names, &report, err);
	print_errors(&report);
	return r;
}

/* Its unit, or the copy of it by which it was started: each may be gone while the other is there.
 */
static bool is_on_host(const struct config_paths *paths, const char *machine)
{
	CLEANUP(freep) char *unit = unit_name(UNIT_QEMU, machine);
	CLEANUP(freep) char *path = path_join(paths->unit_dir, unit);
	return access(path, F_OK) == 0 || hookplan_is_kept(paths, HOOK_QEMU, machine);
}

static bool are_names(const struct strv *words)
{
	for (size_t i = 0; i < words->n; i++)
		if (!machine_name_valid(words->items[i]))
			return false;
	return true;
}

/* Whoever may not look at them is not told of them. */
static void add_running(const struct call *call, struct strv *all)
{
	CLEANUP(strv_done) struct strv kept = {};
	struct error unused;
	if (hookplan_list(&call->paths, &kept, &unused) < 0)
		return;
	for (size_t i = 0; i < kept.n; i++)
		if (!strv_contains(all, kept.items[i]))
			strv_push(all, kept.items[i]);
}

int machines_select_known(const struct call *call, enum machines_known known,
		struct strv *ret_names, struct error *err)
{
	if (select_named(call, ret_names))
		return 0;
	const struct strv *words = &call->machines.patterns;
	bool whole = call->machines.all || call->machines.tags.n;
	CLEANUP(report_done) struct report report = {}, unused = {};
	CLEANUP(strv_done) struct strv all = {};
	/* Who is called by his name can be stopped, whatever has become of the config. */
	int r = machine_list(&call->paths, &all, whole ? &report : &unused, err);
	if (r < 0 && (whole || !are_names(words)))
		return r;
	/* A tag can't be looked for in a config that is not there. */
	for (size_t i = 0; !call->machines.tags.n && i < words->n; i++)
		if (machine_name_valid(words->items[i]) && !strv_contains(&all, words->items[i]) &&
				(known == MACHINES_ANY ||
						is_on_host(&call->paths, words->items[i])))
			strv_push(&all, words->items[i]);
	if (known == MACHINES_RUNNING && call->machines.all && !call->machines.tags.n)
		add_running(call, &all);
	strv_sort(&all);
	r = machines_select_of(call, &all, &report, ret_names, err);
	print_errors(&report);
	return r;
}

int machines_select_of(const struct call *call, const struct strv *all, struct report *report,
		struct strv *ret_names, struct error *err)
{
	CLEANUP(freep) bool *chosen = xcalloc(all->n, sizeof(*chosen));
	int r = select_words(call, all, chosen, err);
	if (r == 0 && call->machines.tags.n)
		r = select_tags(call, report, all, chosen, err);
	if (r != 0)
		return r;
	for (size_t i = 0; i < all->n; i++)
		if (chosen[i] || call->machines.all)
			strv_push(ret_names, all->items[i]);
	if (call->machines.tags.n && !ret_names->n)
		return error_set(err, ENOENT, "no machine has the tag '%s'",
				call->machines.tags.items[0]);
	return 0;
}

/* Those that are named, and have been started or generated, may have no config any more. */
static int select_named_seen(
		const struct call *call, struct strv *ret, struct strv *ret_lost, struct error *err)
{
	int r = machines_select_known(call, MACHINES_ON_HOST, ret, err);
	for (size_t i = 0; r == 0 && i < ret->n; i++)
		if (!machine_is_configured(&call->paths, ret->items[i]))
			strv_push(ret_lost, ret->items[i]);
	return r;
}

int machines_select_seen(
		const struct call *call, struct strv *ret, struct strv *ret_lost, struct error *err)
{
	CLEANUP(strv_done) struct strv kept = {};
	if (!call->paths.offline && call->machines.patterns.n)
		return select_named_seen(call, ret, ret_lost, err);
	int r = machines_select_or_all(call, ret, err);
	if (r != 0 || call->paths.offline || call->machines.tags.n)
		return r;
	/* Whoever may not look at them is not told of them. */
	struct error unused = {};
	if (hookplan_list(&call->paths, &kept, &unused) < 0)
		return 0;
	for (size_t i = 0; i < kept.n; i++)
		if (!strv_contains_sorted(ret, kept.items[i]))
			strv_push(ret_lost, kept.items[i]);
	strv_extend(ret, ret_lost);
	if (ret_lost->n)
		strv_sort(ret);
	return 0;
}

int machines_split(const struct call *call, const char *word, char **ret_machine,
		const char **ret_part, struct error *err)
{
	CLEANUP(strv_done) struct strv names = {};
	CLEANUP(report_done) struct report unused = {};
	int r = machine_list(&call->paths, &names, &unused, err);
	if (r < 0)
		return r;
	size_t best = 0;
	for (size_t i = 0; i < names.n; i++) {
		size_t len = strlen(names.items[i]);
		if (len >= best && !strncmp(word, names.items[i], len) &&
				(word[len] == '\0' || (word[len] == '.' && word[len + 1])))
			best = len;
	}
	if (!best)
		return unknown_machine(call, &names, word, err);
	*ret_machine = xstrndup(word, best);
	*ret_part = word[best] ? word + best + 1 : "";
	return 0;
}
