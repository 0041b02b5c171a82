/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina prepare, await, teardown: called by the units. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/complete.h"
#include "cli/output.h"
#include "cmd-network-hooks.h"
#include "config/forms.h"
#include "guest/console-log.h"
#include "hook/await-ready.h"
#include "hook/await-started.h"
#include "hook/firewall-prepared.h"
#include "hook/foreground.h"
#include "hook/hook-resume.h"
#include "host/machine/cause.h"
#include "host/os/clock.h"
#include "host/os/process.h"
#include "host/prepare/connect.h"
#include "host/prepare/prepare.h"
#include "host/qmp/await.h"
#include "lifecycle/saving.h"
#include "qemu/argv.h"
#include "setup/hookplan.h"
#include "setup/host-config.h"
#include "setup/networks.h"
#include "unit/service.h"
#include "unit/unitfile.h"
#include "util/mem.h"
#include "util/parse.h"

struct prepare_options_cli {
	bool dry_run;
};

struct teardown_options {
	bool dry_run;
	bool swtpm;
	bool network;
	bool virtiofsd;
};

struct await_options {
	bool dry_run;
	const char *ready;
	uint64_t timeout_usec;
	int host_end; /* enum vm_host_end */
};

/* The unit's TimeoutStartSec= is a little longer, so that the reason is told here. */
#define AWAIT_TIMEOUT_USEC (280 * USEC_PER_SEC)
/* systemd stops QEMU and the hook one after the other; the first may end before the second knows.
 */
#define SIGNAL_MSEC 200

static struct prepare_options from_environment(void)
{
	return (struct prepare_options){ .notify_socket = getenv("NOTIFY_SOCKET") };
}

/* Hooks take a machine at its name, whatever is configured by now; that of a share's unit is
 * "MACHINE@SHARE". */
static int check_name(enum hook_unit unit, const char *name, struct error *err)
{
	const char *expected, *at = strchr(name, '@');
	CLEANUP(freep) char *machine = hookplan_machine(name);
	if (!at != (unit != HOOK_SHARE))
		return error_set(err, EINVAL, "'%s' is not the name of a %s", name,
				unit == HOOK_SHARE ? "machine, '@' and the name of a share"
						   : "machine");
	if (!form_machine_name(machine, &expected))
		return error_set(err, EINVAL, "'%s' can't be the name of a machine: expected %s",
				machine, expected);
	if (at && !form_share_name(at + 1, &expected))
		return error_set(err, EINVAL, "'%s' can't be the name of a share: expected %s",
				at + 1, expected);
	return 0;
}

static volatile sig_atomic_t told_to_stop;

static void note_stop(int signal)
{
	(void)signal;
	told_to_stop = 1;
}

static bool has_to_stop(void)
{
	return told_to_stop;
}

/*
 * A unit that is stopped while it starts is no failure, but systemd takes a hook that dies of its
 * SIGTERM for one. So a hook finishes what it is at, and what comes next in the unit undoes it.
 * With a function instead of SIG_IGN, programs that the hook runs are not changed.
 */
static void outlive_stops(void)
{
	const struct sigaction action = { .sa_handler = note_stop, .sa_flags = SA_RESTART };
	sigset_t stop;
	sigaction(SIGTERM, &action, NULL);
	/* One may wait since the program has begun (COMMAND_OUTLIVES). */
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigprocmask(SIG_UNBLOCK, &stop, NULL);
}

/*
 * The words that the unit's command line ends in, where they are needed.
 *
 * @words: of this start
 * @ret_vhost: the same and those for vhost-net, if there are any
 */
static int runtime_words(const struct plan *plan, const struct strv *words, struct buf *ret,
		struct buf *ret_vhost, struct error *err)
{
	CLEANUP(strv_done) struct strv all = {};
	qemu_vhost_args(plan, &all);
	bool has_vhost = all.n > 0;
	strv_extend(&all, words);
	int r = words->n ? unitfile_environment(ret, UNIT_RUNTIME_ARGS, words, err) : 0;
	return r == 0 && has_vhost ? unitfile_environment(ret_vhost, UNIT_RUNTIME_ARGS, &all, err)
				   : r;
}

