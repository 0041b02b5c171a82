/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Machines that run, for commands that talk to their QEMU. */
#include "lifecycle/monitor.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/output.h"
#include "config/forms.h"
#include "host/machine/saved.h"
#include "host/os/clock.h"
#include "host/qmp/qmp-many.h"
#include "host/systemd/bus-unit.h"
#include "json/jtree.h"
#include "json/jwrite.h"
#include "lifecycle/lifecycle.h"
#include "setup/hookplan.h"
#include "setup/machines.h"
#include "unit/service.h"
#include "util/file.h"
#include "util/mem.h"
#include "util/worker.h"

void monitor_done(struct monitor *monitor)
{
	qmp_free(monitor->qmp);
	plan_done(&monitor->plan);
	*monitor = (struct monitor){};
}

bool monitor_is_there(const struct config_paths *paths, const char *machine)
{
	return hookplan_is_kept(paths, HOOK_QEMU, machine);
}

int monitor_select(const struct call *call, struct strv *ret_names, struct error *err)
{
	CLEANUP(strv_done) struct strv names = {};
	bool named = call->machines.patterns.n > 0;
	int r = lifecycle_select(call, LIFECYCLE_RUN, &names, err);
	for (size_t i = 0; r == 0 && i < names.n; i++)
		if (named || monitor_is_there(&call->paths, names.items[i]))
			strv_push(ret_names, names.items[i]);
	return r;
}

/* What a machine that does not run is at, and the command that helps. */
struct off {
	const char *state; /* of the unit: sub or active */
	const char *what;
	const char *verb, *gives; /* NULL: none helps */
};

static const struct off *find_off(
		const struct config_paths *paths, const char *machine, const struct unit_info *info)
{
	static const struct off rows[] = {
		{ "auto-restart", ", it has failed and is about to be started again", "why",
				"tells why" },
		{ "activating", " yet, it is being started", "why", "tells how far it is" },
		{ "deactivating", " any more, it is being shut down", "why",
				"tells how far that is" },
		{ "failed", ", it has failed", "why", "tells why" },
		{ "active", " any more, its QEMU has just ended", NULL, NULL },
	};
	static const struct off off = { .what = "", .verb = "start", .gives = "starts it" };
	static const struct off saved = {
		.what = ", it is saved", .verb = "start", .gives = "lets it go on from there"
	};
	static const struct off no_unit = {
		.what = ", it has no unit", .verb = "generate", .gives = "makes it"
	};
	static const struct off unknown = { .what = ", there is none of that name" };
	static const struct off faulty = {
		.what = ", systemd refuses its unit", .verb = "why", .gives = "tells why"
	};

	if (!strcmp(info->load_state, "not-found"))
		return machine_is_configured(paths, machine) ? &no_unit : &unknown;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strcmp(rows[i].state, info->sub_state) ||
				!strcmp(rows[i].state, info->active_state))
			return &rows[i];
	if (strcmp(info->load_state, "loaded") != 0)
		return &faulty;
	return saved_is_whole(paths->saved_dir, machine) ? &saved : &off;
}

int monitor_explain_off(const struct config_paths *paths, const char *machine, struct error *err)
{
	CLEANUP(freep) char *unit = unit_name(UNIT_QEMU, machine);
	CLEANUP(bus_freep) struct bus *bus = NULL;
	CLEANUP(unit_info_done) struct unit_info info = {};
	if (bus_open(&bus, NULL) < 0 || bus_get_unit(bus, unit, &info, NULL) < 0)
		return error_set(err, EHOSTDOWN, "machine '%s' does not run", machine);
	const struct off *off = find_off(paths, machine, &info);
	if (!off->verb)
		return error_set(err, EHOSTDOWN, "machine '%s' does not run%s", machine, off->what);
	return error_set(err, EHOSTDOWN, "machine '%s' does not run%s; 'machina %s %s' %s", machine,
			off->what, off->verb, machine, off->gives);
}

int monitor_forbidden(const char *machine, struct error *err)
{
	return error_set(err, EACCES,
			"machine '%s': only root and the group 'machina' may use its monitor",
			machine);
}

/* A QEMU whose socket nobody listens at has ended, or is about to begin. */
static int open_qmp(const struct config_paths *paths, const char *machine, uint64_t deadline_usec,
		struct qmp **ret, struct error *err)
{
	CLEANUP(freep) char *path = plan_qmp_path(paths->run_dir, machine, MONITOR_COMMANDS);
	int r = qmp_open(path, -1, deadline_usec, ret, err);
	switch (r) {
	case QMP_DONE:
		return 0;
	case QMP_ABSENT:
	case QMP_CLOSED:
		return monitor_explain_off(paths, machine, err);
	case -EACCES:
		return monitor_forbidden(machine, err);
	default:
		break;
	}
	const char *occupied = r == QMP_LATE ? saved_occupied(paths->saved_dir, machine) : NULL;
	if (occupied)
		return error_set(err, ETIMEDOUT, "machine '%s': %s", machine, occupied);
	return error_wrap(err, "machine '%s'", machine);
}

