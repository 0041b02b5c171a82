/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interfaces that are up, disks that are mounted. */
#include "host/device/device-use.h"

#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/os/holder.h"
#include "host/os/sysfs.h"
#include "util/file.h"
#include "util/mem.h"

#define TABLE_SIZE_MAX ((size_t)16 << 20)

struct use {
	const struct device_host *host;
	const char *device; /* its directory without links */
	const char *title;
	struct buf mounts;
	struct buf swaps;
	struct strv disks; /* their nodes, as far as they were looked at */
	struct strv numbers;
};

static void use_done(struct use *use)
{
	strv_done(&use->disks);
	strv_done(&use->numbers);
	buf_done(&use->mounts);
	buf_done(&use->swaps);
}

static bool is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);
	return !strncmp(path, dir, len) && path[len] == '/';
}

/* ---- interfaces ---- */

static int check_interface(
		const struct use *use, const char *dir, const char *name, struct error *err)
{
	CLEANUP(buf_done) struct buf flags = {};
	if (sysfs_read(dir, "flags", &flags, NULL) < 0 ||
			!(strtoul(buf_text(&flags), NULL, 16) & IFF_UP))
		return 0;
	return error_set(err, EBUSY,
			"%s is in use by the host: its interface '%s' is up ('ip link set %s down' "
			"ends that)",
			use->title, name, name);
}

/* Interfaces of other network namespaces are in no list of this one. Their directory stays where
 * the device has it, and is empty; it goes with a device's last interface (cleanup_glue_dir() in
 * drivers/base/core.c). */
static int check_namespace(const struct use *use, const char *dir, struct error *err)
{
	CLEANUP(freep) char *net = xasprintf("%s/net", dir);
	CLEANUP(strv_done) struct strv names = {};
	if (dir_list(net, &names, NULL) != 0 || names.n)
		return 0;
	return error_set(err, EBUSY,
			"%s is in use by the host: its interface is in another network namespace "
			"('ip -all netns exec ip link' shows those that have names)",
			use->title);
}

/* Of a device of virtio, and of one at the USB, the directory is one below. */
static int check_namespaces(const struct use *use, struct error *err)
{
	CLEANUP(strv_done) struct strv names = {};
	int r = check_namespace(use, use->device, err);
	if (dir_list(use->device, &names, NULL) != 0)
		return r;
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		CLEANUP(freep) char *dir = xasprintf("%s/%s", use->device, names.items[i]);
		r = check_namespace(use, dir, err);
	}
	return r;
}

/* ---- disks ---- */

/*
 * Disks that may have several controllers are not below any of them, but below what stands for all
 * of these, in a directory with links to them (drivers/nvme/host/core.c: nvme_init_subsystem()):
 * /sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1, nvme0 -> .../0000:03:00.0/nvme/nvme0
 */
static bool is_behind_controller(const char *block, const char *device)
{
	static const char shared[] = "/nvme-subsystem/";
	const char *found = strstr(block, shared);
	if (!found)
		return false;
	found += strlen(shared);
	CLEANUP(freep)
	char *dir = xasprintf("%.*s", (int)(found + strcspn(found, "/") - block), block);
	CLEANUP(strv_done) struct strv names = {};
	if (dir_list(dir, &names, NULL) != 0)
		return false;
	for (size_t i = 0; i < names.n; i++) {
		CLEANUP(freep) char *link = xasprintf("%s/%s", dir, names.items[i]);
		CLEANUP(freep) char *real = realpath(link, NULL);
		if (real && is_below(real, device))
			return true;
	}
	return false;
}

static int check_mount(
		const struct use *use, const char *name, const char *number, struct error *err)
{
	size_t len = 0;
	const char *mount = holder_mount_point(buf_text(&use->mounts), number, &len);
	CLEANUP(freep) char *swap = xasprintf("\n/dev/%s ", name);
	if (mount)
		return error_set(err, EBUSY, "%s is in use by the host: '%s' is mounted at '%.*s'",
				use->title, name, (int)len, mount);
	if (!strstr(buf_text(&use->swaps), swap))
		return 0;
	return error_set(err, EBUSY,
			"%s is in use by the host: '%s' is swap space ('swapoff /dev/%s' ends "
			"that)",
			use->title, name, name);
}

/* Of mappings the name tells more than "dm-3" does. */
static int check_holders(
		const struct use *use, const char *dir, const char *name, struct error *err)
{
	CLEANUP(freep) char *holders_dir = xasprintf("%s/holders", dir);
	CLEANUP(strv_done) struct strv holders = {};
	CLEANUP(buf_done) struct buf mapping = {};
	if (dir_list(holders_dir, &holders, NULL) < 0 || !holders.n)
		return 0;
	CLEANUP(freep) char *holder = xasprintf("%s/%s", holders_dir, holders.items[0]);
	bool is_mapping = sysfs_read(holder, "dm/name", &mapping, NULL) == 0 && mapping.len;
	return error_set(err, EBUSY, "%s is in use by the host: '%s' is a part of '%s%s'",
			use->title, name, is_mapping ? "/dev/mapper/" : "",
			is_mapping ? buf_text(&mapping) : holders.items[0]);
}

