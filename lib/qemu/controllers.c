/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Controllers that devices share. */
#include "qemu/controllers.h"

#include <string.h>

/* The Go program's limits. QEMU's are: 255 targets of 16384 LUNs; 15 ports (hcd-xhci.h). */
#define SCSI_LUNS 28
#define USB_PORTS 15
#define USB_PORTS_MIN 4
#define SATA_PORTS 6

/* "scsi" for the first, "scsi1", "scsi2" for those after it. */
static const char *controller_id(struct assembly *a, const char *prefix, int n)
{
	return n ? arena_printf(&a->topology.arena, "%s%d", prefix, n) : prefix;
}

static struct device *add_controller(struct assembly *a, const char *driver, const char *id)
{
	struct topology *t = &a->topology;
	return topology_add_behind(t, topology_add_port(t), driver, id);
}

/* A device on bus 0 of @controller, with the id "CONTROLLER.0.NUMBER". */
static struct device *add_device(
		struct assembly *a, struct device *controller, const char *driver, int number)
{
	struct arena *arena = &a->topology.arena;
	struct device *d = topology_add_other(&a->topology, controller, driver,
			arena_printf(arena, "%s.0.%d", controller->id, number));
	props_addf(&d->props, "bus", "%s.0", controller->id);
	return d;
}

void controllers_use_iothread(struct assembly *a)
{
	if (a->controllers.iothread)
		return;
	a->controllers.iothread = true;
	struct props p = {};
	props_init(&p, "iothread");
	props_add(&p, "id", CONTROLLERS_IOTHREAD);
	assembly_option(a, SECTION_OBJECT, "-object", &p);
}

struct device *controllers_add_scsi(struct assembly *a, const char *driver)
{
	struct controllers *c = &a->controllers;
	if (!c->scsi || c->n_scsi_luns == SCSI_LUNS) {
		controllers_use_iothread(a);
		c->scsi = add_controller(
				a, "virtio-scsi-pci", controller_id(a, "scsi", c->n_scsi++));
		props_add(&c->scsi->props, "iothread", CONTROLLERS_IOTHREAD);
		props_add(&c->scsi->props, "num_queues", "4");
		c->n_scsi_luns = 0;
	}
	int lun = c->n_scsi_luns++;
	struct device *d = add_device(a, c->scsi, driver, lun);
	props_add(&d->props, "channel", "0");
	props_add(&d->props, "scsi-id", "0");
	props_addf(&d->props, "lun", "%d", lun);
	return d;
}

/* One port of each speed for each device. */
static void finish_usb(struct controllers *c)
{
	int n = c->n_usb_ports < USB_PORTS_MIN ? USB_PORTS_MIN : c->n_usb_ports;
	props_addf(&c->usb->props, "p2", "%d", n);
	props_addf(&c->usb->props, "p3", "%d", n);
}

struct device *controllers_add_usb(struct assembly *a, const char *driver)
{
	struct controllers *c = &a->controllers;
	if (c->usb && c->n_usb_ports == USB_PORTS) {
		finish_usb(c);
		c->usb = NULL;
	}
	if (!c->usb) {
		c->usb = add_controller(a, "qemu-xhci", controller_id(a, "usb", c->n_usb++));
		c->n_usb_ports = 0;
	}
	int port = ++c->n_usb_ports;
	struct device *d = add_device(a, c->usb, driver, port);
	props_addf(&d->props, "port", "%d", port);
	return d;
}

/*
 * Each bus takes one device. The Go program put every CD on bus 1, so that the first one
 * belongs there; disks keep out of its way as long as they can.
 */
static int sata_bus(const struct controllers *c, bool cd)
{
	static const unsigned char orders[2][SATA_PORTS] = {
		{ 0, 2, 3, 4, 5, 1 },
		{ 1, 2, 3, 4, 5, 0 },
	};
	for (size_t i = 0; i < SATA_PORTS; i++)
		if (!(c->sata_used & 1u << orders[cd][i]))
			return orders[cd][i];
	return -1;
}

struct device *controllers_add_sata(struct assembly *a, const char *driver)
{
	struct controllers *c = &a->controllers;
	bool cd = !strcmp(driver, "ide-cd");
	int bus = sata_bus(c, cd);
	if (bus < 0) {
		/* A controller of the chipset's kind, as part of the root complex like it. */
		c->sata = topology_add_integrated(
				&a->topology, "ich9-ahci", controller_id(a, "ahci", ++c->n_ahci));
		c->sata_used = 0;
		bus = sata_bus(c, cd);
	}
	c->sata_used |= 1u << bus;
	struct device *d = topology_add_other(&a->topology, c->sata, driver,
			arena_printf(&a->topology.arena, "sata.%d", a->n_sata++));
	props_addf(&d->props, "bus", "%s.%d", c->sata ? c->sata->id : "ide", bus);
	return d;
}

void controllers_add_serial_port(struct assembly *a, const char *chardev, const char *name)
{
	struct controllers *c = &a->controllers;
	if (!c->serial)
		c->serial = add_controller(a, "virtio-serial-pci", "serial");
	int n = c->n_serial_ports++;
	struct device *d = add_device(a, c->serial, "virtserialport", n);
	/* Port 0 is reserved for a console. */
	props_addf(&d->props, "nr", "%d", n + 1);
	props_add(&d->props, "chardev", chardev);
	props_add(&d->props, "name", name);
}

void controllers_finish(struct assembly *a)
{
	if (a->controllers.usb)
		finish_usb(&a->controllers);
}
