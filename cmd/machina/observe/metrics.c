/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers of machines for a monitoring system, as text. */
#include "observe/metrics.h"

#include <inttypes.h>
#include <string.h>

#include "host/os/clock.h"
#include "util/mem.h"

enum type { TYPE_GAUGE, TYPE_COUNTER, TYPE_INFO, TYPE_STATESET };

struct family;

/* Add the samples of a machine. */
typedef void add_fn(struct buf *text, const struct family *family, const struct census_row *row);

struct family {
	const char *name; /* without "_total" and "_info" */
	enum type type;
	const char *unit; /* that the name ends in; NULL: none */
	const char *help;
	add_fn *add;
	size_t offset; /* of a number in struct sample_flow, for devices */
};

/* ---- the text ---- */

/* Within quotation marks. */
static void add_label_value(struct buf *text, const char *value)
{
	for (; *value; value++) {
		if (*value == '\n')
			buf_puts(text, "\\n");
		else if (*value == '"' || *value == '\\')
			buf_printf(text, "\\%c", *value);
		else
			buf_putc(text, *value);
	}
}

static void begin_sample(struct buf *text, const struct family *family, const char *machine)
{
	static const char *const endings[] = {
		[TYPE_GAUGE] = "",
		[TYPE_COUNTER] = "_total",
		[TYPE_INFO] = "_info",
		[TYPE_STATESET] = "",
	};
	buf_printf(text, "%s%s{machine=\"", family->name, endings[family->type]);
	add_label_value(text, machine);
	buf_putc(text, '"');
}

static void add_label(struct buf *text, const char *name, const char *value)
{
	buf_printf(text, ",%s=\"", name);
	add_label_value(text, value);
	buf_putc(text, '"');
}

static void end_sample(struct buf *text, uint64_t value)
{
	buf_printf(text, "} %" PRIu64 "\n", value);
}

static void end_seconds(struct buf *text, uint64_t usec)
{
	buf_printf(text, "} %" PRIu64 ".%06" PRIu64 "\n", usec / USEC_PER_SEC, usec % USEC_PER_SEC);
}

/* ---- the samples ---- */

static void add_info(struct buf *text, const struct family *family, const struct census_row *row)
{
	begin_sample(text, family, row->machine);
	add_label(text, "unit_file_state", row->info.unit_file_state);
	add_label(text, "qemu", row->version ? row->version : "");
	end_sample(text, 1);
}

static void add_up(struct buf *text, const struct family *family, const struct census_row *row)
{
	begin_sample(text, family, row->machine);
	end_sample(text, row->is_up);
}

static void add_state(struct buf *text, const struct family *family, const struct census_row *row)
{
	enum census_state state = census_state(row);
	for (size_t i = 0; i < CENSUS_STATE_N; i++) {
		begin_sample(text, family, row->machine);
		add_label(text, family->name, census_states[i]);
		end_sample(text, i == state);
	}
}

static void add_restarts(
		struct buf *text, const struct family *family, const struct census_row *row)
{
	begin_sample(text, family, row->machine);
	end_sample(text, row->info.n_restarts);
}

static void add_start_time(
		struct buf *text, const struct family *family, const struct census_row *row)
{
	if (!row->is_up || !row->info.active_enter_usec)
		return;
	begin_sample(text, family, row->machine);
	end_seconds(text, row->info.active_enter_usec);
}

static void add_cpu(struct buf *text, const struct family *family, const struct census_row *row)
{
	if (!row->sample.has_cpu)
		return;
	begin_sample(text, family, row->machine);
	end_seconds(text, row->sample.cpu_usec);
}

static void add_memory(struct buf *text, const struct family *family, const struct census_row *row)
{
	if (!row->sample.has_memory)
		return;
	begin_sample(text, family, row->machine);
	end_sample(text, row->sample.memory_bytes);
}

static void add_error(struct buf *text, const struct family *family, const struct census_row *row)
{
	begin_sample(text, family, row->machine);
	end_sample(text, row->error != NULL);
}

static void add_devices(struct buf *text, const struct family *family, const struct census_row *row,
		const char *label, const struct sample_device *devices, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const void *flow = &devices[i].flow;
		begin_sample(text, family, row->machine);
		add_label(text, label, devices[i].name);
		end_sample(text, *(const uint64_t *)((const char *)flow + family->offset));
	}
}

static void add_disks(struct buf *text, const struct family *family, const struct census_row *row)
{
	add_devices(text, family, row, "disk", row->sample.disks, row->sample.n_disks);
}