static int prepare_machine(const struct call *call, enum hook_unit unit, const char *machine,
		struct error *err)
{
	const struct prepare_options_cli *cli = call->options;
	struct prepare_options options = from_environment();
	CLEANUP(plan_done) struct plan plan = {};
	CLEANUP(buf_done) struct buf text = {};
	CLEANUP(freep) char *alone = hookplan_machine(machine);
	int r = check_name(unit, machine, err);
	if (r < 0)
		return r;
	if (!options.notify_socket && !cli->dry_run)
		return error_set(err, ENOTCONN,
				"there is no unit to prepare for: this is called by the unit of "
				"machine '%s' ('machina start %s'); 'machina run %s' starts it "
				"without one",
				alone, alone, alone);
	r = hookplan_begin(&call->paths, unit, machine, &plan, &text, err);
	if (r < 0)
		return r;
	if (cli->dry_run) {
		CLEANUP(strv_done) struct strv lines = {};
		prepare_describe(&plan, false, &lines);
		print_lines(&lines);
		return 0;
	}
	outlive_stops();
	CLEANUP(buf_done) struct buf environment = {}, vhost = {};
	CLEANUP(strv_done) struct strv words = {};
	CLEANUP(config_done) struct config config = {};
	CLEANUP(prepared_others_done) struct prepared_others others;
	prepared_others_init(&others, &call->paths);
	options.policy = &config.policy;
	options.others = &others.others;
	r = config_load_policy_for(&config, &call->paths, &plan, err);
	if (r == 0)
		r = foreground_check(&call->paths, alone, err);
	bool discards = r == 0 && unit == HOOK_QEMU &&
			hook_resume_is_discarded(&call->paths, machine);
	if (r == 0 && unit == HOOK_QEMU && !discards)
		r = hook_resume_prepare(&call->paths, &plan, &text, &words, err);
	if (r == 0)
		r = runtime_words(&plan, &words, &environment, &vhost, err);
	options.environment = environment.len ? buf_text(&environment) : NULL;
	options.vhost_environment = vhost.len ? buf_text(&vhost) : NULL;
	if (r == 0)
		r = networks_mend_for(&call->paths, &plan, err);
	if (r == 0)
		r = hookplan_keep(&call->paths, unit, &plan, buf_text(&text), err);
	if (r < 0)
		return r;
	plan.is_all = r > 0;
	r = prepare_run(&plan, &options, NULL, err);
	if (r >= 0 && discards)
		return hook_resume_put_aside(&call->paths, &plan, err);
	/* What failed has undone itself, so that nothing is left to recall. */
	struct error ignored = {};
	if (r < 0 && hookplan_forget(&call->paths, unit, machine, false, &ignored) < 0)
		print_error(&ignored);
	return r;
}

static int prepare_all(const struct call *call, enum hook_unit unit, struct error *err)
{
	for (size_t i = 0; i < call->words.n; i++) {
		int r = prepare_machine(call, unit, call->words.items[i], err);
		if (r < 0)
			return error_wrap(err, "cannot prepare machine '%s'", call->words.items[i]);
	}
	return STATUS_DONE;
}

static int prepare_qemu_run(const struct call *call, struct error *err)
{
	return prepare_all(call, HOOK_QEMU, err);
}

static int prepare_swtpm_run(const struct call *call, struct error *err)
{
	return prepare_all(call, HOOK_SWTPM, err);
}

/* Of a guest that has come to a bad end: the log of its console goes with the run directory. */
static void tell_last_words(const struct plan *plan)
{
	const char *result = getenv("SERVICE_RESULT");
	const struct plan_fd *log = plan_find(plan, "console.log");
	if (!result || !strcmp(result, "success") || !log)
		return;
	CLEANUP(freep) char *words = console_log_last_words(log->path);
	if (words)
		fprintf(stderr, CAUSE_LAST_WORDS "%s\n", words);
}

/* Goes on after every failure: what can be cleaned up is. */
static int teardown_machine(const struct call *call, const char *machine, struct error *err)
{
	const struct teardown_options *cli = call->options;
	enum hook_unit unit = cli->virtiofsd ? HOOK_SHARE : cli->swtpm ? HOOK_SWTPM : HOOK_QEMU;
	CLEANUP(freep) char *alone = hookplan_machine(machine);
	struct prepare_options options = from_environment();
	CLEANUP(plan_done) struct plan plan = {};
	CLEANUP(strv_done) struct strv lines = {};
	struct error doubt = {};
	int r = check_name(unit, machine, err);
	if (r < 0)
		return r;
	hookplan_recall(&call->paths, unit, machine, &plan, &doubt);
	if (cli->dry_run) {
		prepare_describe_teardown(&plan, &lines);
		print_lines(&lines);
		return 0;
	}
	/* What a machine in the foreground has is in use, and so is that of a unit before
	 * systemd's own call (systemd.exec(5), $SERVICE_RESULT). */
	r = foreground_check(&call->paths, alone, err);
	if (r == 0 && !getenv("SERVICE_RESULT"))
		r = foreground_check_units(alone, err);
	if (r < 0)
		return r;
	if (doubt.code)
		print_error(&doubt);
	if (unit == HOOK_QEMU && getenv("SERVICE_RESULT"))
		saving_end_gone(&call->paths, machine);
	if (unit == HOOK_QEMU)
		tell_last_words(&plan);
	r = prepare_teardown(&plan, &options, &lines);
	for (size_t i = 0; i < lines.n; i++)
		complain("%s: %s", machine, lines.items[i]);
	if (r < 0)
		return error_code(err, r, "machine '%s' could not be cleaned up in full", machine);
	return hookplan_forget(&call->paths, unit, machine, plan.is_all, err);
}

