/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files about PCI devices share. Private to host/device. */
#pragma once

#include "host/device/loan.h"
#include "host/device/pci.h"
#include "host/device/vfio.h"

#define PCI_VFIO_DRIVER "vfio-pci"

/* Keys of a loan: which of the device's functions it is, counted from 0; what was there before. */
#define PCI_LOAN_FUNCTION "function"
#define PCI_LOAN_DRIVER "driver"
#define PCI_LOAN_OVERRIDE "override"

/* The device's directory in sysfs. The caller frees these. */
char *pci_dir(const struct device_host *host, const char *address);
/* The name of its driver, NULL if none is bound. */
char *pci_driver(const struct device_host *host, const char *address);
/* Has a driver of VFIO it: 'vfio-pci', or one that a vendor has made for its devices? */
bool pci_has_vfio(const struct device_host *host, const char *address);
/* What it is called as a loan. */
char *pci_loan_name(const char *address);
/* What a loan is for. */
char *pci_owner(const struct vm_pci *pci);
/* The same for messages: "device 'gpu'". */
char *pci_title(const struct vm_pci *pci);

/* Is its "vendor", "device" or "class" this one: "10de", "0604"? A class's beginning is enough. */
bool pci_has_id(const struct device_host *host, const char *address, const char *attribute,
		const char *id);

/* Errors: ENODEV. */
MUST_CHECK int pci_check_exists(
		const struct device_host *host, const char *address, struct error *err);

/*
 * May the device, which exists, be lent, as it and the host are now? The text begins with its
 * address.
 *
 * @together: the functions that are lent with it
 */
MUST_CHECK int pci_check(const struct device_host *host, const struct plan *plan,
		const char *address, const struct strv *together, struct error *err);

/*
 * Is each other member of its group without a driver of the host's, or lent to this machine?
 *
 * @together: functions that are lent with it; or NULL: what is lent by now has to do. With it,
 *            whatever the plan might get counts as well
 */
MUST_CHECK int pci_check_group(const struct device_host *host, const struct plan *plan,
		const char *address, const struct strv *together, struct error *err);

/*
 * Set a virtual function up as a connection's network card; what it was like before is added to
 * its loan. Undo that (pci-function.c).
 */
MUST_CHECK int pci_set_up_function(const struct device_host *host, const struct vm_pci *pci,
		const char *address, struct error *err);
MUST_CHECK int pci_restore_function(const struct device_host *host, const char *address,
		const struct loan *loan, struct error *err);
