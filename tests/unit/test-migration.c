/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest that comes from a file, with a QEMU that does not tell how far it is. */
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

/* Reads a piece between two looks. Of what comes in 7.2 tells the state alone. */
static void be_qemu(int fd)
{
	char piece[PIECE], id[64], command[64];
	const char *line, *status = "none";
	int memory = -1;
	say(fd, "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n");
	while ((line = hear_fd(fd, &memory))) {
		const char *at = strstr(line, "\"id\":");
		if (sscanf(line, "{\"execute\":\"%63[^\"]", command) != 1 || !at ||
				sscanf(at, "\"id\":\"%63[^\"]", id) != 1)
			_exit(8);
		if (!strcmp(command, "migrate-incoming"))
			status = "active";
		else if (!strcmp(command, "query-migrate") &&
				read(memory, piece, sizeof(piece)) == 0)
			status = "completed";
		CLEANUP(freep)
		char *reply = xasprintf("{\"id\": \"%s\", \"return\": {\"status\": \"%s\"}}\r\n",
				id, status);
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

/* What moves on is not taken for what stands still, whose time is limited. */
TEST(how_far_a_guest_has_come_in_is_seen)
{
	struct error err = {};
	struct qmp *qmp = NULL;
	struct seen seen = {};
	const struct migration_watch watch = { .progress = note, .data = &seen };
	scratch_begin();
	CLEANUP(closep)
	int fd = open(scratch_path("memory"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CHECK_INT(ftruncate(fd, N_PIECES * PIECE), 0);
	struct peer peer = peer_start(be_qemu);
	CHECK_INT(qmp_attach_take(peer.fd, "qemu", -1, clock_deadline_usec(20 * USEC_PER_SEC), &qmp,
				  &err),
			QMP_DONE);
	CHECK_INT(migration_receive(qmp, fd, true, &watch, &err), 0);
	CHECK_INT(seen.last, N_PIECES * PIECE);
	qmp_free(qmp);
	CHECK_INT(peer_finish(peer.pid), 0);
	scratch_end();
}

TEST_MAIN()
