/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's end of what a guest's systemd says when it has booted. */
#include "host/machine/ready-notify.h"

#include <arpa/inet.h> /* struct sockaddr, without which linux/vm_sockets.h can't be read */
#include <errno.h>
#include <linux/vm_sockets.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/os/clock.h"

/* A message of systemd's has a few hundred bytes and comes at once. */
#define MESSAGE_MAX 4096
#define MESSAGE_USEC (5 * USEC_PER_SEC)
/* systemd sends one message after another. */
#define BACKLOG 16

int ready_notify_listen(uint32_t port, int *ret_fd, struct error *err)
{
	CLEANUP(closep) int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 && errno == EAFNOSUPPORT)
		return error_set(err, EOPNOTSUPP,
				"this host has no vsock (modprobe vhost_vsock), by which the guest "
				"would tell that it is ready");
	if (fd < 0)
		return error_errno(err, "cannot make a vsock");
	const struct sockaddr_vm address = {
		.svm_family = AF_VSOCK, .svm_port = port, .svm_cid = VMADDR_CID_ANY
	};
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
			listen(fd, BACKLOG) < 0)
		return error_errno(err, "cannot listen at vsock port %u", port);
	*ret_fd = take_fd(&fd);
	return 0;
}

static bool is_guest(const struct sockaddr_storage *peer, uint32_t cid)
{
	return peer->ss_family != AF_VSOCK || ((const struct sockaddr_vm *)peer)->svm_cid == cid;
}

static bool has_line(const char *text, const char *wanted)
{
	size_t len = strlen(wanted);
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, wanted, len) && (!line[len] || line[len] == '\n'))
			return true;
	}
	return false;
}

/* Does it say so before it ends, is too long, or takes too long? */
static bool says_ready(int fd, uint64_t deadline_usec)
{
	char text[MESSAGE_MAX + 1] = "";
	size_t n = 0;
	uint64_t end = clock_deadline_usec(MESSAGE_USEC);
	if (end > deadline_usec)
		end = deadline_usec;
	while (n < MESSAGE_MAX) {
		struct pollfd more = { .fd = fd, .events = POLLIN };
		if (clock_poll(&more, 1, end) <= 0)
			break;
		ssize_t got = recv(fd, text + n, MESSAGE_MAX - n, MSG_DONTWAIT);
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	/* The end of a text that was cut off is not taken for the end of a line. */
	text[n] = '\0';
	return n < MESSAGE_MAX && !memchr(text, '\0', n) && has_line(text, "READY=1");
}

int ready_notify_wait(int fd, uint32_t cid, uint64_t deadline_usec, struct error *err)
{
	for (;;) {
		struct pollfd caller = { .fd = fd, .events = POLLIN };
		int n = clock_poll(&caller, 1, deadline_usec);
		/* Other guests, and users of the host, may call without end. */
		if (n == 0 || (n > 0 && clock_now_usec() >= deadline_usec))
			return error_set(err, ETIMEDOUT, "its systemd has not told that it is");
		if (n < 0 && errno != EINTR)
			return error_errno(err, "cannot wait for the guest");
		struct sockaddr_storage peer = {};
		socklen_t len = sizeof(peer);
		CLEANUP(closep)
		int guest = accept4(
				fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		/* A caller that has gone again is none. */
		if (guest < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			return error_errno(err, "cannot hear the guest");
		if (guest >= 0 && is_guest(&peer, cid) && says_ready(guest, deadline_usec))
			return 0;
	}
}
