/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loans: devices of the host that machines have, and how they were before.
 *
 * A loan is a small file in the directory of all machines, ".pci:0000:01:00.0", with rows
 * "key=value". It is written before anything is done to the device and goes when all of it is
 * undone, so that whoever comes after a process that was killed knows what to undo. The kernel
 * could not tell: a device that is bound to 'vfio-pci' may have been so before.
 *
 * Loans go with the boot of the host, as does what they tell of.
 */
#pragma once

#include "host/device/device.h"
#include "host/os/lock.h"
#include "util/cleanup.h"
#include "util/error.h"
#include "util/strv.h"

/* Keys of all loans: the machine; what in it the device is for: "device gpu". Without the second it
 * is for nothing, and has to go back. */
#define LOAN_MACHINE "machine"
#define LOAN_OWNER "for"

/* What the names of loans begin with: before an address, before a port. */
#define LOAN_PCI "pci:"
#define LOAN_USB "usb:"
/* Key of a loan of a USB device: "046d:c52b". */
#define LOAN_USB_ID "id"

struct loan {
	struct strv rows;
};
void loan_done(struct loan *loan);

/* The value of a key; NULL if there is none. */
const char *loan_get(const struct loan *loan, const char *key);
/* Set the row of a key. @value: one line of text; NULL: there is no such row afterwards */
void loan_put(struct loan *loan, const char *key, const char *value);

/* @device: "pci:0000:01:00.0". Returns 0, or 1 if there is none. */
MUST_CHECK int loan_read(const struct device_host *host, const char *device, struct loan *ret,
		struct error *err);
/* Replaces one that is there. */
MUST_CHECK int loan_write(const struct device_host *host, const char *device,
		const struct loan *loan, struct error *err);
/* Succeeds where there is none. */
MUST_CHECK int loan_end(const struct device_host *host, const char *device, struct error *err);

/*
 * The devices of all loans of a machine, in byte order.
 *
 * @prefix: "pci:"
 * @machine: NULL: of all machines, and those that no machine has
 * @owner: NULL: whatever they are for
 *
 * One that can't be read is an error, and the others are listed all the same.
 */
MUST_CHECK int loan_list(const struct device_host *host, const char *prefix, const char *machine,
		const char *owner, struct strv *ret_devices, struct error *err);

/*
 * Give back all that a machine was lent, the last one first, and go on where one fails.
 *
 * @give_back: gives one back and ends its loan
 * @ret_failures: a sentence for each failure is appended
 *
 * Returns 0 or the first negative errno.
 */
typedef int loan_giver(const struct device_host *host, const char *device, struct error *err);
MUST_CHECK int loan_give_back(const struct device_host *host, const char *prefix,
		const char *machine, loan_giver *give_back, struct strv *ret_failures);

/* From now on it is for nothing. Succeeds where there is none. */
MUST_CHECK int loan_set_aside(
		const struct device_host *host, const char *device, struct error *err);

/*
 * Set aside what a machine has for anything but @owners: its configuration has changed since, and
 * what it had could not be given back.
 */
MUST_CHECK int loan_keep(const struct device_host *host, const char *prefix, const char *machine,
		const struct strv *owners, struct error *err);

/*
 * Is it lent to another machine, or for something else of the same one? Then it is an error, EBUSY.
 *
 * @title: what messages call it: "0000:01:00.0"
 * @owner: LOAN_OWNER; NULL: whatever it is for
 */
MUST_CHECK int loan_check(const struct device_host *host, const char *device, const char *title,
		const char *machine, const char *owner, struct error *err);

/*
 * Always returns -ENODEV: none of those that were tried can be lent.
 *
 * @what: "device of class 'gpu'"
 * @reasons: a sentence for each; a single one is all that is said
 */
int loan_refuse(const char *what, const struct strv *reasons, struct error *err);

/*
 * So long is waited for whoever holds the lock of devices, or that of a card: longer than one card
 * is given for its virtual functions to be made or to go (60 s), which is the longest that is done
 * under one, and less than systemd gives a hook (TimeoutStartSec= and, unless "shutdown" of the
 * machine says less than its default, TimeoutStopSec=).
 */
#define LOAN_WAIT_USEC (90 * UINT64_C(1000000))

/*
 * Whoever looks for a device that is free, and takes it, holds this.
 *
 * Errors: EBUSY: still somebody else's after LOAN_WAIT_USEC; the text names him.
 */
MUST_CHECK int loan_lock(const struct device_host *host, struct lock *ret, struct error *err);
