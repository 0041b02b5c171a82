/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding a PCI device that is free. */
#include <stdio.h>
#include <string.h>

#include "host/device/pci-parts.h"
#include "host/device/sriov.h"
#include "host/os/sysfs.h"
#include "util/file.h"
#include "util/mem.h"

/* ---- where to look ---- */

static int list_by_ids(const struct device_host *host, const struct vm_pci_candidate *c,
		struct strv *ret, struct error *err)
{
	CLEANUP(freep) char *dir = xasprintf("%s/bus/pci/devices", host->sys);
	CLEANUP(strv_done) struct strv all = {};
	int r = dir_list(dir, &all, err);
	for (size_t i = 0; r == 0 && i < all.n; i++)
		if (pci_has_id(host, all.items[i], "vendor", c->vendor) &&
				pci_has_id(host, all.items[i], "device", c->device))
			strv_push(ret, all.items[i]);
	if (r == 0 && !ret->n)
		return error_set(err, ENODEV,
				"the host has no %s:%s ('lspci -Dnn' lists all devices)", c->vendor,
				c->device);
	return r < 0 ? r : 0;
}

/* The device whose virtual functions are meant. */
static int find_card(const struct device_host *host, const struct vm_pci_candidate *c, char **ret,
		struct error *err)
{
	if (c->interface)
		return sriov_find_card(host, c->interface, ret, err);
	*ret = xstrdup(c->address);
	return 0;
}

/* All places that one candidate stands for. */
static int list_places(const struct device_host *host, const struct vm_pci_candidate *c,
		struct strv *ret, struct error *err)
{
	CLEANUP(freep) char *card = NULL;
	if (!vm_pci_is_virtual(c)) {
		if (!c->address)
			return list_by_ids(host, c, ret, err);
		strv_push(ret, c->address);
		return 0;
	}
	int r = find_card(host, c, &card, err);
	return r == 0 ? sriov_functions(host, card, c->virtual_functions, ret, err) : r;
}

/* Is a place one that the candidate stands for? */
static bool is_one_of(const struct device_host *host, const struct vm_pci_candidate *c,
		const char *address)
{
	CLEANUP(freep) char *card = NULL;
	CLEANUP(freep) char *physical = NULL;
	unsigned number;
	if (vm_pci_is_virtual(c))
		return find_card(host, c, &card, NULL) == 0 &&
		       sriov_physical(host, address, &physical, &number) && !strcmp(physical, card);
	if (c->address)
		return !strcmp(c->address, address);
	return pci_has_id(host, address, "vendor", c->vendor) &&
	       pci_has_id(host, address, "device", c->device);
}

/* ---- one place ---- */

static void list_functions(const char *address, const struct vm_pci *pci, struct strv *ret)
{
	strv_push(ret, address);
	for (size_t i = 0; i < pci->n_functions; i++)
		strv_push_take(ret, vm_pci_function(address, pci->functions[i]));
}

/* A card that was put in or taken out can give all others new addresses. */
static int check_ids(const struct device_host *host, const struct vm_pci *pci, const char *address,
		struct error *err)
{
	for (size_t i = 0; i < pci->n_candidates; i++) {
		const struct vm_pci_candidate *c = &pci->candidates[i];
		CLEANUP(freep) char *dir = pci_dir(host, address);
		CLEANUP(buf_done) struct buf vendor = {};
		CLEANUP(buf_done) struct buf device = {};
		if (!c->address || strcmp(c->address, address) != 0 || !c->vendor ||
				sysfs_read(dir, "vendor", &vendor, NULL) < 0 ||
				sysfs_read(dir, "device", &device, NULL) < 0)
			continue;
		if (!pci_has_id(host, address, "vendor", c->vendor) ||
				!pci_has_id(host, address, "device", c->device))
			return error_set(err, ENODEV,
					"%s is %s:%s and not %s:%s: addresses change when cards "
					"are added ('lspci -Dnn' lists all devices)",
					address, buf_text(&vendor) + 2, buf_text(&device) + 2,
					c->vendor, c->device);
	}
	return 0;
}

