/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading what a physical device offers. */
#include "host/device/mdev-parent.h"

#include <string.h>

#include "host/os/sysfs.h"
#include "util/file.h"
#include "util/mem.h"

#define TYPES "mdev_supported_types"

void mdev_parent_done(struct mdev_parent *parent)
{
	strv_done(&parent->places);
	*parent = (struct mdev_parent){};
}

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

/* Returns whether it has types itself. */
static bool add_place(struct mdev_parent *parent, const char *device_dir)
{
	CLEANUP(freep) char *types = xasprintf("%s/" TYPES, device_dir);
	if (exists(types))
		strv_push(&parent->places, types);
	return exists(types);
}

/* In the order of their numbers; there are no gaps. */
static void add_functions(struct mdev_parent *parent, const char *device_dir)
{
	for (size_t i = 0;; i++) {
		CLEANUP(freep) char *function = xasprintf("%s/virtfn%zu", device_dir, i);
		if (!exists(function))
			return;
		(void)add_place(parent, function);
	}
}

/* Since Linux 6.8 NVIDIA's driver gives each virtual function a type, and it is a device of VFIO.
 */
static bool has_typed_functions(const char *device_dir)
{
	CLEANUP(freep) char *own = xasprintf("%s/nvidia/current_vgpu_type", device_dir);
	CLEANUP(freep) char *first = xasprintf("%s/virtfn0/nvidia/current_vgpu_type", device_dir);
	return exists(own) || exists(first);
}

/* Why there are no types. */
static int tell_no_types(const char *device_dir, const char *address, struct error *err)
{
	static const char begin[] = "it offers no mediated devices";
	CLEANUP(freep) char *driver = sysfs_link_name(device_dir, "driver");
	if (!driver)
		return error_set(err, ENODEV, "%s: no driver is bound to it", begin);
	if (!strcmp(driver, "vfio-pci"))
		return error_set(err, ENODEV,
				"%s: it is bound to 'vfio-pci', to be given away as a whole",
				begin);
	if (has_typed_functions(device_dir))
		return error_set(err, ENODEV,
				"%s: on this kernel its virtual functions are given away as PCI "
				"devices (write a type's number of 'nvidia/creatable_vgpu_types' "
				"to 'nvidia/current_vgpu_type' of each, and name them in "
				"\"pci-device\")",
				begin);
	if (!strcmp(driver, "nvidia"))
		return error_set(err, ENODEV,
				"%s: its driver 'nvidia' has to be the one of NVIDIA's vGPU "
				"software, and newer cards need virtual functions "
				"('/usr/lib/nvidia/sriov-manage -e %s' makes them)",
				begin, address);
	if (!strcmp(driver, "i915"))
		return error_set(err, ENODEV,
				"%s: its driver 'i915' needs the kernel's argument "
				"'i915.enable_gvt=1' and the module 'kvmgt' for that",
				begin);
	return error_set(err, ENODEV, "%s: its driver '%s' has none", begin, driver);
}

int mdev_parent_read(const struct device_host *host, const char *address, struct mdev_parent *ret,
		struct error *err)
{
	*ret = (struct mdev_parent){ .host = host };
	CLEANUP(freep) char *dir = xasprintf("%s/bus/pci/devices/%s", host->sys, address);
	if (!exists(dir)) {
		(void)!error_set(err, ENODEV, "there is no such device ('lspci -D' lists all)");
		return 1;
	}
	if (!add_place(ret, dir))
		add_functions(ret, dir);
	if (!ret->places.n) {
		(void)!tell_no_types(dir, address, err);
		return 1;
	}
	return 0;
}

int mdev_type_name(const char *type_dir, struct buf *ret, struct error *err)
{
	/* Not every driver gives its types names (i915 before Linux 6.1). */
	int r = sysfs_read(type_dir, "name", ret, err);
	if (r != -ENOENT)
		return r;
	const char *slash = strrchr(type_dir, '/');
	buf_puts(ret, slash ? slash + 1 : type_dir);
	return 0;
}

static bool has_room(const char *type_dir)
{
	CLEANUP(buf_done) struct buf text = {};
	return sysfs_read(type_dir, "available_instances", &text, NULL) < 0 ||
	       strcmp(buf_text(&text), "0") != 0;
}

static bool is_type(const char *type_dir, const char *id, const char *name)
{
	CLEANUP(buf_done) struct buf text = {};
	return !strcmp(id, name) ||
	       (mdev_type_name(type_dir, &text, NULL) == 0 && !strcmp(buf_text(&text), name));
}

