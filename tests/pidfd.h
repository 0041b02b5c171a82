/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether processes can be watched here. */
#pragma once

#include <stdbool.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "util/cleanup.h"

/* Missing under valgrind before 3.20, which does not know the call. */
static inline bool have_pidfd(void)
{
	CLEANUP(closep) int fd = pidfd_open(getpid(), 0);
	return fd >= 0;
}
