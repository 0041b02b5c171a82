/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What follows from a machine without its config. */
#include "model/vm.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/ident.h"
#include "util/hash.h"
#include "util/mem.h"
#include "util/parse.h"

#define USER_NAME_MAX 31

void vm_done(struct vm *vm)
{
	arena_done(&vm->arena);
	*vm = (struct vm){};
}

static char *user_name(const char *prefix, const char *machine)
{
	CLEANUP(freep) char *name = xasprintf("%s%s", prefix, machine);
	if (strlen(name) <= USER_NAME_MAX && !strpbrk(name, ".:"))
		return take_ptr(name);

	uint8_t digest[8];
	struct shake shake;
	shake_init(&shake);
	shake_feed(&shake, name, strlen(name));
	shake_read(&shake, digest, sizeof(digest));
	shake_done(&shake);
	char digits[2 * sizeof(digest) + 1];
	format_hex(digest, sizeof(digest), HEX_LOWER, digits);
	return xasprintf("machina-%s", digits);
}

int64_t vm_n_processors(const struct vm *vm)
{
	return (int64_t)(vm->cpu.sockets ? vm->cpu.sockets : 1) *
	       (vm->cpu.cores ? vm->cpu.cores : 1) * (vm->cpu.threads ? vm->cpu.threads : 1);
}

bool vm_volume_is_cd(const struct vm_volume *volume)
{
	enum vm_bus bus = volume->type->bus;
	return bus == VM_BUS_CD_SATA || bus == VM_BUS_CD_SCSI || bus == VM_BUS_CD_USB;
}

bool vm_uses_vfio(const struct vm *vm)
{
	return vm->n_mdevs > 0 || vm->n_pcis > 0;
}

bool vm_pci_is_fixed(const struct vm_pci *pci)
{
	return pci->n_candidates == 1 && pci->candidates[0].address &&
	       !vm_pci_is_virtual(&pci->candidates[0]);
}

bool vm_pci_is_virtual(const struct vm_pci_candidate *candidate)
{
	return candidate->interface || candidate->virtual_functions;
}

bool vm_nic_has_link(const struct vm_nic *nic)
{
	return nic->mode != NETWORK_USER && nic->mode != NETWORK_VF &&
	       nic->mode != NETWORK_VHOST_USER;
}

char *vm_pci_function(const char *address, int64_t number)
{
	size_t len = strlen(address);
	return xasprintf("%.*s%" PRId64, (int)(len ? len - 1 : 0), address, number);
}

char *vm_user_name(const char *machine)
{
	return user_name("machina-", machine);
}

char *vm_tpm_user_name(const char *machine)
{
	return user_name("machina-tpm-", machine);
}

char *vm_passt_user_name(const char *machine, size_t i)
{
	CLEANUP(freep) char *both = xasprintf("%s:%zu", machine, i);
	return user_name("machina-passt-", both);
}

char *vm_share_user_name(const char *machine, const char *share)
{
	/* No name has a colon, so that no two shares are one. */
	CLEANUP(freep) char *both = xasprintf("%s:%s", machine, share);
	return user_name("machina-share-", both);
}

uint32_t vm_group_id(const struct vm *vm)
{
	const struct ident ident = { .machine_id = vm->uuid, .machine_name = vm->name };
	return vm->group_id ? vm->group_id : ident_group_id(&ident);
}

const char *const vm_seed_kind_names[] = {
	[VM_SEED_INSTANCE_ID] = "instance-id",
	[VM_SEED_HOSTNAME] = "hostname",
	[VM_SEED_USER] = "user",
	[VM_SEED_SUDO] = "sudo",
	[VM_SEED_GROUP] = "group",
	[VM_SEED_SHELL] = "shell",
	[VM_SEED_PASSWORD_FILE] = "password-hash-file",
	[VM_SEED_KEY] = "key",
	[VM_SEED_KEY_FILE] = "key-file",
	[VM_SEED_PACKAGE] = "package",
	[VM_SEED_UPGRADE] = "upgrade",
	[VM_SEED_RUN] = "run",
	[VM_SEED_NETWORK] = "network",
	[VM_SEED_USER_DATA] = "user-data",
	[VM_SEED_META_DATA] = "meta-data",
	[VM_SEED_NETWORK_CONFIG] = "network-config",
	[VM_SEED_VENDOR_DATA] = "vendor-data",
	NULL,
};

const char *vm_seed_key(enum vm_seed_kind kind)
{
	return kind == VM_SEED_GROUP				 ? "groups"
	       : kind == VM_SEED_PACKAGE			 ? "packages"
	       : kind == VM_SEED_KEY || kind == VM_SEED_KEY_FILE ? "ssh-authorized-keys"
								 : vm_seed_kind_names[kind];
}

bool vm_seed_is_path(enum vm_seed_kind kind)
{
	return kind == VM_SEED_PASSWORD_FILE || kind == VM_SEED_KEY_FILE ||
	       kind >= VM_SEED_USER_DATA;
}
