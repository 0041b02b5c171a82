/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands and files in a guest whose agent follows a script, most of them hostile; base64. */
#include <errno.h>

#include "host/agent/agent-exec.h"
#include "host/agent/agent-file.h"
#include "host/os/clock.h"
#include "peer.h"
#include "test.h"
#include "util/base64.h"
#include "util/mem.h"

#define LIMIT_USEC (120 * USEC_PER_SEC)

/* ---- base64 ---- */

TEST(base64_is_that_of_the_rfc)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xff\xfe\xfb", "//77" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(buf_done) struct buf text = {}, data = {};
		base64_add(&text, rows[i][0], strlen(rows[i][0]));
		CHECK_STR(buf_text(&text), rows[i][1]);
		CHECK_INT(base64_read(&data, rows[i][1], strlen(rows[i][1])), 0);
		CHECK_STR(buf_text(&data), rows[i][0]);
	}
}

TEST(what_is_no_base64_is_refused)
{
	static const char *const rows[] = { "Z", "Zg", "Zg=", "=",
		"====", "Z===", "Zg==Zg==", "Zm 9", "Zm9-", "Zm9v\n", "Zm\xc3\xa4", "Z=9v" };
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(buf_done) struct buf data = {};
		buf_puts(&data, "kept");
		if (base64_read(&data, rows[i], strlen(rows[i])) != -EINVAL)
			TEST_FAIL("row %zu was read", i);
		CHECK_STR(buf_text(&data), "kept");
	}
}

TEST(all_bytes_come_back)
{
	char bytes[256];
	for (int i = 0; i < 256; i++)
		bytes[i] = (char)i;
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		CLEANUP(buf_done) struct buf text = {}, data = {};
		base64_add(&text, bytes, len);
		CHECK_INT(base64_read(&data, buf_text(&text), text.len), 0);
		CHECK(data.len == len && memcmp(buf_text(&data), bytes, len) == 0);
	}
}

/* ---- the guest's side ---- */

/* Answers in the order of the commands, with ' for "; after the last one silence. */
static const char *const *answers;

static void script_answers(int fd)
{
	long long number;
	const char *at = strstr(hear(fd), "\"id\":");
	char text[64];
	if (!at || sscanf(at, "\"id\":%lld", &number) != 1)
		_exit(1);
	snprintf(text, sizeof(text), "\xff{\"return\": %lld}\n", number);
	say(fd, text);
	for (const char *const *answer = answers; *answer; answer++) {
		hear(fd);
		for (const char *c = *answer; *c; c++)
			say_bytes(fd, *c == '\'' ? "\"" : c, 1);
		say(fd, "\n");
	}
	wait_for_end(fd);
}

static struct agent *attached(const char *const *list, struct peer *ret)
{
	struct agent *a = NULL;
	struct error err = {};
	answers = list;
	*ret = peer_start(script_answers);
	if (agent_attach_take(ret->fd, "web", clock_deadline_usec(LIMIT_USEC), &a, &err) !=
			AGENT_DONE)
		TEST_FAIL("%s", err.text);
	return a;
}

/* ---- commands ---- */

#define PID "{'return': {'pid': 7}}"
#define ENDED "{'return': {'exited': true, "

struct run_row {
	const char *answers[4];
	int outcome;
	int status, signal;
	const char *out, *text;
};

