/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asking a switch how many queues it has, as QEMU does (vhost_user_backend_init()). */
#include "host/net/vhost-user.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "host/os/clock.h"
#include "host/os/listen.h"
#include "util/cleanup.h"

enum request {
	GET_FEATURES = 1,
	GET_PROTOCOL_FEATURES = 15,
	SET_PROTOCOL_FEATURES = 16,
	GET_QUEUE_NUM = 17,
};
#define HAS_PROTOCOL_FEATURES (UINT64_C(1) << 30)
#define HAS_QUEUES (UINT64_C(1) << 0)
#define FLAGS_VERSION 1

/* All that is said here, either way. */
struct message {
	uint32_t request, flags, size; /* of what follows */
	uint64_t value;
} __attribute__((packed));

/* Without its value, if it has none. The buffer of a new socket has room for all that is asked. */
static bool put(int fd, enum request request, const uint64_t *value)
{
	const struct message m = { .request = request,
		.flags = FLAGS_VERSION,
		.size = value ? sizeof(m.value) : 0,
		.value = value ? *value : 0 };
	const size_t len = offsetof(struct message, value) + m.size;
	return send(fd, &m, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len;
}

static bool take(int fd, enum request request, uint64_t deadline_usec, uint64_t *ret)
{
	struct message m = {};
	for (size_t got = 0; got < sizeof(m);) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		int n = clock_poll(&ready, 1, deadline_usec);
		if (n == 0 || (n < 0 && errno != EINTR))
			return false;
		ssize_t more = recv(fd, (char *)&m + got, sizeof(m) - got, MSG_DONTWAIT);
		if (more == 0 || (more < 0 && errno != EAGAIN && errno != EINTR))
			return false;
		got += more > 0 ? (size_t)more : 0;
	}
	*ret = m.value;
	return m.request == request && m.size == sizeof(m.value);
}

static bool ask(int fd, enum request request, uint64_t deadline_usec, uint64_t *ret)
{
	return put(fd, request, NULL) && take(fd, request, deadline_usec, ret);
}

uint64_t vhost_user_count_queues(const char *path, uint64_t deadline_usec)
{
	static const uint64_t wanted = HAS_QUEUES;
	CLEANUP(closep) int fd = -1;
	uint64_t features, protocol, n;
	if (connect_unix_now(path, &fd) < 0 || !ask(fd, GET_FEATURES, deadline_usec, &features))
		return 0;
	if (!(features & HAS_PROTOCOL_FEATURES))
		return 1;
	if (!ask(fd, GET_PROTOCOL_FEATURES, deadline_usec, &protocol))
		return 0;
	if (!(protocol & HAS_QUEUES))
		return 1;
	return put(fd, SET_PROTOCOL_FEATURES, &wanted) && ask(fd, GET_QUEUE_NUM, deadline_usec, &n)
			       ? n
			       : 0;
}
