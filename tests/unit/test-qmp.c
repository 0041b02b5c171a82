/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Talking to QEMU's monitor: scripted peers, most of them hostile, and a real QEMU. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "host/os/clock.h"
#include "host/qmp/qmp.h"
#include "peer.h"
#include "pidfd.h"
#include "test.h"
#include "util/buf.h"
#include "util/file.h"
#include "util/mem.h"

#define LIMIT_USEC (120 * USEC_PER_SEC)
/* For what must not come: long enough for a peer to do wrong, short enough to wait for. */
#define SHORT_USEC (50 * USEC_PER_MSEC)

#define GREETING                                                                                   \
	"{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7}, "         \
	"\"package\": \"Debian\"}, \"capabilities\": []}}\r\n"
#define GREETING_OOB "{\"QMP\": {\"version\": {}, \"capabilities\": [\"x\", \"oob\", 1]}}\r\n"

/* ---- the peer's side: a process that follows a script ---- */

/* The id of the command that comes next, into @id. */
static void hear_id(int fd, char id[64])
{
	const char *at = strstr(hear(fd), "\"id\":\"");
	if (!at || sscanf(at, "\"id\":\"%63[^\"]", id) != 1)
		_exit(1);
}

static void answer(int fd, const char *id, const char *rest)
{
	char text[512];
	snprintf(text, sizeof(text), "{\"id\": \"%s\", %s}\r\n", id, rest);
	say(fd, text);
}

static void greet(int fd)
{
	char id[64];
	say(fd, GREETING);
	hear_id(fd, id);
	answer(fd, id, "\"return\": {}");
}

static int attach(struct peer peer, struct qmp **ret, struct error *err)
{
	return qmp_attach_take(peer.fd, "peer", -1, clock_deadline_usec(LIMIT_USEC), ret, err);
}

static struct qmp *attached(struct peer peer)
{
	struct qmp *q = NULL;
	struct error err = {};
	int r = attach(peer, &q, &err);
	CHECK_INT(r, QMP_DONE);
	if (r != QMP_DONE)
		test_note("%s", err.text);
	return q;
}

static int call(struct qmp *q, const char *name, struct json_object **ret, struct error *err)
{
	return qmp_call(q, name, NULL, clock_deadline_usec(LIMIT_USEC), ret, err);
}

/* ---- greeting and capabilities ---- */

static void script_no_oob(int fd)
{
	say(fd, GREETING);
	if (strstr(hear(fd), "enable"))
		_exit(1);
	_exit(0);
}

TEST(oob_is_not_asked_for_where_it_is_not_offered)
{
	struct peer peer = peer_start(script_no_oob);
	struct qmp *q = NULL;
	CHECK_INT(attach(peer, &q, NULL), QMP_CLOSED);
	CHECK_INT(peer_finish(peer.pid), 0);
}

static void script_oob(int fd)
{
	char id[64];
	say(fd, GREETING_OOB);
	const char *line = hear(fd);
	if (!strstr(line, "\"execute\":\"qmp_capabilities\",\"arguments\":{\"enable\":[\"oob\"]"
			  "}") ||
			sscanf(strstr(line, "\"id\""), "\"id\":\"%63[^\"]", id) != 1)
		_exit(1);
	answer(fd, id, "\"return\": {}");
	if (!strstr(hear(fd), "\"exec-oob\":\"migrate-pause\""))
		_exit(2);
}

TEST(oob_is_enabled_where_it_is_offered)
{
	struct peer peer = peer_start(script_oob);
	CLEANUP(qmp_freep) struct qmp *q = attached(peer);
	CHECK(q);
	CHECK_STR(q ? qmp_version(q) : NULL, "");
	CLEANUP(qmp_reply_done) struct qmp_reply reply = {};
	if (q)
		CHECK_INT(qmp_execute(q,
					  &(struct qmp_command){
							  .name = "migrate-pause", .oob = true },
					  clock_deadline_usec(LIMIT_USEC), &reply, NULL),
				QMP_CLOSED);
	CHECK_INT(peer_finish(peer.pid), 0);
}

static void script_capabilities_refused(int fd)
{
	char id[64];
	say(fd, GREETING);
	hear_id(fd, id);
	answer(fd, id, "\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}");
	wait_for_end(fd);
}

