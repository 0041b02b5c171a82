/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A command in a guest, by its agent (guest-exec, guest-exec-status).
 *
 * The agent starts a command and tells how it ended, with all that it wrote, when it is asked
 * again: nothing is seen before the end, and nothing can be stopped. It keeps the first
 * 16 MiB of each stream (qga/commands.c, GUEST_EXEC_MAX_OUTPUT).
 */
#pragma once

#include <stdbool.h>

#include "host/agent/agent.h"
#include "util/buf.h"
#include "util/strv.h"

/* What a command may be given as input: the agent's parser takes no longer words (QEMU's
 * qobject/json-streamer.c, MAX_TOKEN_SIZE). */
#define AGENT_INPUT_MAX ((size_t)32 << 20)

struct agent_exec {
	const char *program;		/* looked up in the agent's PATH */
	const struct strv *arguments;	/* without the program; NULL: none */
	const struct strv *environment; /* "NAME=VALUE": all that the command has; NULL or empty:
					 * the agent's own */
	const struct buf *input;	/* NULL: none */
};

struct agent_exit {
	int64_t pid; /* in the guest; 0: it was not started */
	int status;  /* of exit(3), when @signal is 0 */
	int signal;  /* that ended it; of Windows: an exception's code */
	struct buf out, err;
	bool out_truncated, err_truncated;
};

void agent_exit_done(struct agent_exit *exit);

/* As a shell tells it, 0 to 255: 128 and the number of a signal. What failed is never 0: a status
 * of Windows has 32 bits. */
int agent_exit_status(const struct agent_exit *exit);

/*
 * Run a command and wait for its end. While it runs others may use the agent.
 *
 * @ret: released with agent_exit_done() in every case; @ret->pid is set once it was started
 *
 * Returns an enum agent_outcome (AGENT_REFUSED: there is no such program; AGENT_LATE with a pid: it
 * goes on) or a negative errno (EPROTO, E2BIG).
 */
MUST_CHECK int agent_run(struct agent *agent, const struct agent_exec *exec, uint64_t deadline_usec,
		struct agent_exit *ret, struct error *err);
