/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One machine all the way from its files to its units. */
#pragma once

#include "model/plan.h"
#include "qemu/argv.h"
#include "setup/host-config.h"
#include "unit/service.h"

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

/*
 * The same of one that was not asked for: its own faults are no matter of this run, but what it has
 * can't be another's. Returns whether it could be built.
 */
bool built_glance(struct built *built, const struct config *config, const char *name);

/* The same to the argument vector. @run_dir: NULL for that of the host. */
MUST_CHECK int built_argv(struct built *built, struct config *config, const char *name,
		enum qemu_form form, const char *run_dir, struct error *err);

/* The same to the units. */
MUST_CHECK int built_units(
		struct built *built, struct config *config, const char *name, struct error *err);
