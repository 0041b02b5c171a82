/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina generate: write systemd units. */
#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/output.h"
#include "host/os/clock.h"
#include "host/systemd/bus-file.h"
#include "host/systemd/bus-job.h"
#include "host/systemd/bus-unit.h"
#include "json/jtree.h"
#include "lifecycle/drain.h"
#include "model/claims.h"
#include "model/order.h"
#include "setup/built.h"
#include "setup/machines.h"
#include "setup/networks.h"
#include "setup/unitset-print.h"
#include "util/worker.h"

struct generate_options {
	bool preview;
	bool check;
	bool dry_run;
	bool force;
	bool json;
};

/* Is nothing to be written? */
static bool is_dry(const struct generate_options *options)
{
	return options->check || options->dry_run || options->preview;
}

/* For networks to take over changes. */
#define RELOAD_USEC (60 * USEC_PER_SEC)

/* A comparison has a status of its own for trouble. */
#define STATUS_DIFFERENT 1
#define STATUS_TROUBLE 2

struct run {
	const struct call *call;
	const struct generate_options *options;
	struct config config;
	struct strv all; /* every configured machine, sorted */
	struct strv selected;
	struct claims claims;
	struct order order;
	struct leases leases; /* of all machines, for the networks' units */
	struct unitset units;
	size_t n_made;
	struct unit_preview preview;
};

static void run_done(struct run *run)
{
	config_done(&run->config);
	strv_done(&run->all);
	strv_done(&run->selected);
	claims_done(&run->claims);
	order_done(&run->order);
	leases_done(&run->leases);
	unitset_done(&run->units);
	unit_preview_done(&run->preview);
}

/* One machine that was asked for: all the way to its units. */
static int make_units(struct run *run, const char *name, struct error *err)
{
	CLEANUP(built_done) struct built built = {};
	int r = built_units(&built, &run->config, name, err);
	if (r < 0)
		report_error(&run->config.report, err);
	if (built.machine.merged) {
		claims_add(&run->claims, &built.vm, true);
		order_add(&run->order, &built.vm, true);
	}
	/* What the host's config says may be other than what is known of it. */
	if (r != 0 || run->config.host.has_flaws)
		return 0;
	leases_add(&run->leases, &built.vm);
	if (run->options->preview) {
		unit_preview_add(&run->preview, &built.units);
		return 0;
	}
	return unitset_add(&run->units, name, &built.units, &run->config.report, err);
}

/* One that was not asked for: only what it claims. */
static void claim_only(struct run *run, const char *name)
{
	CLEANUP(built_done) struct built built;
	if (!built_glance(&built, &run->config, name))
		return;
	claims_add(&run->claims, &built.vm, false);
	order_add(&run->order, &built.vm, false);
	leases_add(&run->leases, &built.vm);
}

/* Machines of a run that follow each other, made by one process. */
struct slice {
	struct run *run;
	size_t first, end; /* in run->all */
	struct worker worker;
};

static int make_slice(const struct slice *slice, bool in_worker, struct error *err)
{
	struct run *run = slice->run;
	for (size_t i = slice->first; i < slice->end; i++) {
		const char *name = run->all.items[i];
		if (!strv_contains_sorted(&run->selected, name)) {
			claim_only(run, name);
			continue;
		}
		int r = make_units(run, name, err);
		if (r < 0)
			return r;
		run->n_made++;
		if (!in_worker)
			progress_show("%zu of %zu machines", run->n_made, run->selected.n);
	}
	return 0;
}

/* Whatever there is to say, it is the other process that says it: it makes the slice again then. */
static bool work(void *context, struct buf *result)
{
	const struct slice *slice = context;
	struct run *run = slice->run;
	struct error err = {};
	size_t n_before = run->config.report.n;
	if (make_slice(slice, true, &err) < 0 || run->config.report.n > n_before) {
		unitset_done(&run->units);
		return false;
	}
	claims_pack(&run->claims, result);
	order_pack(&run->order, result);
	leases_pack(&run->leases, result);
	unitset_pack(&run->units, result);
	buf_add(result, &run->n_made, sizeof(run->n_made));
	return true;
}

