/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mediated devices: parts of a physical device that a machine gets for itself, made and removed
 * through sysfs (the kernel's Documentation/driver-api/vfio-mediated-device.rst).
 */
#pragma once

#include "host/device/vfio.h"
#include "model/vm.h"
#include "util/cleanup.h"
#include "util/error.h"

/*
 * Make the device on the first of its parents that can: one that is there, offers the type, has
 * room, and accepts. A parent whose driver is not ready is waited for, if no other one can, until
 * @host->ready_deadline_usec. One process at a time works on a parent.
 *
 * With placements, the first one that no device of the parent uses is set; none is left: the driver
 * chooses. For a heterogeneous parent without devices, "nvidia-smi vgpu --id ADDRESS -shm 1" is run
 * first.
 *
 * Returns 0; or 1 if the device was there, on one of its parents and of that parent's type.
 * Errors: EEXIST: it was there, elsewhere or of another type; ENODEV: no parent can make it, with
 * the reason for each. Nothing is left behind.
 */
MUST_CHECK int mdev_create(
		const struct device_host *host, const struct vm_mdev *mdev, struct error *err);

/*
 * Remove a device, whatever its type. Returns 0, or 1 if there is none. Errors: EBUSY: a program
 * has it.
 */
MUST_CHECK int mdev_remove(const struct device_host *host, const char *uuid, struct error *err);

/*
 * Make a user the owner of the device's VFIO group. Returns 0, or 1 if there is no such device or
 * it has no group.
 */
MUST_CHECK int mdev_chown(
		const struct device_host *host, const char *uuid, uid_t uid, struct error *err);
