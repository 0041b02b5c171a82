/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Talking to a guest agent: scripted guests, most of them hostile, and a real qemu-ga. */
#include <errno.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/un.h>

#include "host/agent/agent-parts.h"
#include "host/agent/agent.h"
#include "host/os/clock.h"
#include "host/os/listen.h"
#include "peer.h"
#include "scratch.h"
#include "test.h"

#define LIMIT_USEC (120 * USEC_PER_SEC)
/* For what must not come: long enough for a guest to do wrong, short enough to wait for. */
#define SHORT_USEC (50 * USEC_PER_MSEC)

/* ---- the guest's side ---- */

/* The number of the next guest-sync-delimited or guest-sync; other lines are skipped. */
static long long hear_sync(int fd)
{
	for (;;) {
		const char *line = hear(fd), *at = strstr(line, "\"id\":");
		long long number;
		if (!*line)
			_exit(1);
		if (strstr(line, "guest-sync") && at && sscanf(at, "\"id\":%lld", &number) == 1)
			return number;
	}
}

static void answer_sync(int fd, long long number)
{
	char text[64];
	snprintf(text, sizeof(text), "\xff{\"return\": %lld}\n", number);
	say(fd, text);
}

static void sync_up(int fd)
{
	answer_sync(fd, hear_sync(fd));
}

static struct agent *attached(struct peer peer)
{
	struct agent *a = NULL;
	struct error err = {};
	if (agent_attach_take(peer.fd, "web", clock_deadline_usec(LIMIT_USEC), &a, &err) !=
			AGENT_DONE)
		TEST_FAIL("%s", err.text);
	return a;
}

static int ping(struct agent *a, uint64_t timeout_usec, struct error *err)
{
	static const struct agent_command command = { .name = "guest-ping" };
	CLEANUP(qmp_reply_done) struct qmp_reply reply = {};
	return agent_execute(a, &command, clock_deadline_usec(timeout_usec), &reply, err);
}

/* ---- what comes before the answer to the first command ---- */

/* NUMBER is the right one, OTHER a wrong one, DEL the delimiter. */
struct way_in {
	const char *says;
	int outcome;
	const char *text; /* in the message */
};

static const struct way_in ways_in[] = {
	{ "DEL{'return': NUMBER}\n", AGENT_DONE },
	{ "DEL{'return': NUMBER}\r\n", AGENT_DONE },
	/* Left over from other clients and from before the guest was started anew. */
	{ "{'return': {'pid': 1}}\nDEL{'return': NUMBER}\n", AGENT_DONE },
	{ "{'return': {'pidDEL{'return': NUMBER}\n", AGENT_DONE },
	{ "DEL{'return': OTHER}\nDEL{'return': NUMBER}\n", AGENT_DONE },
	{ "DEL{'return': OTHER}\n{'return': {}}\nDEL{'return': NUMBER}\n", AGENT_DONE },
	{ "DEL{'retDEL{'return': NUMBER}\n", AGENT_DONE },
	{ "DELDELDEL{'return': NUMBER}\n", AGENT_DONE },
	{ "{'error': {'class': 'GenericError', 'desc': 'stray'}}\nDEL{'return': NUMBER}\n",
			AGENT_DONE },
	{ "DEL{'error': {'class': 'X', 'desc': 'y'}}\nDEL{'return': NUMBER}\n", AGENT_DONE },
	{ "garbage without end {{{{ [[[ DEL{'return': NUMBER}\n", AGENT_DONE },
	{ "\n\n\nDEL\n\n{'return': NUMBER}\n", AGENT_DONE },
	/* Nothing, nearly nothing, and the wrong thing. */
	{ "", AGENT_LATE, "no answer to 'guest-sync-delimited' in time" },
	{ "{'return': NUMBER}\n", AGENT_LATE, "no answer" },
	{ "DEL{'return': NUMBER}", AGENT_LATE, "no answer" },
	{ "DEL{'return': OTHER}\n", AGENT_LATE, "no answer" },
	{ "DEL{'return': 'NUMBER'}\n", AGENT_LATE, "no answer" },
	{ "DEL{'return': NUMBER.0}\n", AGENT_LATE, "no answer" },
	{ "DEL{'return': null}\n", AGENT_LATE, "no answer" },
	{ "DEL{'return': {'id': NUMBER}}\n", AGENT_LATE, "no answer" },
	{ "DEL{'return': NUMBER}DEL\n", AGENT_LATE, "no answer" },
	/* No agent. */
	{ "DELlogin: \n", -EPROTO, "guest agent of 'web': not a QMP message" },
	{ "DEL{'return': NUMBER} x\n", -EPROTO, "not a QMP message" },
	{ "DEL[NUMBER]\n", -EPROTO, "no object" },
	{ "DEL{'QMP': {}}\n", -EPROTO, "only QEMU itself" },
	{ "DEL{'event': 'RESET'}\n", -EPROTO, "only QEMU itself" },
	{ "DEL{'return': 1, 'error': {}}\n", -EPROTO, "no greeting, reply or event" },
	{ "DEL\x1b]0;title\x07\n", -EPROTO, "'\\x1b]0;title\\x07'" },
};

