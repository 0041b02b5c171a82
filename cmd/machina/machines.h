/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What most commands begin with: the host's config, the machines that the command line selects,
 * and one machine all the way from its files to its units.
 */
#pragma once

#include "command.h"
#include "firewall/policy.h"
#include "model/plan.h"
#include "qemu/argv.h"
#include "unit/service.h"

/* The host's config and all findings of the run. */
struct config {
	const struct config_paths *paths;
	struct host host;
	struct fw_policy policy; /* its firewall */
	struct report report;
	struct strv sources; /* the host's files, for the first line of units */
};

void config_done(struct config *config);

/* Returns 0, 1 when there are findings in config->report, or a negative errno. */
MUST_CHECK int config_load(
		struct config *config, const struct config_paths *paths, struct error *err);

/*
 * The same for hooks, which go on without it if they can: findings are printed.
 *
 * Errors: EINVAL: there are findings.
 */
MUST_CHECK int config_load_policy(
		struct config *config, const struct config_paths *paths, struct error *err);

/* A file below the config directory is shown from there: the rest is the same on every line. */
const char *config_short_file(const struct config_paths *paths, const char *file);

/* Has it a file of its own, whatever is in it? @machine: a name that is valid */
bool machine_is_configured(const struct config_paths *paths, const char *machine);

/*
 * The names that the command line selects, in byte order, each once.
 *
 * @config: loaded, for --tag; NULL: --tag loads it itself
 *
 * Returns 0; 1 when a machine had to be read and has findings, which are added to @report; or a
 * negative errno: ENOENT for a name that is not configured or a pattern that nothing matches.
 */
MUST_CHECK int machines_select(const struct call *call, struct report *report,
		struct strv *ret_names, struct error *err);

/*
 * The same for commands that are about all machines where none are selected. Findings are printed.
 */
MUST_CHECK int machines_select_or_all(
		const struct call *call, struct strv *ret_names, struct error *err);

/*
 * The same for commands about what runs, has run or is left of a machine, be it configured or not.
 * A word that is no configured machine's name, but could be one, counts as one:
 *
 * @is_there: only if the host has something of it, a unit or what was prepared for a start: for
 * commands that act. Else whatever there is of it: for those that look, and say so if there is
 * nothing
 *
 * Patterns match configured machines, and those that are named beside them. Findings are printed.
 */
MUST_CHECK int machines_select_known(
		const struct call *call, bool is_there, struct strv *ret_names, struct error *err);

/* The same for who has listed all machines already, with machine_list(). */
MUST_CHECK int machines_select_of(const struct call *call, const struct strv *all,
		struct report *report, struct strv *ret_names, struct error *err);

/*
 * Look for what is wrong in the machines' own files, when the host's config can't be used: so that
 * one run shows all.
 */
void machines_check(struct config *config, const struct strv *names);

/* One machine; what comes later is empty until it was asked for. */
struct built {
	struct machine machine;
	struct vm vm;
	struct plan plan;
	struct plan tpm_plan;
	struct plan share_plans[VM_SHARES_MAX];
	struct strv argv;
	struct units units;
};

void built_done(struct built *built);

/*
 * Files to struct vm: built->machine and built->vm.
 *
 * Returns 0, 1 when there are findings in config->report, or a negative errno. With findings, the
 * two can be shown if the machine's documents could be merged (built->machine.merged).
 */
MUST_CHECK int built_load(
		struct built *built, struct config *config, const char *name, struct error *err);

/* The same to the argument vector. @run_dir: NULL for that of the host. */
MUST_CHECK int built_argv(struct built *built, struct config *config, const char *name,
		enum qemu_form form, const char *run_dir, struct error *err);

/* The same to the units. */
MUST_CHECK int built_units(
		struct built *built, struct config *config, const char *name, struct error *err);

/*
 * Read a machine's unit on disk. @ret_path: where it is; the caller frees both.
 *
 * Errors: ENOENT: there is none; EINVAL: it is none of ours.
 */
MUST_CHECK int unit_load(const struct config_paths *paths, const char *pattern, const char *machine,
		char **ret_path, struct buf *ret_text, struct error *err);
