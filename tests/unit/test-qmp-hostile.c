/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's monitor taken over: whatever is said there ends in the right outcome, in time and within
 * bounds of memory. Each row is a talk; test-qmp.c tells what honest ones are like.
 */
#include <dirent.h>
#include <errno.h>
#include <sys/resource.h>

#include "host/os/clock.h"
#include "host/qmp/qmp.h"
#include "peer.h"
#include "test.h"
#include "util/buf.h"

#define LIMIT_USEC (120 * USEC_PER_SEC)
/* For what must not come. */
#define SHORT_USEC (60 * USEC_PER_MSEC)
/* A line of QMP_LINE_MAX, and its copies while it grows; the sanitizer keeps back what was freed.
 */
#ifdef ADDRESS_SANITIZER
#define MEMORY_MAX_KIB (400 << 10)
#else
#define MEMORY_MAX_KIB (100 << 10)
#endif

#define GREETING "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n"
#define RETURN "{\"id\": \"$ID\", \"return\": {}}\r\n"
#define MIB ((size_t)1 << 20)

enum flags {
	CLOSES = 1 << 0, /* says no more after what the row has, and hangs up */
	DRIPS = 1 << 1,	 /* each byte by itself */
	STAYS = 1 << 2,	 /* silent after it, with the connection open: the outcome is QMP_LATE */
	DEAF = 1 << 3,	 /* closes its end for what we send, before it */
	GIVES = 1 << 4,	 /* sends descriptors along */
};

/* $ID is the id of the command; a NUL is written '~'. What is NULL is right. */
struct row {
	const char *name;
	const char *greeting, *capabilities, *reply;
	/* Before the reply, so many times, after what it begins with. With a limit in place of an
	 * end. */
	const char *opening, *flood;
	size_t n_flood;
	unsigned flags;
	int attach, call;  /* outcomes: enum qmp_outcome or a negative errno */
	const char *text;  /* in the message */
	const char *value; /* that is returned */
};

