/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of devices: each is followed by those that say where it may come from. */
#include <string.h>

#include "model/plan-devices.h"
#include "model/words.h"

static const struct word mdev_words[] = {
	WORD(vm_mdev, name, "name", TEXT),
	WORD(vm_mdev, class_name, "class", TEXT),
	WORD(vm_mdev, uuid, "uuid", TEXT),
	{},
};

static const struct word parent_words[] = {
	WORD(vm_mdev_parent, address, "address", TEXT),
	WORD(vm_mdev_parent, type_name, "type", TEXT),
	WORD(vm_mdev_parent, heterogeneous, "heterogeneous", BOOL),
	WORD_LIST(vm_mdev_parent, placements, n_placements, "placement"),
	{},
};

static const struct word pci_words[] = {
	WORD(vm_pci, name, "name", TEXT),
	WORD(vm_pci, class_name, "class", TEXT),
	WORD_LIST(vm_pci, functions, n_functions, "function"),
	{},
};

static const struct word vf_words[] = {
	WORD(vm_pci, name, "connection", TEXT),
	WORD(vm_pci, vf.network, "network", TEXT),
	WORD(vm_pci, vf.mac, "mac", TEXT),
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
	WORD(vm_usb, name, "name", TEXT),
	WORD(vm_usb, class_name, "class", TEXT),
	{},
};

static const struct word plug_words[] = {
	WORD(vm_usb_candidate, id, "id", TEXT),
	WORD(vm_usb_candidate, port, "port", TEXT),
	{},
};

static void put(const char *kind, const struct word *table, const void *object, struct strv *out)
{
	strv_push(out, kind);
	words_put(table, object, out);
}

size_t plan_n_device_rows(const struct plan *plan)
{
	size_t n = plan->n_mdevs + plan->n_pcis + plan->n_usbs;
	for (size_t i = 0; i < plan->n_mdevs; i++)
		n += plan->mdevs[i].n_parents;
	for (size_t i = 0; i < plan->n_pcis; i++)
		n += plan->pcis[i].n_candidates;
	for (size_t i = 0; i < plan->n_usbs; i++)
		n += plan->usbs[i].n_candidates;
	return n;
}

void plan_device_row(const struct plan *plan, size_t i, struct strv *out)
{
	for (size_t k = 0; k < plan->n_mdevs; k++) {
		const struct vm_mdev *mdev = &plan->mdevs[k];
		if (i == 0) {
			put("mdev", mdev_words, mdev, out);
			return;
		}
		if (i <= mdev->n_parents) {
			put("parent", parent_words, &mdev->parents[i - 1], out);
			return;
		}
		i -= 1 + mdev->n_parents;
	}
	for (size_t k = 0; k < plan->n_pcis; k++) {
		const struct vm_pci *pci = &plan->pcis[k];
		if (i == 0) {
			put(pci->class_name ? "pci" : "vf", pci->class_name ? pci_words : vf_words,
					pci, out);
			return;
		}
		if (i <= pci->n_candidates) {
			put("candidate", candidate_words, &pci->candidates[i - 1], out);
			return;
		}
		i -= 1 + pci->n_candidates;
	}
	for (size_t k = 0; k < plan->n_usbs; k++) {
		const struct vm_usb *usb = &plan->usbs[k];
		if (i == 0) {
			put("usb", usb_words, usb, out);
			return;
		}
		if (i <= usb->n_candidates) {
			put("plug", plug_words, &usb->candidates[i - 1], out);
			return;
		}
		i -= 1 + usb->n_candidates;
	}
}

static int parse_mdev(struct plan *plan, const struct strv *words, struct error *err)
{
	plan->mdevs = words_append(&plan->arena, plan->mdevs, plan->n_mdevs, sizeof(*plan->mdevs));
	return words_parse(mdev_words, words, &plan->mdevs[plan->n_mdevs++], &plan->arena, err);
}

static int parse_parent(struct plan *plan, const struct strv *words, struct error *err)
{
	if (!plan->n_mdevs)
		return error_set(err, EINVAL, "a 'parent' comes before any 'mdev'");
	struct vm_mdev *mdev = &plan->mdevs[plan->n_mdevs - 1];
	struct vm_mdev_parent *parents = words_append(
			&plan->arena, mdev->parents, mdev->n_parents, sizeof(*parents));
	mdev->parents = parents;
	return words_parse(parent_words, words, &parents[mdev->n_parents++], &plan->arena, err);
}

