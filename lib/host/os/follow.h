/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paths on which other users may have made links: root opens nothing for them that is not theirs.
 *
 * Links of root's are followed wherever they lead: administrators use them. One that another user
 * has made is followed only to what belongs to that user, as the kernel does it in "/tmp"
 * (fs.protected_symlinks in proc_sys_fs(5)).
 */
#pragma once

#include "util/cleanup.h"
#include "util/error.h"

/*
 * Where a path leads, by a descriptor that reads nothing (O_PATH). A process that is not root goes
 * where the kernel lets it.
 *
 * @flags: O_DIRECTORY: it has to be one, and what is mounted when somebody goes there (autofs) is
 *         mounted; or 0
 *
 * Errors: those of open(2), with its text alone; EPERM: such a link is on the way, with a text that
 * names it.
 */
MUST_CHECK int follow_open(const char *path, int flags, int *ret_fd, struct error *err);
