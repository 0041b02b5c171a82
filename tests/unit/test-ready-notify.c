/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guest tells of its boot, over a unix socket in place of vsock. */
#include "host/machine/ready-notify.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/os/clock.h"
#include "test.h"
#include "util/mem.h"

/* A listening socket with a name that the kernel chooses. */
static int listen_somewhere(struct sockaddr_un *ret, socklen_t *ret_len)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	*ret_len = sizeof(*ret);
	if (bind(fd, (struct sockaddr *)ret, offsetof(struct sockaddr_un, sun_path)) < 0 ||
			listen(fd, 32) < 0 || getsockname(fd, (struct sockaddr *)ret, ret_len) < 0)
		TEST_FAIL("no socket");
	return fd;
}

static int connect_to(const struct sockaddr_un *to, socklen_t len)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (const struct sockaddr *)to, len) < 0)
		TEST_FAIL("cannot connect");
	return fd;
}

/*
 * What the wait makes of one message of @n bytes.
 * @expected: what is not to come is not waited for long
 */
static int hear(const char *text, size_t n, int expected)
{
	struct sockaddr_un at;
	socklen_t len;
	struct error err = {};
	CLEANUP(closep) int fd = listen_somewhere(&at, &len);
	int guest = connect_to(&at, len);
	for (size_t done = 0; done < n;) {
		ssize_t got = send(guest, text + done, n - done, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (got <= 0)
			break;
		done += (size_t)got;
	}
	close(guest);
	uint64_t limit = expected ? USEC_PER_SEC / 20 : 120 * USEC_PER_SEC;
	int r = ready_notify_wait(fd, 3, clock_deadline_usec(limit), &err);
	if (r < 0)
		CHECK_STR(err.text, "its systemd has not told that it is");
	return r;
}

TEST(messages)
{
	static const struct {
		const char *text;
		int expected;
	} rows[] = {
		{ "READY=1", 0 },
		{ "READY=1\n", 0 },
		{ "READY=1\nSTATUS=Startup finished in 2.5s.\n", 0 },
		{ "X_SYSTEMD_UNIT_ACTIVE=multi-user.target\nREADY=1", 0 },
		{ "READY=0", -ETIMEDOUT },
		{ "READY=12", -ETIMEDOUT },
		{ "STATUS=READY=1", -ETIMEDOUT },
		{ "XREADY=1", -ETIMEDOUT },
		{ "READY=", -ETIMEDOUT },
		{ "STOPPING=1", -ETIMEDOUT },
		{ "", -ETIMEDOUT },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int r = hear(rows[i].text, strlen(rows[i].text), rows[i].expected);
		if (r != rows[i].expected)
			TEST_FAIL("\"%s\": %d", rows[i].text, r);
	}
}

TEST(messages_of_a_hostile_guest)
{
	CLEANUP(freep) char *long_text = xcalloc(1, 1 << 16);
	memset(long_text, '\n', 1 << 16);
	memcpy(long_text + (1 << 15), "READY=1", strlen("READY=1"));
	CHECK_INT(hear(long_text, 1 << 16, -ETIMEDOUT), -ETIMEDOUT);
	/* Of exactly the limit, where the line may go on. */
	memset(long_text, '\n', 4096);
	memcpy(long_text + 4096 - strlen("READY=1"), "READY=1", strlen("READY=1"));
	CHECK_INT(hear(long_text, 4096, -ETIMEDOUT), -ETIMEDOUT);
	CHECK_INT(hear("\0READY=1", 8, -ETIMEDOUT), -ETIMEDOUT);
	CHECK_INT(hear("READY=1\0", 8, -ETIMEDOUT), -ETIMEDOUT);
}

/* One that is silent has its time, and no more of ours than that. */
TEST(the_second_connection_counts_as_well)
{
	struct sockaddr_un at;
	socklen_t len;
	struct error err = {};
	CLEANUP(closep) int fd = listen_somewhere(&at, &len);
	int first = connect_to(&at, len), second = connect_to(&at, len);
	CHECK_INT(send(second, "READY=1\n", 8, MSG_NOSIGNAL), 8);
	close(first);
	close(second);
	CHECK_INT(ready_notify_wait(fd, 3, clock_deadline_usec(120 * USEC_PER_SEC), &err), 0);
}

/* Other guests and users of the host: they keep nobody waiting beyond the time. */
TEST(callers_without_end)
{
	struct sockaddr_un at;
	socklen_t len;
	struct error err = {};
	CLEANUP(closep) int fd = listen_somewhere(&at, &len);
	int callers[8];
	for (size_t i = 0; i < ARRAY_SIZE(callers); i++)
		callers[i] = connect_to(&at, len);
	CHECK_INT(ready_notify_wait(fd, 3, clock_deadline_usec(USEC_PER_SEC / 20), &err),
			-ETIMEDOUT);
	/* The first one has taken all the time that there was. */
	for (size_t i = 1; i < ARRAY_SIZE(callers); i++) {
		struct pollfd waits = { .fd = fd, .events = POLLIN };
		CHECK_INT(poll(&waits, 1, 0), 1);
		if (waits.revents)
			close(accept4(fd, NULL, NULL, SOCK_CLOEXEC));
	}
	for (size_t i = 0; i < ARRAY_SIZE(callers); i++)
		close(callers[i]);
}

/* Without a kernel that knows vsock, the reason is told. */
TEST(listening)
{
	struct error err = {};
	int fd = -1, r = ready_notify_listen(0x7fff0000, &fd, &err);
	if (r < 0)
		CHECK(r == -EOPNOTSUPP && strstr(err.text, "modprobe vhost_vsock"));
	else
		close(fd);
}
TEST_MAIN()
