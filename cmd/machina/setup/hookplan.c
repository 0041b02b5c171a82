/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which plan a hook of a unit follows. */
#include "setup/hookplan.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/os/rundir.h"
#include "setup/unit-load.h"
#include "unit/service.h"
#include "unit/unitfile.h"
#include "util/file.h"
#include "util/mem.h"

static const struct {
	const char *pattern, *suffix;
} hook_units[] = {
	[HOOK_QEMU] = { UNIT_QEMU, "plan" },
	[HOOK_SWTPM] = { UNIT_SWTPM, "tpm-plan" },
	[HOOK_SHARE] = { UNIT_SHARE, "share-plan" },
};

/*
 * The end of a copy that was made where none was. What an earlier prepare has left may not be in
 * the plan, nor what was there when the plan was changed: such a copy does not end so.
 */
static const char first_mark[] = "\n# Nothing was left of an earlier start.\n";

char *hookplan_machine(const char *instance)
{
	return xstrndup(instance, strcspn(instance, "@"));
}

/* That of a plan: "web", or "web@data" of a share's. The caller frees it. */
static char *instance_of(const struct plan *plan)
{
	return plan->share ? unit_share_instance(plan->machine, plan->share)
			   : xstrdup(plan->machine);
}

/* Begins with a dot, which no machine's name does; the endings differ in their last part. */
static char *copy_path(const struct config_paths *paths, enum hook_unit unit, const char *machine)
{
	return xasprintf("%s/.%s.%s", paths->run_dir, machine, hook_units[unit].suffix);
}

static const char *pattern_of(enum hook_unit unit)
{
	return hook_units[unit].pattern;
}

/* A unit's name and its plan could disagree in a file that was copied by hand. */
static int check_machine(const struct plan *plan, const char *machine, struct error *err)
{
	CLEANUP(freep) char *instance = instance_of(plan);
	if (!strcmp(instance, machine))
		return 0;
	return error_set(err, EINVAL, "the unit of machine '%s' carries the plan of machine '%s'",
			machine, instance);
}

/* A plan has no number of a version: what is new in one has a new word. */
static int tell_way_out(const struct error *why, const char *instance, struct error *err)
{
	CLEANUP(freep) char *machine = hookplan_machine(instance);
	return error_set(err, why->code,
			"%s; the unit was made by another version of this program, or edited: "
			"'machina generate %s' makes it anew",
			why->text, machine);
}

int hookplan_begin(const struct config_paths *paths, enum hook_unit unit, const char *machine,
		struct plan *ret, struct buf *ret_text, struct error *err)
{
	CLEANUP(freep) char *path = NULL;
	struct error why = {};
	*ret = (struct plan){};
	int r = unit_load(paths, pattern_of(unit), machine, &path, ret_text, err);
	if (r < 0)
		return r;
	r = unit_read_plan(path, buf_text(ret_text), ret_text->len, ret, &why);
	return r < 0 ? tell_way_out(&why, machine, err) : check_machine(ret, machine, err);
}

int hookplan_keep(const struct config_paths *paths, enum hook_unit unit, const struct plan *plan,
		const char *text, struct error *err)
{
	CLEANUP(freep) char *instance = instance_of(plan);
	CLEANUP(freep) char *path = copy_path(paths, unit, instance);
	CLEANUP(freep) char *alone = NULL;
	int r = rundir_make_parent(plan->run_dir, err);
	if (r == 0 && !text) {
		r = unit_plan_text(plan, &alone, err);
		text = alone;
	}
	if (r < 0)
		return r;
	bool is_first = access(path, F_OK) < 0 && errno == ENOENT;
	CLEANUP(freep) char *kept = xasprintf("%s%s", text, is_first ? first_mark : "");
	r = file_replace(path, kept, strlen(kept), 0644, err);
	return r < 0 ? r : is_first;
}

int hookplan_change(const struct config_paths *paths, const struct plan *plan, struct error *err)
{
	CLEANUP(freep) char *path = copy_path(paths, HOOK_QEMU, plan->machine);
	CLEANUP(freep) char *changed = NULL;
	CLEANUP(buf_done) struct buf text = {};
	int r = file_read(path, UNIT_SIZE_MAX, &text, err);
	if (r == 0)
		r = unit_put_plan(buf_text(&text), plan, &changed, err);
	return r == 0 ? file_replace(path, changed, strlen(changed), 0644, err) : r;
}

