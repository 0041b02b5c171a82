/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina metrics: numbers of machines for a monitoring system. */
#include <stdio.h>
#include <string.h>

#include "cli/complete.h"
#include "cli/output.h"
#include "host/os/clock.h"
#include "observe/metrics.h"
#include "setup/machines.h"
#include "util/file.h"
#include "util/mem.h"

struct metrics_options {
	int format;
	const char *output;
};

static const char *const formats_of_text[] = {
	[METRICS_OPEN] = "openmetrics", [METRICS_PROMETHEUS] = "prometheus", NULL
};

static int metrics_run(const struct call *call, struct error *err)
{
	const struct metrics_options *options = call->options;
	const uint64_t begin = clock_now_usec();
	CLEANUP(strv_done) struct strv names = {}, lost = {};
	CLEANUP(bus_freep) struct bus *bus = NULL;
	CLEANUP(census_done) struct census census = {};
	CLEANUP(buf_done) struct buf text = {};
	int r = machines_select_seen(call, &names, &lost, err);
	if (r == 0)
		r = bus_open(&bus, err);
	if (r == 0)
		r = census_take(&call->paths, bus, &names,
				UNIT_MAIN_PID | UNIT_SINCE | UNIT_USAGE | UNIT_RESTARTS, &census,
				err);
	if (r != 0)
		return r < 0 ? r : STATUS_FAILURE;
	census_find_enabled(&call->paths, &census);
	metrics_write(&census, (enum metrics_format)options->format, clock_now_usec() - begin,
			&text);
	if (options->output) {
		/* Of a run that was killed: nobody else would, and there is one each minute. */
		file_remove_stale_of(options->output);
		return file_replace(options->output, buf_text(&text), text.len, 0644, err);
	}
	fputs(buf_text(&text), stdout);
	return STATUS_DONE;
}

static const struct option_spec options[] = {
	{ 'o', "output", "FILE", OPT_TEXT(struct metrics_options, output),
			"Replace FILE as a whole instead of writing to standard output",
			complete_files },
	{ 'f', "format", "FORMAT", OPT_CHOICE(struct metrics_options, format, formats_of_text),
			"Format of the text" },
	{},
};

static const struct example examples[] = {
	{ "machina metrics", "Numbers of all machines, as OpenMetrics." },
	{ "machina metrics -f prometheus -o /run/machina.prom",
			"A file for node_exporter, as machina-metrics.service writes it." },
	{ "systemctl enable --now machina-metrics.timer", "Have that done every 15 seconds." },
	{},
};

const struct command cmd_metrics = {
	.name = "metrics",
	.group = GROUP_LOOK,
	.flags = COMMAND_FILES | COMMAND_SELECTS | COMMAND_LIVE,
	.arguments = arguments_machines_optional,
	.summary = "Write numbers of machines for a monitoring system",
	.description = "Without MACHINE all that are configured, and those that run and are not "
		       "configured any more: state, processor time, memory, bytes and requests of "
		       "disks, bytes and packets of connections as the guest sees them, restarts, "
		       "QEMU's version; a line \"# HELP\" says what each number is. States are "
		       "those of machina-life-cycle(7); \"busy\" is a guest on its way into a "
		       "file or to another host. The numbers are from systemd, which counts what "
		       "units use, from QEMU and from the interfaces. All QEMUs are asked side by "
		       "side and each has two seconds to answer; where one does not, "
		       "machina_machine_scrape_error is 1, and what it would have told is "
		       "missing.\n\n"
		       "The format openmetrics is that of OpenMetrics 1.0; prometheus is the older "
		       "one that node_exporter reads from its textfile directory. The timer "
		       "machina-metrics.timer, which is installed but not enabled, writes such a "
		       "file where that directory is Debian's.",
	.options = options,
	.options_size = sizeof(struct metrics_options),
	.examples = examples,
	.run = metrics_run,
};
