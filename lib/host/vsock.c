/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets between the host and its guests. */
#include "host/vsock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/vhost.h>
#include <sys/ioctl.h>

#include "host/clock.h"

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
		clock_poll(NULL, 0, clock_deadline_usec(RETRY_USEC));
	if (r < 0 && errno == EADDRINUSE)
		return error_set(err, EADDRINUSE,
				"the vsock CID %" PRIu32
				" is in use: a guest that this program did "
				"not start has it; choose another one with attrs.vsock.cid",
				cid);
	if (r < 0)
		return error_errno(err, "cannot have the vsock CID %" PRIu32 " at '%s'", cid, path);
	*ret_fd = take_fd(&fd);
	return 0;
}
