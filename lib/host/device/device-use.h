/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does the host use a device itself? Before it is given to a machine: what the host has there would
 * break.
 *
 * Each returns 0, or -EBUSY with a text that begins with the title and names what is used.
 */
#pragma once

#include "host/device/device.h"
#include "util/cleanup.h"
#include "util/error.h"

/* Network interfaces that are up. @net_dir: ".../net" of the device, which may be missing */
MUST_CHECK int device_check_interfaces(const char *net_dir, const char *title, struct error *err);

/*
 * Block devices below the device's directory, partitions too, that are mounted, swap space, or part
 * of others.
 */
MUST_CHECK int device_check_disks(const struct device_host *host, const char *device_dir,
		const char *title, struct error *err);
