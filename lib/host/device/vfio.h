/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VFIO groups (the kernel's Documentation/driver-api/vfio.rst): devices that only one program can
 * have, together, because the IOMMU cannot tell them apart. QEMU opens a group's node by its path,
 * /dev/vfio/GROUP, as its own user.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "host/device/device.h"
#include "util/cleanup.h"
#include "util/error.h"

/* The group of the device with this directory in sysfs; NULL if it has none. The caller frees it.
 */
char *vfio_group(const char *device_dir);

/* Make a user the owner of a group's node. Returns 0, or 1 if it is not there. */
MUST_CHECK int vfio_chown(
		const struct device_host *host, const char *group, uid_t uid, struct error *err);

/* Has some program the group open? A group that cannot be looked at is taken as free. */
bool vfio_is_busy(const struct device_host *host, const char *group);
