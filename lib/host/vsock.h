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
