/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina connect, disconnect: the connections of machines that run. */
#include <stdio.h>
#include <string.h>

#include "cli/complete.h"
#include "cli/output.h"
#include "config/forms.h"
#include "hook/firewall-prepared.h"
#include "hook/foreground.h"
#include "host/os/lock.h"
#include "host/os/netns.h"
#include "host/prepare/connect.h"
#include "json/jnames.h"
#include "lifecycle/monitor.h"
#include "setup/firewall-target.h"
#include "setup/hookplan.h"
#include "setup/machines.h"
#include "util/mem.h"

struct connect_options {
	bool dry_run;
};

/* ---- which connections are meant ---- */

struct wanted {
	char *machine;
	char *connection; /* NULL: all */
};

struct wanted_list {
	struct wanted *items;
	size_t n;
};

static void wanted_list_done(struct wanted_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->items[i].machine);
		free(list->items[i].connection);
	}
	free(list->items);
}

/*
 * Both names may hold dots. A machine that runs is meant rather than none, and a longer name rather
 * than a shorter one.
 */
static struct wanted split(const struct call *call, const char *word)
{
	for (size_t len = strlen(word); len > 0; len--) {
		if (word[len] != '\0' && (word[len] != '.' || !word[len + 1]))
			continue;
		CLEANUP(freep) char *machine = xstrndup(word, len);
		if (machine_name_valid(machine) &&
				hookplan_is_kept(&call->paths, HOOK_QEMU, machine))
			return (struct wanted){ take_ptr(machine),
				word[len] ? xstrdup(word + len + 1) : NULL };
	}
	return (struct wanted){};
}

static int find_wanted(
		const struct call *call, const char *word, struct wanted *ret, struct error *err)
{
	CLEANUP(freep) char *machine = NULL;
	const char *part;
	*ret = split(call, word);
	if (ret->machine)
		return 0;
	int r = machines_split(call, word, &machine, &part, err);
	return r < 0 ? r : monitor_explain_off(&call->paths, machine, err);
}

/* The index in the plan; all that are there for a NULL @name. */
static int find_connections(const struct plan *plan, const char *name, size_t *ret_first,
		size_t *ret_end, struct error *err)
{
	size_t n = plan_n_connections(plan);
	CLEANUP(freep) const char **names = xcalloc(n + 1, sizeof(*names));
	CLEANUP(buf_done) struct buf hint = {};
	*ret_first = 0;
	*ret_end = n;
	if (!name && n)
		return 0;
	if (!name)
		return error_set(err, ENOENT, "machine '%s' has no connections", plan->machine);
	for (size_t i = 0; i < n; i++) {
		names[i] = plan_connection(plan, i).name;
		if (strcmp(names[i], name) != 0)
			continue;
		*ret_first = i;
		*ret_end = i + 1;
		return 0;
	}
	jnames_hint(&hint, name, names, n);
	return error_set(err, ENOENT, "machine '%s' was started without a connection '%s'%s",
			plan->machine, name, buf_text(&hint));
}

/* ---- doing it ---- */

struct work {
	const struct call *call;
	bool on;
	struct config config; /* for the filters, once one is needed */
	bool has_config;
};

static int load_policy(struct work *w, const struct plan *plan, struct error *err)
{
	if (!w->on || w->has_config || !plan_has_filter(plan))
		return 0;
	int r = config_load_policy(&w->config, &w->call->paths, err);
	w->has_config = r == 0;
	return r;
}

/* How far a connection has come. */
struct step {
	bool on_host; /* the rest is up to the guest's end */
	bool is_so;   /* it was before */
};

static void print_done(const struct work *w, const struct plan *plan, size_t i, bool is_so)
{
	printf("%s.%s: %s%s\n", plan->machine, plan_connection(plan, i).name,
			w->on ? "connected" : "disconnected", is_so ? " already" : "");
}

static int change_host(struct work *w, const struct plan *plan, size_t i,
		const struct prepare_options *options, struct step *ret, struct error *err)
{
	const struct connect_options *cli = w->call->options;
	/* A virtual function: it is told what to do instead. */
	if (!plan_connection(plan, i).id)
		return connect_change_host(plan, i, w->on, options, err);
	int before = connect_look(plan, i, options, err);
	if (before < 0)
		return before;
	ret->is_so = before == (w->on ? CONNECT_ON : CONNECT_OFF);
	if (cli->dry_run && !ret->is_so) {
		CLEANUP(strv_done) struct strv lines = {};
		connect_describe(plan, i, w->on, &lines);
		print_lines(&lines);
		return 0;
	}
	if (cli->dry_run) {
		print_done(w, plan, i, true);
		return 0;
	}
	/* Also what is so already: whoever has changed it by hand gets what he asks for. */
	int r = connect_change_host(plan, i, w->on, options, err);
	ret->on_host = r == 0;
	return r;
}

static void tell_failure(
		const struct work *w, const struct plan *plan, int r, struct error *failure)
{
	if (r == -EHOSTDOWN)
		monitor_explain_off(&w->call->paths, plan->machine, failure);
	print_error(failure);
}

/* First all ends on the host: what is cut off must not wait for a QEMU that hangs. Returns how many
 * have failed. */
