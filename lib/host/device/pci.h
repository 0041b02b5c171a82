/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI devices that are given to machines as a whole, through VFIO (the kernel's
 * Documentation/driver-api/vfio.rst and Documentation/PCI; drivers/pci/pci-driver.c for
 * "driver_override").
 *
 * Lending a device has two parts. pci_lend() looks for one that is free and writes the loan
 * (host/device/loan.h); pci_bind() takes its functions from their drivers, binds them to 'vfio-pci'
 * and makes the machine's user the owner of their groups. pci_give_back() undoes whatever there is
 * of both.
 *
 * A device is not lent when another machine has it, the host uses it (an interface that is up, a
 * disk that is mounted), some program has its group open, or it shares its group with a device that
 * a driver of the host has.
 */
#pragma once

#include "host/device/device.h"
#include "model/plan.h"
#include "util/cleanup.h"
#include "util/error.h"
#include "util/strv.h"

/*
 * Lend the first candidate of plan->pcis[@i] that is free; the one that the machine has already, if
 * there is one. One process at a time looks.
 *
 * Errors: ENODEV: none is, with the reason for each.
 */
MUST_CHECK int pci_lend(const struct device_host *host, const struct plan *plan, size_t i,
		struct error *err);

/*
 * Could a candidate of plan->pcis[@i] be lent as the host is now, if no machine had it? Nothing is
 * changed, no virtual functions are made.
 *
 * Errors: as of pci_lend().
 */
MUST_CHECK int pci_look(const struct device_host *host, const struct plan *plan, size_t i,
		struct error *err);

/*
 * Bind what was lent for plan->pcis[@i] (all devices must have been lent before: those of a group
 * belong together), reset it, and give its groups to a user.
 *
 * @ret_addresses: of the functions, the device itself first; appended
 *
 * Errors: ENODEV: nothing was lent; those of the kernel, with a text that names the device.
 */
MUST_CHECK int pci_bind(const struct device_host *host, const struct plan *plan, size_t i,
		uid_t uid, struct strv *ret_addresses, struct error *err);

/*
 * Give back all that a machine has, each to the driver that had it before. Goes on after failures:
 * what could not be given back stays lent.
 *
 * @ret_failures: a text for each failure is appended
 *
 * Returns 0 or the first failure's negative errno.
 */
MUST_CHECK int pci_give_back(
		const struct device_host *host, const char *machine, struct strv *ret_failures);
