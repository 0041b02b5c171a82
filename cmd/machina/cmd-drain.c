/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina drain, undrain: take all machines of a host away for a while, and bring them back. */
#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/output.h"
#include "hook/foreground.h"
#include "host/machine/drained.h"
#include "host/machine/saved.h"
#include "host/os/clock.h"
#include "host/os/lock.h"
#include "host/systemd/bus-file.h"
#include "host/systemd/bus-job.h"
#include "json/jtree.h"
#include "lifecycle/clusters.h"
#include "lifecycle/drain.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/why.h"
#include "setup/hookplan.h"
#include "unit/service.h"
#include "util/file.h"
#include "util/mem.h"

struct drain_options {
	bool dry_run;
	bool json;
	bool save;
};

struct undrain_options {
	bool dry_run;
	bool json;
	bool forget;
};

/* Of the record, and of what people read. */
#define TIME_FORMAT "%F %T UTC"

/* As long as the slowest guest may take, and those that wait for others to stop one after another.
 */
#define JOBS_TIMEOUT_USEC (UINT64_C(6) * 3600 * USEC_PER_SEC)

/* What a run is about. */
struct drain {
	const struct call *call;
	const char *dir; /* of the record */
	struct bus *bus;
	struct drained record;	 /* as it is on disk, or will be */
	struct strv running;	 /* machines that run, and are ours to stop */
	struct strv enabled;	 /* that start with the host */
	struct strv left;	 /* of a cluster manager, and run */
	struct strv foreground;	 /* that 'machina run' runs: nobody could bring them back */
	const struct strv *jobs; /* the machines of jobs that run */
	struct strv failed;
	struct strv not_enabled; /* that should start with the host again, and don't */
	const char *done_word;
	const char *verb;
	bool saves;	     /* machines are saved instead of shut down */
	uint64_t since_usec; /* when the jobs were asked for; CLOCK_REALTIME */
};

static void drain_done(struct drain *d)
{
	bus_free(d->bus);
	drained_done(&d->record);
	strv_done(&d->running);
	strv_done(&d->enabled);
	strv_done(&d->left);
	strv_done(&d->foreground);
	strv_done(&d->failed);
	strv_done(&d->not_enabled);
}

static char *saves_path(const struct config_paths *paths)
{
	return path_join(paths->run_dir, ".drain-saves");
}

bool drain_saves(const struct config_paths *paths, const char *machine)
{
	CLEANUP(freep) char *path = saves_path(paths);
	CLEANUP(drained_done) struct drained record = {};
	struct error err = {};
	if (!lock_is_held(path))
		return false;
	int r = drained_load(paths->state_dir, &record, &err);
	if (r < 0)
		print_error(&err);
	return r == 0 && strv_contains(&record.machines, machine);
}

/* What undrain would do, in words. The caller frees it. */
static char *brings_back(const struct drained *record)
{
	return !record->machines.n ? xstrdup("ends that")
				   : xasprintf("brings back %zu machine%s", record->machines.n,
						     record->machines.n == 1 ? "" : "s");
}

void drain_note(const struct config_paths *paths)
{
	CLEANUP(drained_done) struct drained record = {};
	struct error err = {};
	int r = drained_load(paths->state_dir, &record, &err);
	CLEANUP(freep) char *then = brings_back(&record);
	if (r == 0)
		fprintf(stderr, "This host is drained since %s; 'machina undrain' %s.\n",
				record.since, then);
	else if (r < 0)
		print_error(&err);
}

int drain_refuse(const struct config_paths *paths, const char *what, struct error *err)
{
	CLEANUP(drained_done) struct drained record = {};
	int r = drained_load(paths->state_dir, &record, err);
	if (r == 0)
		return error_set(err, EBUSY,
				"cannot %s machines: this host is drained since %s, and 'machina "
				"undrain' restores what starts with it",
				what, record.since);
	return r < 0 ? r : 0;
}

/* Two administrators at once: one after the other. */
static int begin(struct drain *d, struct lock *lock, struct error *err)
{
	CLEANUP(freep) char *path = NULL;
	d->dir = d->call->paths.state_dir;
	path = path_join(d->dir, ".drain.lock");
	int r = mkdir_all(d->dir, 0755, err);
	if (r >= 0)
		r = lock_take(path, clock_deadline_usec(LOCK_WAIT_USEC), lock, err);
	if (r >= 0)
		r = bus_open(&d->bus, err);
	return r < 0 ? r : 0;
}

