/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connecting to passt(1), which another unit has started. */
#pragma once

#include "util/cleanup.h"
#include "util/error.h"

/*
 * @path: of its socket, in a directory that belongs to its user alone
 *
 * What is there has to be passt's own: whoever has taken passt over must not have QEMU connected
 * with another program's socket.
 *
 * Errors: ENOENT, ECONNREFUSED: it does not run; EPERM: the socket is not its own.
 */
MUST_CHECK int passt_connect(const char *path, int *ret_fd, struct error *err);
