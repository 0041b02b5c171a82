/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina prepare network, teardown --network: called by the units of networks. */
#include "cmd-network-hooks.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "config/forms.h"
#include "hook/foreground.h"
#include "host/net/network.h"
#include "host/systemd/bus-job.h"
#include "setup/networks.h"
#include "util/file.h"
#include "util/mem.h"
#include "util/parse.h"

struct prepare_network_options {
	bool dry_run;
	bool reload;
};

static int check_name(const char *name, struct error *err)
{
	const char *expected;
	if (form_firewall_name(name, &expected))
		return 0;
	return error_set(err, EINVAL,
			"'%s' can't be the name of a network with a unit: expected %s", name,
			expected);
}

static int keep(const char *run_dir, const struct network *network, struct error *err)
{
	CLEANUP(freep) char *path = path_join(run_dir, NETWORK_COPY);
	CLEANUP(freep) char *text = NULL;
	int r = mkdir_all(run_dir, 0755, err);
	if (r == 0)
		r = unit_network_text(network, &text, err);
	return r == 0 ? file_replace(path, text, strlen(text), 0644, err) : r;
}

static int tear_down(const struct network *network, const char *run_dir, struct error *err)
{
	const struct network_options options = { .run_dir = run_dir };
	CLEANUP(strv_done) struct strv failures = {};
	char port[16];
	int r = network_teardown(network, &options, &failures, port);
	for (size_t i = 0; i < failures.n; i++)
		complain("%s: %s", network->name, failures.items[i]);
	if (r < 0)
		return error_code(err, r, "network '%s' could not be cleaned up in full",
				network->name);
	if (port[0])
		complain("%s: the bridge stays, for interface '%s' is a port of it", network->name,
				port);
	return 0;
}

/* What a network that is up can take over without a restart. */
static int reload(const char *run_dir, struct network *new, struct error *err)
{
	CLEANUP(network_done) struct network old = {};
	CLEANUP(buf_done) struct buf before = {}, after = {};
	const struct network_options options = { .run_dir = run_dir };
	int pid;
	network_recall(run_dir, new->name, &old);
	if (!old.bridge)
		return error_set(err, ENOENT, "network '%s' was not prepared", new->name);
	/* Borrowed: @new outlives it. */
	old.leases = new->leases;
	old.n_leases = new->n_leases;
	old.forwards = new->forwards;
	old.n_forwards = new->n_forwards;
	network_put_rows(&old, &before);
	network_put_rows(new, &after);
	if (!buf_equal(&before, &after))
		complain("%s: only changes of guests and forwarded ports are taken over; "
			 "'systemctl restart machina-network-%s.service', which restarts its "
			 "machines, takes all",
				new->name, new->name);
	int r = network_refresh(&old, &options, err);
	if (r == 0)
		r = keep(run_dir, &old, err);
	const char *main_pid = getenv("MAINPID");
	if (r == 0 && main_pid && parse_int(main_pid, 1, INT32_MAX, &pid) == 0 &&
			kill(pid, SIGHUP) < 0)
		r = error_errno(err, "cannot tell process %d of the change", pid);
	return r;
}

/* What was prepared under another name of the bridge. */
static int leave_other_bridge(const char *run_dir, const struct network *new, struct error *err)
{
	CLEANUP(network_done) struct network old = {};
	network_recall(run_dir, new->name, &old);
	if (!old.bridge || !strcmp(old.bridge, new->bridge))
		return 0;
	return tear_down(&old, run_dir, err);
}

static int prepare_network(const struct call *call, const char *name, struct error *err)
{
	const struct prepare_network_options *cli = call->options;
	CLEANUP(network_done) struct network network = {};
	CLEANUP(buf_done) struct buf text = {};
	CLEANUP(freep) char *run_dir = network_run_dir(call->paths.run_dir, name);
	const struct network_options options = { .run_dir = run_dir };
	int r = check_name(name, err);
	if (r == 0)
		r = network_of_unit(&call->paths, name, &network, &text, err);
	if (r != 0)
		return error_wrap(err, "cannot prepare network '%s'", name);
	if (cli->dry_run) {
		CLEANUP(strv_done) struct strv lines = {};
		network_describe(&network, run_dir, &lines);
		print_lines(&lines);
		return 0;
	}
	if (cli->reload)
		return reload(run_dir, &network, err);
	r = leave_other_bridge(run_dir, &network, err);
	if (r == 0)
		r = keep(run_dir, &network, err);
	if (r < 0)
		return error_wrap(err, "cannot prepare network '%s'", name);
	return network_prepare(&network, &options, err);
}

static int prepare_network_run(const struct call *call, struct error *err)
{
	for (size_t i = 0; i < call->words.n; i++) {
		int r = prepare_network(call, call->words.items[i], err);
		if (r < 0)
			return r;
	}
	return STATUS_DONE;
}

/* Has the unit's main process failed, and not a hook before it (systemd.exec(5), $EXIT_CODE)? */
static bool has_crashed(void)
{
	const char *result = getenv("SERVICE_RESULT"), *code = getenv("EXIT_CODE");
	return result && strcmp(result, "success") != 0 && code && code[0];
}

/* With Restart= in the unit systemd would restart the machines, too. Its limit of starts holds. */
static int start_again(const char *name, struct error *err)
{
	CLEANUP(bus_freep) struct bus *bus = NULL;
	CLEANUP(freep) char *unit = network_unit_name(name);
	int r = bus_open(&bus, err);
	if (r == 0)
		r = bus_queue_job(bus, BUS_START, unit, err);
	return r < 0 ? error_wrap(err, "dnsmasq has failed and is not started again") : 0;
}

int teardown_network(const struct call *call, const char *name, bool dry_run, struct error *err)
{
	CLEANUP(network_done) struct network network = {};
	CLEANUP(freep) char *run_dir = network_run_dir(call->paths.run_dir, name);
	int r = check_name(name, err);
	if (r < 0)
		return r;
	/* That of a unit is in use before systemd's own call (systemd.exec(5), $SERVICE_RESULT). */
	if (!dry_run && !getenv("SERVICE_RESULT"))
		r = foreground_check_network(name, err);
	if (r < 0)
		return r;
	network_recall(run_dir, name, &network);
	if (!dry_run) {
		bool is_crash = network.dhcp && has_crashed();
		r = tear_down(&network, run_dir, err);
		return r == 0 && is_crash ? start_again(name, err) : r;
	}
	CLEANUP(strv_done) struct strv lines = {};
	network_describe_teardown(&network, run_dir, &lines);
	print_lines(&lines);
	return 0;
}

static const struct option_spec rows[] = {
	OPTION_DRY_RUN(struct prepare_network_options, dry_run),
	{ 0, "reload", NULL, OPT_FLAG(struct prepare_network_options, reload),
			"Take over changes of guests and forwarded ports while it is up" },
	{},
};

static const struct argument networks[] = {
	{ .name = "NETWORK", .flags = ARGUMENT_MANY },
	{},
};

const struct command cmd_prepare_network = {
	.name = "prepare network",
	.group = GROUP_HOOKS,
	.flags = COMMAND_FILES | COMMAND_LIVE,
	.arguments = networks,
	.summary = "Make the bridge of a network",
	.description = "Of a network of \"mode\" \"nat\", \"routed\" or \"isolated\", as its unit "
		       "says: the bridge with its addresses, forwarding, the packet filter, and "
		       "the files of dnsmasq.",
	.options = rows,
	.options_size = sizeof(struct prepare_network_options),
	.run = prepare_network_run,
};
