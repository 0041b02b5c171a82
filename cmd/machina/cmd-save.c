/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina save: a machine's memory to a file, then off. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/output.h"
#include "host/machine/saved.h"
#include "host/os/clock.h"
#include "host/systemd/bus-job.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/monitor.h"
#include "lifecycle/saving.h"
#include "unit/service.h"
#include "util/mem.h"

struct save_options {
	bool dry_run;
};

/* Another command has the monitor for moments. */
#define MONITOR_USEC (5 * USEC_PER_SEC)
/* For a unit whose QEMU has quit. */
#define END_USEC (180 * USEC_PER_SEC)

static volatile sig_atomic_t called_off;

static void note_signal(int signal)
{
	(void)signal;
	called_off = 1;
}

/* Who is told to end has the guest to let run on. */
static void take_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	const struct sigaction action = { .sa_handler = note_signal, .sa_flags = SA_RESTART };
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &action, NULL);
}

static bool is_called_off(void *data)
{
	(void)data;
	return called_off;
}

static void show_progress(void *data, uint64_t done, uint64_t total)
{
	CLEANUP(freep) char *so_far = format_size(done);
	CLEANUP(freep) char *all = format_size(total);
	if (total)
		progress_show("saving %s: %s of %s", (const char *)data, so_far, all);
}

/* systemd takes the end of a machine that was not ready yet for a failure, and would try again. */
static int end_retries(struct bus *bus, const char *unit, struct error *err)
{
	CLEANUP(strv_done) struct strv units = {};
	strv_push(&units, unit);
	int r = bus_run_jobs(bus, BUS_STOP_ALONE, &units, NULL, NULL, clock_deadline_usec(END_USEC),
			err);
	return r > 0 ? error_set(err, EREMOTEIO, "unit '%s' did not stop", unit) : r;
}

static int save_one(const struct call *call, const char *machine, struct error *err)
{
	const struct save_options *options = call->options;
	CLEANUP(monitor_done) struct monitor monitor = {};
	CLEANUP(freep) char *unit = unit_name(UNIT_QEMU, machine);
	CLEANUP(freep) char *name = xstrdup(machine);
	CLEANUP(freep) char *path = saved_path(call->paths.saved_dir, machine, SAVED_WHOLE);
	CLEANUP(bus_freep) struct bus *bus = NULL;
	CLEANUP(unit_info_done) struct unit_info info = {};
	const struct migration_watch watch = { show_progress, is_called_off, name };
	int r = monitor_open(
			&call->paths, machine, clock_deadline_usec(MONITOR_USEC), &monitor, err);
	if (r < 0)
		return r;
	/* Which run of the unit it is has to be known before that ends. */
	if (!options->dry_run)
		r = bus_open(&bus, err);
	if (r == 0 && bus)
		r = bus_get_unit(bus, unit, &info, err);
	if (r < 0)
		return r;
	take_signals();
	r = saving_run(&call->paths, &monitor.plan, monitor.qmp, &watch, options->dry_run, err);
	progress_clear();
	if (r == 0 && !options->dry_run)
		r = lifecycle_wait_run(bus, unit, info.invocation_id, err);
	if (r > 0)
		r = end_retries(bus, unit, err);
	if (r < 0)
		return error_wrap(err, "machine '%s'", machine);
	if (options->dry_run)
		printf("would save %s to '%s'\n", machine, path);
	else
		printf("%s: saved\n", machine);
	return STATUS_DONE;
}

static int save_all(const struct call *call, struct error *err)
{
	CLEANUP(strv_done) struct strv names = {};
	int r = monitor_select(call, &names, err);
	if (r != 0)
		return r < 0 ? r : STATUS_FAILURE;
	return each_machine(call, &names, save_one, err);
}

static const struct option_spec options[] = { OPTION_DRY_RUN(struct save_options, dry_run), {} };

static const struct example examples[] = {
	{ "machina save web", "Put web's memory away and switch it off; 'machina start web' goes "
			      "on from there." },
	{ "machina save --all", "The same with all machines that run." },
	{},
};

const struct command cmd_save = {
	.name = "save",
	.group = GROUP_RUN,
	.flags = COMMAND_FILES | COMMAND_SELECTS | COMMAND_LIVE,
	.arguments = arguments_machines_up,
	.summary = "Save machines to disk and switch them off",
	.description = "Stops each guest, writes its memory and devices to "
		       "/var/lib/machina/saved/MACHINE, which only root can read, and ends QEMU. "
		       "The next start, also one at boot, goes on from there. If anything fails, "
		       "the guest runs on.\n\n"
		       "Memory and disks belong together: a start refuses to resume when a disk or "
		       "the machine's unit has changed since, until 'machina start "
		       "--discard-saved' throws the saved state away. Guests with PCI functions, "
		       "USB devices or shared directories of the host cannot be saved. "
		       "machina-life-cycle(7), SAVED MACHINES, has the details.",
	.options = options,
	.options_size = sizeof(struct save_options),
	.examples = examples,
	.run = save_all,
};
