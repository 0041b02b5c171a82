/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the commands that talk to systemd about machines have in common. */
#include "lifecycle/lifecycle.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/output.h"
#include "config/forms.h"
#include "host/os/clock.h"
#include "host/systemd/bus-job.h"
#include "host/systemd/journal.h"
#include "lifecycle/clusters.h"
#include "setup/machines.h"
#include "setup/unit-load.h"
#include "unit/network.h"
#include "util/file.h"
#include "util/mem.h"

#define JOURNAL_LINES 10
/* All that generate writes, which requires nothing else. */
#define OWN_UNITS "machina-*"
/* For the end of a unit whose QEMU has gone. */
#define END_USEC (180 * USEC_PER_SEC)
/* Between two looks at it. */
#define LOOK_USEC (20 * USEC_PER_MSEC)
#define LOOK_MAX_USEC (200 * USEC_PER_MSEC)
#define NAMES_MAX 20

/* @named: also those that are named */
static int leave_out_clusters(const struct call *call, bool named, const struct strv *names,
		struct strv *ret_names, struct error *err)
{
	CLEANUP(clusters_done) struct clusters clusters = {};
	CLEANUP(strv_done) struct strv left = {};
	int r = 0;
	clusters_begin(&clusters, &call->paths);
	for (size_t i = 0; i < names->n; i++) {
		const char *name = names->items[i];
		bool is_looked_at = named || !machines_has_named(call, name);
		strv_push(is_looked_at && clusters_has(&clusters, name) ? &left : ret_names, name);
	}
	/* One that is named and can't be enabled is refused later: its unit says that. */
	if (call->machines.all || call->machines.tags.n)
		r = clusters_check(&clusters, names, err);
	for (size_t i = 0; r == 0 && i < left.n; i++)
		printf("%s: left to its cluster manager (\"cluster\": true)\n", left.items[i]);
	return r;
}

int lifecycle_select(const struct call *call, enum lifecycle_purpose purpose,
		struct strv *ret_names, struct error *err)
{
	const bool always = purpose == LIFECYCLE_ENABLE;
	CLEANUP(strv_done) struct strv names = {};
	int r = machines_select_known(call,
			purpose == LIFECYCLE_RUN ? MACHINES_RUNNING : MACHINES_ON_HOST, &names,
			err);
	if (r != 0)
		return r;
	/* Configs are read only where the answer matters: who is named is taken at his word. */
	if (always || call->machines.all || call->machines.tags.n)
		return leave_out_clusters(call, always, &names, ret_names, err);
	strv_extend(ret_names, &names);
	return 0;
}

bool lifecycle_is_enabled(const struct config_paths *paths, const char *unit)
{
	static const char *const targets[] = { UNIT_ENABLED_TARGET, UNIT_GUESTS_TARGET };
	bool enabled = false;
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		CLEANUP(freep)
		char *link = xasprintf("%s/%s.wants/%s", paths->unit_dir, targets[i], unit);
		enabled |= faccessat(AT_FDCWD, link, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	}
	return enabled;
}

/* The unit that an entry of their directory has altered; NULL: it is none that does. */
static char *altered_unit(int dirfd, const struct dirent *entry)
{
	static const char drop_ins[] = ".d";
	size_t len = strlen(entry->d_name), end = strlen(drop_ins);
	struct stat st;
	if (len > end && !strcmp(entry->d_name + len - end, drop_ins))
		return xstrndup(entry->d_name, len - end);
	/* Some file systems do not tell. */
	bool is_link = entry->d_type == DT_LNK ||
		       (entry->d_type == DT_UNKNOWN &&
				       fstatat(dirfd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) ==
						       0 &&
				       S_ISLNK(st.st_mode));
	return is_link ? xstrdup(entry->d_name) : NULL;
}

void lifecycle_altered(const struct config_paths *paths, struct strv *ret_units)
{
	DIR *dir = opendir(paths->unit_dir);
	if (!dir)
		return;
	for (const struct dirent *entry; (entry = readdir(dir));) {
		char *unit = altered_unit(dirfd(dir), entry);
		if (unit)
			strv_push_take(ret_units, unit);
	}
	closedir(dir);
	strv_sort(ret_units);
}

enum vm_autostart lifecycle_autostart(const struct config_paths *paths, const char *machine)
{
	CLEANUP(freep) char *path = NULL;
	CLEANUP(buf_done) struct buf text = {};
	CLEANUP(unitdoc_done) struct unitdoc doc = {};
	if (unit_load(paths, UNIT_QEMU, machine, &path, &text, NULL) < 0 ||
			unitfile_parse(path, buf_text(&text), text.len, &doc, NULL) < 0)
		return VM_AUTOSTART_OPEN;
	const struct unitdoc_entry *wanted = unitdoc_get(&doc, "Install", "WantedBy");
	return !wanted					    ? VM_AUTOSTART_NO
	       : !strcmp(wanted->value, UNIT_GUESTS_TARGET) ? VM_AUTOSTART_YES
							    : VM_AUTOSTART_OPEN;
}

