/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina firewall apply: filters of machines that run. */
#include <stdio.h>
#include <string.h>

#include "cli/complete.h"
#include "cli/output.h"
#include "hook/firewall-prepared.h"
#include "hook/firewall-running.h"
#include "host/net/hold.h"
#include "host/net/network.h"
#include "host/os/netns.h"
#include "host/prepare/prepare.h"
#include "setup/hookplan.h"
#include "setup/machines.h"
#include "setup/networks.h"
#include "util/file.h"
#include "util/mem.h"

struct apply_options {
	bool dry_run;
};

/* ---- apply ---- */

static size_t count_ports(const struct running *running)
{
	size_t n = 0;
	for (size_t i = 0; i < running->n; i++)
		n += running->items[i].n_ports;
	return n;
}

static void add_requests(const struct running_machine *m, struct firewall_port *ports, size_t *n)
{
	for (size_t i = 0; i < m->n_ports; i++)
		ports[(*n)++] = (struct firewall_port){ .port = &m->ports[i],
			.before = m->before[i] };
}

/* What one machine has must not keep the others from their rules. */
static size_t install_each(struct netlink *nft, const struct firewall_request *all,
		const struct running *running, bool *ret_done)
{
	size_t n_failed = 0;
	for (size_t i = 0; i < running->n; i++) {
		const struct running_machine *m = &running->items[i];
		CLEANUP(freep)
		struct firewall_port *ports = xcalloc(m->n_ports + 1, sizeof(*ports));
		struct firewall_request request = { .policy = all->policy,
			.ports = ports,
			.others = all->others,
			.links = all->links };
		struct error err = {};
		add_requests(m, ports, &request.n);
		if (m->has_failed)
			continue;
		ret_done[i] = firewall_install(nft, &request, &err) == 0;
		if (ret_done[i])
			continue;
		print_error(&err);
		n_failed++;
	}
	return n_failed;
}

/* Returns how many machines have failed; all of them at once is tried first. */
static size_t install(struct netlink *nft, const struct firewall_request *request,
		const struct running *running, bool *ret_done)
{
	struct error err = {};
	if (firewall_install(nft, request, &err) == 0) {
		for (size_t i = 0; i < running->n; i++)
			ret_done[i] = !running->items[i].has_failed;
		return 0;
	}
	if (running->n < 2) {
		print_error(&err);
		return 1;
	}
	return install_each(nft, request, running, ret_done);
}

/* Whose rules can't be installed, and who has none from before either, gets no packets. */
static void close_unfiltered(const struct running_machine *m, struct netlink *links)
{
	complain("machine '%s' has no packet filter: its interfaces are closed until 'machina "
		 "firewall apply %s' succeeds",
			m->name, m->name);
	(void)running_open(links, &m->plan, false);
}

/* What a teardown will look for; and the ports, which may have been held. */
static size_t finish(const struct config_paths *paths, const struct running *running,
		const bool *done, struct netlink *nft, struct netlink *links)
{
	CLEANUP(strv_done) struct strv present = {};
	size_t n_failed = 0;
	bool opens = !hold_is_newer(paths->run_dir);
	if (firewall_machines(nft, &present, NULL) < 0)
		strv_clear(&present);
	for (size_t i = 0; i < running->n; i++) {
		const struct running_machine *m = &running->items[i];
		struct error err = {};
		if (!done[i] && plan_has_filter(&m->plan) &&
				!strv_contains_sorted(&present, m->name)) {
			close_unfiltered(m, links);
			continue;
		}
		if (done[i] && m->is_changed && hookplan_change(paths, &m->plan, &err) < 0) {
			print_error(&err);
			n_failed++;
		}
		/* What drops the frames that the port catches is there by now. */
		if (done[i])
			n_failed += running_renew(links, &m->plan);
		if (opens)
			n_failed += running_open(links, &m->plan, true);
	}
	return n_failed;
}

static int apply(const struct call *call, const struct fw_policy *policy, const struct strv *names,
		struct netlink *nft, struct netlink *links, struct error *err)
{
	const struct apply_options *cli = call->options;
	CLEANUP(running_done) struct running running = {};
	CLEANUP(prepared_others_done) struct prepared_others others;
	prepared_others_init(&others, &call->paths);
	int r = running_find(&call->paths, policy, names, nft, links, &running, err);
	if (r < 0)
		return r;
	CLEANUP(freep)
	struct firewall_port *ports = xcalloc(count_ports(&running) + 1, sizeof(*ports));
	CLEANUP(freep) bool *done = xcalloc(running.n + 1, sizeof(*done));
	struct firewall_request request = {
		.policy = policy,
		.ports = ports,
		.is_all = !names && !running.n_failed,
		.gone = &running.gone,
		.others = &others.others,
		.links = links,
	};
	for (size_t i = 0; i < running.n; i++)
		add_requests(&running.items[i], ports, &request.n);
	if (cli->dry_run) {
		CLEANUP(buf_done) struct buf text = {};
		r = firewall_preview(nft, &request, &text, err);
		fputs(buf_text(&text), stdout);
		return r < 0 ? r : running.n_failed ? STATUS_FAILURE : STATUS_DONE;
	}
	size_t n_failed = running.n_failed + install(nft, &request, &running, done);
	n_failed += finish(&call->paths, &running, done, nft, links);
	return n_failed ? STATUS_FAILURE : STATUS_DONE;
}

