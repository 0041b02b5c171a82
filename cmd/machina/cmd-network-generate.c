/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina network generate: write files with which systemd-networkd makes a bridge. */
#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>

#include "cli/complete.h"
#include "cli/output.h"
#include "config/forms.h"
#include "json/jtree.h"
#include "setup/bridge-files.h"
#include "setup/networks.h"
#include "setup/unitset-print.h"
#include "util/parse.h"

#define NETWORKD_DIR "/etc/systemd/network"
#define STATUS_DIFFERENT 1
#define STATUS_TROUBLE 2

struct network_generate_options {
	bool networkd;
	bool preview;
	bool check;
	bool dry_run;
	bool json;
	const char *uplink;
	const char *mac;
	struct strv addresses;
	struct strv gateways;
	struct strv dns;
};

struct run {
	const struct call *call;
	const struct network_generate_options *options;
	struct config config;
	struct config_paths paths; /* of the files, which are borrowed but for one */
	struct bridge_request request;
	struct unitset set;
	struct bridge_files files;
	struct unit_preview preview;
};

static void run_done(struct run *run)
{
	bridge_files_done(&run->files);
	unitset_done(&run->set);
	unit_preview_done(&run->preview);
	config_done(&run->config);
	free(run->paths.unit_dir);
}

static bool is_dry(const struct network_generate_options *options)
{
	return options->check || options->dry_run || options->preview;
}

/* ---- the command line ---- */

static bool is_address(const char *text)
{
	const char *expected;
	return !strcmp(text, "dhcp") || !strcmp(text, "none") ||
	       form_interface_address(text, &expected);
}

static bool is_ip(const char *text)
{
	const char *expected;
	return !strcmp(text, "none") || (text[0] && form_ip(text, &expected));
}

static bool is_mac(const char *text)
{
	uint8_t mac[6];
	/* The lowest bit of the first byte marks groups of interfaces. */
	return parse_mac(text, mac) == 0 && !(mac[0] & 1);
}

/* Returns 0 or STATUS_USAGE. */
static int check_list(const struct command *command, const char *option, const struct strv *values,
		bool (*is_one)(const char *text), const char *expected)
{
	for (size_t i = 0; i < values->n; i++) {
		if (!is_one(values->items[i]))
			return misuse(command, "%s: '%s' is not %s", option, values->items[i],
					expected);
		if (!strcmp(values->items[i], "none") && values->n > 1)
			return misuse(command, "%s: 'none' and others", option);
	}
	return 0;
}

static int check_options(const struct call *call)
{
	const struct network_generate_options *o = call->options;
	const struct command *c = call->command;
	if (!o->networkd)
		return misuse(c, "it has to be said for what: --networkd");
	if (o->mac && !is_mac(o->mac))
		return misuse(c, "--mac: '%s' is no MAC address of an interface", o->mac);
	int r = check_list(c, "--address", &o->addresses, is_address,
			"an address such as '192.0.2.5/24', 'dhcp' or 'none'");
	if (r == 0)
		r = check_list(c, "--gateway", &o->gateways, is_ip, "an IP address");
	return r == 0 ? check_list(c, "--dns", &o->dns, is_ip, "an IP address") : r;
}

static bool says_anything(const struct network_generate_options *o)
{
	return o->uplink || o->mac || o->addresses.n || o->gateways.n || o->dns.n;
}

/* What is said of a bridge is said of one. That nothing is to be an uplink needs none. */
static int check_number(const struct run *run)
{
	const struct network_generate_options *o = run->options;
	size_t n = 0;
	for (size_t i = 0; i < run->files.n; i++)
		n += run->files.items[i].is_asked;
	bool only_none = o->uplink && !strcmp(o->uplink, "none") && !o->mac && !o->addresses.n &&
			 !o->gateways.n && !o->dns.n;
	if (!says_anything(o) || n == 1 || (n == 0 && only_none))
		return 0;
	return misuse(run->call->command, "these options are for one bridge, and here are %zu", n);
}

/* ---- the run ---- */

static int add_files(void *data, struct units *units, struct error *err)
{
	struct run *run = data;
	if (run->options->preview) {
		unit_preview_add(&run->preview, units);
		return 0;
	}
	return unitset_add_others(&run->set, units, &run->config.report, err);
}

/* Returns 0; a positive exit status for wrong usage; or a negative errno. */
static int generate(struct run *run, struct error *err)
{
	const struct call *call = run->call;
	int r = config_load(&run->config, &call->paths, err);
	if (r != 0)
		return r < 0 ? r : 0;
	CLEANUP(freep) char *dir = path_join(call->paths.root, NETWORKD_DIR);
	r = config_follow(&call->paths, dir, &run->paths.unit_dir, err);
	if (r < 0)
		return r;
	r = unitset_init(&run->set, &run->paths,
			UNITSET_NO_FORCE | (is_dry(run->options) ? UNITSET_DRY : 0), err);
	if (r == 0 && !run->set.exists && !run->options->preview)
		return error_set(err, ENOENT, "there is no directory '%s' to write files to",
				run->paths.unit_dir);
	if (r == 0)
		r = bridge_files_select(&run->files, &call->words, err);
	if (r == 0)
		r = check_number(run);
	if (r == 0)
		r = bridge_files_decide(&run->files, call->paths.offline ? NULL : "/sys", err);
	if (r == 0)
		r = bridge_files_make(&run->files, add_files, run, err);
	return r;
}

