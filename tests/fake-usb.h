/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * USB devices of the kernel in fake-kernel.h, each with a node and one interface:
 *
 *	kernel_bind_other = kernel_bind_usb;
 *	kernel_begin();
 *	kernel_usb(&(struct kernel_usb){ "1-2", "046d:c52b", .number = 4, .driver = "usbhid" });
 */
#pragma once

#include "fake-kernel.h"

struct kernel_usb {
	const char *port;
	const char *id;
	int number;	    /* of the device on its bus */
	const char *driver; /* of its interface; NULL: none */
	const char *class;  /* NULL: "00", each interface has one */
};

#define KERNEL_USB "sys/devices/pci0000:00/0000:00:14.0"

static inline char *kernel_usb_interface(const char *port)
{
	return xasprintf(KERNEL_USB "/%s/%s:1.0", port, port);
}

static inline int kernel_bind_usb(const char *driver, const char *interface)
{
	CLEANUP(freep) char *link = xasprintf("sys/bus/usb/devices/%s/driver", interface);
	CLEANUP(freep) char *to = xasprintf("sys/bus/usb/drivers/%s", driver);
	if (mode_at(link))
		return EBUSY;
	kernel_link(to, link);
	return 0;
}

/* In place of a driver: "usbfs", or NULL for none. */
static inline void kernel_usb_take(const char *port, const char *driver)
{
	CLEANUP(freep) char *interface = kernel_usb_interface(port);
	CLEANUP(freep) char *link = xasprintf("%s/driver", interface);
	CLEANUP(freep) char *to = xasprintf("sys/bus/usb/drivers/%s", driver ? driver : "");
	unlink(scratch_path(link));
	if (driver)
		kernel_link(to, link);
}

/* A node is the device's descriptor (USB 2.0, 9.6.1). */
static inline void kernel_usb_node(const char *port, const char *id, int number)
{
	unsigned vendor = 0, product = 0;
	CLEANUP(freep) char *node = xasprintf("dev/bus/usb/%03d/%03d", atoi(port), number);
	sscanf(id, "%x:%x", &vendor, &product);
	const unsigned char text[18] = { 18, 1, 0, 2, 0, 0, 0, 64, vendor & 0xff,
		(unsigned char)(vendor >> 8), product & 0xff, (unsigned char)(product >> 8) };
	put_bytes(node, text, sizeof(text));
}

static inline void kernel_usb(const struct kernel_usb *d)
{
	CLEANUP(freep) char *dir = xasprintf(KERNEL_USB "/%s", d->port);
	CLEANUP(freep) char *link = xasprintf("sys/bus/usb/devices/%s", d->port);
	CLEANUP(freep) char *interface = kernel_usb_interface(d->port);
	CLEANUP(freep) char *to = xasprintf("sys/bus/usb/devices/%s:1.0", d->port);
	CLEANUP(freep) char *bus = xasprintf("sys/bus/usb/devices/usb%d", atoi(d->port));
	CLEANUP(freep) char *number = xasprintf("%d\n", d->number);
	CLEANUP(freep) char *bus_number = xasprintf("%d\n", atoi(d->port));
	make_directory(dir);
	make_directory(interface);
	make_directory(bus);
	kernel_link(dir, link);
	kernel_link(interface, to);
	CLEANUP(freep) char *vendor = xasprintf("%.4s\n", d->id);
	CLEANUP(freep) char *product = xasprintf("%s\n", d->id + 5);
	kernel_put(vendor, "%s/idVendor", dir);
	kernel_put(product, "%s/idProduct", dir);
	kernel_put(bus_number, "%s/busnum", dir);
	kernel_put(number, "%s/devnum", dir);
	kernel_put(d->class ? d->class : "00\n", "%s/bDeviceClass", dir);
	kernel_put("1\n", "%s/authorized", dir);
	kernel_usb_node(d->port, d->id, d->number);
	if (!d->driver)
		return;
	kernel_put("", "sys/bus/usb/drivers/%s/bind", d->driver);
	kernel_usb_take(d->port, d->driver);
}
