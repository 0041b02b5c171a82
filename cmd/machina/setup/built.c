/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a machine's files to its units. */
#include "setup/built.h"

#include "firewall/check.h"
#include "setup/paths.h"
#include "util/mem.h"

void built_done(struct built *built)
{
	units_done(&built->units);
	strv_done(&built->argv);
	plan_done(&built->plan);
	plan_done(&built->tpm_plan);
	for (size_t i = 0; i < ARRAY_SIZE(built->share_plans); i++)
		plan_done(&built->share_plans[i]);
	vm_done(&built->vm);
	machine_done(&built->machine);
}

int built_load(struct built *built, struct config *config, const char *name, struct error *err)
{
	*built = (struct built){};
	int r = machine_load(
			config->paths, &config->host, name, &built->machine, &config->report, err);
	if (r < 0 || !built->machine.merged)
		return r;
	/* Findings of all are told at once. */
	int of_vm = vm_build(&config->host, &built->machine, &built->vm, &config->report);
	int of_filter = fw_check_machine(
			&config->policy, &built->machine, &built->vm, &config->report);
	return r || of_vm || of_filter;
}

bool built_glance(struct built *built, const struct config *config, const char *name)
{
	CLEANUP(report_done) struct report ignored = {};
	*built = (struct built){};
	return machine_load(config->paths, &config->host, name, &built->machine, &ignored, NULL) ==
			       0 &&
	       vm_build(&config->host, &built->machine, &built->vm, &ignored) == 0;
}

int built_argv(struct built *built, struct config *config, const char *name, enum qemu_form form,
		const char *run_dir, struct error *err)
{
	int r = built_load(built, config, name, err);
	if (r != 0)
		return r;
	if (!run_dir)
		run_dir = RUN_DIR;
	plan_build(&built->vm, run_dir, &built->plan);
	if (built->vm.tpm.enabled)
		plan_build_tpm(&built->vm, run_dir, &built->tpm_plan);
	for (size_t i = 0; i < built->vm.n_shares; i++)
		plan_build_share(&built->vm, i, run_dir, &built->share_plans[i]);
	return qemu_argv(&built->vm, &built->plan, form, &built->machine, &config->report,
			&built->argv);
}

int built_units(struct built *built, struct config *config, const char *name, struct error *err)
{
	int r = built_argv(built, config, name, QEMU_FORM_UNIT, NULL, err);
	if (r != 0)
		return r;
	CLEANUP(strv_done) struct strv sources = {};
	strv_extend(&sources, &config->sources);
	strv_push_take(&sources, config_known_path(config->paths, built->machine.doc.name));
	struct unit_input input = {
		.vm = &built->vm,
		.plan = &built->plan,
		.tpm_plan = built->vm.tpm.enabled ? &built->tpm_plan : NULL,
		.share_plans = built->share_plans,
		.argv = &built->argv,
		.program = program_path,
		.sources = &sources,
	};
	return units_build(&input, &built->units, err);
}