static const struct way_in *way_in;

static void say_way_in(int fd, const char *text, long long number)
{
	for (; *text; text++) {
		char digits[32];
		if (strncmp(text, "DEL", 3) == 0) {
			say_bytes(fd, "\xff", 1);
			text += 2;
		} else if (strncmp(text, "NUMBER", 6) == 0 || strncmp(text, "OTHER", 5) == 0) {
			bool right = *text == 'N';
			snprintf(digits, sizeof(digits), "%lld", right ? number : number ^ 1);
			say(fd, digits);
			text += right ? 5 : 4;
		} else {
			say_bytes(fd, *text == '\'' ? "\"" : text, 1);
		}
	}
}

static void script_way_in(int fd)
{
	say_way_in(fd, way_in->says, hear_sync(fd));
	if (way_in->outcome == AGENT_DONE) {
		hear(fd);
		say(fd, "{\"return\": {}}\n");
	}
	wait_for_end(fd);
}

TEST(the_way_into_the_stream_is_found)
{
	for (size_t i = 0; i < ARRAY_SIZE(ways_in); i++) {
		struct error err = {};
		CLEANUP(agent_freep) struct agent *a = NULL;
		way_in = &ways_in[i];
		struct peer peer = peer_start(script_way_in);
		uint64_t limit = way_in->outcome == AGENT_LATE ? SHORT_USEC : LIMIT_USEC;
		int r = agent_attach_take(peer.fd, "web", clock_deadline_usec(limit), &a, &err);
		if (r != way_in->outcome)
			TEST_FAIL("row %zu: expected %d, got %d: %s", i, way_in->outcome, r,
					err.text);
		if (way_in->text)
			CHECK_SAYS(err, way_in->text);
		if (r == AGENT_DONE)
			CHECK_INT(ping(a, LIMIT_USEC, &err), AGENT_DONE);
		agent_freep(&a);
		peer_finish(peer.pid);
	}
}

/* ---- answers to commands ---- */

struct answer {
	const char *says; /* with ' for " */
	int outcome;
	const char *text;
};

static const struct answer answers[] = {
	{ "{'return': {}}\n", AGENT_DONE },
	{ "{'return': null}\n", AGENT_DONE },
	{ "{'return': {}, 'id': 'somebody-elses'}\n", AGENT_DONE },
	{ "{'error': {'class': 'GenericError', 'desc': 'no such pid'}}\n", AGENT_REFUSED,
			"guest agent of 'web': 'guest-ping': no such pid" },
	{ "{'error': {'class': 'GenericError', 'desc': '\\u001b[2J'}}\n", AGENT_REFUSED,
			"'guest-ping': \\x1b[2J" },
	{ "{'error': {'class': 'CommandNotFound', 'desc': 'has been disabled'}}\n", AGENT_LACKS,
			"unknown to it or forbidden by its configuration in the guest: has been" },
	{ "", AGENT_LATE, "no answer to 'guest-ping' in time" },
	{ "{'return': {}}", AGENT_LATE, "no answer" },
	{ "{'return'", AGENT_LATE, "no answer" },
	{ "\n\n\n", AGENT_LATE, "no answer" },
	{ "\xff{'return': {}}\n", -EPROTO, "not a QMP message" },
	{ "hello\n", -EPROTO, "not a QMP message" },
	{ "{'return': {'a': '\xc3'}}\n", -EPROTO, "not a QMP message" },
	{ "{'error': 'broken'}\n", -EPROTO, "the error is no object" },
	{ "{'error': {'class': 'X'}}\n", -EPROTO, "no class and description" },
	{ "{'event': 'POWERDOWN'}\n", -EPROTO, "only QEMU itself" },
	{ "{'QMP': {}}\n", -EPROTO, "only QEMU itself" },
	{ "{'execute': 'guest-ping'}\n", -EPROTO, "no greeting, reply or event" },
};

