/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent in the guest of a machine that runs, for commands that work in there.
 *
 *	CLEANUP(guest_done) struct guest guest = {};
 *	int r = guest_open(&call->paths, machine, deadline_usec, &guest, err);
 */
#pragma once

#include "cli/command.h"
#include "host/agent/agent.h"
#include "model/plan.h"

struct guest {
	struct plan plan; /* as the machine was started */
	struct agent *agent;
};

void guest_done(struct guest *guest);

/* The plan of a machine that runs. Errors: EHOSTDOWN: it does not. */
MUST_CHECK int guest_plan(const struct config_paths *paths, const char *machine, struct plan *ret,
		struct error *err);

/* No agent answers in a guest that stands still, or whose QEMU does not answer either, and that is
 * not the agent's fault: @err tells of these then. */
void guest_explain_silence(
		const struct config_paths *paths, const char *machine, struct error *err);

/*
 * Errors: EHOSTDOWN: the machine does not run; ENXIO: it has no channel; ETIMEDOUT: no agent
 * answers; EBUSY: another client has the channel. All texts name the machine.
 */
MUST_CHECK int guest_open(const struct config_paths *paths, const char *machine,
		uint64_t deadline_usec, struct guest *ret, struct error *err);