void lifecycle_units(const struct strv *machines, struct strv *ret_units)
{
	for (size_t i = 0; i < machines->n; i++)
		strv_push_take(ret_units, unit_name(UNIT_QEMU, machines->items[i]));
}

int lifecycle_list(
		struct bus *bus, const struct strv *units, struct unit_list *ret, struct error *err)
{
	CLEANUP(freep) char *pattern = unit_name(UNIT_QEMU, "*");
	return bus_list_loaded_units(bus, pattern, units, ret, err);
}

/* @invocation_id: NULL: that of the stop which goes on; none does where the unit runs again */
static int wait_run(struct bus *bus, const char *unit, const char *invocation_id, uint64_t until,
		struct error *err)
{
	CLEANUP(freep) char *id = invocation_id ? xstrdup(invocation_id) : NULL;
	for (uint64_t pause = LOOK_USEC;; pause += pause < LOOK_MAX_USEC ? LOOK_USEC : 0) {
		CLEANUP(unit_info_done) struct unit_info info = {};
		int r = bus_get_unit(bus, unit, &info, err);
		if (r < 0)
			return r;
		if (unit_is_down(info.active_state) || (id && strcmp(info.invocation_id, id) != 0))
			return 0;
		if (!strcmp(info.sub_state, "auto-restart"))
			return 1;
		if (!id && strcmp(info.active_state, "deactivating") != 0)
			return 0;
		if (!id)
			id = xstrdup(info.invocation_id);
		if (clock_now_usec() >= until)
			return error_set(err, ETIMEDOUT, "unit '%s' does not end", unit);
		clock_pause(pause);
	}
}

int lifecycle_wait_run(
		struct bus *bus, const char *unit, const char *invocation_id, struct error *err)
{
	return wait_run(bus, unit, invocation_id, clock_deadline_usec(END_USEC), err);
}

static bool explain_named(struct bus *bus, const char *machine, const char *name)
{
	CLEANUP(unit_info_done) struct unit_info info = {};
	CLEANUP(buf_done) struct buf text = {};
	CLEANUP(strv_done) struct strv lines = {};
	struct error err = {};
	if (bus_get_unit(bus, name, &info, &err) < 0)
		return false;
	if (!strcmp(info.load_state, "not-found") || !unit_explain_failure(&info, &text))
		return false;
	complain("%s: %s: %s", machine, name, buf_text(&text));
	if (journal_tail(name, info.invocation_id, JOURNAL_LINES, &lines, &err) < 0)
		print_error(&err);
	for (size_t i = 0; i < lines.n; i++) {
		fputs("    ", stderr);
		put_text(stderr, lines.items[i]);
		fputc('\n', stderr);
	}
	if (!strcmp(info.sub_state, "auto-restart"))
		complain("%s: systemd will try again, as its unit says (Restart=); 'machina stop "
			 "%s' ends that",
				machine, machine);
	return true;
}

static bool explain_unit(struct bus *bus, const char *machine, const char *pattern)
{
	CLEANUP(freep) char *name = unit_name(pattern, machine);
	return explain_named(bus, machine, name);
}

/* The job's own result says the rest, as where something else has stopped the unit. */
static void explain_absence(struct bus *bus, const char *machine)
{
	CLEANUP(freep) char *name = unit_name(UNIT_QEMU, machine);
	CLEANUP(unit_info_done) struct unit_info info = {};
	struct error err = {};
	if (bus_get_unit(bus, name, &info, &err) == 0 && !strcmp(info.load_state, "not-found"))
		complain("%s: there is no unit '%s': 'machina generate %s' makes it", machine, name,
				machine);
}

/* As the machine's unit on disk has them. */
static bool explain_others(const struct config_paths *paths, struct bus *bus, const char *machine)
{
	CLEANUP(freep) char *path = NULL;
	CLEANUP(buf_done) struct buf text = {};
	CLEANUP(plan_done) struct plan plan = {};
	bool explained = false;
	if (unit_load(paths, UNIT_QEMU, machine, &path, &text, NULL) < 0 ||
			unit_read_plan(path, buf_text(&text), text.len, &plan, NULL) < 0)
		return false;
	for (size_t i = 0; i < plan.n_fds; i++) {
		const struct plan_fd *fd = &plan.fds[i];
		const char *share = plan_share_of(fd);
		const char *which = share		? share
				    : plan_is_passt(fd) ? strrchr(fd->name, '.') + 1
							: NULL;
		if (!which)
			continue;
		CLEANUP(freep) char *instance = unit_share_instance(machine, which);
		CLEANUP(freep) char *name = unit_name(share ? UNIT_SHARE : UNIT_PASST, instance);
		explained |= explain_named(bus, machine, name);
	}
	return explained;
}

