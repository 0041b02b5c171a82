/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The states of a machine in QEMU and what they mean. */
#include "host/qmp/run-state.h"

#include <errno.h>
#include <string.h>

static const struct run_state states[] = {
	{ "colo", RUN_ON, "running", true, STOP_PRESS, "the guest runs in step with its copy" },
	{ "debug", RUN_PAUSED, "paused", true, STOP_RESUME, "a debugger has stopped the guest" },
	{ "finish-migrate", RUN_BUSY, "moving", true, STOP_WAIT, "the guest is being moved away" },
	{ "guest-panicked", RUN_CRASHED, "crashed", false, STOP_QUIT, "the guest has panicked" },
	{ "inmigrate", RUN_BUSY, "incoming", true, STOP_QUIT, "a guest is awaited from elsewhere" },
	{ "internal-error", RUN_CRASHED, "crashed", false, STOP_QUIT,
			"QEMU or KVM cannot run the guest on" },
	/* If the fault persists, the guest stops again, and the time limit ends it. */
	{ "io-error", RUN_CRASHED, "crashed", true, STOP_RESUME,
			"the guest waits since a disk failed" },
	{ "paused", RUN_PAUSED, "paused", true, STOP_RESUME, "the guest is paused" },
	/* To resume what runs elsewhere or was saved would make two of one guest. */
	{ "postmigrate", RUN_BUSY, "away", false, STOP_MOVED, "the guest has moved away" },
	{ "preconfig", RUN_BUSY, "preparing", true, STOP_QUIT, "QEMU waits to be configured" },
	{ "prelaunch", RUN_PAUSED, "paused", true, STOP_QUIT, "the guest was never started" },
	{ "restore-vm", RUN_BUSY, "restoring", true, STOP_WAIT, "the guest is being restored" },
	{ "running", RUN_ON, "running", true, STOP_PRESS, "the guest runs" },
	{ "save-vm", RUN_BUSY, "saving", true, STOP_WAIT, "the guest is being saved or dumped" },
	{ "shutdown", RUN_ENDED, "ended", false, STOP_QUIT, "the guest has shut down" },
	{ "suspended", RUN_ASLEEP, "asleep", true, STOP_WAKE, "the guest sleeps" },
	{ "watchdog", RUN_CRASHED, "crashed", true, STOP_RESUME,
			"the watchdog has stopped the guest" },
};

void run_state_add_remedy(const struct run_state *state, const char *machine, struct buf *to)
{
	if (state->kind == RUN_PAUSED || state->stop == STOP_RESUME || state->stop == STOP_WAKE)
		buf_printf(to, "; 'machina resume %s' lets it run on", machine);
	else if (state->kind == RUN_CRASHED || state->kind == RUN_ENDED)
		buf_printf(to, "; 'machina reset %s' makes it begin anew", machine);
}

const struct run_state *run_state_find(const char *name)
{
	/* A state of a newer QEMU: it answers, and the button can do no harm. */
	static const struct run_state unknown = { "unknown", RUN_ON, "running", true, STOP_PRESS,
		"the guest is in a state of a newer QEMU" };

	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		if (strcmp(states[i].name, name) == 0)
			return &states[i];
	return &unknown;
}

const struct run_state *run_state_read(struct json_object *reply)
{
	struct json_object *status;
	if (!json_object_object_get_ex(reply, "status", &status) ||
			!json_object_is_type(status, json_type_string))
		return NULL;
	return run_state_find(json_object_get_string(status));
}

int run_state_query(struct qmp *qmp, uint64_t deadline_usec, const struct run_state **ret,
		struct error *err)
{
	CLEANUP(qmp_reply_done) struct qmp_reply reply = {};
	int r = qmp_execute(qmp, &(struct qmp_command){ .name = "query-status" }, deadline_usec,
			&reply, err);
	if (r != QMP_DONE)
		return r;

	*ret = run_state_read(reply.value);
	return *ret ? QMP_DONE
		    : error_set(err, EPROTO, "QEMU's reply to 'query-status' has no state");
}
