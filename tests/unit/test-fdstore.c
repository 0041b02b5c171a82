/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is said to systemd about descriptors, read by a socket of the test. That systemd understands
 * it, and gives descriptors in this order, is shown by tests/e2e/test-hook.
 */
#include "host/systemd/fdstore.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "host/os/clock.h"
#include "scratch.h"
#include "test.h"

#define LIMIT_USEC (120 * USEC_PER_SEC)

/* systemd's socket: a path in the scratch directory, or an abstract name. */
static int listen_as_systemd(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	memcpy(address.sun_path, name, strlen(name));
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(fd, (struct sockaddr *)&address,
			    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name) +
					    (name[0] == '/'))) < 0)
		TEST_FAIL("cannot listen at %s: %m", name);
	return fd;
}

/* One message, and the descriptor that came with it, or -1. */
static int hear(int fd, char *text, size_t size)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(4 * sizeof(int))];
	} control;
	struct iovec part = { .iov_base = text, .iov_len = size - 1 };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	text[n < 0 ? 0 : n] = '\0';
	struct cmsghdr *header = n < 0 ? NULL : CMSG_FIRSTHDR(&message);
	int passed = -1;
	if (header)
		memcpy(&passed, CMSG_DATA(header), sizeof(passed));
	return passed;
}

static void check_said(int fd, const char *expected)
{
	char text[512];
	int passed = hear(fd, text, sizeof(text));
	CHECK_STR(text, expected);
	CHECK_INT(passed, -1);
}

TEST(the_last_one_is_sent_first)
{
	scratch_begin();
	int peer = listen_as_systemd(scratch_path("notify"));
	struct error err = {};
	CLEANUP(fdstore_done) struct fdstore store = {};
	CHECK_INT(fdstore_open(scratch_path("notify"), &store, &err), 0);
	put_file("0", "zero");
	put_file("1", "one");
	int fds[2] = {
		open(scratch_path("0"), O_RDONLY | O_CLOEXEC),
		open(scratch_path("1"), O_RDONLY | O_CLOEXEC),
	};
	const char *const names[2] = { "disk.0", "disk.1" };
	CHECK_INT(fdstore_push_all(&store, fds, names, 2, &err), 0);
	/* They stay open here. */
	CHECK(fcntl(fds[0], F_GETFD) >= 0);

	static const char *const expected[2] = {
		"FDSTORE=1\nFDNAME=disk.1\nFDPOLL=0",
		"FDSTORE=1\nFDNAME=disk.0\nFDPOLL=0",
	};
	static const char *const contents[2] = { "one", "zero" };
	for (size_t i = 0; i < 2; i++) {
		char text[512], data[16] = "";
		int passed = hear(peer, text, sizeof(text));
		CHECK_STR(text, expected[i]);
		CHECK(read(passed, data, sizeof(data) - 1) > 0);
		CHECK_STR(data, contents[i]);
		close(passed);
		close(fds[i]);
	}
	check_said(peer, "");
	close(peer);
	scratch_end();
}

TEST(names_are_taken_back)
{
	scratch_begin();
	int peer = listen_as_systemd(scratch_path("notify"));
	struct fdstore store = {};
	CHECK_INT(fdstore_open(scratch_path("notify"), &store, NULL), 0);
	CHECK_INT(fdstore_remove(&store, "net.0", NULL), 0);
	check_said(peer, "FDSTOREREMOVE=1\nFDNAME=net.0");
	fdstore_done(&store);
	fdstore_done(&store);
	close(peer);
	scratch_end();
}

TEST(abstract_names_are_understood)
{
	CLEANUP(freep) char *name = xasprintf("@machina-test-%d", getpid());
	int peer = listen_as_systemd(name);
	CLEANUP(fdstore_done) struct fdstore store = {};
	CHECK_INT(fdstore_open(name, &store, NULL), 0);
	CHECK_INT(fdstore_remove(&store, "x", NULL), 0);
	check_said(peer, "FDSTOREREMOVE=1\nFDNAME=x");
	close(peer);
}