static int add_pci(struct plan *plan, const struct word *table, const struct strv *words,
		struct error *err)
{
	plan->pcis = words_append(&plan->arena, plan->pcis, plan->n_pcis, sizeof(*plan->pcis));
	return words_parse(table, words, &plan->pcis[plan->n_pcis++], &plan->arena, err);
}

static int parse_pci(struct plan *plan, const struct strv *words, struct error *err)
{
	return add_pci(plan, pci_words, words, err);
}

static int parse_vf(struct plan *plan, const struct strv *words, struct error *err)
{
	return add_pci(plan, vf_words, words, err);
}

static int parse_candidate(struct plan *plan, const struct strv *words, struct error *err)
{
	if (!plan->n_pcis)
		return error_set(err, EINVAL, "a 'candidate' comes before any 'pci' or 'vf'");
	struct vm_pci *pci = &plan->pcis[plan->n_pcis - 1];
	struct vm_pci_candidate *candidates = words_append(
			&plan->arena, pci->candidates, pci->n_candidates, sizeof(*candidates));
	pci->candidates = candidates;
	return words_parse(candidate_words, words, &candidates[pci->n_candidates++], &plan->arena,
			err);
}

static int parse_usb(struct plan *plan, const struct strv *words, struct error *err)
{
	plan->usbs = words_append(&plan->arena, plan->usbs, plan->n_usbs, sizeof(*plan->usbs));
	return words_parse(usb_words, words, &plan->usbs[plan->n_usbs++], &plan->arena, err);
}

static int parse_plug(struct plan *plan, const struct strv *words, struct error *err)
{
	if (!plan->n_usbs)
		return error_set(err, EINVAL, "a 'plug' comes before any 'usb'");
	struct vm_usb *usb = &plan->usbs[plan->n_usbs - 1];
	struct vm_usb_candidate *plugs = words_append(
			&plan->arena, usb->candidates, usb->n_candidates, sizeof(*plugs));
	usb->candidates = plugs;
	return words_parse(plug_words, words, &plugs[usb->n_candidates++], &plan->arena, err);
}

int plan_parse_device_row(struct plan *plan, const struct strv *words, struct error *err)
{
	static const struct {
		const char *kind;
		int (*parse)(struct plan *plan, const struct strv *words, struct error *err);
	} kinds[] = {
		{ "mdev", parse_mdev },
		{ "parent", parse_parent },
		{ "pci", parse_pci },
		{ "vf", parse_vf },
		{ "candidate", parse_candidate },
		{ "usb", parse_usb },
		{ "plug", parse_plug },
	};
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(words->items[0], kinds[i].kind))
			return kinds[i].parse(plan, words, err);
	return 1;
}

static int check_usbs(const struct plan *plan, struct error *err)
{
	for (size_t i = 0; i < plan->n_usbs; i++) {
		const struct vm_usb *usb = &plan->usbs[i];
		const struct plan_fd *fd = plan_usb_fd(plan, i);
		if (!usb->name || !usb->class_name || !usb->n_candidates || !fd ||
				fd->kind != PLAN_FD_USB)
			return error_set(err, EINVAL, "a 'usb' lacks what it needs");
		for (size_t k = 0; k < usb->n_candidates; k++)
			if (!usb->candidates[k].id && !usb->candidates[k].port)
				return error_set(err, EINVAL, "a 'plug' is nowhere");
	}
	return 0;
}

int plan_check_device_rows(const struct plan *plan, struct error *err)
{
	for (size_t i = 0; i < plan->n_mdevs; i++) {
		const struct vm_mdev *mdev = &plan->mdevs[i];
		if (!mdev->uuid || !mdev->name || !mdev->class_name)
			return error_set(err, EINVAL, "an 'mdev' lacks what it needs");
		for (size_t k = 0; k < mdev->n_parents; k++)
			if (!mdev->parents[k].address || !mdev->parents[k].type_name)
				return error_set(err, EINVAL,
						"a 'parent' has no 'address' or no 'type'");
	}
	for (size_t i = 0; i < plan->n_pcis; i++) {
		const struct vm_pci *pci = &plan->pcis[i];
		bool is_vf = pci->vf.network != NULL;
		if (!pci->name || !pci->n_candidates || (!is_vf && !pci->class_name) ||
				(is_vf && !pci->vf.mac))
			return error_set(err, EINVAL, "a '%s' lacks what it needs",
					is_vf ? "vf" : "pci");
		for (size_t k = 0; k < pci->n_candidates; k++) {
			const struct vm_pci_candidate *c = &pci->candidates[k];
			if (!c->address && !c->interface && (!c->vendor || !c->device))
				return error_set(err, EINVAL, "a 'candidate' is nowhere");
		}
	}
	return check_usbs(plan, err);
}
