/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interfaces that are up, disks that are mounted. */
#include "host/device/device-use.h"

#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "host/os/sysfs.h"
#include "util/file.h"
#include "util/mem.h"

#define MOUNTS_SIZE_MAX ((size_t)16 << 20)

/* ---- interfaces ---- */

int device_check_interfaces(const char *net_dir, const char *title, struct error *err)
{
	CLEANUP(strv_done) struct strv names = {};
	if (dir_list(net_dir, &names, NULL) != 0)
		return 0;
	for (size_t i = 0; i < names.n; i++) {
		CLEANUP(freep) char *dir = xasprintf("%s/%s", net_dir, names.items[i]);
		CLEANUP(buf_done) struct buf flags = {};
		if (sysfs_read(dir, "flags", &flags, NULL) == 0 &&
				strtoul(buf_text(&flags), NULL, 16) & IFF_UP)
			return error_set(err, EBUSY,
					"%s is in use by the host: its interface '%s' is up ('ip "
					"link set %s down' ends that)",
					title, names.items[i], names.items[i]);
	}
	return 0;
}

/* ---- disks ---- */

/* The line of a mount of the block device "259:1", up to its end; or NULL. */
static const char *find_mount(const char *mounts, const char *number)
{
	for (const char *line = mounts; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		/* ID PARENT MAJOR:MINOR ROOT MOUNT-POINT ... (proc(5), mountinfo) */
		const char *field = line;
		for (int i = 0; i < 2 && field; i++)
			field = (field = strchr(field, ' ')) ? field + 1 : NULL;
		size_t len = strlen(number);
		if (field && !strncmp(field, number, len) && field[len] == ' ')
			return field + len + 1;
	}
	return NULL;
}

static bool is_swap(const char *swaps, const char *name)
{
	CLEANUP(freep) char *line = xasprintf("\n/dev/%s ", name);
	return strstr(swaps, line) != NULL;
}

static int check_block(const char *dir, const char *name, const char *title, const char *mounts,
		const char *swaps, struct error *err)
{
	CLEANUP(buf_done) struct buf number = {};
	CLEANUP(freep) char *holders_dir = xasprintf("%s/holders", dir);
	CLEANUP(strv_done) struct strv holders = {};
	if (sysfs_read(dir, "dev", &number, NULL) < 0)
		return 0;
	const char *mount = find_mount(mounts, buf_text(&number));
	if (mount) {
		/* Behind the root of the mount. */
		mount += strcspn(mount, " ");
		mount += *mount == ' ';
		return error_set(err, EBUSY, "%s is in use by the host: '%s' is mounted at '%.*s'",
				title, name, (int)strcspn(mount, " \n"), mount);
	}
	if (is_swap(swaps, name))
		return error_set(err, EBUSY,
				"%s is in use by the host: '%s' is swap space ('swapoff /dev/%s' "
				"ends that)",
				title, name, name);
	if (dir_list(holders_dir, &holders, NULL) == 0 && holders.n)
		return error_set(err, EBUSY, "%s is in use by the host: '%s' is a part of '%s'",
				title, name, holders.items[0]);
	return 0;
}

static int read_table(const struct device_host *host, const char *name, struct buf *ret)
{
	CLEANUP(freep) char *path = xasprintf("%s/%s", host->proc, name);
	return file_read(path, MOUNTS_SIZE_MAX, ret, NULL);
}

int device_check_disks(const struct device_host *host, const char *device_dir, const char *title,
		struct error *err)
{
	CLEANUP(freep) char *real = realpath(device_dir, NULL);
	CLEANUP(freep) char *class_dir = xasprintf("%s/class/block", host->sys);
	CLEANUP(strv_done) struct strv names = {};
	CLEANUP(buf_done) struct buf mounts = {};
	CLEANUP(buf_done) struct buf swaps = {};
	if (!real || dir_list(class_dir, &names, NULL) != 0)
		return 0;
	/* Without them less is known. */
	(void)!read_table(host, "self/mountinfo", &mounts);
	(void)!read_table(host, "swaps", &swaps);
	size_t len = strlen(real);
	for (size_t i = 0; i < names.n; i++) {
		CLEANUP(freep) char *link = xasprintf("%s/%s", class_dir, names.items[i]);
		CLEANUP(freep) char *block = realpath(link, NULL);
		if (!block || strncmp(block, real, len) != 0 || block[len] != '/')
			continue;
		int r = check_block(block, names.items[i], title, buf_text(&mounts),
				buf_text(&swaps), err);
		if (r < 0)
			return r;
	}
	return 0;
}
