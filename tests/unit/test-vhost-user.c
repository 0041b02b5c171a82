/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asking switches for their queues: they are child processes that answer by a script. */
#include "host/net/vhost-user.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/os/clock.h"
#include "host/os/listen.h"
#include "scratch.h"
#include "test.h"

#define LONG_USEC (120 * USEC_PER_SEC)
#define SHORT_USEC (100 * USEC_PER_MSEC)
#define PROTOCOL (UINT64_C(1) << 30)

struct answer {
	uint32_t request; /* that is answered; 0: it says nothing to any other */
	uint64_t value;
	size_t len; /* of the answer; 0: all of it */
};

struct head {
	uint32_t request, flags, size;
};

static void serve(int listening, const struct answer *answers)
{
	int fd = accept(listening, NULL, NULL);
	struct head head;
	while (recv(fd, &head, sizeof(head), MSG_WAITALL) == (ssize_t)sizeof(head)) {
		uint64_t value;
		if (head.size && recv(fd, &value, head.size, MSG_WAITALL) != (ssize_t)head.size)
			_exit(1);
		for (const struct answer *a = answers; a->request; a++) {
			char bytes[20];
			if (a->request != head.request)
				continue;
			head.flags = 5;
			head.size = sizeof(a->value);
			memcpy(bytes, &head, sizeof(head));
			memcpy(bytes + sizeof(head), &a->value, sizeof(a->value));
			const size_t len = a->len ? a->len : sizeof(bytes);
			/* In pieces, as a stream may bring them. */
			if (send(fd, bytes, 5, MSG_NOSIGNAL) != 5 ||
					send(fd, bytes + 5, len - 5, MSG_NOSIGNAL) !=
							(ssize_t)len - 5)
				_exit(1);
			if (a->len)
				_exit(0);
		}
	}
	_exit(0);
}

static void check_count(const struct answer *answers, uint64_t expected, uint64_t limit_usec)
{
	struct error err = {};
	int listening = -1;
	scratch_begin();
	if (listen_unix(scratch_path("switch"), &(struct sharing){}, &listening, &err) < 0)
		TEST_FAIL("%s", err.text);
	pid_t child = fork();
	if (child == 0)
		serve(listening, answers);
	close(listening);
	CHECK_INT(vhost_user_count_queues(scratch_path("switch"), clock_deadline_usec(limit_usec)),
			expected);
	waitpid(child, NULL, 0);
	scratch_end();
}

TEST(a_switch_says_how_many_it_has)
{
	check_count((struct answer[]){ { 1, PROTOCOL, 0 }, { 15, 3, 0 }, { 17, 8, 0 }, {} }, 8,
			LONG_USEC);
}

TEST(one_that_knows_of_none_has_one)
{
	check_count((struct answer[]){ { 1, ~PROTOCOL, 0 }, { 17, 8, 0 }, {} }, 1, LONG_USEC);
	check_count((struct answer[]){ { 1, PROTOCOL, 0 }, { 15, 2, 0 }, { 17, 8, 0 }, {} }, 1,
			LONG_USEC);
}

TEST(what_does_not_answer_has_no_number)
{
	CHECK_INT(vhost_user_count_queues("/nowhere/at/all", clock_deadline_usec(LONG_USEC)), 0);
	check_count((struct answer[]){ {} }, 0, SHORT_USEC);
	check_count((struct answer[]){ { 1, PROTOCOL, 0 }, {} }, 0, SHORT_USEC);
	check_count((struct answer[]){ { 1, PROTOCOL, 0 }, { 15, 3, 0 }, {} }, 0, SHORT_USEC);
	/* It goes in the middle of a word. */
	check_count((struct answer[]){ { 1, PROTOCOL, 13 }, {} }, 0, LONG_USEC);
}

TEST_MAIN()