/* How it is before it is lent. */
static int note(const struct device_host *host, const char *address, struct loan *loan,
		struct error *err)
{
	CLEANUP(freep) char *dir = pci_dir(host, address);
	CLEANUP(freep) char *driver = pci_driver(host, address);
	CLEANUP(buf_done) struct buf override = {};
	int r = sysfs_read(dir, "driver_override", &override, err);
	if (r < 0)
		return error_wrap(err, "%s", address);
	loan_put(loan, PCI_LOAN_DRIVER, driver);
	if (strcmp(buf_text(&override), "(null)") != 0 && override.len)
		loan_put(loan, PCI_LOAN_OVERRIDE, buf_text(&override));
	return 0;
}

/* What an earlier loan says of how it was before holds. */
static int write_loan(const struct device_host *host, const struct plan *plan,
		const struct vm_pci *pci, const char *address, size_t function, struct error *err)
{
	CLEANUP(freep) char *name = pci_loan_name(address);
	CLEANUP(freep) char *number = xasprintf("%zu", function);
	CLEANUP(freep) char *owner = pci_owner(pci);
	CLEANUP(loan_done) struct loan loan = {};
	int known = loan_read(host, name, &loan, err);
	if (known < 0)
		return known;
	loan_put(&loan, LOAN_MACHINE, plan->machine);
	loan_put(&loan, LOAN_OWNER, owner);
	loan_put(&loan, PCI_LOAN_FUNCTION, number);
	int r = known > 0 ? note(host, address, &loan, err) : 0;
	return r == 0 ? loan_write(host, name, &loan, err) : r;
}

/* What the machine still has from an earlier start and does not get again: it was not to be given
 * back. */
static int set_aside(const struct device_host *host, const struct plan *plan,
		const struct vm_pci *pci, const struct strv *functions, struct error *err)
{
	CLEANUP(freep) char *owner = pci_owner(pci);
	CLEANUP(strv_done) struct strv loans = {};
	int r = loan_list(host, LOAN_PCI, plan->machine, owner, &loans, err);
	for (size_t i = 0; r == 0 && i < loans.n; i++)
		if (!strv_contains(functions, loans.items[i] + strlen(LOAN_PCI)))
			r = loan_set_aside(host, loans.items[i], err);
	return r;
}

/* @functions: the device and those that go with it */
static int check_place(const struct device_host *host, const struct plan *plan,
		const struct vm_pci *pci, const struct strv *functions, struct error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < functions->n; i++)
		r = pci_check_exists(host, functions->items[i], err);
	if (r == 0)
		r = check_ids(host, pci, functions->items[0], err);
	for (size_t i = 0; r == 0 && i < functions->n; i++)
		r = pci_check(host, plan, functions->items[i], functions, err);
	return r;
}

static int try_place(const struct device_host *host, const struct plan *plan,
		const struct vm_pci *pci, const char *address, struct error *err)
{
	CLEANUP(strv_done) struct strv functions = {};
	list_functions(address, pci, &functions);
	int r = check_place(host, plan, pci, &functions, err);
	if (r == 0)
		r = set_aside(host, plan, pci, &functions, err);
	for (size_t i = 0; r == 0 && i < functions.n; i++)
		r = write_loan(host, plan, pci, functions.items[i], i, err);
	return r;
}

/* ---- all of them ---- */

static int tell_none(const struct vm_pci *pci, const struct strv *reasons, struct error *err)
{
	CLEANUP(freep)
	char *what = pci->class_name ? xasprintf("device of class '%s'", pci->class_name)
				     : xasprintf("virtual function of network '%s'",
						       pci->vf.network);
	return loan_refuse(what, reasons, err);
}

/* Returns 0, or 1 when the reason why not was added. */
static int try_and_tell(const struct device_host *host, const struct plan *plan,
		const struct vm_pci *pci, const char *address, struct strv *reasons)
{
	CLEANUP(freep) char *name = pci_loan_name(address);
	CLEANUP(freep) char *owner = pci_owner(pci);
	struct error reason = {};
	if (loan_check(host, name, address, plan->machine, owner, &reason) == 0 &&
			try_place(host, plan, pci, address, &reason) == 0)
		return 0;
	strv_push(reasons, reason.text);
	return 1;
}