static const struct row rows[] = {
	{ "nothing at all", "", .flags = STAYS, .attach = QMP_LATE, .text = "does not greet" },
	{ "an end at once", "", .flags = CLOSES, .attach = QMP_CLOSED, .text = "has closed" },
	{ "another protocol", "SSH-2.0-OpenSSH_9.2\r\n", .attach = -EPROTO, .text = "SSH-2.0" },
	{ "a greeting of zeros", "~~~~\n", .attach = -EPROTO, .text = "\\x00" },
	{ "an empty object", "{}\n", .attach = -EPROTO, .text = "no greeting" },
	{ "a list", "[1, 2]\n", .attach = -EPROTO, .text = "it is no object" },
	{ "a number", "17\n", .attach = -EPROTO, .text = "not a QMP message" },
	{ "a greeting that is no object", "{\"QMP\": 1}\n", .attach = -EPROTO,
			.text = "the greeting is no object" },
	{ "a greeting with text behind it", "{\"QMP\": {}} x\n", .attach = -EPROTO,
			.text = "not a QMP message" },
	{ "a byte order mark", "\xef\xbb\xbf" GREETING, .attach = -EPROTO },
	{ "a greeting that is no UTF-8", "{\"QMP\": {\"x\": \"\xff\xfe\"}}\n", .attach = -EPROTO },
	{ "a greeting cut short", "{\"QMP\": {\"ver", .flags = CLOSES, .attach = QMP_CLOSED },
	{ "a greeting without its end", "{\"QMP\": {}}", .flags = STAYS, .attach = QMP_LATE },
	{ "a greeting byte by byte", .flags = DRIPS },
	{ "two greetings", GREETING GREETING },
	{ "an event before the greeting", "{\"event\": \"STOP\"}\n" GREETING },
	{ "a reply before the greeting", "{\"return\": {}, \"id\": \"x\"}\n" GREETING },
	{ "empty lines before the greeting", "\n\r\n \t\r\n" GREETING },
	{ "a version of odd things",
			"{\"QMP\": {\"version\": {\"qemu\": {\"major\": \"7\", \"minor\": 1e999, "
			"\"micro\": [[]]}, \"package\": {\"a\": 1}}, \"capabilities\": {}}}\n" },
	{ "capabilities of odd things",
			"{\"QMP\": {\"capabilities\": [null, 1, {}, [], \"\"]}}\n" },
	{ "no answer to the capabilities", .capabilities = "", .flags = STAYS, .attach = QMP_LATE,
			.text = "'qmp_capabilities'" },
	{ "an end in place of it", .capabilities = "", .flags = CLOSES, .attach = QMP_CLOSED },
	{ "capabilities of another", .capabilities = "{\"id\": \"x\", \"return\": {}}\n",
			.flags = STAYS, .attach = QMP_LATE },
	{ "a number for an id", .capabilities = "{\"id\": 1, \"return\": {}}\n", .flags = STAYS,
			.attach = QMP_LATE },
	{ "capabilities refused",
			.capabilities = "{\"id\": \"$ID\", \"error\": {\"class\": "
					"\"GenericError\", "
					"\"desc\": \"no\"}}\n",
			.attach = QMP_REFUSED, .text = "refuses 'qmp_capabilities': no" },

	{ "no reply", .reply = "", .flags = STAYS, .call = QMP_LATE, .text = "'query-x'" },
	{ "an end in place of the reply", .reply = "", .flags = CLOSES, .call = QMP_CLOSED },
	{ "half a reply", .reply = "{\"id\": \"$ID\", \"ret", .flags = CLOSES, .call = QMP_CLOSED },
	{ "half a reply, and silence", .reply = "{\"id\": \"$ID\", \"ret", .flags = STAYS,
			.call = QMP_LATE },
	{ "a reply byte by byte", .reply = "{\"id\": \"$ID\", \"return\": [1, 2]}\n",
			.flags = DRIPS, .value = "[1,2]" },
	{ "two replies",
			.reply = "{\"id\": \"$ID\", \"return\": 1}\n{\"id\": \"$ID\", "
				 "\"return\": 2}\n",
			.value = "1" },
	{ "a reply and a refusal", .reply = RETURN
				   "{\"id\": \"$ID\", \"error\": {\"class\": \"x\", "
				   "\"desc\": \"x\"}}\n" },
	{ "both in one",
			.reply = "{\"id\": \"$ID\", \"return\": 1, \"error\": {\"class\": \"x\", "
				 "\"desc\": \"x\"}}\n",
			.call = -EPROTO },
	{ "a reply to another", .reply = "{\"id\": \"$ID0\", \"return\": 1}\n", .flags = STAYS,
			.call = QMP_LATE },
	{ "a reply to nobody", .reply = "{\"return\": 1}\n", .flags = STAYS, .call = QMP_LATE },
	{ "an id given twice", .reply = "{\"id\": \"x\", \"return\": 1, \"id\": \"$ID\"}\n",
			.value = "1" },
	{ "an object for an id", .reply = "{\"id\": {\"id\": \"$ID\"}, \"return\": 1}\n",
			.flags = STAYS, .call = QMP_LATE },
	{ "a refusal without a class", .reply = "{\"id\": \"$ID\", \"error\": {\"desc\": \"x\"}}\n",
			.call = -EPROTO, .text = "no class" },
	{ "a refusal that is a text", .reply = "{\"id\": \"$ID\", \"error\": \"x\"}\n",
			.call = -EPROTO },
	{ "a refusal for a terminal",
			.reply = "{\"id\": \"$ID\", \"error\": {\"class\": \"\\u001b[2J\", "
				 "\"desc\": \"\\u0000\\u0007\\r\\n\\u202e\"}}\n",
			.call = QMP_REFUSED, .text = "(\\x1b[2J)" },
	{ "garbage behind the reply", .reply = RETURN "garbage\n" },
	{ "garbage before the reply", .reply = "garbage\n" RETURN, .call = -EPROTO },
	{ "a zero in the reply", .reply = "{\"id\": \"$ID\", ~\"return\": 1}\n", .call = -EPROTO },
	{ "bytes that are no UTF-8", .reply = "{\"id\": \"$ID\", \"return\": \"\xc3\x28\"}\n",
			.call = -EPROTO },
	{ "half a surrogate", .reply = "{\"id\": \"$ID\", \"return\": [\"\\ud800\"]}\n" },
	{ "single quotes", .reply = "{'id': '$ID', 'return': 1}\n", .call = -EPROTO },
	{ "a comment", .reply = "{\"id\": \"$ID\", /* x */ \"return\": 1}\n", .call = -EPROTO },
	{ "numbers that are none", .reply = "{\"id\": \"$ID\", \"return\": NaN}\n" },
	{ "numbers that do not fit",
			.reply = "{\"id\": \"$ID\", \"return\": [18446744073709551615, "
				 "-9223372036854775808, 1e999, -1e-999]}\n" },
	{ "a number of a mebibyte", .reply = "]}\n", .flood = "9", .n_flood = MIB,
			.call = -EPROTO },
	{ "a line without an end", .reply = "", .flood = "aaaaaaaaaaaaaaaa", .n_flood = 64 * MIB,
			.call = -EMSGSIZE, .text = "longer than 16 MiB" },
	{ "blanks without an end", .reply = "", .flood = "                ", .n_flood = 64 * MIB,
			.call = -EMSGSIZE },
	{ "brackets without an end", .reply = "", .flood = "[[[[[[[[", .n_flood = 64 * MIB,
			.call = -EMSGSIZE },
	{ "empty lines without an end", .reply = "", .flood = "\n\r\n \t\n", .n_flood = SIZE_MAX,
			.flags = STAYS, .call = QMP_LATE },
	{ "nesting that is too deep", .reply = "\n", .flood = "{\"return\":", .n_flood = 1100,
			.call = -EPROTO, .text = "nest" },
	{ "more values than anything has", .reply = "0]}\n",
			.opening = "{\"id\": \"$ID\", \"return\": [", .flood = "0,",
			.n_flood = 8 * MIB - 100, .call = -EMSGSIZE, .text = "values" },
	{ "events without an end", .reply = "",
			.flood = "{\"event\": \"BLOCK_IO_ERROR\", \"data\": {\"x\": "
				 "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}}\n",
			.n_flood = SIZE_MAX, .flags = STAYS, .call = QMP_LATE },
	{ "many events", .flood = "{\"event\": \"E\", \"data\": {}}\n", .n_flood = 20000 },
	{ "replies to others without an end", .reply = "",
			.flood = "{\"return\": {}, \"id\": \"x\"}\n", .n_flood = SIZE_MAX,
			.flags = STAYS, .call = QMP_LATE },
	{ "events of odd things", .reply = "{\"event\": \"\", \"data\": [], \"timestamp\": "
					   "{\"seconds\": -1, \"microseconds\": 1e99}}\n"
					   "{\"event\": \"E\", \"data\": null, \"timestamp\": 1}\n"
					   "{\"event\": \"E\", \"timestamp\": {\"seconds\": "
					   "9223372036854775807, \"microseconds\": 0}}\n" RETURN },
	{ "an event without a name", .reply = "{\"event\": 1}\n", .call = -EPROTO,
			.text = "no name" },
	{ "an end for what we send", .flags = DEAF | CLOSES, .call = QMP_CLOSED },
	{ "descriptors", .flood = "{\"event\": \"E\"}\n", .n_flood = 200, .flags = GIVES },
};

