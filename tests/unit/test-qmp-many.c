/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asking many QEMUs the same: such that answer, hang, talk nonsense, serve others. */
#include "host/qmp/qmp-many.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/os/clock.h"
#include "host/qmp/run-state.h"
#include "test.h"
#include "util/mem.h"

#define GREETING                                                                                   \
	"{\"QMP\": {\"version\": {\"qemu\": {\"major\": 7, \"minor\": 2}}, \"capabilities\": "     \
	"[]}}\r\n"
#define EVENT "{\"event\": \"RTC_CHANGE\", \"data\": {}}\r\n"
#define READY "{\"return\": {}}\r\n"
#define ERROR "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}}\r\n"

/* What a QEMU says when it is connected, and in two pieces when it has heard something. */
struct fake {
	const char *first;
	const char *then[2];
	const char *state;  /* expected; NULL: none */
	const char *reason; /* part of it */
};

static const struct fake fakes[] = {
	{ GREETING, { READY, "{\"return\": {\"status\": \"running\"}}\r\n" }, "running", NULL },
	{ GREETING EVENT, { EVENT READY, EVENT "{\"return\": {\"status\": \"paused\"}}\r\n" },
			"paused", NULL },
	{ GREETING, { READY, "{\"return\": {\"status\": \"dreaming\"}}\r\n" }, "unknown", NULL },
	{ GREETING, { READY, ERROR }, NULL, "QEMU refuses 'query-status'" },
	{ GREETING, { ERROR, ERROR }, NULL, "QEMU refuses 'qmp_capabilities'" },
	{ GREETING, { READY, "{\"return\": null}\r\n" }, NULL, "QEMU refuses 'query-status'" },
	{ GREETING, { READY, "" }, NULL, "QEMU does not answer" },
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
	for (size_t n = 0; fgets(line, sizeof(line), in); n++)
		for (size_t i = 0; n == 0 && i < 2; i++)
			if (send(fd, fake->then[i], strlen(fake->then[i]), MSG_NOSIGNAL) < 0)
				return;
}

static char *dir;

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
		alarm(300);
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

static const char *const commands[] = { "query-status", NULL };

static const char *state_of(const struct qmp_many *item)
{
	const struct run_state *state = run_state_read(item->replies[0]);
	return state ? state->name : "none";
}

static bool is_as_expected(const struct qmp_many *item, const struct fake *fake)
{
	/* Who is silent is told from who ends. */
	if (item->is_late != (fake->reason && !strcmp(fake->reason, "QEMU does not answer")))
		return false;
	if (fake->state)
		return item->is_answered && !strcmp(state_of(item), fake->state) && !item->reason;
	return !item->is_answered && !item->replies[0] && item->reason &&
	       strstr(item->reason, fake->reason);
}

TEST(each_is_told_as_it_is)
{
	struct qmp_many items[ARRAY_SIZE(fakes) + 2] = {};
	char *paths[ARRAY_SIZE(fakes)];
	pid_t pids[ARRAY_SIZE(fakes)];
	bool right[ARRAY_SIZE(fakes)];
	dir = test_directory();
	for (size_t i = 0; i < ARRAY_SIZE(fakes); i++) {
		pids[i] = start(i, &fakes[i], &paths[i]);
		items[i].path = paths[i];
	}
	CLEANUP(freep) char *nowhere = xasprintf("%s/nowhere", dir);
	items[ARRAY_SIZE(fakes)].path = nowhere;
	/* Those that don't answer take all of it. */
	qmp_many_ask(items, ARRAY_SIZE(items), commands, clock_deadline_usec(5 * USEC_PER_SEC));
	for (size_t i = 0; i < ARRAY_SIZE(fakes); i++) {
		right[i] = is_as_expected(&items[i], &fakes[i]);
		if (!right[i])
			test_note("%zu: %s, %s", i, state_of(&items[i]),
					items[i].reason ? items[i].reason : "none");
		CHECK_INT(items[i].is_absent, false);
		stop(pids[i], paths[i]);
	}
	bool absent = items[ARRAY_SIZE(fakes)].is_absent;
	bool unasked = !items[ARRAY_SIZE(fakes) + 1].is_answered &&
		       !items[ARRAY_SIZE(fakes) + 1].reason;
	qmp_many_done(items, ARRAY_SIZE(items));
	rmdir(dir);
	freep(&dir);
	for (size_t i = 0; i < ARRAY_SIZE(fakes); i++)
		CHECK(right[i]);
	CHECK(absent);
	CHECK(unasked);
}

