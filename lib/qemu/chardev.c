/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Character devices on sockets: QMP, the guest agent's channel, the serial console. */
#include "qemu/chardev.h"

#include "qemu/controllers.h"
#include "qemu/parts.h"

void chardev_socket(
		const struct assembly *a, struct props *p, const char *id, const struct plan_fd *fd)
{
	props_init(p, "socket");
	props_add(p, "id", id);
	if (a->form == QEMU_FORM_UNIT) {
		props_addf(p, "fd", "%d", fd->number);
	} else if (fd->kind == PLAN_FD_LISTEN_TCP) {
		props_add(p, "host", "127.0.0.1");
		props_addf(p, "port", "%d", fd->port);
	} else {
		props_add(p, "path", fd->path);
	}
	if (fd->kind != PLAN_FD_CONNECT) {
		props_add(p, "server", "on");
		props_add(p, "wait", "off");
	}
}

void chardev_add_qmp(struct assembly *a)
{
	for (size_t i = 0; i < a->vm->n_qmp; i++) {
		const char *id = arena_printf(&a->topology.arena, "qmp.%zu", i);
		CLEANUP(props_done) struct props p = {};
		chardev_socket(a, &p, id, assembly_fd(a, id));
		assembly_option(a, SECTION_CHARDEV, "-chardev", &p);
		props_add(&p, "chardev", id);
		props_add(&p, "mode", "control");
		assembly_option(a, SECTION_MON, "-mon", &p);
	}
}

void chardev_add_agent(struct assembly *a)
{
	if (!a->vm->agent.enabled)
		return;
	const struct plan_fd *fd = assembly_fd(a, "agent");
	CLEANUP(props_done) struct props p = {};
	chardev_socket(a, &p, "guestagent", fd);
	if (fd->kind == PLAN_FD_LISTEN_TCP)
		props_add(&p, "nodelay", "on");
	assembly_option(a, SECTION_CHARDEV, "-chardev", &p);
	controllers_add_serial_port(a, "guestagent", "org.qemu.guest_agent.0");
}

void chardev_add_console(struct assembly *a)
{
	if (!a->vm->serial)
		return;
	const struct plan_fd *log = assembly_fd(a, "console.log");
	CLEANUP(props_done) struct props p = {};
	chardev_socket(a, &p, "console", assembly_fd(a, "console"));
	if (a->form == QEMU_FORM_UNIT)
		props_addf(&p, "logfile", "/dev/fdset/%d", log->set);
	else
		props_add(&p, "logfile", log->path);
	props_add(&p, "logappend", "on");
	assembly_option(a, SECTION_CHARDEV, "-chardev", &p);

	struct device *d = topology_add_other(&a->topology, NULL, "isa-serial", "com.0");
	props_add(&d->props, "chardev", "console");
}