TEST(reply_to_capabilities_is_waited_for)
{
	struct peer peer = peer_start(script_capabilities_refused);
	struct qmp *q = NULL;
	struct error err = {};
	CHECK_INT(attach(peer, &q, &err), QMP_REFUSED);
	CHECK_SAYS(err, "'peer': QEMU refuses 'qmp_capabilities': no");
	peer_finish(peer.pid);
}

static void script_capabilities_unanswered(int fd)
{
	say(fd, GREETING);
	wait_for_end(fd);
}

TEST(capabilities_without_reply_are_late)
{
	struct peer peer = peer_start(script_capabilities_unanswered);
	struct qmp *q = NULL;
	struct error err = {};
	CHECK_INT(qmp_attach_take(peer.fd, "peer", -1, clock_deadline_usec(10 * SHORT_USEC), &q,
				  &err),
			QMP_LATE);
	CHECK_SAYS(err, "does not answer 'qmp_capabilities'");
	peer_finish(peer.pid);
}

/* Who serves others as well can't wait for a QEMU whose monitor greets while the rest hangs. */
TEST(proceeding_never_waits)
{
	struct peer peer = peer_start(script_capabilities_unanswered);
	struct error err = {};
	CLEANUP(qmp_freep) struct qmp *q = qmp_new_take(peer.fd, "peer", -1);
	const uint64_t begin = clock_now_usec();
	struct pollfd ready = { .fd = qmp_fd(q), .events = POLLIN };
	CHECK_INT(clock_poll(&ready, 1, clock_deadline_usec(LIMIT_USEC)), 1);
	for (int i = 0; i < 3; i++)
		CHECK_INT(qmp_proceed(q, &err), QMP_LATE);
	CHECK(clock_now_usec() - begin < QMP_GREETING_USEC / 2);
	qmp_freep(&q);
	CHECK_INT(peer_finish(peer.pid), 0);
}

static void script_greets(int fd)
{
	greet(fd);
	wait_for_end(fd);
}

/* The first answer counts, also where another one is there when it is looked at: not before the
 * command was found to have none. */
static void script_answers_twice(int fd)
{
	char id[64], text[512];
	say(fd, GREETING);
	hear_id(fd, id);
	snprintf(text, sizeof(text),
			"{\"id\": \"%s\", \"return\": {}}\r\n{\"id\": \"%s\", \"error\": "
			"{\"class\": \"GenericError\", \"desc\": \"no\"}}\r\n",
			id, id);
	hear(fd);
	say(fd, text);
	wait_for_end(fd);
}

static void check_proceeds(void (*script)(int))
{
	struct peer peer = peer_start(script);
	struct error err = {};
	CLEANUP(qmp_freep) struct qmp *q = qmp_new_take(peer.fd, "peer", -1);
	int r = QMP_LATE;
	while (r == QMP_LATE) {
		struct pollfd ready = { .fd = qmp_fd(q), .events = POLLIN };
		CHECK_INT(clock_poll(&ready, 1, clock_deadline_usec(LIMIT_USEC)), 1);
		r = qmp_proceed(q, &err);
		if (r == QMP_LATE)
			say(qmp_fd(q), "\n");
	}
	CHECK_INT(r, QMP_DONE);
	CHECK_STR(qmp_version(q), "7.2.22 (Debian)");
	qmp_freep(&q);
	CHECK_INT(peer_finish(peer.pid), 0);
}

TEST(proceeding_leads_to_a_connection)
{
	check_proceeds(script_greets);
	check_proceeds(script_answers_twice);
}

/* ---- replies and events ---- */

static void script_replies(int fd)
{
	char id[64];
	greet(fd);
	hear_id(fd, id);
	say(fd, "{\"event\": \"STOP\"}\r\n{\"event\": \"RESET\", \"data\": {\"guest\": true}}\r\n");
	answer(fd, id, "\"return\": {\"status\": \"paused\"}");
	say(fd, "{\"event\": \"RESUME\"}\r\n");
	hear_id(fd, id);
	answer(fd, id, "\"error\": {\"class\": \"DeviceNotFound\", \"desc\": \"no \\u001b[31mx\"}");
	hear_id(fd, id);
	answer(fd, id, "\"return\": null");
}

