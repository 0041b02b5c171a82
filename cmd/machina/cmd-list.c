/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina list: all machines and their states. */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/output.h"
#include "cli/table.h"
#include "host/os/clock.h"
#include "host/systemd/bus-unit.h"
#include "json/jpeek.h"
#include "json/jtree.h"
#include "lifecycle/drain.h"
#include "lifecycle/lifecycle.h"
#include "observe/live.h"
#include "observe/pending.h"
#include "observe/state.h"
#include "setup/hookplan.h"
#include "setup/machines.h"
#include "unit/service.h"
#include "util/file.h"
#include "util/mem.h"

struct list_options {
	bool json;
	bool pending;
};

struct list_row {
	const char *name;
	bool is_lost;	     /* it runs, and there is no config any more */
	char *description;   /* of the config; NULL: the file has faults, or is none */
	char *unread;	     /* why it could not be read; NULL: it could */
	bool has_unit;	     /* its file is there */
	bool generated;	     /* systemd knows the unit, or would find it */
	uint64_t since_usec; /* CLOCK_REALTIME; 0: not known */
	const struct machine_state *state;
	struct pending *pending;
};

/* Where the files of all machines are, for short ways to them. */
struct places {
	const struct config_paths *paths;
	int config_fd, unit_fd; /* -1: there is no such directory */
};

/* From config_fd. The caller frees it. */
static char *find_file(const struct places *places, const char *machine)
{
	struct error unused;
	char *found = NULL;
	if (!places->paths->offline)
		return xasprintf("%s" CONFIG_SUFFIX, machine);
	CLEANUP(freep) char *path = config_machine_path(places->paths, machine);
	return config_follow(places->paths, path, &found, &unused) < 0 ? take_ptr(path) : found;
}

/* Only what the file itself says: tags and the host's config don't matter for a list. */
static char *check_description(const struct places *places, const char *path, const char *machine,
		char **ret_unread)
{
	CLEANUP(report_done) struct report report = {};
	CLEANUP(jdoc_done) struct jdoc doc = {};
	struct error err = {};
	int r = jdoc_load_at(places->config_fd, path, path, &doc, &report, &err);
	if (r == -ENOENT) {
		/* Of its own file, which may be a link that was followed. */
		CLEANUP(freep) char *own = config_machine_path(places->paths, machine);
		CLEANUP(freep) char *reason = file_reason(AT_FDCWD, own, ENOENT);
		error_set(&err, ENOENT, "cannot open '%s" CONFIG_SUFFIX "': %s", machine, reason);
	}
	if (r < 0)
		*ret_unread = xstrdup(err.text);
	if (!doc.root)
		return NULL;
	jcheck(machine_fields, &doc, doc.root, "", &report);
	if (report.n_errors)
		return NULL;
	return xstrdup(jtree_get_text(doc.root, "description"));
}

