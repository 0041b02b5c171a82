/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a physical device offers in the way of mediated devices (the kernel's
 * Documentation/driver-api/vfio-mediated-device.rst): types, each with room for some, below
 * "mdev_supported_types". NVIDIA's newer cards have them below their virtual functions
 * instead, one device for each function. Private to host/device.
 */
#pragma once

#include "host/device/device.h"
#include "model/vm.h"
#include "util/cleanup.h"
#include "util/error.h"
#include "util/strv.h"

struct mdev_parent {
	const struct device_host *host;
	struct strv places; /* directories of types: its own one, or those of its functions */
};
void mdev_parent_done(struct mdev_parent *parent);

/*
 * Returns 0; or 1 with a text if there is nothing (yet): the device or its types are not there.
 *
 * @ret: released with mdev_parent_done() in every case
 */
MUST_CHECK int mdev_parent_read(const struct device_host *host, const char *address,
		struct mdev_parent *ret, struct error *err);

/*
 * The directory of a type, by its name or by the name of the directory, in the first place that has
 * room for another one. A type that does not tell how much room it has is tried.
 *
 * @ret_dir: the caller frees it
 *
 * Errors: ENODEV: it does not offer the type; ENOSPC: it has no room.
 */
MUST_CHECK int mdev_parent_find(const struct mdev_parent *parent, const char *type_name,
		char **ret_dir, struct error *err);

/* The UUIDs of all its devices, of any type. */
MUST_CHECK int mdev_parent_devices(
		const struct mdev_parent *parent, struct strv *ret, struct error *err);

/* The name of a type, from its directory. Appended. */
MUST_CHECK int mdev_type_name(const char *type_dir, struct buf *ret, struct error *err);

/* "0000:41:00.0" for it and its virtual functions; the caller frees it. @dir: in sysfs. */
char *mdev_physical_address(const char *dir);
