/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding, lending and giving back USB devices. */
#include "host/device/usb.h"

#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "host/device/device-use.h"
#include "host/device/loan.h"
#include "host/os/clock.h"
#include "host/os/sysfs.h"
#include "util/file.h"
#include "util/mem.h"
#include "util/parse.h"

/* Key of a loan: the driver of an interface, "driver 1-2:1.0". */
#define LOAN_DRIVER "driver "
/* Has the interface of whoever opened the node (drivers/usb/core/devio.c). */
#define NODE_DRIVER "usbfs"
/* For the kernel to take interfaces back from a process that has ended. */
#define RELEASE_USEC (500 * USEC_PER_MSEC)
#define RELEASE_EVERY_USEC (20 * USEC_PER_MSEC)
#define HUB_CLASS "09"

/* ---- what is plugged in ---- */

static char *devices_dir(const struct device_host *host)
{
	return xasprintf("%s/bus/usb/devices", host->sys);
}

static char *port_dir(const struct device_host *host, const char *port)
{
	return xasprintf("%s/bus/usb/devices/%s", host->sys, port);
}

/* "046d:c52b"; "" for what is no device. The caller frees it. */
static char *read_id(const struct device_host *host, const char *port)
{
	CLEANUP(freep) char *dir = port_dir(host, port);
	CLEANUP(buf_done) struct buf id = {};
	if (sysfs_read(dir, "idVendor", &id, NULL) < 0)
		return xstrdup("");
	buf_putc(&id, ':');
	return sysfs_read(dir, "idProduct", &id, NULL) < 0 ? xstrdup("") : buf_take(&id);
}

/* For messages: "USB port 1-2 (046d:c52b)". The caller frees it. */
static char *title_of(const struct device_host *host, const char *port)
{
	CLEANUP(freep) char *id = read_id(host, port);
	return xasprintf("USB port %s (%s)", port, id);
}

/* Devices, and no interfaces ("1-2:1.0") or root hubs ("usb1"). */
static int list_ports(const struct device_host *host, const char *id, struct strv *ret)
{
	CLEANUP(freep) char *dir = devices_dir(host);
	CLEANUP(strv_done) struct strv all = {};
	int r = dir_list(dir, &all, NULL);
	for (size_t i = 0; r == 0 && i < all.n; i++) {
		CLEANUP(freep) char *found = read_id(host, all.items[i]);
		if (strchr(all.items[i], '-') && !strcmp(found, id))
			strv_push(ret, all.items[i]);
	}
	return r;
}

static int find_port(
		const struct device_host *host, const struct vm_usb_candidate *c, struct error *err)
{
	CLEANUP(freep) char *dir = port_dir(host, c->port);
	CLEANUP(freep)
	char *bus = xasprintf("%s/bus/usb/devices/usb%.*s", host->sys, (int)strcspn(c->port, "-"),
			c->port);
	CLEANUP(freep) char *id = read_id(host, c->port);
	if (access(bus, F_OK) < 0)
		return error_set(err, ENODEV,
				"the host has no USB bus %.*s, of port %s ('lsusb -t' shows all)",
				(int)strcspn(c->port, "-"), c->port, c->port);
	if (access(dir, F_OK) < 0 || !id[0])
		return error_set(err, ENODEV,
				"nothing is plugged in at USB port %s ('lsusb -t' shows what is "
				"where)",
				c->port);
	if (c->id && strcmp(id, c->id) != 0)
		return error_set(err, ENODEV,
				"USB port %s has %s and not %s ('lsusb' lists all devices)",
				c->port, id, c->id);
	return 0;
}

static int tell_several(const char *id, const struct strv *ports, struct error *err)
{
	CLEANUP(buf_done) struct buf list = {};
	for (size_t i = 0; i < ports->n; i++)
		buf_printf(&list, "%s%s",
				i == 0		    ? ""
				: i + 1 == ports->n ? " and "
						    : ", ",
				ports->items[i]);
	return error_set(err, ENODEV,
			"%zu USB devices are %s, at the ports %s: say which is meant by \"port\"",
			ports->n, id, buf_text(&list));
}

static int find_id(
		const struct device_host *host, const char *id, char **ret_port, struct error *err)
{
	CLEANUP(strv_done) struct strv ports = {};
	int r = list_ports(host, id, &ports);
	if (r < 0)
		return error_code(err, r, "cannot list USB devices");
	if (!ports.n)
		return error_set(err, ENODEV,
				"no USB device %s is plugged in ('lsusb' lists all devices)", id);
	if (ports.n > 1)
		return tell_several(id, &ports, err);
	*ret_port = xstrdup(ports.items[0]);
	return 0;
}