/* What the machine has already; 1: nothing that will do. */
static int try_own(const struct device_host *host, const struct plan *plan,
		const struct vm_pci *pci, struct error *err)
{
	CLEANUP(freep) char *owner = pci_owner(pci);
	CLEANUP(strv_done) struct strv loans = {};
	CLEANUP(strv_done) struct strv reasons = {};
	int r = loan_list(host, LOAN_PCI, plan->machine, owner, &loans, err);
	for (size_t i = 0; r == 0 && i < loans.n; i++) {
		const char *address = loans.items[i] + strlen(LOAN_PCI);
		for (size_t k = 0; k < pci->n_candidates; k++)
			if (is_one_of(host, &pci->candidates[k], address) &&
					try_and_tell(host, plan, pci, address, &reasons) == 0)
				return 0;
	}
	return r < 0 ? r : 1;
}

static int lend(const struct device_host *host, const struct plan *plan, const struct vm_pci *pci,
		struct error *err)
{
	CLEANUP(strv_done) struct strv reasons = {};
	int r = try_own(host, plan, pci, err);
	if (r <= 0)
		return r;
	for (size_t i = 0; i < pci->n_candidates; i++) {
		CLEANUP(strv_done) struct strv places = {};
		struct error reason = {};
		if (list_places(host, &pci->candidates[i], &places, &reason) < 0)
			strv_push(&reasons, reason.text);
		for (size_t k = 0; k < places.n; k++)
			if (try_and_tell(host, plan, pci, places.items[k], &reasons) == 0)
				return 0;
	}
	return tell_none(pci, &reasons, err);
}

int pci_lend(const struct device_host *host, const struct plan *plan, size_t i, struct error *err)
{
	const struct vm_pci *pci = &plan->pcis[i];
	CLEANUP(freep) char *what = pci_title(pci);
	CLEANUP(strv_done) struct strv owners = {};
	CLEANUP(lock_done) struct lock lock = {};
	for (size_t k = 0; k < plan->n_pcis; k++)
		strv_push_take(&owners, pci_owner(&plan->pcis[k]));
	int r = loan_lock(host, &lock, err);
	if (r == 0)
		r = loan_keep(host, LOAN_PCI, plan->machine, &owners, err);
	if (r == 0)
		r = lend(host, plan, pci, err);
	return r < 0 ? error_wrap(err, "%s", what) : 0;
}

/* ---- only looking ---- */

/* Returns 0, or 1 when the reason why not was added. What a machine has was free when it was lent,
 * and will be. */
static int look_at_place(const struct device_host *host, const struct plan *plan,
		const struct vm_pci *pci, const char *address, struct strv *reasons)
{
	CLEANUP(freep) char *name = pci_loan_name(address);
	CLEANUP(loan_done) struct loan loan = {};
	CLEANUP(strv_done) struct strv functions = {};
	struct error reason = {};
	list_functions(address, pci, &functions);
	if (loan_read(host, name, &loan, NULL) == 0 ||
			check_place(host, plan, pci, &functions, &reason) == 0)
		return 0;
	strv_push(reasons, reason.text);
	return 1;
}

/* The same for all places of a candidate. */
static int look_at(const struct device_host *host, const struct plan *plan,
		const struct vm_pci *pci, const struct vm_pci_candidate *c, struct strv *reasons)
{
	CLEANUP(strv_done) struct strv places = {};
	CLEANUP(freep) char *card = NULL;
	struct error reason = {};
	int64_t n = 1;
	int r = vm_pci_is_virtual(c) ? find_card(host, c, &card, &reason) : 0;
	if (r == 0 && card)
		r = sriov_check(host, card, c->virtual_functions, &n, &reason);
	/* They would be made. */
	if (r == 0 && n == 0)
		return 0;
	if (r == 0)
		r = list_places(host, c, &places, &reason);
	if (r < 0)
		strv_push(reasons, reason.text);
	for (size_t i = 0; r == 0 && i < places.n; i++)
		if (look_at_place(host, plan, pci, places.items[i], reasons) == 0)
			return 0;
	return 1;
}

int pci_look(const struct device_host *host, const struct plan *plan, size_t i, struct error *err)
{
	const struct vm_pci *pci = &plan->pcis[i];
	CLEANUP(freep) char *what = pci_title(pci);
	CLEANUP(strv_done) struct strv reasons = {};
	for (size_t k = 0; k < pci->n_candidates; k++)
		if (look_at(host, plan, pci, &pci->candidates[k], &reasons) == 0)
			return 0;
	(void)!tell_none(pci, &reasons, err);
	return error_wrap(err, "%s", what);
}
