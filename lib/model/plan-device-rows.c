/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of devices: each is followed by those that say where it may come from. */
#include "model/plan-devices.h"

static const struct word mdev_words[] = {
	WORD_NEEDED(vm_mdev, name, "name", TEXT),
	WORD_NEEDED(vm_mdev, class_name, "class", TEXT),
	WORD_NEEDED(vm_mdev, uuid, "uuid", TEXT),
	{},
};

static const struct word parent_words[] = {
	WORD_NEEDED(vm_mdev_parent, address, "address", TEXT),
	WORD_NEEDED(vm_mdev_parent, type_name, "type", TEXT),
	WORD(vm_mdev_parent, heterogeneous, "heterogeneous", BOOL),
	WORD_LIST(vm_mdev_parent, placements, n_placements, "placement", INTS),
	{},
};

static const struct word pci_words[] = {
	WORD_NEEDED(vm_pci, name, "name", TEXT),
	WORD_NEEDED(vm_pci, class_name, "class", TEXT),
	WORD_LIST(vm_pci, functions, n_functions, "function", INTS),
	{},
};

static const struct word vf_words[] = {
	WORD_NEEDED(vm_pci, name, "connection", TEXT),
	WORD_NEEDED(vm_pci, vf.network, "network", TEXT),
	WORD_NEEDED(vm_pci, vf.mac, "mac", TEXT),
	WORD(vm_pci, vf.vlan, "vlan", INT),
	WORD(vm_pci, vf.spoof_check, "spoof-check", BOOL),
	WORD(vm_pci, vf.trust, "trust", BOOL),
	{},
};

static const struct word candidate_words[] = {
	WORD(vm_pci_candidate, address, "address", TEXT),
	WORD(vm_pci_candidate, interface, "interface", TEXT),
	WORD(vm_pci_candidate, vendor, "vendor", TEXT),
	WORD(vm_pci_candidate, device, "device", TEXT),
	WORD(vm_pci_candidate, virtual_functions, "virtual-functions", INT64),
	{},
};

static const struct word usb_words[] = {
	WORD_NEEDED(vm_usb, name, "name", TEXT),
	WORD_NEEDED(vm_usb, class_name, "class", TEXT),
	{},
};

static const struct word plug_words[] = {
	WORD(vm_usb_candidate, id, "id", TEXT),
	WORD(vm_usb_candidate, port, "port", TEXT),
	{},
};

static int check_candidate(void *item, struct arena *arena, struct error *err)
{
	const struct vm_pci_candidate *c = item;
	(void)arena;
	return c->address || c->interface || (c->vendor && c->device)
			       ? 0
			       : error_set(err, EINVAL, "a 'candidate' is nowhere");
}

static int check_plug(void *item, struct arena *arena, struct error *err)
{
	const struct vm_usb_candidate *c = item;
	(void)arena;
	return c->id || c->port ? 0 : error_set(err, EINVAL, "a 'plug' is nowhere");
}

static const struct row_kind parents = { ROWS(vm_mdev, parents, "parent", parent_words) };
static const struct row_kind candidates = {
	ROWS(vm_pci, candidates, "candidate", candidate_words),
	.check = check_candidate,
};
static const struct row_kind plugs = {
	ROWS(vm_usb, candidates, "plug", plug_words),
	.check = check_plug,
};

static bool is_whole(const void *item)
{
	const struct vm_pci *pci = item;
	return pci->class_name != NULL;
}

const struct row_kind plan_device_kinds[] = {
	{ ROWS(plan, mdevs, "mdev", mdev_words), .part = &parents },
	{ ROWS(plan, pcis, "pci", pci_words), .part = &candidates, .has = is_whole },
	{ ROWS(plan, pcis, "vf", vf_words), .part = &candidates },
	{ ROWS(plan, usbs, "usb", usb_words), .part = &plugs },
	{},
};

int plan_check_device_rows(const struct plan *plan, struct error *err)
{
	for (size_t i = 0; i < plan->n_pcis; i++)
		if (!plan->pcis[i].n_candidates)
			return error_set(err, EINVAL, "a '%s' has no 'candidate'",
					plan->pcis[i].class_name ? "pci" : "vf");
	for (size_t i = 0; i < plan->n_usbs; i++) {
		const struct plan_fd *fd = plan_usb_fd(plan, i);
		if (!plan->usbs[i].n_candidates || !fd || fd->kind != PLAN_FD_USB)
			return error_set(err, EINVAL, "a 'usb' has no 'plug' or no 'usb-node'");
	}
	return 0;
}
