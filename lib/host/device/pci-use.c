/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does the host itself use a PCI device: interfaces that are up, disks that are mounted. */
#include <string.h>

#include "host/device/device-use.h"
#include "host/device/pci-parts.h"
#include "util/file.h"
#include "util/mem.h"

/* Those of virtio devices are one level below. */
static int check_network(const char *dir, const char *address, struct error *err)
{
	CLEANUP(freep) char *own = xasprintf("%s/net", dir);
	CLEANUP(strv_done) struct strv names = {};
	int r = device_check_interfaces(own, address, err);
	if (r < 0 || dir_list(dir, &names, NULL) != 0)
		return r;
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		CLEANUP(freep) char *net = xasprintf("%s/%s/net", dir, names.items[i]);
		if (!strncmp(names.items[i], "virtio", strlen("virtio")))
			r = device_check_interfaces(net, address, err);
	}
	return r;
}

int pci_check_use(const struct device_host *host, const char *address, struct error *err)
{
	CLEANUP(freep) char *dir = pci_dir(host, address);
	CLEANUP(freep) char *driver = pci_driver(host, address);
	/* Without a driver of the host's there is nothing that it could use. */
	if (!driver || !strcmp(driver, PCI_VFIO_DRIVER))
		return 0;
	if (pci_has_id(host, address, "class", "02"))
		return check_network(dir, address, err);
	/* Disks may hang on a USB controller as well. */
	if (pci_has_id(host, address, "class", "01") || pci_has_id(host, address, "class", "0c03"))
		return device_check_disks(host, dir, address, err);
	return 0;
}
