/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The second half of `machina await`: from a QEMU that answers to a guest that is ready.
 *
 * While it lasts systemd has no ExecStop= to run (lib/unit/service.c says why), so whatever goes
 * wrong here must not end the guest's power: a stop, a time-out, and the end of one of our own
 * processes by whatever means all lead to `machina shutdown`, the same that ExecStop= is.
 *
 *	await_ready_begin();		first of all: from here on a stop waits to be looked at
 *	await_ready_ask(machine, pid);	and before?
 *	... QEMU answers ...
 *	r = await_ready(&request, err);
 */
#pragma once

#include "host/machine/ready.h"

struct await_ready {
	const struct ready *ready;
	const struct plan *plan;
	pid_t main_pid; /* QEMU */
	uint64_t deadline_usec;
	int host_end;	 /* enum vm_host_end: what a shutdown of the host does to the guest */
	bool is_resumed; /* the guest goes on from where it was saved: that it does not say now what
			  * others say when they have booted is no reason to end it */
};

/* Take over what systemd sends for a stop. Errors: none that happens. */
MUST_CHECK int await_ready_begin(struct error *err);

/* Has systemd sent the signal of a stop before that? The unit sees to it that it killed nobody
 * (lib/unit/service.c). */
void await_ready_ask(const char *machine, pid_t main_pid);

/* In between: is the unit being stopped? Then await_ready() will not wait for the guest. */
bool await_ready_is_told(void);

/*
 * Returns 0 when the guest is ready. When the unit is stopped it does not return: the process
 * becomes `machina shutdown`.
 *
 * Errors: ETIMEDOUT the guest was not ready in time, and has been shut down (not one that was
 * resumed: then this is 0); ESRCH QEMU has ended;
 * others of ready_wait(), after a shutdown as well.
 */
MUST_CHECK int await_ready(const struct await_ready *request, struct error *err);