static int teardown_run(const struct call *call, struct error *err)
{
	const struct teardown_options *cli = call->options;
	int status = STATUS_DONE;
	for (size_t i = 0; i < call->words.n; i++) {
		const char *name = call->words.items[i];
		int r = cli->network ? teardown_network(call, name, cli->dry_run, err)
				     : teardown_machine(call, name, err);
		if (r >= 0)
			continue;
		print_error(err);
		status = STATUS_FAILURE;
	}
	return status;
}

static int await_dry(const struct plan *plan, const char *ready, struct error *err)
{
	CLEANUP(strv_done) struct strv lines = {};
	int r = prepare_describe_await(plan, &lines, err);
	if (r == 0)
		connect_describe_begin(plan, &lines);
	if (r == 0 && ready)
		strv_pushf(&lines, "wait until the guest is ready (%s)", ready);
	print_lines(&lines);
	return r;
}

static int await_run(const struct call *call, struct error *err)
{
	const struct await_options *cli = call->options;
	const char *machine = call->words.items[0], *pid_text = getenv("MAINPID");
	struct prepare_options options = from_environment();
	CLEANUP(plan_done) struct plan plan = {};
	struct error doubt = {};
	int pid = 0;
	CLEANUP(ready_close) struct ready ready = { .listenfd = -1 };
	int r = cli->ready ? ready_parse(cli->ready, &ready, err) : 0;
	if (r == 0 && ready.when != VM_READY_QMP && !cli->dry_run)
		r = await_ready_begin(err);
	if (r == 0)
		r = check_name(HOOK_QEMU, machine, err);
	if (r < 0)
		return r;
	if (pid_text && pid_text[0] && parse_int(pid_text, 1, INT32_MAX, &pid) < 0)
		return error_set(err, EINVAL, "MAINPID is '%s', which is no process", pid_text);
	hookplan_recall(&call->paths, HOOK_QEMU, machine, &plan, &doubt);
	if (doubt.code)
		print_error(&doubt);
	if (cli->dry_run)
		return await_dry(&plan, cli->ready, err);
	uint64_t timeout = cli->timeout_usec ? cli->timeout_usec : AWAIT_TIMEOUT_USEC;
	if (options.notify_socket)
		await_leave_mounts();
	if (ready.when == VM_READY_QMP)
		outlive_stops();
	else if (options.notify_socket)
		await_ready_ask(machine, pid);
	r = await_check_started(&call->paths, &plan, pid, clock_deadline_usec(timeout), err);
	/* A guest can't have booted yet: QEMU was started a moment ago. */
	if (r == 0)
		r = ready_open(&ready, err);
	if (r == 0)
		r = prepare_await(&plan, &options, pid, clock_deadline_usec(timeout), err);
	if (r == 0)
		r = connect_begin_links(&plan, NULL, err);
	if (r == 0)
		r = hook_resume_await(&call->paths, &plan, &options,
				ready.when == VM_READY_QMP ? has_to_stop : await_ready_is_told,
				err);
	/* Its guest was not let run: nothing is lost with it, and it is saved as before. */
	if (r == -ECANCELED && ready.when != VM_READY_QMP && await_ready_is_told()) {
		printf("%s: stopped while it was resumed; it stays saved\n", machine);
		process_terminate(pid);
		return STATUS_DONE;
	}
	/* A QEMU that has ended did what systemd told it, too. */
	bool (*is_told)(void) = ready.when == VM_READY_QMP ? has_to_stop : await_ready_is_told;
	if (r == -ESRCH && !is_told())
		poll(NULL, 0, SIGNAL_MSEC);
	if (told_to_stop || (r == -ESRCH && is_told()))
		return STATUS_DONE;
	/* One that never answered has no guest yet, and systemd's own signal would not end it. */
	if (r < 0 && ready.when != VM_READY_QMP)
		process_terminate(pid);
	if (r >= 0 && ready.when != VM_READY_QMP)
		r = await_ready(&(struct await_ready){ .ready = &ready,
						.plan = &plan,
						.main_pid = pid,
						.deadline_usec = clock_deadline_usec(timeout),
						.host_end = cli->host_end,
						.is_resumed = r > 0 },
				err);
	return r >= 0 ? STATUS_DONE : error_wrap(err, "machine '%s'", machine);
}

static int prepare_virtiofsd_run(const struct call *call, struct error *err)
{
	return prepare_all(call, HOOK_SHARE, err);
}

