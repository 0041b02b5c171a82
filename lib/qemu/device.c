/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices without a subsystem of their own. */
#include <inttypes.h>
#include <string.h>

#include "qemu/chardev.h"
#include "qemu/controllers.h"
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

static const char *vfio_id(struct assembly *a)
{
	return arena_printf(&a->topology.arena, "vfio.%d", a->n_vfio++);
}

static void add_mdev(struct assembly *a, const struct vm_mdev *mdev)
{
	struct device *d = add_behind_port(a, "vfio-pci", vfio_id(a));
	props_addf(&d->props, "sysfsdev", "/sys/bus/mdev/devices/%s", mdev->uuid);
}

void device_put_host(struct assembly *a, struct device *d, size_t i, size_t function)
{
	const struct vm_pci *pci = &a->vm->pcis[i];
	const char *address = pci->candidates[0].address;
	bool is_known = address && !vm_pci_is_virtual(&pci->candidates[0]);
	if (vm_pci_is_fixed(pci) || (a->form == QEMU_FORM_STANDALONE && is_known)) {
		CLEANUP(freep)
		char *other = function ? vm_pci_function(address, pci->functions[function - 1])
				       : NULL;
		props_add(&d->props, "host", other ? other : address);
	} else {
		CLEANUP(freep) char *variable = plan_pci_variable(i, function);
		props_addf(&d->props, "host", "${%s}", variable);
	}
}

static void put_rom(struct assembly *a, struct device *d, size_t i)
{
	const struct vm_pci *pci = &a->vm->pcis[i];
	if (pci->no_rom_bar)
		props_add(&d->props, "rombar", "0");
	if (!pci->rom)
		return;
	const char *name = arena_printf(&a->topology.arena, "rom.%zu", i);
	if (a->form == QEMU_FORM_UNIT)
		props_addf(&d->props, "romfile", "/proc/self/fd/%d", assembly_fd(a, name)->number);
	else
		props_add(&d->props, "romfile", pci->rom);
}

/* One slot of the guest's, behind one port: the device is function 0, the others follow it. */
static void add_pci(struct assembly *a, size_t i)
{
	const struct vm_pci *pci = &a->vm->pcis[i];
	struct device *port = topology_add_port(&a->topology);
	for (size_t f = 0; f <= pci->n_functions; f++) {
		struct device *d = topology_add_behind(&a->topology, port, "vfio-pci", vfio_id(a));
		if (pci->n_functions)
			props_addf(&d->props, "addr", "0.%zu", f);
		if (pci->n_functions && f == 0)
			props_add(&d->props, "multifunction", "on");
		device_put_host(a, d, i, f);
		if (f > 0)
			continue;
		if (pci->vga)
			props_add(&d->props, "x-vga", "on");
		put_rom(a, d, i);
	}
}

/* All kinds in the order of their list. */
void device_add_host_devices(struct assembly *a)
{
	const struct vm *vm = a->vm;
	size_t m = 0, p = 0;
	/* Those of connections have their places there. */
	while (p < vm->n_pcis && !vm->pcis[p].class_name)
		p++;
	while (m < vm->n_mdevs || p < vm->n_pcis) {
		bool is_mdev = m < vm->n_mdevs &&
			       (p == vm->n_pcis || vm->mdevs[m].index <= vm->pcis[p].index);
		size_t index = is_mdev ? vm->mdevs[m].index : vm->pcis[p].index;
		if (is_mdev)
			add_mdev(a, &vm->mdevs[m++]);
		else
			add_pci(a, p++);
		assembly_check_room(a, arena_printf(&a->topology.arena, "/devices/%zu", index));
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

/* Each is served by a process of its own at the other end of a socket (virtio-fs, vhost-user). */
void device_add_shares(struct assembly *a)
{
	struct arena *arena = &a->topology.arena;
	for (size_t i = 0; i < a->vm->n_shares; i++) {
		const char *id = arena_printf(arena, "share.%zu", i);
		const char *socket = arena_printf(arena, "%s.socket", id);
		CLEANUP(props_done) struct props p = {};
		chardev_socket(a, &p, socket, assembly_fd(a, id));
		assembly_option(a, SECTION_CHARDEV, "-chardev", &p);
		struct device *d = add_behind_port(a, "vhost-user-fs-pci", id);
		props_add(&d->props, "chardev", socket);
		props_add(&d->props, "tag", a->vm->shares[i].name);
		assembly_check_room(a, arena_printf(arena, "/shares/%zu", i));
	}
}

/* Without a descriptor QEMU looks for the device by itself. */
static void put_place(struct device *d, const struct vm_usb_candidate *c)
{
	if (c->port) {
		size_t n = strcspn(c->port, "-");
		props_addf(&d->props, "hostbus", "%.*s", (int)n, c->port);
		props_add(&d->props, "hostport", c->port + n + 1);
	}
	if (c->id) {
		props_addf(&d->props, "vendorid", "0x%.4s", c->id);
		props_addf(&d->props, "productid", "0x%s", c->id + strlen("046d:"));
	}
}

void device_add_usb(struct assembly *a)
{
	for (size_t i = 0; i < a->vm->n_usbs; i++) {
		const struct vm_usb *usb = &a->vm->usbs[i];
		struct device *d = controllers_add_usb(a, "usb-host");
		if (a->form == QEMU_FORM_UNIT)
			props_addf(&d->props, "hostdevice", "/dev/fdset/%d",
					plan_usb_fd(a->plan, i)->set);
		else
			put_place(d, &usb->candidates[0]);
		assembly_check_room(
				a, arena_printf(&a->topology.arena, "/devices/%zu", usb->index));
	}
}

/* vsock(7), VMADDR_CID_HOST. */
#define VSOCK_HOST 2

/* Where the guest's systemd tells that it has booted: this is no secret. The host listens at the
 * port whose number is the guest's own, so that each machine has one. */
static void add_notify_socket(struct assembly *a)
{
	struct props p = {};
	props_add(&p, "type", "11");
	props_addf(&p, "value", "io.systemd.credential:vmm.notify_socket=vsock-stream:%d:%" PRIu32,
			VSOCK_HOST, a->vm->vsock.cid);
	assembly_option(a, SECTION_MACHINE, "-smbios", &p);
}

void device_add_vsock(struct assembly *a)
{
	if (!a->vm->vsock.enabled)
		return;
	struct device *d = add_behind_port(a, "vhost-vsock-pci", "vsock.0");
	props_addf(&d->props, "guest-cid", "%" PRIu32, a->vm->vsock.cid);
	if (a->form == QEMU_FORM_UNIT)
		props_addf(&d->props, "vhostfd", "%d", assembly_fd(a, PLAN_VSOCK)->number);
	assembly_check_room(a, "/attrs/vsock");
	if (a->vm->ready.when == VM_READY_NOTIFY && a->form == QEMU_FORM_UNIT)
		add_notify_socket(a);
}

void device_add_spare_ports(struct assembly *a)
{
	for (int i = 0; i < a->vm->spare_ports; i++)
		topology_add_port(&a->topology);
	assembly_check_room(a, "/attrs/machine/spare-ports");
}