/* Networks that the host makes, as systemd knows that the machine needs them. */
static bool explain_networks(struct bus *bus, const char *machine)
{
	CLEANUP(freep) char *unit = unit_name(UNIT_QEMU, machine);
	CLEANUP(strv_done) struct strv needs = {};
	struct error err = {};
	bool explained = false;
	if (bus_get_needs(bus, unit, &needs, &err) < 0)
		return false;
	for (size_t i = 0; i < needs.n; i++) {
		CLEANUP(freep)
		char *network = unit_name_subject(UNIT_NETWORK, needs.items[i]);
		explained |= network && explain_named(bus, machine, needs.items[i]);
	}
	return explained;
}

/* @ret, @ret_units: may be NULL; the latter has all that is required, machines or not, some more
 * than once */
static void add_required(const struct config_paths *paths, const char *machine, struct strv *seen,
		struct strv *ret, struct strv *ret_units)
{
	CLEANUP(freep) char *path = NULL;
	CLEANUP(buf_done) struct buf text = {};
	CLEANUP(strv_done) struct strv units = {};
	if (unit_load(paths, UNIT_QEMU, machine, &path, &text, NULL) < 0 ||
			unit_read_required(path, buf_text(&text), text.len, &units, NULL) < 0)
		return;
	for (size_t i = 0; i < units.n; i++) {
		CLEANUP(freep) char *other = unit_name_subject(UNIT_QEMU, units.items[i]);
		if (ret_units)
			strv_push(ret_units, units.items[i]);
		if (!other || strv_contains(seen, other))
			continue;
		strv_push(seen, other);
		add_required(paths, other, seen, ret, ret_units);
		if (ret)
			strv_push(ret, other);
	}
}

void lifecycle_required(
		const struct config_paths *paths, const struct strv *machines, struct strv *ret)
{
	CLEANUP(strv_done) struct strv seen = {};
	for (size_t i = 0; i < machines->n; i++)
		add_required(paths, machines->items[i], &seen, ret, NULL);
}

/* One that is to start again is left alone: a start becomes a part of that job. */
static bool is_leaving(const struct unit_row *row)
{
	return !strcmp(row->active_state, "deactivating") && strcmp(row->job_type, "restart") != 0;
}

static bool waits_to_restart(const struct unit_row *row)
{
	return !strcmp(row->sub_state, "auto-restart");
}

/* What requires them still runs, and would not be started again. */
static int stop_alone(struct bus *bus, const struct strv *units, uint64_t deadline_usec,
		struct error *err)
{
	int r = units->n ? bus_run_jobs(bus, BUS_STOP_ALONE, units, NULL, NULL, deadline_usec, err)
			 : 0;
	return r < 0 ? r : 0;
}

/*
 * One that leaves is watched and not told to stop, which would cancel the start that somebody else
 * has queued behind the stop, or has begun since it was looked.
 */
static int see_off(struct bus *bus, const char *unit, uint64_t deadline_usec, struct error *err)
{
	CLEANUP(strv_done) struct strv waiting = {};
	progress_show("waiting for what is being stopped");
	int r = wait_run(bus, unit, NULL, deadline_usec, err);
	progress_clear();
	if (r > 0)
		strv_push(&waiting, unit);
	return r < 0 ? r : stop_alone(bus, &waiting, deadline_usec, err);
}

/* Those that wait to restart go first and at once: what runs when the others have left would be
 * stopped for nothing. */
static int end_runs(struct bus *bus, const struct unit_list *list, bool for_start,
		uint64_t deadline_usec, struct error *err)
{
	CLEANUP(strv_done) struct strv waiting = {}, leaving = {};
	for (size_t i = 0; i < list->n; i++) {
		const struct unit_row *row = &list->rows[i];
		CLEANUP(freep) char *machine = unit_name_subject(UNIT_QEMU, row->name);
		if (machine && waits_to_restart(row))
			strv_push(&waiting, row->name);
		else if (machine && for_start && is_leaving(row))
			strv_push(&leaving, row->name);
	}
	int r = stop_alone(bus, &waiting, deadline_usec, err);
	for (size_t i = 0; r == 0 && i < leaving.n; i++)
		r = see_off(bus, leaving.items[i], deadline_usec, err);
	return r;
}

