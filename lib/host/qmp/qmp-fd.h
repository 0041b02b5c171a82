/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors for QEMU over its monitor: its sandbox lets it open nothing by itself.
 *
 * In a set (add-fd) QEMU finds a descriptor as "/dev/fdset/N", as often as it likes, if it opens it
 * in the mode that the descriptor has. A set that nothing uses goes when it is removed; before 9.1
 * also when the last client of the monitors leaves, if the guest runs. By a name (getfd) a
 * descriptor belongs to the connection and to the one command that takes it.
 */
#pragma once

#include <stdint.h>

#include "host/qmp/qmp.h"

/*
 * Put a copy of @fd into a set of its own.
 *
 * @opaque: a text that query-fdsets shows
 * @ret_set: its number
 */
MUST_CHECK int qmp_add_fd(struct qmp *qmp, int fd, const char *opaque, uint64_t deadline_usec,
		int *ret_set, struct error *err);

/* Let a set go; it closes when its last user does. That there is none is no error. */
void qmp_remove_fd(struct qmp *qmp, int set, uint64_t deadline_usec);

/* Give a copy of @fd to the command that comes next and takes "fd:NAME". */
MUST_CHECK int qmp_send_fd(struct qmp *qmp, int fd, const char *name, uint64_t deadline_usec,
		struct error *err);