/* Add what another process has made. Returns 1, or 0 if it has not. */
static int take_slice(struct slice *slice)
{
	struct run *run = slice->run;
	CLEANUP(buf_done) struct buf result = {};
	if (worker_finish(&slice->worker, &result) == 0)
		return 0;
	const char *at = claims_unpack(&run->claims, buf_text(&result));
	at = order_unpack(&run->order, at);
	at = leases_unpack(&run->leases, at);
	at = unitset_unpack(&run->units, at);
	size_t n_made;
	memcpy(&n_made, at, sizeof(n_made));
	run->n_made += n_made;
	return 1;
}

/* From these many machines on it is worth it to share the work; and texts don't wait in memory. */
#define MANY 128
#define SLICES_MAX 4

static unsigned unitset_flags(const struct run *run)
{
	return (run->options->force ? UNITSET_FORCE : 0) |
	       (is_dry(run->options) ? UNITSET_DRY : 0) | (run->all.n >= MANY ? UNITSET_EAGER : 0);
}

static size_t count_slices(const struct run *run)
{
	size_t n = run->all.n / (MANY / 2), n_cpus = worker_cpus();
	/* What is printed on the way can only come from one. */
	if (run->all.n < MANY || run->options->preview)
		return 1;
	if (n > n_cpus)
		n = n_cpus;
	return n > SLICES_MAX ? SLICES_MAX : n;
}

static int make_all(struct run *run, struct error *err)
{
	struct slice slices[SLICES_MAX] = {};
	size_t n = count_slices(run);
	for (size_t i = 0; i < n; i++)
		slices[i] = (struct slice){
			.run = run,
			.first = run->all.n * i / n,
			.end = run->all.n * (i + 1) / n,
		};
	for (size_t i = 1; i < n; i++)
		worker_start(&slices[i].worker, work, &slices[i]);
	int r = make_slice(&slices[0], false, err);
	/* Their temporary files have to be known even if they are not wanted any more. */
	for (size_t i = 1; i < n; i++)
		if (!take_slice(&slices[i]) && r == 0)
			r = make_slice(&slices[i], false, err);
	if (r < 0)
		return r;
	claims_check(&run->claims, run->config.paths, &run->config.host, &run->config.report);
	order_check(&run->order, &run->all, run->config.paths, &run->config.host,
			&run->config.report);
	/* What starts with a host that is drained is for undrain to restore. */
	struct error drained = {};
	if (drain_refuse(run->config.paths, "enable", &drained) < 0)
		return 0;
	for (size_t i = 0; !run->options->preview && !run->config.report.n_errors &&
			   i < run->selected.n;
			i++)
		unitset_want(&run->units, run->selected.items[i],
				order_autostart(&run->order, run->selected.items[i]));
	return 0;
}

static int add_network_unit(void *data, struct units *units, struct error *err)
{
	struct run *run = data;
	if (run->options->preview) {
		unit_preview_add(&run->preview, units);
		return 0;
	}
	return unitset_add_others(&run->units, units, &run->config.report, err);
}

/* Whichever machines were asked for: any of them may have another address now. */
static int make_networks(struct run *run, struct error *err)
{
	leases_sort(&run->leases);
	return networks_make(&run->config, &run->leases, add_network_unit, run, err);
}

/*
 * A connection to systemd, if there is one to talk to: units may also be written where it does not
 * run, in an image that is being built.
 *
 * Returns 1 with *ret, 0 without, or a negative errno.
 */
static int open_bus(const struct run *run, struct bus **ret, struct error *err)
{
	struct error local = {};
	if (run->config.paths->offline)
		return 0;
	int r = bus_open(ret, &local);
	if (r == 0)
		return 1;
	if (local.code == EHOSTDOWN)
		return 0;
	*err = local;
	return r;
}