int monitor_open(const struct config_paths *paths, const char *machine, uint64_t deadline_usec,
		struct monitor *ret, struct error *err)
{
	CLEANUP(monitor_done) struct monitor monitor = {};
	struct error doubt = {};
	if (!monitor_is_there(paths, machine))
		return monitor_explain_off(paths, machine, err);
	hookplan_recall(paths, HOOK_QEMU, machine, &monitor.plan, &doubt);
	if (doubt.code)
		return error_set(err, doubt.code, "%s", doubt.text);
	int r = open_qmp(paths, machine, deadline_usec, &monitor.qmp, err);
	if (r < 0)
		return r;
	*ret = monitor;
	monitor = (struct monitor){};
	return 0;
}

const struct run_state *monitor_ask_state(
		const struct config_paths *paths, const char *machine, char **ret_reason)
{
	static const char *const commands[] = { "query-status", NULL };
	CLEANUP(freep) char *path = plan_qmp_path(paths->run_dir, machine, MONITOR_COMMANDS);
	struct qmp_many item = { .path = path,
		.occupied = saved_occupied(paths->saved_dir, machine) };
	qmp_many_ask(&item, 1, commands, clock_deadline_usec(QMP_MANY_USEC));
	const struct run_state *state = item.is_answered ? run_state_read(item.replies[0]) : NULL;
	if (!state)
		*ret_reason = xstrdup(item.reason ? item.reason : "QEMU does not tell its state");
	qmp_many_done(&item, 1);
	return state;
}

int monitor_open_first(const struct call *call, uint64_t deadline_usec, struct monitor *ret,
		struct error *err)
{
	const char *machine = call->words.items[0];
	if (!machine_name_valid(machine))
		return error_set(err, ENOENT, "there is no machine '%s'", machine);
	return monitor_open(&call->paths, machine, deadline_usec, ret, err);
}

static int tell(int r, struct error *err)
{
	if (r >= 0)
		return r;
	print_error(err);
	return STATUS_FAILURE;
}

static int run_one(const struct call *call, const char *machine,
		int (*one)(const struct call *call, const char *machine, struct error *err))
{
	struct error err = {};
	return tell(one(call, machine, &err), &err);
}

static int wait_for(const pid_t *children, size_t n)
{
	int worst = STATUS_DONE;
	for (size_t i = 0; i < n; i++) {
		int status;
		while (waitpid(children[i], &status, 0) < 0 && errno == EINTR)
			;
		int code = WIFEXITED(status) ? WEXITSTATUS(status) : STATUS_FAILURE;
		if (code > worst)
			worst = code;
	}
	return worst;
}

int each_machine(const struct call *call, const struct strv *names,
		int (*one)(const struct call *call, const char *machine, struct error *err),
		struct error *err)
{
	if (names->n == 1)
		return run_one(call, names->items[0], one);
	CLEANUP(freep) pid_t *children = xcalloc(names->n + 1, sizeof(*children));
	fflush(stdout);
	for (size_t i = 0; i < names->n; i++) {
		children[i] = fork();
		if (children[i] < 0) {
			error_errno(err, "cannot make a process for '%s'", names->items[i]);
			wait_for(children, i);
			return -err->code;
		}
		if (children[i] == 0)
			_exit(output_finish(run_one(call, names->items[i], one)));
	}
	return wait_for(children, names->n);
}

/* ---- with a list of what they tell ---- */

struct listing {
	const struct call *call;
	const char *machine;
	list_fn *one;
	void *context;
	struct worker worker;
};

static int list_one(const struct listing *l, struct json_object *list)
{
	struct error err = {};
	return tell(l->one(l->call, l->context, l->machine, list, &err), &err);
}

/* In a process of its own: the status, and behind it the list. */
static bool list_apart(void *context, struct buf *result)
{
	CLEANUP(jtree_putp) struct json_object *list = jtree_list();
	const int status = list_one(context, list);
	buf_add(result, &status, sizeof(status));
	jwrite(result, list, JWRITE_LINE);
	return true;
}

static int take_list(struct listing *l, struct json_object *ret_list)
{
	CLEANUP(buf_done) struct buf result = {};
	CLEANUP(jtree_putp) struct json_object *list = NULL;
	const bool is_begun = l->worker.pid != 0;
	int status = STATUS_FAILURE;
	if (worker_finish(&l->worker, &result) == 0) {
		if (!is_begun)
			return list_one(l, ret_list);
		complain("%s: the process that asked it was ended", l->machine);
		return STATUS_FAILURE;
	}
	memcpy(&status, result.text, sizeof(status));
	list = json_tokener_parse(result.text + sizeof(status));
	for (size_t i = 0; i < jtree_length(list); i++)
		jtree_push(ret_list, json_object_get(jtree_at(list, i)));
	return status;
}

int each_machine_lists(const struct call *call, const struct strv *names, list_fn *one,
		void *context, struct json_object *ret_list)
{
	CLEANUP(freep) struct listing *all = xcalloc(names->n, sizeof(*all));
	int worst = STATUS_DONE;
	file_allow_many();
	for (size_t i = 0; i < names->n; i++) {
		all[i] = (struct listing){ call, names->items[i], one, context, { .fd = -1 } };
		if (names->n > 1)
			worker_start(&all[i].worker, list_apart, &all[i]);
	}
	for (size_t i = 0; i < names->n; i++) {
		int status = take_list(&all[i], ret_list);
		if (status > worst)
			worst = status;
	}
	return worst;
}
