/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings of the running kernel, as files below /proc/sys (sysctl(8)). Those below "net" are of
 * the network namespace of the thread.
 */
#pragma once

#include <stdbool.h>

#include "util/cleanup.h"
#include "util/error.h"

bool sysctl_exists(const char *path);

/* Is the setting 1? false: it is another number, or can't be read. */
bool sysctl_is_on(const char *format, ...) PRINTF(1, 2);

/*
 * Write a setting unless it has that value.
 *
 * @format: of its path below /proc/sys, with slashes
 *
 * Errors: those of open(2) and write(2), with a text that names the setting.
 */
MUST_CHECK int sysctl_set(const char *value, struct error *err, const char *format, ...)
		PRINTF(3, 4);
