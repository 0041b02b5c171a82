/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What machines use at the moment. */
#include "observe/usage.h"

#include <stdlib.h>

#include "cli/output.h"
#include "host/machine/saved.h"
#include "host/os/clock.h"
#include "host/qmp/qmp-many.h"
#include "json/jtree.h"
#include "lifecycle/monitor.h"
#include "setup/hookplan.h"
#include "unit/service.h"
#include "util/mem.h"

#define SPAN_USEC (200 * USEC_PER_MSEC)

/* What is measured: machines in the order of their names, at two moments. */
struct meter {
	const struct config_paths *paths;
	const struct strv *machines;
	struct strv sockets;
	struct plan *plans;
	struct sample *before, *now;
	struct usage *usages;
};

static void meter_init(struct meter *ret, const struct config_paths *paths,
		const struct strv *machines, struct usage *usages)
{
	*ret = (struct meter){
		.paths = paths,
		.machines = machines,
		.plans = xcalloc(machines->n + 1, sizeof(*ret->plans)),
		.before = xcalloc(machines->n + 1, sizeof(*ret->before)),
		.now = xcalloc(machines->n + 1, sizeof(*ret->now)),
		.usages = usages,
	};
	for (size_t i = 0; i < machines->n; i++) {
		struct error doubt;
		const char *machine = machines->items[i];
		hookplan_recall(paths, HOOK_QEMU, machine, &ret->plans[i], &doubt);
		strv_push_take(&ret->sockets,
				plan_qmp_path(paths->run_dir, machine, MONITOR_COMMANDS));
		usages[i] = (struct usage){};
	}
}

static void meter_done(struct meter *m)
{
	for (size_t i = 0; i < m->machines->n; i++) {
		plan_done(&m->plans[i]);
		sample_done(&m->before[i]);
		sample_done(&m->now[i]);
	}
	free(m->plans);
	free(m->before);
	free(m->now);
	strv_done(&m->sockets);
}

/* What QEMU does not know, such as a balloon that it has not got, is left out. */
static void ask_qemus(struct meter *m, struct sample *samples)
{
	static const char *const commands[] = { "query-blockstats", "query-balloon", NULL };
	const size_t n = m->machines->n;
	CLEANUP(freep) struct qmp_many *items = xcalloc(n + 1, sizeof(*items));
	for (size_t i = 0; i < n; i++)
		items[i] = (struct qmp_many){
			.path = m->sockets.items[i],
			.occupied = saved_occupied(m->paths->saved_dir, m->machines->items[i]),
			.is_partial = true,
		};
	qmp_many_ask(items, n, commands, clock_deadline_usec(QMP_MANY_USEC));
	for (size_t i = 0; i < n; i++) {
		int64_t bytes = jtree_get_int(items[i].replies[1], "actual", 0);
		m->usages[i].guest_bytes = bytes > 0 ? (uint64_t)bytes : 0;
		samples[i].has_disks = items[i].replies[0] != NULL;
		sample_add_disks(items[i].replies[0], &samples[i]);
	}
	qmp_many_done(items, n);
}

/* What the units and the QEMUs have counted by now. */
static void take(struct bus *bus, struct meter *m, struct sample *samples)
{
	for (size_t i = 0; i < m->machines->n; i++) {
		CLEANUP(unit_info_done) struct unit_info info = {};
		CLEANUP(freep) char *unit = unit_name(UNIT_QEMU, m->machines->items[i]);
		struct error unused;
		if (bus_get_unit(bus, unit, &info, &unused) < 0)
			continue;
		sample_take(&(struct sample_source){ .info = &info, .plan = &m->plans[i] }, 0,
				&samples[i]);
	}
	ask_qemus(m, samples);
}

void usage_measure(const struct config_paths *paths, const struct strv *machines, struct usage *ret)
{
	CLEANUP(meter_done) struct meter m;
	CLEANUP(bus_freep) struct bus *bus = NULL;
	struct error unused;
	meter_init(&m, paths, machines, ret);
	if (bus_open(&bus, &unused) < 0)
		return;
	uint64_t until = clock_deadline_usec(SPAN_USEC);
	take(bus, &m, m.before);
	clock_poll(NULL, 0, until);
	take(bus, &m, m.now);
	for (size_t i = 0; i < machines->n; i++)
		sample_rates(&m.before[i], &m.now[i], &ret[i].rates);
}

static void add_rate(struct buf *text, const char *what, double bytes)
{
	CLEANUP(freep) char *size = format_size((uint64_t)bytes);
	buf_printf(text, "%s%s %s/s", text->len ? ", " : "", what, size);
}

char *usage_text(const struct usage *usage)
{
	const struct rates *rates = &usage->rates;
	CLEANUP(buf_done) struct buf text = {};
	if (rates->has_cpu)
		buf_printf(&text, "processor %.0f %%", 100 * rates->cpu);
	if (rates->has_disks) {
		add_rate(&text, "disks read", rates->disk_in);
		add_rate(&text, "written", rates->disk_out);
	}
	if (rates->has_nets) {
		add_rate(&text, "networks in", rates->net_in);
		add_rate(&text, "out", rates->net_out);
	}
	if (usage->guest_bytes) {
		CLEANUP(freep) char *size = format_size(usage->guest_bytes);
		buf_printf(&text, "%sits balloon leaves the guest %s", text.len ? ", " : "", size);
	}
	return buf_take(&text);
}

static void add_number(struct json_object *o, const char *key, double value)
{
	CLEANUP(freep) char *text = xasprintf("%.3f", value);
	jtree_set(o, key, jtree_double(value, text));
}

struct json_object *usage_json(const struct usage *usage)
{
	const struct rates *rates = &usage->rates;
	struct json_object *o = jtree_object();
	if (rates->has_cpu)
		add_number(o, "processors", rates->cpu);
	if (rates->has_disks) {
		add_number(o, "disk_read_bytes", rates->disk_in);
		add_number(o, "disk_written_bytes", rates->disk_out);
	}
	if (rates->has_nets) {
		add_number(o, "net_in_bytes", rates->net_in);
		add_number(o, "net_out_bytes", rates->net_out);
	}
	if (usage->guest_bytes)
		jtree_set(o, "guest_memory_bytes", jtree_int((int64_t)usage->guest_bytes));
	return o;
}
