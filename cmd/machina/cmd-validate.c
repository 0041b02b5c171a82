/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina validate: look for faults in the config, and give advice. */
#include <json-c/json_object.h>
#include <stdio.h>

#include "cli/output.h"
#include "model/claims.h"
#include "model/order.h"
#include "setup/advice.h"
#include "setup/built.h"
#include "setup/machines.h"
#include "setup/networks.h"
#include "util/mem.h"

struct validate_options {
	bool json;
};

/* What machines have against each other. */
struct others {
	struct claims claims;
	struct order order;
};

static void others_done(struct others *others)
{
	claims_done(&others->claims);
	order_done(&others->order);
}

static void others_add(struct others *others, const struct vm *vm, bool selected)
{
	claims_add(&others->claims, vm, selected);
	order_add(&others->order, vm, selected);
}

static void validate_machine(
		struct config *config, const char *name, bool selected, struct others *others)
{
	struct error err = {};
	CLEANUP(built_done) struct built built = {};
	if (!selected) {
		/* Others count only for what they claim. */
		if (built_glance(&built, config, name))
			others_add(others, &built.vm, false);
		return;
	}
	int r = built_units(&built, config, name, &err);
	if (r < 0)
		report_error(&config->report, &err);
	if (built.machine.merged)
		others_add(others, &built.vm, true);
	if (r == 0 && !config->host.has_flaws)
		advise(&built, config);
}

static int validate(
		const struct call *call, struct config *config, size_t *ret_n, struct error *err)
{
	CLEANUP(strv_done) struct strv all = {}, selected = {};
	CLEANUP(others_done) struct others others = {};
	if (config_load(config, &call->paths, err) < 0)
		report_error(&config->report, err);
	int r = machine_list(&call->paths, &all, &config->report, err);
	if (r < 0)
		return r;

	bool every = !call->machines.patterns.n && !call->machines.tags.n;
	if (every) {
		strv_extend(&selected, &all);
		config_check_unread(&call->paths, &config->report);
	} else {
		r = machines_select(call, &config->report, &selected, err);
	}
	if (r < 0)
		return r;
	*ret_n = selected.n;
	if (!config->is_whole) {
		config_check_machines(config, &selected);
		return 1;
	}
	for (size_t i = 0; i < all.n; i++)
		validate_machine(config, all.items[i],
				strv_contains_sorted(&selected, all.items[i]), &others);
	claims_check(&others.claims, &call->paths, &config->host, &config->report);
	order_check(&others.order, &all, &call->paths, &config->host, &config->report);
	r = networks_make(config, &(struct leases){}, NULL, NULL, err);
	/* Last, so that what a machine shows as well is shown with the machine's name. */
	host_check_tags(&config->host, &config->report);
	return r;
}

static int validate_run(const struct call *call, struct error *err)
{
	const struct validate_options *options = call->options;
	CLEANUP(config_done) struct config config = {};
	size_t n = 0;
	int r = validate(call, &config, &n, err);
	if (options->json) {
		struct json_object *list = report_json(&config.report);
		print_json(list);
		json_object_put(list);
	} else {
		print_report(stdout, &config.report);
		if (r == 0 && !config.report.n && !config.report.n_errors_told)
			printf("%zu machine%s, nothing to complain about\n", n, n == 1 ? "" : "s");
	}
	/* What is withheld is wrong as well. */
	return r < 0 ? r : config.report.n_errors_told ? STATUS_FAILURE : STATUS_DONE;
}

static const struct option_spec options[] = { OPTION_JSON(struct validate_options, json), {} };

static const struct example examples[] = {
	{ "machina validate", "Look over the host's config and all machines." },
	{ "machina validate web --json", "Only web, for a program to read." },
	{},
};

const struct command cmd_validate = {
	.name = "validate",
	.group = GROUP_CONFIGURE,
	.flags = COMMAND_FILES | COMMAND_SELECTS,
	.arguments = arguments_machines_optional,
	.summary = "Look for faults in the config, and give advice",
	.description = "Without MACHINE all machines are looked over. Errors are what generate "
		       "would refuse. One run shows them all, but for what could be wrong only "
		       "because of another one that it shows. Advice is what works but could "
		       "surprise: it does not change "
		       "the status. What is the same for many machines is shown of ten, and "
		       "counted of the others (--json has all). With --root only files are looked "
		       "at, nothing of the running system.",
	.options = options,
	.options_size = sizeof(struct validate_options),
	.examples = examples,
	.run = validate_run,
};
