/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the commands that talk to systemd about machines have in common.
 */
#pragma once

#include "cli/command.h"
#include "host/systemd/bus-unit.h"
#include "model/vm.h"

/* What machines are selected for. */
enum lifecycle_purpose {
	LIFECYCLE_START,  /* or to do without that */
	LIFECYCLE_ENABLE, /* what belongs to a cluster manager is left out even if it is named */
	LIFECYCLE_RUN,	  /* to work on those that run, also without a config */
};

/*
 * The selected machines that are ours to start, stop and enable: those that belong to a cluster
 * manager are left out, with a line that says so, unless they are named.
 *
 * Machines count as machines_select_known() has it, those that are there.
 *
 * Returns 0, 1 after printing findings, or a negative errno.
 */
MUST_CHECK int lifecycle_select(const struct call *call, enum lifecycle_purpose purpose,
		struct strv *ret_names, struct error *err);

/* Does a machine's unit start when the host does? By the links on disk: also below a root
 * directory. */
bool lifecycle_is_enabled(const struct config_paths *paths, const char *unit);

/*
 * The units, of whatever kind, beside which somebody has put drop-ins, and those that are links, as
 * masked ones are; in byte order. Of others systemd can use what generate has written. In one look:
 * two at each of hundreds would take longer than all else that "list" does with files.
 */
void lifecycle_altered(const struct config_paths *paths, struct strv *ret_units);

/* What a machine's unit on disk says of the same; VM_AUTOSTART_NO if it can't be enabled. */
enum vm_autostart lifecycle_autostart(const struct config_paths *paths, const char *machine);

/* Names of QEMU's units, in the order of the machines. */
void lifecycle_units(const struct strv *machines, struct strv *ret_units);

/*
 * The machines that units on disk require, those that they require in turn included, each once and
 * after those that it requires itself. Those of @machines themselves only where another requires
 * them. A unit that can't be read requires nothing.
 */
void lifecycle_required(
		const struct config_paths *paths, const struct strv *machines, struct strv *ret);

/*
 * The states of the units of machines. Those that systemd has not in memory are not read for that
 * (bus_list_loaded_units()): it would forget them at once, and read them again for the next call.
 */
MUST_CHECK int lifecycle_list(struct bus *bus, const struct strv *units, struct unit_list *ret,
		struct error *err);

/*
 * Machines are about to be started. systemd forgets how often they and what their units on disk
 * require, networks and TPMs for example, have failed lately. Of these machines, those that wait
 * for systemd's next try wait no longer, which a start would not end (service_start() in systemd's
 * src/core/service.c).
 *
 * @for_start: and those that are being stopped are waited for. A job that is made before would take
 * their TPM, shares and passt for running, which end with them (job_type_is_redundant() in
 * src/core/job.c); a restart has these started again in any case, and one that is under way is left
 * to it.
 */
MUST_CHECK int lifecycle_begin_anew(const struct config_paths *paths, struct bus *bus,
		const struct strv *machines, bool for_start, uint64_t deadline_usec,
		struct error *err);

/*
 * Of machines that are about to be started, those for which lifecycle_begin_anew() would wait until
 * they, or what they require, have stopped: the others need not wait for that.
 */
MUST_CHECK int lifecycle_split(const struct config_paths *paths, struct bus *bus,
		const struct strv *machines, struct strv *ret_now, struct strv *ret_later,
		struct error *err);

/*
 * Wait until a run of a unit, whose QEMU has ended, is over: its hooks clean up, and only then it
 * can be started again. No stop is asked for: one that comes late would hit a machine that somebody
 * has started meanwhile, and would stop what requires this one.
 *
 * Returns 0; 1 when it is over and systemd is about to try again; or a negative errno: ETIMEDOUT,
 * systemd does not answer.
 */
MUST_CHECK int lifecycle_wait_run(
		struct bus *bus, const char *unit, const char *invocation_id, struct error *err);

/*
 * Print why the last run of a machine failed: the step of its unit (or of its TPM's unit, or of
 * a machine that it requires) that did, and the last lines of that run in the journal. On standard
 * error.
 */
void lifecycle_explain(const struct config_paths *paths, struct bus *bus, const char *machine);

/*
 * Of many machines that fail together, the first ones are explained: their lines of the journal
 * would drown the others' causes, which mostly are the same.
 */
#define LIFECYCLE_EXPLAINED_MAX 8

/*
 * In the end of a long list, on standard error: which of @n machines did not @verb. Nothing where
 * none has failed, or so few were asked that all lines are still to be seen.
 */
void lifecycle_tell_failed(const struct strv *failed, size_t n, const char *verb);

/* "2h 3min" and the like: the two largest units. The caller frees it. */
char *format_span(uint64_t usec);
