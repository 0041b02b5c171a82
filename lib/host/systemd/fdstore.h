/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors that systemd keeps for a service and gives to its main process.
 *
 * A hook of the unit ("ExecStartPre=") stores what it has opened, and ExecStart= finds it as
 * descriptor 3 and up (sd_notify(3), FDSTORE=1; systemd.service(5), FileDescriptorStoreMax=). The
 * last one that was stored is 3, the one before it 4, and so on: systemd puts each new one in front
 * (src/core/service.c, service_add_fd_store). fdstore_push_all() takes them in the order of their
 * numbers and sends them backwards.
 *
 *	CLEANUP(fdstore_done) struct fdstore store = {};
 *	int r = fdstore_open(getenv("NOTIFY_SOCKET"), &store, err);
 *
 * systemd reads the messages in order, drops what it does not like with no more than a line in the
 * journal, and closes removed descriptors in the background.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/error.h"

struct fdstore {
	int fd;	      /* a connected socket */
	bool is_open; /* else fd means nothing: {} is a store that is closed */
};

/* @socket: value of $NOTIFY_SOCKET: a path, or "@" and an abstract name; NULL is ENOTCONN. */
MUST_CHECK int fdstore_open(const char *socket, struct fdstore *ret, struct error *err);
void fdstore_done(struct fdstore *store);

/*
 * Store @fds[0] as descriptor 3, @fds[1] as 4, ... under @names. Nothing else may be in the store.
 *
 * Names: printable ASCII without ':', 1 to 255 bytes (sd_notify(3), FDNAME=); others are EINVAL. A
 * name may be given to several descriptors, which are then removed together.
 */
MUST_CHECK int fdstore_push_all(const struct fdstore *store, const int *fds,
		const char *const *names, size_t n, struct error *err);

/* Take out all that is stored under @name. There may be none. */
MUST_CHECK int fdstore_remove(const struct fdstore *store, const char *name, struct error *err);

/* Wait until systemd has read all that was sent before (sd_notify_barrier(3)). */
MUST_CHECK int fdstore_barrier(
		const struct fdstore *store, uint64_t deadline_usec, struct error *err);

/* The messages, as appended to @ret. */
void fdstore_store_message(const char *name, struct buf *ret);
void fdstore_remove_message(const char *name, struct buf *ret);