/* 0; 1: there is one, but full; 2: there is none. */
static int find_in(const char *types, const char *name, char **ret_dir)
{
	CLEANUP(strv_done) struct strv ids = {};
	if (dir_list(types, &ids, NULL) != 0)
		return 2;
	for (size_t i = 0; i < ids.n; i++) {
		CLEANUP(freep) char *dir = xasprintf("%s/%s", types, ids.items[i]);
		if (!is_type(dir, ids.items[i], name))
			continue;
		if (!has_room(dir))
			return 1;
		*ret_dir = take_ptr(dir);
		return 0;
	}
	return 2;
}

static void put_name(struct buf *text, const char *name)
{
	buf_printf(text, "%s'%s'", text->len ? ", " : "", name);
}

/* "'A40-1B', 'A40-8Q'" */
static void list_types(const struct mdev_parent *parent, struct buf *ret)
{
	CLEANUP(strv_done) struct strv known = {};
	for (size_t p = 0; p < parent->places.n; p++) {
		CLEANUP(strv_done) struct strv ids = {};
		if (dir_list(parent->places.items[p], &ids, NULL) != 0)
			continue;
		for (size_t i = 0; i < ids.n; i++) {
			CLEANUP(freep)
			char *dir = xasprintf("%s/%s", parent->places.items[p], ids.items[i]);
			CLEANUP(buf_done) struct buf name = {};
			if (mdev_type_name(dir, &name, NULL) < 0 ||
					strv_contains(&known, buf_text(&name)))
				continue;
			strv_push(&known, buf_text(&name));
			put_name(ret, buf_text(&name));
		}
	}
}

/* What it is full of. */
static int tell_full(const struct mdev_parent *parent, const char *type_name, struct error *err)
{
	CLEANUP(strv_done) struct strv uuids = {};
	CLEANUP(buf_done) struct buf others = {};
	if (mdev_parent_devices(parent, &uuids, NULL) < 0)
		strv_clear(&uuids);
	for (size_t i = 0; i < uuids.n; i++) {
		CLEANUP(freep)
		char *type = xasprintf("%s/bus/mdev/devices/%s/mdev_type", parent->host->sys,
				uuids.items[i]);
		CLEANUP(freep) char *dir = realpath(type, NULL);
		CLEANUP(buf_done) struct buf name = {};
		if (dir && mdev_type_name(dir, &name, NULL) == 0)
			put_name(&others, buf_text(&name));
	}
	if (!others.len)
		return error_set(err, ENOSPC, "it has no room for a '%s'", type_name);
	return error_set(err, ENOSPC, "it has no room for a '%s' beside its %s", type_name,
			buf_text(&others));
}

int mdev_parent_find(const struct mdev_parent *parent, const char *type_name, char **ret_dir,
		struct error *err)
{
	bool full = false;
	for (size_t i = 0; i < parent->places.n; i++) {
		int r = find_in(parent->places.items[i], type_name, ret_dir);
		if (r == 0)
			return 0;
		full |= r == 1;
	}
	if (full)
		return tell_full(parent, type_name, err);
	CLEANUP(buf_done) struct buf known = {};
	list_types(parent, &known);
	return error_set(err, ENODEV, "it does not offer '%s', but %s", type_name,
			known.len ? buf_text(&known) : "nothing");
}

int mdev_parent_devices(const struct mdev_parent *parent, struct strv *ret, struct error *err)
{
	for (size_t p = 0; p < parent->places.n; p++) {
		const char *types = parent->places.items[p];
		CLEANUP(strv_done) struct strv ids = {};
		int r = dir_list(types, &ids, err);
		for (size_t i = 0; r == 0 && i < ids.n; i++) {
			CLEANUP(freep) char *dir = xasprintf("%s/%s/devices", types, ids.items[i]);
			CLEANUP(strv_done) struct strv devices = {};
			r = dir_list(dir, &devices, err);
			strv_extend(ret, &devices);
			r = r < 0 ? r : 0;
		}
		if (r < 0)
			return r;
	}
	return 0;
}

char *mdev_physical_address(const char *dir)
{
	CLEANUP(freep) char *physical = sysfs_link_name(dir, "physfn");
	CLEANUP(freep) char *real = physical ? NULL : realpath(dir, NULL);
	const char *slash = real ? strrchr(real, '/') : NULL;
	return physical ? take_ptr(physical) : xstrdup_null(slash ? slash + 1 : NULL);
}