TEST(events_between_replies_are_kept_in_order)
{
	struct peer peer = peer_start(script_replies);
	CLEANUP(qmp_freep) struct qmp *q = attached(peer);
	if (!q)
		return;
	CHECK_STR(qmp_version(q), "7.2.22 (Debian)");
	struct json_object *value = NULL;
	CHECK_INT(call(q, "query-status", &value, NULL), 0);
	CHECK_STR(json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN),
			"{\"status\":\"paused\"}");
	json_object_put(value);

	struct error err = {};
	CHECK_INT(call(q, "device_del", NULL, &err), -EREMOTEIO);
	CHECK_STR(err.text, "'peer': QEMU refuses 'device_del': no \\x1b[31mx (DeviceNotFound)");
	/* A failure has its errno also for who does not ask for the text. */
	value = json_object_new_object();
	json_object_put(value);
	CHECK_INT(call(q, "x", &value, NULL), 0);
	CHECK(!value);
	CHECK_INT(call(q, "x", NULL, NULL), -ECONNRESET);

	static const char *const names[] = { "STOP", "RESET", "RESUME" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CLEANUP(qmp_event_done) struct qmp_event event = {};
		CHECK_INT(qmp_next_event(q, 0, &event, NULL), QMP_DONE);
		CHECK_STR(event.name, names[i]);
		CHECK_INT(event.data != NULL, i == 1);
	}
	struct qmp_event event = {};
	CHECK_INT(qmp_next_event(q, 0, &event, NULL), QMP_CLOSED);
	peer_finish(peer.pid);
}

static void script_refuses(int fd)
{
	char id[64];
	greet(fd);
	hear_id(fd, id);
	answer(fd, id, "\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"what?\"}");
	hear_id(fd, id);
	say(fd, "{\"error\": {\"class\": \"GenericError\", \"desc\": \"JSON parse error\"}}\r\n");
	wait_for_end(fd);
}

TEST(error_reply_has_class_and_description)
{
	struct peer peer = peer_start(script_refuses);
	CLEANUP(qmp_freep) struct qmp *q = attached(peer);
	CLEANUP(qmp_reply_done) struct qmp_reply reply = {};
	CHECK_INT(qmp_execute(q, &(struct qmp_command){ .name = "x" },
				  clock_deadline_usec(LIMIT_USEC), &reply, NULL),
			QMP_REFUSED);
	CHECK_STR(reply.error_class, "CommandNotFound");
	CHECK_STR(reply.error_desc, "what?");

	/* QEMU answers without an id what it could not parse. */
	struct error err = {};
	CHECK_INT(call(q, "y", NULL, &err), -EREMOTEIO);
	CHECK_STR(err.text, "'peer': QEMU refuses 'y': JSON parse error");
	qmp_freep(&q);
	peer_finish(peer.pid);
}

static void script_answers_late(int fd)
{
	char first[64], second[64];
	greet(fd);
	hear_id(fd, first);
	hear_id(fd, second);
	answer(fd, "somebody.else", "\"return\": 0");
	answer(fd, first, "\"return\": 1");
	answer(fd, second, "\"return\": 2");
	answer(fd, second, "\"return\": 3");
	wait_for_end(fd);
}

TEST(reply_to_a_command_that_was_given_up_is_dropped)
{
	struct peer peer = peer_start(script_answers_late);
	CLEANUP(qmp_freep) struct qmp *q = attached(peer);
	struct error err = {};
	CHECK_INT(qmp_call(q, "slow", NULL, clock_deadline_usec(SHORT_USEC), NULL, &err),
			-ETIMEDOUT);
	CHECK_STR(err.text, "'peer': QEMU does not answer 'slow'");
	struct json_object *value = NULL;
	CHECK_INT(call(q, "fast", &value, NULL), 0);
	CHECK_INT(json_object_get_int(value), 2);
	json_object_put(value);
	qmp_freep(&q);
	peer_finish(peer.pid);
}

static void script_many_events(int fd)
{
	char id[64], text[64];
	greet(fd);
	hear_id(fd, id);
	for (unsigned i = 0; i < QMP_EVENTS_MAX + 10; i++) {
		snprintf(text, sizeof(text), "{\"event\": \"E%u\"}\n", i);
		say(fd, text);
	}
	answer(fd, id, "\"return\": {}");
	wait_for_end(fd);
}

