/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina ssh and ssh-proxy: into guests by sockets that need no network. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/complete.h"
#include "cli/output.h"
#include "config/forms.h"
#include "guest/guest.h"
#include "host/os/clock.h"
#include "host/os/vsock.h"
#include "lifecycle/monitor.h"
#include "setup/paths.h"
#include "util/mem.h"
#include "util/parse.h"
#include "util/shell.h"

/* How machines are called on ssh's command line. */
#define PREFIX "vm/"
#define DEFAULT_PORT 22
/* Of ssh(1) when it fails itself; the others are the remote command's. */
#define STATUS_SSH_FAILED 255

/* A guest that was started a while ago is not waited for as one that boots. */
#define BOOT_USEC (90 * USEC_PER_SEC)
#define WAIT_USEC (3 * USEC_PER_SEC)
#define RETRY_USEC (100 * USEC_PER_MSEC)
/* For one connection. A guest that is busy may take longer, so each has twice the time of the one
 * before: the answer to one that was given up is lost. */
#define CONNECT_USEC (2 * USEC_PER_SEC)
#define CONNECT_MAX_USEC (16 * USEC_PER_SEC)
/* Who waits longer is told what for. */
#define TELL_USEC (2 * USEC_PER_SEC)

/* ---- the machine ---- */

/* Of the machine as it was started. */
static int find_cid(const struct call *call, const char *machine, uint32_t *ret, struct error *err)
{
	CLEANUP(plan_done) struct plan plan = {};
	const char *expected;
	if (!form_machine_name(machine, &expected))
		return error_set(err, EINVAL, "'%s' can't be the name of a machine: expected %s",
				machine, expected);
	int r = guest_plan(&call->paths, machine, &plan, err);
	if (r < 0)
		return r;
	const struct plan_fd *fd = plan_find(&plan, PLAN_VSOCK);
	if (!fd || fd->kind != PLAN_FD_VSOCK)
		return error_set(err, ENXIO,
				"machine '%s' runs without a vsock device: set \"attrs\": { "
				"\"vsock\": { \"enabled\": true } } in its file or in a tag, then "
				"'machina generate %s' and 'machina restart %s'",
				machine, machine, machine);
	*ret = (uint32_t)fd->cid;
	return 0;
}

/* Until when to wait for a guest: it may be booting. */
static uint64_t find_deadline(const struct call *call, const char *machine)
{
	CLEANUP(freep) char *dir = xasprintf("%s/%s", call->paths.run_dir, machine);
	struct timespec now;
	struct stat st;
	clock_gettime(CLOCK_REALTIME, &now);
	uint64_t wait = WAIT_USEC;
	if (stat(dir, &st) == 0) {
		int64_t age = now.tv_sec - st.st_mtim.tv_sec;
		uint64_t left = age < 0 ? 0 : BOOT_USEC - (uint64_t)age * USEC_PER_SEC;
		wait = left > wait && left <= BOOT_USEC ? left : wait;
	}
	return clock_deadline_usec(wait);
}

/* ---- ssh-proxy ---- */

static int refuse(enum vsock_outcome outcome, const char *machine, uint32_t cid, uint32_t port,
		struct error *err)
{
	switch (outcome) {
	case VSOCK_REFUSED:
		return error_set(err, ECONNREFUSED,
				"guest '%s' has nothing that listens at port %" PRIu32
				" of its vsock: it needs sshd there, which systemd 256 and later "
				"sees to; machina-machine(5) has what others need",
				machine, port);
	case VSOCK_SILENT:
		return error_set(err, ETIMEDOUT,
				"guest '%s' does not answer at vsock CID %" PRIu32
				": it still boots, has no driver for it (virtio_vsock), or hangs",
				machine, cid);
	case VSOCK_ABSENT:
	case VSOCK_DONE:
		break;
	}
	return error_set(err, EHOSTDOWN,
			"machine '%s' has no guest at vsock CID %" PRIu32
			": it is about to start or to end",
			machine, cid);
}

static int connect_guest(const struct call *call, const char *machine, uint32_t port, int *ret_fd,
		struct error *err)
{
	uint32_t cid = 0;
	int r = find_cid(call, machine, &cid, err);
	if (r < 0)
		return r;
	const uint64_t deadline = find_deadline(call, machine);
	uint64_t tell = clock_deadline_usec(TELL_USEC), patience = CONNECT_USEC;
	while ((r = vsock_connect(cid, port, patience, ret_fd, err)) > 0) {
		if (!monitor_is_there(&call->paths, machine))
			return error_set(err, EHOSTDOWN, "machine '%s' has stopped", machine);
		uint64_t now = clock_now_usec();
		if (now >= deadline)
			return refuse((enum vsock_outcome)r, machine, cid, port, err);
		if (now >= tell) {
			complain("waiting for sshd in guest '%s'", machine);
			tell = DEADLINE_NEVER;
		}
		if (r == VSOCK_SILENT && patience < CONNECT_MAX_USEC)
			patience *= 2;
		clock_pause(RETRY_USEC);
	}
	return r;
}

static int proxy_run(const struct call *call, struct error *err)
{
	const char *host = call->words.items[0];
	const char *machine = !strncmp(host, PREFIX, strlen(PREFIX)) ? host + strlen(PREFIX) : host;
	CLEANUP(closep) int fd = -1;
	int port = DEFAULT_PORT;
	if (call->words.n > 1 && parse_int(call->words.items[1], 1, INT32_MAX, &port) < 0)
		return misuse(call->command, "'%s' is no port", call->words.items[1]);
	int r = connect_guest(call, machine, (uint32_t)port, &fd, err);
	if (r == 0)
		r = vsock_hand_over(STDOUT_FILENO, fd, err);
	if (r == -ENOTSOCK)
		return error_set(err, ENOTSOCK,
				"the standard output is no socket: ssh(1) calls this, with "
				"'ProxyUseFdpass yes'");
	return r < 0 ? r : STATUS_DONE;
}