static const struct answer *answer;

static void script_answer(int fd)
{
	sync_up(fd);
	hear(fd);
	for (const char *c = answer->says; *c; c++)
		say_bytes(fd, *c == '\'' ? "\"" : c, 1);
	/* Late or not: the next command gets its own answer. */
	if (answer->outcome >= 0) {
		answer_sync(fd, hear_sync(fd));
		hear(fd);
		say(fd, "{\"return\": \"second\"}\n");
	}
	wait_for_end(fd);
}

TEST(an_answer_is_what_it_is)
{
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		struct error err = {};
		answer = &answers[i];
		struct peer peer = peer_start(script_answer);
		CLEANUP(agent_freep) struct agent *a = attached(peer);
		uint64_t limit = answer->outcome == AGENT_LATE ? SHORT_USEC : LIMIT_USEC;
		int r = ping(a, limit, &err);
		if (r != answer->outcome)
			TEST_FAIL("row %zu: expected %d, got %d: %s", i, answer->outcome, r,
					err.text);
		if (answer->text)
			CHECK_SAYS(err, answer->text);
		agent_freep(&a);
		kill(peer.pid, SIGKILL);
		peer_finish(peer.pid);
	}
}

static void script_late(int fd)
{
	sync_up(fd);
	hear(fd);
	/* Only once it was given up: then the answer to the first, and those to the next two. */
	long long number = hear_sync(fd);
	say(fd, "{\"return\": \"first\"}\n");
	answer_sync(fd, number);
	hear(fd);
	say(fd, "{\"return\": \"second\"}\n");
	wait_for_end(fd);
}

TEST(an_answer_that_was_given_up_is_not_taken_for_the_next_one)
{
	struct error err = {};
	struct json_object *value = NULL;
	struct peer peer = peer_start(script_late);
	CLEANUP(agent_freep) struct agent *a = attached(peer);
	CHECK_INT(ping(a, SHORT_USEC, &err), AGENT_LATE);
	CHECK_INT(agent_call(a, "guest-info", NULL, clock_deadline_usec(LIMIT_USEC), &value, &err),
			0);
	CHECK_STR(json_object_get_string(value), "second");
	json_object_put(value);
	agent_freep(&a);
	peer_finish(peer.pid);
}

/* ---- memory and time ---- */

