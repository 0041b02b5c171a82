/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files in memory that nobody can change: for what QEMU opens by itself, as /proc/self/fd/N, and
 * for secrets, which then are on no disk (memfd_create(2)).
 *
 *	CLEANUP(closep) int fd = memory_new();
 *	... write to it ...
 *	int r = memory_seal(fd);
 */
#pragma once

#include <stddef.h>

#include "util/cleanup.h"
#include "util/error.h"

/* An empty one, close-on-exec; -1 and errno on failure. */
MUST_CHECK int memory_new(void);

/* Set all seals and the position 0; nobody may have mapped it to write to it. Returns 0 or a
 * negative errno. */
MUST_CHECK int memory_seal(int fd);

/* A sealed one that holds @data. @what: for the error's text, "credential 'x'" */
MUST_CHECK int memory_file(
		const char *what, const void *data, size_t len, int *ret_fd, struct error *err);