TEST(names_that_systemd_refuses_are_refused)
{
	scratch_begin();
	int peer = listen_as_systemd(scratch_path("notify"));
	CLEANUP(fdstore_done) struct fdstore store = {};
	CHECK_INT(fdstore_open(scratch_path("notify"), &store, NULL), 0);
	char longest[257];
	memset(longest, 'n', sizeof(longest));
	longest[256] = '\0';
	const char *const bad[] = { "", "a:b", "a\nFDSTORE=1", "\xc3\xa4", "\x7f", longest };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		int fd = 0;
		CHECK_INT(fdstore_push_all(&store, &fd, &bad[i], 1, NULL), -EINVAL);
		CHECK_INT(fdstore_remove(&store, bad[i], NULL), -EINVAL);
	}
	longest[255] = '\0';
	CHECK_INT(fdstore_remove(&store, longest, NULL), 0);
	char text[512];
	CHECK_INT(hear(peer, text, sizeof(text)), -1);
	CHECK_INT(strlen(text), strlen("FDSTOREREMOVE=1\nFDNAME=") + 255);
	check_said(peer, "");
	close(peer);
	scratch_end();
}

TEST(a_barrier_waits_until_systemd_has_read)
{
	scratch_begin();
	int peer = listen_as_systemd(scratch_path("notify"));
	CLEANUP(fdstore_done) struct fdstore store = {};
	CHECK_INT(fdstore_open(scratch_path("notify"), &store, NULL), 0);

	/* Not read at all. */
	struct error err = {};
	CHECK_INT(fdstore_barrier(&store, clock_deadline_usec(10 * USEC_PER_MSEC), &err),
			-ETIMEDOUT);
	CHECK_STR(err.text, "systemd does not read what it is told");
	char text[512];
	int first = hear(peer, text, sizeof(text));
	CHECK_STR(text, "BARRIER=1");
	close(first);

	/* Read by another process, which says so before it closes the pipe. */
	int said[2];
	CHECK_INT(pipe2(said, O_CLOEXEC), 0);
	pid_t child = fork();
	if (child == 0) {
		int end = -1;
		while (end < 0)
			end = hear(peer, text, sizeof(text));
		if (write(said[1], "r", 1) != 1)
			_exit(1);
		close(end);
		_exit(0);
	}
	CHECK_INT(fdstore_barrier(&store, clock_deadline_usec(LIMIT_USEC), &err), 0);
	char c = 0;
	CHECK_INT(fcntl(said[0], F_SETFL, O_NONBLOCK), 0);
	CHECK_INT(read(said[0], &c, 1), 1);
	waitpid(child, NULL, 0);
	close(said[0]);
	close(said[1]);
	close(peer);
	scratch_end();
}

TEST(without_systemd_it_says_so)
{
	struct error err = {};
	struct fdstore store = {};
	CHECK_INT(fdstore_open(NULL, &store, &err), -ENOTCONN);
	CHECK_STR(err.text, "systemd does not listen for descriptors ($NOTIFY_SOCKET is not set): "
			    "this works in a hook of a unit only");
	CHECK_INT(fdstore_open("", &store, &err), -ENOTCONN);
	CHECK_INT(fdstore_open("relative", &store, &err), -EINVAL);
	CHECK_INT(fdstore_open("/nowhere/at/all", &store, &err), -ENOENT);
	CHECK_STR(err.text, "cannot connect to systemd at '/nowhere/at/all': No such file or "
			    "directory");
	char longest[200];
	memset(longest, '/', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	CHECK_INT(fdstore_open(longest, &store, &err), -EINVAL);
	CHECK(!store.is_open);
}

TEST(a_systemd_that_is_gone_is_no_signal)
{
	scratch_begin();
	int peer = listen_as_systemd(scratch_path("notify"));
	CLEANUP(fdstore_done) struct fdstore store = {};
	CHECK_INT(fdstore_open(scratch_path("notify"), &store, NULL), 0);
	close(peer);
	struct error err = {};
	CHECK_INT(fdstore_remove(&store, "net.0", &err), -ECONNREFUSED);
	CHECK_STR(err.text, "cannot take descriptor 'net.0' from systemd: Connection refused");
	scratch_end();
}

TEST_MAIN()