static const struct option_spec prepare_rows[] = {
	OPTION_DRY_RUN(struct prepare_options_cli, dry_run),
	{},
};

static const struct option_spec teardown_rows[] = {
	OPTION_DRY_RUN(struct teardown_options, dry_run),
	{ 0, "swtpm", NULL, OPT_FLAG(struct teardown_options, swtpm),
			"Of the TPM's unit, not of QEMU's" },
	{ 0, "network", NULL, OPT_FLAG(struct teardown_options, network),
			"Of a network's unit: the names are those of networks" },
	{ 0, "virtiofsd", NULL, OPT_FLAG(struct teardown_options, virtiofsd),
			"Of the unit of a share, named MACHINE@SHARE" },
	{},
};

static const struct option_spec await_rows[] = {
	OPTION_DRY_RUN(struct await_options, dry_run),
	{ 'r', "ready", "WHAT", OPT_TEXT(struct await_options, ready),
			"Then wait for the guest: agent, notify:CID, tcp:ADDRESS:PORT" },
	{ 't', "timeout", "TIME", OPT_SPAN(struct await_options, timeout_usec),
			"Give up after this time (280s)" },
	{ 0, "host-end", "WHAT", OPT_CHOICE(struct await_options, host_end, vm_host_end_names),
			"What is done with the guest when the host shuts down meanwhile" },
	{},
};

/* Names are completed from the config, but any machine that has a unit is taken. */
static const struct argument machines[] = {
	{ .name = "MACHINE", .flags = ARGUMENT_MANY, .complete = complete_machines },
	{},
};

static const struct command cmd_prepare_qemu = {
	.name = "prepare qemu",
	.group = GROUP_HOOKS,
	.flags = COMMAND_FILES | COMMAND_LIVE,
	.arguments = machines,
	.summary = "Make the host ready for QEMU",
	.description = "Opens disks, makes taps, sockets and devices, as the plan in the machine's "
		       "unit says, and gives the descriptors to systemd. All of it or nothing.",
	.options = prepare_rows,
	.options_size = sizeof(struct prepare_options_cli),
	.run = prepare_qemu_run,
};

static const struct command cmd_prepare_swtpm = {
	.name = "prepare swtpm",
	.group = GROUP_HOOKS,
	.flags = COMMAND_FILES | COMMAND_LIVE,
	.arguments = machines,
	.summary = "Make the host ready for swtpm",
	.description = "Makes the TPM's state if there is none, and its control socket.",
	.options = prepare_rows,
	.options_size = sizeof(struct prepare_options_cli),
	.run = prepare_swtpm_run,
};

static const struct argument shares[] = {
	{ .name = "MACHINE@SHARE", .flags = ARGUMENT_MANY },
	{},
};

static const struct command cmd_prepare_virtiofsd = {
	.name = "prepare virtiofsd",
	.group = GROUP_HOOKS,
	.flags = COMMAND_FILES | COMMAND_LIVE,
	.arguments = shares,
	.summary = "Make the host ready for a share",
	.description = "Opens the directory, makes the user namespace in which virtiofsd is root, "
		       "and its control socket.",
	.options = prepare_rows,
	.options_size = sizeof(struct prepare_options_cli),
	.run = prepare_virtiofsd_run,
};

static const struct command *const prepare_commands[] = {
	&cmd_prepare_qemu,
	&cmd_prepare_swtpm,
	&cmd_prepare_network,
	&cmd_prepare_virtiofsd,
	NULL,
};

const struct command cmd_prepare = {
	.name = "prepare",
	.group = GROUP_HOOKS,
	.flags = COMMAND_OUTLIVES,
	.summary = "Make the host ready for a machine or a network",
	.description = "Called by their units before they start.",
	.subcommands = prepare_commands,
};

const struct command cmd_await = {
	.name = "await",
	.group = GROUP_HOOKS,
	.flags = COMMAND_FILES | COMMAND_LIVE | COMMAND_OUTLIVES,
	.arguments = arguments_machine,
	.summary = "Wait until a machine's QEMU answers",
	.description = "Then takes back from systemd what QEMU has by now, and with --ready waits "
		       "for the guest. A guest that is not ready in time is shut down, and so is "
		       "one whose unit is stopped meanwhile.",
	.options = await_rows,
	.options_size = sizeof(struct await_options),
	.run = await_run,
};

const struct command cmd_teardown = {
	.name = "teardown",
	.group = GROUP_HOOKS,
	.flags = COMMAND_FILES | COMMAND_LIVE,
	.arguments = machines,
	.summary = "Take away what prepare has made",
	.description = "Whatever came before: also what a killed prepare has left. Succeeds where "
		       "there is nothing. Of a machine that runs nothing is taken away.",
	.options = teardown_rows,
	.options_size = sizeof(struct teardown_options),
	.run = teardown_run,
};