static size_t change_all(struct work *w, const struct plan *plan, size_t first, size_t end,
		const struct prepare_options *options)
{
	CLEANUP(connect_monitor_done) struct connect_monitor monitor = {};
	CLEANUP(freep) struct step *steps = xcalloc(end, sizeof(*steps));
	size_t n_failed = 0;
	for (size_t i = first; i < end; i++) {
		struct error failure = {};
		int r = change_host(w, plan, i, options, &steps[i], &failure);
		if (r >= 0)
			continue;
		tell_failure(w, plan, r, &failure);
		n_failed++;
	}
	for (size_t i = first; i < end; i++) {
		struct error failure = {};
		if (!steps[i].on_host)
			continue;
		progress_show("waiting for QEMU of '%s'", plan->machine);
		int r = connect_change_guest(plan, i, w->on, &monitor, &failure);
		progress_clear();
		if (r == 0) {
			print_done(w, plan, i, steps[i].is_so);
			continue;
		}
		tell_failure(w, plan, r, &failure);
		n_failed++;
	}
	return n_failed;
}

/* Nobody starts or stops the machine meanwhile: what is done belongs to this plan. */
static int change_machine(struct work *w, const struct wanted *wanted, struct error *err)
{
	const struct config_paths *paths = &w->call->paths;
	CLEANUP(lock_done) struct lock lock = {};
	CLEANUP(plan_done) struct plan plan = {};
	size_t first = 0, end = 0, n_failed = 0;
	struct error doubt = {};
	bool is_foreground = foreground_is(paths, wanted->machine);
	CLEANUP(prepared_others_done) struct prepared_others others;
	prepared_others_init(&others, paths);
	const struct prepare_options options = {
		.policy = &w->config.policy,
		.others = &others.others,
		.netns = is_foreground ? NETNS_OWN : NETNS_HOST,
	};
	int r = lock_machine(paths->run_dir, wanted->machine, LOCK_WAIT_USEC, &lock, err);
	if (r == 0 && !hookplan_is_kept(paths, HOOK_QEMU, wanted->machine))
		r = monitor_explain_off(paths, wanted->machine, err);
	if (r == 0)
		hookplan_recall(paths, HOOK_QEMU, wanted->machine, &plan, &doubt);
	if (r == 0 && doubt.code)
		r = error_set(err, doubt.code, "%s", doubt.text);
	if (r == 0)
		r = find_connections(&plan, wanted->connection, &first, &end, err);
	if (r == 0)
		r = load_policy(w, &plan, err);
	if (r == 0)
		n_failed = change_all(w, &plan, first, end, &options);
	return r < 0 ? r : n_failed ? STATUS_FAILURE : STATUS_DONE;
}

static int change(const struct call *call, bool on, struct error *err)
{
	CLEANUP(wanted_list_done) struct wanted_list list = {};
	struct work work = { .call = call, .on = on };
	int r = 0, status = STATUS_DONE;
	list.items = xcalloc(call->words.n, sizeof(*list.items));
	/* All or none of what is meant is understood. */
	for (size_t i = 0; r == 0 && i < call->words.n; i++)
		r = find_wanted(call, call->words.items[i], &list.items[list.n++], err);
	for (size_t i = 0; r == 0 && i < list.n; i++) {
		struct error failure = {};
		int done = change_machine(&work, &list.items[i], &failure);
		if (done < 0)
			print_error(&failure);
		if (done != 0)
			status = STATUS_FAILURE;
	}
	config_done(&work.config);
	return r < 0 ? r : status;
}

static int connect_run(const struct call *call, struct error *err)
{
	return change(call, true, err);
}

static int disconnect_run(const struct call *call, struct error *err)
{
	return change(call, false, err);
}

static const struct option_spec options[] = {
	OPTION_DRY_RUN(struct connect_options, dry_run),
	{},
};

static const struct argument arguments[] = {
	{ .name = "MACHINE[.NAME]", .flags = ARGUMENT_MANY, .complete = complete_connections },
	{},
};

static const struct example connect_examples[] = {
	{ "machina connect web.lan", "Plug the cable of web's connection 'lan' in again." },
	{},
};

static const struct example disconnect_examples[] = {
	{ "machina disconnect web", "Cut web off from all networks, without stopping it." },
	{},
};

const struct command cmd_connect = {
	.name = "connect",
	.group = GROUP_RUN,
	.flags = COMMAND_FILES | COMMAND_LIVE,
	.arguments = arguments,
	.summary = "Give machines that run their connections back",
	.description = "The packet filter is installed, the interface joins its bridge, and the "
		       "guest sees its link come up. NAME is the connection's; without it all of "
		       "the machine's are meant.\n\n"
		       "It goes by what the machine was started with, as everything that is done "
		       "to one that runs. Every start connects all but those with \"connected\": "
		       "false; that of a machine that was saved has what it had.",
	.options = options,
	.options_size = sizeof(struct connect_options),
	.examples = connect_examples,
	.run = connect_run,
};

const struct command cmd_disconnect = {
	.name = "disconnect",
	.group = GROUP_RUN,
	.flags = COMMAND_FILES | COMMAND_LIVE,
	.arguments = arguments,
	.summary = "Take connections away from machines that run",
	.description = "As if the cable were pulled: the interface leaves its bridge, then the "
		       "guest sees its link go down. NAME is the connection's; without it all of "
		       "the machine's are meant, which leave their bridges before the guest is "
		       "told of any: where QEMU hangs, nothing passes all the same.\n\n"
		       "It stays so when the guest reboots, until 'machina connect', or until QEMU "
		       "is started anew: a start connects all but those with \"connected\": false; "
		       "that of a machine that was saved has what it had.",
	.options = options,
	.options_size = sizeof(struct connect_options),
	.examples = disconnect_examples,
	.run = disconnect_run,
};