TEST(oldest_events_are_lost_when_nobody_asks)
{
	struct peer peer = peer_start(script_many_events);
	CLEANUP(qmp_freep) struct qmp *q = attached(peer);
	CHECK_INT(call(q, "x", NULL, NULL), 0);
	for (unsigned i = 10; i < QMP_EVENTS_MAX + 10; i++) {
		CLEANUP(qmp_event_done) struct qmp_event event = {};
		char name[16];
		snprintf(name, sizeof(name), "E%u", i);
		CHECK_INT(qmp_next_event(q, 0, &event, NULL), QMP_DONE);
		CHECK_STR(event.name, name);
	}
	struct qmp_event event = {};
	CHECK_INT(qmp_next_event(q, clock_deadline_usec(SHORT_USEC), &event, NULL), QMP_LATE);
	qmp_freep(&q);
	peer_finish(peer.pid);
}

/* ---- hostile peers ---- */

static void script_silent(int fd)
{
	wait_for_end(fd);
}

TEST(silence_is_late)
{
	struct peer peer = peer_start(script_silent);
	struct qmp *q = NULL;
	struct error err = {};
	CHECK_INT(qmp_attach_take(peer.fd, "peer", -1, clock_deadline_usec(SHORT_USEC), &q, &err),
			QMP_LATE);
	CHECK_STR(err.text, "'peer': QEMU does not greet");
	peer_finish(peer.pid);
}

static void script_ends(int fd)
{
	(void)fd;
}

TEST(end_instead_of_a_greeting_is_closed)
{
	struct peer peer = peer_start(script_ends);
	struct qmp *q = NULL;
	struct error err = {};
	CHECK_INT(attach(peer, &q, &err), QMP_CLOSED);
	CHECK_STR(err.text, "'peer': QEMU has closed the connection");
	peer_finish(peer.pid);
}

static void script_ends_in_a_line(int fd)
{
	greet(fd);
	hear(fd);
	say(fd, "{\"return\": {\"sta");
}

TEST(end_in_the_middle_of_a_reply_is_closed)
{
	struct peer peer = peer_start(script_ends_in_a_line);
	CLEANUP(qmp_freep) struct qmp *q = attached(peer);
	CHECK_INT(call(q, "query-status", NULL, NULL), -ECONNRESET);
	/* And no SIGPIPE, whose default would end the test. */
	CHECK_INT(call(q, "query-status", NULL, NULL), -ECONNRESET);
	peer_finish(peer.pid);
}

static void script_shuts_its_ears(int fd)
{
	greet(fd);
	say(fd, "{\"event\": \"SHUTDOWN\"}\n");
	close(fd);
}

TEST(writing_to_a_closed_socket_raises_no_signal_and_keeps_events)
{
	struct peer peer = peer_start(script_shuts_its_ears);
	CLEANUP(qmp_freep) struct qmp *q = attached(peer);
	peer_finish(peer.pid);
	CHECK_INT(call(q, "query-status", NULL, NULL), -ECONNRESET);
	CLEANUP(qmp_event_done) struct qmp_event event = {};
	CHECK_INT(qmp_next_event(q, 0, &event, NULL), QMP_DONE);
	CHECK_STR(event.name, "SHUTDOWN");
}

static void script_garbage(int fd)
{
	say(fd, "HTTP/1.1 400 Bad Request\r\n\r\n");
	wait_for_end(fd);
}

TEST(garbage_is_named)
{
	struct peer peer = peer_start(script_garbage);
	struct qmp *q = NULL;
	struct error err = {};
	CHECK_INT(attach(peer, &q, &err), -EPROTO);
	CHECK_SAYS(err, "'peer': not a QMP message");
	CHECK_SAYS(err, "'HTTP/1.1 400 Bad Request'");
	peer_finish(peer.pid);
}

static void script_garbage_after_event(int fd)
{
	greet(fd);
	say(fd, "{\"event\": \"STOP\"}\nnonsense\n");
	wait_for_end(fd);
}

TEST(garbage_stays_an_error)
{
	struct peer peer = peer_start(script_garbage_after_event);
	CLEANUP(qmp_freep) struct qmp *q = attached(peer);
	CHECK_INT(call(q, "x", NULL, NULL), -EPROTO);
	struct qmp_event event = {};
	CHECK_INT(qmp_next_event(q, 0, &event, NULL), QMP_DONE);
	qmp_event_done(&event);
	CHECK_INT(qmp_next_event(q, 0, &event, NULL), -EPROTO);
	CHECK_INT(call(q, "x", NULL, NULL), -EPROTO);
	qmp_freep(&q);
	peer_finish(peer.pid);
}

