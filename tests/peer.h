/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The other end of a connection: a process that follows a script.
 *
 *	static void script_greets(int fd)
 *	{
 *		say(fd, "hello\n");
 *		wait_for_end(fd);
 *	}
 *	struct peer peer = peer_start(script_greets);
 *	...
 *	CHECK_INT(peer_finish(peer.pid), 0);
 */
#pragma once

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

static inline void say_bytes(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
		if (n <= 0)
			_exit(1);
		data += n;
		len -= (size_t)n;
	}
}

static inline void say(int fd, const char *text)
{
	say_bytes(fd, text, strlen(text));
}

/* One line, at most as long as fits. Not inline: gcc would warn of lines that fit no caller. */
__attribute__((noinline, unused)) static const char *hear(int fd)
{
	static char line[8192];
	size_t len = 0;
	while (len + 1 < sizeof(line) && read(fd, &line[len], 1) == 1 && line[len] != '\n')
		len++;
	line[len] = '\0';
	return line;
}

/* Until the other side closes: what a peer does that has nothing more to say. */
static inline void wait_for_end(int fd)
{
	char c;
	while (read(fd, &c, 1) > 0)
		;
}

struct peer {
	pid_t pid;
	int fd;
};

static inline struct peer peer_start(void (*script)(int))
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		abort();
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		close(pair[0]);
		alarm(300);
		script(pair[1]);
		_exit(0);
	}
	close(pair[1]);
	return (struct peer){ pid, pair[0] };
}

static inline int peer_finish(pid_t pid)
{
	int status = -1;
	waitpid(pid, &status, 0);
	return status;
}

#define CHECK_SAYS(err, part)                                                                      \
	do {                                                                                       \
		if (!strstr((err).text, (part)))                                                   \
			TEST_FAIL("'%s' does not say '%s'", (err).text, (part));                   \
	} while (0)
