/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What most commands begin with: the host's config, and the findings of the run. */
#pragma once

#include "config/load.h"
#include "firewall/policy.h"
#include "model/plan.h"

/* The host's config and all findings of the run. */
struct config {
	const struct config_paths *paths;
	struct host host;
	struct fw_policy policy; /* its firewall */
	struct report report;
	struct strv sources; /* the host's files, for the first line of units */
	/*
	 * The host's files are merged: machines can be looked at, so that one run shows all, even
	 * if there are findings. Entries that have faults are passed over then, and what names them
	 * is not complained about; of the firewall's groups and sets what is in them may be
	 * missing. It does not say that anything may be made of them: config_load() does.
	 */
	bool is_whole;
};

void config_done(struct config *config);

/*
 * Returns 0, 1 when there are findings in config->report, or a negative errno. Who goes on after 1,
 * for config->is_whole, does so to look for more findings; nothing is to be built, written or done
 * then, even of a machine without findings of its own (config->host.has_flaws).
 */
MUST_CHECK int config_load(
		struct config *config, const struct config_paths *paths, struct error *err);

/*
 * The same for hooks, which go on without it if they can: findings are printed.
 *
 * Errors: EINVAL: there are findings.
 */
MUST_CHECK int config_load_policy(
		struct config *config, const struct config_paths *paths, struct error *err);

/*
 * The same for the connections of a plan, which name the host's groups and sets of addresses in
 * their filters: they are those of the config as it is now, so that a unit needs not be made anew
 * for them. A plan without filters needs none, and @config stays as it is.
 */
MUST_CHECK int config_load_policy_for(struct config *config, const struct config_paths *paths,
		const struct plan *plan, struct error *err);

/* A file below the config directory is shown from there: the rest is the same on every line. */
const char *config_short_file(const struct config_paths *paths, const char *file);

/*
 * Look for what is wrong in the machines' own files, when the host's config can't be used: so that
 * one run shows all.
 */
void config_check_machines(struct config *config, const struct strv *names);
