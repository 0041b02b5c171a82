/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A network namespace of the test's own process, and shell commands in it.
 *
 *	static const char *enter_own_network(void)
 *	{
 *		static bool entered;
 *		if (entered)
 *			return NULL;
 *		const char *why_not = own_network("only root makes taps");
 *		if (why_not)
 *			return why_not;
 *		...what else it takes...
 *		entered = true;
 *		return NULL;
 *	}
 *	#define NEED_NETWORK() SKIP_BECAUSE(enter_own_network())
 */
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "test.h"
#include "util/buf.h"
#include "util/mem.h"

/* NULL, or why there is none. @needs_root: the reason without root */
static inline const char *own_network(const char *needs_root)
{
	if (geteuid() != 0)
		return needs_root;
	return unshare(CLONE_NEWNET) < 0 ? "no network namespace can be made" : NULL;
}

/* The same, with taps in it. */
static inline const char *own_network_with_taps(void)
{
	const char *why_not = own_network("only root makes taps");
	if (why_not)
		return why_not;
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return "/dev/net/tun cannot be opened";
	close(fd);
	return NULL;
}

/* An ordinary user's PATH may lack ip(8) and nft(8). */
#define SHELL_PATH "PATH=$PATH:/usr/sbin:/sbin; "

/* Does it succeed? Nothing is printed. */
static inline bool shell_works(const char *command)
{
	CLEANUP(freep) char *line = xasprintf(SHELL_PATH "{ %s; } >/dev/null 2>&1", command);
	return system(line) == 0;
}

/* The output of a shell command, which succeeds. The caller frees it. */
static inline char *shell_output(const char *command)
{
	CLEANUP(buf_done) struct buf out = {};
	CLEANUP(freep) char *line = xasprintf(SHELL_PATH "%s", command);
	FILE *pipe = popen(line, "re");
	char piece[4096];
	size_t n;
	while (pipe && (n = fread(piece, 1, sizeof(piece), pipe)) > 0)
		buf_add(&out, piece, n);
	if (!pipe || pclose(pipe) != 0)
		TEST_FAIL("'%s' has failed", command);
	return buf_take(&out);
}
