/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process that stays until systemd knows that the machine has started. */
#include "hook/await-guard.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/os/clock.h"
#include "host/systemd/bus-unit.h"
#include "unit/service.h"
#include "util/mem.h"

/* Between two looks: systemd mostly sees it at once. A hook that somebody has added to the unit may
 * take its time. */
#define FIRST_LOOK_MSEC 20
#define LOOK_MSEC_MAX 1000
/* For a systemd that can't be asked: it begins anew within that, or not at all. */
#define SILENCE_USEC (60 * USEC_PER_SEC)

static enum unit_phase look(struct bus **bus, const struct strv *names)
{
	CLEANUP(unit_list_done) struct unit_list list = {};
	/* systemd ends all connections when it executes itself anew. */
	if ((!*bus && bus_open(bus, NULL) < 0) || bus_list_units(*bus, names, &list, NULL) < 0 ||
			list.n != 1) {
		bus_freep(bus);
		return PHASE_UNKNOWN;
	}
	const struct unit_row *row = &list.rows[0];
	if (strcmp(row->active_state, "activating") == 0)
		return PHASE_STARTING;
	return unit_is_up(row->active_state)		     ? PHASE_UP
	       : strcmp(row->sub_state, "stop-sigterm") == 0 ? PHASE_KILLED
							     : PHASE_OTHER;
}

static enum unit_phase watch(const char *machine, int qemufd, int wait, bool until_started)
{
	CLEANUP(freep) char *unit = unit_name(UNIT_QEMU, machine);
	CLEANUP(strv_done) struct strv names = {};
	CLEANUP(bus_freep) struct bus *bus = NULL;
	struct pollfd gone = { .fd = qemufd, .events = POLLIN };
	uint64_t until = clock_deadline_usec(SILENCE_USEC);
	strv_push(&names, unit);
	for (;;) {
		int n = poll(&gone, 1, wait);
		enum unit_phase phase = n > 0 ? PHASE_OTHER : look(&bus, &names);
		if (phase == PHASE_STARTING && until_started)
			until = clock_deadline_usec(SILENCE_USEC);
		else if (phase != PHASE_UNKNOWN || clock_now_usec() >= until)
			return phase;
		wait = wait == 0		  ? FIRST_LOOK_MSEC
		       : 2 * wait < LOOK_MSEC_MAX ? 2 * wait
						  : LOOK_MSEC_MAX;
	}
}

enum unit_phase await_guard_look(const char *machine, int qemufd)
{
	return watch(machine, qemufd, 0, false);
}

enum unit_phase await_guard_watch(const char *machine, int qemufd)
{
	return watch(machine, qemufd, FIRST_LOOK_MSEC, true);
}

void await_guard_leave(const char *machine, int qemufd, void (*shut_down)(void))
{
	fflush(stdout);
	fflush(stderr);
	if (fork() != 0)
		return;
	if (await_guard_watch(machine, qemufd) == PHASE_KILLED)
		shut_down();
	_exit(0);
}
