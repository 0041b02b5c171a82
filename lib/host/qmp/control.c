/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Simple commands to a guest that runs. */
#include "host/qmp/control.h"

#include <errno.h>
#include <string.h>

#include "host/qmp/run-state.h"

/* What is to be done, found out by the state. */
struct act {
	const char *command; /* NULL: nothing */
	bool runs_after;     /* let it run when the command has taken effect */
};

static int refuse(const struct run_state *state, const char *verb, const char *hint,
		struct error *err)
{
	return error_set(err, EBUSY, "it can't be %s: %s (%s)%s", verb, state->meaning, state->name,
			hint);
}

static int plan_pause(const struct run_state *state, struct act *ret, struct error *err)
{
	if (state->kind == RUN_PAUSED)
		return 0;
	if (state->kind != RUN_ON)
		return refuse(state, "paused", "", err);
	ret->command = "stop";
	return 0;
}

static int plan_resume(const struct run_state *state, struct act *ret, struct error *err)
{
	switch (state->kind) {
	case RUN_ON:
		return 0;
	case RUN_PAUSED:
		ret->command = "cont";
		return 0;
	case RUN_ASLEEP:
		ret->command = "system_wakeup";
		return 0;
	case RUN_CRASHED:
		/* After a disk that was full, or a watchdog, it goes on where it was. */
		if (state->stop == STOP_RESUME) {
			ret->command = "cont";
			return 0;
		}
		return refuse(state, "resumed", "; a reset makes it begin anew", err);
	case RUN_ENDED:
		return refuse(state, "resumed", "; a reset makes it begin anew", err);
	case RUN_BUSY:
		return refuse(state, "resumed", "", err);
	}
	return -EINVAL;
}

static int plan_reset(const struct run_state *state, struct act *ret, struct error *err)
{
	if (state->kind == RUN_BUSY)
		return refuse(state, "reset", "", err);
	/* What an administrator has paused stays so: QEMU leaves it to us what else shall run. */
	*ret = (struct act){ "system_reset", state->kind != RUN_ON && state->kind != RUN_PAUSED };
	return 0;
}

static int plan_nmi(const struct run_state *state, struct act *ret, struct error *err)
{
	if (state->kind != RUN_ON && state->kind != RUN_PAUSED)
		return refuse(state, "interrupted", "", err);
	ret->command = "inject-nmi";
	return 0;
}

static int plan_act(struct qmp *qmp, enum control_verb verb, uint64_t deadline_usec,
		struct act *ret, struct error *err)
{
	static int (*const plans[])(const struct run_state *, struct act *, struct error *) = {
		[CONTROL_PAUSE] = plan_pause,
		[CONTROL_RESUME] = plan_resume,
		[CONTROL_RESET] = plan_reset,
		[CONTROL_NMI] = plan_nmi,
	};
	const struct run_state *state;
	*ret = (struct act){};
	int r = run_state_query(qmp, deadline_usec, &state, err);
	if (r != QMP_DONE)
		return r < 0 ? r : -err->code;
	return plans[verb](state, ret, err);
}

/* QEMU resets on its own time, after its reply; until then "cont" would be refused. */
static int wait_reset(struct qmp *qmp, uint64_t deadline_usec, struct error *err)
{
	int r = qmp_await_event(qmp, "RESET", deadline_usec, NULL, err);
	if (r == QMP_LATE)
		return error_set(err, ETIMEDOUT, "QEMU did not reset it in time");
	return r == QMP_DONE || r < 0 ? r : -err->code;
}

int control_guest(struct qmp *qmp, enum control_verb verb, uint64_t deadline_usec,
		enum control_outcome *ret, struct error *err)
{
	struct act act;
	int r = plan_act(qmp, verb, deadline_usec, &act, err);
	if (r == 0 && act.command)
		r = qmp_call(qmp, act.command, NULL, deadline_usec, NULL, err);
	if (r == 0 && verb == CONTROL_RESET)
		r = wait_reset(qmp, deadline_usec, err);
	if (r == 0 && act.runs_after)
		r = qmp_call(qmp, "cont", NULL, deadline_usec, NULL, err);
	if (r == 0)
		*ret = act.command ? CONTROL_DONE : CONTROL_WAS_SO;
	return r;
}

int control_check(struct qmp *qmp, enum control_verb verb, uint64_t deadline_usec,
		enum control_outcome *ret, struct error *err)
{
	struct act act;
	int r = plan_act(qmp, verb, deadline_usec, &act, err);
	if (r == 0)
		*ret = act.command ? CONTROL_DONE : CONTROL_WAS_SO;
	return r;
}
