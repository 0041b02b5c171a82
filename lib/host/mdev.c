/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making and removing mediated devices. */
#include "host/mdev.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "host/clock.h"
#include "host/lock.h"
#include "host/process.h"
#include "host/sysfs.h"
#include "util/file.h"
#include "util/mem.h"
#include "util/parse.h"

static char *device_dir(const struct mdev_host *host, const char *uuid)
{
	return xasprintf("%s/bus/mdev/devices/%s", host->sys, uuid);
}

static char *types_dir(const struct mdev_host *host, const char *address)
{
	return xasprintf("%s/bus/pci/devices/%s/mdev_supported_types", host->sys, address);
}

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

/* Two processes must not choose the same placement. */
static int lock_parent(const struct mdev_host *host, const char *address, struct lock *ret,
		struct error *err)
{
	/* No machine's name has a colon, so this is in nobody's way. */
	CLEANUP(freep) char *path = xasprintf("%s/.mdev:%s.lock", host->lock_dir, address);
	return lock_take(path, clock_deadline_usec(LOCK_WAIT_USEC), ret, err);
}

/* ---- a device that exists ---- */

/* The address of the device that it is a part of; NULL if it has gone. The caller frees it. */
static char *parent_of(const char *dir)
{
	CLEANUP(freep) char *real = realpath(dir, NULL);
	char *slash = real ? strrchr(real, '/') : NULL;
	if (!slash)
		return NULL;
	*slash = '\0';
	slash = strrchr(real, '/');
	return xstrdup(slash ? slash + 1 : real);
}

static int check_existing(const char *dir, const struct vm_mdev *mdev, struct error *err)
{
	CLEANUP(freep) char *address = parent_of(dir);
	CLEANUP(buf_done) struct buf type = {};
	int r = sysfs_read(dir, "mdev_type/name", &type, err);
	if (r < 0)
		return error_wrap(err, "device '%s'", mdev->name);
	for (size_t i = 0; address && i < mdev->n_parents; i++)
		if (!strcmp(address, mdev->parents[i].address) &&
				!strcmp(buf_text(&type), mdev->parents[i].type_name))
			return 1;
	return error_set(err, EEXIST,
			"device '%s': the mediated device %s exists already, on %s as a '%s', "
			"which "
			"is not what class '%s' asks for; remove it with: echo 1 > %s/remove",
			mdev->name, mdev->uuid, address ? address : "no device", buf_text(&type),
			mdev->class_name, dir);
}

int mdev_remove(const struct mdev_host *host, const char *uuid, struct error *err)
{
	CLEANUP(freep) char *dir = device_dir(host, uuid);
	CLEANUP(freep) char *address = parent_of(dir);
	if (!address)
		return 1;
	CLEANUP(lock_done) struct lock lock = {};
	int r = lock_parent(host, address, &lock, err);
	if (r < 0)
		return error_wrap(err, "mediated device %s", uuid);
	if (!exists(dir))
		return 1;
	r = sysfs_write(dir, "remove", "1", err);
	/* Somebody else was faster. */
	return r == -ENOENT || r == -ENODEV ? 1 : r;
}

int mdev_chown(const struct mdev_host *host, const char *uuid, uid_t uid, struct error *err)
{
	CLEANUP(freep) char *dir = device_dir(host, uuid);
	CLEANUP(freep) char *group = sysfs_link_name(dir, "iommu_group");
	if (!group)
		return 1;
	CLEANUP(freep) char *node = xasprintf("%s/vfio/%s", host->dev, group);
	CLEANUP(closep) int fd = open(node, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return errno == ENOENT ? 1 : error_errno(err, "cannot open '%s'", node);
	if (!S_ISCHR(st.st_mode))
		return error_set(err, EINVAL, "'%s' is not a device", node);
	if (fchownat(fd, "", uid, (gid_t)-1, AT_EMPTY_PATH) < 0)
		return error_errno(err, "cannot change the owner of '%s'", node);
	return 0;
}

/* ---- one that is to be made ---- */

/* The directory of the type that @parent calls @type_name. */
static int find_type(const char *types, const char *type_name, char **ret_dir, struct error *err)
{
	CLEANUP(strv_done) struct strv names = {};
	int r = dir_list(types, &names, err);
	if (r > 0)
		return error_set(err, ENODEV,
				"it offers no mediated devices (is its vendor's driver loaded?)");
	if (r < 0)
		return r;
	for (size_t i = 0; i < names.n; i++) {
		CLEANUP(freep) char *dir = xasprintf("%s/%s", types, names.items[i]);
		CLEANUP(buf_done) struct buf name = {};
		if (sysfs_read(dir, "name", &name, NULL) == 0 &&
				!strcmp(buf_text(&name), type_name)) {
			*ret_dir = take_ptr(dir);
			return 0;
		}
	}
	return error_set(err, ENODEV, "it does not offer '%s'", type_name);
}

/* The UUIDs of all devices that a parent has, of any type. */
static int list_devices(const char *types, struct strv *ret, struct error *err)
{
	CLEANUP(strv_done) struct strv names = {};
	int r = dir_list(types, &names, err);
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		CLEANUP(freep) char *dir = xasprintf("%s/%s/devices", types, names.items[i]);
		CLEANUP(strv_done) struct strv devices = {};
		r = dir_list(dir, &devices, err);
		if (r >= 0)
			strv_extend(ret, &devices);
		r = r < 0 ? r : 0;
	}
	return r < 0 ? r : 0;
}