/* A mount of it has a number that no disk has. It is in sysfs as long as it is mounted. */
static int check_btrfs(const struct use *use, const char *name, struct error *err)
{
	CLEANUP(freep) char *all = xasprintf("%s/fs/btrfs", use->host->sys);
	CLEANUP(strv_done) struct strv names = {};
	if (dir_list(all, &names, NULL) < 0)
		return 0;
	for (size_t i = 0; i < names.n; i++) {
		CLEANUP(freep)
		char *member = xasprintf("%s/%s/devices/%s", all, names.items[i], name);
		if (access(member, F_OK) == 0)
			return error_set(err, EBUSY,
					"%s is in use by the host: '%s' is a part of the btrfs %s "
					"('findmnt -t btrfs' shows where that is mounted)",
					use->title, name, names.items[i]);
	}
	return 0;
}

/* The value of a property of a block device in udev's database, which it has read from the disk; ""
 * for none. The caller frees it. */
static char *udev_property(const char *udev, const char *number, const char *key)
{
	CLEANUP(freep) char *path = xasprintf("%s/data/b%s", udev, number);
	CLEANUP(freep) char *row = xasprintf("E:%s=", key);
	CLEANUP(buf_done) struct buf text = {};
	if (file_read(path, TABLE_SIZE_MAX, &text, NULL) < 0)
		return xstrdup("");
	CLEANUP(freep) char *copy = buf_take(&text);
	char *rest = copy;
	for (char *line; (line = strsep(&rest, "\n"));)
		if (!strncmp(line, row, strlen(row)))
			return xstrdup(line + strlen(row));
	return xstrdup("");
}

/* The kernel tells nowhere which disks a pool has, but which pools are imported. */
static int check_zfs(const struct use *use, const char *name, const char *number, struct error *err)
{
	if (!use->host->udev)
		return 0;
	CLEANUP(freep) char *type = udev_property(use->host->udev, number, "ID_FS_TYPE");
	CLEANUP(freep) char *pool = udev_property(use->host->udev, number, "ID_FS_LABEL");
	CLEANUP(freep) char *imported = xasprintf("%s/spl/kstat/zfs/%s", use->host->proc, pool);
	if (strcmp(type, "zfs_member") != 0 || !pool[0] || access(imported, F_OK) < 0)
		return 0;
	return error_set(err, EBUSY,
			"%s is in use by the host: '%s' is a part of the ZFS pool '%s' ('zpool "
			"status -L %s' shows all of it)",
			use->title, name, pool, pool);
}

static int check_disk(struct use *use, const char *dir, const char *name, struct error *err)
{
	CLEANUP(buf_done) struct buf number = {};
	/* What is hidden has none, and cannot be used. */
	if (sysfs_read(dir, "dev", &number, NULL) < 0)
		return 0;
	strv_pushf(&use->disks, "%s/%s", use->host->dev, name);
	strv_push(&use->numbers, buf_text(&number));
	int r = check_mount(use, name, buf_text(&number), err);
	if (r == 0)
		r = check_holders(use, dir, name, err);
	if (r == 0)
		r = check_btrfs(use, name, err);
	return r == 0 ? check_zfs(use, name, buf_text(&number), err) : r;
}

/* Another machine, whoever it belongs to, that has the disk as it is; a container that has it
 * mounted. */
static int check_programs(const struct use *use, struct error *err)
{
	CLEANUP(buf_done) struct buf process = {};
	size_t i;
	if (!use->disks.n)
		return 0;
	if (holder_find_mount(use->host->proc, &use->numbers, &i, &process))
		return error_set(err, EBUSY, "%s is in use by the host: '%s' is mounted at %s",
				use->title, use->disks.items[i], buf_text(&process));
	if (!holder_find(use->host->proc, &use->disks, &i, &process))
		return 0;
	return error_set(err, EBUSY, "%s is in use by the host: '%s' is open for writing in %s",
			use->title, use->disks.items[i], buf_text(&process));
}

/* ---- all of them ---- */

/* @class: "net". What is below the device, and what stands for it elsewhere. */
static int check_class(struct use *use, const char *class, bool is_disk, struct error *err)
{
	CLEANUP(freep) char *class_dir = xasprintf("%s/class/%s", use->host->sys, class);
	CLEANUP(strv_done) struct strv names = {};
	if (dir_list(class_dir, &names, NULL) != 0)
		return 0;
	int r = 0;
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		CLEANUP(freep) char *link = xasprintf("%s/%s", class_dir, names.items[i]);
		CLEANUP(freep) char *real = realpath(link, NULL);
		if (!real || !(is_below(real, use->device) ||
					     (is_disk && is_behind_controller(real, use->device))))
			continue;
		r = is_disk ? check_disk(use, real, names.items[i], err)
			    : check_interface(use, real, names.items[i], err);
	}
	return r;
}

static void read_table(const struct device_host *host, const char *name, struct buf *ret)
{
	CLEANUP(freep) char *path = xasprintf("%s/%s", host->proc, name);
	/* Without it less is known. */
	(void)!file_read(path, TABLE_SIZE_MAX, ret, NULL);
}

int device_check_use(const struct device_host *host, const char *device_dir, const char *title,
		struct error *err)
{
	CLEANUP(freep) char *real = realpath(device_dir, NULL);
	CLEANUP(use_done) struct use use = { .host = host, .device = real, .title = title };
	if (!real)
		return 0;
	read_table(host, "self/mountinfo", &use.mounts);
	read_table(host, "swaps", &use.swaps);
	int r = check_class(&use, "net", false, err);
	if (r == 0)
		r = check_namespaces(&use, err);
	if (r == 0)
		r = check_class(&use, "block", true, err);
	return r == 0 ? check_programs(&use, err) : r;
}
