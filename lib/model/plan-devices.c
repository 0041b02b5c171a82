/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The devices of a plan: copies of the machine's. */
#include "model/plan-devices.h"

#include <string.h>

#include "util/mem.h"

static const char *copy_text(struct arena *arena, const char *text)
{
	return text ? arena_strdup(arena, text) : NULL;
}

static const int64_t *copy_numbers(struct arena *arena, const int64_t *from, size_t n)
{
	int64_t *copy = arena_array(arena, n, sizeof(*copy));
	if (n)
		memcpy(copy, from, n * sizeof(*copy));
	return copy;
}

static const struct vm_mdev_parent *copy_parents(struct arena *a, const struct vm_mdev *from)
{
	struct vm_mdev_parent *copy = arena_array(a, from->n_parents, sizeof(*copy));
	for (size_t i = 0; i < from->n_parents; i++) {
		const struct vm_mdev_parent *p = &from->parents[i];
		copy[i] = (struct vm_mdev_parent){
			.address = arena_strdup(a, p->address),
			.type_name = arena_strdup(a, p->type_name),
			.heterogeneous = p->heterogeneous,
			.placements = copy_numbers(a, p->placements, p->n_placements),
			.n_placements = p->n_placements,
		};
	}
	return copy;
}

static const struct vm_pci_candidate *copy_candidates(struct arena *a, const struct vm_pci *from)
{
	struct vm_pci_candidate *copy = arena_array(a, from->n_candidates, sizeof(*copy));
	for (size_t i = 0; i < from->n_candidates; i++) {
		const struct vm_pci_candidate *c = &from->candidates[i];
		copy[i] = (struct vm_pci_candidate){
			.address = copy_text(a, c->address),
			.vendor = copy_text(a, c->vendor),
			.device = copy_text(a, c->device),
			.interface = copy_text(a, c->interface),
			.virtual_functions = c->virtual_functions,
		};
	}
	return copy;
}

static const struct vm_usb_candidate *copy_plugs(struct arena *a, const struct vm_usb *from)
{
	struct vm_usb_candidate *copy = arena_array(a, from->n_candidates, sizeof(*copy));
	for (size_t i = 0; i < from->n_candidates; i++)
		copy[i] = (struct vm_usb_candidate){
			.id = copy_text(a, from->candidates[i].id),
			.port = copy_text(a, from->candidates[i].port),
		};
	return copy;
}

static void add_usbs(struct plan *plan, const struct vm *vm)
{
	struct arena *a = &plan->arena;
	plan->usbs = arena_array(a, vm->n_usbs, sizeof(*plan->usbs));
	plan->n_usbs = vm->n_usbs;
	for (size_t i = 0; i < vm->n_usbs; i++) {
		const struct vm_usb *from = &vm->usbs[i];
		plan->usbs[i] = *from;
		plan->usbs[i].name = arena_strdup(a, from->name);
		plan->usbs[i].class_name = arena_strdup(a, from->class_name);
		plan->usbs[i].candidates = copy_plugs(a, from);
	}
}

void plan_add_devices(struct plan *plan, const struct vm *vm)
{
	struct arena *a = &plan->arena;
	plan->mdevs = arena_array(a, vm->n_mdevs, sizeof(*plan->mdevs));
	plan->n_mdevs = vm->n_mdevs;
	for (size_t i = 0; i < vm->n_mdevs; i++) {
		const struct vm_mdev *from = &vm->mdevs[i];
		plan->mdevs[i] = *from;
		plan->mdevs[i].name = arena_strdup(a, from->name);
		plan->mdevs[i].class_name = arena_strdup(a, from->class_name);
		plan->mdevs[i].uuid = arena_strdup(a, from->uuid);
		plan->mdevs[i].parents = copy_parents(a, from);
	}
	plan->pcis = arena_array(a, vm->n_pcis, sizeof(*plan->pcis));
	plan->n_pcis = vm->n_pcis;
	for (size_t i = 0; i < vm->n_pcis; i++) {
		const struct vm_pci *from = &vm->pcis[i];
		plan->pcis[i] = *from;
		plan->pcis[i].name = arena_strdup(a, from->name);
		plan->pcis[i].class_name = copy_text(a, from->class_name);
		plan->pcis[i].vf.network = copy_text(a, from->vf.network);
		plan->pcis[i].vf.mac = copy_text(a, from->vf.mac);
		plan->pcis[i].rom = copy_text(a, from->rom);
		plan->pcis[i].functions = copy_numbers(a, from->functions, from->n_functions);
		plan->pcis[i].candidates = copy_candidates(a, from);
	}
	add_usbs(plan, vm);
}

char *plan_pci_variable(size_t i, size_t function)
{
	return xasprintf("MACHINA_PCI_%zu_%zu", i, function);
}