static const struct argument proxy_arguments[] = {
	{ .name = "HOST", .complete = complete_machines_up },
	{ .name = "PORT", .flags = ARGUMENT_OPTIONAL },
	{},
};

const struct command cmd_ssh_proxy = {
	.name = "ssh-proxy",
	.group = GROUP_GUEST,
	.flags = COMMAND_FILES | COMMAND_LIVE,
	.arguments = proxy_arguments,
	.summary = "Connect ssh with a guest",
	.description = "The ProxyCommand of ssh_config(5) for hosts called vm/NAME, with "
		       "ProxyUseFdpass: connects to the port (22) of the guest's vsock and hands "
		       "the connection to ssh. A guest that was started less than 90 seconds ago "
		       "is waited for.",
	.run = proxy_run,
};

/* ---- ssh ---- */

struct ssh_options {
	const char *login;
	int port;
	struct strv ssh_options;
};

/* ssh gives it to a shell after it has put in its own variables. */
static char *proxy_option(void)
{
	CLEANUP(buf_done) struct buf path = {}, text = {};
	shell_quote_program(&path, program_path);
	buf_puts(&text, "ProxyCommand=");
	for (const char *c = buf_text(&path); *c; c++)
		buf_puts(&text, *c == '%' ? "%%" : (const char[]){ *c, '\0' });
	buf_puts(&text, " ssh-proxy '%n' %p");
	return buf_take(&text);
}

static void add_option(struct strv *argv, const char *option)
{
	strv_push(argv, "-o");
	strv_push(argv, option);
}

/* Ours come first, and so count before those of files (ssh_config(5)). */
static void build_argv(const struct call *call, struct strv *ret)
{
	const struct ssh_options *options = call->options;
	CLEANUP(freep) char *proxy = proxy_option();
	strv_push(ret, "ssh");
	add_option(ret, proxy);
	add_option(ret, "ProxyUseFdpass=yes");
	add_option(ret, "CheckHostIP=no");
	for (size_t i = 0; i < options->ssh_options.n; i++)
		add_option(ret, options->ssh_options.items[i]);
	if (options->login) {
		strv_push(ret, "-l");
		strv_push(ret, options->login);
	}
	if (options->port) {
		strv_push(ret, "-p");
		strv_pushf(ret, "%d", options->port);
	}
	strv_push(ret, "--");
	strv_pushf(ret, PREFIX "%s", call->words.items[0]);
	for (size_t i = 1; i < call->words.n; i++)
		strv_push(ret, call->words.items[i]);
}

/* Returns only if that failed. */
static int become_ssh(const struct call *call, struct error *err)
{
	CLEANUP(strv_done) struct strv argv = {};
	build_argv(call, &argv);
	execvp("ssh", argv.items);
	return error_errno(
			err, errno == ENOENT ? "there is no program 'ssh' (package openssh-client)"
					     : "cannot execute 'ssh'");
}

static int ssh_run(const struct call *call, struct error *err)
{
	uint32_t cid;
	/* What is wrong with the machine is said before ssh has its own say. */
	int r = find_cid(call, call->words.items[0], &cid, err);
	if (r == 0)
		r = become_ssh(call, err);
	if (r != 0)
		print_error(err);
	return STATUS_SSH_FAILED;
}

static const struct argument ssh_arguments[] = {
	{ .name = "MACHINE", .complete = complete_machines_up },
	{ .name = "COMMAND", .flags = ARGUMENT_OPTIONAL | ARGUMENT_MANY },
	{},
};

static const struct option_spec ssh_option_rows[] = {
	{ 'l', "login", "USER", OPT_TEXT(struct ssh_options, login), "The user in the guest" },
	{ 'p', "port", "PORT", OPT_INT(struct ssh_options, port, 1, INT32_MAX),
			"The port of the guest's vsock, in place of 22" },
	{ 'o', "ssh-option", "KEY=VALUE", OPT_LIST(struct ssh_options, ssh_options),
			"An option of ssh_config(5)" },
	{},
};

static const struct example ssh_examples[] = {
	{ "machina ssh web", "A shell in web, as this user." },
	{ "machina ssh --login root web -- uptime", "Run a command there as root." },
	{ "scp vm/web:/var/log/syslog .", "Other programs of OpenSSH know guests by that name." },
	{},
};

const struct command cmd_ssh = {
	.name = "ssh",
	.group = GROUP_GUEST,
	.flags = COMMAND_FILES | COMMAND_LIVE,
	.arguments = ssh_arguments,
	.summary = "Log in to a guest without a network",
	.description = "Runs ssh(1), which reaches the guest's sshd by attrs.vsock: neither host "
		       "nor guest needs a network. To ssh the guest is called vm/NAME: 'ssh "
		       "vm/NAME' does the same, and known_hosts has the guest's key under this "
		       "name (in lower case). A guest that boots is waited for. "
		       "machina-machine(5), GUEST SSH, has what the guest needs.\n\n"
		       "Words behind '--' are a command and its arguments, which ssh puts together "
		       "with blanks for the user's shell in the guest. The exit status is the "
		       "command's, or 255.",
	.options = ssh_option_rows,
	.options_size = sizeof(struct ssh_options),
	.examples = ssh_examples,
	.run = ssh_run,
};