static void add_nets(struct buf *text, const struct family *family, const struct census_row *row)
{
	add_devices(text, family, row, "connection", row->sample.nets, row->sample.n_nets);
}

#define FLOW(member) offsetof(struct sample_flow, member)

static const struct family families[] = {
	{ "machina_machine", TYPE_INFO, NULL, "A machine, and the QEMU that runs it.", add_info },
	{ "machina_machine_up", TYPE_GAUGE, NULL, "Whether the machine's unit is up.", add_up },
	{ "machina_machine_state", TYPE_STATESET, NULL, "What the machine is doing.", add_state },
	{ "machina_machine_restarts", TYPE_COUNTER, NULL,
			"How often systemd has started it again after a failure.", add_restarts },
	{ "machina_machine_start_time_seconds", TYPE_GAUGE, "seconds",
			"When it was started, since 1970.", add_start_time },
	{ "machina_machine_cpu_seconds", TYPE_COUNTER, "seconds",
			"Processor time used since the start.", add_cpu },
	{ "machina_machine_memory_bytes", TYPE_GAUGE, "bytes",
			"Memory in use on the host, the guest's and QEMU's own.", add_memory },
	{ "machina_machine_disk_read_bytes", TYPE_COUNTER, "bytes",
			"What the guest has read from a disk.", add_disks, FLOW(in_bytes) },
	{ "machina_machine_disk_written_bytes", TYPE_COUNTER, "bytes",
			"What the guest has written to a disk.", add_disks, FLOW(out_bytes) },
	{ "machina_machine_disk_reads", TYPE_COUNTER, NULL,
			"Requests of the guest to read from a disk.", add_disks, FLOW(in_ops) },
	{ "machina_machine_disk_writes", TYPE_COUNTER, NULL,
			"Requests of the guest to write to a disk.", add_disks, FLOW(out_ops) },
	{ "machina_machine_network_receive_bytes", TYPE_COUNTER, "bytes",
			"What the guest has received over a connection.", add_nets,
			FLOW(in_bytes) },
	{ "machina_machine_network_transmit_bytes", TYPE_COUNTER, "bytes",
			"What the guest has sent over a connection.", add_nets, FLOW(out_bytes) },
	{ "machina_machine_network_receive_packets", TYPE_COUNTER, NULL,
			"Packets that the guest has received over a connection.", add_nets,
			FLOW(in_ops) },
	{ "machina_machine_network_transmit_packets", TYPE_COUNTER, NULL,
			"Packets that the guest has sent over a connection.", add_nets,
			FLOW(out_ops) },
	{ "machina_machine_scrape_error", TYPE_GAUGE, NULL,
			"Whether QEMU could not be asked: its disks and state are missing then.",
			add_error },
};

/* ---- together ---- */

static void begin_family(struct buf *text, const struct family *family, enum metrics_format format)
{
	static const char *const open[] = {
		[TYPE_GAUGE] = "gauge",
		[TYPE_COUNTER] = "counter",
		[TYPE_INFO] = "info",
		[TYPE_STATESET] = "stateset",
	};
	/* The older format knows the names of samples only. */
	const char *ending = format == METRICS_OPEN	    ? ""
			     : family->type == TYPE_COUNTER ? "_total"
			     : family->type == TYPE_INFO    ? "_info"
							    : "";
	const char *type = format == METRICS_OPEN || family->type == TYPE_COUNTER
					   ? open[family->type]
					   : "gauge";
	buf_printf(text, "# TYPE %s%s %s\n", family->name, ending, type);
	if (format == METRICS_OPEN && family->unit)
		buf_printf(text, "# UNIT %s %s\n", family->name, family->unit);
	buf_printf(text, "# HELP %s%s %s\n", family->name, ending, family->help);
}

void metrics_write(const struct census *census, enum metrics_format format, uint64_t took_usec,
		struct buf *text)
{
	static const struct family duration = { "machina_scrape_duration_seconds", TYPE_GAUGE,
		"seconds", "How long it took to collect these numbers.", NULL };
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		begin_family(text, &families[i], format);
		for (size_t k = 0; k < census->n; k++)
			families[i].add(text, &families[i], &census->rows[k]);
	}
	begin_family(text, &duration, format);
	buf_printf(text, "%s %" PRIu64 ".%06" PRIu64 "\n", duration.name, took_usec / USEC_PER_SEC,
			took_usec % USEC_PER_SEC);
	if (format == METRICS_OPEN)
		buf_puts(text, "# EOF\n");
}
