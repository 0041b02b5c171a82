/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual functions of PCI devices (SR-IOV; the kernel's Documentation/PCI/pci-iov-howto.rst): made
 * when the first is wanted, removed when the last that was lent has been given back, if this
 * program made them.
 *
 * Those that it makes are noted as a loan (host/device/loan.h) of the physical device,
 * "sriov:ADDRESS". All callers of the first three hold loan_lock().
 */
#pragma once

#include "host/device/device.h"
#include "util/cleanup.h"
#include "util/error.h"
#include "util/strv.h"

/*
 * The PCI address of a network interface's device. The caller frees it.
 *
 * Errors: ENODEV: there is no such interface, or it is none of a PCI device; ENETDOWN: it is down,
 * and its functions would have no link.
 */
MUST_CHECK int sriov_find_card(const struct device_host *host, const char *interface,
		char **ret_address, struct error *err);

/*
 * Has a device functions, or could it be given as many as are wanted?
 *
 * @n_wanted: 0: it has to have them
 * @ret_n: how many it has; 0: they can be made
 *
 * Errors: ENODEV, ERANGE.
 */
MUST_CHECK int sriov_check(const struct device_host *host, const char *address, int64_t n_wanted,
		int64_t *ret_n, struct error *err);

/*
 * The addresses of a device's functions, in the order of their numbers; appended.
 *
 * @n_wanted: how many to make if there are none; as above
 */
MUST_CHECK int sriov_functions(const struct device_host *host, const char *address,
		int64_t n_wanted, struct strv *ret, struct error *err);

/* The device that a function belongs to, and its number there. False: it is no virtual function.
 * @ret_physical: the caller frees it */
bool sriov_physical(const struct device_host *host, const char *function, char **ret_physical,
		unsigned *ret_number);

/* An interface of a device; NULL if it has none. The caller frees it. */
char *sriov_interface(const struct device_host *host, const char *address);

/* How many functions a device has; 0 for all that is no such device. */
int64_t sriov_count(const struct device_host *host, const char *address);

/*
 * Remove the functions that this program has made and that nobody has any more. Errors: those of
 * loan_lock(), which it takes where there are any, and of the kernel.
 */
MUST_CHECK int sriov_tidy(const struct device_host *host, struct error *err);