static void script_endless_line(int fd)
{
	static char block[1 << 20];
	memset(block, 'a', sizeof(block) - 1);
	greet(fd);
	for (int i = 0; i < 100; i++)
		say(fd, block);
}

TEST(endless_line_is_an_error)
{
	struct peer peer = peer_start(script_endless_line);
	CLEANUP(qmp_freep) struct qmp *q = attached(peer);
	struct error err = {};
	CHECK_INT(call(q, "x", NULL, &err), -EMSGSIZE);
	CHECK_STR(err.text, "'peer': a QMP message is longer than 16 MiB");
	qmp_freep(&q);
	peer_finish(peer.pid);
}

/* Long ones: to read many short ones takes valgrind longer than the limits of tests. */
static void add_events(struct buf *to, size_t n)
{
	char text[4096];
	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < n; i++)
		buf_printf(to,
				"{\"event\": \"BLOCK_IO_ERROR\", \"data\": {\"device\": "
				"\"%.*s\"}}\n",
				(int)sizeof(text), text);
}

static void script_flood(int fd)
{
	CLEANUP(buf_done) struct buf events = {};
	add_events(&events, 20);
	greet(fd);
	for (;;)
		say(fd, buf_text(&events));
}

TEST(endless_events_do_not_move_the_deadline)
{
	struct peer peer = peer_start(script_flood);
	CLEANUP(qmp_freep) struct qmp *q = attached(peer);
	uint64_t begin = clock_now_usec();
	CHECK_INT(qmp_call(q, "x", NULL, begin + SHORT_USEC, NULL, NULL), -ETIMEDOUT);
	CHECK(clock_now_usec() - begin < LIMIT_USEC / 4);
	qmp_freep(&q);
	peer_finish(peer.pid);
}

static struct json_object *big_arguments(size_t size)
{
	CLEANUP(freep) char *text = xmalloc(size);
	memset(text, 'x', size);
	struct json_object *arguments = json_object_new_object();
	json_object_object_add(arguments, "text", json_object_new_string_len(text, (int)size));
	return arguments;
}

static void script_does_not_read(int fd)
{
	greet(fd);
	char c;
	while (recv(fd, &c, 1, MSG_PEEK) > 0 && poll(NULL, 0, 20) == 0)
		if (send(fd, "\n", 1, MSG_NOSIGNAL) < 0)
			return;
}

TEST(peer_that_does_not_read_is_late_and_then_closed)
{
	struct peer peer = peer_start(script_does_not_read);
	CLEANUP(qmp_freep) struct qmp *q = attached(peer);
	struct json_object *arguments = big_arguments(4 << 20);
	struct error err = {};
	CHECK_INT(qmp_call(q, "x", arguments, clock_deadline_usec(SHORT_USEC), NULL, &err),
			-ETIMEDOUT);
	CHECK_STR(err.text, "'peer': QEMU does not read its commands");
	CHECK_INT(call(q, "y", NULL, &err), -ECONNRESET);
	CHECK_SAYS(err, "in the middle of a command");
	json_object_put(arguments);
	qmp_freep(&q);
	peer_finish(peer.pid);
}

static void script_talks_before_it_reads(int fd)
{
	static char part[65536];
	CLEANUP(buf_done) struct buf events = {};
	add_events(&events, 1000);
	greet(fd);
	recv(fd, part, 1, MSG_PEEK);
	say(fd, buf_text(&events));
	for (ssize_t n = 1; n > 0 && part[n - 1] != '\n';)
		n = read(fd, part, sizeof(part));
	say(fd, "{\"error\": {\"class\": \"GenericError\", \"desc\": \"done\"}}\n");
	wait_for_end(fd);
}

TEST(two_full_sockets_do_not_block_each_other)
{
	struct peer peer = peer_start(script_talks_before_it_reads);
	CLEANUP(qmp_freep) struct qmp *q = attached(peer);
	struct json_object *arguments = big_arguments(1 << 20);
	CHECK_INT(qmp_call(q, "x", arguments, clock_deadline_usec(LIMIT_USEC), NULL, NULL),
			-EREMOTEIO);
	json_object_put(arguments);
	qmp_freep(&q);
	peer_finish(peer.pid);
}

