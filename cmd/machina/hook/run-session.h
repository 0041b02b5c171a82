/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine in the foreground, from the start of QEMU to its end: its console, its messages, what
 * QEMU tells about the guest, and whoever asks for the end.
 *
 * Ctrl-] or a signal presses the guest's power button. Another Ctrl-], or a second signal some time
 * after the first, ends QEMU; SIGHUP never does. A signal gives the guest the time that a stop of
 * its unit would give.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "hook/run-console.h"
#include "host/qmp/qmp.h"
#include "model/plan.h"

/*
 * What comes again within a moment is the same request. How long ago it was sent nobody knows: on a
 * busy host it may have waited to be read. So the moment is over when it has passed and nothing is
 * there to be read.
 */
struct repeat {
	uint64_t until_usec; /* 0: nothing has come */
	bool is_over;
};

struct session {
	/* Set by who starts them, 0 when they have ended */
	pid_t qemu_pid, swtpm_pid;
	int message_fds[2]; /* a pipe: what the children write to the second one is said */
	int qemu_status;

	/* The rest belongs to the session. */
	const struct plan *plan;
	struct console console;
	struct terminal_filter filter;
	int signal_fd;
	int monitor_fd; /* connected to QMP, not greeted yet; else -1 */
	struct qmp *qmp;
	struct buf messages;
	bool is_asked;		     /* the guest is to shut down */
	bool has_limit;		     /* and its time for that is limited */
	struct repeat key;	     /* since Ctrl-] was read last */
	struct repeat signal;	     /* since the first signal that is not SIGHUP */
	pid_t helper_pid;	     /* presses the button; 0: none */
	uint64_t kill_deadline_usec; /* then QEMU is killed */
};

/*
 * From here on signals that would end the process wait for session_run().
 *
 * @plan: of the machine; borrowed
 * @ret: released with session_done() in every case
 */
MUST_CHECK int session_begin(struct session *ret, const struct plan *plan, struct error *err);
/* Has such a signal arrived? */
bool session_is_asked_to_end(void);

/*
 * Connect to QEMU's monitor, and to the console if there is one, before QEMU is started: so that
 * nothing it says is missed.
 *
 * @raw: what the guest writes is not made fit for the terminal
 */
MUST_CHECK int session_connect(struct session *session, bool raw, struct error *err);

/* Until QEMU has ended; session->qemu_status says how. Then the terminal is as it was. */
MUST_CHECK int session_run(struct session *session, struct error *err);

/* Says what the children have said last. */
void session_done(struct session *session);