static long memory_kib(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

static void flood(int fd, const char *piece)
{
	size_t len = strlen(piece);
	while (send(fd, piece, len, MSG_NOSIGNAL) > 0)
		;
	_exit(0);
}

static char *repeated(const char *begin, const char *unit, size_t n, const char *end)
{
	CLEANUP(buf_done) struct buf text = {};
	buf_puts(&text, begin);
	for (size_t i = 0; i < n; i++)
		buf_puts(&text, unit);
	buf_puts(&text, end);
	return buf_take(&text);
}

static void script_endless_before(int fd)
{
	hear_sync(fd);
	flood(fd, repeated("", "x", 65536, ""));
}

TEST(garbage_without_end_before_the_first_answer_takes_time_only)
{
	struct error err = {};
	struct agent *a = NULL;
	long before = memory_kib();
	struct peer peer = peer_start(script_endless_before);
	CHECK_INT(agent_attach_take(peer.fd, "web", clock_deadline_usec(4 * SHORT_USEC), &a, &err),
			AGENT_LATE);
	peer_finish(peer.pid);
	if (memory_kib() - before > 64 << 10)
		TEST_FAIL("it took %ld KiB", memory_kib() - before);
}

static void script_wrong_numbers(int fd)
{
	hear_sync(fd);
	flood(fd, repeated("", "\xff{\"return\": 4711}\n", 2000, ""));
}

TEST(wrong_numbers_without_end_take_time_only)
{
	struct error err = {};
	struct agent *a = NULL;
	struct peer peer = peer_start(script_wrong_numbers);
	CHECK_INT(agent_attach_take(peer.fd, "web", clock_deadline_usec(4 * SHORT_USEC), &a, &err),
			AGENT_LATE);
	peer_finish(peer.pid);
}

static void script_endless_line(int fd)
{
	sync_up(fd);
	hear(fd);
	say(fd, "{\"return\": \"");
	flood(fd, repeated("", "x", 65536, ""));
}

static void script_values(int fd)
{
	sync_up(fd);
	hear(fd);
	say(fd, repeated("{\"return\": [", "[],", 300000, "0]}\n"));
	wait_for_end(fd);
}

static void script_deep(int fd)
{
	sync_up(fd);
	hear(fd);
	say(fd, repeated("{\"return\": ", "[", 5000, "\n"));
	wait_for_end(fd);
}

TEST(an_answer_takes_no_more_memory_than_its_limit)
{
	static const struct {
		void (*script)(int);
		int outcome;
		const char *text;
	} rows[] = {
		{ script_endless_line, -EMSGSIZE, "longer than 1 MiB" },
		{ script_values, -EMSGSIZE, "more than 65536 values" },
		{ script_deep, -EPROTO, "nesting too deep" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = {};
		long before = memory_kib();
		struct peer peer = peer_start(rows[i].script);
		CLEANUP(agent_freep) struct agent *a = attached(peer);
		CHECK_INT(ping(a, LIMIT_USEC, &err), rows[i].outcome);
		CHECK_SAYS(err, rows[i].text);
		agent_freep(&a);
		peer_finish(peer.pid);
		if (memory_kib() - before > 64 << 10)
			TEST_FAIL("row %zu: it took %ld KiB", i, memory_kib() - before);
	}
}

static void script_long(int fd)
{
	sync_up(fd);
	for (int i = 0; i < 2; i++) {
		hear(fd);
		say(fd, repeated("{\"return\": \"", "0123456789abcdef", 100000, "\"}\n"));
	}
	wait_for_end(fd);
}

TEST(a_command_may_ask_for_a_longer_answer)
{
	struct error err = {};
	struct agent_command command = { .name = "guest-file-read", .reply_max = 2 << 20 };
	CLEANUP(qmp_reply_done) struct qmp_reply reply = {};
	struct peer peer = peer_start(script_long);
	CLEANUP(agent_freep) struct agent *a = attached(peer);
	CHECK_INT(agent_execute(a, &command, clock_deadline_usec(LIMIT_USEC), &reply, &err),
			AGENT_DONE);
	CHECK_INT(json_object_get_string_len(reply.value), 1600000);
	CHECK_INT(ping(a, LIMIT_USEC, &err), -EMSGSIZE);
	agent_freep(&a);
	peer_finish(peer.pid);
}

static void script_never_reads(int fd)
{
	sync_up(fd);
	struct pollfd end = { .fd = fd, .events = POLLRDHUP };
	poll(&end, 1, 60000);
}

TEST(a_guest_that_does_not_read_is_given_up)
{
	struct error err = {};
	CLEANUP(freep) char *much = repeated("", "y", 4 << 20, "");
	struct json_object *arguments = json_object_new_object();
	json_object_object_add(arguments, "buf-b64", json_object_new_string(much));
	struct peer peer = peer_start(script_never_reads);
	CLEANUP(agent_freep) struct agent *a = attached(peer);
	CHECK_INT(agent_call(a, "guest-file-write", arguments, clock_deadline_usec(SHORT_USEC),
				  NULL, &err),
			-ETIMEDOUT);
	json_object_put(arguments);
	agent_freep(&a);
	peer_finish(peer.pid);
}

static void script_closes(int fd)
{
	sync_up(fd);
	hear(fd);
	say(fd, "{\"retu");
}

TEST(a_connection_that_ends_is_told)
{
	struct error err = {};
	struct peer peer = peer_start(script_closes);
	CLEANUP(agent_freep) struct agent *a = attached(peer);
	CHECK_INT(ping(a, LIMIT_USEC, &err), AGENT_CLOSED);
	CHECK_SAYS(err, "guest agent of 'web': QEMU has closed the connection");
	CHECK_INT(ping(a, LIMIT_USEC, &err), AGENT_CLOSED);
	peer_finish(peer.pid);
}

/* ---- commands that are not answered ---- */

static void script_shutdown(int fd)
{
	sync_up(fd);
	if (!strstr(hear(fd), "guest-shutdown"))
		_exit(2);
	char text[64];
	snprintf(text, sizeof(text), "{\"return\": %lld}\n", hear_sync(fd));
	say(fd, text);
	hear(fd);
	say(fd, "{\"return\": {}}\n");
	wait_for_end(fd);
}

static void script_shutdown_refused(int fd)
{
	sync_up(fd);
	hear(fd);
	say(fd, "{\"error\": {\"class\": \"GenericError\", \"desc\": \"child has failed\"}}\n");
	char text[64];
	snprintf(text, sizeof(text), "{\"return\": %lld}\n", hear_sync(fd));
	say(fd, text);
	sync_up(fd);
	hear(fd);
	say(fd, "{\"return\": {}}\n");
	wait_for_end(fd);
}

TEST(what_is_not_answered_is_known_to_be_done_or_refused)
{
	static const struct agent_command command = { .name = "guest-shutdown" };
	static const struct {
		void (*script)(int);
		int outcome;
	} rows[] = {
		{ script_shutdown, AGENT_DONE },
		{ script_shutdown_refused, AGENT_REFUSED },
		{ script_closes, AGENT_CLOSED },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = {};
		struct peer peer = peer_start(rows[i].script);
		CLEANUP(agent_freep) struct agent *a = attached(peer);
		CHECK_INT(agent_tell(a, &command, clock_deadline_usec(LIMIT_USEC), &err),
				rows[i].outcome);
		/* The stream goes on where there is one. */
		if (rows[i].outcome != AGENT_CLOSED)
			CHECK_INT(ping(a, LIMIT_USEC, &err), AGENT_DONE);
		agent_freep(&a);
		peer_finish(peer.pid);
	}
}

/* ---- finding it ---- */

static struct plan_fd channel;
static struct plan plan_with_channel(void)
{
	channel = (struct plan_fd){
		.kind = PLAN_FD_LISTEN,
		.name = "agent",
		.path = scratch_path("agent.socket"),
	};
	return (struct plan){
		.machine = "web", .run_dir = scratch_dir, .fds = &channel, .n_fds = 1
	};
}

static int open_plan(const struct plan *plan, uint64_t timeout_usec, struct agent **ret,
		struct error *err)
{
	return agent_open(plan, clock_deadline_usec(timeout_usec), ret, err);
}

TEST(a_machine_without_the_channel_says_so)
{
	const struct plan plan = { .machine = "web", .run_dir = "/nowhere" };
	struct agent *a = NULL;
	struct error err = {};
	CHECK_INT(open_plan(&plan, LIMIT_USEC, &a, &err), AGENT_NONE);
	CHECK_SAYS(err, "'web' was started without the channel of the guest agent");
}

TEST(a_machine_that_does_not_run_says_so)
{
	struct agent *a = NULL;
	struct error err = {};
	scratch_begin();
	struct plan plan = plan_with_channel();
	CHECK_INT(open_plan(&plan, LIMIT_USEC, &a, &err), AGENT_ABSENT);
	/* A socket that nobody listens at; then not even a directory. */
	int fd = -1;
	CHECK_INT(listen_unix(channel.path, &(struct sharing){}, &fd, NULL), 0);
	close(fd);
	CHECK_INT(open_plan(&plan, LIMIT_USEC, &a, &err), AGENT_ABSENT);
	CHECK_SAYS(err, "guest agent of 'web': QEMU does not listen for clients");
	plan.run_dir = "/nowhere/at/all";
	CHECK_INT(open_plan(&plan, LIMIT_USEC, &a, &err), AGENT_ABSENT);
	scratch_end();

	channel = (struct plan_fd){ .kind = PLAN_FD_LISTEN_TCP, .name = "agent", .port = 1 };
	plan.run_dir = "/tmp";
	CHECK_INT(open_plan(&plan, LIMIT_USEC, &a, &err), AGENT_ABSENT);
	CHECK_SAYS(err, "nobody listens at port 1 of 127.0.0.1");
}

/* Serves clients one after the other, each with so many commands. */
static pid_t serve(int listen_fd, void (*script)(int), int n_clients)
{
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		alarm(300);
		for (int i = 0; i < n_clients; i++) {
			int fd = accept(listen_fd, NULL, NULL);
			script(fd);
			close(fd);
		}
		_exit(0);
	}
	close(listen_fd);
	return pid;
}

static void script_serves(int fd)
{
	sync_up(fd);
	while (*hear(fd))
		say(fd, "{\"return\": {}}\n");
}

TEST(clients_take_turns)
{
	struct agent *second = NULL;
	struct error err = {};
	int fd = -1;
	scratch_begin();
	struct plan plan = plan_with_channel();
	CHECK_INT(listen_unix(channel.path, &(struct sharing){}, &fd, NULL), 0);
	pid_t pid = serve(fd, script_serves, 3);

	CLEANUP(agent_freep) struct agent *first = NULL;
	CHECK_INT(open_plan(&plan, LIMIT_USEC, &first, &err), AGENT_DONE);
	CHECK_INT(open_plan(&plan, SHORT_USEC, &second, &err), AGENT_BUSY);
	CHECK_SAYS(err, "guest agent of 'web': QEMU serves one client at a time, and ");
	agent_rest(first);
	CHECK_INT(open_plan(&plan, LIMIT_USEC, &second, &err), AGENT_DONE);
	CHECK_INT(ping(first, SHORT_USEC, &err), AGENT_BUSY);
	agent_freep(&second);
	CHECK_INT(ping(first, LIMIT_USEC, &err), AGENT_DONE);
	agent_freep(&first);
	peer_finish(pid);
	scratch_end();
}

static void script_holds(int fd)
{
	wait_for_end(fd);
}

TEST(a_channel_that_somebody_else_holds_is_told_with_his_name)
{
	struct agent *a = NULL;
	struct error err = {};
	int fd = -1, held = -1;
	scratch_begin();
	struct plan plan = plan_with_channel();
	CHECK_INT(listen_unix(channel.path, &(struct sharing){}, &fd, NULL), 0);
	pid_t pid = serve(fd, script_holds, 1);
	/* By another process: our own connections are not told. */
	int pair[2];
	CHECK_INT(pipe(pair), 0);
	fflush(stdout);
	pid_t holder = fork();
	if (holder == 0) {
		alarm(300);
		if (connect_unix(channel.path, &held, NULL) < 0 || write(pair[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	char c;
	CHECK_INT(read(pair[0], &c, 1), 1);
	CHECK_INT(open_plan(&plan, SHORT_USEC, &a, &err), AGENT_BUSY);
	CLEANUP(freep) char *name = xasprintf("(pid %d)", holder);
	CHECK_SAYS(err, name);
	kill(holder, SIGKILL);
	peer_finish(holder);
	peer_finish(pid);
	close(pair[0]);
	close(pair[1]);
	scratch_end();
}

/* ---- a real agent ---- */

TEST(a_real_agent_answers)
{
	static const char *const program = "/usr/sbin/qemu-ga";
	if (access(program, X_OK) < 0)
		SKIP("there is no /usr/sbin/qemu-ga");
	scratch_begin();
	struct plan plan = plan_with_channel();
	struct error err = {};
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		alarm(300);
		execl(program, program, "-m", "unix-listen", "-p", channel.path, "-t", scratch_dir,
				"-b", "guest-exec", (char *)NULL);
		_exit(127);
	}
	CLEANUP(agent_freep) struct agent *a = NULL;
	uint64_t deadline = clock_deadline_usec(LIMIT_USEC);
	int r;
	while ((r = agent_open(&plan, deadline, &a, &err)) == AGENT_ABSENT &&
			clock_now_usec() < deadline)
		clock_pause(10 * USEC_PER_MSEC);
	CHECK_INT(r, AGENT_DONE);
	if (r == AGENT_DONE) {
		struct json_object *value = NULL;
		CHECK_INT(agent_call(a, "guest-get-host-name", NULL, deadline, &value, &err), 0);
		CHECK(json_object_is_type(value, json_type_object));
		json_object_put(value);
		agent_rest(a);
		CHECK_INT(ping(a, LIMIT_USEC, &err), AGENT_DONE);
		CHECK_INT(agent_call(a, "guest-exec", NULL, deadline, NULL, &err), -EOPNOTSUPP);
		CHECK_SAYS(err, "'guest-exec' is unknown to it or forbidden by its configuration");
		CHECK_INT(agent_call(a, "guest-file-close", NULL, deadline, NULL, &err),
				-EREMOTEIO);
	} else {
		test_note("%s", err.text);
	}
	kill(pid, SIGTERM);
	peer_finish(pid);
	scratch_end();
}

TEST_MAIN()
