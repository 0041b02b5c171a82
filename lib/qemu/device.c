/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices without a subsystem of their own. */
#include "qemu/parts.h"

static struct device *add_behind_port(struct assembly *a, const char *driver, const char *id)
{
	return topology_add_behind(&a->topology, topology_add_port(&a->topology), driver, id);
}

/* Always the first: its place is what all others count from. */
void device_add_panic(struct assembly *a)
{
	topology_add_integrated(&a->topology, "pvpanic-pci", "panic.0");
}

void device_add_mdevs(struct assembly *a)
{
	struct arena *arena = &a->topology.arena;
	for (size_t i = 0; i < a->vm->n_mdevs; i++) {
		struct device *d =
				add_behind_port(a, "vfio-pci", arena_printf(arena, "vfio.%zu", i));
		props_addf(&d->props, "sysfsdev", "/sys/bus/mdev/devices/%s", a->vm->mdevs[i].uuid);
		assembly_check_room(a, arena_printf(arena, "/devices/%zu", i));
	}
}

void device_add_rng(struct assembly *a)
{
	if (!a->vm->rng)
		return;
	/* QEMU's own generator, from getrandom(2): no device file has to be in reach. */
	CLEANUP(props_done) struct props p = {};
	props_init(&p, "rng-builtin");
	props_add(&p, "id", "rng.0.source");
	assembly_option(a, SECTION_OBJECT, "-object", &p);
	struct device *d = add_behind_port(a, "virtio-rng-pci", "rng.0");
	props_add(&d->props, "rng", "rng.0.source");
	assembly_check_room(a, "/attrs/rng");
}

void device_add_balloon(struct assembly *a)
{
	if (!a->vm->balloon)
		return;
	add_behind_port(a, "virtio-balloon-pci", "balloon.0");
	assembly_check_room(a, "/attrs/balloon");
}

void device_add_spare_ports(struct assembly *a)
{
	for (int i = 0; i < a->vm->spare_ports; i++)
		topology_add_port(&a->topology);
	assembly_check_room(a, "/attrs/machine/spare-ports");
}
