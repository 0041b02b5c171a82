/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sockets that are made for QEMU: listening ones that it gets as descriptors and never binds
 * itself, and one that is connected to a TPM.
 */
#pragma once

#include <stdint.h>

#include "host/os/rundir.h"
#include "util/cleanup.h"
#include "util/error.h"

/* The longest path of a unix socket (unix(7)). */
#define LISTEN_PATH_MAX 107

/*
 * A unix stream socket that listens at @path: for the owner and @sharing's group (0660), or for
 * the owner alone (0600). A socket that is there, of an earlier run, is replaced; anything else is
 * an error (EEXIST). The directory must exist.
 *
 * Uses umask(2), which belongs to the whole process.
 *
 * Errors: ENAMETOOLONG; those of bind(2), with a text that names the path.
 */
MUST_CHECK int listen_unix(
		const char *path, const struct sharing *sharing, int *ret_fd, struct error *err);

/*
 * Give a socket that somebody else has made to @sharing's group, with the mode of listen_unix().
 * Nothing is done when there is no group. Errors: EINVAL: @path is no socket, or one of several
 * names of one.
 */
MUST_CHECK int listen_share(const char *path, const struct sharing *sharing, struct error *err);

/* Remove the socket at @path. There may be none; what is no socket stays. */
MUST_CHECK int listen_remove(const char *path, struct error *err);

/*
 * A TCP socket that listens at 127.0.0.1:@port in the thread's network namespace. It is of no use
 * to whoever would rather connect with it.
 *
 * @deadline_usec: until when to wait for a port that is in use; 0: not at all
 *
 * Errors: EADDRINUSE and others, with a text that names the port.
 */
MUST_CHECK int listen_tcp(uint16_t port, uint64_t deadline_usec, int *ret_fd, struct error *err);

/*
 * For QEMU, which moves a monitor's socket from one of its threads to another while it begins: with
 * a client that is there by then both may go to accept(2), and the second would wait for another
 * client without end (io/net-listener.c, chardev/char-socket.c; seen with QEMU 7.2). What waits for
 * a client in accept(2) itself, as virtiofsd does, must not have this.
 */
MUST_CHECK int listen_never_wait(int fd, struct error *err);

/*
 * Connect to a unix stream socket, or to 127.0.0.1:@port, without waiting; the socket never blocks.
 * That of TCP may still be on its way: then the first send tells how it ended.
 *
 * Returns 0 or a negative errno, for which the caller has the words. EAGAIN: too many wait there.
 */
MUST_CHECK int connect_unix_now(const char *path, int *ret_fd);
MUST_CHECK int connect_tcp_now(uint16_t port, int *ret_fd);

/* A unix stream socket that is connected to the one listening at @path. */
MUST_CHECK int connect_unix(const char *path, int *ret_fd, struct error *err);
