/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What doctor looks over: the config, and what systemd knows. */
#include "observe/doctor-config.h"

#include <string.h>
#include <unistd.h>

#include "host/os/account.h"
#include "host/systemd/bus-unit.h"
#include "lifecycle/lifecycle.h"
#include "model/claims.h"
#include "model/dnsmasq.h"
#include "model/order.h"
#include "setup/machines.h"
#include "setup/networks.h"
#include "util/mem.h"

void examination_done(struct examination *x)
{
	bus_free(x->doctor.bus);
	doctor_done(&x->doctor);
	for (size_t i = 0; i < x->n_machines; i++) {
		built_done(x->built[i]);
		free(x->built[i]);
	}
	free(x->built);
	free(x->machines);
	unitset_done(&x->units);
	prepared_done(&x->prepared);
	strv_done(&x->names);
	strv_done(&x->selected);
	strv_done(&x->refused);
	leases_done(&x->leases);
	config_done(&x->config);
}

static bool is_enabled(const struct examination *x, const char *name)
{
	CLEANUP(freep) char *unit = unit_name(UNIT_QEMU, name);
	return lifecycle_is_enabled(&x->call->paths, unit);
}

/* A machine without faults, on a host without any, becomes one to look over; others are findings in
 * the config's report. */
static void load_machine(
		struct examination *x, const char *name, struct claims *claims, struct order *order)
{
	struct error err = {};
	struct built *built = xcalloc(1, sizeof(*built));
	int r = built_units(built, &x->config, name, &err);
	if (r < 0)
		report_error(&x->config.report, &err);
	if (built->machine.merged) {
		claims_add(claims, &built->vm, true);
		order_add(order, &built->vm, true);
	}
	if (r != 0 || !x->has_config) {
		built_done(built);
		free(built);
		return;
	}
	leases_add(&x->leases, &built->vm);
	x->built[x->n_machines] = built;
	x->machines[x->n_machines++] = (struct doctor_machine){
		.vm = &built->vm,
		.enabled = is_enabled(x, name),
	};
}

static void load_other(
		struct examination *x, const char *name, struct claims *claims, struct order *order)
{
	CLEANUP(built_done) struct built built;
	if (!built_glance(&built, &x->config, name))
		return;
	claims_add(claims, &built.vm, false);
	order_add(order, &built.vm, false);
	leases_add(&x->leases, &built.vm);
}

static int select_machines(struct examination *x, struct error *err)
{
	const struct machine_selection *words = &x->call->machines;
	x->is_partial = words->patterns.n || words->tags.n;
	if (x->is_partial)
		return machines_select(x->call, &x->config.report, &x->selected, err);
	strv_extend(&x->selected, &x->names);
	return 0;
}

static int load(struct examination *x, struct error *err)
{
	CLEANUP(claims_done) struct claims claims = {};
	CLEANUP(order_done) struct order order = {};
	const struct config_paths *paths = &x->call->paths;
	struct error unread = {};
	int r = config_load(&x->config, paths, &unread);
	/* The host can be looked over without it. */
	if (r < 0)
		report_error(&x->config.report, &unread);
	x->has_config = r == 0;
	r = machine_list(paths, &x->names, &x->config.report, err);
	if (r >= 0)
		r = select_machines(x, err);
	if (r < 0)
		return r;
	x->built = xcalloc(x->names.n, sizeof(struct built *));
	x->machines = xcalloc(x->names.n, sizeof(*x->machines));
	if (!x->config.is_whole) {
		config_check_machines(&x->config, &x->selected);
		return 0;
	}
	for (size_t i = 0; i < x->names.n; i++) {
		const char *name = x->names.items[i];
		if (strv_contains_sorted(&x->selected, name))
			load_machine(x, name, &claims, &order);
		else
			load_other(x, name, &claims, &order);
	}
	leases_sort(&x->leases);
	claims_check(&claims, paths, &x->config.host, &x->config.report);
	order_check(&order, &x->names, paths, &x->config.host, &x->config.report);
	r = networks_make(&x->config, &(struct leases){}, NULL, NULL, err);
	if (r < 0)
		return r;
	return 0;
}

