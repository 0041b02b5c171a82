/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking PCI devices from their drivers, and giving them back. */
#include <string.h>

#include "host/device/pci-parts.h"
#include "host/device/sriov.h"
#include "host/os/clock.h"
#include "host/os/sysfs.h"
#include "util/mem.h"

/* A driver that has not let go of a device by then has a program that uses it. */
#define UNBIND_USEC (30 * USEC_PER_SEC)
#define RESET_USEC (20 * USEC_PER_SEC)
/* For the node of a group to appear. */
#define NODE_USEC (2 * USEC_PER_SEC)
#define NODE_EVERY_USEC (10 * USEC_PER_MSEC)

static const char *address_of(const char *loan)
{
	return loan + strlen(LOAN_PCI);
}

static char *driver_dir(const struct device_host *host, const char *driver)
{
	return xasprintf("%s/bus/pci/drivers/%s", host->sys, driver);
}

static bool is_bound_to(const struct device_host *host, const char *address, const char *driver)
{
	CLEANUP(freep) char *bound = pci_driver(host, address);
	return bound && !strcmp(bound, driver);
}

static int unbind(const struct device_host *host, const char *address, const char *driver,
		struct error *err)
{
	CLEANUP(freep) char *dir = driver_dir(host, driver);
	int r = sysfs_write_within(dir, "unbind", address, clock_deadline_usec(UNBIND_USEC), err);
	if (r == -ETIMEDOUT)
		return error_set(err, ETIMEDOUT,
				"driver '%s' does not let go of %s: some program uses the device "
				"(for a graphics card: 'fuser -v /dev/dri/* /dev/nvidia*')",
				driver, address);
	/* It is not bound to that one any more: somebody else was faster. */
	return r == -ENODEV ? 0 : r;
}

static int set_override(const struct device_host *host, const char *address, const char *driver,
		struct error *err)
{
	CLEANUP(freep) char *dir = pci_dir(host, address);
	/* An empty line takes the override away. */
	return sysfs_write(dir, "driver_override", driver ? driver : "\n", err);
}

static int probe(const struct device_host *host, const char *address, struct error *err)
{
	CLEANUP(freep) char *dir = xasprintf("%s/bus/pci", host->sys);
	return sysfs_write(dir, "drivers_probe", address, err);
}

/* ---- to the machine ---- */

static int bind_to_vfio(const struct device_host *host, const char *address, struct error *err)
{
	CLEANUP(freep) char *vfio = driver_dir(host, PCI_VFIO_DRIVER);
	CLEANUP(freep) char *driver = pci_driver(host, address);
	/* A vendor's own, which knows more of the device, was bound by the administrator. */
	if (pci_has_vfio(host, address))
		return 0;
	if (access(vfio, F_OK) < 0)
		return error_set(err, ENODEV,
				"there is no driver '%s' to bind %s to: load it with 'modprobe "
				"vfio-pci'",
				PCI_VFIO_DRIVER, address);
	/* First the override: nothing else can take the device in between. */
	int r = set_override(host, address, PCI_VFIO_DRIVER, err);
	if (r == 0 && driver)
		r = unbind(host, address, driver, err);
	if (r == 0)
		r = probe(host, address, err);
	if (r == 0 && !is_bound_to(host, address, PCI_VFIO_DRIVER))
		r = error_set(err, EIO,
				"driver '%s' does not take %s (the kernel says why: 'journalctl -k "
				"--grep vfio')",
				PCI_VFIO_DRIVER, address);
	return r;
}

/* What an earlier guest has left in it is not for the next one. */
static int reset(const struct device_host *host, const char *address, struct error *err)
{
	CLEANUP(freep) char *dir = pci_dir(host, address);
	CLEANUP(freep) char *attribute = xasprintf("%s/reset", dir);
	/* Without a way of its own it is reset with its whole bus, by QEMU; a vendor's driver of
	 * VFIO does it itself. */
	if (access(attribute, F_OK) < 0 || !is_bound_to(host, address, PCI_VFIO_DRIVER))
		return 0;
	struct error failure = {};
	int r = sysfs_write_within(dir, "reset", "1", clock_deadline_usec(RESET_USEC), &failure);
	if (r == 0 || r == -ENOTTY)
		return 0;
	return error_set(err, EIO,
			"%s does not come back from a reset (%s): it may need the host to be "
			"switched off and on",
			address, strerror(-r));
}

static int give_node(
		const struct device_host *host, const char *address, uid_t uid, struct error *err)
{
	CLEANUP(freep) char *dir = pci_dir(host, address);
	CLEANUP(freep) char *group = vfio_group(dir);
	uint64_t deadline = clock_deadline_usec(NODE_USEC);
	for (;;) {
		int r = group ? vfio_chown(host, group, uid, err) : 1;
		if (r <= 0)
			return r;
		if (!group || clock_now_usec() >= deadline)
			return error_set(err, ENODEV,
					"%s is bound to '%s', and '%s/vfio/%s' does not appear (is "
					"udev running?)",
					address, PCI_VFIO_DRIVER, host->dev, group ? group : "");
		clock_pause(NODE_EVERY_USEC);
	}
}

