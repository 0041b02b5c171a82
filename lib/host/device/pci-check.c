/* SPDX-License-Identifier: GPL-2.0-or-later */
/* May a PCI device be lent? What an administrator is told when it may not. */
#include <fcntl.h>
#include <string.h>

#include "host/device/device-use.h"
#include "host/device/pci-parts.h"
#include "host/device/sriov.h"
#include "host/os/sysfs.h"
#include "util/file.h"
#include "util/mem.h"

/* ---- whose it is ---- */

/* The machine that has it; NULL if none has. The caller frees it. */
static int find_borrower(
		const struct device_host *host, const char *address, char **ret, struct error *err)
{
	CLEANUP(freep) char *name = pci_loan_name(address);
	CLEANUP(loan_done) struct loan loan = {};
	int r = loan_read(host, name, &loan, err);
	*ret = r == 0 ? xstrdup_null(loan_get(&loan, LOAN_MACHINE)) : NULL;
	return r < 0 ? r : 0;
}

/* ---- its group ---- */

static int tell_no_group(const struct device_host *host, const char *address, struct error *err)
{
	CLEANUP(freep) char *groups = xasprintf("%s/kernel/iommu_groups", host->sys);
	CLEANUP(strv_done) struct strv names = {};
	if (dir_list(groups, &names, NULL) == 0 && names.n)
		return error_set(err, ENODEV,
				"%s is in no IOMMU group, though other devices are: the IOMMU does "
				"not reach its slot, move the card to another one",
				address);
	return error_set(err, ENODEV,
			"%s is in no IOMMU group, and no device is: switch the IOMMU on in the "
			"firmware's setup (VT-d or AMD-Vi), and for Intel boot the kernel with "
			"'intel_iommu=on'",
			address);
}

/* May the plan get it for one of its devices? */
static bool is_wanted(const struct plan *plan, const char *address)
{
	for (size_t i = 0; i < plan->n_pcis; i++) {
		const struct vm_pci *pci = &plan->pcis[i];
		for (size_t k = 0; k < pci->n_candidates; k++) {
			const char *own = pci->candidates[k].address;
			if (own && !strcmp(own, address))
				return true;
			for (size_t f = 0; own && f < pci->n_functions; f++) {
				CLEANUP(freep)
				char *other = vm_pci_function(own, pci->functions[f]);
				if (!strcmp(other, address))
					return true;
			}
		}
	}
	return false;
}

/* Leaves its driver the device to VFIO's user (the kernel's Documentation/driver-api/vfio.rst)? */
static bool is_harmless(const struct device_host *host, const char *address, const char *driver)
{
	/* Bridges are no endpoints that a guest could reach. */
	return !strcmp(driver, "pci-stub") || pci_has_vfio(host, address) ||
	       pci_has_id(host, address, "class", "0604");
}

static void put_member(struct buf *list, const char *address, const char *driver, bool last)
{
	if (list->len)
		buf_puts(list, last ? " and " : ", ");
	buf_printf(list, "%s (%s)", address, driver);
}

static int tell_members(const char *address, const char *group, const struct strv *members,
		const struct strv *drivers, struct error *err)
{
	CLEANUP(buf_done) struct buf list = {};
	for (size_t i = 0; i < members->n; i++)
		put_member(&list, members->items[i], drivers->items[i], i + 1 == members->n);
	return error_set(err, EBUSY,
			"%s shares IOMMU group %s with %s: add %s to the machine or move the card",
			address, group, buf_text(&list), members->n > 1 ? "them" : "it");
}

/* Returns 0: it does no harm; 1: a driver of the host's has it, *@ret_driver; or -EBUSY. */
static int check_member(const struct device_host *host, const struct plan *plan, const char *member,
		char **ret_driver, struct error *err)
{
	CLEANUP(freep) char *machine = NULL;
	CLEANUP(freep) char *driver = pci_driver(host, member);
	int r = find_borrower(host, member, &machine, err);
	if (r < 0)
		return r;
	if (machine && strcmp(machine, plan->machine) != 0)
		return error_set(err, EBUSY,
				"%s is lent to machine '%s', and one machine has to have both",
				member, machine);
	if (machine || !driver || is_harmless(host, member, driver))
		return 0;
	*ret_driver = take_ptr(driver);
	return 1;
}

