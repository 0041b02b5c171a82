/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process that stays until systemd knows that the machine has started. */
#include "await-guard.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/systemd/bus-unit.h"
#include "unit/service.h"
#include "util/mem.h"

/* Between two looks: systemd mostly sees it at once. A hook that somebody has added to the unit may
 * take its time. */
#define FIRST_LOOK_MSEC 20
#define LOOK_MSEC_MAX 1000

enum unit_phase {
	PHASE_STARTING,
	PHASE_KILLED, /* it was sent the signal of a stop */
	PHASE_OTHER,  /* it is up, or ends in another way; or there is no telling */
};

static enum unit_phase look(struct bus *bus, const struct strv *names)
{
	CLEANUP(unit_list_done) struct unit_list list = {};
	if (bus_list_units(bus, names, &list, NULL) < 0 || list.n != 1)
		return PHASE_OTHER;
	const struct unit_row *row = &list.rows[0];
	if (strcmp(row->active_state, "activating") == 0)
		return PHASE_STARTING;
	return strcmp(row->sub_state, "stop-sigterm") == 0 ? PHASE_KILLED : PHASE_OTHER;
}

static enum unit_phase watch(const char *machine, int qemufd)
{
	CLEANUP(freep) char *unit = unit_name(UNIT_QEMU, machine);
	CLEANUP(strv_done) struct strv names = {};
	CLEANUP(bus_freep) struct bus *bus = NULL;
	struct pollfd gone = { .fd = qemufd, .events = POLLIN };
	enum unit_phase phase = PHASE_STARTING;
	strv_push(&names, unit);
	if (bus_open(&bus, NULL) < 0)
		return PHASE_OTHER;
	for (int wait = FIRST_LOOK_MSEC; phase == PHASE_STARTING;) {
		int n = poll(&gone, 1, wait);
		phase = n > 0 ? PHASE_OTHER : look(bus, &names);
		wait = 2 * wait < LOOK_MSEC_MAX ? 2 * wait : LOOK_MSEC_MAX;
	}
	return phase;
}

void await_guard_leave(const char *machine, int qemufd, void (*shut_down)(void))
{
	fflush(stdout);
	fflush(stderr);
	if (fork() != 0)
		return;
	if (watch(machine, qemufd) == PHASE_KILLED)
		shut_down();
	_exit(0);
}
