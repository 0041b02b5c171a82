/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets between the host and its guests: vsock(7), and the kernel's include/uapi/linux/vhost.h.
 */
#pragma once

#include <stdint.h>

#include "util/cleanup.h"
#include "util/error.h"

/*
 * Open the host's side of a guest's device, and take the guest's number: no other device of the
 * host can have it as long as the descriptor or a copy of it is open. QEMU takes it once more.
 *
 * @path: "/dev/vhost-vsock"
 * @deadline_usec: until when to wait for a number that is in use; 0: not at all
 *
 * Errors: ENOENT, ENODEV: the kernel has no such device; EADDRINUSE; each with a text that says
 * what to do.
 */
MUST_CHECK int vsock_open_device(const char *path, uint32_t cid, uint64_t deadline_usec,
		int *ret_fd, struct error *err);

enum vsock_outcome {
	VSOCK_DONE,
	VSOCK_REFUSED, /* the guest says that nobody listens there */
	VSOCK_SILENT,  /* it does not answer: its driver is not up, or the guest hangs */
	VSOCK_ABSENT,  /* no guest has this number */
};

/*
 * Connect to a socket of a guest. Tries once.
 *
 * @timeout_usec: for how long; not 0
 * @ret_fd: with VSOCK_DONE, SOCK_STREAM
 *
 * Returns an enum vsock_outcome, without a text; or a negative errno: EAFNOSUPPORT: the kernel has
 * no such sockets.
 */
MUST_CHECK int vsock_connect(
		uint32_t cid, uint32_t port, uint64_t timeout_usec, int *ret_fd, struct error *err);

/*
 * Give a descriptor to who is at the other end of a unix socket, with one byte: what ssh(1) waits
 * for that has "ProxyUseFdpass yes".
 *
 * Errors: ENOTSOCK: @to is none; those of sendmsg(2).
 */
MUST_CHECK int vsock_hand_over(int to, int fd, struct error *err);