/* ---- networks ---- */

static int restore_network(
		const struct call *call, const char *name, struct buf *ret_text, struct error *err)
{
	CLEANUP(network_done) struct network network = {};
	CLEANUP(freep) char *run_dir = network_run_dir(call->paths.run_dir, name);
	const struct network_options options = { .run_dir = run_dir };
	network_recall(run_dir, name, &network);
	int r = network.bridge ? network_restore_rules(&network, &options, ret_text, err) : 0;
	return r < 0 ? r : 0;
}

/* Returns how many have failed, which was printed. */
static size_t restore_networks(const struct call *call)
{
	const struct apply_options *cli = call->options;
	CLEANUP(strv_done) struct strv names = {};
	CLEANUP(buf_done) struct buf text = {};
	struct error err = {};
	size_t n_failed = 0;
	if (networks_recall_names(&call->paths, &names, &err) < 0) {
		print_error(&err);
		return 1;
	}
	for (size_t i = 0; i < names.n; i++) {
		err = (struct error){};
		if (restore_network(call, names.items[i], cli->dry_run ? &text : NULL, &err) == 0)
			continue;
		print_error(&err);
		n_failed++;
	}
	fputs(buf_text(&text), stdout);
	return n_failed;
}

/* ---- the command ---- */

/* The kernel's sockets, in the host's network. */
struct sockets {
	struct netns outside;
	struct netlink nft, links;
};

static void sockets_done(struct sockets *s)
{
	netlink_done(&s->nft);
	netlink_done(&s->links);
	netns_done(&s->outside);
}

static int sockets_open(struct sockets *s, struct error *err)
{
	int r = netns_enter(NETNS_HOST, &s->outside, err);
	if (r == 0)
		r = nft_open(&s->nft, err);
	return r < 0 ? r : netlink_open(&s->links, err);
}

static bool names_machines(const struct call *call)
{
	return call->machines.patterns.n || call->machines.tags.n;
}

static int apply_once(const struct call *call, struct error *err)
{
	CLEANUP(config_done) struct config config = {};
	CLEANUP(strv_done) struct strv names = {};
	CLEANUP(sockets_done) struct sockets sockets = {};
	bool some = names_machines(call);
	/* These follow from their units alone. */
	size_t n_failed = some ? 0 : restore_networks(call);
	int r = config_load_policy(&config, &call->paths, err);
	if (r == 0 && some)
		r = machines_select(call, &config.report, &names, err);
	if (r == 0)
		r = sockets_open(&sockets, err);
	if (r != 0)
		return r < 0 ? r : STATUS_FAILURE;
	/* Each machine is locked by a file. */
	file_allow_many();
	r = apply(call, &config.policy, some ? &names : NULL, &sockets.nft, &sockets.links, err);
	return r == STATUS_DONE && n_failed ? STATUS_FAILURE : r;
}

static int apply_run(const struct call *call, struct error *err)
{
	const struct apply_options *cli = call->options;
	const char *run_dir = call->paths.run_dir;
	CLEANUP(lock_done) struct lock lock = {};
	if (cli->dry_run)
		return apply_once(call, err);
	int r = hold_lock(run_dir, &lock, err);
	if (r < 0)
		return r;
	r = apply_once(call, err);
	if (names_machines(call) || hold_is_newer(run_dir) || !hold_unmark(run_dir))
		return r;
	/* Who was prepared before that has closed its interfaces, and may not have been seen. */
	return apply_once(call, err);
}

static const struct option_spec options[] = {
	OPTION_DRY_RUN(struct apply_options, dry_run),
	{},
};

static const struct example examples[] = {
	{ "machina firewall apply",
			"After a change of groups, or when somebody has flushed nftables." },
	{ "machina generate web && machina firewall apply web",
			"After a change of web's own rules." },
	{},
};

const struct command cmd_firewall_apply = {
	.name = "firewall apply",
	.group = GROUP_RUN,
	.flags = COMMAND_FILES | COMMAND_SELECTS | COMMAND_LIVE,
	.arguments = arguments_machines_optional,
	.summary = "Install the packet filters of machines that run",
	.description = "In one transaction, without a moment without rules; established "
		       "connections are not cut off. Groups and address sets come from the host's "
		       "config as it is now, a machine's own rules from its unit.\n"
		       "\n"
		       "Without names, of all machines that run and of all networks that are up, "
		       "and what nobody uses any more is removed. "
		       "machina-firewall-nftables.service and machina-firewall-firewalld.service "
		       "do that when one of these firewalls was started or reloaded.",
	.options = options,
	.options_size = sizeof(struct apply_options),
	.examples = examples,
	.run = apply_run,
};
