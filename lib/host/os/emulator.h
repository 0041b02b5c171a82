/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What has to be known of QEMU before it is started. */
#pragma once

#include "host/os/account.h"
#include "util/cleanup.h"
#include "util/error.h"

struct emulator_version {
	int major, minor;
};

/* Of what it says when it is asked. Returns 0, or -EINVAL: it is not in there. */
MUST_CHECK int emulator_read_version(const char *text, struct emulator_version *ret);

/*
 * The pair of a chardev's arguments by which QEMU tries once a second to connect again. What does
 * not tell its version is taken for one of today.
 *
 * @path: of QEMU
 * @user: who will run it, and runs it here if this process is root
 * @ret: static
 *
 * Errors: those of process_run(): it cannot be run, or takes more than a minute.
 */
MUST_CHECK int emulator_reconnect(
		const char *path, const struct account *user, const char **ret, struct error *err);