int hookplan_list(const struct config_paths *paths, struct strv *ret, struct error *err)
{
	static const char ending[] = ".plan";
	CLEANUP(strv_done) struct strv names = {};
	int r = dir_list(paths->run_dir, &names, err);
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		const char *name = names.items[i];
		size_t len = strlen(name);
		if (name[0] != '.' || len <= strlen(ending) + 1 ||
				strcmp(name + len - strlen(ending), ending) != 0)
			continue;
		strv_push_take(ret, xstrndup(name + 1, len - 1 - strlen(ending)));
	}
	strv_sort(ret);
	return r < 0 ? r : 0;
}

static int read_copy(const struct config_paths *paths, enum hook_unit unit, const char *machine,
		struct plan *ret, struct error *err)
{
	CLEANUP(freep) char *path = copy_path(paths, unit, machine);
	CLEANUP(buf_done) struct buf text = {};
	*ret = (struct plan){};
	int r = file_read(path, UNIT_SIZE_MAX, &text, err);
	if (r == 0)
		r = unit_read_plan(path, buf_text(&text), text.len, ret, err);
	if (r < 0)
		return r;
	const size_t mark_len = strlen(first_mark);
	ret->is_all = text.len > mark_len &&
		      !strcmp(buf_text(&text) + text.len - mark_len, first_mark);
	return 0;
}

static char *user_of_name(enum hook_unit unit, const char *machine, const char *share)
{
	return unit == HOOK_QEMU    ? vm_user_name(machine)
	       : unit == HOOK_SWTPM ? vm_tpm_user_name(machine)
				    : vm_share_user_name(machine, share);
}

/* Only what follows from the name. */
static void plan_of_name(const struct config_paths *paths, enum hook_unit unit,
		const char *instance, struct plan *ret)
{
	CLEANUP(freep) char *machine = hookplan_machine(instance);
	const char *at = strchr(instance, '@'), *share = at ? at + 1 : NULL;
	CLEANUP(freep) char *user = user_of_name(unit, machine, share);
	*ret = (struct plan){};
	ret->machine = arena_strdup(&ret->arena, machine);
	ret->share = share ? arena_strdup(&ret->arena, share) : NULL;
	ret->user = arena_strdup(&ret->arena, user);
	ret->run_dir = arena_printf(&ret->arena, "%s/%s", paths->run_dir, machine);
	ret->socket_dir = arena_printf(&ret->arena, "%s-qemu/%s", paths->run_dir, machine);
}

void hookplan_recall(const struct config_paths *paths, enum hook_unit unit, const char *machine,
		struct plan *ret, struct error *ret_doubt)
{
	CLEANUP(buf_done) struct buf text = {};
	*ret_doubt = (struct error){};
	int r = read_copy(paths, unit, machine, ret, ret_doubt);
	if (r == -ENOENT) {
		plan_done(ret);
		*ret_doubt = (struct error){};
		r = hookplan_begin(paths, unit, machine, ret, &text, ret_doubt);
	}
	if (r == 0)
		return;
	plan_done(ret);
	plan_of_name(paths, unit, machine, ret);
	if (r == -ENOENT)
		*ret_doubt = (struct error){};
}

int hookplan_recall_tpm(const struct config_paths *paths, const struct plan *plan, struct plan *ret,
		struct error *err)
{
	struct error doubt = {};
	if (!plan_find(plan, "tpm"))
		return 0;
	hookplan_recall(paths, HOOK_SWTPM, plan->machine, ret, &doubt);
	if (doubt.code)
		return error_set(err, doubt.code, "%s", doubt.text);
	if (!ret->tpm_data)
		return error_set(err, ENOENT, "the machine has a TPM, but there is no unit of it");
	return 0;
}

int hookplan_argv(const char *name, const struct buf *text, struct strv *ret, struct error *err)
{
	CLEANUP(unitdoc_done) struct unitdoc doc = {};
	CLEANUP(unit_exec_done) struct unit_exec exec = {};
	int r = unitfile_parse(name, buf_text(text), text->len, &doc, err);
	if (r < 0)
		return r;
	const struct unitdoc_entry *entry = unitdoc_get(&doc, "Service", "ExecStart");
	if (!entry)
		return error_set(err, EOPNOTSUPP, "'%s' has no ExecStart=", name);
	r = unitfile_split_exec(entry->value, &exec, err);
	if (r == 0)
		strv_move(ret, &exec.argv);
	return r;
}

