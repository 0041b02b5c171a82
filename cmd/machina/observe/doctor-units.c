/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What doctor looks over: the units of machines and networks, against the config. */
#include "observe/doctor-config.h"

#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "host/systemd/bus-unit.h"
#include "setup/hookplan.h"
#include "setup/networks.h"

/* What is written anew, by machine: @missing if it has no unit at all. */
static void sort_rows(const struct examination *x, size_t from, const struct built *built,
		struct strv *missing, struct strv *stale)
{
	bool is_new = false, is_changed = false;
	for (size_t i = from; i < x->units.n; i++) {
		const struct unitset_row *row = &x->units.rows[i];
		if (row->fate == UNIT_UNCHANGED)
			continue;
		if (i == from && !strv_contains_sorted(&x->units.on_disk, row->name))
			is_new = true;
		else
			is_changed = true;
	}
	if (is_new)
		strv_push(missing, built->vm.name);
	else if (is_changed)
		strv_push(stale, built->vm.name);
}

static void tell_units(struct examination *x, const struct strv *missing, const struct strv *stale,
		const struct strv *restart)
{
	struct doctor *d = &x->doctor;
	if (stale->n) {
		doctor_add(d, DOCTOR_WARNING, "the unit%s of %s %s not as the config says",
				stale->n == 1 ? "" : "s", doctor_machines(d, stale),
				stale->n == 1 ? "is" : "are");
		doctor_why(d, "the next start follows the unit: the config has changed since, "
			      "machina was upgraded, or somebody has edited the unit, which "
			      "generate undoes");
		doctor_cure(d, "machina generate%s", doctor_words(d, stale));
	}
	if (missing->n) {
		doctor_add(d, DOCTOR_WARNING, "%s ha%s no unit", doctor_machines(d, missing),
				missing->n == 1 ? "s" : "ve");
		doctor_why(d, "%s cannot be started or enabled", missing->n == 1 ? "it" : "they");
		doctor_cure(d, "machina generate%s", doctor_words(d, missing));
	}
	if (restart->n) {
		doctor_add(d, DOCTOR_WARNING, "%s run%s as before the last change of the unit",
				doctor_machines(d, restart), restart->n == 1 ? "s" : "");
		doctor_why(d, "the change takes effect with a restart");
		doctor_cure_restart(d, restart);
	}
}

static bool is_masked(const char *file)
{
	char target[sizeof("/dev/null")];
	ssize_t n = readlink(file, target, sizeof(target));
	return n == sizeof(target) - 1 && !memcmp(target, "/dev/null", (size_t)n);
}

static void tell_masked(struct doctor *d, const char *unit)
{
	doctor_add(d, DOCTOR_FAULT,
			"unit '%s' is masked: a link to '/dev/null' stands in its place", unit);
	doctor_why(d, "systemd starts neither it nor what needs it");
	doctor_cure(d, "systemctl unmask %s", doctor_quote(d, unit));
	doctor_cure(d, "machina generate --all");
}

static void tell_foreign(struct examination *x, const struct report *report)
{
	struct doctor *d = &x->doctor;
	for (size_t i = 0; i < report->n; i++) {
		CLEANUP(buf_done) struct buf text = {};
		const char *file = report->items[i].file;
		if (is_masked(file)) {
			tell_masked(d, strrchr(file, '/') + 1);
			continue;
		}
		finding_format(&report->items[i], &text);
		doctor_add(d, DOCTOR_FAULT, "%s", buf_text(&text));
		doctor_why(d, "it stands where the unit of a machine belongs, which is not "
			      "started");
		doctor_cure(d, "systemctl cat %s", doctor_quote(d, strrchr(file, '/') + 1));
		doctor_cure(d, "# if nobody needs it: machina generate --force --all");
	}
}

static void tell_refused(struct examination *x, const char *unit)
{
	struct doctor *d = &x->doctor;
	CLEANUP(unit_info_done) struct unit_info info = {};
	CLEANUP(buf_done) struct buf text = {};
	struct error err = {};
	const char *word = doctor_quote(d, unit);
	if (!d->bus || bus_get_unit(d->bus, unit, &info, &err) < 0 ||
			!unit_explain_failure(&info, &text))
		return;
	doctor_add(d, DOCTOR_FAULT, "%s", buf_text(&text));
	doctor_why(d, "systemd starts neither it nor what needs it");
	doctor_cure(d, "systemctl cat %s", word);
	doctor_cure(d, "journalctl -b _PID=1 -g %s", word);
	doctor_cure(d, "# mend what was put beside it, then: systemctl daemon-reload");
}

/* A machine of which generate keeps the units. */
static void tell_used(struct doctor *d, const char *machine, bool waits)
{
	const char *word = doctor_quote(d, machine);
	if (waits) {
		doctor_add(d, DOCTOR_WARNING,
				"machine '%s' is not configured any more, and systemd tries again "
				"and again to start it",
				machine);
		doctor_about(d, machine);
		doctor_cure(d, "machina stop %s && machina generate --all", word);
		return;
	}
	doctor_add(d, DOCTOR_WARNING, "machine '%s' runs, and is not configured any more", machine);
	doctor_about(d, machine);
	doctor_why(d, "'machina generate' removes its unit when it is off");
	doctor_cure(d, "# put its file back, or, if it is not needed any more:");
	doctor_cure(d, "# machina stop %s && machina generate --all", word);
}