/* Every machine that is configured, or was when it was started. */
static int list_all(const struct call *call, struct strv *ret, struct error *err)
{
	CLEANUP(report_done) struct report report = {};
	CLEANUP(strv_done) struct strv kept = {};
	int r = machine_list(&call->paths, ret, &report, err);
	if (r >= 0)
		r = hookplan_list(&call->paths, &kept, err);
	if (r < 0)
		return r;
	drained_add(ret, &kept);
	return 0;
}

/* Who runs, and who starts with the host. */
static int look(struct drain *d, struct error *err)
{
	CLEANUP(clusters_done) struct clusters clusters = {};
	CLEANUP(strv_done) struct strv all = {}, units = {};
	CLEANUP(unit_list_done) struct unit_list list = {};
	clusters_begin(&clusters, &d->call->paths);
	int r = list_all(d->call, &all, err);
	lifecycle_units(&all, &units);
	if (r == 0)
		r = bus_list_units(d->bus, &units, &list, err);
	for (size_t i = 0; r >= 0 && i < list.n; i++) {
		const char *state = list.rows[i].active_state;
		/* One that is being stopped is not to come back. */
		bool runs = !unit_is_down(state) && strcmp(state, "deactivating") != 0;
		if (runs && clusters_has(&clusters, all.items[i])) {
			strv_push(&d->left, all.items[i]);
			continue;
		}
		if (runs)
			strv_push(&d->running, all.items[i]);
		/* Its unit may try to start it all the same. */
		if (foreground_is(&d->call->paths, all.items[i]))
			strv_push(&d->foreground, all.items[i]);
		if (lifecycle_is_enabled(&d->call->paths, units.items[i]))
			strv_push(&d->enabled, all.items[i]);
	}
	return r < 0 ? r : clusters_check(&clusters, &all, err);
}

static char *time_text(void)
{
	time_t now = time(NULL);
	struct tm tm;
	char text[32];
	gmtime_r(&now, &tm);
	strftime(text, sizeof(text), TIME_FORMAT, &tm);
	return xstrdup(text);
}

static void show_drain(const struct drain *d, bool json)
{
	if (json) {
		struct json_object *object = jtree_object();
		jtree_set(object, d->saves ? "save" : "stop", jtree_strings(&d->running));
		jtree_set(object, "disable", jtree_strings(&d->enabled));
		jtree_set(object, "left", jtree_strings(&d->left));
		jtree_set(object, "foreground", jtree_strings(&d->foreground));
		print_json(object);
		json_object_put(object);
		return;
	}
	if (!d->running.n && !d->enabled.n)
		puts("nothing runs here, and nothing starts with the host");
	for (size_t i = 0; i < d->running.n; i++)
		printf("would %s %s\n", d->saves ? "save" : "stop", d->running.items[i]);
	for (size_t i = 0; i < d->enabled.n; i++)
		printf("would not start %s with the host\n", d->enabled.items[i]);
}

static void job_done(void *data, size_t i, const struct bus_job *job)
{
	struct drain *d = data;
	const char *machine = d->jobs->items[i];
	const bool is_done = job->result == JOB_DONE;
	CLEANUP(freep)
	char *cause = is_done && d->verb == bus_verb_names[BUS_STOP]
				      ? NULL
				      : why_job_failed(&d->call->paths, d->bus, machine,
							job->result, d->since_usec);
	if (is_done && !cause) {
		bool saved = d->saves && saved_is_whole(d->call->paths.saved_dir, machine);
		printf("%s: %s\n", machine, saved ? "saved" : d->done_word);
		fflush(stdout);
		return;
	}
	strv_push(&d->failed, machine);
	complain("%s did not %s: %s", machine, d->verb, cause ? cause : job->text);
	if (d->failed.n <= LIFECYCLE_EXPLAINED_MAX)
		lifecycle_explain(&d->call->paths, d->bus, machine);
}

/* systemd minds the order among them. */
static int run_jobs(
		struct drain *d, enum bus_verb verb, const struct strv *machines, struct error *err)
{
	CLEANUP(strv_done) struct strv units = {};
	lifecycle_units(machines, &units);
	d->jobs = machines;
	d->verb = bus_verb_names[verb];
	d->since_usec = clock_real_usec();
	d->done_word = verb == BUS_STOP ? "stopped" : "started";
	int r = machines->n ? bus_run_jobs(d->bus, verb, &units, job_done, d,
					      clock_deadline_usec(JOBS_TIMEOUT_USEC), err)
			    : 0;
	lifecycle_tell_failed(&d->failed, machines->n, d->verb);
	return r < 0 ? r : 0;
}

/*
 * First the record, on disk, then what it undoes: whenever this process ends, what ran is known,
 * and draining once more goes on.
 */
