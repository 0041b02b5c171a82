/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which files a process really has, for what it says about itself: a QEMU that its guest has taken
 * over says whatever it likes.
 */
#pragma once

#include <sys/types.h>

#include "util/cleanup.h"
#include "util/error.h"

/*
 * Has a process the file at @path, as this process sees it, open for reading? One that it may only
 * name (O_PATH) does not count. A block device is compared by its number.
 *
 * @pid: 0: not known, which is an error
 *
 * Takes a descriptor at a time from the process (pidfd_getfd(2)), which root may: what is looked at
 * can't be exchanged in between. Returns 1 or 0. Errors: those of stat(2), with a text that names
 * @path; ESRCH: there is no such process; EPERM.
 */
MUST_CHECK int process_has_file(pid_t pid, const char *path, struct error *err);
