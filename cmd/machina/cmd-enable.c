/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina enable, disable: whether machines start when the host does. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/output.h"
#include "host/systemd/bus-file.h"
#include "lifecycle/drain.h"
#include "lifecycle/lifecycle.h"
#include "setup/machines.h"
#include "unit/service.h"
#include "util/file.h"
#include "util/mem.h"

struct enable_options {
	bool dry_run;
};

/* What WantedBy= of the units asks for. */
#define WANTS_DIR UNIT_ENABLED_TARGET ".wants"

static int find_wants(const struct config_paths *paths, char **ret, struct error *err)
{
	CLEANUP(freep) char *wants = path_join(paths->unit_dir, WANTS_DIR);
	return config_follow(paths, wants, ret, err);
}

/* Without a systemd that could be asked, the links are made as it would make them. */
static int enable_offline(const struct call *call, const struct strv *units, struct error *err)
{
	CLEANUP(freep) char *wants = NULL;
	int r = find_wants(&call->paths, &wants, err);
	if (r == 0)
		r = mkdir_all(wants, 0755, err);
	for (size_t i = 0; r >= 0 && i < units->n; i++) {
		CLEANUP(freep) char *link = path_join(wants, units->items[i]);
		CLEANUP(freep) char *target = xasprintf("/etc/systemd/system/%s", units->items[i]);
		if (symlink(target, link) == 0)
			printf("created '%s' -> '%s'\n", link, target);
		else if (errno != EEXIST)
			return error_errno(err, "cannot make the link '%s'", link);
	}
	return r < 0 ? r : 0;
}

static int disable_offline(const struct call *call, const struct strv *units, struct error *err)
{
	CLEANUP(freep) char *wants = NULL;
	int r = find_wants(&call->paths, &wants, err);
	for (size_t i = 0; r == 0 && i < units->n; i++) {
		CLEANUP(freep) char *link = path_join(wants, units->items[i]);
		if (unlink(link) == 0)
			printf("removed '%s'\n", link);
		else if (errno != ENOENT)
			return error_errno(err, "cannot remove '%s'", link);
	}
	return r;
}

/*
 * Where the config says it, generate would undo what is done here. Returns 1 where there is nothing
 * to do: it says the same, or the machine was not named.
 */
static int check_declared(
		const struct call *call, const char *machine, bool enable, struct error *err)
{
	enum vm_autostart says = lifecycle_autostart(&call->paths, machine);
	if (says != (enable ? VM_AUTOSTART_NO : VM_AUTOSTART_YES))
		return enable && says == VM_AUTOSTART_YES;
	if (!machines_has_named(call, machine)) {
		printf("%s: left to its config (\"autostart\": %s)\n", machine,
				enable ? "false" : "true");
		return 1;
	}
	if (enable)
		return error_set(err, EINVAL,
				"cannot enable '%s': its config says \"autostart\": false (or "
				"\"cluster\": true)",
				machine);
	return error_set(err, EINVAL,
			"cannot disable '%s': its config says \"autostart\": true; change it "
			"there, then 'machina generate %s'",
			machine, machine);
}

/* Those that were never generated, all at once. */
static int check_generated(
		const struct config_paths *paths, const struct strv *machines, struct error *err)
{
	CLEANUP(buf_done) struct buf missing = {};
	size_t n = 0;
	for (size_t i = 0; i < machines->n; i++) {
		CLEANUP(freep) char *unit = unit_name(UNIT_QEMU, machines->items[i]);
		CLEANUP(freep) char *path = path_join(paths->unit_dir, unit);
		if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT)
			continue;
		buf_printf(&missing, " %s", machines->items[i]);
		n++;
	}
	if (!n)
		return 0;
	return error_set(err, ENOENT,
			"cannot enable what has no unit yet: 'machina generate%s' makes %s",
			buf_text(&missing), n == 1 ? "it" : "them");
}

static int change(const struct call *call, bool enable, struct error *err)
{
	const struct enable_options *options = call->options;
	CLEANUP(strv_done) struct strv machines = {}, units = {}, changes = {};
	int r = drain_refuse(&call->paths, enable ? "enable" : "disable", err);
	if (r < 0)
		return r;
	r = lifecycle_select(call, enable ? LIFECYCLE_ENABLE : LIFECYCLE_START, &machines, err);
	if (r != 0)
		return r < 0 ? r : STATUS_FAILURE;
	if (enable)
		r = check_generated(&call->paths, &machines, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < machines.n; i++) {
		r = check_declared(call, machines.items[i], enable, err);
		if (r < 0)
			return r;
		if (r == 0)
			strv_push_take(&units, unit_name(UNIT_QEMU, machines.items[i]));
	}
	if (options->dry_run) {
		for (size_t i = 0; i < units.n; i++)
			printf("would %s %s\n", enable ? "enable" : "disable", units.items[i]);
		return STATUS_DONE;
	}
	if (!units.n)
		return STATUS_DONE;
	if (call->paths.offline)
		return enable ? enable_offline(call, &units, err)
			      : disable_offline(call, &units, err);

	CLEANUP(bus_freep) struct bus *bus = NULL;
	r = bus_open(&bus, err);
	if (r == 0)
		r = enable ? bus_enable(bus, &units, &changes, err)
			   : bus_disable(bus, &units, &changes, err);
	print_lines(&changes);
	return r < 0 ? r : STATUS_DONE;
}

static int enable_run(const struct call *call, struct error *err)
{
	return change(call, true, err);
}

static int disable_run(const struct call *call, struct error *err)
{
	return change(call, false, err);
}

static const struct option_spec options[] = { OPTION_DRY_RUN(struct enable_options, dry_run), {} };

const struct command cmd_enable = {
	.name = "enable",
	.group = GROUP_RUN,
	.flags = COMMAND_FILES | COMMAND_SELECTS,
	.arguments = arguments_machines,
	.summary = "Let machines start when the host does",
	.description = "Their units must have been generated. A machine whose config has "
		       "\"autostart\" is left to it under --all and --tag; one that is named and "
		       "that says false is refused. A machine that a cluster manager drives "
		       "(\"cluster\": true) is left alone. Nothing is started now.",
	.options = options,
	.options_size = sizeof(struct enable_options),
	.run = enable_run,
};

const struct command cmd_disable = {
	.name = "disable",
	.group = GROUP_RUN,
	.flags = COMMAND_FILES | COMMAND_SELECTS,
	.arguments = arguments_machines,
	.summary = "Let machines not start when the host does",
	.description = "Machines that run go on. One whose config says \"autostart\": true is left "
		       "to it under --all and --tag, and refused when it is named.",
	.options = options,
	.options_size = sizeof(struct enable_options),
	.run = disable_run,
};
