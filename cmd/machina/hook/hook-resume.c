/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Resuming a machine that was saved, in the hooks of its unit. */
#include "hook/hook-resume.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/output.h"
#include "hook/await-guard.h"
#include "hook/firewall-prepared.h"
#include "host/machine/restore.h"
#include "host/os/clock.h"
#include "host/os/lock.h"
#include "host/os/process.h"
#include "host/prepare/connect.h"
#include "host/systemd/fdstore.h"
#include "setup/hookplan.h"
#include "setup/host-config.h"
#include "unit/service.h"
#include "util/mem.h"

/* How much more time is asked for, and how often: more than one call of QEMU may take. */
#define EXTEND_USEC (MIGRATION_CALL_USEC + 60 * USEC_PER_SEC)
#define EXTEND_EVERY_USEC (5 * USEC_PER_SEC)

/* Messages begin with the machine, as those of teardown do. */
static void tell(const char *machine, const char *text)
{
	printf("%s: %s\n", machine, text);
	fflush(stdout);
}

char *hook_resume_discard_path(const struct config_paths *paths, const char *machine)
{
	/* No machine's name begins with a dot. */
	return xasprintf("%s/.%s.discard", paths->run_dir, machine);
}

bool hook_resume_is_discarded(const struct config_paths *paths, const char *machine)
{
	CLEANUP(freep) char *path = hook_resume_discard_path(paths, machine);
	return lock_is_held(path);
}

int hook_resume_put_aside(
		const struct config_paths *paths, const struct plan *plan, struct error *err)
{
	const struct saved_machine machine = { .dir = paths->saved_dir, .plan = plan };
	CLEANUP(freep) char *path = hook_resume_discard_path(paths, plan->machine);
	int r = restore_put_aside(&machine, err);
	/* Whoever holds it has meant this one, not what is saved of the machine from now on. */
	if (r == 0)
		(void)!unlink(path);
	return r;
}

int hook_resume_prepare(const struct config_paths *paths, const struct plan *plan,
		const struct buf *text, struct strv *ret_words, struct error *err)
{
	CLEANUP(strv_done) struct strv argv = {};
	CLEANUP(plan_done) struct plan tpm = {};
	CLEANUP(freep) char *note = NULL;
	if (saved_look(paths->saved_dir, plan->machine) == SAVED_NONE)
		return 0;
	int r = hookplan_argv("the unit", text, &argv, err);
	if (r == 0)
		r = hookplan_recall_tpm(paths, plan, &tpm, err);
	if (r < 0)
		return r;
	const struct saved_machine machine = {
		.dir = paths->saved_dir,
		.plan = plan,
		.argv = &argv,
		.tpm_data = tpm.tpm_data,
	};
	r = restore_prepare(&machine, ret_words, &note, err);
	if (note)
		tell(plan->machine, note);
	return r < 0 ? r : 0;
}

void hook_resume_ask_time(uint64_t usec)
{
	CLEANUP(fdstore_done) struct fdstore systemd = {};
	CLEANUP(buf_done) struct buf text = {};
	buf_printf(&text, "EXTEND_TIMEOUT_USEC=%" PRIu64, usec);
	/* Nobody has to listen. */
	if (fdstore_open(getenv("NOTIFY_SOCKET"), &systemd, NULL) == 0)
		(void)!send(systemd.fd, buf_text(&text), text.len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void hook_resume_extend(void *data, uint64_t done, uint64_t total)
{
	static uint64_t next_usec;
	(void)data;
	(void)done;
	(void)total;
	if (clock_now_usec() < next_usec)
		return;
	next_usec = clock_deadline_usec(EXTEND_EVERY_USEC);
	hook_resume_ask_time(EXTEND_USEC);
}

/*
 * The last step, by a process that does not begin before this hook has ended well: what ends a
 * hook of a start takes QEMU along, and then the guest is there only where it was saved.
 */
static void finish_later(const struct config_paths *paths, const char *machine)
{
	struct error err = {};
	CLEANUP(closep) int parent = pidfd_open(getpid(), 0);
	fflush(stdout);
	pid_t pid = fork();
	if (pid != 0)
		return;
	(void)!process_ends(parent, DEADLINE_NEVER);
	if (await_guard_watch(machine, -1) == PHASE_UP &&
			restore_finish(paths->saved_dir, machine, &err) < 0)
		print_error(&err);
	_exit(0);
}

struct resume_watch {
	bool (*is_stopped)(void);
};

static bool is_canceled(void *data)
{
	const struct resume_watch *watch = data;
	return watch->is_stopped();
}

/* What was away is away again, and what the plan begins without is there if it was. */
static int restore_connections(const struct config_paths *paths,
		const struct saved_machine *machine, const struct prepare_options *options,
		struct error *err)
{
	const struct plan *plan = machine->plan;
	struct prepare_options filtering = *options;
	CLEANUP(config_done) struct config config = {};
	CLEANUP(lock_done) struct lock lock = {};
	CLEANUP(strv_done) struct strv taken = {};
	CLEANUP(prepared_others_done) struct prepared_others others;
	prepared_others_init(&others, paths);
	filtering.others = &others.others;
	int r = restore_list_taken(machine, &taken, err);
	for (size_t i = 0; r >= 0 && i < plan_n_connections(plan); i++) {
		const struct plan_connection connection = plan_connection(plan, i);
		bool on = !connection.id || !strv_contains(&taken, connection.id);
		if (on == !connection.disconnected)
			continue;
		if (!lock.path)
			r = lock_machine(paths->run_dir, plan->machine, LOCK_WAIT_USEC, &lock, err);
		if (r >= 0 && on && !filtering.policy) {
			filtering.policy = &config.policy;
			r = config_load_policy_for(&config, paths, plan, err);
		}
		if (r >= 0)
			r = connect_change(plan, i, on, &filtering, err);
	}
	return r < 0 ? r : 0;
}

int hook_resume_await(const struct config_paths *paths, const struct plan *plan,
		const struct prepare_options *options, bool (*is_stopped)(void), struct error *err)
{
	const struct saved_machine machine = { .dir = paths->saved_dir, .plan = plan };
	struct resume_watch stop = { is_stopped };
	const struct migration_watch watch = {
		.progress = hook_resume_extend,
		.is_canceled = is_canceled,
		.data = &stop,
	};
	const struct plan_fd *socket = plan_find(plan, PLAN_MONITOR_HOOKS);
	CLEANUP(qmp_freep) struct qmp *qmp = NULL;
	if (!saved_is_whole(paths->saved_dir, plan->machine)) {
		struct error doubt = {};
		if (restore_finish(paths->saved_dir, plan->machine, &doubt) < 0)
			print_error(&doubt);
		return 0;
	}
	if (!socket)
		return 0;
	int r = qmp_open_free(socket->path, -1, clock_deadline_usec(QMP_GREETING_USEC), &qmp, err);
	if (r != QMP_DONE)
		return r < 0 ? r : -err->code;
	r = restore_connections(paths, &machine, options, err);
	if (r < 0)
		return r;
	r = restore_run(&machine, qmp, &watch, err);
	if (r != 0)
		return r < 0 ? r : 0;
	tell(plan->machine, "resumed from its saved state");
	/* The child would keep the monitor from whoever shuts the guest down meanwhile. */
	qmp_freep(&qmp);
	finish_later(paths, plan->machine);
	return 1;
}
