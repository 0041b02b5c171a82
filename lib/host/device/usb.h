/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * USB devices that are given to machines (the kernel's Documentation/driver-api/usb/usb.rst and
 * drivers/usb/core/devio.c; sysfs names a device after the port it is plugged in at).
 *
 * A machine gets the opened node of the device, which libusb in QEMU takes the drivers' interfaces
 * away through. A QEMU that ends gives them back by itself; for one that was killed
 * usb_give_back() does.
 *
 * A device is not lent when another machine has it, the host uses it (an interface that is up, a
 * disk that is mounted), or some program has it.
 */
#pragma once

#include "host/device/device.h"
#include "model/plan.h"
#include "util/cleanup.h"
#include "util/error.h"
#include "util/strv.h"

/*
 * The port at which a candidate is plugged in. The caller frees it.
 *
 * Errors: ENODEV: it is not, something else is, or several devices could be meant; EINVAL: it is a
 * hub.
 */
MUST_CHECK int usb_find(const struct device_host *host, const struct vm_usb_candidate *candidate,
		char **ret_port, struct error *err);

/*
 * Lend the first candidate of plan->usbs[@i] that is there and free, and write the loan
 * (host/device/loan.h). One process at a time looks.
 *
 * @ret_fd: its node, open to read and write
 *
 * Errors: ENODEV: none is, with the reason for each.
 */
MUST_CHECK int usb_lend(const struct device_host *host, const struct plan *plan, size_t i,
		int *ret_fd, struct error *err);

/*
 * Is a candidate of plan->usbs[@i] plugged in, whoever has it? Nothing is changed.
 *
 * Errors: as of usb_lend().
 */
MUST_CHECK int usb_look(const struct device_host *host, const struct plan *plan, size_t i,
		struct error *err);

/*
 * Give back all that a machine has, each interface to the driver that it had before. Goes on after
 * failures: what could not be given back stays lent.
 *
 * @ret_failures: a text for each failure is appended
 *
 * Returns 0 or the first failure's negative errno.
 */
MUST_CHECK int usb_give_back(
		const struct device_host *host, const char *machine, struct strv *ret_failures);