static const struct run_row run_rows[] = {
	{ { PID, ENDED "'exitcode': 3}}" }, AGENT_DONE, .status = 3, .out = "" },
	{ { PID, ENDED "'signal': 15}}" }, AGENT_DONE, .signal = 15, .out = "" },
	{ { PID, "{'return': {'exited': false}}", ENDED "'exitcode': 0, 'out-data': 'aGk='}}" },
			AGENT_DONE, .out = "hi" },
	{ { PID, ENDED "'exitcode': 4294967295}}" }, AGENT_DONE, .status = -1, .out = "" },
	{ { "{'error': {'class': 'CommandNotFound', 'desc': 'disabled'}}" }, AGENT_LACKS,
			.text = "'guest-exec' is unknown to it or forbidden" },
	{ { "{'error': {'class': 'GenericError', 'desc': 'No such file'}}" }, AGENT_REFUSED,
			.text = "No such file" },
	{ { PID, "{'error': {'class': 'GenericError', 'desc': 'PID 7 is gone'}}" }, AGENT_REFUSED,
			.text = "PID 7 is gone" },
	/* Nonsense. */
	{ { "{'return': {}}" }, -EPROTO, .text = "'guest-exec' makes no sense" },
	{ { "{'return': 7}" }, -EPROTO, .text = "makes no sense" },
	{ { "{'return': {'pid': 0}}" }, -EPROTO, .text = "makes no sense" },
	{ { "{'return': {'pid': -5}}" }, -EPROTO, .text = "makes no sense" },
	{ { "{'return': {'pid': '7'}}" }, -EPROTO, .text = "makes no sense" },
	{ { "{'return': {'pid': 7.5}}" }, -EPROTO, .text = "makes no sense" },
	{ { PID, "{'return': {}}" }, -EPROTO, .text = "'guest-exec-status' makes no sense" },
	{ { PID, "{'return': null}" }, -EPROTO, .text = "makes no sense" },
	{ { PID, "{'return': {'exited': 1}}" }, -EPROTO, .text = "makes no sense" },
	{ { PID, ENDED "'exitcode': '3'}}" }, -EPROTO, .text = "makes no sense" },
	{ { PID, ENDED "'exitcode': 99999999999}}" }, -EPROTO, .text = "makes no sense" },
	{ { PID, ENDED "'signal': -1}}" }, -EPROTO, .text = "makes no sense" },
	{ { PID, ENDED "'out-data': 'a'}}" }, -EPROTO, .text = "makes no sense" },
	{ { PID, ENDED "'out-data': 7}}" }, -EPROTO, .text = "makes no sense" },
	{ { PID, ENDED "'err-data': ['aGk=']}}" }, -EPROTO, .text = "makes no sense" },
};

TEST(a_command_ends_as_its_agent_says)
{
	for (size_t i = 0; i < ARRAY_SIZE(run_rows); i++) {
		const struct run_row *row = &run_rows[i];
		struct error err = {};
		struct peer peer;
		CLEANUP(agent_freep) struct agent *a = attached(row->answers, &peer);
		CLEANUP(agent_exit_done) struct agent_exit result = {};
		const struct agent_exec exec = { .program = "true" };
		int r = agent_run(a, &exec, clock_deadline_usec(LIMIT_USEC), &result, &err);
		if (r != row->outcome)
			TEST_FAIL("row %zu: expected %d, got %d: %s", i, row->outcome, r, err.text);
		if (row->text)
			CHECK_SAYS(err, row->text);
		if (r == AGENT_DONE) {
			CHECK_INT(result.status, row->status);
			CHECK_INT(result.signal, row->signal);
			CHECK_STR(buf_text(&result.out), row->out);
		}
		agent_freep(&a);
		peer_finish(peer.pid);
	}
}

static void check_words(const struct agent_exec *exec, const char *expected)
{
	int pair[2];
	struct error err = {};
	CLEANUP(agent_exit_done) struct agent_exit result = {};
	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		long long number;
		char text[64];
		close(pair[0]);
		alarm(300);
		sscanf(strstr(hear(pair[1]), "\"id\":"), "\"id\":%lld", &number);
		snprintf(text, sizeof(text), "\xff{\"return\": %lld}\n", number);
		say(pair[1], text);
		_exit(strcmp(hear(pair[1]), expected) == 0 ? 0 : 1);
	}
	close(pair[1]);
	struct agent *a = NULL;
	CHECK_INT(agent_attach_take(pair[0], "web", clock_deadline_usec(LIMIT_USEC), &a, &err),
			AGENT_DONE);
	CHECK_INT(agent_run(a, exec, clock_deadline_usec(LIMIT_USEC), &result, &err), AGENT_CLOSED);
	agent_free(a);
	CHECK_INT(peer_finish(pid), 0);
}