/* Of units, those that are not at rest. */
static int list_running(const struct run *run, const struct strv *names, struct strv *running,
		struct error *err)
{
	CLEANUP(bus_freep) struct bus *bus = NULL;
	CLEANUP(unit_list_done) struct unit_list list = {};
	int r = open_bus(run, &bus, err);
	if (r <= 0)
		return r;
	r = bus_list_units(bus, names, &list, err);
	for (size_t i = 0; r >= 0 && i < list.n; i++)
		if (!unit_is_down(list.rows[i].active_state))
			strv_push(running, list.rows[i].name);
	return r;
}

static int reload(const struct run *run, struct error *err)
{
	CLEANUP(bus_freep) struct bus *bus = NULL;
	CLEANUP(strv_done) struct strv removed = {};
	int r = open_bus(run, &bus, err);
	/* What has failed stays in systemd's lists without its file, for nobody to look after. */
	unitset_list_removed(&run->units, &removed);
	if (r > 0)
		r = bus_reset_failed(bus, &removed, err);
	return r < 0 || !bus ? r : bus_reload(bus, err);
}

/*
 * Has the directory been changed since systemd has read it, as by a run that was killed before it
 * could tell? Nothing else would have what it has written be used.
 */
static int reload_if_unread(const struct run *run, struct error *err)
{
	CLEANUP(bus_freep) struct bus *bus = NULL;
	struct stat st;
	uint64_t load_usec;
	int r = open_bus(run, &bus, err);
	if (r <= 0 || stat(run->units.dir, &st) < 0)
		return r < 0 ? r : 0;
	r = bus_get_load_usec(bus, &load_usec, err);
	return r < 0 || clock_timespec_usec(&st.st_mtim) <= load_usec ? r : bus_reload(bus, err);
}

/* What runs keeps its units until it has stopped. */
static int keep_running(struct run *run, struct error *err)
{
	CLEANUP(strv_done) struct strv removed = {}, running = {}, qemu = {}, up = {};
	unitset_list_removed(&run->units, &removed);
	int r = removed.n ? list_running(run, &removed, &running, err) : 0;
	unitset_list_qemu(&running, &qemu);
	if (r >= 0 && qemu.n)
		r = list_running(run, &qemu, &up, err);
	if (r >= 0 && running.n)
		unitset_keep(&run->units, &running, &up, &run->config.report);
	return r < 0 ? r : 0;
}

/* Networks that are up take over what has changed of their guests. */
static int reload_networks(const struct run *run, struct error *err)
{
	CLEANUP(strv_done) struct strv changed = {}, running = {};
	CLEANUP(bus_freep) struct bus *bus = NULL;
	for (size_t i = 0; i < run->units.n; i++)
		if (run->units.rows[i].fate == UNIT_WRITTEN &&
				unitset_is_network(run->units.rows[i].name))
			strv_push(&changed, run->units.rows[i].name);
	if (!changed.n)
		return 0;
	int r = list_running(run, &changed, &running, err);
	if (r < 0 || !running.n)
		return r;
	r = open_bus(run, &bus, err);
	if (r > 0)
		r = bus_run_jobs(bus, BUS_RELOAD, &running, NULL, NULL,
				clock_deadline_usec(RELOAD_USEC), err);
	if (r > 0)
		return error_set(err, EIO,
				"the units are written, but a network that is up did not take over "
				"what has changed (see 'journalctl -u %s')",
				running.items[0]);
	return r;
}

static int remove_others(struct run *run, struct error *err)
{
	CLEANUP(strv_done) struct strv networks = {};
	const struct unitset_known known = { .machines = &run->all, .networks = &networks };
	networks_list(&run->config.host, &networks);
	return unitset_remove_others(&run->units, &known, err);
}

/* Nothing is printed that is not so: a run that fails says why and lists nothing. */
static int finish(struct run *run, struct error *err)
{
	const struct generate_options *options = run->options;
	bool dry = is_dry(options);
	bool changes = unitset_changes(&run->units);
	int r = 0;
	if (!dry && changes) {
		r = unitset_commit(&run->units, err);
		if (r == 0)
			r = reload(run, err);
		if (r == 0)
			r = reload_networks(run, err);
	} else if (!dry) {
		r = reload_if_unread(run, err);
	}
	if (r < 0)
		return r;
	if (options->json)
		unitset_print_json(&run->units);
	else
		unitset_print(&run->units, dry);
	return options->check && changes ? STATUS_DIFFERENT : STATUS_DONE;
}