/* Most files of a host were not changed since they were checked the last time. */
static void read_files(const struct places *places, struct list_row *row)
{
	CLEANUP(freep) char *name = find_file(places, row->name);
	CLEANUP(freep) char *unit = unit_name(UNIT_QEMU, row->name);
	CLEANUP(closep)
	int fd = openat(places->config_fd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	CLEANUP(buf_done) struct buf text = {}, description = {};
	struct error unused;
	struct stat st;
	struct pending *pending = row->pending;
	/* What can't be read is looked at again, by name, for the reason to be found. */
	if (fd >= 0 && file_read_stat(fd, name, JDOC_SIZE_MAX, &text, &st, &unused) == 0)
		pending->config_nsec = clock_timespec_nsec(&st.st_ctim);
	row->has_unit = fstatat(places->unit_fd, unit, &st, 0) == 0;
	if (row->has_unit)
		pending->unit_nsec = clock_timespec_nsec(&st.st_mtim);
	/* A unit that was written since the file was changed, in whatever way: it had no faults. */
	if (pending->config_nsec && pending->config_nsec < pending->unit_nsec &&
			jpeek_text(text.text, text.len, "description", &description) >= 0)
		row->description = xstrdup(buf_text(&description));
	else if (!row->is_lost)
		row->description = check_description(places, name, row->name, &row->unread);
}

static void read_all_files(const struct config_paths *paths, struct list_row *rows, size_t n)
{
	CLEANUP(closep)
	int config_fd = open(paths->offline ? "." : paths->machine_dir,
			O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(closep) int unit_fd = open(paths->unit_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	const struct places places = { paths, config_fd, unit_fd };
	for (size_t i = 0; i < n; i++)
		read_files(&places, &rows[i]);
}

static void take_live(struct list_row *rows, size_t n, const struct live *live)
{
	for (size_t i = 0; i < n; i++) {
		const char *loaded = live->units.n ? live->units.rows[i].load_state : "";
		rows[i].generated = *loaded ? strcmp(loaded, "not-found") != 0 : rows[i].has_unit;
		rows[i].since_usec = live->runs[i].since_usec;
		rows[i].pending->pid = live->runs[i].main_pid;
		rows[i].state = &live->states[i];
	}
}

/* Whether the command line asks for it. */
static bool is_shown(const struct list_options *options, const struct list_row *row)
{
	return !options->pending || row->pending->is_different || row->pending->is_replaced;
}

/* What is not generated can run all the same: its unit was removed since, or is not needed. */
static void add_state(struct table *t, const struct list_row *row)
{
	const struct machine_state *state = row->state;
	if (state->active[0] && !row->generated && !strcmp(state->word, "off"))
		table_add(t, STYLE_DIM, "not generated");
	else
		table_add(t, state->style, "%s%s", state->word,
				state->is_foreground ? " (foreground)" : "");
}

static void add_row(struct table *t, const struct list_row *row, uint64_t now)
{
	table_add(t, STYLE_HEAD, "%s", row->name);
	add_state(t, row);
	CLEANUP(freep)
	char *span = row->since_usec && now > row->since_usec ? format_span(now - row->since_usec)
							      : NULL;
	table_add(t, STYLE_PLAIN, "%s", span ? span : "");
	const struct pending *pending = row->pending;
	table_add(t, STYLE_WARN, "%s%s%s",
			pending->has_to_stop	? "config (stop, generate, start)"
			: pending->is_different ? "config"
						: "",
			pending->is_different && pending->is_replaced ? ", " : "",
			pending->is_replaced ? "upgrade" : "");
	if (row->description)
		table_add(t, STYLE_PLAIN, "%s", row->description);
	else if (row->is_lost)
		table_add(t, STYLE_WARN, "not configured any more");
	else if (row->unread)
		table_add(t, STYLE_BAD, "%s", row->unread);
	else
		table_add(t, STYLE_BAD, "faults in its config: machina validate %s", row->name);
	/* The last one, as it may be long. */
	table_add(t, row->state->style, "%s", row->state->reason ? row->state->reason : "");
}

static void print_rows(const struct list_options *options, const struct list_row *rows, size_t n)
{
	static const struct column columns[] = { { "MACHINE" }, { "STATE" }, { "FOR", true },
		{ "RESTART FOR" }, { "DESCRIPTION", .shrinks = true },
		{ "BECAUSE", .shrinks = true } };
	CLEANUP(table_done)
	struct table t = { .columns = columns,
		.n_columns = ARRAY_SIZE(columns),
		.max_width = terminal_columns(stdout) };
	uint64_t now = clock_real_usec();
	for (size_t i = 0; i < n; i++)
		if (is_shown(options, &rows[i]))
			add_row(&t, &rows[i], now);
	table_print(&t, stdout);
}

static struct json_object *row_json(const struct list_row *row)
{
	const struct pending *pending = row->pending;
	struct json_object *o = jtree_object();
	jtree_set(o, "machine", jtree_string(row->name));
	if (row->state->active[0]) {
		jtree_set(o, "generated", jtree_bool(row->generated));
		jtree_set(o, "active", jtree_string(row->state->active));
		jtree_set(o, "sub", jtree_string(row->state->sub));
		jtree_set(o, "state", jtree_string(row->state->word));
		jtree_set(o, "foreground", jtree_bool(row->state->is_foreground));
		jtree_set_text(o, "reason", row->state->reason);
		if (row->state->in_qemu)
			jtree_set(o, "guest", jtree_string(row->state->in_qemu->name));
	}
	if (row->since_usec)
		jtree_set(o, "since_usec", jtree_int((int64_t)row->since_usec));
	if (pending->is_compared) {
		jtree_set(o, "program_replaced", jtree_bool(pending->is_replaced));
		jtree_set(o, "config_differs", jtree_bool(pending->is_different));
		jtree_set(o, "stop_first", jtree_bool(pending->has_to_stop));
	}
	jtree_set(o, "configured", jtree_bool(!row->is_lost));
	jtree_set(o, "valid", jtree_bool(row->description != NULL));
	jtree_set_text(o, "description", row->description);
	return o;
}

static void print_rows_json(
		const struct list_options *options, const struct list_row *rows, size_t n)
{
	struct json_object *list = jtree_list();
	for (size_t i = 0; i < n; i++)
		if (is_shown(options, &rows[i]))
			jtree_push(list, row_json(&rows[i]));
	print_json(list);
	json_object_put(list);
}

static int list_run(const struct call *call, struct error *err)
{
	const struct list_options *options = call->options;
	CLEANUP(strv_done) struct strv names = {}, lost = {};
	CLEANUP(live_done) struct live live = {};
	int r = machines_select_seen(call, &names, &lost, err);
	if (r != 0)
		return r < 0 ? r : STATUS_FAILURE;
	if (!names.n && !options->json)
		fprintf(stderr,
				"There are no machines: '%s/NAME.conf.json' would describe one, "
				"see machina-machine(5).\n",
				call->paths.machine_dir);

	CLEANUP(freep) struct list_row *rows = xcalloc(names.n + 1, sizeof(*rows));
	CLEANUP(freep) struct pending *pending = xcalloc(names.n + 1, sizeof(*pending));
	for (size_t i = 0; i < names.n; i++) {
		rows[i] = (struct list_row){ .name = names.items[i],
			.is_lost = strv_contains_sorted(&lost, names.items[i]),
			.pending = &pending[i] };
		pending[i].machine = names.items[i];
	}
	live_begin(&live, &call->paths, &names);
	read_all_files(&call->paths, rows, names.n);
	live_wait(&live);
	if (live.err.code)
		print_error(&live.err);
	take_live(rows, names.n, &live);
	pending_find(&call->paths, pending, names.n);
	if (options->json)
		print_rows_json(options, rows, names.n);
	else
		print_rows(options, rows, names.n);
	if (!options->json && !call->paths.offline)
		drain_note(&call->paths);
	for (size_t i = 0; i < names.n; i++) {
		free(rows[i].description);
		free(rows[i].unread);
	}
	return STATUS_DONE;
}

static const struct option_spec options[] = {
	OPTION_JSON(struct list_options, json),
	{ 'p', "pending", NULL, OPT_FLAG(struct list_options, pending),
			"Only machines that a restart would change" },
	{},
};

const struct command cmd_list = {
	.name = "list",
	.group = GROUP_LOOK,
	.flags = COMMAND_FILES | COMMAND_SELECTS,
	.arguments = arguments_machines_optional,
	.summary = "List machines and their states",
	.description = "Without MACHINE all that are configured, and those that run and are not "
		       "configured any more. Where systemd does not run, and with --root, only "
		       "what the files say.\n\n"
		       "STATE is what the unit and the guest are at, FOR how long that has been "
		       "so: off; saved by 'machina save'; starting while the host is prepared; "
		       "booting until the machine is ready; running, paused, asleep; saving, "
		       "moving and the like while it is on its way elsewhere; crashed, when a "
		       "guest does not run on (it has panicked, a disk has failed, a watchdog "
		       "has stopped it); ended, when it has shut down and QEMU is still there; "
		       "shutting down; failed; refused, when systemd cannot use the unit's "
		       "files, or it is masked: machina-life-cycle(7), STATES. All guests are "
		       "asked at once; one whose QEMU does not answer within two seconds, or "
		       "is talking to somebody else, has a '?'. BECAUSE says more where a word "
		       "does not say it all. Who may not ask QEMU sees 'up'. On a terminal that "
		       "is too narrow, DESCRIPTION and BECAUSE are cut; 'machina status' and "
		       "'machina why' have all of it.\n\n"
		       "RESTART FOR is there when a restart would change machines that run: "
		       "'config' where the config would now generate other arguments than those "
		       "that QEMU runs with ('machina diff' shows which), with '(stop, generate, "
		       "start)' where a TPM, a share or a port went that is in use: generate "
		       "leaves its units as they are until it is off; 'upgrade' where QEMU's "
		       "program or one of its libraries was replaced since. Only root may look. "
		       "What has not changed is known by the times of files, the rest is compared.",
	.options = options,
	.options_size = sizeof(struct list_options),
	.run = list_run,
};