/* ---- the peer ---- */

static void send_fds(int fd, const char *data, size_t len)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(3 * sizeof(int))];
	} control = {};
	struct iovec part = { (char *)(uintptr_t)data, len };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	const int fds[3] = { 0, 1, 2 };
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(c), fds, sizeof(fds));
	if (sendmsg(fd, &message, MSG_NOSIGNAL) != (ssize_t)len)
		_exit(1);
}

static const struct row *row; /* that the peer follows */

static void say_text(int fd, const char *text, const char *id)
{
	CLEANUP(buf_done) struct buf out = {};
	for (; *text; text++) {
		if (strncmp(text, "$ID", 3) == 0) {
			buf_puts(&out, id);
			text += 2;
		} else {
			buf_putc(&out, *text == '~' ? '\0' : *text);
		}
	}
	size_t step = row->flags & DRIPS ? 1 : out.len;
	for (size_t at = 0; at < out.len; at += step)
		say_bytes(fd, out.text + at, step);
}

/* Whole blocks, so that it is our side that is tried. */
static void say_flood(int fd)
{
	CLEANUP(buf_done) struct buf block = {};
	size_t n_block = row->n_flood < 1000 ? row->n_flood : 1000;
	for (size_t i = 0; i < n_block; i++)
		buf_puts(&block, row->flood);
	for (size_t n = row->n_flood; n > 0; n -= n < n_block ? n : n_block)
		if (row->flags & GIVES)
			for (size_t i = 0; i < n_block; i++)
				send_fds(fd, row->flood, strlen(row->flood));
		else
			say_bytes(fd, block.text, n < n_block ? n * strlen(row->flood) : block.len);
}

