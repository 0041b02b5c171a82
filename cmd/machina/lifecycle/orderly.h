/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shutting down and rebooting guests in an orderly way, for commands: host/machine/shutdown.h with
 * a machine's sockets and plan, and with what happens printed, "NAME: TEXT".
 */
#pragma once

#include "cli/command.h"
#include "host/machine/shutdown.h"

struct orderly_options {
	bool system;	       /* called by the machine's unit, whose socket it is */
	bool force;	       /* leave the guest out */
	uint64_t timeout_usec; /* as in struct shutdown_request */
};

/*
 * QEMU, as systemd tells the call of a machine's unit, and what await of its start becomes.
 * SHUTDOWN_PID_NONE: it has ended; SHUTDOWN_PID_UNKNOWN: this was not called by a unit.
 */
pid_t orderly_main_pid(void);

/* Returns an exit status, or a negative errno. For each_machine(). */
MUST_CHECK int orderly_shutdown(const struct call *call, const char *machine,
		const struct orderly_options *options, struct error *err);

/*
 * The same for a reboot, which waits until the guest begins anew. Signals that end a program call
 * it off.
 *
 * @timeout_usec: for the guest to shut down; 0: what its config gives it
 */
MUST_CHECK int orderly_reboot(const struct call *call, const char *machine, uint64_t timeout_usec,
		struct error *err);