/* The fake's answers come in two parts, whatever it is asked. */
static void ask_two(const struct fake *fake, struct qmp_many *item)
{
	static const char *const two[] = { "query-status", "query-blockstats", NULL };
	dir = test_directory();
	char *path;
	pid_t pid = start(0, fake, &path);
	*item = (struct qmp_many){ .path = path };
	qmp_many_ask(item, 1, two, clock_deadline_usec(120 * USEC_PER_SEC));
	item->path = NULL;
	stop(pid, path);
	rmdir(dir);
	freep(&dir);
}

TEST(several_commands_have_all_their_replies)
{
	static const struct fake fake = { GREETING,
		{ READY "{\"return\": {\"status\": \"running\"}}\r\n" EVENT,
				"{\"return\": [7]}\r\n{\"return\": [8]}\r\n" },
		NULL, NULL };
	struct qmp_many item;
	ask_two(&fake, &item);
	bool answered = item.is_answered && !strcmp(state_of(&item), "running") &&
			json_object_array_length(item.replies[1]) == 1 &&
			json_object_get_int(json_object_array_get_idx(item.replies[1], 0)) == 7;
	bool greeted = !strcmp(item.version, "7.2");
	qmp_many_done(&item, 1);
	CHECK(answered);
	CHECK(greeted);
}

TEST(one_refused_command_leaves_no_replies)
{
	static const struct fake fake = { GREETING,
		{ READY, "{\"return\": {\"status\": \"running\"}}\r\n" ERROR }, NULL, NULL };
	struct qmp_many item;
	ask_two(&fake, &item);
	bool refused = !item.is_answered && !item.replies[0] && item.reason &&
		       !strcmp(item.reason, "QEMU refuses 'query-blockstats'");
	qmp_many_done(&item, 1);
	CHECK(refused);
}

TEST(one_refused_command_leaves_the_others_where_that_will_do)
{
	static const struct fake fake = { GREETING, { READY, ERROR "{\"return\": [7]}\r\n" }, NULL,
		NULL };
	static const char *const two[] = { "query-status", "query-blockstats", NULL };
	char *path;
	dir = test_directory();
	pid_t pid = start(0, &fake, &path);
	struct qmp_many item = { .path = path, .is_partial = true };
	qmp_many_ask(&item, 1, two, clock_deadline_usec(120 * USEC_PER_SEC));
	stop(pid, path);
	rmdir(dir);
	freep(&dir);
	bool answered = item.is_answered && !item.replies[0] &&
			json_object_array_length(item.replies[1]) == 1;
	qmp_many_done(&item, 1);
	CHECK(answered);
}

TEST(who_holds_a_monitor_is_named)
{
	static const struct fake silent = { "", { "", "" }, NULL, NULL };
	char *path;
	dir = test_directory();
	pid_t server = start(0, &silent, &path), holder = fork();
	if (holder == 0) {
		struct sockaddr_un address = { .sun_family = AF_UNIX };
		snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
			alarm(300);
		kill(getpid(), SIGSTOP);
		_exit(0);
	}
	int status;
	waitpid(holder, &status, WUNTRACED);
	CLEANUP(freep) char *expected = xasprintf("(pid %d)", holder);
	/* As often as it is asked: who has given up fills the server's queue until it accepts. */
	bool named = true;
	for (int i = 0; i < 5; i++) {
		struct qmp_many item = { .path = path };
		qmp_many_ask(&item, 1, commands, clock_deadline_usec(100 * USEC_PER_MSEC));
		bool is_named = item.reason && strstr(item.reason, "its monitor is held by ") &&
				strstr(item.reason, expected);
		if (!is_named)
			test_note("%d: %s", i, item.reason);
		named &= is_named;
		qmp_many_done(&item, 1);
	}
	kill(holder, SIGKILL);
	waitpid(holder, NULL, 0);
	stop(server, path);
	rmdir(dir);
	freep(&dir);
	CHECK(named);
}

/* A shell has 1024; a connection to each QEMU and what else is open may be more. */
TEST(more_are_asked_than_there_are_descriptors_at_first)
{
	enum { N = 40, FEW = 20 };
	struct qmp_many items[N] = {};
	char *paths[N];
	pid_t pids[N];
	struct rlimit before, few;
	size_t n_answered = 0;
	dir = test_directory();
	for (size_t i = 0; i < N; i++) {
		pids[i] = start(i, &fakes[0], &paths[i]);
		items[i].path = paths[i];
	}
	CHECK_INT(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = (struct rlimit){ .rlim_cur = FEW, .rlim_max = before.rlim_max };
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &few), 0);
	qmp_many_ask(items, N, commands, clock_deadline_usec(60 * USEC_PER_SEC));
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &before), 0);
	for (size_t i = 0; i < N; i++) {
		n_answered += is_as_expected(&items[i], &fakes[0]);
		stop(pids[i], paths[i]);
	}
	qmp_many_done(items, N);
	rmdir(dir);
	free(dir);
	CHECK_INT(n_answered, N);
}

TEST_MAIN()