int hookplan_started_argv(const struct config_paths *paths, const char *machine, struct strv *ret,
		struct error *err)
{
	CLEANUP(freep) char *path = copy_path(paths, HOOK_QEMU, machine);
	CLEANUP(buf_done) struct buf text = {};
	int r = file_read(path, UNIT_SIZE_MAX, &text, err);
	if (r == 0)
		r = hookplan_argv(path, &text, ret, err);
	if (r == -EOPNOTSUPP)
		return error_set(err, EOPNOTSUPP, "machine '%s' was not started by its unit",
				machine);
	return r;
}

bool hookplan_is_kept(const struct config_paths *paths, enum hook_unit unit, const char *machine)
{
	CLEANUP(freep) char *path = copy_path(paths, unit, machine);
	return access(path, F_OK) == 0;
}

/*
 * Is a unit on disk another one than at the start, in what counts? One that is gone is not; without
 * a copy a unit of others has started QEMU.
 */
static int look_for_changes(const struct config_paths *paths, enum hook_unit unit,
		const char *machine, bool *ret_changed, struct error *err)
{
	CLEANUP(freep) char *copy = copy_path(paths, unit, machine);
	CLEANUP(freep) char *path = NULL;
	CLEANUP(buf_done) struct buf old_text = {}, text = {};
	CLEANUP(unitdoc_done) struct unitdoc old = {}, new = {};
	if (unit_load(paths, pattern_of(unit), machine, &path, &text, NULL) < 0)
		return 0;
	if (!hookplan_is_kept(paths, unit, machine)) {
		*ret_changed = unit == HOOK_QEMU;
		return 0;
	}
	int r = file_read(copy, UNIT_SIZE_MAX, &old_text, err);
	if (r == 0)
		r = unitfile_parse(copy, buf_text(&old_text), old_text.len, &old, err);
	/* 'machina run' has started it, and no unit. */
	if (r == 0 && !unitdoc_next(&old, "Service", "ExecStart", NULL))
		return 0;
	if (r == 0)
		r = unitfile_parse(path, buf_text(&text), text.len, &new, err);
	if (r == 0)
		*ret_changed = unit_needs_restart(&old, &new);
	return r;
}

int hookplan_running(const struct config_paths *paths, const char *machine, struct plan *ret,
		bool *ret_changed, struct error *err)
{
	static const enum hook_unit units[] = { HOOK_QEMU, HOOK_SWTPM };
	*ret_changed = false;
	bool is_kept = hookplan_is_kept(paths, HOOK_QEMU, machine);
	int r = is_kept ? read_copy(paths, HOOK_QEMU, machine, ret, err) : 0;
	for (size_t i = 0; r == 0 && !*ret_changed && i < ARRAY_SIZE(units); i++)
		r = look_for_changes(paths, units[i], machine, ret_changed, err);
	for (size_t i = 0; r == 0 && !*ret_changed && i < ret->n_fds; i++) {
		const char *share = plan_share_of(&ret->fds[i]);
		if (!share)
			continue;
		CLEANUP(freep) char *instance = unit_share_instance(machine, share);
		r = look_for_changes(paths, HOOK_SHARE, instance, ret_changed, err);
	}
	return r < 0 ? r : !is_kept;
}

int hookplan_forget(const struct config_paths *paths, enum hook_unit unit, const char *machine,
		bool is_all, struct error *err)
{
	CLEANUP(freep) char *path = copy_path(paths, unit, machine);
	/* A prepare that was killed while it made its copy. The directory is that of all machines.
	 */
	if (!is_all)
		file_remove_stale(paths->run_dir);
	if (unlink(path) < 0 && errno != ENOENT)
		return error_errno(err, "cannot remove '%s'", path);
	return 0;
}

static const char *path_of_set(const struct plan *plan, long set)
{
	for (size_t i = 0; i < plan->n_fds; i++)
		if (plan_fd_has_set(plan->fds[i].kind) && plan->fds[i].set == set)
			return plan->fds[i].path;
	return NULL;
}

char *hookplan_name_files(const struct plan *plan, const char *text)
{
	CLEANUP(buf_done) struct buf out = {};
	for (const char *found; (found = strstr(text, HOOKPLAN_SET));) {
		char *end;
		const char *number = found + strlen(HOOKPLAN_SET);
		const char *path = path_of_set(plan, strtol(number, &end, 10));
		buf_add(&out, text, (size_t)(found - text));
		if (path)
			buf_puts(&out, path);
		else
			buf_add(&out, found, (size_t)(end - found));
		text = end;
	}
	buf_puts(&out, text);
	return buf_take(&out);
}
