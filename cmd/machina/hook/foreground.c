/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who runs a machine. */
#include "hook/foreground.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "host/machine/saved.h"
#include "host/os/clock.h"
#include "host/os/listen.h"
#include "host/os/rundir.h"
#include "host/systemd/bus-unit.h"
#include "unit/network.h"
#include "unit/service.h"
#include "util/mem.h"

/* A hook that looks at the lock holds it for a moment. */
#define LOOK_USEC USEC_PER_SEC

static char *lock_path(const struct config_paths *paths, const char *machine)
{
	/* No machine's name begins with a dot. */
	return xasprintf("%s/.%s.foreground", paths->run_dir, machine);
}

static int take(const struct config_paths *paths, const char *machine, uint64_t deadline_usec,
		struct lock *ret, struct error *err)
{
	CLEANUP(freep) char *path = lock_path(paths, machine);
	int r = lock_take(path, deadline_usec, ret, err);
	return r == -EBUSY ? error_wrap(err, "machine '%s' runs in the foreground", machine) : r;
}

/* @how: what ends that */
static int check_units(const struct strv *units, const char *what, const char *name,
		const char *how, struct error *err)
{
	CLEANUP(bus_freep) struct bus *bus = NULL;
	CLEANUP(unit_list_done) struct unit_list list = {};
	if (bus_open(&bus, NULL) < 0 || bus_list_units(bus, units, &list, NULL) < 0)
		return 0;
	for (size_t i = 0; i < list.n; i++) {
		const char *state = list.rows[i].active_state;
		if (!unit_is_down(state))
			return error_set(err, EBUSY,
					"systemd runs %s '%s': its unit '%s' is %s ('%s' ends "
					"that)",
					what, name, list.rows[i].name, state, how);
	}
	return 0;
}

int foreground_check_units(const char *machine, struct error *err)
{
	CLEANUP(strv_done) struct strv units = {};
	CLEANUP(freep) char *how = xasprintf("machina stop %s", machine);
	strv_push_take(&units, unit_name(UNIT_QEMU, machine));
	strv_push_take(&units, unit_name(UNIT_SWTPM, machine));
	return check_units(&units, "machine", machine, how, err);
}

int foreground_check_network(const char *network, struct error *err)
{
	CLEANUP(strv_done) struct strv units = {};
	CLEANUP(freep) char *unit = unit_name(UNIT_NETWORK, network);
	CLEANUP(freep) char *how = xasprintf("systemctl stop %s", unit);
	strv_push(&units, unit);
	return check_units(&units, "network", network, how, err);
}

/* A QEMU that has lost whoever started it. */
static int check_qemu(const struct plan *plan, struct error *err)
{
	const struct plan_fd *socket = plan_find(plan, PLAN_MONITOR_HOOKS);
	CLEANUP(closep) int fd = -1;
	if (!socket)
		return 0;
	/* With a full queue it is there as well, and does not look after its clients. */
	int r = connect_unix_now(socket->path, &fd);
	if (r < 0 && r != -EAGAIN)
		return 0;
	return error_set(err, EBUSY, "machine '%s' runs: its QEMU listens at '%s'", plan->machine,
			socket->path);
}

/* Its disks would go on without its memory. */
static int check_saved(const struct config_paths *paths, const char *machine, struct error *err)
{
	enum saved_state state = saved_look(paths->saved_dir, machine);
	/* One that was about to run may not have got to it. */
	if (state != SAVED_WHOLE && state != SAVED_RESUMING)
		return 0;
	return error_set(err, EBUSY,
			"machine '%s' was saved: 'machina start %s' goes on from there", machine,
			machine);
}

int foreground_begin(const struct config_paths *paths, const struct plan *plan, struct lock *ret,
		struct error *err)
{
	int r = rundir_make_parent(plan->run_dir, err);
	/* The lock first: a start that comes after the look at the units finds it. */
	if (r == 0)
		r = take(paths, plan->machine, clock_deadline_usec(LOOK_USEC), ret, err);
	if (r == 0)
		r = foreground_check_units(plan->machine, err);
	if (r == 0)
		r = check_qemu(plan, err);
	if (r == 0)
		r = check_saved(paths, plan->machine, err);
	return r;
}

int foreground_check(const struct config_paths *paths, const char *machine, struct error *err)
{
	CLEANUP(freep) char *path = lock_path(paths, machine);
	CLEANUP(lock_done) struct lock lock = {};
	return access(path, F_OK) < 0 ? 0 : take(paths, machine, 0, &lock, err);
}

bool foreground_is(const struct config_paths *paths, const char *machine)
{
	CLEANUP(freep) char *path = lock_path(paths, machine);
	return lock_is_held(path);
}
