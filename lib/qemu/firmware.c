/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the machine boots: flash images, boot order, a kernel given directly. */
#include "qemu/firmware.h"

#include "qemu/nodes.h"
#include "qemu/parts.h"

void firmware_add(struct assembly *a)
{
	const struct vm *vm = a->vm;
	if (vm->firmware_code) {
		nodes_add(a, vm->firmware_code, "firmware.code", FIRMWARE_CODE_NODE, NULL);
		/* Variables can be changed from system management mode alone. */
		CLEANUP(props_done) struct props p = {};
		props_add(&p, "driver", "cfi.pflash01");
		props_add(&p, "property", "secure");
		props_add(&p, "value", "on");
		assembly_option(a, SECTION_GLOBAL, "-global", &p);
		storage_add_firmware_cd(a, vm->firmware_code, FIRMWARE_CODE_NODE);
	}
	if (vm->firmware_vars) {
		nodes_add(a, vm->firmware_vars, "firmware.vars", FIRMWARE_VARS_NODE, NULL);
		storage_add_firmware_cd(a, vm->firmware_vars, FIRMWARE_VARS_NODE);
	}
}

/* -kernel and -initrd take no descriptor sets, and their paths are taken as they are. */
static void add_boot_file(struct assembly *a, const char *option, const char *fd_name)
{
	const struct plan_fd *fd = assembly_fd(a, fd_name);
	const char *path = fd->path;
	if (a->form == QEMU_FORM_UNIT)
		path = arena_printf(&a->topology.arena, "/proc/self/fd/%d", fd->number);
	assembly_word(a, SECTION_BOOT, option, path);
}

void firmware_add_boot(struct assembly *a)
{
	const struct vm *vm = a->vm;
	CLEANUP(props_done) struct props p = {};
	props_add(&p, "menu", "on");
	props_add(&p, "reboot-timeout", "5000");
	assembly_option(a, SECTION_BOOT, "-boot", &p);
	if (!vm->kernel)
		return;
	add_boot_file(a, "-kernel", "kernel");
	if (vm->initrd)
		add_boot_file(a, "-initrd", "initrd");
	if (vm->cmdline[0])
		assembly_word(a, SECTION_BOOT, "-append", vm->cmdline);
}