/* Of what is up the machine is told, and not each of its units; networks' bridges are told of by
 * themselves. */
static void leave_out_used(struct doctor *d, struct strv *units)
{
	CLEANUP(unit_list_done) struct unit_list list = {};
	CLEANUP(strv_done) struct strv down = {};
	struct error err = {};
	if (!units->n || !d->bus || bus_list_units(d->bus, units, &list, &err) < 0)
		return;
	for (size_t i = 0; i < list.n; i++) {
		const struct unit_row *row = &list.rows[i];
		CLEANUP(freep) char *machine = unit_name_subject(UNIT_QEMU, row->name);
		if (unit_is_down(row->active_state))
			strv_push(&down, row->name);
		else if (machine)
			tell_used(d, machine, !strcmp(row->sub_state, "auto-restart"));
	}
	strv_done(units);
	*units = down;
	down = (struct strv){};
}

static void tell_others(struct examination *x)
{
	struct doctor *d = &x->doctor;
	CLEANUP(strv_done) struct strv others = {};
	struct error err = {};
	size_t from = x->units.n;
	CLEANUP(strv_done) struct strv networks = {};
	const struct unitset_known known = { .machines = &x->names, .networks = &networks };
	networks_list(&x->config.host, &networks);
	if (unitset_remove_others(&x->units, &known, &err) < 0) {
		doctor_leave_out(d, "%s", err.text);
		return;
	}
	for (size_t i = from; i < x->units.n; i++)
		strv_push(&others, x->units.rows[i].name);
	leave_out_used(d, &others);
	if (!others.n)
		return;
	doctor_add(d, DOCTOR_WARNING, "unit%s of what is not configured any more: %s",
			others.n == 1 ? "" : "s", doctor_names(d, &others));
	doctor_why(d, "they can still be started");
	doctor_cure(d, "machina generate --all");
}

struct comparison {
	struct examination *x;
	struct report *foreign;
};

static int add_network(void *data, struct units *units, struct error *err)
{
	const struct comparison *c = data;
	return unitset_add_others(&c->x->units, units, c->foreign, err);
}

/* A machine's start needs the units of its networks, which know the addresses of all machines. */
static int compare_networks(struct examination *x, struct report *foreign, struct error *err)
{
	struct doctor *d = &x->doctor;
	CLEANUP(strv_done) struct strv changed = {};
	size_t from = x->units.n;
	struct comparison c = { .x = x, .foreign = foreign };
	int r = networks_make(&x->config, &x->leases, add_network, &c, err);
	for (size_t i = from; i < x->units.n; i++)
		if (x->units.rows[i].fate != UNIT_UNCHANGED)
			strv_push(&changed, x->units.rows[i].name);
	if (r < 0 || !changed.n)
		return r;
	doctor_add(d, DOCTOR_WARNING, "unit%s of networks that %s not as the config says: %s",
			changed.n == 1 ? "" : "s", changed.n == 1 ? "is" : "are",
			doctor_names(d, &changed));
	doctor_why(d, "guests do not get the addresses, names and rules that are meant");
	doctor_cure(d, "machina generate --all");
	return 0;
}

static int compare(
		struct examination *x, struct strv *missing, struct strv *stale, struct error *err)
{
	CLEANUP(report_done) struct report foreign = {};
	int r = unitset_init(&x->units, &x->call->paths, UNITSET_DRY, err);
	if (r < 0)
		return r;
	if (!x->units.exists)
		return error_set(
				err, ENOENT, "there is no directory '%s'", x->call->paths.unit_dir);
	for (size_t i = 0; i < x->n_machines; i++) {
		struct built *built = x->built[i];
		size_t from = x->units.n;
		r = unitset_add(&x->units, built->vm.name, &built->units, &foreign, err);
		if (r < 0)
			return r;
		sort_rows(x, from, built, missing, stale);
	}
	r = compare_networks(x, &foreign, err);
	tell_foreign(x, &foreign);
	return r;
}

void examine_units(struct examination *x)
{
	struct doctor *d = &x->doctor;
	CLEANUP(strv_done) struct strv missing = {}, stale = {}, restart = {};
	struct error err = {};
	if (!x->has_config) {
		doctor_leave_out(d, "the host's config has faults");
		return;
	}
	if (compare(x, &missing, &stale, &err) < 0) {
		doctor_leave_out(d, "%s", err.text);
		return;
	}
	for (size_t i = 0; i < x->n_machines; i++) {
		CLEANUP(plan_done) struct plan plan = {};
		const char *name = x->machines[i].vm->name;
		bool changed = false;
		/* One that systemd is about to start again runs as nothing. */
		if (x->machines[i].pid &&
				hookplan_running(&x->call->paths, name, &plan, &changed, &err) >=
						0 &&
				changed)
			strv_push(&restart, name);
	}
	for (size_t i = 0; i < x->refused.n; i++)
		tell_refused(x, x->refused.items[i]);
	tell_units(x, &missing, &stale, &restart);
	if (!x->is_partial)
		tell_others(x);
}
