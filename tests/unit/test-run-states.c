/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asking many QEMUs for their states: such that answer, hang, talk nonsense, serve others. */
#include "host/run-states.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/clock.h"
#include "test.h"
#include "util/mem.h"

#define GREETING "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n"
#define EVENT "{\"event\": \"RTC_CHANGE\", \"data\": {}}\r\n"
#define READY "{\"id\": \"0\", \"return\": {}}\r\n"

/* What a QEMU says when it is connected, and after each line that it hears. */
struct fake {
	const char *first;
	const char *then[2];
	const char *state;  /* expected; NULL: none */
	const char *reason; /* part of it */
};

static const struct fake fakes[] = {
	{ GREETING, { READY, "{\"id\": \"1\", \"return\": {\"status\": \"running\"}}\r\n" },
			"running", NULL },
	{ GREETING EVENT,
			{ EVENT READY, EVENT "{\"id\": \"1\", \"return\": {\"status\": "
					     "\"paused\"}}\r\n" },
			"paused", NULL },
	{ GREETING, { READY, "{\"id\": \"1\", \"return\": {\"status\": \"dreaming\"}}\r\n" },
			"unknown", NULL },
	{ GREETING, { READY, "{\"id\": \"1\", \"return\": {}}\r\n" }, NULL,
			"QEMU does not tell its state" },
	{ GREETING,
			{ READY, "{\"id\": \"1\", \"error\": {\"class\": \"GenericError\", "
				 "\"desc\": \"no\"}}\r\n" },
			NULL, "QEMU does not tell its state" },
	{ GREETING, { READY, "{\"id\": \"7\", \"return\": {\"status\": \"running\"}}\r\n" }, NULL,
			"QEMU does not answer" },
	{ GREETING GREETING, { "", "" }, NULL, "QEMU does not answer" },
	{ "220 ftp\r\n", { "", "" }, NULL, "220 ftp" },
	{ NULL, { "", "" }, NULL, "QEMU has closed its monitor" },
	/* As one does that serves another client: this one. */
	{ "", { "", "" }, NULL, "QEMU does not answer" },
};

static void serve(int fd, const struct fake *fake)
{
	if (!fake->first)
		return;
	FILE *in = fdopen(fd, "r");
	char line[1024];
	if (send(fd, fake->first, strlen(fake->first), MSG_NOSIGNAL) < 0)
		return;
	for (size_t i = 0; fgets(line, sizeof(line), in); i++)
		if (i < 2 && send(fd, fake->then[i], strlen(fake->then[i]), MSG_NOSIGNAL) < 0)
			return;
}

static char dir[] = "/tmp/test-run-states.XXXXXX";

/* The socket listens when this returns. */
static pid_t start(size_t i, const struct fake *fake, char **ret_path)
{
	*ret_path = xasprintf("%s/%zu", dir, i);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", *ret_path);
	int listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listen_fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
			listen(listen_fd, 1) < 0)
		abort();
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		alarm(60);
		serve(accept(listen_fd, NULL, NULL), fake);
		_exit(0);
	}
	close(listen_fd);
	return pid;
}

static void stop(pid_t pid, char *path)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	unlink(path);
	free(path);
}

static bool is_as_expected(const struct run_states_item *item, const struct fake *fake)
{
	if (fake->state)
		return item->state && !strcmp(item->state->name, fake->state) && !item->reason;
	return !item->state && item->reason && strstr(item->reason, fake->reason);
}

TEST(each_is_told_as_it_is)
{
	struct run_states_item items[ARRAY_SIZE(fakes) + 2] = {};
	char *paths[ARRAY_SIZE(fakes)];
	pid_t pids[ARRAY_SIZE(fakes)];
	bool right[ARRAY_SIZE(fakes)];
	CHECK(mkdtemp(dir));
	for (size_t i = 0; i < ARRAY_SIZE(fakes); i++) {
		pids[i] = start(i, &fakes[i], &paths[i]);
		items[i].path = paths[i];
	}
	CLEANUP(freep) char *nowhere = xasprintf("%s/nowhere", dir);
	items[ARRAY_SIZE(fakes)].path = nowhere;
	run_states_query(items, ARRAY_SIZE(items), clock_deadline_usec(USEC_PER_SEC));
	for (size_t i = 0; i < ARRAY_SIZE(fakes); i++) {
		right[i] = is_as_expected(&items[i], &fakes[i]);
		if (!right[i])
			test_note("%zu: %s, %s", i, items[i].state ? items[i].state->name : "none",
					items[i].reason ? items[i].reason : "none");
		CHECK_INT(items[i].is_absent, false);
		stop(pids[i], paths[i]);
	}
	bool absent = items[ARRAY_SIZE(fakes)].is_absent;
	bool unasked = !items[ARRAY_SIZE(fakes) + 1].state && !items[ARRAY_SIZE(fakes) + 1].reason;
	run_states_done(items, ARRAY_SIZE(items));
	rmdir(dir);
	for (size_t i = 0; i < ARRAY_SIZE(fakes); i++)
		CHECK(right[i]);
	CHECK(absent);
	CHECK(unasked);
}

TEST(who_holds_a_monitor_is_named)
{
	static const struct fake silent = { "", { "", "" }, NULL, NULL };
	static char own[] = "/tmp/test-run-states.XXXXXX";
	char *path;
	CHECK(mkdtemp(own));
	memcpy(dir, own, sizeof(dir));
	pid_t server = start(0, &silent, &path), holder = fork();
	if (holder == 0) {
		struct sockaddr_un address = { .sun_family = AF_UNIX };
		snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
			alarm(60);
		kill(getpid(), SIGSTOP);
		_exit(0);
	}
	int status;
	waitpid(holder, &status, WUNTRACED);
	struct run_states_item item = { .path = path };
	run_states_query(&item, 1, clock_deadline_usec(500 * USEC_PER_MSEC));
	CLEANUP(freep) char *expected = xasprintf("(pid %d)", holder);
	bool named = item.reason && strstr(item.reason, "its monitor is held by ") &&
		     strstr(item.reason, expected);
	if (!named)
		test_note("%s", item.reason);
	run_states_done(&item, 1);
	kill(holder, SIGKILL);
	waitpid(holder, NULL, 0);
	stop(server, path);
	rmdir(own);
	CHECK(named);
}

TEST_MAIN()
