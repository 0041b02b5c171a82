/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Trusted Platform Module, emulated by a swtpm process at the other end of a socket. */
#include "qemu/chardev.h"
#include "qemu/parts.h"

void tpm_add(struct assembly *a)
{
	if (!a->vm->tpm.enabled)
		return;
	CLEANUP(props_done) struct props p = {};
	chardev_socket(a, &p, "tpm.0.socket", assembly_fd(a, "tpm"));
	assembly_option(a, SECTION_CHARDEV, "-chardev", &p);

	props_init(&p, "emulator");
	props_add(&p, "id", "tpm.0");
	props_add(&p, "chardev", "tpm.0.socket");
	assembly_option(a, SECTION_TPMDEV, "-tpmdev", &p);

	topology_skip_place(&a->topology);
	struct device *d = topology_add_other(&a->topology, NULL, "tpm-crb", "tpm.0.crb");
	props_add(&d->props, "tpmdev", "tpm.0");
}