/* Not done by this program: the way of whoever types this may lead through the uplink. */
static void advise(const struct run *run)
{
	if (run->call->paths.offline)
		return;
	fputs("\nRun 'networkctl reload' for systemd-networkd to take them over. Where an uplink "
	      "is new,\nits connections may break for a moment.\n",
			stdout);
}

static int finish(struct run *run, struct error *err)
{
	const struct network_generate_options *options = run->options;
	bool changes = unitset_changes(&run->set), dry = is_dry(options);
	if (changes && !dry) {
		int r = unitset_commit(&run->set, err);
		if (r < 0)
			return r;
	}
	if (options->json)
		unitset_print_json(&run->set);
	else
		unitset_print(&run->set, dry);
	if (changes && !dry && !options->json)
		advise(run);
	return options->check && changes ? STATUS_DIFFERENT : STATUS_DONE;
}

static void run_begin(struct run *run, const struct call *call)
{
	const struct network_generate_options *o = call->options;
	*run = (struct run){ .call = call, .options = o, .paths = call->paths };
	run->paths.unit_dir = NULL;
	run->request = (struct bridge_request){ o->uplink, o->mac, o->addresses, o->gateways,
		o->dns };
	run->files = (struct bridge_files){
		.config = &run->config, .request = &run->request, .set = &run->set
	};
	if (o->preview && o->json)
		run->preview.json = jtree_object();
}

static int network_generate_run(const struct call *call, struct error *err)
{
	CLEANUP(run_done) struct run run = {};
	int r = check_options(call);
	if (r != 0)
		return r;
	run_begin(&run, call);
	r = generate(&run, err);
	print_report(stderr, &run.config.report);
	if (r == 0 && run.config.report.n_errors)
		r = STATUS_FAILURE;
	if (r == 0 && run.preview.json)
		print_json(run.preview.json);
	if (r == 0)
		return run.options->preview ? STATUS_DONE : finish(&run, err);
	if (r < 0 && run.options->check)
		print_error(err);
	return run.options->check ? STATUS_TROUBLE : r;
}

static const struct option_spec options[] = {
	{ 0, "networkd", NULL, OPT_FLAG(struct network_generate_options, networkd),
			"For systemd-networkd" },
	{ 0, "uplink", "INTERFACE", OPT_TEXT(struct network_generate_options, uplink),
			"The interface that leads to the world becomes a port; \"none\" for none" },
	{ 0, "address", "ADDRESS", OPT_LIST(struct network_generate_options, addresses),
			"The host's address there, \"dhcp\" or \"none\"; may be repeated" },
	{ 0, "gateway", "IP", OPT_LIST(struct network_generate_options, gateways),
			"The router of the host's default route; may be repeated" },
	{ 0, "dns", "IP", OPT_LIST(struct network_generate_options, dns),
			"A name server of the host; may be repeated" },
	{ 0, "mac", "MAC", OPT_TEXT(struct network_generate_options, mac),
			"The bridge's MAC address" },
	{ 'p', "preview", NULL, OPT_FLAG(struct network_generate_options, preview),
			"Show the files instead of writing them" },
	{ 'c', "check", NULL, OPT_FLAG(struct network_generate_options, check),
			"Write nothing; the exit status says whether anything would change" },
	OPTION_DRY_RUN(struct network_generate_options, dry_run),
	OPTION_JSON(struct network_generate_options, json),
	{},
};

static const struct argument networks[] = {
	{ "NETWORK", ARGUMENT_OPTIONAL | ARGUMENT_MANY, complete_networks },
	{},
};

static const struct example examples[] = {
	{ "machina network generate --networkd lan --uplink eth0",
			"Have systemd-networkd make the bridge of lan, with eth0 as a port and the "
			"host's addresses moved there." },
	{ "machina network generate --networkd",
			"Bring the files that are there up to date with the config." },
	{},
};

const struct command cmd_network_generate = {
	.name = "network generate",
	.group = GROUP_CONFIGURE,
	.flags = COMMAND_FILES,
	.arguments = networks,
	.summary = "Write files with which systemd-networkd makes a bridge",
	.description = "For networks of \"mode\": \"bridge\", whose bridge the host has to have: a "
		       ".netdev file and .network files in /etc/systemd/network. The bridge tells "
		       "VLANs apart if a network or a machine has VLANs; its uplink then has these "
		       "with their tags. Without NETWORK, the files that are there are brought up "
		       "to date, and those of bridges of no network are removed.\n\n"
		       "What is not said of the bridge is as it is: it takes over the MAC address "
		       "of the uplink, and its addresses and gateways, or asks DHCP and routers if "
		       "these have lent them. The files carry what was said and seen: it need be "
		       "said once.\n\n"
		       "Files that this program has not made are left alone. systemd-networkd is "
		       "not told: 'networkctl reload' does that.\n\n"
		       "The exit status of --check is 0 when nothing would change, 1 when "
		       "something would, 2 when that can't be told.",
	.options = options,
	.options_size = sizeof(struct network_generate_options),
	.examples = examples,
	.run = network_generate_run,
};
