/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does the host use a device itself? Before it is given to a machine: what the host has there would
 * break.
 *
 * Looked for is what is below the device in sysfs, whatever its class: a network card's interfaces,
 * those of sticks at a USB controller, disks at a controller of any kind. Of disks their
 * partitions, too.
 */
#pragma once

#include "host/device/device.h"
#include "util/cleanup.h"
#include "util/error.h"

/*
 * An interface that is up, or in another network namespace; a disk that is mounted, also where only
 * a container sees it, swap space, or a part of something else: of a mapping or an array, of a
 * btrfs that is mounted, of a ZFS pool that is imported; one that a program writes to, as a machine
 * does whose volume it is.
 *
 * @device_dir: the device's directory in sysfs
 * @title: of the device; the text begins with it, and names what is used
 *
 * Errors: EBUSY.
 */
MUST_CHECK int device_check_use(const struct device_host *host, const char *device_dir,
		const char *title, struct error *err);
