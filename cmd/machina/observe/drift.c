/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How far a machine that runs has moved away from what is on disk. */
#include "observe/drift.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hook/foreground.h"
#include "host/machine/restore.h"
#include "host/systemd/bus-unit.h"
#include "host/systemd/executed.h"
#include "lifecycle/monitor.h"
#include "setup/hookplan.h"
#include "unit/service.h"
#include "util/file.h"
#include "util/mem.h"

#define MAPS_MAX ((size_t)16 << 20)
/* What the kernel adds to the name of a file that has none any more: proc(5). */
#define DELETED " (deleted)"

void drift_done(struct drift *drift)
{
	argdiff_done(&drift->diff);
	built_done(&drift->built);
	plan_done(&drift->plan);
	strv_done(&drift->running);
	free(drift->replaced);
	*drift = (struct drift){};
}

static bool ends_in(const char *text, size_t len, const char *ending)
{
	size_t n = strlen(ending);
	return len >= n && !memcmp(text + len - n, ending, n);
}

/* A line of /proc/PID/maps of code: "... r-xp ... /usr/lib/libx.so.1 (deleted)". */
static char *deleted_code(const char *line, size_t len)
{
	const char *path = memchr(line, '/', len);
	const char *flags = memchr(line, ' ', len);
	if (!path || !flags || flags + 3 >= line + len || flags[3] != 'x' ||
			!ends_in(line, len, DELETED))
		return NULL;
	CLEANUP(freep)
	char *name = xstrndup(path, len - (size_t)(path - line) - strlen(DELETED));
	/* Code that a program makes for itself is in files in memory that never had a name. */
	return !strncmp(name, "/memfd:", strlen("/memfd:")) || !strncmp(name, "/dev/", 5)
			       ? NULL
			       : take_ptr(name);
}

void drift_find_replaced(pid_t pid, char **ret)
{
	CLEANUP(freep) char *path = xasprintf("/proc/%d/maps", pid);
	CLEANUP(buf_done) struct buf maps = {};
	struct error unused;
	*ret = NULL;
	if (executed_is(pid) && file_read(path, MAPS_MAX, &maps, &unused) == 0)
		for (const char *line = buf_text(&maps); !*ret && *line;) {
			size_t len = strcspn(line, "\n");
			*ret = deleted_code(line, len);
			line += len + (line[len] == '\n');
		}
	if (!*ret)
		*ret = xstrdup("");
}

/* Is @end what @argv ends in? */
static bool ends_with(const struct strv *argv, const struct strv *end)
{
	bool same = end->n && end->n < argv->n;
	for (size_t i = 0; same && i < end->n; i++)
		same = !strcmp(argv->items[argv->n - end->n + i], end->items[i]);
	return same;
}

/* Without the words that are added when it starts: they are of that start alone. */
static void drop_runtime(const struct plan *plan, struct strv *argv)
{
	CLEANUP(strv_done) struct strv vhost = {};
	qemu_vhost_args(plan, &vhost);
	restore_drop_words(argv);
	if (ends_with(argv, &vhost))
		argv->n -= vhost.n;
}

/* What QEMU is connected to is made by a unit beside its own. */
static bool connects_to(const struct plan *plan, const char *path)
{
	for (size_t i = 0; i < plan->n_fds; i++)
		if (plan->fds[i].kind == PLAN_FD_CONNECT && !strcmp(plan->fds[i].path, path))
			return true;
	return false;
}

/* The port of a screen that has none any more stays open. */
static bool has_lost_port(const struct config_paths *paths, const struct plan *plan)
{
	for (size_t i = 0; i < UNIT_SCREENS; i++) {
		CLEANUP(freep) char *unit = unit_name(unit_screens[i].socket, plan->machine);
		CLEANUP(freep) char *path = path_join(paths->unit_dir, unit);
		if (!unit_screen_port(&unit_screens[i], plan) && access(path, F_OK) == 0)
			return true;
	}
	return false;
}

static bool has_to_stop(const struct config_paths *paths, const struct drift *drift)
{
	const struct plan *was = &drift->plan;
	for (size_t i = 0; i < was->n_fds; i++)
		if (was->fds[i].kind == PLAN_FD_CONNECT &&
				!connects_to(&drift->built.plan, was->fds[i].path))
			return true;
	return has_lost_port(paths, &drift->built.plan);
}

int drift_compare(struct config *config, const char *machine, pid_t pid, struct drift *ret,
		struct error *err)
{
	struct error doubt;
	hookplan_recall(config->paths, HOOK_QEMU, machine, &ret->plan, &doubt);
	int r = executed_argv(pid, 0, &ret->running, err);
	if (r == 0)
		r = built_argv(&ret->built, config, machine, QEMU_FORM_UNIT, NULL, err);
	if (r != 0)
		return r;
	drop_runtime(&ret->plan, &ret->running);
	drift_find_replaced(pid, &ret->replaced);
	/* A program that the unit's sandbox has mounted by itself has no other name. */
	if (!strcmp(ret->replaced, "/") && ret->running.n) {
		free(ret->replaced);
		ret->replaced = xstrdup(ret->running.items[0]);
	}
	argdiff_make(&(struct argdiff_side){ &ret->running, &ret->plan },
			&(struct argdiff_side){ &ret->built.argv, &ret->built.plan }, &ret->diff);
	ret->has_to_stop = has_to_stop(config->paths, ret);
	return 0;
}

int drift_find(struct config *config, struct bus *bus, const char *machine, struct drift *ret,
		struct error *err)
{
	CLEANUP(freep) char *unit = unit_name(UNIT_QEMU, machine);
	CLEANUP(unit_info_done) struct unit_info info = {};
	int r = bus_get_unit(bus, unit, &info, err);
	if (r < 0)
		return r;
	if (!info.main_pid || !executed_is(info.main_pid))
		return foreground_is(config->paths, machine)
				       ? error_set(err, EOPNOTSUPP,
							 "machine '%s' runs in the foreground: it "
							 "is not compared",
							 machine)
				       : monitor_explain_off(config->paths, machine, err);
	return drift_compare(config, machine, info.main_pid, ret, err);
}
