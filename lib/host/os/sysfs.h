/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attributes of devices: small files below /sys.
 *
 * Each path is given in two parts, a directory and a name below it.
 */
#pragma once

#include <stdint.h>

#include "util/buf.h"
#include "util/cleanup.h"
#include "util/error.h"

/* Append the text of an attribute without white space at its ends. Errors: those of file_read(). */
MUST_CHECK int sysfs_read(const char *dir, const char *name, struct buf *ret, struct error *err);

/*
 * Write an attribute with one write(2), as drivers want it. Errors: those of open(2), and what the
 * driver says.
 */
MUST_CHECK int sysfs_write(const char *dir, const char *name, const char *text, struct error *err);

/*
 * The same for what can take a driver forever: taking a device away from it waits for whoever has
 * the device open, and no signal ends that. So a child writes.
 *
 * Errors: ETIMEDOUT: it was not done until the deadline (host/os/clock.h), and may still be done.
 */
MUST_CHECK int sysfs_write_within(const char *dir, const char *name, const char *text,
		uint64_t deadline_usec, struct error *err);

/* The last part of what a link leads to; NULL if there is none. The caller frees it. */
char *sysfs_link_name(const char *dir, const char *name);
