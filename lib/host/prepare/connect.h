/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections of a machine that runs: taking one away and giving it back, like a cable that is
 * pulled.
 *
 * It is taken away on the host first: its tap leaves the bridge. Then QEMU tells the guest that the
 * link is down. It comes back when its packet filter is installed, and the guest is told at the
 * end. A connection without a bridge of ours (mode "user", a bridge that scripts join) has only the
 * link.
 *
 * QEMU does not tell the state of a link (7.2 has no command for it). So what was taken away has an
 * empty file in the machine's run directory, "disconnected/net.0", as long as it is away. A start
 * begins with those that the plan calls disconnected: their taps join no bridge, and as QEMU begins
 * with all links up it is told as soon as it answers. One that resumes a saved machine has what it
 * had when it was saved.
 */
#pragma once

#include "host/prepare/prepare-options.h"
#include "host/qmp/qmp.h"

enum connect_state {
	CONNECT_ON,
	CONNECT_OFF,
	CONNECT_LOST, /* nobody has taken it away, but its tap is no port of its bridge */
	CONNECT_GONE, /* its interface is not there: the machine's next start makes one */
};

/*
 * @i: of plan_connection()
 * @options: of whom @netns and @policy count
 *
 * Returns an enum connect_state, CONNECT_ON for a virtual function; or a negative errno: EACCES,
 * the machine's directory is not for this user.
 */
MUST_CHECK int connect_look(const struct plan *plan, size_t i,
		const struct prepare_options *options, struct error *err);

/*
 * Give a connection back (@on) or take it away. Goes on where an earlier call has stopped. The
 * caller has the machine's lock (lock_machine()).
 *
 * Errors: EOPNOTSUPP: it is a virtual function; EHOSTDOWN: QEMU does not run; those of the filter,
 * the tap and QEMU. What is done by then stays: a connection that could not be given back has no
 * link in the guest.
 */
MUST_CHECK int connect_change(const struct plan *plan, size_t i, bool on,
		const struct prepare_options *options, struct error *err);

/*
 * The two halves of that, for who changes several connections: first all ends on the host, which is
 * what counts where QEMU hangs, then those in the guest.
 *
 * @monitor: opened for the first of them; a QEMU that did not answer is not waited for once more
 */
struct connect_monitor {
	struct qmp *qmp;
	struct error failure; /* code 0: none */
};

MUST_CHECK int connect_change_host(const struct plan *plan, size_t i, bool on,
		const struct prepare_options *options, struct error *err);
MUST_CHECK int connect_change_guest(const struct plan *plan, size_t i, bool on,
		struct connect_monitor *monitor, struct error *err);
void connect_monitor_done(struct connect_monitor *monitor);

/* The ids of those that were taken away, "net.0". Errors: as above. */
MUST_CHECK int connect_list_taken(const struct plan *plan, struct strv *ret_ids, struct error *err);

/* The lines of what connect_change() does. Pure. */
void connect_describe(const struct plan *plan, size_t i, bool on, struct strv *ret_lines);

/* Before QEMU starts: what is away from now on is what the plan says, whatever was before. */
MUST_CHECK int connect_begin(const struct plan *plan, struct error *err);

/*
 * When QEMU answers: switch the links of those off, unless one was given back meanwhile.
 *
 * @qmp: a connection to it; NULL: one of its sockets for commands
 */
MUST_CHECK int connect_begin_links(const struct plan *plan, struct qmp *qmp, struct error *err);
/* The lines of that. Pure. */
void connect_describe_begin(const struct plan *plan, struct strv *ret_lines);
