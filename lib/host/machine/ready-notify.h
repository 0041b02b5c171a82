/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's end of what a guest's systemd says when it has booted: READY=1, in a connection of its
 * own over vsock(7), to the place that the credential vmm.notify_socket names (systemd(1), "System
 * Credentials"; since 254).
 *
 * The guest is not trusted: its connections have a limit in bytes and in time, and one that talks
 * for ever keeps nobody waiting but itself.
 */
#pragma once

#include <stdint.h>

#include "util/cleanup.h"
#include "util/error.h"

/*
 * A socket that listens at port @port. The caller closes it.
 *
 * Errors: EOPNOTSUPP: the host has no vsock; those of bind(2).
 */
MUST_CHECK int ready_notify_listen(uint32_t port, int *ret_fd, struct error *err);

/*
 * Wait for READY=1.
 *
 * @fd: that listens. Of its connections only those of the guest count
 * @cid: of the guest. Connections of another family, in tests, have none and count
 *
 * Errors: ETIMEDOUT.
 */
MUST_CHECK int ready_notify_wait(int fd, uint32_t cid, uint64_t deadline_usec, struct error *err);
