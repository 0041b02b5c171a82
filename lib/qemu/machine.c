/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine as a whole: identity, board, memory, clock, and how QEMU itself behaves. */
#include <inttypes.h>

#include "qemu/firmware.h"
#include "qemu/parts.h"
#include "util/parse.h"

/* The name that QEMU's own RAM has, so that saved states fit with and without a backend object. */
#define RAM_ID "pc.ram"

static bool has_ram_object(const struct vm *vm)
{
	return vm->memory.hugepages || vm->memory.shared;
}

void machine_add_identity(struct assembly *a)
{
	const struct vm *vm = a->vm;
	if (vm->has_uuid) {
		char uuid[UUID_TEXT_MAX];
		format_uuid(vm->uuid, uuid);
		assembly_word(a, SECTION_MACHINE, "-uuid", uuid);
	}
	struct props p = {};
	props_add(&p, "guest", vm->name);
	props_add(&p, "debug-threads", "on");
	assembly_option(a, SECTION_MACHINE, "-name", &p);
}

/*
 * Strings of SMBIOS (type 11), each read from a descriptor that holds name and content. A file that
 * holds the content alone can only be given to the guest in the other way that its systemd knows:
 * with the firmware's config.
 */
void machine_add_credentials(struct assembly *a)
{
	for (size_t i = 0; i < a->vm->n_credentials; i++) {
		const struct vm_credential *credential = &a->vm->credentials[i];
		CLEANUP(props_done) struct props p = {};
		if (a->form == QEMU_FORM_UNIT) {
			const char *name = arena_printf(&a->topology.arena, "credential.%zu", i);
			props_add(&p, "type", "11");
			props_addf(&p, "path", "/proc/self/fd/%d", assembly_fd(a, name)->number);
			assembly_option(a, SECTION_MACHINE, "-smbios", &p);
		} else {
			props_addf(&p, "name", "opt/io.systemd.credentials/%s", credential->name);
			props_add(&p, "file", credential->path);
			assembly_option(a, SECTION_MACHINE, "-fw_cfg", &p);
		}
	}
}

/* What QEMU is allowed to do, and that it starts from nothing. A panic of the guest is a failure,
 * which the unit's Restart= can act on. */
static void add_behaviour(struct assembly *a)
{
	assembly_flag(a, SECTION_MACHINE, "-nodefaults");
	assembly_flag(a, SECTION_MACHINE, "-no-user-config");
	assembly_flag(a, SECTION_MACHINE, "-nographic");

	struct props p = {};
	props_init(&p, "on");
	static const char *const denied[] = { "obsolete", "elevateprivileges", "spawn",
		"resourcecontrol" };
	for (size_t i = 0; i < ARRAY_SIZE(denied); i++)
		props_add(&p, denied[i], "deny");
	assembly_option(a, SECTION_MACHINE, "-sandbox", &p);

	props_add(&p, "panic", "exit-failure");
	assembly_option(a, SECTION_MACHINE, "-action", &p);
}

void machine_add_board(struct assembly *a)
{
	const struct vm *vm = a->vm;
	struct props p = {};
	props_init(&p, vm->accel == VM_ACCEL_KVM ? "kvm" : "tcg");
	/* Generated code is written through another mapping than it runs from: the unit forbids
	 * memory that is both writable and executable. */
	if (vm->accel == VM_ACCEL_TCG)
		props_add(&p, "split-wx", "on");
	assembly_option(a, SECTION_MACHINE, "-accel", &p);
	add_behaviour(a);

	props_add(&p, "type", vm->machine_type);
	if (vm->spice.enabled)
		props_add(&p, "vmport", "off");
	if (vm->firmware_code)
		props_add(&p, "pflash0", FIRMWARE_CODE_NODE);
	if (vm->firmware_vars)
		props_add(&p, "pflash1", FIRMWARE_VARS_NODE);
	if (has_ram_object(vm))
		props_add(&p, "memory-backend", RAM_ID);
	assembly_option(a, SECTION_MACHINE, "-machine", &p);
}

void machine_add_memory(struct assembly *a)
{
	const struct vm *vm = a->vm;
	struct props p = {};
	props_addf(&p, "size", "%" PRId64 "M", vm->memory.ram_mib);
	assembly_option(a, SECTION_MACHINE, "-m", &p);
	if (!has_ram_object(vm))
		return;
	props_init(&p, "memory-backend-memfd");
	props_add(&p, "id", RAM_ID);
	props_addf(&p, "size", "%" PRId64 "M", vm->memory.ram_mib);
	if (vm->memory.hugepages)
		props_add(&p, "hugetlb", "on");
	props_add(&p, "share", vm->memory.shared ? "on" : "off");
	assembly_option(a, SECTION_OBJECT, "-object", &p);
}

void machine_add_clock(struct assembly *a)
{
	struct props p = {};
	props_add(&p, "base", "utc");
	props_add(&p, "clock", "host");
	props_add(&p, "driftfix", "slew");
	assembly_option(a, SECTION_MACHINE, "-rtc", &p);
}
