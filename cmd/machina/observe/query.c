/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What QEMU knows of a machine, as tables. */
#include "observe/query.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/output.h"
#include "cli/table.h"
#include "host/machine/sample.h"
#include "json/jtree.h"
#include "setup/hookplan.h"
#include "util/mem.h"

#define WIDE 40

static void add_size(struct table *t, int64_t bytes)
{
	CLEANUP(freep) char *text = bytes < 0 ? NULL : format_size((uint64_t)bytes);
	table_add(t, STYLE_PLAIN, "%s", text ? text : "");
}

static void add_int(struct table *t, struct json_object *o, const char *key)
{
	if (jtree_get(o, key))
		table_add(t, STYLE_PLAIN, "%" PRId64, jtree_get_int(o, key, 0));
	else
		table_add(t, STYLE_PLAIN, "%s", "");
}

/* ---- pci: query-pci, PciDeviceInfo ---- */

static void add_bus(struct table *t, struct json_object *devices)
{
	for (size_t i = 0; i < jtree_length(devices); i++) {
		struct json_object *d = jtree_at(devices, i), *id = jtree_get(d, "id");
		table_add(t, STYLE_HEAD, "%02" PRIx64 ":%02" PRIx64 ".%" PRIx64,
				(uint64_t)jtree_get_int(d, "bus", 0),
				(uint64_t)jtree_get_int(d, "slot", 0),
				(uint64_t)jtree_get_int(d, "function", 0));
		table_add(t, STYLE_PLAIN, "%s", jtree_get_text(d, "qdev_id"));
		table_add(t, STYLE_PLAIN, "%04" PRIx64 ":%04" PRIx64,
				(uint64_t)jtree_get_int(id, "vendor", 0),
				(uint64_t)jtree_get_int(id, "device", 0));
		table_add(t, STYLE_PLAIN, "%s", jtree_get_text(jtree_get(d, "class_info"), "desc"));
		add_bus(t, jtree_get(jtree_get(d, "pci_bridge"), "devices"));
	}
}

static void print_pci(const struct plan *plan, struct json_object *const *replies)
{
	static const struct column columns[] = { { "ADDRESS" }, { "DEVICE" }, { "ID" },
		{ "CLASS" } };
	CLEANUP(table_done)
	struct table t = { .columns = columns, .n_columns = ARRAY_SIZE(columns) };
	(void)plan;
	for (size_t i = 0; i < jtree_length(replies[0]); i++)
		add_bus(&t, jtree_get(jtree_at(replies[0], i), "devices"));
	table_print(&t, stdout);
}

/* ---- cpu: query-cpus-fast, CpuInfoFast ---- */

static void print_cpu(const struct plan *plan, struct json_object *const *replies)
{
	static const struct column columns[] = { { "CPU", .right = true },
		{ "SOCKET", .right = true }, { "DIE", .right = true }, { "CORE", .right = true },
		{ "THREAD", .right = true }, { "HOST THREAD", .right = true } };
	CLEANUP(table_done)
	struct table t = { .columns = columns, .n_columns = ARRAY_SIZE(columns) };
	(void)plan;
	for (size_t i = 0; i < jtree_length(replies[0]); i++) {
		struct json_object *cpu = jtree_at(replies[0], i), *place = jtree_get(cpu, "props");
		add_int(&t, cpu, "cpu-index");
		add_int(&t, place, "socket-id");
		add_int(&t, place, "die-id");
		add_int(&t, place, "core-id");
		add_int(&t, place, "thread-id");
		add_int(&t, cpu, "thread-id");
	}
	table_print(&t, stdout);
}

/* ---- block: query-block, BlockInfo ---- */

static const char *state_of(struct json_object *disk, struct json_object *medium)
{
	const char *status = jtree_get_text(disk, "io-status");
	if (jtree_get_bool(disk, "tray_open"))
		return "tray open";
	if (!medium)
		return "empty";
	return !strcmp(status, "ok") ? "" : !strcmp(status, "nospace") ? "no space" : status;
}

static void add_disk(struct table *t, const struct plan *plan, struct json_object *disk)
{
	static const char prefix[] = "disk-";
	struct json_object *medium = jtree_get(disk, "inserted");
	struct json_object *image = jtree_get(medium, "image");
	const char *node = jtree_get_text(medium, "node-name");
	const char *qdev = jtree_get_text(disk, "qdev");
	if (!strncmp(node, prefix, strlen(prefix)))
		node += strlen(prefix);
	table_add(t, STYLE_HEAD, "%s",
			*node	? node
			: *qdev ? qdev
				: jtree_get_text(disk, "device"));
	table_add(t, STYLE_PLAIN, "%s", jtree_get_text(medium, "drv"));
	add_size(t, jtree_get_int(image, "virtual-size", -1));
	add_size(t, jtree_get_int(image, "actual-size", -1));
	table_add(t, STYLE_PLAIN, "%s", !medium ? "" : jtree_get_bool(medium, "ro") ? "ro" : "rw");
	const char *state = state_of(disk, medium);
	table_add(t, *state ? STYLE_WARN : STYLE_PLAIN, "%s", state);
	CLEANUP(freep) char *file = hookplan_name_files(plan, jtree_get_text(medium, "file"));
	table_add(t, STYLE_PLAIN, "%s", file);
}

