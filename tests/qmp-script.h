/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A QEMU's monitor that follows a script: for tests of what is said over QMP, and of what comes of
 * the answers.
 *
 *	static const struct script_step steps[] = {
 *		{ "query-status", "\"return\": {\"status\": \"running\"}" },
 *		{ "stop", "\"return\": {}", .event = "{\"event\": \"STOP\"}" },
 *		{},
 *	};
 *	struct script script = script_start(steps);
 *	... script.qmp ...
 *	CHECK(script_finish(&script));
 */
#pragma once

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/os/clock.h"
#include "host/qmp/qmp.h"
#include "test.h"

#define SCRIPT_LIMIT_USEC (120 * USEC_PER_SEC)

struct script_step {
	const char *command;   /* its name */
	const char *reply;     /* "\"return\": {}"; NULL: none comes */
	const char *event;     /* a line after the reply; NULL: none */
	const char *arguments; /* a part of the command's line; NULL: any */
	const char *written;   /* into the descriptor that comes along; NULL: none may come */
	size_t n_written;      /* 0: up to its NUL */
};

struct script {
	struct qmp *qmp;
	pid_t pid;
};

static inline void script_fail(const char *what, const char *line)
{
	fprintf(stderr, "# the script %s: %s\n", what, line);
	_exit(1);
}

/* One line, with the descriptor that comes along (-1: none). Returns false at the end. */
static inline bool script_hear(int fd, char *line, size_t size, int *ret_fd)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	size_t len = 0;
	*ret_fd = -1;
	for (;;) {
		struct iovec part = { &line[len], 1 };
		struct msghdr m = { .msg_iov = &part,
			.msg_iovlen = 1,
			.msg_control = &control,
			.msg_controllen = sizeof(control) };
		if (len + 1 >= size || recvmsg(fd, &m, MSG_CMSG_CLOEXEC) != 1)
			return false;
		const struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		if (c && c->cmsg_type == SCM_RIGHTS)
			memcpy(ret_fd, CMSG_DATA(c), sizeof(int));
		if (line[len++] == '\n')
			break;
	}
	line[len - 1] = '\0';
	return true;
}

static inline void script_say(int fd, const char *text)
{
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) != (ssize_t)strlen(text))
		_exit(1);
}

static inline void script_answer(int fd, const char *line, const char *reply)
{
	char id[64], text[4096];
	/* The last one: arguments may have an "id" of their own. */
	const char *at = NULL;
	for (const char *next = line; (next = strstr(next, "\"id\":\"")); next++)
		at = next;
	if (!at || sscanf(at, "\"id\":\"%63[^\"]", id) != 1)
		script_fail("found no id in", line);
	snprintf(text, sizeof(text), "{\"id\": \"%s\", %s}\r\n", id, reply);
	script_say(fd, text);
}

static inline void script_follow(int fd, const struct script_step *steps)
{
	char line[8192], name[128];
	int passed;
	script_say(fd, "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n");
	if (!script_hear(fd, line, sizeof(line), &passed))
		_exit(1);
	script_answer(fd, line, "\"return\": {}");
	for (const struct script_step *s = steps; s->command; s++) {
		if (!script_hear(fd, line, sizeof(line), &passed))
			script_fail("did not hear", s->command);
		snprintf(name, sizeof(name), "\"execute\":\"%s\"", s->command);
		if (!strstr(line, name) || (s->arguments && !strstr(line, s->arguments)))
			script_fail("heard something else", line);
		if ((passed >= 0) != (s->written != NULL))
			script_fail("got, or did not get, a descriptor with", line);
		if (s->written && write(passed, s->written,
						  s->n_written ? s->n_written
							       : strlen(s->written)) < 0)
			script_fail("could not write for", line);
		closep(&passed);
		if (s->reply)
			script_answer(fd, line, s->reply);
		if (s->event) {
			script_say(fd, s->event);
			script_say(fd, "\r\n");
		}
	}
	if (script_hear(fd, line, sizeof(line), &passed))
		script_fail("is over, and heard", line);
}

static inline struct script script_start(const struct script_step *steps)
{
	struct script script = {};
	struct error err = {};
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		abort();
	fflush(stdout);
	script.pid = fork();
	if (script.pid == 0) {
		close(pair[0]);
		alarm(300);
		script_follow(pair[1], steps);
		_exit(0);
	}
	close(pair[1]);
	int r = qmp_attach_take(pair[0], "script", -1, clock_deadline_usec(SCRIPT_LIMIT_USEC),
			&script.qmp, &err);
	if (r != QMP_DONE) {
		test_note("%s", err.text);
		abort();
	}
	return script;
}

/* Was everything said that the script waits for, and nothing else? */
static inline bool script_finish(struct script *script)
{
	int status = -1;
	qmp_free(script->qmp);
	waitpid(script->pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