/* The functions that were lent for it, the device itself first. */
static int list_lent(const struct device_host *host, const struct plan *plan,
		const struct vm_pci *pci, struct strv *ret, struct error *err)
{
	CLEANUP(freep) char *owner = pci_owner(pci);
	CLEANUP(strv_done) struct strv loans = {};
	int r = loan_list(host, LOAN_PCI, plan->machine, owner, &loans, err);
	for (size_t f = 0; r == 0 && f <= pci->n_functions; f++)
		for (size_t i = 0; i < loans.n; i++) {
			CLEANUP(loan_done) struct loan loan = {};
			CLEANUP(freep) char *number = xasprintf("%zu", f);
			const char *found = loan_read(host, loans.items[i], &loan, NULL) == 0
							    ? loan_get(&loan, PCI_LOAN_FUNCTION)
							    : NULL;
			if (found && !strcmp(found, number))
				strv_push(ret, address_of(loans.items[i]));
		}
	if (r == 0 && ret->n != pci->n_functions + 1)
		r = error_set(err, ENODEV, "it was not lent");
	return r;
}

int pci_bind(const struct device_host *host, const struct plan *plan, size_t i, uid_t uid,
		struct strv *ret_addresses, struct error *err)
{
	const struct vm_pci *pci = &plan->pcis[i];
	CLEANUP(freep) char *what = pci_title(pci);
	CLEANUP(strv_done) struct strv lent = {};
	int r = list_lent(host, plan, pci, &lent, err);
	for (size_t k = 0; r == 0 && k < lent.n; k++)
		r = pci_check_group(host, plan, lent.items[k], NULL, err);
	if (r == 0 && pci->vf.network)
		r = pci_set_up_function(host, pci, lent.items[0], err);
	for (size_t k = 0; r == 0 && k < lent.n; k++)
		r = bind_to_vfio(host, lent.items[k], err);
	for (size_t k = 0; r == 0 && k < lent.n; k++)
		r = reset(host, lent.items[k], err);
	for (size_t k = 0; r == 0 && k < lent.n; k++)
		r = give_node(host, lent.items[k], uid, err);
	if (r < 0)
		return error_wrap(err, "%s", what);
	strv_move(ret_addresses, &lent);
	return 0;
}

/* ---- back ---- */

static int check_idle(const struct device_host *host, const char *address, struct error *err)
{
	CLEANUP(freep) char *dir = pci_dir(host, address);
	CLEANUP(freep) char *group = vfio_group(dir);
	if (!group)
		return 0;
	if (vfio_is_busy(host, group))
		return error_set(err, EBUSY,
				"%s cannot be given back: some program has '%s/vfio/%s' open "
				"('fuser -v %s/vfio/%s' shows which)",
				address, host->dev, group, host->dev, group);
	/* One that has gone, or was never there, needs no owner. */
	int r = vfio_chown(host, group, 0, err);
	return r > 0 ? 0 : r;
}

static int restore_override(const struct device_host *host, const char *address,
		const struct loan *loan, struct error *err)
{
	CLEANUP(freep) char *dir = pci_dir(host, address);
	CLEANUP(buf_done) struct buf now = {};
	const char *before = loan_get(loan, PCI_LOAN_OVERRIDE);
	int r = sysfs_read(dir, "driver_override", &now, err);
	/* Somebody else has set another one meanwhile. */
	if (r < 0 || strcmp(buf_text(&now), PCI_VFIO_DRIVER) != 0)
		return r;
	return before && !strcmp(before, PCI_VFIO_DRIVER)
			       ? 0
			       : set_override(host, address, before, err);
}

static int bind_again(const struct device_host *host, const char *address, const char *driver,
		struct error *err)
{
	CLEANUP(freep) char *dir = driver_dir(host, driver);
	struct error failure = {};
	int r = access(dir, F_OK) == 0 ? sysfs_write(dir, "bind", address, &failure)
				       : probe(host, address, &failure);
	CLEANUP(freep) char *bound = pci_driver(host, address);
	if (bound)
		return 0;
	return error_set(err, EIO, "%s cannot be given back to driver '%s'%s%s", address, driver,
			r < 0 ? ": " : "", r < 0 ? strerror(-r) : "");
}

static int give_back(const struct device_host *host, const char *name, struct error *err)
{
	const char *address = address_of(name);
	CLEANUP(freep) char *dir = pci_dir(host, address);
	CLEANUP(freep) char *driver = pci_driver(host, address);
	CLEANUP(loan_done) struct loan loan = {};
	int r = loan_read(host, name, &loan, err);
	if (r != 0)
		return r < 0 ? r : 0;
	const char *before = loan_get(&loan, PCI_LOAN_DRIVER);
	/* Pulled out: nothing is left to give back. */
	if (access(dir, F_OK) < 0)
		return loan_end(host, name, err);
	r = check_idle(host, address, err);
	if (r == 0)
		r = restore_override(host, address, &loan, err);
	bool is_ours = driver && !strcmp(driver, PCI_VFIO_DRIVER) &&
		       !(before && !strcmp(before, PCI_VFIO_DRIVER));
	if (r == 0 && is_ours) {
		/* The host is not to find what the guest has left; one that has no reset has to. */
		(void)!reset(host, address, NULL);
		r = unbind(host, address, PCI_VFIO_DRIVER, err);
	}
	if (r == 0)
		r = pci_restore_function(host, address, &loan, err);
	if (r == 0 && before && (is_ours || !driver))
		r = bind_again(host, address, before, err);
	return r == 0 ? loan_end(host, name, err) : r;
}

int pci_give_back(const struct device_host *host, const char *machine, struct strv *ret_failures)
{
	struct error err = {};
	int first = loan_give_back(host, LOAN_PCI, machine, give_back, ret_failures);
	int r = sriov_tidy(host, &err);
	if (r < 0)
		strv_push(ret_failures, err.text);
	return first < 0 ? first : r;
}
