/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtual functions as network cards of machines, and as they were before. */
#include <string.h>

#include "host/device/pci-parts.h"
#include "host/device/sriov.h"
#include "host/device/vf.h"
#include "util/mem.h"
#include "util/parse.h"

/* Keys of a loan: how the card treated the function before. */
#define MAC "mac"
#define VLAN "vlan"
#define SPOOF_CHECK "spoof-check"
#define TRUST "trust"

struct function {
	char *interface;
	unsigned number;
};

static void function_done(struct function *f)
{
	free(f->interface);
}

static int find(const struct device_host *host, const char *address, struct function *ret,
		struct error *err)
{
	CLEANUP(freep) char *physical = NULL;
	if (!sriov_physical(host, address, &physical, &ret->number))
		return error_set(err, ENODEV, "%s is no virtual function", address);
	ret->interface = sriov_interface(host, physical);
	if (!ret->interface || !host->functions)
		return error_set(err, ENODEV,
				"%s has no interface that could set up its virtual function %u (is "
				"its driver loaded?)",
				physical, ret->number);
	return 0;
}

static void put_number(struct loan *loan, const char *key, int value)
{
	CLEANUP(freep) char *text = xasprintf("%d", value);
	loan_put(loan, key, text);
}

/* Before anything is changed. What an earlier start has noted holds. */
static int note(const struct device_host *host, const char *address, const struct vf_settings *now,
		struct error *err)
{
	CLEANUP(freep) char *name = pci_loan_name(address);
	CLEANUP(loan_done) struct loan loan = {};
	char mac[MAC_TEXT_MAX];
	format_mac(now->mac, mac);
	int r = loan_read(host, name, &loan, err);
	if (r != 0 || loan_get(&loan, MAC))
		return r < 0 ? r : 0;
	loan_put(&loan, MAC, mac);
	put_number(&loan, VLAN, now->vlan);
	put_number(&loan, SPOOF_CHECK, now->spoof_check);
	put_number(&loan, TRUST, now->trust);
	return loan_write(host, name, &loan, err);
}

int pci_set_up_function(const struct device_host *host, const struct vm_pci *pci,
		const char *address, struct error *err)
{
	CLEANUP(function_done) struct function f = {};
	struct vf_settings now = {}, wanted = {
		.vlan = pci->vf.vlan,
		.spoof_check = pci->vf.spoof_check,
		.trust = pci->vf.trust,
	};
	int r = find(host, address, &f, err);
	if (r == 0 && parse_mac(pci->vf.mac, wanted.mac) < 0)
		r = error_set(err, EINVAL, "'%s' is not a MAC address", pci->vf.mac);
	const struct vf_access *a = host->functions;
	if (r == 0)
		r = a->get(a->data, f.interface, f.number, &now, err);
	if (r == 0)
		r = note(host, address, &now, err);
	return r == 0 ? a->set(a->data, f.interface, f.number, &now, &wanted, err) : r;
}

static int number_of(const struct loan *loan, const char *key, int standard)
{
	const char *text = loan_get(loan, key);
	int value;
	return text && parse_int(text, -1, 65535, &value) == 0 ? value : standard;
}

/* Some drivers take no zeros, which is what a function begins with, for an address (qede, be2net,
 * cxgb4). Nothing has the machine's then: the next one that gets the function sets its own. */
static int set_back(const struct vf_access *a, const struct function *f,
		const struct vf_settings *now, struct vf_settings *before, struct error *err)
{
	static const uint8_t zeros[LINK_ADDRESS_LEN];
	struct error failure = {};
	int r = a->set(a->data, f->interface, f->number, now, before, &failure);
	if (r >= 0)
		return r;
	if (memcmp(before->mac, zeros, sizeof(zeros)) != 0)
		return error_set(err, failure.code, "%s", failure.text);
	memcpy(before->mac, now->mac, sizeof(now->mac));
	return a->set(a->data, f->interface, f->number, now, before, err);
}

int pci_restore_function(const struct device_host *host, const char *address,
		const struct loan *loan, struct error *err)
{
	CLEANUP(function_done) struct function f = {};
	const char *mac = loan_get(loan, MAC);
	struct vf_settings now = {}, before = {
		.vlan = number_of(loan, VLAN, 0),
		.spoof_check = number_of(loan, SPOOF_CHECK, -1),
		.trust = number_of(loan, TRUST, -1),
	};
	if (!mac || parse_mac(mac, before.mac) < 0)
		return 0;
	int r = find(host, address, &f, err);
	const struct vf_access *a = host->functions;
	if (r == 0)
		r = a->get(a->data, f.interface, f.number, &now, err);
	return r == 0 ? set_back(a, &f, &now, &before, err) : r;
}
