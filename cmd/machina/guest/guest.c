/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent in the guest of a machine that runs. */
#include "guest/guest.h"

#include <errno.h>

#include "lifecycle/monitor.h"
#include "setup/hookplan.h"

void guest_done(struct guest *guest)
{
	agent_free(guest->agent);
	plan_done(&guest->plan);
	*guest = (struct guest){};
}

int guest_plan(const struct config_paths *paths, const char *machine, struct plan *ret,
		struct error *err)
{
	struct error doubt = {};
	if (!monitor_is_there(paths, machine))
		return monitor_explain_off(paths, machine, err);
	hookplan_recall(paths, HOOK_QEMU, machine, ret, &doubt);
	return doubt.code ? error_set(err, doubt.code, "%s", doubt.text) : 0;
}

void guest_explain_silence(const struct config_paths *paths, const char *machine, struct error *err)
{
	CLEANUP(freep) char *reason = NULL;
	CLEANUP(buf_done) struct buf remedy = {};
	const struct run_state *state = monitor_ask_state(paths, machine, &reason);
	if (!state)
		error_set(err, ETIMEDOUT, "guest agent of '%s': no answer: %s", machine, reason);
	if (!state || state->kind == RUN_ON)
		return;
	run_state_add_remedy(state, machine, &remedy);
	error_set(err, ETIMEDOUT, "guest agent of '%s': no answer: %s%s", machine, state->meaning,
			buf_text(&remedy));
}

int guest_open(const struct config_paths *paths, const char *machine, uint64_t deadline_usec,
		struct guest *ret, struct error *err)
{
	CLEANUP(guest_done) struct guest guest = {};
	int r = guest_plan(paths, machine, &guest.plan, err);
	if (r < 0)
		return r;
	r = agent_open(&guest.plan, deadline_usec, &guest.agent, err);
	if (r == AGENT_LATE)
		guest_explain_silence(paths, machine, err);
	if (r != AGENT_DONE && err->code == EACCES)
		error_set(err, EACCES,
				"machine '%s': only root and the group 'machina' may use its guest "
				"agent",
				machine);
	if (r != AGENT_DONE)
		return r < 0 ? r : -err->code;
	*ret = guest;
	guest = (struct guest){};
	return 0;
}