int usb_find(const struct device_host *host, const struct vm_usb_candidate *c, char **ret_port,
		struct error *err)
{
	CLEANUP(freep) char *all = devices_dir(host);
	CLEANUP(freep) char *port = c->port ? xstrdup(c->port) : NULL;
	CLEANUP(buf_done) struct buf class = {};
	if (access(all, F_OK) < 0)
		return error_set(err, ENODEV,
				"the host has no USB: no driver of a USB controller is loaded");
	int r = port ? find_port(host, c, err) : find_id(host, c->id, &port, err);
	if (r < 0)
		return r;
	CLEANUP(freep) char *dir = port_dir(host, port);
	CLEANUP(freep) char *title = title_of(host, port);
	if (sysfs_read(dir, "bDeviceClass", &class, NULL) == 0 &&
			!strcmp(buf_text(&class), HUB_CLASS))
		return error_set(err, EINVAL,
				"%s is a hub, which cannot be given away: name the devices that "
				"are plugged in at it",
				title);
	*ret_port = take_ptr(port);
	return 0;
}

/* ---- may it be lent ---- */

static void list_interfaces(const char *dir, const char *port, struct strv *ret)
{
	CLEANUP(freep) char *beginning = xasprintf("%s:", port);
	CLEANUP(strv_done) struct strv names = {};
	if (dir_list(dir, &names, NULL) < 0)
		return;
	for (size_t i = 0; i < names.n; i++)
		if (!strncmp(names.items[i], beginning, strlen(beginning)))
			strv_push(ret, names.items[i]);
}

/* The node's path; its numbers are those of the moment. The caller frees it. */
static int node_of(const struct device_host *host, const char *dir, const char *title, char **ret,
		struct error *err)
{
	CLEANUP(buf_done) struct buf bus = {};
	CLEANUP(buf_done) struct buf device = {};
	int64_t bus_number, device_number;
	int r = sysfs_read(dir, "busnum", &bus, err);
	if (r == 0)
		r = sysfs_read(dir, "devnum", &device, err);
	if (r < 0)
		return error_wrap(err, "%s", title);
	if (parse_i64(buf_text(&bus), &bus_number) < 0 ||
			parse_i64(buf_text(&device), &device_number) < 0)
		return error_set(err, EPROTO, "%s has no number", title);
	*ret = xasprintf("%s/bus/usb/%03jd/%03jd", host->dev, (intmax_t)bus_number,
			(intmax_t)device_number);
	return 0;
}

static int check_interface(const char *dir, const char *name, const char *title, const char *node,
		struct error *err)
{
	CLEANUP(freep) char *interface = xasprintf("%s/%s", dir, name);
	CLEANUP(freep) char *driver = sysfs_link_name(interface, "driver");
	if (!driver || strcmp(driver, NODE_DRIVER) != 0)
		return 0;
	return error_set(err, EBUSY,
			"%s is in use: some program has it open ('fuser -v %s' shows which)", title,
			node);
}

static int check(const struct device_host *host, const char *port, const char *node,
		struct error *err)
{
	CLEANUP(freep) char *dir = port_dir(host, port);
	CLEANUP(freep) char *title = title_of(host, port);
	CLEANUP(buf_done) struct buf authorized = {};
	CLEANUP(strv_done) struct strv interfaces = {};
	if (sysfs_read(dir, "authorized", &authorized, NULL) == 0 &&
			!strcmp(buf_text(&authorized), "0"))
		return error_set(err, EPERM,
				"%s is not allowed on this host ('echo 1 > %s/authorized' allows "
				"it until it is unplugged; does usbguard run?)",
				title, dir);
	list_interfaces(dir, port, &interfaces);
	int r = 0;
	for (size_t i = 0; r == 0 && i < interfaces.n; i++)
		r = check_interface(dir, interfaces.items[i], title, node, err);
	return r == 0 ? device_check_use(host, dir, title, err) : r;
}

/* ---- lending ---- */

/* Nodes begin with the device's descriptor: its ids are in the bytes 8 to 11, low byte first (USB
 * 2.0, 9.6.1). The numbers could be another device's by now. */
static int open_node(
		const char *node, const char *id, const char *title, int *ret_fd, struct error *err)
{
	CLEANUP(closep) int fd = open(node, O_RDWR | O_CLOEXEC);
	unsigned char text[18];
	char found[sizeof("046d:c52b")];
	if (fd < 0)
		return error_errno(err, "%s: cannot open '%s'", title, node);
	ssize_t n = pread(fd, text, sizeof(text), 0);
	if (n < 0)
		return error_errno(err, "%s: cannot read '%s'", title, node);
	snprintf(found, sizeof(found), "%02x%02x:%02x%02x", text[9], text[8], text[11], text[10]);
	if (n != (ssize_t)sizeof(text) || strcmp(found, id) != 0)
		return error_set(err, EAGAIN,
				"%s: '%s' is not this device any more: it was unplugged a moment "
				"ago",
				title, node);
	*ret_fd = take_fd(&fd);
	return 0;
}

