/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest that goes to a file and comes from one, with a QEMU that does not tell how far it is. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/os/clock.h"
#include "host/qmp/migration.h"
#include "peer.h"
#include "scratch.h"
#include "test.h"
#include "util/cleanup.h"
#include "util/mem.h"

#define PIECE 4096
#define N_PIECES 5

/* ---- a QEMU ---- */

/* As hear(), with the descriptor that came along with the line. */
static const char *hear_fd(int fd, int *ret_fd)
{
	static char line[8192];
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {};
	for (size_t len = 0; len + 1 < sizeof(line); len++) {
		struct iovec part = { &line[len], 1 };
		struct msghdr message = { .msg_iov = &part,
			.msg_iovlen = 1,
			.msg_control = &control,
			.msg_controllen = sizeof(control) };
		if (recvmsg(fd, &message, MSG_CMSG_CLOEXEC) != 1)
			return NULL;
		const struct cmsghdr *c = CMSG_FIRSTHDR(&message);
		if (c && c->cmsg_type == SCM_RIGHTS)
			memcpy(ret_fd, CMSG_DATA(c), sizeof(*ret_fd));
		if (line[len] == '\n') {
			line[len] = '\0';
			return line;
		}
	}
	return NULL;
}

/* Not of a function: the child would lose what is its caller's. */
static const char *version; /* the members of its greeting */
static bool refuses;	    /* to migrate */
static int log_pipe[2];

/* Reads a piece between two looks. Of what comes in 7.2 tells the state alone. */
static void be_qemu(int fd)
{
	char piece[PIECE], id[64], command[64], what[64];
	const char *line, *status = "none";
	int memory = -1;
	CLEANUP(freep)
	char *greeting = xasprintf("{\"QMP\": {\"version\": {\"qemu\": {%s}}, "
				   "\"capabilities\": []}}\r\n",
			version);
	say(fd, greeting);
	while ((line = hear_fd(fd, &memory))) {
		const char *at = strstr(line, "\"id\":"), *uri = strstr(line, "\"uri\":");
		if (sscanf(line, "{\"execute\":\"%63[^\"]", command) != 1 || !at ||
				sscanf(at, "\"id\":\"%63[^\"]", id) != 1)
			_exit(8);
		const bool migrates =
				!strcmp(command, "migrate") || !strcmp(command, "migrate-incoming");
		if (migrates)
			status = "active";
		else if (!strcmp(command, "query-migrate") &&
				read(memory, piece, sizeof(piece)) == 0)
			status = "completed";
		if (migrates && sscanf(uri, "\"uri\":\"%63[^\"]", what) == 1)
			dprintf(log_pipe[1], "%s %s ", command, what);
		else if (strstr(command, "fd"))
			dprintf(log_pipe[1], "%s%s ", command,
					strstr(line, "\"fdset-id\":6}") ? " 6" : "");
		if (!strcmp(command, "query-fdsets")) {
			CLEANUP(freep)
			char *sets = xasprintf(
					"{\"id\": \"%s\", \"return\": "
					"[{\"fdset-id\": 5, \"fds\": []}, {\"fdset-id\": 1, "
					"\"fds\": [{\"opaque\": \"disk.0\"}]}, {\"fdset-id\": 6, "
					"\"fds\": [{\"opaque\": \"machina-memory\"}]}]}\r\n",
					id);
			say(fd, sets);
			continue;
		}
		CLEANUP(freep)
		char *reply = xasprintf("{\"id\": \"%s\", \"%s\": {\"%s\": \"%s\", "
					"\"fdset-id\": 6, \"class\": \"GenericError\"}}\r\n",
				id, migrates && refuses ? "error" : "return",
				migrates && refuses ? "desc" : "status", status);
		say(fd, reply);
	}
}

/* ---- the test ---- */

struct seen {
	unsigned n;
	uint64_t last;
};

static void note(void *data, uint64_t done, uint64_t total)
{
	struct seen *seen = data;
	CHECK_INT(total, N_PIECES * PIECE);
	CHECK_INT(done, ++seen->n * PIECE);
	seen->last = done;
}

struct row {
	const char *version; /* the members of its greeting */
	bool sends, refuses, cancels;
	const char *log;
};

static int migrate(const struct row *row, struct qmp *qmp, int fd,
		const struct migration_watch *watch, struct error *err)
{
	if (row->cancels)
		return migration_cancel(qmp, err);
	return row->sends ? migration_send(qmp, fd, &(struct migration_watch){}, err)
			  : migration_receive(qmp, fd, true, watch, err);
}

