/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machines that run, for commands that talk to their QEMU: whether by their unit or in the
 * foreground makes no difference.
 *
 *	CLEANUP(monitor_done) struct monitor monitor = {};
 *	int r = monitor_open(&call->paths, machine, deadline_usec, &monitor, err);
 *	if (r == 0)
 *		r = qmp_call(monitor.qmp, "stop", NULL, deadline_usec, NULL, err);
 */
#pragma once

#include "cli/command.h"
#include "host/qmp/qmp.h"
#include "host/qmp/run-state.h"
#include "model/plan.h"

/* The socket of the tool's own commands; systemd's is for the unit alone ("systemd.0"). */
#define MONITOR_COMMANDS "command.0"
/* A second one, for who stays connected: events, a person with a monitor. */
#define MONITOR_EVENTS "command.1"

struct monitor {
	struct plan plan; /* as the machine was started */
	struct qmp *qmp;
};

void monitor_done(struct monitor *monitor);

/*
 * The machines meant by the command line, with lifecycle_select(); where they were not given by
 * name (--all, --tag) only those that run.
 *
 * Returns 0, 1 after printing findings, or a negative errno.
 */
MUST_CHECK int monitor_select(const struct call *call, struct strv *ret_names, struct error *err);

/* Was the machine started, and not cleaned up since? QEMU may be about to come or to go. */
bool monitor_is_there(const struct config_paths *paths, const char *machine);

/*
 * The error for a machine whose QEMU is not there: what it is at, and the command that helps.
 * Returns -EHOSTDOWN.
 */
int monitor_explain_off(const struct config_paths *paths, const char *machine, struct error *err);

/* The error for a user who may not ask QEMU. Returns -EACCES. */
int monitor_forbidden(const char *machine, struct error *err);

/*
 * Connect to the commands' monitor of a machine. Another command may have it at the moment, which
 * is waited for.
 *
 * @deadline_usec: at which to give up (host/os/clock.h)
 *
 * Errors: EHOSTDOWN: the machine does not run; ETIMEDOUT: another client has the monitor (it is
 * named), or QEMU hangs; EACCES; those of qmp_open(). All texts name the machine.
 */
MUST_CHECK int monitor_open(const struct config_paths *paths, const char *machine,
		uint64_t deadline_usec, struct monitor *ret, struct error *err);

/* The same for the command line's first word, which names the machine. ENOENT: it is no name. */
MUST_CHECK int monitor_open_first(const struct call *call, uint64_t deadline_usec,
		struct monitor *ret, struct error *err);

/*
 * What QEMU says of the guest of a machine (host/qmp/run-state.h); NULL: it can't be asked, or does
 * not answer within two seconds.
 *
 * @ret_reason: then why; to be freed
 */
const struct run_state *monitor_ask_state(
		const struct config_paths *paths, const char *machine, char **ret_reason);

/*
 * Do something for each machine, all at once: how long one takes must not add to the time of the
 * others. Each has a process of its own when there are several, so that what @one does to the
 * program's memory is lost; its output should be whole lines.
 *
 * @one: returns an exit status, or a negative errno with the error filled, which is printed
 *
 * Returns the worst exit status, or a negative errno: no process could be made for one of them; the
 * others were waited for.
 */
MUST_CHECK int each_machine(const struct call *call, const struct strv *names,
		int (*one)(const struct call *call, const char *machine, struct error *err),
		struct error *err);

/* As above, and adds to @list. What it changes of @context is gone with its process. */
typedef int list_fn(const struct call *call, void *context, const char *machine,
		struct json_object *list, struct error *err);

/*
 * The same for what is shown together: each adds to a list, whose elements come into one, in the
 * order of the names. Their processes end with this one. Cannot fail but in part: returns the worst
 * exit status.
 */
int each_machine_lists(const struct call *call, const struct strv *names, list_fn *one,
		void *context, struct json_object *ret_list);
