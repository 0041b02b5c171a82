/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina screenshot: what is on a guest's screen. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/complete.h"
#include "cli/output.h"
#include "host/os/clock.h"
#include "host/qmp/screenshot.h"
#include "lifecycle/monitor.h"
#include "util/newfile.h"

#define LIMIT_USEC (15 * USEC_PER_SEC)
#define HEADS_MAX 63

struct screenshot_options {
	const char *device;
	int head;
	bool force;
};

static int write_file(const char *path, const struct buf *png, bool force, struct error *err)
{
	/* What is on a screen is not for everyone. */
	return offer_force(newfile_write(path, force, png->text, png->len, err), err);
}

static int screenshot_run(const struct call *call, struct error *err)
{
	const struct screenshot_options *options = call->options;
	const struct screenshot what = { .device = options->device, .head = options->head };
	const char *path = call->words.items[1];
	CLEANUP(monitor_done) struct monitor monitor = {};
	CLEANUP(buf_done) struct buf png = {};
	uint32_t width, height;
	bool is_pipe = !strcmp(path, "-");
	if (is_pipe && isatty(STDOUT_FILENO))
		return misuse(call->command, "standard output is a terminal, and a PNG is no text");
	if (options->head && !options->device)
		return misuse(call->command, "--head is one of a --device");
	uint64_t deadline = clock_deadline_usec(LIMIT_USEC);
	int r = monitor_open_first(call, deadline, &monitor, err);
	if (r < 0)
		return r;
	r = screenshot_take(monitor.qmp, &what, deadline, &png, &width, &height, err);
	if (r < 0)
		return error_wrap(err, "machine '%s'", monitor.plan.machine);
	if (is_pipe) {
		fwrite(png.text, 1, png.len, stdout);
		return STATUS_DONE;
	}
	r = write_file(path, &png, options->force, err);
	if (r == 0)
		printf("%s: its screen, %u x %u, is in %s\n", monitor.plan.machine, width, height,
				path);
	return r < 0 ? r : STATUS_DONE;
}

static const struct argument arguments[] = {
	{ "MACHINE", 0, complete_machines_up },
	{ "FILE", 0, complete_files },
	{},
};

static const struct option_spec options[] = {
	{ 'd', "device", "ID", OPT_TEXT(struct screenshot_options, device),
			"Of which of QEMU's display devices, if not the first" },
	{ 0, "head", "N", OPT_INT(struct screenshot_options, head, 0, HEADS_MAX),
			"Of which of the device's screens" },
	{ 0, "force", NULL, OPT_FLAG(struct screenshot_options, force),
			"Replace a file that is there" },
	{},
};

static const struct example examples[] = {
	{ "machina screenshot web web.png", "Write what is on web's screen." },
	{},
};

const struct command cmd_screenshot = {
	.name = "screenshot",
	.group = GROUP_LOOK,
	.flags = COMMAND_FILES | COMMAND_LIVE,
	.arguments = arguments,
	.summary = "Write a guest's screen to a PNG file",
	.description = "FILE is for its owner alone; '-' is standard output. The machine needs a "
		       "display device.",
	.options = options,
	.options_size = sizeof(struct screenshot_options),
	.examples = examples,
	.run = screenshot_run,
};