static int note(struct drain *d, struct error *err)
{
	CLEANUP(strv_done) struct strv units = {};
	if (!d->record.since)
		d->record.since = time_text();
	drained_add(&d->record.machines, &d->running);
	drained_add(&d->record.enabled, &d->enabled);
	int r = drained_store(d->dir, &d->record, err);
	lifecycle_units(&d->enabled, &units);
	if (r == 0 && units.n)
		r = bus_disable(d->bus, &units, NULL, err);
	return r;
}

/*
 * systemd minds the order, and each machine's own stop saves it instead of shutting it down while
 * the lock is held.
 */
static int stop_running(struct drain *d, struct error *err)
{
	CLEANUP(lock_done) struct lock lock = {};
	CLEANUP(freep) char *path = saves_path(&d->call->paths);
	int r = d->saves && d->running.n
				? lock_take(path, clock_deadline_usec(LOCK_WAIT_USEC), &lock, err)
				: 0;
	return r < 0 ? r : run_jobs(d, BUS_STOP, &d->running, err);
}

static void tell_left(const struct drain *d)
{
	for (size_t i = 0; i < d->left.n; i++)
		printf("%s: left to its cluster manager (\"cluster\": true)\n", d->left.items[i]);
	for (size_t i = 0; i < d->foreground.n; i++)
		complain("%s runs in the foreground, and undrain could not bring it back: 'machina "
			 "shutdown %s' asks its guest",
				d->foreground.items[i], d->foreground.items[i]);
}

static int misuse_json(const struct call *call)
{
	return misuse(call->command, "'--json' is for '--dry-run'");
}

static int drain_run(const struct call *call, struct error *err)
{
	const struct drain_options *options = call->options;
	if (options->json && !options->dry_run)
		return misuse_json(call);
	CLEANUP(drain_done) struct drain d = { .call = call, .saves = options->save };
	CLEANUP(lock_done) struct lock lock = {};
	int r = begin(&d, &lock, err);
	if (r == 0)
		r = drained_load(d.dir, &d.record, err);
	if (r >= 0)
		r = look(&d, err);
	if (r < 0)
		return r;
	if (!options->json)
		tell_left(&d);
	if (options->dry_run) {
		show_drain(&d, options->json);
		return STATUS_DONE;
	}
	r = note(&d, err);
	if (r >= 0)
		r = stop_running(&d, err);
	if (r < 0)
		return r;
	if (d.failed.n || d.foreground.n)
		return STATUS_FAILURE;
	CLEANUP(freep) char *then = brings_back(&d.record);
	printf("this host is drained: 'machina undrain' %s\n", then);
	return STATUS_DONE;
}

/* One that systemd does not enable must not keep the others down. */
static void enable_each(struct drain *d, const struct strv *machines)
{
	for (size_t i = 0; i < machines->n; i++) {
		CLEANUP(strv_done) struct strv alone = {};
		struct error err = {};
		strv_push_take(&alone, unit_name(UNIT_QEMU, machines->items[i]));
		if (bus_enable(d->bus, &alone, NULL, &err) >= 0)
			continue;
		strv_push(&d->not_enabled, machines->items[i]);
		complain("%s does not start with the host again: %s", machines->items[i], err.text);
	}
}

/* Also those of which a config has said so since. */
static int enable_again(struct drain *d, struct error *err)
{
	CLEANUP(strv_done) struct strv all = {}, machines = {}, units = {};
	int r = list_all(d->call, &all, err);
	for (size_t i = 0; r == 0 && i < all.n; i++) {
		enum vm_autostart now = lifecycle_autostart(&d->call->paths, all.items[i]);
		if (now == VM_AUTOSTART_YES ||
				(now == VM_AUTOSTART_OPEN &&
						strv_contains(&d->record.enabled, all.items[i])))
			strv_push(&machines, all.items[i]);
	}
	lifecycle_units(&machines, &units);
	if (r == 0 && units.n && bus_enable(d->bus, &units, NULL, NULL) < 0)
		enable_each(d, &machines);
	return r;
}

/* What is up again needs no record any more; the rest stays for the next time. */
static int undrain(struct drain *d, bool forget, struct error *err)
{
	CLEANUP(drained_done) struct drained rest = {};
	int r = enable_again(d, err);
	/* After a drain that was broken off some may still be on their way down. */
	if (r >= 0)
		r = lifecycle_begin_anew(&d->call->paths, d->bus, &d->record.machines, true,
				clock_deadline_usec(JOBS_TIMEOUT_USEC), err);
	if (r >= 0)
		r = run_jobs(d, BUS_START, &d->record.machines, err);
	if (r < 0)
		return r;
	if ((!d->failed.n && !d->not_enabled.n) || forget) {
		r = drained_forget(d->dir, err);
		if (r == 0)
			puts("this host is not drained any more");
		return r;
	}
	rest.since = xstrdup(d->record.since);
	strv_extend(&rest.machines, &d->failed);
	strv_extend(&rest.enabled, &d->not_enabled);
	complain("the host stays drained of what was not restored: 'machina undrain' tries again, "
		 "'machina undrain --forget' gives up on it");
	return drained_store(d->dir, &rest, err);
}

