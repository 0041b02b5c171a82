/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making and removing mediated devices. */
#include "host/device/mdev.h"

#include <string.h>
#include <strings.h>

#include "host/device/loan.h"
#include "host/device/mdev-parent.h"
#include "host/os/clock.h"
#include "host/os/lock.h"
#include "host/os/process.h"
#include "host/os/sysfs.h"
#include "util/mem.h"
#include "util/parse.h"

/* How often it is looked whether a driver is ready. */
#define READY_EVERY_USEC (100 * USEC_PER_MSEC)
/* A driver that has not let go of a device by then has a program that uses it. */
#define REMOVE_USEC (30 * USEC_PER_SEC)

static char *device_dir(const struct device_host *host, const char *uuid)
{
	return xasprintf("%s/bus/mdev/devices/%s", host->sys, uuid);
}

/* Two processes must not choose the same placement, which is one of the whole card's. */
static int lock_parent(const struct device_host *host, const char *address, struct lock *ret,
		struct error *err)
{
	/* No machine's name has a colon, so this is in nobody's way. */
	CLEANUP(freep) char *path = xasprintf("%s/.mdev:%s.lock", host->lock_dir, address);
	return lock_take(path, clock_deadline_usec(LOAN_WAIT_USEC), ret, err);
}

/* ---- placements ---- */

