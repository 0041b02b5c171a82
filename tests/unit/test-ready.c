/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waiting until a guest takes connections, with a server of this host in its place. */
#include "host/machine/ready.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/os/clock.h"
#include "host/os/netns.h"
#include "test.h"
#include "util/cleanup.h"
#include "util/mem.h"

TEST(words_of_a_command_line)
{
	static const struct {
		const char *text;
		int expected;
		enum vm_ready when;
		int family;
	} rows[] = {
		{ "qmp", 0, VM_READY_QMP, 0 },
		{ "agent", 0, VM_READY_AGENT, 0 },
		{ "tcp:10.0.0.5:22", 0, VM_READY_TCP, AF_INET },
		{ "tcp:[fd00::5]:22", 0, VM_READY_TCP, AF_INET6 },
		{ "notify:3", 0, VM_READY_NOTIFY, 0 },
		{ "notify:4294967294", 0, VM_READY_NOTIFY, 0 },
		{ "notify:2", -EINVAL, 0, 0 },
		{ "notify:4294967295", -EINVAL, 0, 0 },
		{ "notify", -EINVAL, 0, 0 },
		{ "tcp:fd00::5:22", -EINVAL, 0, 0 },
		{ "tcp:[10.0.0.5]:22", -EINVAL, 0, 0 },
		{ "tcp:10.0.0.5", -EINVAL, 0, 0 },
		{ "tcp:10.0.0.5:0", -EINVAL, 0, 0 },
		{ "tcp:10.0.0.5:65536", -EINVAL, 0, 0 },
		{ "tcp:host:22", -EINVAL, 0, 0 },
		{ "tcp:[]:22", -EINVAL, 0, 0 },
		{ "tcp::22", -EINVAL, 0, 0 },
		{ "agents", -EINVAL, 0, 0 },
		{ "", -EINVAL, 0, 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ready ready;
		struct error err = {};
		CHECK_INT(ready_parse(rows[i].text, &ready, &err), rows[i].expected);
		if (rows[i].expected == 0)
			CHECK(ready.when == rows[i].when &&
					ready.address.ss_family == rows[i].family);
	}
}

/* A socket on a free port of the loopback interface; it does not listen yet. */
static int bind_somewhere(struct ready *ret)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);
	CLEANUP(freep) char *text = NULL;
	struct error err = {};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(fd, (struct sockaddr *)&in, sizeof(in)) < 0 ||
			getsockname(fd, (struct sockaddr *)&in, &len) < 0)
		TEST_FAIL("no socket");
	text = xasprintf("tcp:127.0.0.1:%u", ntohs(in.sin_port));
	CHECK_INT(ready_parse(text, ret, &err), 0);
	return fd;
}

TEST(a_server_that_is_there_and_one_that_comes)
{
	struct ready ready;
	struct error err = {};
	CLEANUP(closep) int fd = bind_somewhere(&ready);
	pid_t child = fork();
	if (child == 0) {
		int r = ready_wait(&ready, NULL, NETNS_OWN, clock_deadline_usec(120 * USEC_PER_SEC),
				&err);
		_exit(r == 0 ? 0 : 1);
	}
	/* One attempt at least has failed when this one has. */
	CHECK_INT(ready_wait(&ready, NULL, NETNS_OWN, clock_deadline_usec(0), &err), -ETIMEDOUT);
	CHECK_STR(err.text, "cannot connect to the guest: Connection refused");
	CHECK_INT(listen(fd, 8), 0);
	int status;
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK_INT(ready_wait(&ready, NULL, NETNS_OWN, clock_deadline_usec(120 * USEC_PER_SEC),
				  &err),
			0);
}

/* Its queue is full: the kernel drops what asks for a connection, as a dead address does. */
TEST(a_guest_that_does_not_answer)
{
	struct ready ready;
	struct error err = {};
	CLEANUP(closep) int fd = bind_somewhere(&ready);
	int queue[4];
	CHECK_INT(listen(fd, 0), 0);
	for (size_t i = 0; i < ARRAY_SIZE(queue); i++) {
		queue[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)!connect(queue[i], (struct sockaddr *)&ready.address, ready.address_len);
	}
	CHECK_INT(ready_wait(&ready, NULL, NETNS_OWN, clock_deadline_usec(USEC_PER_SEC / 5), &err),
			-ETIMEDOUT);
	CHECK_STR(err.text, "the guest does not answer");
	for (size_t i = 0; i < ARRAY_SIZE(queue); i++)
		close(queue[i]);
}
TEST_MAIN()