/* As JSON has points in time; 0: somebody else has written the record. */
static int64_t time_usec(const char *text)
{
	struct tm tm = {};
	const char *end = strptime(text, TIME_FORMAT, &tm);
	return end && !*end ? (int64_t)timegm(&tm) * (int64_t)USEC_PER_SEC : 0;
}

static void show_undrain(const struct drain *d, bool json)
{
	if (json) {
		struct json_object *object = jtree_object();
		int64_t since = time_usec(d->record.since);
		if (since)
			jtree_set(object, "since_usec", jtree_int(since));
		jtree_set(object, "start", jtree_strings(&d->record.machines));
		jtree_set(object, "enable", jtree_strings(&d->record.enabled));
		print_json(object);
		json_object_put(object);
		return;
	}
	for (size_t i = 0; i < d->record.machines.n; i++)
		printf("would start %s\n", d->record.machines.items[i]);
	for (size_t i = 0; i < d->record.enabled.n; i++)
		printf("would start %s with the host again\n", d->record.enabled.items[i]);
}

static int undrain_run(const struct call *call, struct error *err)
{
	const struct undrain_options *options = call->options;
	if (options->json && !options->dry_run)
		return misuse_json(call);
	CLEANUP(drain_done) struct drain d = { .call = call };
	CLEANUP(lock_done) struct lock lock = {};
	int r = begin(&d, &lock, err);
	if (r == 0)
		r = drained_load(d.dir, &d.record, err);
	if (r > 0)
		return error_set(err, ENOENT, "this host is not drained");
	if (r < 0)
		return r;
	if (options->dry_run) {
		show_undrain(&d, options->json);
		return STATUS_DONE;
	}
	r = undrain(&d, options->forget, err);
	return r < 0 ? r : d.failed.n || d.not_enabled.n ? STATUS_FAILURE : STATUS_DONE;
}

static const struct option_spec drain_rows[] = {
	OPTION_DRY_RUN(struct drain_options, dry_run),
	{ 'j', "json", NULL, OPT_FLAG(struct drain_options, json), "With --dry-run: write JSON" },
	{ 0, "save", NULL, OPT_FLAG(struct drain_options, save),
			"Save the machines to disk; those that can't be saved are shut down" },
	{},
};

static const struct option_spec undrain_rows[] = {
	OPTION_DRY_RUN(struct undrain_options, dry_run),
	{ 'j', "json", NULL, OPT_FLAG(struct undrain_options, json), "With --dry-run: write JSON" },
	{ 0, "forget", NULL, OPT_FLAG(struct undrain_options, forget),
			"Forget also what does not start, or cannot be enabled" },
	{},
};

const struct command cmd_drain = {
	.name = "drain",
	.group = GROUP_RUN,
	.flags = COMMAND_FILES | COMMAND_LIVE,
	.summary = "Stop all machines until undrain, also across reboots",
	.description = "Notes which machines run and which start with the host. Then it disables "
		       "those that start with the host, and shuts down those that run, in the "
		       "order that they ask for (\"after\", \"requires\"). Until 'machina undrain' "
		       "none starts with the host; 'machina start' still works. When it was "
		       "interrupted or a machine did not stop, run it again: what was noted "
		       "stays.\n\n"
		       "With --save their memory goes to disk instead, and undrain resumes them "
		       "where they were. The journal of a machine says why it could not be "
		       "saved.\n\n"
		       "Machines that a cluster manager drives (\"cluster\": true) are left "
		       "alone. So are those that 'machina run' has in the foreground, which is a "
		       "failure: the host is not free of guests.",
	.options = drain_rows,
	.options_size = sizeof(struct drain_options),
	.run = drain_run,
};

const struct command cmd_undrain = {
	.name = "undrain",
	.group = GROUP_RUN,
	.flags = COMMAND_FILES | COMMAND_LIVE,
	.summary = "Bring back the machines that drain has stopped",
	.description = "Starts exactly those that ran, in their order, and enables those that "
		       "started with the host. What does not start, or cannot be enabled, stays "
		       "noted for the next time, and keeps nothing else down.",
	.options = undrain_rows,
	.options_size = sizeof(struct undrain_options),
	.run = undrain_run,
};
