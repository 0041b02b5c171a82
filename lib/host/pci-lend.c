/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding a PCI device that is free. */
#include <stdio.h>
#include <string.h>

#include "host/pci-parts.h"
#include "host/sysfs.h"
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
	return r < 0 ? r : 0;
}

/* What the machine has of it already, first. */
static int list_own(const struct device_host *host, const struct plan *plan,
		const struct vm_pci *pci, struct strv *ret, struct error *err)
{
	CLEANUP(freep) char *owner = pci_owner(pci);
	CLEANUP(strv_done) struct strv loans = {};
	int r = loan_list(host, "pci:", plan->machine, owner, &loans, err);
	for (size_t i = 0; i < loans.n; i++)
		strv_push(ret, loans.items[i] + strlen("pci:"));
	return r;
}

/* Those that the machine has come to the front. */
static void add_sorted(struct strv *list, struct strv *found, const struct strv *own)
{
	for (size_t pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < found->n; i++)
			if (strv_contains(own, found->items[i]) == (pass == 0) &&
					!strv_contains(list, found->items[i]))
				strv_push(list, found->items[i]);
}

/* @missing: a text for each candidate that is nowhere is appended */
static int list_places(const struct device_host *host, const struct plan *plan,
		const struct vm_pci *pci, struct strv *ret, struct strv *missing, struct error *err)
{
	CLEANUP(strv_done) struct strv own = {};
	CLEANUP(strv_done) struct strv found = {};
	int r = list_own(host, plan, pci, &own, err);
	for (size_t i = 0; r == 0 && i < pci->n_candidates; i++) {
		const struct vm_pci_candidate *c = &pci->candidates[i];
		size_t before = found.n;
		if (c->address)
			strv_push(&found, c->address);
		else
			r = list_by_ids(host, c, &found, err);
		if (r == 0 && found.n == before)
			strv_pushf(missing,
					"the host has no %s:%s ('lspci -Dnn' lists all devices)",
					c->vendor, c->device);
	}
	add_sorted(ret, &found, &own);
	return r;
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
					"are "
					"added ('lspci -Dnn' lists all devices)",
					address, buf_text(&vendor) + 2, buf_text(&device) + 2,
					c->vendor, c->device);
	}
	return 0;
}

/* How it was before; what an earlier loan says of that holds. */
static int write_loan(const struct device_host *host, const struct plan *plan,
		const struct vm_pci *pci, const char *address, size_t function, struct error *err)
{
	CLEANUP(freep) char *name = pci_loan_name(address);
	CLEANUP(freep) char *number = xasprintf("%zu", function);
	CLEANUP(freep) char *dir = pci_dir(host, address);
	CLEANUP(freep) char *driver = pci_driver(host, address);
	CLEANUP(freep) char *owner = pci_owner(pci);
	CLEANUP(buf_done) struct buf override = {};
	CLEANUP(loan_done) struct loan loan = {};
	int r = loan_read(host, name, &loan, err);
	if (r <= 0)
		return r;
	r = sysfs_read(dir, "driver_override", &override, err);
	if (r < 0)
		return error_wrap(err, "%s", address);
	loan_put(&loan, LOAN_MACHINE, plan->machine);
	loan_put(&loan, LOAN_OWNER, owner);
	loan_put(&loan, PCI_LOAN_FUNCTION, number);
	loan_put(&loan, PCI_LOAN_DRIVER, driver);
	if (strcmp(buf_text(&override), "(null)") != 0 && override.len)
		loan_put(&loan, PCI_LOAN_OVERRIDE, buf_text(&override));
	return loan_write(host, name, &loan, err);
}

static int try_place(const struct device_host *host, const struct plan *plan,
		const struct vm_pci *pci, const char *address, struct error *err)
{
	CLEANUP(strv_done) struct strv functions = {};
	list_functions(address, pci, &functions);
	int r = 0;
	for (size_t i = 0; r == 0 && i < functions.n; i++)
		r = pci_check_exists(host, functions.items[i], err);
	if (r == 0)
		r = check_ids(host, pci, address, err);
	for (size_t i = 0; r == 0 && i < functions.n; i++)
		r = pci_check(host, plan, functions.items[i], &functions, err);
	for (size_t i = 0; r == 0 && i < functions.n; i++)
		r = write_loan(host, plan, pci, functions.items[i], i, err);
	return r;
}

/* One that the machine has for another of its devices. */
static bool is_taken(const struct device_host *host, const struct vm_pci *pci, const char *address)
{
	CLEANUP(freep) char *name = pci_loan_name(address);
	CLEANUP(freep) char *owner = pci_owner(pci);
	CLEANUP(loan_done) struct loan loan = {};
	if (loan_read(host, name, &loan, NULL) != 0)
		return false;
	const char *whose = loan_get(&loan, LOAN_OWNER);
	return whose && strcmp(whose, owner) != 0;
}

/* ---- all of them ---- */

static int tell_none(const struct vm_pci *pci, const struct strv *reasons, struct error *err)
{
	CLEANUP(buf_done) struct buf text = {};
	if (reasons->n == 1)
		return error_set(err, ENODEV, "device '%s': %s", pci->name, reasons->items[0]);
	for (size_t i = 0; i < reasons->n; i++)
		buf_printf(&text, "%s%s", i ? "; " : "", reasons->items[i]);
	return error_set(err, ENODEV, "device '%s': no device of class '%s' is free: %s", pci->name,
			pci->class_name, buf_text(&text));
}

int pci_lend(const struct device_host *host, const struct plan *plan, size_t i, struct error *err)
{
	const struct vm_pci *pci = &plan->pcis[i];
	CLEANUP(strv_done) struct strv places = {};
	CLEANUP(strv_done) struct strv missing = {};
	CLEANUP(strv_done) struct strv reasons = {};
	CLEANUP(lock_done) struct lock lock = {};
	int r = loan_lock(host, &lock, err);
	if (r == 0)
		r = list_places(host, plan, pci, &places, &missing, err);
	if (r < 0)
		return error_wrap(err, "device '%s'", pci->name);
	for (size_t k = 0; k < places.n; k++) {
		struct error reason = {};
		if (is_taken(host, pci, places.items[k]))
			(void)!error_set(&reason, EBUSY, "%s is another device of this machine",
					places.items[k]);
		else if (try_place(host, plan, pci, places.items[k], &reason) == 0)
			return 0;
		strv_push(&reasons, reason.text);
	}
	strv_move(&reasons, &missing);
	return tell_none(pci, &reasons, err);
}
