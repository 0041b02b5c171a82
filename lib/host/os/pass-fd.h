/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Handing a descriptor to whoever is at the other end of a unix socket (SCM_RIGHTS in unix(7)).
 */
#pragma once

#include <sys/types.h>

#include "util/cleanup.h"

/*
 * Send data and, with its first byte, a descriptor, which stays open here.
 *
 * @fd: -1: none
 * @flags: of sendmsg(2), beside MSG_NOSIGNAL
 *
 * Goes on after EINTR. Returns how much was sent, or a negative errno.
 */
MUST_CHECK ssize_t pass_fd_send(int socket, const void *data, size_t len, int fd, int flags);
