/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a machine uses at the moment. */
#include "observe/usage.h"

#include <poll.h>

#include "cli/output.h"
#include "host/os/clock.h"
#include "host/qmp/balloon.h"
#include "json/jtree.h"
#include "lifecycle/monitor.h"
#include "unit/service.h"
#include "util/mem.h"

#define LIMIT_USEC (2 * USEC_PER_SEC)
#define SPAN_USEC (200 * USEC_PER_MSEC)

/* What the unit and QEMU have counted by now. */
static void take(struct bus *bus, const char *unit, struct monitor *monitor, struct sample *ret)
{
	CLEANUP(unit_info_done) struct unit_info info = {};
	struct error unused = {};
	const struct sample_source source = { &info, &monitor->plan, monitor->qmp, NULL, NULL };
	if (bus_get_unit(bus, unit, &info, &unused) >= 0)
		sample_take(&source, clock_deadline_usec(LIMIT_USEC), ret);
}

void usage_measure(const struct config_paths *paths, const char *machine, struct usage *ret)
{
	CLEANUP(monitor_done) struct monitor monitor = {};
	CLEANUP(bus_freep) struct bus *bus = NULL;
	CLEANUP(sample_done) struct sample before = {}, now = {};
	CLEANUP(freep) char *unit = unit_name(UNIT_QEMU, machine);
	struct balloon_size size;
	struct error unused = {};
	*ret = (struct usage){};
	if (monitor_open(paths, machine, clock_deadline_usec(LIMIT_USEC), &monitor, &unused) < 0 ||
			bus_open(&bus, &unused) < 0)
		return;
	if (balloon_look(monitor.qmp, BALLOON_ALL, &size, &unused) == 0)
		ret->guest_bytes = size.now_bytes;
	take(bus, unit, &monitor, &before);
	clock_poll(NULL, 0, clock_deadline_usec(SPAN_USEC));
	take(bus, unit, &monitor, &now);
	ret->has_rates = sample_rates(&before, &now, &ret->rates);
}

static void add_rate(struct buf *text, const char *what, double bytes)
{
	CLEANUP(freep) char *size = format_size((uint64_t)bytes);
	buf_printf(text, "%s %s/s", what, size);
}

char *usage_text(const struct usage *usage)
{
	const struct rates *rates = &usage->rates;
	CLEANUP(buf_done) struct buf text = {};
	if (usage->has_rates) {
		buf_printf(&text, "processor %.0f %%", 100 * rates->cpu);
		add_rate(&text, ", disks read", rates->disk_in);
		add_rate(&text, ", written", rates->disk_out);
		add_rate(&text, ", networks in", rates->net_in);
		add_rate(&text, ", out", rates->net_out);
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
	struct json_object *o = jtree_object();
	if (usage->has_rates) {
		add_number(o, "processors", usage->rates.cpu);
		add_number(o, "disk_read_bytes", usage->rates.disk_in);
		add_number(o, "disk_written_bytes", usage->rates.disk_out);
		add_number(o, "net_in_bytes", usage->rates.net_in);
		add_number(o, "net_out_bytes", usage->rates.net_out);
	}
	if (usage->guest_bytes)
		jtree_set(o, "guest_memory_bytes", jtree_int((int64_t)usage->guest_bytes));
	return o;
}
