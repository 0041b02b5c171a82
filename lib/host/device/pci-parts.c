/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a PCI device is in sysfs, what it is, and what its loans and messages call it. */
#include "host/device/pci-parts.h"

#include <string.h>
#include <unistd.h>

#include "host/os/sysfs.h"
#include "util/mem.h"

char *pci_dir(const struct device_host *host, const char *address)
{
	return xasprintf("%s/bus/pci/devices/%s", host->sys, address);
}

char *pci_driver(const struct device_host *host, const char *address)
{
	CLEANUP(freep) char *dir = pci_dir(host, address);
	return sysfs_link_name(dir, "driver");
}

bool pci_has_vfio(const struct device_host *host, const char *address)
{
	CLEANUP(freep) char *driver = pci_driver(host, address);
	CLEANUP(freep) char *dir = pci_dir(host, address);
	/* Since Linux 6.1 all of them show their devices there (drivers/vfio/vfio_main.c). */
	CLEANUP(freep) char *shown = xasprintf("%s/vfio-dev", dir);
	return driver && (!strcmp(driver, PCI_VFIO_DRIVER) || access(shown, F_OK) == 0);
}

char *pci_loan_name(const char *address)
{
	return xasprintf(LOAN_PCI "%s", address);
}

char *pci_owner(const struct vm_pci *pci)
{
	return xasprintf("%s %s", pci->class_name ? "device" : "connection", pci->name);
}

char *pci_title(const struct vm_pci *pci)
{
	return xasprintf("%s '%s'", pci->class_name ? "device" : "connection", pci->name);
}

bool pci_has_id(const struct device_host *host, const char *address, const char *attribute,
		const char *id)
{
	CLEANUP(freep) char *dir = pci_dir(host, address);
	CLEANUP(buf_done) struct buf text = {};
	return sysfs_read(dir, attribute, &text, NULL) == 0 && text.len > 2 &&
	       !strncmp(text.text + 2, id, strlen(id));
}

int pci_check_exists(const struct device_host *host, const char *address, struct error *err)
{
	CLEANUP(freep) char *dir = pci_dir(host, address);
	if (access(dir, F_OK) == 0)
		return 0;
	return error_set(err, ENODEV, "%s is not there ('lspci -D' lists all devices)", address);
}