TEST(what_failed_is_never_taken_for_success)
{
	static const struct {
		int status, signal, expected;
	} rows[] = {
		{ 0, 0, 0 },
		{ 1, 0, 1 },
		{ 255, 0, 255 },
		{ 256, 0, 255 },
		{ -1, 0, 255 },
		{ INT32_MIN, 0, 255 },
		{ (int)0xc0000005, 0, 5 },
		{ 0, 9, 137 },
		{ 0, 128, 128 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct agent_exit e = { .status = rows[i].status, .signal = rows[i].signal };
		CHECK_INT(agent_exit_status(&e), rows[i].expected);
	}
}

TEST(a_command_is_handed_over_as_it_is)
{
	CLEANUP(strv_done) struct strv arguments = {}, environment = {};
	CLEANUP(buf_done) struct buf input = {};
	check_words(&(struct agent_exec){ .program = "/bin/true" },
			"{\"execute\":\"guest-exec\",\"arguments\":{\"path\":\"/bin/true\","
			"\"capture-output\":true}}");
	strv_push(&arguments, "-c");
	strv_push(&arguments, "echo \"$A\"");
	strv_push(&environment, "A=1");
	buf_puts(&input, "hi");
	check_words(&(struct agent_exec){ "sh", &arguments, &environment, &input },
			"{\"execute\":\"guest-exec\",\"arguments\":{\"path\":\"sh\","
			"\"capture-output\":true,\"arg\":[\"-c\",\"echo \\\"$A\\\"\"],\"env\":"
			"[\"A=1\"],\"input-data\":\"aGk=\"}}");
}

TEST(words_that_no_json_can_hold_are_not_sent)
{
	static const char *const list[] = { NULL };
	struct error err = {};
	struct peer peer;
	CLEANUP(agent_exit_done) struct agent_exit result = {};
	CLEANUP(strv_done) struct strv arguments = {};
	CLEANUP(agent_freep) struct agent *a = attached(list, &peer);
	strv_push(&arguments, "caf\xe9");
	const struct agent_exec exec = { .program = "cat", .arguments = &arguments };
	CHECK_INT(agent_run(a, &exec, clock_deadline_usec(LIMIT_USEC), &result, &err), -EILSEQ);
	CHECK(strstr(err.text, "'guest-exec' takes only text in UTF-8"));
	agent_freep(&a);
	peer_finish(peer.pid);
}

TEST(a_command_that_goes_on_is_told_with_its_number)
{
	static const char *const list[] = { PID, NULL };
	struct error err = {};
	struct peer peer;
	CLEANUP(agent_freep) struct agent *a = attached(list, &peer);
	CLEANUP(agent_exit_done) struct agent_exit result = {};
	const struct agent_exec exec = { .program = "sleep" };
	CHECK_INT(agent_run(a, &exec, clock_deadline_usec(USEC_PER_SEC), &result, &err),
			AGENT_LATE);
	CHECK_SAYS(err, "'sleep' still runs as process 7 of the guest");
	CHECK_INT(result.pid, 7);
	agent_freep(&a);
	peer_finish(peer.pid);
}

/* ---- files ---- */

#define OPENED "{'return': 1000}"

static const struct {
	const char *answers[3];
	int outcome;
	const char *data, *text;
} read_rows[] = {
	{ { OPENED, "{'return': {'count': 2, 'buf-b64': 'aGk=', 'eof': true}}" }, AGENT_DONE,
			"hi" },
	{ { OPENED, "{'return': {'count': 0, 'buf-b64': '', 'eof': true}}" }, AGENT_DONE, "" },
	{ { OPENED, "{'error': {'class': 'GenericError', 'desc': 'Is a directory'}}" },
			AGENT_REFUSED, "", "'/x': guest agent of 'web': 'guest-file-read': Is a" },
	{ { OPENED, "{'return': {'count': 4000000000, 'buf-b64': 'aGk='}}" }, -EPROTO, "",
			"'/x': the guest agent's answer to 'guest-file-read' makes no sense" },
	{ { OPENED, "{'return': {'count': -1, 'buf-b64': 'aGk='}}" }, -EPROTO, "", "no sense" },
	{ { OPENED, "{'return': {'count': 2}}" }, -EPROTO, "", "no sense" },
	{ { OPENED, "{'return': {'buf-b64': 'aGk='}}" }, -EPROTO, "", "no sense" },
	{ { OPENED, "{'return': {'count': 2, 'buf-b64': 7}}" }, -EPROTO, "", "no sense" },
	{ { OPENED, "{'return': {'count': 2, 'buf-b64': '!!!!'}}" }, -EPROTO, "", "no sense" },
	{ { OPENED, "{'return': []}" }, -EPROTO, "", "no sense" },
	{ { OPENED, "{'return': null}" }, -EPROTO, "", "no sense" },
	{ { "{'return': '1000'}" }, -EPROTO, "", "'guest-file-open' makes no sense" },
	{ { "{'return': {}}" }, -EPROTO, "", "'guest-file-open' makes no sense" },
	{ { "{'error': {'class': 'CommandNotFound', 'desc': 'no'}}" }, AGENT_LACKS, "",
			"'guest-file-open' is unknown" },
};

TEST(a_piece_of_a_file_is_what_the_agent_says_it_is)
{
	for (size_t i = 0; i < ARRAY_SIZE(read_rows); i++) {
		struct error err = {};
		struct peer peer;
		struct agent_file file;
		CLEANUP(buf_done) struct buf data = {};
		CLEANUP(agent_freep) struct agent *a = attached(read_rows[i].answers, &peer);
		uint64_t deadline = clock_deadline_usec(LIMIT_USEC);
		int r = agent_file_open(a, "/x", "r", deadline, &file, &err);
		if (r == AGENT_DONE)
			r = agent_file_read(&file, deadline, &data, &err);
		if (r != read_rows[i].outcome)
			TEST_FAIL("row %zu: expected %d, got %d: %s", i, read_rows[i].outcome, r,
					err.text);
		CHECK_STR(buf_text(&data), read_rows[i].data);
		if (read_rows[i].text)
			CHECK_SAYS(err, read_rows[i].text);
		agent_freep(&a);
		peer_finish(peer.pid);
	}
}

TEST(a_file_is_written_to_its_end_or_not_at_all)
{
	static const struct {
		const char *answers[4];
		int outcome;
	} rows[] = {
		{ { OPENED, "{'return': {'count': 6, 'eof': false}}" }, AGENT_DONE },
		{ { OPENED, "{'return': {'count': 4}}", "{'return': {'count': 2}}" }, AGENT_DONE },
		{ { OPENED, "{'return': {'count': 0}}" }, -EPROTO },
		{ { OPENED, "{'return': {'count': 7}}" }, -EPROTO },
		{ { OPENED, "{'return': {'count': -6}}" }, -EPROTO },
		{ { OPENED, "{'return': {}}" }, -EPROTO },
		{ { OPENED, "{'error': {'class': 'GenericError', 'desc': 'No space left'}}" },
				AGENT_REFUSED },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = {};
		struct peer peer;
		struct agent_file file;
		CLEANUP(agent_freep) struct agent *a = attached(rows[i].answers, &peer);
		uint64_t deadline = clock_deadline_usec(LIMIT_USEC);
		int r = agent_file_open(a, "/x", "w", deadline, &file, &err);
		if (r == AGENT_DONE)
			r = agent_file_write(&file, "foobar", 6, deadline, &err);
		if (r != rows[i].outcome)
			TEST_FAIL("row %zu: expected %d, got %d: %s", i, rows[i].outcome, r,
					err.text);
		agent_freep(&a);
		peer_finish(peer.pid);
	}
}

TEST(a_file_is_as_long_as_the_guest_says)
{
	static const struct {
		const char *answers[4];
		int outcome;
		uint64_t size;
	} rows[] = {
		{ { OPENED, "{'return': {'position': 5, 'eof': false}}",
				  "{'return': {'position': 0}}" },
				AGENT_DONE, 5 },
		{ { OPENED, "{'return': {'position': -1}}" }, -EPROTO },
		{ { OPENED, "{'return': 5}" }, -EPROTO },
		{ { OPENED, "{'error': {'class': 'GenericError', 'desc': 'Illegal seek'}}" },
				AGENT_REFUSED },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = {};
		struct peer peer;
		struct agent_file file;
		uint64_t size = 0;
		CLEANUP(agent_freep) struct agent *a = attached(rows[i].answers, &peer);
		uint64_t deadline = clock_deadline_usec(LIMIT_USEC);
		int r = agent_file_open(a, "/x", "r", deadline, &file, &err);
		if (r == AGENT_DONE)
			r = agent_file_size(&file, deadline, &size, &err);
		CHECK_INT(r, rows[i].outcome);
		CHECK_INT(size, rows[i].size);
		agent_freep(&a);
		peer_finish(peer.pid);
	}
}

TEST_MAIN()