/* The placement of a device: 0 and its number, or 1 if it has none. */
static int read_placement(
		const struct mdev_host *host, const char *uuid, int64_t *ret, struct error *err)
{
	CLEANUP(freep) char *dir = device_dir(host, uuid);
	CLEANUP(buf_done) struct buf text = {};
	int r = sysfs_read(dir, "nvidia/placement_id", &text, err);
	if (r < 0)
		return r;
	if (!strcasecmp(buf_text(&text), "Not Applicable"))
		return 1;
	if (parse_i64(buf_text(&text), ret) < 0)
		return error_set(err, EPROTO, "placement '%s' of %s is not a number",
				buf_text(&text), uuid);
	return 0;
}

/* The first of the parent's placements that none of @devices has. 1: none, or none is asked for. */
static int choose_placement(const struct mdev_host *host, const struct vm_mdev_parent *parent,
		const struct strv *devices, int64_t *ret, struct error *err)
{
	CLEANUP(freep) bool *taken = xcalloc(parent->n_placements + 1, sizeof(*taken));

	for (size_t i = 0; parent->n_placements > 0 && i < devices->n; i++) {
		int64_t placement;
		int r = read_placement(host, devices->items[i], &placement, err);
		if (r < 0)
			return r;
		for (size_t k = 0; r == 0 && k < parent->n_placements; k++)
			if (parent->placements[k] == placement)
				taken[k] = true;
	}
	for (size_t k = 0; k < parent->n_placements; k++) {
		if (taken[k])
			continue;
		*ret = parent->placements[k];
		return 0;
	}
	return 1;
}

static int set_placement(const struct mdev_host *host, const char *uuid, int64_t placement,
		struct error *err)
{
	int64_t current;
	if (read_placement(host, uuid, &current, NULL) == 0 && current == placement)
		return 0;
	CLEANUP(freep) char *dir = device_dir(host, uuid);
	CLEANUP(freep) char *text = xasprintf("%jd", (intmax_t)placement);
	return sysfs_write(dir, "nvidia/placement_id", text, err);
}

/* Devices of different sizes beside each other: a mode that can be set while there are none. */
static int allow_sizes(const char *address, struct error *err)
{
	const char *argv[] = { "nvidia-smi", "vgpu", "--id", address, "-shm", "1", NULL };
	return process_run(&(struct process){ .argv = argv }, err);
}

/* A type that does not tell how much room it has is tried. */
static int check_room(const char *type_dir, struct error *err)
{
	CLEANUP(buf_done) struct buf text = {};
	if (sysfs_read(type_dir, "available_instances", &text, NULL) == 0 &&
			!strcmp(buf_text(&text), "0"))
		return error_set(err, ENOSPC, "it has no room left");
	return 0;
}

static int write_create(const struct mdev_host *host, const char *type_dir, const char *uuid,
		struct error *err)
{
	CLEANUP(freep) char *dir = device_dir(host, uuid);
	int r = sysfs_write(type_dir, "create", uuid, err);
	if (r < 0)
		return r;
	return exists(dir) ? 0
			   : error_set(err, ENODEV,
					     "the driver has accepted it and it is not there");
}

/* Make the device on one parent, whose lock is held; nothing is left of a failure. */
static int create_on(const struct mdev_host *host, const struct vm_mdev *mdev,
		const struct vm_mdev_parent *parent, struct error *err)
{
	CLEANUP(freep) char *types = types_dir(host, parent->address);
	CLEANUP(freep) char *type_dir = NULL;
	CLEANUP(strv_done) struct strv devices = {};
	int64_t placement = 0;

	int r = find_type(types, parent->type_name, &type_dir, err);
	if (r == 0)
		r = list_devices(types, &devices, err);
	if (r == 0 && parent->heterogeneous && devices.n == 0)
		r = allow_sizes(parent->address, err);
	if (r == 0)
		r = check_room(type_dir, err);
	if (r < 0)
		return r;
	int placed = choose_placement(host, parent, &devices, &placement, err);
	if (placed < 0)
		return placed;
	r = write_create(host, type_dir, mdev->uuid, err);
	if (r < 0 || placed > 0)
		return r;
	r = set_placement(host, mdev->uuid, placement, err);
	if (r < 0) {
		CLEANUP(freep) char *dir = device_dir(host, mdev->uuid);
		/* The first failure is the one to tell; the next attempt will find this one. */
		(void)!sysfs_write(dir, "remove", "1", NULL);
	}
	return r;
}

static int try_parent(const struct mdev_host *host, const struct vm_mdev *mdev,
		const struct vm_mdev_parent *parent, struct error *err)
{
	CLEANUP(freep)
	char *device = xasprintf("%s/bus/pci/devices/%s", host->sys, parent->address);
	CLEANUP(lock_done) struct lock lock = {};

	if (!exists(device))
		return error_set(err, ENODEV, "there is no such device");
	int r = lock_parent(host, parent->address, &lock, err);
	return r < 0 ? r : create_on(host, mdev, parent, err);
}

int mdev_create(const struct mdev_host *host, const struct vm_mdev *mdev, struct error *err)
{
	CLEANUP(freep) char *dir = device_dir(host, mdev->uuid);
	if (exists(dir))
		return check_existing(dir, mdev, err);

	CLEANUP(buf_done) struct buf reasons = {};
	for (size_t i = 0; i < mdev->n_parents; i++) {
		const struct vm_mdev_parent *parent = &mdev->parents[i];
		struct error reason = {};
		if (try_parent(host, mdev, parent, &reason) == 0)
			return 0;
		buf_printf(&reasons, "%s %s: %s", i ? ";" : ":", parent->address, reason.text);
	}
	return error_set(err, ENODEV, "device '%s': nothing on this host gives it a '%s'%s",
			mdev->name, mdev->class_name, buf_text(&reasons));
}