/* What an earlier loan of this machine says of the drivers holds. */
static int write_loan(const struct device_host *host, const char *port, const char *id,
		const char *machine, const char *owner, struct error *err)
{
	CLEANUP(freep) char *name = xasprintf(LOAN_USB "%s", port);
	CLEANUP(freep) char *dir = port_dir(host, port);
	CLEANUP(strv_done) struct strv interfaces = {};
	CLEANUP(loan_done) struct loan loan = {};
	int r = loan_read(host, name, &loan, err);
	if (r < 0)
		return r;
	if (r == 0 && loan_get(&loan, LOAN_USB_ID) && !strcmp(loan_get(&loan, LOAN_USB_ID), id)) {
		loan_put(&loan, LOAN_OWNER, owner);
		return loan_write(host, name, &loan, err);
	}
	CLEANUP(loan_done) struct loan new = {};
	loan_put(&new, LOAN_MACHINE, machine);
	loan_put(&new, LOAN_OWNER, owner);
	loan_put(&new, LOAN_USB_ID, id);
	list_interfaces(dir, port, &interfaces);
	for (size_t i = 0; i < interfaces.n; i++) {
		CLEANUP(freep) char *interface = xasprintf("%s/%s", dir, interfaces.items[i]);
		CLEANUP(freep) char *driver = sysfs_link_name(interface, "driver");
		CLEANUP(freep) char *key = xasprintf(LOAN_DRIVER "%s", interfaces.items[i]);
		loan_put(&new, key, driver);
	}
	return loan_write(host, name, &new, err);
}

static int try_candidate(const struct device_host *host, const struct plan *plan,
		const struct vm_usb *usb, const struct vm_usb_candidate *c, int *ret_fd,
		struct error *err)
{
	CLEANUP(freep) char *port = NULL;
	CLEANUP(freep) char *node = NULL;
	CLEANUP(closep) int fd = -1;
	int r = usb_find(host, c, &port, err);
	if (r < 0)
		return r;
	CLEANUP(freep) char *dir = port_dir(host, port);
	CLEANUP(freep) char *id = read_id(host, port);
	CLEANUP(freep) char *title = title_of(host, port);
	CLEANUP(freep) char *name = xasprintf(LOAN_USB "%s", port);
	CLEANUP(freep) char *owner = xasprintf("device %s", usb->name);
	r = loan_check(host, name, title, plan->machine, owner, err);
	if (r == 0)
		r = node_of(host, dir, title, &node, err);
	if (r == 0)
		r = check(host, port, node, err);
	if (r == 0)
		r = open_node(node, id, title, &fd, err);
	if (r == 0)
		r = write_loan(host, port, id, plan->machine, owner, err);
	if (r == 0)
		*ret_fd = take_fd(&fd);
	return r;
}

static int tell_none(const struct vm_usb *usb, const struct strv *reasons, struct error *err)
{
	CLEANUP(freep) char *what = xasprintf("device of class '%s'", usb->class_name);
	return loan_refuse(what, reasons, err);
}

static int lend(const struct device_host *host, const struct plan *plan, const struct vm_usb *usb,
		int *ret_fd, struct error *err)
{
	CLEANUP(strv_done) struct strv reasons = {};
	for (size_t i = 0; i < usb->n_candidates; i++) {
		struct error reason = {};
		if (try_candidate(host, plan, usb, &usb->candidates[i], ret_fd, &reason) == 0)
			return 0;
		strv_push(&reasons, reason.text);
	}
	return tell_none(usb, &reasons, err);
}

int usb_lend(const struct device_host *host, const struct plan *plan, size_t i, int *ret_fd,
		struct error *err)
{
	const struct vm_usb *usb = &plan->usbs[i];
	CLEANUP(strv_done) struct strv owners = {};
	CLEANUP(lock_done) struct lock lock = {};
	for (size_t k = 0; k < plan->n_usbs; k++)
		strv_pushf(&owners, "device %s", plan->usbs[k].name);
	int r = loan_lock(host, &lock, err);
	if (r == 0)
		r = loan_keep(host, LOAN_USB, plan->machine, &owners, err);
	if (r == 0)
		r = lend(host, plan, usb, ret_fd, err);
	return r < 0 ? error_wrap(err, "device '%s'", usb->name) : 0;
}

