/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina firewall hold: nothing passes while others flush nftables. */
#include <stdio.h>

#include "cli/output.h"
#include "hook/firewall-running.h"
#include "host/net/hold.h"
#include "host/os/netns.h"
#include "setup/hookplan.h"

struct hold_options {
	bool dry_run;
};

static void print_held(const struct plan *plan)
{
	for (size_t i = 0; i < plan->n_fds; i++)
		if (plan->fds[i].filter)
			printf("close interface '%s' of machine '%s'\n", plan->fds[i].link,
					plan->machine);
}

/* What fails here must not keep anything open. Returns how many failures were printed. */
static size_t mark(const char *run_dir, struct lock *ret_lock)
{
	struct error err = {};
	int r = hold_lock(run_dir, ret_lock, &err);
	if (r < 0)
		print_error(&err);
	err = (struct error){};
	int marked = hold_mark(run_dir, &err);
	if (marked < 0)
		print_error(&err);
	return (r < 0) + (marked < 0);
}

static int hold_run(const struct call *call, struct error *err)
{
	const struct hold_options *options = call->options;
	CLEANUP(strv_done) struct strv names = {};
	CLEANUP(netns_done) struct netns outside = {};
	CLEANUP(netlink_done) struct netlink links = {};
	CLEANUP(lock_done) struct lock lock = {};
	size_t n_failed = options->dry_run ? 0 : mark(call->paths.run_dir, &lock);
	int r = hookplan_list(&call->paths, &names, err);
	if (r == 0)
		r = netns_enter(NETNS_HOST, &outside, err);
	if (r == 0)
		r = netlink_open(&links, err);
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		CLEANUP(plan_done) struct plan plan = {};
		struct error doubt = {};
		hookplan_recall(&call->paths, HOOK_QEMU, names.items[i], &plan, &doubt);
		if (doubt.code) {
			print_error(&doubt);
			n_failed++;
		}
		if (options->dry_run)
			print_held(&plan);
		else
			n_failed += running_open(&links, &plan, false);
	}
	return r < 0 ? r : n_failed ? STATUS_FAILURE : STATUS_DONE;
}

static const struct option_spec rows[] = {
	OPTION_DRY_RUN(struct hold_options, dry_run),
	{},
};

const struct command cmd_firewall_hold = {
	.name = "firewall hold",
	.group = GROUP_HOOKS,
	.flags = COMMAND_FILES | COMMAND_LIVE,
	.summary = "Let nothing pass to and from machines that have a filter",
	.description = "Called by the units machina-firewall-* before nftables is flushed. "
		       "'machina firewall apply' lets packets pass again.",
	.options = rows,
	.options_size = sizeof(struct hold_options),
	.run = hold_run,
};
