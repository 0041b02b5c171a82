/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The nodes of VFIO groups. */
#include "host/device/vfio.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "host/os/sysfs.h"
#include "util/mem.h"

char *vfio_group(const char *device_dir)
{
	return sysfs_link_name(device_dir, "iommu_group");
}

int vfio_chown(const struct device_host *host, const char *group, uid_t uid, struct error *err)
{
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

bool vfio_is_busy(const struct device_host *host, const char *group)
{
	CLEANUP(freep) char *node = xasprintf("%s/vfio/%s", host->dev, group);
	/* The kernel lets one program in (drivers/vfio: vfio_group_fops_open). */
	CLEANUP(closep) int fd = open(node, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd < 0 && errno == EBUSY;
}
