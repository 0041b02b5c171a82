/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Could a machine that runs start again? */
#include "lifecycle/again.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/output.h"
#include "host/doctor/lack.h"
#include "host/net/network.h"
#include "host/prepare/prepare.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/monitor.h"
#include "setup/hookplan.h"
#include "setup/host-config.h"
#include "setup/networks.h"
#include "setup/unit-load.h"
#include "unit/service.h"
#include "util/mem.h"

struct again {
	const struct config_paths *paths;
	/* Once asked for. */
	bool has_running, has_policy;
	struct strv running;   /* all machines that were started */
	struct strv *required; /* by each of them */
	struct config config;  /* the host's, for filters */
	struct error policy;   /* why filters can't be made; code 0: they can */
};

static void again_done(struct again *again)
{
	for (size_t i = 0; i < again->running.n && again->required; i++)
		strv_done(&again->required[i]);
	free(again->required);
	strv_done(&again->running);
	config_done(&again->config);
	*again = (struct again){};
}

/* ---- programs ---- */

static void check_program(const char *path, struct strv *faults)
{
	if (access(path, X_OK) < 0)
		strv_pushf(faults, "cannot execute '%s': %s", path, strerror(errno));
}

/* The program of a share is run by another one, which comes before "--". */
static void check_command(const struct unit_exec *exec, struct strv *faults)
{
	size_t i = 0;
	check_program(exec->path, faults);
	if (exec->argv.n < 2 || strcmp(exec->argv.items[1], UNIT_SERVE) != 0)
		return;
	while (i + 1 < exec->argv.n && strcmp(exec->argv.items[i], "--") != 0)
		i++;
	if (i + 1 < exec->argv.n && !share_program_exists(exec->argv.items[i + 1]))
		strv_pushf(faults, "the program '%s' is not there", exec->argv.items[i + 1]);
}

/* What a unit runs until it is up. */
static void check_programs(const char *name, const struct buf *text, struct strv *faults)
{
	static const char *const keys[] = { "ExecStartPre", "ExecStart" };
	CLEANUP(unitdoc_done) struct unitdoc doc = {};
	if (unitfile_parse(name, buf_text(text), text->len, &doc, NULL) < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const struct unitdoc_entry *e = NULL;
		while ((e = unitdoc_next(&doc, "Service", keys[i], e))) {
			CLEANUP(unit_exec_done) struct unit_exec exec = {};
			struct error err = {};
			if (unitfile_split_exec(e->value, &exec, &err) < 0)
				strv_pushf(faults, "'%s': %s", name, err.text);
			else
				check_command(&exec, faults);
		}
	}
}

/* ---- units ---- */

static void load_policy(struct again *again)
{
	if (again->has_policy)
		return;
	again->has_policy = true;
	if (config_load(&again->config, again->paths, &again->policy) > 0)
		error_set(&again->policy, EINVAL,
				"its packet filter needs the host's config, which has faults: "
				"'machina validate' shows them");
}

/* Without the host's config there are no filters, and prepare refuses, nor without a group or set
 * that the plan names. */
static void check_policy(struct again *again, const struct plan *plan, struct strv *faults)
{
	if (!plan_has_filter(plan))
		return;
	load_policy(again);
	if (again->policy.code) {
		strv_push(faults, again->policy.text);
		return;
	}
	for (size_t i = 0; i < plan->n_fds; i++) {
		CLEANUP(fw_port_done) struct fw_port port = {};
		struct error err = {};
		if (plan->fds[i].filter && fw_port_of_plan(&again->config.policy, plan,
							   &plan->fds[i], &port, &err) < 0)
			strv_push(faults, err.text);
	}
}

/* A unit with a plan. @instance: "web", "web@data". Returns whether there is one that can be read.
 */
static bool check_unit(struct again *again, enum hook_unit unit, const char *instance,
		struct plan *ret_plan, struct strv *faults)
{
	static const struct prepare_options options = {};
	CLEANUP(buf_done) struct buf text = {};
	struct error err = {};
	if (hookplan_begin(again->paths, unit, instance, ret_plan, &text, &err) < 0) {
		strv_push(faults, err.text);
		return false;
	}
	check_programs(instance, &text, faults);
	check_policy(again, ret_plan, faults);
	prepare_check(ret_plan, &options, faults);
	return true;
}

static void check_passt(struct again *again, const char *instance, struct strv *faults)
{
	CLEANUP(freep) char *path = NULL;
	CLEANUP(buf_done) struct buf text = {};
	struct error err = {};
	if (unit_load(again->paths, UNIT_PASST, instance, &path, &text, &err) < 0)
		strv_push(faults, err.text);
	else
		check_programs(path, &text, faults);
}

