/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which process uses a file, as fuser(1) shows it. */
#pragma once

#include <stdbool.h>

#include "util/buf.h"
#include "util/strv.h"

/*
 * The first process that has one of the files open for writing. Those that only read are not
 * looked for: udev reads each disk that appears, for a moment.
 *
 * @proc: "/proc"
 * @paths: without links, "/dev/sda1"; one that a process sees under another name is missed
 * @ret_file: index in @paths
 * @ret_process: appended: "qemu-system-x86 (pid 4711)"
 *
 * Processes that end or are hidden have nothing open.
 */
bool holder_find(const char *proc, const struct strv *paths, size_t *ret_file,
		struct buf *ret_process);
