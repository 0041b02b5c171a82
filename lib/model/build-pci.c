/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices of a class of "pci-device": where on the host they may be found. */
#include <inttypes.h>
#include <string.h>

#include "model/build.h"
#include "util/mem.h"

#define PCI_ERROR(b, conf, key, ...)                                                               \
	build_entry_error((b), "pci-device", (conf)->name, (key), __VA_ARGS__)

static bool is_set(const char *text)
{
	return text && text[0];
}

static void check_place(struct build *b, const struct pci_device_conf *conf)
{
	const struct jlist *maps[] = { &b->host->conf.mediated_device, &b->host->conf.mdev };
	bool vendor = is_set(conf->vendor), device = is_set(conf->device);
	if (vendor != device)
		PCI_ERROR(b, conf, vendor ? "vendor" : "device",
				"\"vendor\" and \"device\" are needed together");
	else if (!is_set(conf->address) && !vendor)
		PCI_ERROR(b, conf, "address",
				"a PCI device needs \"address\", or \"vendor\" and \"device\"");
	for (size_t m = 0; is_set(conf->address) && m < ARRAY_SIZE(maps); m++) {
		const struct mdev_conf *mdevs = maps[m]->items;
		for (size_t i = 0; i < maps[m]->n; i++)
			if (mdevs[i].address && !strcasecmp(mdevs[i].address, conf->address))
				PCI_ERROR(b, conf, "address",
						"%s is the mediated device '%s', too: it cannot be "
						"given away as a whole",
						conf->address, mdevs[i].name);
	}
}

static void check_functions(struct build *b, const struct pci_device_conf *conf)
{
	if (conf->virtual_functions && !is_set(conf->address))
		PCI_ERROR(b, conf, "virtual-functions",
				"virtual functions need the \"address\" of their device");
	if (conf->virtual_functions && conf->functions.n)
		PCI_ERROR(b, conf, "functions",
				"virtual functions are given away one by one: there are no others "
				"that go with them");
	unsigned seen = 0;
	if (is_set(conf->address))
		seen = 1u << (conf->address[strlen(conf->address) - 1] - '0');
	for (size_t i = 0; i < conf->functions.n; i++) {
		unsigned bit = 1u << conf->functions.items[i];
		if (seen & bit)
			PCI_ERROR(b, conf, "functions",
					"function %" PRId64 " is there already: \"functions\" are "
					"those beside the device itself",
					conf->functions.items[i]);
		seen |= bit;
	}
}

static bool has_same_functions(
		const struct pci_device_conf *one, const struct pci_device_conf *other)
{
	if (one->functions.n != other->functions.n)
		return false;
	for (size_t i = 0; i < one->functions.n; i++)
		if (one->functions.items[i] != other->functions.items[i])
			return false;
	return true;
}

/* QEMU's arguments are written before it is known which of them it will be. */
static void check_alike(struct build *b, const struct pci_device_conf *first,
		const struct pci_device_conf *other, const char *class_name)
{
	const char *rom = other->rom ? other->rom : "";
	const char *key = !has_same_functions(first, other) ? "functions"
			  : strcmp(first->rom ? first->rom : "", rom) ? "rom"
			  : first->rom_bar != other->rom_bar ? "rom-bar"
			  : first->vga != other->vga	     ? "vga"
							     : NULL;
	if (key)
		PCI_ERROR(b, other, key,
				"class '%s' is offered by '%s' as well, which differs in \"%s\": "
				"the guest has to see the same, whichever it gets",
				class_name, first->name, key);
}

/* Those that are known by their ids alone come last, in the order of the file. */
static bool comes_before(const struct vm_pci_candidate *a, const struct vm_pci_candidate *b)
{
	if (!a->address || !b->address)
		return a->address && !b->address;
	return strcmp(a->address, b->address) < 0;
}

static void insert(struct vm_pci_candidate *list, size_t n, const struct vm_pci_candidate *new)
{
	for (; n > 0 && comes_before(new, &list[n - 1]); n--)
		list[n] = list[n - 1];
	list[n] = *new;
}

static void copy_entry(struct build *b, const struct pci_device_conf *conf, struct vm_pci *pci)
{
	int64_t *functions = arena_array(&b->vm->arena, conf->functions.n, sizeof(*functions));
	if (conf->functions.n)
		memcpy(functions, conf->functions.items, conf->functions.n * sizeof(*functions));
	pci->functions = functions;
	pci->n_functions = conf->functions.n;
	pci->rom = is_set(conf->rom) ? build_text(b, conf->rom) : NULL;
	pci->no_rom_bar = !conf->rom_bar;
	pci->vga = conf->vga;
}

void build_pci_classes(const struct build *b, struct strv *names)
{
	const struct pci_device_conf *items = b->host->conf.pci_device.items;
	for (size_t i = 0; i < b->host->conf.pci_device.n; i++)
		build_gather(names, &items[i].classes);
}

void build_vf(struct build *b, const struct network_conf *network, const struct vm_nic *nic,
		size_t index)
{
	struct vm_pci_candidate *candidate = ARENA_NEW(&b->vm->arena, struct vm_pci_candidate);
	const char *device = build_text(b, network->device);
	if (!device[0])
		build_network_error(b, network, "device",
				"a network of \"mode\": \"vf\" needs \"device\": the interface of "
				"a card with virtual functions");
	*candidate = (struct vm_pci_candidate){
		.interface = device,
		.virtual_functions = network->virtual_functions,
	};
	b->vm->pcis[b->vm->n_pcis++] = (struct vm_pci){
		.name = nic->name,
		.candidates = candidate,
		.n_candidates = 1,
		.index = index,
		.vf = {
			.network = nic->network,
			.mac = nic->mac,
			.vlan = nic->vlan,
			.spoof_check = network->spoof_check,
			.trust = network->trust,
		},
	};
}

void build_pci(struct build *b, const struct device_conf *conf, const char *pointer, size_t index)
{
	const struct pci_device_conf *items = b->host->conf.pci_device.items, *first = NULL;
	size_t n = b->host->conf.pci_device.n;
	struct vm_pci_candidate *candidates = arena_array(&b->vm->arena, n, sizeof(*candidates));
	struct vm_pci *pci = &b->vm->pcis[b->vm->n_pcis++];
	*pci = (struct vm_pci){
		.name = build_text(b, conf->name),
		.class_name = build_text(b, conf->class_name),
		.candidates = candidates,
		.index = index,
	};
	for (size_t i = 0; i < n; i++) {
		if (!build_lists(&items[i].classes, pci->class_name))
			continue;
		check_place(b, &items[i]);
		check_functions(b, &items[i]);
		if (first)
			check_alike(b, first, &items[i], pci->class_name);
		else
			copy_entry(b, &items[i], pci);
		first = first ? first : &items[i];
		const struct vm_pci_candidate candidate = {
			.address = build_lower(b, items[i].address),
			.vendor = build_lower(b, items[i].vendor),
			.device = build_lower(b, items[i].device),
			.virtual_functions = items[i].virtual_functions,
		};
		insert(candidates, pci->n_candidates++, &candidate);
	}
	if (pci->vga && b->vm->display != VM_DISPLAY_NONE) {
		CLEANUP(freep) char *at = xasprintf("%s/class", pointer);
		BUILD_ADVICE(b, at,
				"the guest has two VGA adapters: this one and the one of "
				"\"display\"; \"display\": \"none\" leaves this one");
	}
}