/* What moves on is not taken for what stands still, whose time is limited. */
static void try_row(const struct row *row)
{
	struct error err = {};
	struct qmp *qmp = NULL;
	struct seen seen = {};
	char log[256] = "";
	const struct migration_watch watch = { .progress = note, .data = &seen };
	scratch_begin();
	version = row->version;
	refuses = row->refuses;
	CHECK_INT(pipe2(log_pipe, O_CLOEXEC), 0);
	CLEANUP(closep)
	int fd = open(scratch_path("memory"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CHECK_INT(ftruncate(fd, N_PIECES * PIECE), 0);
	struct peer peer = peer_start(be_qemu);
	close(log_pipe[1]);
	CHECK_INT(qmp_attach_take(peer.fd, "qemu", -1, clock_deadline_usec(20 * USEC_PER_SEC), &qmp,
				  &err),
			QMP_DONE);
	int r = migrate(row, qmp, fd, &watch, &err);
	CHECK_INT(r, row->refuses ? -EREMOTEIO : 0);
	CHECK_INT(seen.last, row->sends || row->refuses || row->cancels ? 0 : N_PIECES * PIECE);
	qmp_free(qmp);
	CHECK_INT(peer_finish(peer.pid), 0);
	CHECK(read(log_pipe[0], log, sizeof(log) - 1) >= 0);
	CHECK_STR(log, row->log);
	close(log_pipe[0]);
	scratch_end();
}

/* A plain file by name is deprecated in later ones; and no set stays that was made for it. */
TEST(a_file_comes_by_the_way_that_the_version_has)
{
	static const char by_name[] = "getfd migrate-incoming fd:machina-memory ",
			  by_set[] = "add-fd migrate-incoming file:/dev/fdset/6 remove-fd 6 ";
	static const struct row rows[] = {
		{ "", .log = by_name },
		{ "\"major\": 7, \"minor\": 2, \"micro\": 22", .log = by_name },
		{ "\"major\": 9, \"minor\": 0, \"micro\": 2", .log = by_name },
		{ "\"major\": 9, \"minor\": 1, \"micro\": 0", .log = by_set },
		{ "\"major\": 10, \"minor\": 0, \"micro\": 13", .log = by_set },
		{ "\"major\": 10, \"minor\": 0, \"micro\": 13", .refuses = true, .log = by_set },
		{ "\"major\": 7, \"minor\": 2, \"micro\": 22", true,
				.log = "getfd migrate fd:machina-memory " },
		{ "\"major\": 10, \"minor\": 0, \"micro\": 13", true,
				.log = "add-fd migrate file:/dev/fdset/6 remove-fd 6 " },
		{ "\"major\": 10, \"minor\": 0, \"micro\": 13", true, true,
				.log = "add-fd migrate file:/dev/fdset/6 remove-fd 6 " },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		try_row(&rows[i]);
}

/* Of one that was killed; others are of disks. */
TEST(a_set_that_was_left_goes_with_the_migration)
{
	static const struct row rows[] = {
		{ "\"major\": 7, \"minor\": 2, \"micro\": 22", .cancels = true, .log = "" },
		{ "\"major\": 10, \"minor\": 0, \"micro\": 13", .cancels = true,
				.log = "query-fdsets remove-fd 6 " },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		try_row(&rows[i]);
}

/* ---- one that claims to go on ---- */

#define GIB ((uint64_t)1 << 30)

/* How long it is believed, in steps of a second; at most @limit. What is left after a step is told
 * by @tell. */
static unsigned believe(
		uint64_t total, uint64_t (*tell)(unsigned second, uint64_t total), unsigned limit)
{
	struct migration_pace pace = {};
	unsigned second = 0;
	while (second < limit && migration_goes_on(&pace, 1000 + second * USEC_PER_SEC,
						 total - tell(second, total), total))
		second++;
	return second;
}

static uint64_t stands(unsigned second, uint64_t total)
{
	(void)second;
	return total;
}

static uint64_t goes_back_and_forth(unsigned second, uint64_t total)
{
	return total / 2 + (second % 7) * (total / 20);
}

static uint64_t a_byte_a_second(unsigned second, uint64_t total)
{
	return total - second;
}

static uint64_t a_disk_of_2_mib(unsigned second, uint64_t total)
{
	const uint64_t done = second * ((uint64_t)2 << 20);
	return done < total ? total - done : 0;
}

static uint64_t as_slow_as_it_may(unsigned second, uint64_t total)
{
	const uint64_t done = second / 179 * (total / 256 + 1);
	return done < total ? total - done : 0;
}

TEST(only_less_than_ever_before_is_progress)
{
	static const unsigned day = 86400;
	CHECK_INT(believe(0, stands, day), 180);
	CHECK_INT(believe(64 * GIB, stands, day), 180);
	CHECK(believe(64 * GIB, goes_back_and_forth, day) <= 190);
	CHECK_INT(believe(64 * GIB, a_byte_a_second, day), 180);
	/* A slow one has all the time that it takes: 64 GiB in 9 hours.
	 */
	CHECK(believe(64 * GIB, a_disk_of_2_mib, day) > 64 * 512);
	CHECK(believe(GIB / 8, a_disk_of_2_mib, day) > 64);
	/* Whatever is told of how much there is. */
	CHECK(believe(GIB, as_slow_as_it_may, 2 * day) <= 13 * 3600);
	CHECK(believe(UINT64_MAX / 2, as_slow_as_it_may, 2 * day) <= 13 * 3600);
}

TEST_MAIN()
