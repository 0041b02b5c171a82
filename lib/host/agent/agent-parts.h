/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of host/agent/agent.h share. */
#pragma once

#include "host/agent/agent-wire.h"
#include "host/agent/agent.h"

struct agent {
	char *machine; /* for messages */
	char *run_dir; /* whose lock is held while connected; NULL: an attached socket, without */
	char *path;    /* of QEMU's socket; NULL: @port */
	int port;
	int lock_fd; /* -1: not held */
	int fd;	     /* -1: not connected */
	bool in_sync;
	uint64_t number; /* by which the answer to agent_sync_begin() is known */
	/* An answer is waited for until then, on a connection; on the next one for so long. */
	uint64_t try_end_usec, try_usec;
	struct agent_reader reader;
};

/*
 * Connect and have the agent answer; agent_rest() undoes it. For an agent that has @run_dir.
 *
 * Returns an enum agent_outcome or a negative errno.
 */
MUST_CHECK int agent_connect(struct agent *agent, uint64_t deadline_usec, struct error *err);

/* Find the way into the stream: after it, the next answer is that of the next command. */
MUST_CHECK int agent_sync(struct agent *agent, uint64_t deadline_usec, struct error *err);
/* The same in two parts. After AGENT_LATE the second one can be called again. */
MUST_CHECK int agent_sync_begin(struct agent *agent, uint64_t deadline_usec, struct error *err);
MUST_CHECK int agent_sync_end(struct agent *agent, uint64_t deadline_usec, struct error *err);