/* What the row has, or what is right. False: that was all of it. */
static bool step(int fd, const char *own, const char *right, const char *id)
{
	say_text(fd, own ? own : right, id);
	return !own || !(row->flags & (CLOSES | STAYS));
}

static void hear_id(int fd, char id[64])
{
	const char *at = strstr(hear(fd), "\"id\":\"");
	if (!at || sscanf(at, "\"id\":\"%63[^\"]", id) != 1)
		_exit(1);
}

static void script(int fd)
{
	char id[64] = "";
	if (step(fd, row->greeting, GREETING, id)) {
		hear_id(fd, id);
		if (row->flags & DEAF)
			shutdown(fd, SHUT_RD);
		if (step(fd, row->capabilities, RETURN, id) && !(row->flags & DEAF)) {
			hear_id(fd, id);
			if (row->opening)
				say_text(fd, row->opening, id);
			if (row->flood)
				say_flood(fd);
			step(fd, row->reply, RETURN, id);
		}
	}
	if (!(row->flags & CLOSES))
		wait_for_end(fd);
}

/* ---- our side ---- */

static size_t n_descriptors(void)
{
	size_t n = 0;
	DIR *dir = opendir("/proc/self/fd");
	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

static long memory_kib(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

static void check_text(const struct error *err, int outcome)
{
	if (row->text && !strstr(err->text, row->text))
		TEST_FAIL("%s: '%s' does not say '%s'", row->name, err->text, row->text);
	for (const char *at = err->text; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			TEST_FAIL("%s: the message has a control character", row->name);
	if ((outcome != QMP_DONE) != (err->code != 0))
		TEST_FAIL("%s: outcome %d with the errno %d", row->name, outcome, err->code);
}

static void talk(struct qmp *q)
{
	CLEANUP(qmp_reply_done) struct qmp_reply reply = {};
	struct error err = {};
	uint64_t limit = row->flags & STAYS ? SHORT_USEC : LIMIT_USEC;
	int r = qmp_execute(q, &(struct qmp_command){ .name = "query-x" },
			clock_deadline_usec(limit), &reply, &err);
	if (r != row->call)
		TEST_FAIL("%s: the call ended with %d, not %d: %s", row->name, r, row->call,
				err.text);
	check_text(&err, r);
	if (row->value)
		CHECK_STR(json_object_to_json_string_ext(reply.value, JSON_C_TO_STRING_PLAIN),
				row->value);
	/* What was said before it is still there, and no more than is kept. */
	size_t n_events = 0;
	for (; n_events <= QMP_EVENTS_MAX; n_events++) {
		CLEANUP(qmp_event_done) struct qmp_event event = {};
		if (qmp_next_event(q, 0, &event, &err) != QMP_DONE)
			break;
	}
	if (r == QMP_DONE && row->n_flood)
		CHECK_INT(n_events, row->n_flood < QMP_EVENTS_MAX ? row->n_flood : QMP_EVENTS_MAX);
}

static void try_row(void)
{
	struct peer peer = peer_start(script);
	struct error err = {};
	struct qmp *q = NULL;
	size_t n_before = n_descriptors();
	uint64_t begin = clock_now_usec();
	bool is_late = row->attach == QMP_LATE;
	int r = qmp_attach_take(
			peer.fd, "peer", -1, begin + (is_late ? SHORT_USEC : LIMIT_USEC), &q, &err);
	if (r != row->attach)
		TEST_FAIL("%s: the beginning ended with %d, not %d: %s", row->name, r, row->attach,
				err.text);
	else if (r != QMP_DONE)
		check_text(&err, r);
	if (r == QMP_DONE)
		talk(q);
	if (clock_now_usec() - begin > LIMIT_USEC)
		TEST_FAIL("%s: it took too long", row->name);
	if (q && n_descriptors() != n_before)
		TEST_FAIL("%s: descriptors came along", row->name);
	qmp_free(q);
	peer_finish(peer.pid);
}

/* Each in a process of its own, so that the memory is that of the row. */
TEST(whatever_is_said_ends_in_time_and_within_bounds)
{
	CHECK(ARRAY_SIZE(rows) >= 40);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		row = &rows[i];
		fflush(stdout);
		pid_t pid = fork();
		if (pid == 0) {
			unsigned failures = test_failures;
			long before = memory_kib();
			try_row();
			if (memory_kib() - before > MEMORY_MAX_KIB)
				TEST_FAIL("%s: it took %ld MiB", row->name,
						(memory_kib() - before) >> 10);
			fflush(stdout);
			_exit(test_failures > failures);
		}
		if (peer_finish(pid) != 0)
			TEST_FAIL("row %zu: %s", i, row->name);
	}
}

/* An empty reply to the next command. */
static void answer(int fd)
{
	char id[64];
	CLEANUP(buf_done) struct buf reply = {};
	hear_id(fd, id);
	buf_printf(&reply, "{\"id\": \"%s\", \"return\": {}}\r\n", id);
	say(fd, buf_text(&reply));
}

static void script_floods(int fd)
{
	CLEANUP(buf_done) struct buf events = {};
	say(fd, GREETING);
	answer(fd);
	for (int i = 0; i < 500; i++)
		buf_puts(&events, "{\"event\": \"DEVICE_TRAY_MOVED\"}\r\n");
	while (send(fd, events.text, events.len, MSG_NOSIGNAL) > 0)
		;
}

static void script_large_events(int fd)
{
	CLEANUP(buf_done) struct buf event = {};
	say(fd, GREETING);
	answer(fd);
	buf_puts(&event, "{\"event\": \"STOP\", \"data\": \"");
	for (size_t i = 0; i < MIB; i++)
		buf_putc(&event, 'a');
	buf_puts(&event, "\"}\r\n");
	for (int i = 0; i < QMP_EVENTS_MAX; i++)
		say_bytes(fd, event.text, event.len);
	say(fd, "{\"event\": \"RESUME\"}\r\n");
	answer(fd);
	wait_for_end(fd);
}

static void call_among_large_events(void)
{
	long before = memory_kib();
	struct peer peer = peer_start(script_large_events);
	struct error err = {};
	struct qmp *qmp = NULL;
	CLEANUP(qmp_event_done) struct qmp_event event = {};
	const uint64_t deadline = clock_deadline_usec(LIMIT_USEC);
	CHECK_INT(qmp_attach_take(peer.fd, "qemu", -1, deadline, &qmp, &err), QMP_DONE);
	CHECK_INT(qmp_call(qmp, "query-x", NULL, deadline, NULL, &err), 0);
	CHECK_INT(qmp_next_event(qmp, deadline, &event, &err), QMP_DONE);
	CHECK_STR(event.name, "RESUME");
	if (memory_kib() - before > MEMORY_MAX_KIB)
		TEST_FAIL("it took %ld MiB", (memory_kib() - before) >> 10);
	qmp_free(qmp);
	CHECK_INT(peer_finish(peer.pid), 0);
}

/* In a process of its own, so that the memory is its own. */
TEST(events_of_any_size_are_not_kept)
{
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		unsigned failures = test_failures;
		call_among_large_events();
		fflush(stdout);
		_exit(test_failures > failures);
	}
	CHECK_INT(peer_finish(pid), 0);
}

/* A guest may make QEMU tell of something as often as it likes. */
TEST(events_without_end_keep_nobody_beyond_the_deadline)
{
	struct peer peer = peer_start(script_floods);
	struct error err = {};
	struct qmp *qmp = NULL;
	CHECK_INT(qmp_attach_take(peer.fd, "qemu", -1, clock_deadline_usec(LIMIT_USEC), &qmp, &err),
			QMP_DONE);
	CHECK_INT(qmp_await_event(qmp, "RESET", clock_deadline_usec(SHORT_USEC), NULL, &err),
			QMP_LATE);
	CHECK_INT(err.code, ETIMEDOUT);
	CHECK_INT(qmp_pass_time(qmp, 0, &err), 0);
	CHECK_INT(qmp_await_event(qmp, "DEVICE_TRAY_MOVED", clock_deadline_usec(LIMIT_USEC), NULL,
				  &err),
			QMP_DONE);
	qmp_free(qmp);
	CHECK_INT(peer_finish(peer.pid), 0);
}

TEST_MAIN()
