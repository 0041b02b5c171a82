/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program: its commands, and the way from a command line to an exit status. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/output.h"

extern const struct command cmd_init;
extern const struct command cmd_generate;
extern const struct command cmd_validate;
extern const struct command cmd_explain;
extern const struct command cmd_cat;
extern const struct command cmd_find;
extern const struct command cmd_args;
extern const struct command cmd_cloud_init;

extern const struct command cmd_enable;
extern const struct command cmd_disable;
extern const struct command cmd_start;
extern const struct command cmd_stop;
extern const struct command cmd_restart;
extern const struct command cmd_shutdown;
extern const struct command cmd_kill;
extern const struct command cmd_reboot;
extern const struct command cmd_pause;
extern const struct command cmd_resume;
extern const struct command cmd_reset;
extern const struct command cmd_eject;
extern const struct command cmd_insert;
extern const struct command cmd_set_memory;
extern const struct command cmd_send_key;
extern const struct command cmd_dump;
extern const struct command cmd_nmi;
extern const struct command cmd_save;
extern const struct command cmd_drain;
extern const struct command cmd_undrain;
extern const struct command cmd_run;
extern const struct command cmd_connect;
extern const struct command cmd_disconnect;

extern const struct command cmd_list;
extern const struct command cmd_status;
extern const struct command cmd_screenshot;
extern const struct command cmd_why;
extern const struct command cmd_console;
extern const struct command cmd_diff;
extern const struct command cmd_exec;
extern const struct command cmd_ssh;
extern const struct command cmd_ssh_proxy;
extern const struct command cmd_copy;
extern const struct command cmd_ip;
extern const struct command cmd_observe;
extern const struct command cmd_query;
extern const struct command cmd_top;
extern const struct command cmd_metrics;
extern const struct command cmd_network;
extern const struct command cmd_firewall;
extern const struct command cmd_doctor;

extern const struct command cmd_prepare;
extern const struct command cmd_await;
extern const struct command cmd_teardown;
extern const struct command cmd_serve;

extern const struct command cmd_gen_id;
extern const struct command cmd_gen_mac;
extern const struct command cmd_gen_wwn;
extern const struct command cmd_schema;
extern const struct command cmd_completion;
extern const struct command cmd_version;
extern const struct command cmd_help;
extern const struct command cmd_complete;
extern const struct command cmd_man;

/* In the order of help: configure, run, look, called by the units, tools. */
static const struct command *const commands[] = {
	&cmd_init,
	&cmd_generate,
	&cmd_validate,
	&cmd_explain,
	&cmd_cat,
	&cmd_find,
	&cmd_args,
	&cmd_cloud_init,

	&cmd_enable,
	&cmd_disable,
	&cmd_start,
	&cmd_stop,
	&cmd_restart,
	&cmd_shutdown,
	&cmd_kill,
	&cmd_reboot,
	&cmd_pause,
	&cmd_resume,
	&cmd_reset,
	&cmd_eject,
	&cmd_insert,
	&cmd_set_memory,
	&cmd_send_key,
	&cmd_dump,
	&cmd_nmi,
	&cmd_save,
	&cmd_drain,
	&cmd_undrain,
	&cmd_run,
	&cmd_connect,
	&cmd_disconnect,

	&cmd_list,
	&cmd_status,
	&cmd_screenshot,
	&cmd_why,
	&cmd_diff,
	&cmd_observe,
	&cmd_query,
	&cmd_top,
	&cmd_metrics,
	&cmd_network,
	&cmd_firewall,
	&cmd_doctor,

	&cmd_console,
	&cmd_exec,
	&cmd_ssh,
	&cmd_ssh_proxy,
	&cmd_copy,
	&cmd_ip,

	&cmd_prepare,
	&cmd_await,
	&cmd_teardown,
	&cmd_serve,

	&cmd_gen_id,
	&cmd_gen_mac,
	&cmd_gen_wwn,
	&cmd_schema,
	&cmd_completion,
	&cmd_version,
	&cmd_help,
	&cmd_complete,
	&cmd_man,
	NULL,
};

const struct command program = {
	.name = "",
	.summary = "Virtual machines of QEMU, described by files and run by systemd",
	.subcommands = commands,
};

/*
 * Whoever starts us with a standard stream closed would have the first file that we open take its
 * place, and messages written into it. Such a stream reads as empty and can't be written.
 */
static int open_missing_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		int null_fd = open("/dev/null", O_RDONLY);
		if (null_fd != fd)
			return -1;
	}
	return 0;
}

/* The Go program was QEMU's tap script under these names, and its units call them. */
static bool is_tap_script(const char *name)
{
	size_t len = strlen(name);
	return (len > 5 && !strcmp(name + len - 5, "-ifup")) ||
	       (len > 7 && !strcmp(name + len - 7, "-ifdown"));
}

/* Of what the kernel has refused: its word alone does not say who may. */
static void advise_root(const struct error *err)
{
	if (err->code == EACCES && geteuid() != 0 && strstr(err->text, strerror(EACCES)))
		fputs("root may do that: try the command with sudo\n", stderr);
}

/*
 * systemd takes a hook that dies of a stop's SIGTERM for a failure of the unit. Those that can do
 * better listen when they know what they are at; it has to wait for that from the first moment on.
 */
static void hold_stop(const char *word)
{
	const struct command *command = command_find(&program, word);
	sigset_t stop;
	if (!command || !(command->flags & COMMAND_OUTLIVES))
		return;
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigprocmask(SIG_BLOCK, &stop, NULL);
}

static int enter_root(struct call *call, struct error *err)
{
	struct stat st;
	const char *root = call->common.root;
	if (!root || !(call->command->flags & COMMAND_FILES))
		return 0;
	if (stat(root, &st) < 0)
		return error_errno(err, "cannot use '--root %s'", root);
	if (!S_ISDIR(st.st_mode))
		return error_set(err, ENOTDIR, "cannot use '--root %s': it is no directory", root);
	return config_paths_follow(&call->paths, err);
}

static int call_run(struct call *call)
{
	struct error err = {};
	if (call->common.help) {
		print_help(stdout, call->command);
		return STATUS_DONE;
	}
	/* Options that were given may be another command's. */
	if (call->common.version)
		return cmd_version.run(&(struct call){ .command = &cmd_version }, &err);

	int r = enter_root(call, &err);
	if (r == 0)
		r = call->command->run(call, &err);
	if (r >= 0)
		return r;
	print_error(&err);
	advise_root(&err);
	return STATUS_FAILURE;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		hold_stop(argv[1]);
	if (open_missing_streams() < 0)
		return STATUS_FAILURE;
	/* Where it is ignored, which exec(3) hands down, nobody can wait for a child (wait(2)). */
	signal(SIGCHLD, SIG_DFL);
	output_init(false);
	if (argc > 0 && is_tap_script(argv[0])) {
		complain("'%s' is the tap script of units that an earlier program wrote; the units "
			 "of this one need none: run '" PROGRAM_NAME " generate'",
				argv[0]);
		return STATUS_FAILURE;
	}

	CLEANUP(call_done) struct call call = {};
	struct error err = {};
	int status;
	if (call_parse(&call, argc, argv, &err) < 0) {
		status = misuse(call.command, "%s", err.text);
	} else {
		output_init(call.common.no_color);
		status = call_run(&call);
	}
	return output_finish(status);
}
