/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina _man: a manual page from its hand-written part, for the build. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/complete.h"
#include "cli/manpage.h"
#include "util/file.h"

#define MAN_PART_MAX ((size_t)1 << 20)

static int man_run(const struct call *call, struct error *err)
{
	const char *path = call->words.items[0];
	CLEANUP(buf_done) struct buf page = {};
	int r = file_read(path, MAN_PART_MAX, &page, err);
	if (r < 0)
		return r;
	r = print_manpage(stdout, buf_text(&page), err);
	return r < 0 ? error_wrap(err, "cannot make a manual page of '%s'", path) : STATUS_DONE;
}

static const struct argument arguments[] = {
	{ "FILE", 0, complete_files },
	{},
};

const struct command cmd_man = {
	.name = "_man",
	.group = GROUP_TOOLS,
	.flags = COMMAND_HIDDEN,
	.arguments = arguments,
	.summary = "Make a manual page from its hand-written part",
	.run = man_run,
};
