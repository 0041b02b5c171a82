/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What systemd knows of units: many in one answer, or one with all that explains its state.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "host/systemd/bus.h"
#include "util/arena.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/error.h"
#include "util/strv.h"

/* Of an active state: is the unit up ("active", "reloading")? */
bool unit_is_up(const char *active_state) PURE;
/* Does nothing of it run ("inactive", "failed")? Between the two it comes or goes. */
bool unit_is_down(const char *active_state) PURE;
/* A state of systemd's service, as older systemds call it: of one that has failed, and whose next
 * start waits for others to stop, 254 and later say "auto-restart-queued". */
const char *unit_sub_state(const char *sub_state) PURE;

/* ---- many units ---- */

/* The words are systemd's own: "loaded" or "not-found", "active", "running". Never NULL. */
struct unit_row {
	const char *name; /* as asked for */
	const char *load_state;
	const char *active_state;
	const char *sub_state;
	const char *job_type; /* of the job that waits or runs; "": none */
};

struct unit_list {
	struct unit_row *rows; /* in the order of the names */
	size_t n;
	struct arena arena; /* what the rows point to */
};

void unit_list_done(struct unit_list *list);

/*
 * The states of units, in one call. A unit without a file, or with an impossible name, has the
 * load state "not-found".
 */
MUST_CHECK int bus_list_units(struct bus *bus, const struct strv *names, struct unit_list *ret,
		struct error *err);

/*
 * The same of what systemd has in memory, which is much quicker where most units are at rest: it
 * reads the files of units that are asked for by their names. What it has not loaded is inactive,
 * has no job and has not failed; its load state is "" here, and there may be a file or none.
 *
 * @pattern: a glob that matches all names, for systemd to choose by
 */
MUST_CHECK int bus_list_loaded_units(struct bus *bus, const char *pattern, const struct strv *names,
		struct unit_list *ret, struct error *err);

/* What the states of units leave open. */
struct unit_run {
	uint64_t since_usec; /* as unit_since_usec(); 0 for those that are inactive */
	pid_t main_pid;	     /* of a service that is up; else 0 */
	/* As in struct unit_info. */
	uint64_t memory_current, cpu_usage_nsec;
	uint32_t n_restarts;
};

/* What is asked for, each a question for each unit: */
enum unit_questions {
	UNIT_MAIN_PID = 1 << 0,
	UNIT_SINCE = 1 << 1,
	UNIT_USAGE = 1 << 2, /* of those that are up; two */
	UNIT_RESTARTS = 1 << 3,
};

/*
 * Fill that in for units: all are asked at once, but for those that are inactive, of which only
 * UNIT_RESTARTS can be known, if systemd has them loaded.
 *
 * @what: of enum unit_questions; the rest is 0, or UINT64_MAX
 * @ret: room for as many as the list has
 */
MUST_CHECK int bus_get_runs(struct bus *bus, const struct unit_list *list, unsigned what,
		struct unit_run *ret, struct error *err);

/* systemd's own version, "252 (252.39-1~deb12u1)". The caller frees it. */
MUST_CHECK int bus_get_version(struct bus *bus, char **ret, struct error *err);

/* Is the host about to shut down or to reboot (systemctl is-system-running: "stopping")? */
MUST_CHECK int bus_is_stopping(struct bus *bus, bool *ret, struct error *err);

/* ---- one unit ---- */

/* The last run of a command of a service: an element of ExecStart and the like. */
struct exec_step {
	const char *setting; /* "ExecStartPre" */
	char *path;
	/* The arguments as systemd will use them, but for "$": "$$" and variables are as written.
	 */
	struct strv argv;
	bool ignore_failure;
	uint64_t end_usec; /* CLOCK_MONOTONIC; 0: not yet */
	pid_t pid;
	int code;   /* CLD_EXITED, CLD_KILLED, CLD_DUMPED; 0: not ended */
	int status; /* exit status or signal */
};

#define UNIT_ID_MAX 33

/* Numbers that systemd does not know are UINT64_MAX, times 0, texts "". */
struct unit_info {
	char *description;
	char *load_state;
	char *load_error; /* why not "loaded" */
	char *active_state;
	char *sub_state;
	char *unit_file_state; /* "enabled", "disabled", "static", ... */
	char *control_group;   /* "/machine.slice/NAME"; "": it has none at the moment */
	bool need_daemon_reload;
	char *result; /* of the last run: "success", "exit-code", "timeout", ... */
	pid_t main_pid;
	int exec_main_code; /* as in struct exec_step */
	int exec_main_status;
	uint32_t n_restarts;
	uint32_t job_id;		 /* of the job that waits or runs; 0: none */
	char invocation_id[UNIT_ID_MAX]; /* of the last run, 32 hex digits */
	/* CLOCK_REALTIME */
	uint64_t active_enter_usec, active_exit_usec, inactive_enter_usec, inactive_exit_usec;
	uint64_t memory_current, cpu_usage_nsec; /* bytes, nanoseconds */
	struct exec_step *steps; /* of all settings; those of one in the order of the file */
	size_t n_steps;
};

void unit_info_done(struct unit_info *info);

/* All there is to say of a unit that systemd has not in memory (bus_list_loaded_units()). */
void unit_info_at_rest(struct unit_info *ret);

/* As much of it as these two tell, which costs systemd less than half of bus_get_unit(). */
void unit_info_of_row(
		const struct unit_row *row, const struct unit_run *run, struct unit_info *ret);

/* Also of a unit that has no file: its load state says so. EINVAL: no name of a unit. */
MUST_CHECK int bus_get_unit(
		struct bus *bus, const char *name, struct unit_info *ret, struct error *err);

/*
 * The command that made the last run fail: of those that failed, the one that ended first, since
 * failures that follow are mostly consequences. NULL: none did. Those that systemd was told to
 * ignore count only for ExecStop=, whose lines take over from each other, and if its last one
 * failed, too.
 */
const struct exec_step *unit_failed_step(const struct unit_info *info);

/* Since when a unit is in its active state (CLOCK_REALTIME); 0: not known. */
uint64_t unit_since_usec(const struct unit_info *info) PURE;

/* Has systemd read the unit's files, or found it masked, and does not run it? By LoadState. */
bool unit_is_refused(const char *load_state);

/*
 * Append why the last run of a unit failed: "ExecStartPre (machina prepare) failed with status 1".
 * Returns false, and appends nothing, if it did not fail.
 */
bool unit_explain_failure(const struct unit_info *info, struct buf *text);

/*
 * Append the units without which a unit is not started (Requires=, Requisite=, BindsTo= in
 * systemd.unit(5)), as systemd knows them, what follows from other settings included.
 */
MUST_CHECK int bus_get_needs(
		struct bus *bus, const char *unit, struct strv *ret_names, struct error *err);
