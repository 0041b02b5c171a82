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

/* What a look costs at most whether one that was slow has answered, and then to tell it. */
#define HEAR_USEC (10 * USEC_PER_MSEC)
#define TELL_USEC (500 * USEC_PER_MSEC)

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

/* Returns whether it has got it. */
static bool tell(struct ladder *l, struct agent *agent, uint64_t deadline_usec)
{
	struct error err = {};
	struct json_object *arguments = jtree_object();
	jtree_set(arguments, "mode", jtree_string(l->agent_mode));
	int r = agent_tell(agent,
			&(struct agent_command){ .name = "guest-shutdown", .arguments = arguments },
			deadline_usec, &err);
	json_object_put(arguments);
	/* A guest that obeys at once takes the answer along. */
	bool done = r == AGENT_DONE || r == AGENT_CLOSED || r == AGENT_LATE;
	if (done)
		ladder_say(l, "asked the guest agent to %s the guest",
				strcmp(l->agent_mode, "reboot") == 0 ? "reboot" : "shut down");
	else
		ladder_say(l, "%s", err.text);
	return done;
}

bool ladder_ask_agent(struct ladder *l, const char *mode)
{
	const struct plan *plan = l->request->plan;
	if (l->agent_asked || !plan || !plan_find(plan, "agent"))
		return false;

	uint64_t now = clock_now_usec();
	uint64_t left = l->deadline_usec > now ? l->deadline_usec - now : 0;
	uint64_t budget = left / AGENT_PART < AGENT_USEC ? left / AGENT_PART : AGENT_USEC;
	uint64_t deadline_usec = clock_add_usec(now, budget);
	if (!agent_listens(l, deadline_usec)) {
		if (!l->told_no_agent)
			ladder_say(l, "no guest agent runs");
		l->told_no_agent = true;
		return false;
	}
	CLEANUP(agent_freep) struct agent *agent = NULL;
	struct error err = {};
	l->agent_asked = true;
	l->agent_mode = mode;
	int r = agent_open(plan, deadline_usec, &agent, &err);
	if (r == AGENT_DONE)
		return tell(l, agent, deadline_usec);
	ladder_say(l, "%s", err.text);
	if ((r == AGENT_LATE || r == AGENT_BUSY) && agent_find(plan, &agent, &err) == AGENT_DONE)
		l->agent = take_ptr(agent);
	return false;
}

void ladder_hear_agent(struct ladder *l, uint64_t deadline_usec)
{
	if (l->guest_done || l->quitting)
		agent_freep(&l->agent);
	uint64_t now = clock_now_usec(), end = clock_add_usec(now, TELL_USEC);
	if (!l->agent || end > deadline_usec)
		return;
	int r = agent_reach(l->agent, clock_add_usec(now, HEAR_USEC), NULL);
	if (r == AGENT_LATE || r == AGENT_BUSY)
		return;
	CLEANUP(agent_freep) struct agent *agent = take_ptr(l->agent);
	if (r == AGENT_DONE)
		tell(l, agent, end);
}
