/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which process uses a file, as fuser(1) shows it, or has mounted what others don't see. */
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

/*
 * All processes that have one of these open, but this one.
 *
 * @links: as /proc/PID/fd shows them: "socket:[4711]"
 * @ret_processes: appended, as above
 */
void holder_list(const char *proc, const struct strv *links, struct strv *ret_processes);

/*
 * The first process in whose mount namespace one of the block devices is mounted. What a container
 * or a service has mounted for itself is in no table but its own.
 *
 * @numbers: "259:1"
 * @ret_number: index in @numbers
 * @ret_where: appended: "'/srv' in the mount namespace of containerd (pid 4711)"
 */
bool holder_find_mount(const char *proc, const struct strv *numbers, size_t *ret_number,
		struct buf *ret_where);

/*
 * Where the text of a file "mountinfo" says that a block device is mounted: the mount point, up to
 * its last letter, escaped as proc(5) says it; NULL: nowhere.
 */
const char *holder_mount_point(const char *mounts, const char *number, size_t *ret_len);