/* Who runs, by the units' states. Errors: systemd's; nothing is known then. */
static int ask_systemd(struct examination *x, struct bus *bus, struct error *err)
{
	CLEANUP(strv_done) struct strv units = {};
	CLEANUP(unit_list_done) struct unit_list list = {};
	for (size_t i = 0; i < x->n_machines; i++) {
		CLEANUP(freep) char *unit = unit_name(UNIT_QEMU, x->machines[i].vm->name);
		strv_push(&units, unit);
	}
	int r = units.n ? bus_list_units(bus, &units, &list, err) : 0;
	for (size_t i = 0; r == 0 && i < list.n; i++) {
		CLEANUP(unit_info_done) struct unit_info info = {};
		const struct unit_row *row = &list.rows[i];
		/* Between two tries of systemd's nothing runs, though the unit is "activating". */
		bool waits = !strcmp(row->sub_state, "auto-restart");
		/* One that is masked is told of by its file. */
		if (unit_is_refused(row->load_state) && strcmp(row->load_state, "masked") != 0)
			strv_push(&x->refused, units.items[i]);
		x->machines[i].failed = waits || !strcmp(row->active_state, "failed");
		x->machines[i].running = !waits && !unit_is_down(row->active_state);
		if (x->machines[i].running && bus_get_unit(bus, units.items[i], &info, NULL) == 0)
			x->machines[i].pid = info.main_pid;
	}
	return r;
}

/* Only what systemd has in memory can differ from the file: the rest is read when it is needed. */
static int find_outdated(struct examination *x, struct bus *bus, struct error *err)
{
	CLEANUP(strv_done) struct strv units = {}, networks = {};
	CLEANUP(unit_list_done) struct unit_list list = {};
	for (size_t i = 0; i < x->n_machines; i++)
		for (size_t k = 0; k < x->built[i]->units.n; k++)
			strv_push(&units, x->built[i]->units.items[k].name);
	if (x->has_config && !x->is_partial)
		networks_list(&x->config.host, &networks);
	for (size_t i = 0; i < networks.n; i++)
		strv_push_take(&units, unit_name(UNIT_NETWORK, networks.items[i]));
	int r = units.n ? bus_list_loaded_units(bus, "machina-*", &units, &list, err) : 0;
	for (size_t i = 0; r == 0 && i < list.n; i++) {
		CLEANUP(unit_info_done) struct unit_info info = {};
		if (strcmp(list.rows[i].load_state, "loaded") != 0)
			continue;
		r = bus_get_unit(bus, units.items[i], &info, err);
		if (r == 0 && info.need_daemon_reload)
			strv_push(&x->doctor.outdated, units.items[i]);
	}
	return r;
}

static void connect_systemd(struct examination *x)
{
	struct doctor *d = &x->doctor;
	struct error err = {};
	int r = bus_open(&d->bus, &err);
	if (r == 0 && (find_outdated(x, d->bus, &err) < 0 || ask_systemd(x, d->bus, &err) < 0)) {
		bus_free(d->bus);
		d->bus = NULL;
	}
	if (!d->bus)
		d->bus_failure = arena_strdup(&d->arena, err.text);
}

/* What the kernel should have. */
static int find_prepared(struct examination *x, struct error *err)
{
	struct doctor *d = &x->doctor;
	int r = prepared_find(&x->call->paths, d->policy, x->is_partial ? &x->selected : NULL,
			&x->prepared, err);
	d->prepared = x->prepared.requests;
	d->n_prepared = x->prepared.n_ports;
	d->networks = x->prepared.networks;
	d->n_networks = x->prepared.n_networks;
	return r;
}

int examination_begin(struct examination *x, const struct call *call, struct error *err)
{
	x->call = call;
	int r = load(x, err);
	if (r < 0)
		return r;
	x->doctor = (struct doctor){
		.sys = "/sys",
		.proc = "/proc",
		.dev = "/dev",
		.dnsmasq = DNSMASQ,
		.operators = ACCOUNT_OPERATORS,
		.state_dir = call->paths.state_dir,
		.run_dir = call->paths.run_dir,
		.limit_sec = 10,
		.is_root = geteuid() == 0,
		.is_partial = x->is_partial,
		.lacks_machines = x->n_machines < x->selected.n,
		.host = x->has_config ? &x->config.host.conf : NULL,
		.policy = x->has_config ? &x->config.policy : NULL,
		.machines = x->machines,
		.n_machines = x->n_machines,
	};
	if (call->paths.offline)
		return 0;
	connect_systemd(x);
	/* Others may not look at packet filters. */
	return x->has_config && x->doctor.is_root ? find_prepared(x, err) : 0;
}

void examine_config(struct examination *x)
{
	struct doctor *d = &x->doctor;
	struct report *report = &x->config.report;
	CLEANUP(buf_done) struct buf first = {};
	doctor_note(d, "%zu machine%s", x->selected.n, x->selected.n == 1 ? "" : "s");
	report_sort(report);
	for (size_t i = 0; !first.len && i < report->n; i++)
		if (report->items[i].severity == SEVERITY_ERROR)
			finding_format(&report->items[i], &first);
	if (!report->n_errors)
		return;
	doctor_add(d, DOCTOR_FAULT, "%s", buf_text(&first));
	if (report->n_errors == 1)
		doctor_why(d, "no unit is written before that is mended");
	else
		doctor_why(d, "and %zu more: no unit is written before they are mended",
				report->n_errors - 1);
	doctor_cure(d, "machina validate");
}