/* The placement of a device: 0 and its number, or 1 if it has none. */
static int read_placement(
		const struct device_host *host, const char *uuid, int64_t *ret, struct error *err)
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
static int choose_placement(const struct device_host *host, const struct vm_mdev_parent *parent,
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

static int set_placement(const struct device_host *host, const char *uuid, int64_t placement,
		struct error *err)
{
	int64_t current;
	if (read_placement(host, uuid, &current, NULL) == 0 && current == placement)
		return 0;
	CLEANUP(freep) char *dir = device_dir(host, uuid);
	CLEANUP(freep) char *text = xasprintf("%jd", (intmax_t)placement);
	return sysfs_write(dir, "nvidia/placement_id", text, err);
}

/* ---- a device that exists ---- */

/* The addresses of the function that it is a part of, and of the card. The caller frees both. */
static bool find_parent(const char *dir, char **ret_address, char **ret_physical)
{
	CLEANUP(freep) char *real = realpath(dir, NULL);
	char *slash = real ? strrchr(real, '/') : NULL;
	if (!slash)
		return false;
	*slash = '\0';
	*ret_physical = mdev_physical_address(real);
	slash = strrchr(real, '/');
	*ret_address = xstrdup(slash ? slash + 1 : real);
	return *ret_physical != NULL;
}

static bool has_one_of(const struct vm_mdev_parent *parent, int64_t placement)
{
	for (size_t i = 0; i < parent->n_placements; i++)
		if (parent->placements[i] == placement)
			return true;
	return false;
}

/* Who made it may have been killed before it was placed. */
static int place_existing(const struct device_host *host, const struct vm_mdev *mdev,
		const struct vm_mdev_parent *parent, const char *physical, struct error *err)
{
	CLEANUP(mdev_parent_done) struct mdev_parent read = {};
	CLEANUP(strv_done) struct strv devices = {};
	CLEANUP(lock_done) struct lock lock = {};
	int64_t placement;
	if (!parent->n_placements)
		return 0;
	int r = lock_parent(host, physical, &lock, err);
	if (r < 0)
		return r;
	r = read_placement(host, mdev->uuid, &placement, err);
	if (r < 0 || (r == 0 && has_one_of(parent, placement)))
		return r;
	r = mdev_parent_read(host, parent->address, &read, err);
	if (r == 0)
		r = mdev_parent_devices(&read, &devices, err);
	if (r == 0)
		r = choose_placement(host, parent, &devices, &placement, err);
	if (r != 0)
		return r < 0 ? r : 0;
	return set_placement(host, mdev->uuid, placement, err);
}

static int use_existing(const struct device_host *host, const char *dir, const struct vm_mdev *mdev,
		struct error *err)
{
	CLEANUP(freep) char *address = NULL;
	CLEANUP(freep) char *physical = NULL;
	CLEANUP(freep) char *type_link = xasprintf("%s/mdev_type", dir);
	CLEANUP(freep) char *type_dir = realpath(type_link, NULL);
	CLEANUP(buf_done) struct buf type = {};
	if (!type_dir || !find_parent(dir, &address, &physical))
		return error_errno(err, "device '%s': cannot look at '%s'", mdev->name, type_link);
	int r = mdev_type_name(type_dir, &type, err);
	if (r < 0)
		return error_wrap(err, "device '%s'", mdev->name);
	const char *id = strrchr(type_dir, '/') + 1;
	for (size_t i = 0; i < mdev->n_parents; i++) {
		const struct vm_mdev_parent *p = &mdev->parents[i];
		if ((strcmp(address, p->address) != 0 && strcmp(physical, p->address) != 0) ||
				(strcmp(buf_text(&type), p->type_name) != 0 &&
						strcmp(id, p->type_name) != 0))
			continue;
		r = place_existing(host, mdev, p, physical, err);
		return r < 0 ? error_wrap(err, "device '%s'", mdev->name) : 1;
	}
	return error_set(err, EEXIST,
			"device '%s': the mediated device %s exists already, on %s as a '%s', "
			"which is not what class '%s' asks for; remove it with: echo 1 > %s/remove",
			mdev->name, mdev->uuid, address, buf_text(&type), mdev->class_name, dir);
}

int mdev_remove(const struct device_host *host, const char *uuid, struct error *err)
{
	CLEANUP(freep) char *dir = device_dir(host, uuid);
	CLEANUP(freep) char *address = NULL;
	CLEANUP(freep) char *physical = NULL;
	if (!find_parent(dir, &address, &physical))
		return 1;
	CLEANUP(freep) char *group = vfio_group(dir);
	if (group && vfio_is_busy(host, group))
		return error_set(err, EBUSY,
				"mediated device %s is in use: some program has '%s/vfio/%s' open "
				"('fuser -v %s/vfio/%s' shows which)",
				uuid, host->dev, group, host->dev, group);
	CLEANUP(lock_done) struct lock lock = {};
	int r = lock_parent(host, physical, &lock, err);
	if (r < 0)
		return error_wrap(err, "mediated device %s", uuid);
	if (access(dir, F_OK) < 0)
		return 1;
	r = sysfs_write_within(dir, "remove", "1", clock_deadline_usec(REMOVE_USEC), err);
	/* Somebody else was faster. */
	return r == -ENOENT || r == -ENODEV ? 1 : r;
}

int mdev_chown(const struct device_host *host, const char *uuid, uid_t uid, struct error *err)
{
	CLEANUP(freep) char *dir = device_dir(host, uuid);
	CLEANUP(freep) char *group = vfio_group(dir);
	return group ? vfio_chown(host, group, uid, err) : 1;
}

/* ---- one that is to be made ---- */

/* Devices of different sizes beside each other: a mode that can be set while there are none. */
static int allow_sizes(const char *address, struct error *err)
{
	const char *argv[] = { "nvidia-smi", "vgpu", "--id", address, "-shm", "1", NULL };
	return process_run(&(struct process){ .argv = argv }, err);
}

static int write_create(const struct device_host *host, const char *type_dir, const char *uuid,
		struct error *err)
{
	CLEANUP(freep) char *dir = device_dir(host, uuid);
	int r = sysfs_write(type_dir, "create", uuid, err);
	if (r < 0)
		return r;
	return access(dir, F_OK) == 0
			       ? 0
			       : error_set(err, ENODEV,
						 "the driver has accepted it and it is not there");
}

/* Make the device on one parent, whose lock is held; nothing is left of a failure. */
static int create_on(const struct mdev_parent *read, const struct vm_mdev *mdev,
		const struct vm_mdev_parent *parent, struct error *err)
{
	CLEANUP(freep) char *type_dir = NULL;
	CLEANUP(strv_done) struct strv devices = {};
	int64_t placement = 0;

	int r = mdev_parent_devices(read, &devices, err);
	if (r == 0 && parent->heterogeneous && devices.n == 0)
		r = allow_sizes(parent->address, err);
	if (r == 0)
		r = mdev_parent_find(read, parent->type_name, &type_dir, err);
	if (r < 0)
		return r;
	int placed = choose_placement(read->host, parent, &devices, &placement, err);
	if (placed < 0)
		return placed;
	r = write_create(read->host, type_dir, mdev->uuid, err);
	if (r < 0 || placed > 0)
		return r;
	r = set_placement(read->host, mdev->uuid, placement, err);
	if (r < 0) {
		CLEANUP(freep) char *dir = device_dir(read->host, mdev->uuid);
		/* The first failure is the one to tell; the next attempt will find this one. */
		(void)!sysfs_write(dir, "remove", "1", NULL);
	}
	return r;
}

/* Returns 0; 1 with a text: not now, but its driver may not be ready; or a negative errno. */
static int try_parent(const struct device_host *host, const struct vm_mdev *mdev,
		const struct vm_mdev_parent *parent, struct error *err)
{
	CLEANUP(freep) char *dir = xasprintf("%s/bus/pci/devices/%s", host->sys, parent->address);
	CLEANUP(freep) char *physical = mdev_physical_address(dir);
	CLEANUP(mdev_parent_done) struct mdev_parent read = {};
	CLEANUP(lock_done) struct lock lock = {};

	int r = mdev_parent_read(host, parent->address, &read, err);
	if (r == 0)
		r = lock_parent(host, physical, &lock, err);
	return r == 0 ? create_on(&read, mdev, parent, err) : r;
}

/* Returns 0; 1: waiting may help; or a negative errno. */
static int try_parents(
		const struct device_host *host, const struct vm_mdev *mdev, struct error *err)
{
	CLEANUP(buf_done) struct buf reasons = {};
	bool waiting = false;
	for (size_t i = 0; i < mdev->n_parents; i++) {
		const struct vm_mdev_parent *parent = &mdev->parents[i];
		struct error reason = {};
		int r = try_parent(host, mdev, parent, &reason);
		if (r == 0)
			return 0;
		waiting |= r > 0;
		buf_printf(&reasons, "%s %s: %s", i ? ";" : ":", parent->address, reason.text);
	}
	int r = error_set(err, ENODEV, "device '%s': nothing on this host gives it a '%s'%s",
			mdev->name, mdev->class_name, buf_text(&reasons));
	return waiting ? 1 : r;
}

int mdev_create(const struct device_host *host, const struct vm_mdev *mdev, struct error *err)
{
	CLEANUP(freep) char *dir = device_dir(host, mdev->uuid);
	if (access(dir, F_OK) == 0)
		return use_existing(host, dir, mdev, err);
	for (;;) {
		int r = try_parents(host, mdev, err);
		if (r <= 0)
			return r;
		if (clock_now_usec() >= host->ready_deadline_usec)
			return -ENODEV;
		clock_pause(READY_EVERY_USEC);
	}
}
