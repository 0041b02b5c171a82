/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first rung of the ladder: the guest agent, which may hang, lie or be somebody else's. */
#include <json-c/json.h>
#include <string.h>

#include "host/agent/agent.h"
#include "host/machine/ladder.h"
#include "host/os/clock.h"
#include "json/jtree.h"

/* What an agent that does not answer may cost, and of a shorter time this part. */
#define AGENT_USEC (3 * USEC_PER_SEC)
#define AGENT_PART 4

/* QEMU's name of the agent's channel (lib/qemu/chardev.c). */
#define AGENT_CHANNEL "guestagent"

static bool is_open(struct json_object *devices)
{
	for (size_t i = 0; i < jtree_length(devices); i++) {
		struct json_object *device = jtree_at(devices, i);
		if (!strcmp(jtree_get_text(device, "label"), AGENT_CHANNEL) &&
				jtree_get(device, "frontend-open"))
			return jtree_get_bool(device, "frontend-open");
	}
	return true;
}

/* Has a program in the guest opened the channel? QEMU knows, so that none is not waited for. */
static bool agent_listens(struct ladder *l, uint64_t deadline_usec)
{
	CLEANUP(qmp_reply_done) struct qmp_reply reply = {};
	struct error err = {};
	int r = qmp_execute(l->qmp, &(struct qmp_command){ .name = "query-chardev" }, deadline_usec,
			&reply, &err);
	return r != QMP_DONE || is_open(reply.value);
}

static bool tell_agent(struct ladder *l, const char *mode, uint64_t deadline_usec)
{
	CLEANUP(agent_freep) struct agent *agent = NULL;
	struct error err = {};
	int r = agent_open(l->request->plan, deadline_usec, &agent, &err);
	if (r == AGENT_DONE) {
		struct json_object *arguments = jtree_object();
		jtree_set(arguments, "mode", jtree_string(mode));
		r = agent_tell(agent,
				&(struct agent_command){
						.name = "guest-shutdown", .arguments = arguments },
				deadline_usec, &err);
		json_object_put(arguments);
		/* A guest that obeys at once takes the answer along. */
		if (r == AGENT_CLOSED || r == AGENT_LATE)
			r = AGENT_DONE;
	}
	if (r != AGENT_DONE)
		ladder_say(l, "%s", err.text);
	return r == AGENT_DONE;
}

bool ladder_ask_agent(struct ladder *l, const char *mode)
{
	const struct plan *plan = l->request->plan;
	if (l->agent_asked || !plan || !plan_find(plan, "agent"))
		return false;
	l->agent_asked = true;

	uint64_t now = clock_now_usec();
	uint64_t left = l->deadline_usec > now ? l->deadline_usec - now : 0;
	uint64_t budget = left / AGENT_PART < AGENT_USEC ? left / AGENT_PART : AGENT_USEC;
	uint64_t deadline_usec = clock_add_usec(now, budget);
	if (!agent_listens(l, deadline_usec)) {
		ladder_say(l, "no guest agent runs");
		return false;
	}
	if (!tell_agent(l, mode, deadline_usec))
		return false;
	ladder_say(l, "asked the guest agent to %s the guest",
			strcmp(mode, "reboot") == 0 ? "reboot" : "shut down");
	return true;
}