int lifecycle_begin_anew(const struct config_paths *paths, struct bus *bus,
		const struct strv *machines, bool for_start, uint64_t deadline_usec,
		struct error *err)
{
	CLEANUP(strv_done) struct strv seen = {}, all = {}, loaded = {};
	CLEANUP(unit_list_done) struct unit_list list = {};
	lifecycle_units(machines, &all);
	for (size_t i = 0; i < machines->n; i++)
		add_required(paths, machines->items[i], &seen, NULL, &all);
	strv_sort_unique(&all);
	int r = bus_list_loaded_units(bus, OWN_UNITS, &all, &list, err);
	if (r == 0)
		r = end_runs(bus, &list, for_start, deadline_usec, err);
	if (r < 0)
		return r;
	/* Of others systemd remembers nothing, and would read their files. */
	for (size_t i = 0; i < all.n; i++)
		if (list.rows[i].load_state[0])
			strv_push(&loaded, all.items[i]);
	return bus_reset_failed(bus, &loaded, err);
}

/* Is one of them, or what it requires, among @leaving? */
static bool has_to_wait(
		const struct config_paths *paths, const char *machine, const struct strv *leaving)
{
	CLEANUP(strv_done) struct strv alone = {}, chain = {};
	strv_push(&alone, machine);
	lifecycle_required(paths, &alone, &chain);
	strv_push(&chain, machine);
	for (size_t i = 0; i < chain.n; i++)
		if (strv_contains(leaving, chain.items[i]))
			return true;
	return false;
}

int lifecycle_split(const struct config_paths *paths, struct bus *bus, const struct strv *machines,
		struct strv *ret_now, struct strv *ret_later, struct error *err)
{
	CLEANUP(strv_done) struct strv all = {}, units = {}, leaving = {};
	CLEANUP(unit_list_done) struct unit_list list = {};
	lifecycle_required(paths, machines, &all);
	strv_extend(&all, machines);
	lifecycle_units(&all, &units);
	int r = lifecycle_list(bus, &units, &list, err);
	for (size_t i = 0; i < list.n; i++)
		if (is_leaving(&list.rows[i]))
			strv_push(&leaving, all.items[i]);
	for (size_t i = 0; r == 0 && i < machines->n; i++)
		strv_push(leaving.n && has_to_wait(paths, machines->items[i], &leaving) ? ret_later
											: ret_now,
				machines->items[i]);
	return r;
}

/* The first in the chain that has failed: those behind it were never started. */
static bool explain_required(const struct config_paths *paths, struct bus *bus, const char *machine)
{
	CLEANUP(strv_done) struct strv alone = {}, required = {};
	bool explained = false;
	strv_push(&alone, machine);
	lifecycle_required(paths, &alone, &required);
	for (size_t i = 0; !explained && i < required.n; i++) {
		const char *other = required.items[i];
		explained = explain_unit(bus, other, UNIT_SWTPM) ||
			    explain_others(paths, bus, other) || explain_networks(bus, other) ||
			    explain_unit(bus, other, UNIT_QEMU);
		if (explained)
			complain("%s: it requires %s, which failed", machine, other);
	}
	return explained;
}

void lifecycle_explain(const struct config_paths *paths, struct bus *bus, const char *machine)
{
	/* A TPM, share or network that did not come up is the cause, the machine's own failure the
	 * consequence. Most machines have none. */
	if (!explain_unit(bus, machine, UNIT_SWTPM) && !explain_others(paths, bus, machine) &&
			!explain_networks(bus, machine) && !explain_unit(bus, machine, UNIT_QEMU) &&
			!explain_required(paths, bus, machine))
		explain_absence(bus, machine);
}

void lifecycle_tell_failed(const struct strv *failed, size_t n, const char *verb)
{
	CLEANUP(buf_done) struct buf names = {};
	if (!failed->n || n <= LIFECYCLE_EXPLAINED_MAX)
		return;
	for (size_t i = 0; i < failed->n && i < NAMES_MAX; i++)
		buf_printf(&names, " %s", failed->items[i]);
	if (failed->n > NAMES_MAX)
		buf_printf(&names, " and %zu more", failed->n - NAMES_MAX);
	complain("%zu of %zu machines did not %s:%s; 'machina why MACHINE' tells why", failed->n, n,
			verb, buf_text(&names));
}

char *format_span(uint64_t usec)
{
	static const struct {
		uint64_t seconds;
		const char *name;
	} units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" } };
	uint64_t seconds = usec / 1000000;
	CLEANUP(buf_done) struct buf text = {};
	unsigned n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(units) && n < 2; i++) {
		if (seconds < units[i].seconds && !(n == 0 && units[i].seconds == 1))
			continue;
		buf_printf(&text, "%s%" PRIu64 "%s", n ? " " : "", seconds / units[i].seconds,
				units[i].name);
		seconds %= units[i].seconds;
		n++;
	}
	return buf_take(&text);
}