static int generate(struct run *run, struct error *err)
{
	if (config_load(&run->config, &run->call->paths, err) < 0)
		report_error(&run->config.report, err);
	int r = machine_list(&run->call->paths, &run->all, &run->config.report, err);
	if (r == 0)
		r = machines_select_of(
				run->call, &run->all, &run->config.report, &run->selected, err);
	if (r == 0 && !run->config.is_whole) {
		config_check_machines(&run->config, &run->selected);
		return 1;
	}
	if (r == 0)
		r = unitset_init(&run->units, &run->call->paths, unitset_flags(run), err);
	if (r == 0 && !run->units.exists && !run->options->preview)
		return error_set(err, ENOENT, "there is no directory '%s' to write units to",
				run->call->paths.unit_dir);
	if (r == 0)
		r = make_all(run, err);
	if (r == 0)
		r = make_networks(run, err);
	if (r == 0 && run->config.host.has_flaws)
		return 1;
	if (r == 0 && run->call->machines.all && !run->options->preview)
		r = remove_others(run, err);
	if (r == 0 && !run->options->preview)
		r = keep_running(run, err);
	return r;
}

static int generate_run(const struct call *call, struct error *err)
{
	const struct generate_options *options = call->options;
	CLEANUP(run_done)
	struct run run = { .call = call, .options = options, .units = {} };
	if (options->preview && options->json)
		run.preview.json = jtree_object();
	int r = generate(&run, err);
	progress_clear();
	print_report(stderr, &run.config.report);
	if (r == 0 && run.config.report.n_errors_told)
		r = 1;
	if (r == 0 && run.preview.json)
		print_json(run.preview.json);
	if (r == 0)
		r = options->preview ? STATUS_DONE : finish(&run, err);
	else if (options->check) {
		if (r < 0)
			print_error(err);
		return STATUS_TROUBLE;
	}
	return r;
}

static const struct option_spec options[] = {
	{ 'p', "preview", NULL, OPT_FLAG(struct generate_options, preview),
			"Show the units instead of writing them" },
	{ 'c', "check", NULL, OPT_FLAG(struct generate_options, check),
			"Write nothing; the exit status says whether anything would change" },
	OPTION_DRY_RUN(struct generate_options, dry_run),
	{ 'f', "force", NULL, OPT_FLAG(struct generate_options, force),
			"Replace units of these names that something else has made" },
	OPTION_JSON(struct generate_options, json),
	{},
};

static const struct example examples[] = {
	{ "machina generate web", "Write web's units." },
	{ "machina generate --all", "Write those of all machines, and remove those of machines "
				    "that are not configured any more." },
	{ "machina generate --preview web", "Show them." },
	{},
};

const struct command cmd_generate = {
	.name = "generate",
	.group = GROUP_CONFIGURE,
	.flags = COMMAND_FILES | COMMAND_SELECTS,
	.arguments = arguments_machines,
	.summary = "Write systemd units for machines",
	.description = "All machines are built, and compared with each other, before the first "
		       "file is written; files are replaced as a whole and only if they change, "
		       "and systemd reads them again, as it does where the directory was changed "
		       "since it did so the last time. A machine that runs goes on as it was until "
		       "it is restarted.\n\n"
		       "Units that a machine had and has no more (those of a TPM that went) are "
		       "removed. While one is in use by a machine that runs, all units of this "
		       "machine stay as they are: systemd would end what no unit asks for. Stop "
		       "it, run generate again, and start it. A unit that was not made by this "
		       "program is left alone and makes the run fail, unless --force is given.\n\n"
		       "The exit status of --check is 0 when nothing would change, 1 when "
		       "something would, 2 when that can't be told.",
	.options = options,
	.options_size = sizeof(struct generate_options),
	.examples = examples,
	.run = generate_run,
};