static int check_members(const struct device_host *host, const struct plan *plan,
		const char *address, const char *group, const struct strv *together,
		struct error *err)
{
	CLEANUP(freep)
	char *devices = xasprintf("%s/kernel/iommu_groups/%s/devices", host->sys, group);
	CLEANUP(strv_done) struct strv members = {};
	CLEANUP(strv_done) struct strv others = {};
	CLEANUP(strv_done) struct strv drivers = {};
	int r = dir_list(devices, &members, err);
	if (r < 0)
		return error_wrap(err, "%s", address);
	for (size_t i = 0; i < members.n; i++) {
		const char *member = members.items[i];
		CLEANUP(freep) char *driver = NULL;
		if (!strcmp(member, address) ||
				(together && (strv_contains(together, member) ||
							     is_wanted(plan, member))))
			continue;
		r = check_member(host, plan, member, &driver, err);
		if (r < 0)
			return error_wrap(err, "%s shares IOMMU group %s with %s", address, group,
					member);
		if (r == 0)
			continue;
		strv_push(&others, member);
		strv_push(&drivers, driver);
	}
	return others.n ? tell_members(address, group, &others, &drivers, err) : 0;
}

int pci_check_group(const struct device_host *host, const struct plan *plan, const char *address,
		const struct strv *together, struct error *err)
{
	CLEANUP(freep) char *dir = pci_dir(host, address);
	CLEANUP(freep) char *group = vfio_group(dir);
	if (!group)
		return tell_no_group(host, address, err);
	int r = check_members(host, plan, address, group, together, err);
	if (r == 0 && vfio_is_busy(host, group))
		r = error_set(err, EBUSY,
				"%s is in use: some program has '%s/vfio/%s' open ('fuser -v "
				"%s/vfio/%s' shows which)",
				address, host->dev, group, host->dev, group);
	return r;
}

/* ---- all of it ---- */

/* What is off or has fallen from the bus reads as ones; a virtual function has them for its vendor
 * and device alone (SR-IOV 1.1, 3.4.1.1). */
static int check_alive(const char *dir, const char *address, struct error *err)
{
	CLEANUP(freep) char *path = xasprintf("%s/config", dir);
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned char header[16];
	if (fd < 0 || read(fd, header, sizeof(header)) != sizeof(header))
		return 0;
	for (size_t i = 0; i < sizeof(header); i++)
		if (header[i] != 0xff)
			return 0;
	return error_set(err, EIO,
			"%s does not answer (its configuration reads as ones): it is switched off "
			"or hangs, which only switching the host off and on may mend",
			address);
}

/* NVIDIA's driver offers a function to VFIO before there is a vGPU behind it. */
static int check_vgpu(const char *dir, const char *address, struct error *err)
{
	CLEANUP(buf_done) struct buf type = {};
	if (sysfs_read(dir, "nvidia/current_vgpu_type", &type, NULL) < 0 ||
			strcmp(buf_text(&type), "0") != 0)
		return 0;
	return error_set(err, ENODEV,
			"%s has no vGPU yet: write the number of one of "
			"'%s/nvidia/creatable_vgpu_types' to '%s/nvidia/current_vgpu_type'",
			address, dir, dir);
}

static int check_use(const struct device_host *host, const char *address, struct error *err)
{
	CLEANUP(freep) char *dir = pci_dir(host, address);
	CLEANUP(freep) char *driver = pci_driver(host, address);
	/* Without a driver of the host's there is nothing that it could use. */
	if (!driver || pci_has_vfio(host, address))
		return 0;
	return device_check_use(host, dir, address, err);
}

int pci_check(const struct device_host *host, const struct plan *plan, const char *address,
		const struct strv *together, struct error *err)
{
	CLEANUP(freep) char *dir = pci_dir(host, address);
	if (pci_has_id(host, address, "class", "0604"))
		return error_set(err, EINVAL,
				"%s is a PCI bridge, which cannot be given away: name the devices "
				"behind it",
				address);
	int64_t n_functions = sriov_count(host, address);
	if (n_functions)
		return error_set(err, EBUSY,
				"%s has %jd virtual functions, which would go with it ('echo 0 > "
				"%s/sriov_numvfs' removes them)",
				address, (intmax_t)n_functions, dir);
	CLEANUP(freep) char *name = pci_loan_name(address);
	int r = loan_check(host, name, address, plan->machine, NULL, err);
	if (r == 0)
		r = pci_check_group(host, plan, address, together, err);
	if (r == 0)
		r = check_use(host, address, err);
	if (r == 0)
		r = check_vgpu(dir, address, err);
	return r == 0 ? check_alive(dir, address, err) : r;
}
