/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection to QEMU's guest agent in a machine that runs.
 *
 *	CLEANUP(agent_freep) struct agent *agent = NULL;
 *	int r = agent_open(&plan, clock_deadline_usec(AGENT_OPEN_USEC), &agent, err);
 *	if (r != AGENT_DONE)
 *		return r < 0 ? r : -err->code;
 *	r = agent_call(agent, "guest-get-osinfo", NULL, deadline_usec, &value, err);
 *
 * Commands and answers: QEMU Guest Agent Protocol Reference (qga/qapi-schema.json). The guest is
 * not trusted: every call has a deadline (host/os/clock.h), what it may answer has a limit, and
 * what an answer holds is for the caller to check. None raises SIGPIPE.
 *
 * QEMU serves one client of the channel at a time. Ours wait for each other, by a lock on the
 * machine's run directory (flock(2)), which needs no right but to read it; those of others are
 * named when the channel stays silent. Whoever works for long lets others in with agent_rest().
 */
#pragma once

#include <json-c/json.h>
#include <stdint.h>

#include "host/qmp/qmp.h"
#include "model/plan.h"
#include "util/cleanup.h"
#include "util/error.h"

/* Enough for an agent that runs in a guest with work to do; what people may be asked to wait. */
#define AGENT_OPEN_USEC (5 * UINT64_C(1000000))

/* The longest answer, where a command says nothing else. */
#define AGENT_REPLY_MAX ((size_t)1 << 20)

/* How a talk with the agent ended. With all but AGENT_DONE the error says why. */
enum agent_outcome {
	AGENT_DONE,
	AGENT_REFUSED, /* the agent answered with an error (EREMOTEIO) */
	AGENT_LACKS,   /* it does not know the command, or is forbidden to run it (EOPNOTSUPP) */
	AGENT_LATE,    /* no answer before the deadline: no agent runs, or it is slow (ETIMEDOUT) */
	AGENT_BUSY,    /* another client has the channel; named if it can be found (EBUSY) */
	AGENT_CLOSED,  /* QEMU has ended, or has closed the connection (ECONNRESET) */
	AGENT_ABSENT,  /* QEMU does not run, so nobody listens (EHOSTDOWN) */
	AGENT_NONE,    /* the machine was started without the channel (ENXIO) */
};

struct agent;

/*
 * Find the channel of a machine, wait for it to be free and for the agent to answer.
 *
 * @plan: by which the machine was started; nothing of it is kept
 *
 * Returns an enum agent_outcome or a negative errno (EPROTO, EMSGSIZE: what answers is no agent).
 */
MUST_CHECK int agent_open(const struct plan *plan, uint64_t deadline_usec, struct agent **ret,
		struct error *err);

/*
 * The same for who has other things to do meanwhile, and with more patience: nothing is sent yet.
 *
 * Returns AGENT_DONE or AGENT_NONE.
 */
MUST_CHECK int agent_find(const struct plan *plan, struct agent **ret, struct error *err);

/*
 * Go on with what agent_open() does, where the last call has left off. Between two calls the
 * channel is kept, so that an answer is not lost.
 *
 * @err: NULL: nobody wants to know who else has the channel, which takes long to find out
 *
 * Returns as agent_open() does; AGENT_LATE and AGENT_BUSY: not yet.
 */
MUST_CHECK int agent_reach(struct agent *agent, uint64_t deadline_usec, struct error *err);

/* agent_open() on a connected stream socket, without a lock. Takes @fd over, also on failure. */
MUST_CHECK int agent_attach_take(int fd, const char *machine, uint64_t deadline_usec,
		struct agent **ret, struct error *err);

void agent_free(struct agent *agent);
void agent_freep(struct agent **agent);

/*
 * Let other clients have the channel; the next command waits for it again. What the agent keeps
 * (open files, processes) stays. The way back takes 0.1 s: a guest's driver pauses when nobody is
 * connected. Nothing on an attached socket.
 */
void agent_rest(struct agent *agent);

struct agent_command {
	const char *name;
	struct json_object *arguments; /* an object, or NULL; borrowed */
	size_t reply_max;	       /* 0: AGENT_REPLY_MAX */
};

/*
 * Send a command and wait for its answer. An answer that is given up is dropped when it comes.
 *
 * Returns an enum agent_outcome or a negative errno. @ret is set on AGENT_DONE, AGENT_REFUSED and
 * AGENT_LACKS, and released with qmp_reply_done().
 */
MUST_CHECK int agent_execute(struct agent *agent, const struct agent_command *command,
		uint64_t deadline_usec, struct qmp_reply *ret, struct error *err);

/*
 * The same for callers to whom everything but AGENT_DONE is a failure: 0 or a negative errno.
 *
 * @ret: the value, to be released with json_object_put(); NULL: not wanted
 */
MUST_CHECK int agent_call(struct agent *agent, const char *name, struct json_object *arguments,
		uint64_t deadline_usec, struct json_object **ret, struct error *err);

/*
 * A command that is answered only when it fails (guest-shutdown, guest-suspend-ram).
 *
 * Returns AGENT_DONE when the agent has got over it without an error; AGENT_CLOSED and AGENT_LATE
 * leave open whether the guest has taken it: it may have gone down at once.
 */
MUST_CHECK int agent_tell(struct agent *agent, const struct agent_command *command,
		uint64_t deadline_usec, struct error *err);