/* ---- descriptors ---- */

static void script_takes_a_descriptor(int fd)
{
	greet(fd);
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	char line[512];
	struct iovec part = { line, sizeof(line) };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(fd, &message, 0);
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);
	if (n <= 0 || line[n - 1] != '\n' || !c || c->cmsg_type != SCM_RIGHTS)
		_exit(1);
	int passed;
	memcpy(&passed, CMSG_DATA(c), sizeof(passed));
	_exit(write(passed, "it is me", 8) == 8 ? 0 : 2);
}

TEST(descriptor_goes_along_with_a_command)
{
	int pipe_fds[2];
	CHECK_INT(pipe2(pipe_fds, O_CLOEXEC), 0);
	struct peer peer = peer_start(script_takes_a_descriptor);
	CLEANUP(qmp_freep) struct qmp *q = attached(peer);
	CLEANUP(qmp_reply_done) struct qmp_reply reply = {};
	CHECK_INT(qmp_execute(q, &(struct qmp_command){ .name = "getfd", .fd = &pipe_fds[1] },
				  clock_deadline_usec(LIMIT_USEC), &reply, NULL),
			QMP_CLOSED);
	CHECK_INT(peer_finish(peer.pid), 0);
	char text[16] = "";
	CHECK_INT(read(pipe_fds[0], text, sizeof(text) - 1), 8);
	CHECK_STR(text, "it is me");
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

/* ---- connecting ---- */

struct place {
	char *dir;
	char path[108]; /* as long as a socket's may be */
	int listen_fd;
};

static struct place make_place(int backlog)
{
	struct place p = { .dir = test_directory(), .listen_fd = -1 };
	snprintf(p.path, sizeof(p.path), "%s/qmp", p.dir);
	if (backlog < 0)
		return p;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", p.path);
	p.listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(p.listen_fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
			listen(p.listen_fd, backlog) < 0)
		abort();
	return p;
}

static void drop_place(struct place *p)
{
	closep(&p->listen_fd);
	unlink(p->path);
	rmdir(p->dir);
	freep(&p->dir);
}

static int open_at(const char *path, int pidfd, uint64_t timeout_usec, struct error *err)
{
	struct qmp *q = NULL;
	int r = qmp_open(path, pidfd, clock_deadline_usec(timeout_usec), &q, err);
	qmp_free(q);
	return r;
}

TEST(missing_socket_and_dead_socket_are_absent)
{
	struct place p = make_place(-1);
	struct error err = {};
	CHECK_INT(open_at(p.path, -1, LIMIT_USEC, &err), QMP_ABSENT);
	CHECK_INT(err.code, ENOENT);
	CHECK_SAYS(err, "there is no QMP socket '");
	drop_place(&p);

	p = make_place(1);
	closep(&p.listen_fd);
	CHECK_INT(open_at(p.path, -1, LIMIT_USEC, &err), QMP_ABSENT);
	CHECK_INT(err.code, ECONNREFUSED);
	CHECK_SAYS(err, "nobody listens");
	drop_place(&p);
}

TEST(path_that_no_socket_can_have_is_an_error)
{
	char path[200];
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[108] = '\0';
	struct error err = {};
	CHECK_INT(open_at(path, -1, LIMIT_USEC, &err), -ENAMETOOLONG);
	CHECK_SAYS(err, "longer than the 107 bytes");
	path[107] = '\0';
	CHECK_INT(open_at(path, -1, LIMIT_USEC, &err), QMP_ABSENT);
	CHECK_INT(open_at("/dev/null", -1, LIMIT_USEC, &err), QMP_ABSENT);
	CHECK_INT(open_at("/dev/null/x", -1, LIMIT_USEC, &err), -ENOTDIR);
}

/* Connects to the path that is written to it and holds on until told to end. */
static void script_holds(int fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", hear(fd));
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	if (connect(s, (struct sockaddr *)&address, sizeof(address)) < 0)
		_exit(1);
	say(fd, "connected\n");
	wait_for_end(fd);
}

TEST(client_that_holds_the_monitor_is_named)
{
	struct place p = make_place(4);
	struct peer holder = peer_start(script_holds);
	say(holder.fd, p.path);
	say(holder.fd, "\n");
	int taken = accept(p.listen_fd, NULL, NULL);
	hear(holder.fd);

	struct error err = {};
	CHECK_INT(open_at(p.path, -1, SHORT_USEC, &err), QMP_LATE);
	CLEANUP(buf_done) struct buf comm = {};
	CHECK_INT(file_read("/proc/self/comm", 64, &comm, NULL), 0);
	char who[128];
	snprintf(who, sizeof(who), "%.*s (pid %d) is connected", (int)comm.len - 1, comm.text,
			(int)holder.pid);
	CHECK_SAYS(err, "QEMU did not greet within ");
	CHECK_SAYS(err, " s; it serves one client at a time, and ");
	CHECK_SAYS(err, who);
	struct qmp *q = NULL;
	const uint64_t begin = clock_now_usec(), long_usec = 60 * USEC_PER_SEC;
	CHECK_INT(qmp_open_free(p.path, -1, begin + long_usec, &q, &err), QMP_LATE);
	CHECK(clock_now_usec() < begin + long_usec);
	CHECK_SAYS(err, who);

	close(holder.fd);
	peer_finish(holder.pid);
	close(taken);
	CHECK_INT(open_at(p.path, -1, SHORT_USEC, &err), QMP_LATE);
	CHECK_SAYS(err, "or it hangs");
	drop_place(&p);
}

/* Accepts one, and greets later than a client that holds the monitor would be waited for. */
static void script_is_slow(int fd)
{
	char id[64];
	clock_pause(QMP_HELD_USEC + QMP_HELD_USEC / 2);
	say(fd, GREETING);
	hear_id(fd, id);
	answer(fd, id, "\"return\": {}");
}

TEST(slow_qemu_whose_monitor_is_free_is_waited_for)
{
	struct place p = make_place(4);
	pid_t pid = fork();
	if (pid == 0) {
		script_is_slow(accept(p.listen_fd, NULL, NULL));
		_exit(0);
	}
	struct error err = {};
	struct qmp *q = NULL;
	CHECK_INT(qmp_open_free(p.path, -1, clock_deadline_usec(LIMIT_USEC), &q, &err), QMP_DONE);
	qmp_free(q);
	peer_finish(pid);
	drop_place(&p);
}

TEST(full_queue_does_not_block)
{
	struct place p = make_place(0);
	int waiting[8];
	size_t n = 0;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", p.path);
	for (; n < ARRAY_SIZE(waiting); n++) {
		waiting[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (connect(waiting[n], (struct sockaddr *)&address, sizeof(address)) < 0)
			break;
	}
	CHECK_INT(errno, EAGAIN);
	struct error err = {};
	CHECK_INT(open_at(p.path, -1, SHORT_USEC, &err), QMP_LATE);
	CHECK_SAYS(err, "did not greet");
	for (size_t i = 0; i <= n; i++)
		close(waiting[i]);
	drop_place(&p);
}

TEST(end_of_qemu_is_noticed_although_its_socket_still_listens)
{
	if (!have_pidfd())
		SKIP("pidfd_open(2) is missing");
	struct place p = make_place(4);
	struct peer qemu = peer_start(script_silent);
	int pidfd = pidfd_open(qemu.pid, 0);
	/* It lives while the connection is tried, and dies then. */
	struct error err = {};
	CHECK_INT(open_at(p.path, pidfd, SHORT_USEC, &err), QMP_LATE);
	close(qemu.fd);
	CHECK_INT(open_at(p.path, pidfd, LIMIT_USEC, &err), QMP_CLOSED);
	CHECK_SAYS(err, "QEMU has exited");
	close(pidfd);
	peer_finish(qemu.pid);
	drop_place(&p);
}

TEST(end_of_qemu_is_noticed_although_the_connection_stays)
{
	if (!have_pidfd())
		SKIP("pidfd_open(2) is missing");
	struct peer qemu = peer_start(script_silent),
		    peer = peer_start(script_capabilities_unanswered);
	int pidfd = pidfd_open(qemu.pid, 0);
	kill(qemu.pid, SIGKILL);
	struct qmp *q = NULL;
	struct error err = {};
	CHECK_INT(qmp_attach_take(peer.fd, "peer", pidfd, clock_deadline_usec(LIMIT_USEC), &q,
				  &err),
			QMP_CLOSED);
	CHECK_STR(err.text, "'peer': QEMU has exited");
	close(pidfd);
	close(qemu.fd);
	peer_finish(qemu.pid);
	peer_finish(peer.pid);
}

/* ---- a real QEMU ---- */

static void script_qemu(int fd)
{
	char monitor[128];
	snprintf(monitor, sizeof(monitor), "unix:%s,server=on,wait=off", hear(fd));
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	dup2(null, STDOUT_FILENO);
	execlp("qemu-system-x86_64", "qemu-system-x86_64", "-machine", "none", "-S", "-display",
			"none", "-qmp", monitor, NULL);
	_exit(127);
}

/* A QEMU that is there has bound its socket; one that is not installed exits. */
static struct qmp *open_when_there(const char *path, int pidfd)
{
	uint64_t deadline = clock_deadline_usec(LIMIT_USEC);
	struct qmp *q = NULL;
	while (qmp_open(path, pidfd, deadline, &q, NULL) == QMP_ABSENT) {
		struct pollfd gone = { .fd = pidfd, .events = POLLIN };
		if (poll(&gone, 1, 10) > 0 || clock_now_usec() > deadline)
			break;
	}
	return q;
}

TEST(real_qemu_answers)
{
	struct place p = make_place(-1);
	struct peer peer = peer_start(script_qemu);
	say(peer.fd, p.path);
	say(peer.fd, "\n");
	CLEANUP(closep) int pidfd = pidfd_open(peer.pid, 0);
	CLEANUP(qmp_freep) struct qmp *q = open_when_there(p.path, pidfd);
	if (!q) {
		/* One that is there, and too slow, would be waited for without end. */
		kill(peer.pid, SIGKILL);
		int status = peer_finish(peer.pid);
		drop_place(&p);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
			SKIP("qemu-system-x86_64 is not installed");
		TEST_FAIL("QEMU does not answer");
		return;
	}
	CHECK(strlen(qmp_version(q)) >= 5);
	CLEANUP(qmp_reply_done) struct qmp_reply early = {};
	const struct qmp_command ahead = { .name = "query-yank", .oob = true };
	CHECK_INT(qmp_execute(q, &ahead, clock_deadline_usec(LIMIT_USEC), &early, NULL), QMP_DONE);

	struct json_object *value = NULL, *member = NULL;
	CHECK_INT(call(q, "query-status", &value, NULL), 0);
	json_object_object_get_ex(value, "status", &member);
	CHECK_STR(json_object_get_string(member), "prelaunch");
	json_object_put(value);

	/* The longest reply there is. */
	value = NULL;
	CHECK_INT(call(q, "query-qmp-schema", &value, NULL), 0);
	CHECK(json_object_is_type(value, json_type_array));
	json_object_put(value);

	struct error err = {};
	CHECK_INT(call(q, "no-such-command", NULL, &err), -EREMOTEIO);
	CHECK_SAYS(err, "(CommandNotFound)");

	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	CLEANUP(qmp_reply_done) struct qmp_reply reply = {};
	CHECK_INT(qmp_execute(q, &(struct qmp_command){ .name = "add-fd", .fd = &null },
				  clock_deadline_usec(LIMIT_USEC), &reply, &err),
			QMP_DONE);
	close(null);
	CHECK(json_object_object_get_ex(reply.value, "fdset-id", &member));

	/* A second client gets no greeting while the first one is there. */
	CHECK_INT(open_at(p.path, pidfd, SHORT_USEC, &err), QMP_LATE);

	CHECK_INT(call(q, "quit", NULL, NULL), 0);
	CLEANUP(qmp_event_done) struct qmp_event event = {};
	CHECK_INT(qmp_next_event(q, clock_deadline_usec(LIMIT_USEC), &event, NULL), QMP_DONE);
	CHECK_STR(event.name, "SHUTDOWN");
	struct qmp_event none = {};
	CHECK_INT(qmp_next_event(q, clock_deadline_usec(LIMIT_USEC), &none, NULL), QMP_CLOSED);
	CHECK_INT(peer_finish(peer.pid), 0);
	drop_place(&p);
}

TEST_MAIN()
