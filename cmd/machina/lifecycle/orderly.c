/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shutting down and rebooting guests in an orderly way, for commands. */
#include "lifecycle/orderly.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/machine/save.h"
#include "host/os/clock.h"
#include "host/os/process.h"
#include "lifecycle/monitor.h"
#include "setup/hookplan.h"
#include "util/mem.h"
#include "util/parse.h"

#define MONITOR_SYSTEM "systemd.0"

/* The sockets of a machine in the order in which they are tried, NULL at the end. */
struct sockets {
	char *paths[4];
};

static void sockets_done(struct sockets *sockets)
{
	for (size_t i = 0; i < ARRAY_SIZE(sockets->paths); i++)
		free(sockets->paths[i]);
}

/* The unit's own is left to the unit. */
static void name_sockets(const char *run_dir, const char *machine, bool system, struct sockets *ret)
{
	static const char *const names[] = { MONITOR_SYSTEM, MONITOR_COMMANDS, MONITOR_EVENTS };
	size_t n = 0;
	for (size_t i = system ? 0 : 1; i < ARRAY_SIZE(names); i++)
		ret->paths[n++] = plan_qmp_path(run_dir, machine, names[i]);
}

/* Lines of several machines come from as many processes: each is one write. */
static void say(const char *machine, const char *text)
{
	CLEANUP(freep) char *line = xasprintf("%s: %s\n", machine, text);
	fflush(stdout);
	fputs(line, stdout);
	fflush(stdout);
}

struct audience {
	const struct call *call;
	const char *machine;
};

static void progress(void *data, const char *text)
{
	const struct audience *audience = data;
	say(audience->machine, text);
}

/* A guest that stands still may be one whose save broke off, or one that was saved. */
static int resume(void *data, struct qmp *qmp, bool moved, struct error *err)
{
	const struct audience *audience = data;
	const char *dir = audience->call->paths.saved_dir;
	enum saved_state state = saved_look(dir, audience->machine);
	if (moved && state != SAVED_UNFINISHED)
		return SHUTDOWN_ELSEWHERE;
	int r = save_let_run(dir, audience->machine, qmp, err);
	if (r != -EBUSY)
		return r < 0 ? r : SHUTDOWN_RESUMED;
	/* It is being saved at this moment. Until QEMU has all of it that ends when somebody lets
	 * the guest run; then it is about to be off, which is what is wanted. */
	uint64_t until = clock_deadline_usec(SHUTDOWN_PRESS_USEC);
	return moved ? SHUTDOWN_NOT_YET : qmp_call(qmp, "cont", NULL, until, NULL, err);
}

/* systemd.exec(5), $SYSTEMD_EXEC_PID: not so for what a user types, wherever the shell came from.
 */
static bool is_run_by_systemd(void)
{
	const char *text = getenv("SYSTEMD_EXEC_PID");
	int pid;
	return text && parse_int(text, 1, INT32_MAX, &pid) == 0 && pid == getpid();
}

/* systemd sets $MAINPID for ExecStop= while QEMU lives, and leaves it empty when it has gone. */
pid_t orderly_main_pid(void)
{
	const char *text = getenv("MAINPID");
	int pid;
	if (!text || parse_int(text, 1, INT32_MAX, &pid) < 0)
		return is_run_by_systemd() ? SHUTDOWN_PID_NONE : SHUTDOWN_PID_UNKNOWN;
	return pid;
}

static const char *outcome_text(enum shutdown_outcome outcome, bool force)
{
	switch (outcome) {
	case SHUTDOWN_NOT_RUNNING:
		return "does not run";
	case SHUTDOWN_PRESSED:
		return "was asked to shut down";
	case SHUTDOWN_DONE:
		return "is down";
	case SHUTDOWN_QUIT:
		return force ? "is down; its guest was not asked"
			     : "did not shut down in time; QEMU was told to quit";
	}
	return "";
}

/* One machine's way down, or down and up: the request and what it points to. */
struct errand {
	struct sockets sockets;
	struct audience audience;
	struct plan plan;
	struct shutdown_request request;
};

static void errand_done(struct errand *e)
{
	sockets_done(&e->sockets);
	plan_done(&e->plan);
}

static void errand_begin(
		struct errand *e, const struct call *call, const char *machine, bool system)
{
	/* Without a plan the guest is asked by its button alone. */
	struct error doubt = {};
	name_sockets(call->paths.run_dir, machine, system, &e->sockets);
	hookplan_recall(&call->paths, HOOK_QEMU, machine, &e->plan, &doubt);
	e->audience = (struct audience){ call, machine };
	e->request = (struct shutdown_request){
		.paths = (const char *const *)e->sockets.paths,
		.plan = &e->plan,
		.main_pid = system ? orderly_main_pid() : SHUTDOWN_PID_UNKNOWN,
		.resume = resume,
		.progress = progress,
		.data = &e->audience,
	};
}

int orderly_shutdown(const struct call *call, const char *machine,
		const struct orderly_options *options, struct error *err)
{
	CLEANUP(errand_done) struct errand errand = {};
	errand_begin(&errand, call, machine, options->system);
	errand.request.timeout_usec = options->timeout_usec;
	errand.request.force = options->force;
	enum shutdown_outcome outcome;
	int r = shutdown_machine(&errand.request, &outcome, err);
	if (r < 0) {
		/* In a unit whose KillSignal= QEMU ignores, systemd would only do so by SIGKILL. */
		if (options->system && errand.request.main_pid > 0)
			process_terminate(errand.request.main_pid);
		return error_wrap(err, "%s", machine);
	}
	/* For systemd's own call this is the normal end of a guest that went by itself. */
	if (outcome != SHUTDOWN_NOT_RUNNING || !options->system)
		say(machine, outcome_text(outcome, options->force));
	return STATUS_DONE;
}

static volatile sig_atomic_t told_to_end;

static void note_end(int signal)
{
	(void)signal;
	told_to_end = 1;
}

static bool is_told_to_end(void *data)
{
	(void)data;
	return told_to_end;
}

/* A guest that shuts down while nobody is there to reset it would stay off. */
static void catch_ends(void)
{
	const struct sigaction action = { .sa_handler = note_end };
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

int orderly_reboot(const struct call *call, const char *machine, uint64_t timeout_usec,
		struct error *err)
{
	CLEANUP(errand_done) struct errand errand = {};
	errand_begin(&errand, call, machine, false);
	errand.request.timeout_usec =
			timeout_usec ? timeout_usec
				     : (uint64_t)plan_shutdown_sec(&errand.plan) * USEC_PER_SEC;
	errand.request.is_canceled = is_told_to_end;
	catch_ends();
	int r = reboot_machine(&errand.request, err);
	if (r == -EHOSTDOWN)
		return monitor_explain_off(&call->paths, machine, err);
	if (r < 0)
		return error_wrap(err, "%s", machine);
	say(machine, "reboots");
	return STATUS_DONE;
}
