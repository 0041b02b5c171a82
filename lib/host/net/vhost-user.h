/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Switches that move packets in a guest's memory (docs/interop/vhost-user.rst in QEMU's source):
 * as much of their protocol as it takes to ask one a question.
 */
#pragma once

#include <stdint.h>

/*
 * How many pairs of queues the port behind a switch's socket has. Some switches serve one client at
 * a time: not to be asked while QEMU is connected.
 *
 * Returns 0 where that can't be found out: it does not answer in time, or is busy.
 */
uint64_t vhost_user_count_queues(const char *path, uint64_t deadline_usec);
