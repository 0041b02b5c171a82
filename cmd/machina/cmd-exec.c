/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina exec: a command in a guest, by its agent. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/complete.h"
#include "cli/output.h"
#include "guest/guest.h"
#include "host/agent/agent-exec.h"
#include "host/os/clock.h"
#include "util/file.h"
#include "util/terminal.h"

/* Of this program, as ssh(1) has it: a command's own statuses end before. */
#define STATUS_EXEC_FAILED 255

/* Who types the command over ssh(1) has given it an input that does not end, and may not know. */
#define TELL_USEC (3 * USEC_PER_SEC)

struct exec_options {
	struct strv environment;
	uint64_t timeout_usec;
	bool no_input;
	bool raw;
};

static int read_input(struct buf *to, struct error *err)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	if (clock_poll(&input, 1, clock_deadline_usec(TELL_USEC)) == 0)
		fputs("Waiting for the end of the standard input; '--no-input' does not read it.\n",
				stderr);
	for (;;) {
		char *room = buf_reserve(to, 65536);
		ssize_t n = read(STDIN_FILENO, room, 65536);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, "cannot read the standard input");
		if (n == 0)
			return 0;
		to->len += (size_t)n;
		to->text[to->len] = '\0';
		if (to->len > AGENT_INPUT_MAX)
			return error_set(err, E2BIG,
					"the guest agent takes at most %zu MiB of input",
					AGENT_INPUT_MAX >> 20);
	}
}

/* A terminal obeys what it is shown, and its answers would be typed into the shell. */
static int write_output(int fd, const struct buf *text, bool raw, struct error *err)
{
	struct terminal_filter filter = { .mode = TERMINAL_TEXT };
	CLEANUP(buf_done) struct buf safe = {};
	if (!raw && text->len && isatty(fd)) {
		terminal_filter_add(&filter, &safe, buf_text(text), text->len);
		text = &safe;
	}
	return write_all(fd, buf_text(text), text->len) < 0
			       ? error_errno(err, "cannot write the command's output")
			       : 0;
}

static int run_command(const struct call *call, struct agent_exit *ret, struct error *err)
{
	const struct exec_options *options = call->options;
	const char *machine = call->words.items[0];
	CLEANUP(buf_done) struct buf input = {};
	CLEANUP(strv_done) struct strv arguments = {};
	CLEANUP(plan_done) struct plan plan = {};
	CLEANUP(guest_done) struct guest guest = {};
	const bool has_input = !options->no_input && !isatty(STDIN_FILENO);
	/* The input may take long, and the agent serves one at a time: it is connected behind it.
	 */
	int r = guest_plan(&call->paths, machine, &plan, err);
	if (r == 0 && has_input)
		r = read_input(&input, err);
	const uint64_t deadline = options->timeout_usec ? clock_deadline_usec(options->timeout_usec)
							: DEADLINE_NEVER;
	const uint64_t answer = clock_deadline_usec(AGENT_OPEN_USEC);
	if (r == 0)
		r = guest_open(&call->paths, machine, answer < deadline ? answer : deadline, &guest,
				err);
	if (r < 0)
		return r;
	for (size_t i = 2; i < call->words.n; i++)
		strv_push(&arguments, call->words.items[i]);
	const struct agent_exec exec = {
		.program = call->words.items[1],
		.arguments = &arguments,
		.environment = &options->environment,
		.input = has_input ? &input : NULL,
	};
	r = agent_run(guest.agent, &exec, deadline, ret, err);
	return r <= 0 ? r : -err->code;
}

static int exec_run(const struct call *call, struct error *err)
{
	CLEANUP(agent_exit_done) struct agent_exit result = {};
	const struct exec_options *options = call->options;
	for (size_t i = 0; i < options->environment.n; i++)
		if (!strchr(options->environment.items[i], '='))
			return misuse(call->command, "'--env %s' is not NAME=VALUE",
					options->environment.items[i]);
	int r = run_command(call, &result, err);
	if (r == 0)
		r = write_output(STDOUT_FILENO, &result.out, options->raw, err);
	if (r == 0)
		r = write_output(STDERR_FILENO, &result.err, options->raw, err);
	if (r < 0) {
		print_error(err);
		return STATUS_EXEC_FAILED;
	}
	if (result.out_truncated || result.err_truncated)
		complain("the guest agent keeps 16 MiB of %s: the rest is lost",
				result.out_truncated && result.err_truncated ? "each stream"
				: result.out_truncated			     ? "the output"
									     : "the error output");
	return agent_exit_status(&result);
}

static const struct argument arguments[] = {
	{ .name = "MACHINE", .complete = complete_machines_up },
	{ .name = "COMMAND", .flags = ARGUMENT_MANY },
	{},
};

static const struct option_spec options[] = {
	{ 'e', "env", "NAME=VALUE", OPT_LIST(struct exec_options, environment),
			"Give the command this variable, and no others than these" },
	{ 't', "timeout", "TIME", OPT_SPAN(struct exec_options, timeout_usec),
			"Wait no longer; the command goes on" },
	{ 'n', "no-input", NULL, OPT_FLAG(struct exec_options, no_input),
			"Do not read the standard input" },
	{ 0, "raw", NULL, OPT_FLAG(struct exec_options, raw),
			"Let all that the command writes reach the terminal" },
	{},
};

static const struct example examples[] = {
	{ "machina exec web -- uname -a", "Ask web for its kernel." },
	{ "machina exec web -- sh -c 'cat >/etc/motd' <motd", "Write a file in the guest." },
	{},
};

const struct command cmd_exec = {
	.name = "exec",
	.group = GROUP_GUEST,
	.flags = COMMAND_FILES | COMMAND_LIVE,
	.arguments = arguments,
	.summary = "Run a command in a guest",
	.description = "QEMU's guest agent runs it, as its own user (root), without a shell and "
		       "without a terminal; no network is needed, only attrs.agent.qemu and the "
		       "agent in the guest. Words behind '--' are the command's. What it reads is "
		       "our standard input up to its end (32 MiB at most), unless that is a "
		       "terminal. What it writes is shown when it has ended, the two streams "
		       "apart; the agent keeps 16 MiB of each. On a terminal only text is shown, "
		       "since what else a guest writes could harm it; --raw shows all.\n\n"
		       "The exit status is the command's, 128 and the number for a signal, or 255 "
		       "when it was not run or its end was not seen. The agent cannot stop a "
		       "command: after --timeout, and after Ctrl-C, it goes on in the guest. Other "
		       "programs may use the agent while it runs.\n\n"
		       "Some distributions forbid guest-exec to the agent (BLACKLIST_RPC or "
		       "--block-rpcs in the guest's configuration of qemu-ga).",
	.options = options,
	.options_size = sizeof(struct exec_options),
	.examples = examples,
	.run = exec_run,
};
