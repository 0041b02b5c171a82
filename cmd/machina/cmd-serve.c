/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina _serve: what the unit of a share runs, which becomes the share's program. */
#include <limits.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/output.h"
#include "host/storage/share.h"
#include "util/parse.h"

/* A descriptor that systemd has passed. */
static bool read_fd(const char *text, int *ret)
{
	return parse_int(text, STDERR_FILENO + 1, INT_MAX, ret) == 0;
}

static int serve_run(const struct call *call, struct error *err)
{
	char **words = call->words.items;
	int users, tree;
	if (!read_fd(words[0], &users) || !read_fd(words[1], &tree))
		return misuse(call->command, "the first two words are descriptors");
	int r = share_enter(users, tree, err);
	if (r < 0)
		return r;
	close(users);
	close(tree);
	execvp(words[2], &words[2]);
	return error_errno(err, "cannot execute '%s'", words[2]);
}

static const struct argument serve_arguments[] = {
	{ .name = "USERS" },
	{ .name = "TREE" },
	{ .name = "WORD", .flags = ARGUMENT_MANY },
	{},
};

const struct command cmd_serve = {
	.name = "_serve",
	.group = GROUP_HOOKS,
	.flags = COMMAND_HIDDEN,
	.arguments = serve_arguments,
	.summary = "Become the program of a share, with its directory at " VM_SHARE_PLACE,
	.run = serve_run,
};
