/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets between the host and its guests. */
#include "host/os/vsock.h"

#include <arpa/inet.h> /* struct sockaddr, without which linux/vm_sockets.h can't be read */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/vhost.h>
#include <linux/vm_sockets.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "host/os/clock.h"
#include "host/os/pass-fd.h"

/* Between two tries to get a number that is in use. */
#define RETRY_USEC (20 * USEC_PER_MSEC)

static int refuse_open(const char *path, struct error *err)
{
	int code = errno;
	if (code == ENOENT || code == ENODEV || code == ENXIO)
		return error_code(err, -code,
				"cannot open '%s' (attrs.vsock): load its kernel module with "
				"'modprobe vhost_vsock'",
				path);
	return error_code(err, -code, "cannot open '%s' (attrs.vsock)", path);
}

int vsock_open_device(const char *path, uint32_t cid, uint64_t deadline_usec, int *ret_fd,
		struct error *err)
{
	uint64_t guest_cid = cid;
	int r;
	CLEANUP(closep) int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return refuse_open(path, err);
	while ((r = ioctl(fd, VHOST_VSOCK_SET_GUEST_CID, &guest_cid)) < 0 && errno == EADDRINUSE &&
			clock_now_usec() < deadline_usec)
		clock_pause(RETRY_USEC);
	if (r < 0 && errno == EADDRINUSE)
		return error_set(err, EADDRINUSE,
				"the vsock CID %" PRIu32
				" is in use: a guest that this program did not start has it; "
				"choose another one with attrs.vsock.cid",
				cid);
	if (r < 0)
		return error_errno(err, "cannot have the vsock CID %" PRIu32 " at '%s'", cid, path);
	*ret_fd = take_fd(&fd);
	return 0;
}

int vsock_connect(
		uint32_t cid, uint32_t port, uint64_t timeout_usec, int *ret_fd, struct error *err)
{
	const struct timeval timeout = {
		.tv_sec = (time_t)(timeout_usec / USEC_PER_SEC),
		.tv_usec = (suseconds_t)(timeout_usec % USEC_PER_SEC),
	};
	const struct sockaddr_vm address = {
		.svm_family = AF_VSOCK, .svm_port = port, .svm_cid = cid
	};
	CLEANUP(closep) int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 && errno == EAFNOSUPPORT)
		return error_set(err, EAFNOSUPPORT,
				"this kernel has no sockets to guests: load the module with "
				"'modprobe vhost_vsock'");
	if (fd < 0)
		return error_errno(err, "cannot make a socket to guests");
	if (setsockopt(fd, AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, &timeout, sizeof(timeout)) < 0)
		return error_errno(err, "cannot limit the time for a connection to a guest");
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0) {
		*ret_fd = take_fd(&fd);
		return VSOCK_DONE;
	}
	switch (errno) {
	case ECONNRESET:
	case ECONNREFUSED:
		return VSOCK_REFUSED;
	case ETIMEDOUT:
	case EINTR:
		return VSOCK_SILENT;
	case ENODEV:
	case ENETUNREACH:
	case EHOSTUNREACH:
		return VSOCK_ABSENT;
	default:
		return error_errno(err, "cannot connect to port %" PRIu32 " of vsock CID %" PRIu32,
				port, cid);
	}
}

int vsock_hand_over(int to, int fd, struct error *err)
{
	ssize_t n = pass_fd_send(to, "", 1, fd, 0);
	return n < 0 ? error_code(err, (int)n, "cannot hand over the connection") : 0;
}
