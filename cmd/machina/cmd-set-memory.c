/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina set-memory: how much memory a guest has, by its balloon. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/complete.h"
#include "cli/output.h"
#include "host/os/clock.h"
#include "host/qmp/balloon.h"
#include "host/qmp/run-state.h"
#include "lifecycle/monitor.h"
#include "util/mem.h"
#include "util/parse.h"

#define OPEN_USEC (10 * USEC_PER_SEC)
#define PATIENCE_USEC (10 * USEC_PER_SEC)

struct set_memory_options {
	bool dry_run;
	bool no_wait;
	uint64_t timeout_usec;
};

static void progress(void *data, uint64_t now_bytes, uint64_t wanted_bytes)
{
	progress_show("%s has %" PRIu64 " MiB, on its way to %" PRIu64, (const char *)data,
			now_bytes >> 20, wanted_bytes >> 20);
}

static int tell(const char *machine, struct qmp *qmp, const struct balloon_size *size,
		bool is_there, struct error *err)
{
	CLEANUP(freep) char *now = format_size(size->now_bytes);
	CLEANUP(freep) char *wanted = format_size(size->wanted_bytes);
	if (is_there) {
		printf("%s: has %s\n", machine, now);
		return STATUS_DONE;
	}
	const struct run_state *state = NULL;
	struct error unused = {};
	if (run_state_query(qmp, clock_deadline_usec(OPEN_USEC), &state, &unused) == QMP_DONE &&
			state->kind != RUN_ON)
		return error_set(err, ETIMEDOUT,
				"machine '%s': the guest has %s, and gives up none while it does "
				"not run: %s",
				machine, now, state->meaning);
	if (size->now_bytes == size->before_bytes)
		return error_set(err, ETIMEDOUT,
				"machine '%s': the guest does not react to its balloon and still "
				"has %s; it needs the driver virtio_balloon",
				machine, now);
	return error_set(err, ETIMEDOUT,
			"machine '%s': the guest stopped at %s on its way to %s; it goes on when "
			"it can",
			machine, now, wanted);
}

static int set_memory_run(const struct call *call, struct error *err)
{
	const struct set_memory_options *options = call->options;
	const char *text = call->words.items[1];
	CLEANUP(monitor_done) struct monitor monitor = {};
	struct balloon_size size = {};
	struct balloon_request request = {
		.bytes = BALLOON_ALL,
		.patience_usec = options->no_wait	 ? 0
				 : options->timeout_usec ? options->timeout_usec
							 : PATIENCE_USEC,
		.progress = progress,
	};
	if (strcmp(text, "all") != 0 && parse_size(text, &request.bytes) < 0)
		return misuse(call->command,
				"'%s' is no size such as '512MiB' or '2GiB', nor 'all'", text);
	/* "ram" in a config is in MiB, and so is what somebody means who types as little. */
	if (request.bytes < BALLOON_MIN_BYTES && strspn(text, "0123456789") == strlen(text))
		return misuse(call->command, "'%s' would be bytes: did you mean '%sMiB'?", text,
				text);
	int r = monitor_open_first(call, clock_deadline_usec(OPEN_USEC), &monitor, err);
	if (r < 0)
		return r;
	CLEANUP(freep) char *machine = xstrdup(monitor.plan.machine);
	request.data = machine;
	r = options->dry_run ? balloon_look(monitor.qmp, request.bytes, &size, err)
			     : balloon_set(monitor.qmp, &request, &size, err);
	progress_clear();
	if (r < 0)
		return error_wrap(err, "machine '%s'", machine);
	if (options->dry_run || options->no_wait) {
		CLEANUP(freep) char *before = format_size(size.before_bytes);
		CLEANUP(freep) char *wanted = format_size(size.wanted_bytes);
		printf(options->dry_run ? "would ask the guest of %s, which has %s, to have %s\n"
					: "%s: had %s and was asked to have %s\n",
				machine, before, wanted);
		return STATUS_DONE;
	}
	return tell(machine, monitor.qmp, &size, r == 0, err);
}

static void complete_sizes(struct completion *c)
{
	complete_offer(c, "all", "What the machine was started with");
}

static const struct argument arguments[] = {
	{ "MACHINE", 0, complete_machines_up },
	{ "SIZE", 0, complete_sizes },
	{},
};

static const struct option_spec options[] = {
	{ 't', "timeout", "TIME", OPT_SPAN(struct set_memory_options, timeout_usec),
			"Wait so long while nothing moves (10s)" },
	{ 0, "no-wait", NULL, OPT_FLAG(struct set_memory_options, no_wait),
			"Don't wait until the guest has followed" },
	OPTION_DRY_RUN(struct set_memory_options, dry_run),
	{},
};

static const struct example examples[] = {
	{ "machina set-memory web 1GiB", "Take memory from web until it has 1 GiB." },
	{ "machina set-memory web all", "Give it back all that it was started with." },
	{},
};

const struct command cmd_set_memory = {
	.name = "set-memory",
	.group = GROUP_RUN,
	.flags = COMMAND_FILES | COMMAND_LIVE,
	.arguments = arguments,
	.summary = "Take memory from a guest, or give it back",
	.description = "By the machine's memory balloon (\"balloon\" in its \"attrs\"): a driver "
		       "in the guest gives pages back to the host. SIZE is what the guest keeps, "
		       "at most what it was started with ('all'). It holds until the next "
		       "start.\n\n"
		       "The command waits until the guest has followed. One that needs its memory "
		       "gives up less, and a guest that is left with too little ends processes: "
		       "better less than that.",
	.options = options,
	.options_size = sizeof(struct set_memory_options),
	.examples = examples,
	.run = set_memory_run,
};