static void print_disks(const struct table *t)
{
	if (t->n)
		table_print(t, stdout);
	else
		puts("no disks");
}

static void print_block(const struct plan *plan, struct json_object *const *replies)
{
	static const struct column columns[] = { { "DISK", .widest = WIDE }, { "FORMAT" },
		{ "SIZE", .right = true }, { "USED", .right = true }, { "MODE" }, { "STATE" },
		{ "FILE" } };
	CLEANUP(table_done)
	struct table t = { .columns = columns, .n_columns = ARRAY_SIZE(columns) };
	for (size_t i = 0; i < jtree_length(replies[0]); i++)
		add_disk(&t, plan, jtree_at(replies[0], i));
	print_disks(&t);
}

/* ---- memory: query-memory-size-summary, query-balloon, query-memory-devices ---- */

static void add_memory(struct table *t, const char *name, int64_t bytes)
{
	if (bytes < 0)
		return;
	table_add(t, STYLE_HEAD, "%s", name);
	add_size(t, bytes);
}

static void print_memory(const struct plan *plan, struct json_object *const *replies)
{
	static const struct column columns[] = { { "MEMORY" }, { "SIZE", .right = true } };
	CLEANUP(table_done)
	struct table t = { .columns = columns, .n_columns = ARRAY_SIZE(columns) };
	(void)plan;
	add_memory(&t, "at the start", jtree_get_int(replies[0], "base-memory", -1));
	add_memory(&t, "plugged in", jtree_get_int(replies[0], "plugged-memory", -1));
	add_memory(&t, "left by the balloon", jtree_get_int(replies[1], "actual", -1));
	for (size_t i = 0; i < jtree_length(replies[2]); i++) {
		struct json_object *device = jtree_at(replies[2], i);
		struct json_object *data = jtree_get(device, "data");
		CLEANUP(freep)
		char *name = xasprintf("%s '%s'", jtree_get_text(device, "type"),
				jtree_get_text(data, "id"));
		add_memory(&t, name, jtree_get_int(data, "size", -1));
	}
	table_print(&t, stdout);
}

/* ---- status: query-status, query-version, query-kvm ---- */

static void print_status(const struct plan *plan, struct json_object *const *replies)
{
	struct json_object *qemu = jtree_get(replies[1], "qemu");
	(void)plan;
	fputs("state: ", stdout);
	put_text(stdout, jtree_get_text(replies[0], "status"));
	printf("\nQEMU: %" PRId64 ".%" PRId64 ".%" PRId64, jtree_get_int(qemu, "major", 0),
			jtree_get_int(qemu, "minor", 0), jtree_get_int(qemu, "micro", 0));
	if (*jtree_get_text(replies[1], "package")) {
		fputs(" (", stdout);
		put_text(stdout, jtree_get_text(replies[1], "package"));
		putchar(')');
	}
	printf("\naccelerator: %s\n",
			jtree_get_bool(replies[2], "enabled") ? "kvm" : "none (no KVM)");
}

/* ---- stats: query-blockstats ---- */

static void print_stats(const struct plan *plan, struct json_object *const *replies)
{
	static const struct column columns[] = { { "DISK", .widest = WIDE },
		{ "READ", .right = true }, { "READS", .right = true }, { "WRITTEN", .right = true },
		{ "WRITES", .right = true } };
	CLEANUP(table_done)
	struct table t = { .columns = columns, .n_columns = ARRAY_SIZE(columns) };
	CLEANUP(sample_done) struct sample sample = {};
	(void)plan;
	sample_add_disks(replies[0], &sample);
	for (size_t i = 0; i < sample.n_disks; i++) {
		const struct sample_flow *flow = &sample.disks[i].flow;
		table_add(&t, STYLE_HEAD, "%s", sample.disks[i].name);
		add_size(&t, (int64_t)flow->in_bytes);
		table_add(&t, STYLE_PLAIN, "%" PRIu64, flow->in_ops);
		add_size(&t, (int64_t)flow->out_bytes);
		table_add(&t, STYLE_PLAIN, "%" PRIu64, flow->out_ops);
	}
	print_disks(&t);
}

const struct query *query_find(const char *name)
{
	static const struct query queries[] = {
		{ "pci", { { "query-pci" } }, print_pci },
		{ "cpu", { { "query-cpus-fast" } }, print_cpu },
		{ "block", { { "query-block" } }, print_block },
		{ "memory",
				{ { "query-memory-size-summary" }, { "query-balloon", true },
						{ "query-memory-devices", true } },
				print_memory },
		{ "status", { { "query-status" }, { "query-version" }, { "query-kvm" } },
				print_status },
		{ "stats", { { "query-blockstats" } }, print_stats },
	};
	for (size_t i = 0; i < ARRAY_SIZE(queries); i++)
		if (!strcmp(queries[i].name, name))
			return &queries[i];
	return NULL;
}
