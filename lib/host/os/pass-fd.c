/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages with a descriptor. */
#include "host/os/pass-fd.h"

#include <string.h>
#include <sys/socket.h>

ssize_t pass_fd_send(int socket, const void *data, size_t len, int fd, int flags)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {};
	/* sendmsg(2) does not write to what it sends. */
	union {
		const void *in;
		void *out;
	} place = { .in = data };
	struct iovec part = { .iov_base = place.out, .iov_len = len };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control.space);
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	}
	ssize_t n;
	do
		n = sendmsg(socket, &message, flags | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}