/* The unit of another program that a descriptor leads to, if it leads to one. */
static void check_companion(struct again *again, const char *machine, const struct plan_fd *fd,
		struct strv *faults)
{
	const char *share = plan_share_of(fd);
	CLEANUP(plan_done) struct plan plan = {};
	CLEANUP(freep) char *instance = NULL;
	if (share || plan_is_passt(fd))
		instance = unit_share_instance(machine, share ? share : strrchr(fd->name, '.') + 1);
	if (share)
		check_unit(again, HOOK_SHARE, instance, &plan, faults);
	else if (instance)
		check_passt(again, instance, faults);
	else if (!strcmp(fd->name, "tpm"))
		check_unit(again, HOOK_SWTPM, machine, &plan, faults);
}

/* A network with a bridge of its own, which starts before the machine if it is not up. If it is, it
 * keeps its bridge, and the machine looks for the one that its unit names. */
static void check_network(
		struct again *again, const char *name, const char *bridge, struct strv *faults)
{
	CLEANUP(freep) char *run_dir = network_run_dir(again->paths->run_dir, name);
	CLEANUP(network_done) struct network network = {};
	CLEANUP(buf_done) struct buf text = {};
	const struct network_options options = { .run_dir = run_dir };
	struct error err = {};
	network_recall(run_dir, name, &network);
	bool is_up = network.bridge;
	int r = 0;
	if (is_up) {
		network.bridge = bridge;
	} else {
		network_done(&network);
		r = network_of_unit(again->paths, name, &network, &text, &err);
	}
	if (r == 0)
		r = network_check(&network, &options, is_up, &err);
	if (r < 0)
		strv_push(faults, err.text);
}

static void check_networks(struct again *again, const struct plan *plan, struct strv *faults)
{
	CLEANUP(strv_done) struct strv seen = {};
	for (size_t i = 0; i < plan->n_fds; i++) {
		const struct plan_fd *fd = &plan->fds[i];
		if (fd->kind != PLAN_FD_TAP || !fd->own || strv_contains(&seen, fd->network))
			continue;
		strv_push(&seen, fd->network);
		check_network(again, fd->network, fd->bridge, faults);
	}
}

static void check_machine(struct again *again, const char *machine, struct strv *faults)
{
	CLEANUP(plan_done) struct plan plan = {};
	if (!check_unit(again, HOOK_QEMU, machine, &plan, faults))
		return;
	check_networks(again, &plan, faults);
	for (size_t i = 0; i < plan.n_fds; i++)
		check_companion(again, machine, &plan.fds[i], faults);
}

/* ---- others ---- */

static void check_other(
		struct again *again, const char *other, const char *why, struct strv *faults)
{
	CLEANUP(strv_done) struct strv its = {};
	check_machine(again, other, &its);
	for (size_t i = 0; i < its.n; i++)
		strv_pushf(faults, "%s, %s: %s", other, why, its.items[i]);
}

static void list_required(const struct again *again, const char *machine, struct strv *ret)
{
	CLEANUP(strv_done) struct strv alone = {};
	strv_push(&alone, machine);
	lifecycle_required(again->paths, &alone, ret);
}

/* What has ended since is started before it. */
static void check_required(struct again *again, const char *machine, struct strv *faults)
{
	CLEANUP(strv_done) struct strv required = {};
	list_required(again, machine, &required);
	for (size_t i = 0; i < required.n; i++)
		if (!monitor_is_there(again->paths, required.items[i]))
			check_other(again, required.items[i],
					"which it requires and which does not run", faults);
}

static void list_running(struct again *again)
{
	struct error unused = {};
	if (again->has_running)
		return;
	again->has_running = true;
	(void)!hookplan_list(again->paths, &again->running, &unused);
	again->required = xcalloc(again->running.n, sizeof(*again->required));
	for (size_t i = 0; i < again->running.n; i++)
		list_required(again, again->running.items[i], &again->required[i]);
}

static void check_dependents(struct again *again, const char *machine, struct strv *faults)
{
	list_running(again);
	for (size_t i = 0; i < again->running.n; i++) {
		const char *other = again->running.items[i];
		if (strcmp(other, machine) != 0 && strv_contains(&again->required[i], machine))
			check_other(again, other, "which requires it and is restarted with it",
					faults);
	}
}

static bool may_restart(struct again *again, const char *machine)
{
	CLEANUP(strv_done) struct strv faults = {};
	if (!monitor_is_there(again->paths, machine))
		return true;
	check_machine(again, machine, &faults);
	check_required(again, machine, &faults);
	check_dependents(again, machine, &faults);
	if (!faults.n)
		return true;
	complain("%s is not restarted and runs on, since it would not start again ('machina "
		 "restart --force %s' takes it down all the same):",
			machine, machine);
	for (size_t i = 0; i < faults.n; i++) {
		fputs("    ", stderr);
		put_text(stderr, faults.items[i]);
		fputc('\n', stderr);
	}
	return false;
}

size_t again_select(const struct config_paths *paths, const struct strv *machines,
		struct strv *ret_able)
{
	CLEANUP(again_done) struct again again = { .paths = paths };
	size_t n = 0;
	for (size_t i = 0; i < machines->n; i++) {
		if (may_restart(&again, machines->items[i]))
			strv_push(ret_able, machines->items[i]);
		else
			n++;
	}
	return n;
}