int usb_look(const struct device_host *host, const struct plan *plan, size_t i, struct error *err)
{
	const struct vm_usb *usb = &plan->usbs[i];
	CLEANUP(strv_done) struct strv reasons = {};
	for (size_t k = 0; k < usb->n_candidates; k++) {
		CLEANUP(freep) char *port = NULL;
		struct error reason = {};
		if (usb_find(host, &usb->candidates[k], &port, &reason) == 0)
			return 0;
		strv_push(&reasons, reason.text);
	}
	(void)!tell_none(usb, &reasons, err);
	return error_wrap(err, "device '%s'", usb->name);
}

/* ---- back ---- */

/* The driver that has an interface now, once the node of a process that has ended is closed. */
static char *wait_for_release(const char *interface_dir)
{
	uint64_t deadline = clock_deadline_usec(RELEASE_USEC);
	for (;;) {
		char *driver = sysfs_link_name(interface_dir, "driver");
		if (!driver || strcmp(driver, NODE_DRIVER) != 0 || clock_now_usec() >= deadline)
			return driver;
		free(driver);
		clock_pause(RELEASE_EVERY_USEC);
	}
}

/* Returns 0, or 1 when it was given back. */
static int restore_interface(const struct device_host *host, const char *port, const char *name,
		const char *driver, struct error *err)
{
	CLEANUP(freep) char *dir = port_dir(host, port);
	CLEANUP(freep) char *interface = xasprintf("%s/%s", dir, name);
	CLEANUP(freep) char *now = wait_for_release(interface);
	CLEANUP(freep) char *driver_dir = xasprintf("%s/bus/usb/drivers/%s", host->sys, driver);
	CLEANUP(freep) char *title = title_of(host, port);
	if (now && !strcmp(now, NODE_DRIVER))
		return error_set(err, EBUSY,
				"%s cannot be given back to driver '%s': some program has it open",
				title, driver);
	if (now)
		return 0;
	struct error failure = {};
	int r = sysfs_write(driver_dir, "bind", name, &failure);
	CLEANUP(freep) char *bound = sysfs_link_name(interface, "driver");
	if (bound)
		return 1;
	return error_set(err, EIO, "%s cannot be given back to driver '%s'%s%s", title, driver,
			r < 0 ? ": " : "", r < 0 ? strerror(-r) : "");
}

/* The host is not to find what the guest has left. Where drivers are bound again, QEMU was killed
 * and has not done it. */
static void reset(const struct device_host *host, const char *port)
{
	CLEANUP(freep) char *dir = port_dir(host, port);
	CLEANUP(freep) char *node = NULL;
	if (node_of(host, dir, port, &node, NULL) < 0)
		return;
	CLEANUP(closep) int fd = open(node, O_RDWR | O_CLOEXEC);
	if (fd >= 0)
		(void)!ioctl(fd, USBDEVFS_RESET);
}

static bool has_lost_driver(const char *dir, const struct strv *interfaces, const struct loan *loan)
{
	for (size_t i = 0; i < interfaces->n; i++) {
		CLEANUP(freep) char *key = xasprintf(LOAN_DRIVER "%s", interfaces->items[i]);
		CLEANUP(freep) char *interface = xasprintf("%s/%s", dir, interfaces->items[i]);
		CLEANUP(freep) char *driver = sysfs_link_name(interface, "driver");
		if (loan_get(loan, key) && !driver)
			return true;
	}
	return false;
}

static int give_back(const struct device_host *host, const char *name, struct error *err)
{
	const char *port = name + strlen(LOAN_USB);
	CLEANUP(freep) char *dir = port_dir(host, port);
	CLEANUP(freep) char *id = read_id(host, port);
	CLEANUP(strv_done) struct strv interfaces = {};
	CLEANUP(loan_done) struct loan loan = {};
	int r = loan_read(host, name, &loan, err);
	if (r != 0)
		return r < 0 ? r : 0;
	const char *lent = loan_get(&loan, LOAN_USB_ID);
	/* Unplugged, perhaps with another one in its place: nothing is left to give back. */
	if (!lent || strcmp(lent, id) != 0)
		return loan_end(host, name, err);
	list_interfaces(dir, port, &interfaces);
	if (has_lost_driver(dir, &interfaces, &loan))
		reset(host, port);
	for (size_t i = 0; r >= 0 && i < interfaces.n; i++) {
		CLEANUP(freep) char *key = xasprintf(LOAN_DRIVER "%s", interfaces.items[i]);
		const char *driver = loan_get(&loan, key);
		r = driver ? restore_interface(host, port, interfaces.items[i], driver, err) : 0;
	}
	return r >= 0 ? loan_end(host, name, err) : r;
}

int usb_give_back(const struct device_host *host, const char *machine, struct strv *ret_failures)
{
	return loan_give_back(host, LOAN_USB, machine, give_back, ret_failures);
}
