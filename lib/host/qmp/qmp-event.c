/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waiting for events of QEMU, however many it tells of. */
#include <errno.h>
#include <string.h>

#include "host/os/clock.h"
#include "host/qmp/qmp.h"

/* More than a socket's buffer and ours hold. */
#define EVENTS_ARRIVED_MAX (16 * QMP_EVENTS_MAX)

bool qmp_is_flood(unsigned n, uint64_t deadline_usec)
{
	return n > EVENTS_ARRIVED_MAX && clock_now_usec() >= deadline_usec;
}

int qmp_await_event(struct qmp *q, const char *name, uint64_t deadline_usec, struct qmp_event *ret,
		struct error *err)
{
	for (unsigned n = 0;; n++) {
		CLEANUP(qmp_event_done) struct qmp_event event = {};
		int r = qmp_next_event(q, deadline_usec, &event, err);
		if (r != QMP_DONE)
			return r;
		if (name && strcmp(event.name, name) == 0) {
			if (ret) {
				*ret = event;
				event = (struct qmp_event){};
			}
			return QMP_DONE;
		}
		if (qmp_is_flood(n, deadline_usec)) {
			error_set(err, ETIMEDOUT, "QEMU tells of events without end");
			return QMP_LATE;
		}
	}
}

int qmp_pass_time(struct qmp *q, uint64_t deadline_usec, struct error *err)
{
	int r = qmp_await_event(q, NULL, deadline_usec, NULL, err);
	return r == QMP_LATE ? 0 : r < 0 ? r : -err->code;
}
