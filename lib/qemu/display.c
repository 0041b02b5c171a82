/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Graphics adapters, the protocols to look at them, and pointers to go with them. */
#include "qemu/controllers.h"
#include "qemu/parts.h"

/* Channels that carry USB devices from the viewer to the guest. */
#define USB_CHANNELS 2

static void add_qxl(struct assembly *a, int n)
{
	for (int i = 0; i < n; i++)
		topology_add_integrated(&a->topology, i ? "qxl" : "qxl-vga",
				arena_printf(&a->topology.arena, "qxl.%d", i));

	static const char *const sizes[] = { "ram_size", "vram_size" };
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		CLEANUP(props_done) struct props p = {};
		props_add(&p, "driver", "qxl-vga");
		props_add(&p, "property", sizes[i]);
		props_add(&p, "value", "67108864");
		assembly_option(a, SECTION_GLOBAL, "-global", &p);
	}
}

static void add_adapters(struct assembly *a)
{
	int n = a->vm->spice.enabled ? a->vm->spice_displays : 1;
	switch (a->vm->display) {
	case VM_DISPLAY_NONE:
		break;
	case VM_DISPLAY_QXL:
		add_qxl(a, n);
		break;
	case VM_DISPLAY_VIRTIO: {
		struct device *d = topology_add_integrated(&a->topology, "virtio-vga", "display.0");
		if (n > 1)
			props_addf(&d->props, "max_outputs", "%d", n);
		break;
	}
	}
}

/* A character device of SPICE's own; viewers find them by @channel. */
static void add_spice_channel(struct assembly *a, const char *id, const char *channel)
{
	CLEANUP(props_done) struct props p = {};
	props_init(&p, "spicevmc");
	props_add(&p, "id", id);
	props_add(&p, "debug", "0");
	props_add(&p, "name", channel);
	assembly_option(a, SECTION_CHARDEV, "-chardev", &p);
}

static bool by_port(const struct assembly *a, const struct vm_remote *remote)
{
	return a->form == QEMU_FORM_STANDALONE && remote->port;
}

static void add_spice_listener(struct assembly *a)
{
	CLEANUP(props_done) struct props p = {};
	if (by_port(a, &a->vm->spice)) {
		props_addf(&p, "port", "%d", a->vm->spice.port);
		props_add(&p, "addr", "127.0.0.1");
	} else {
		props_add(&p, "unix", "on");
		props_add(&p, "addr", assembly_socket(a, "spice"));
	}
	props_add(&p, "disable-ticketing", "on");
	assembly_option(a, SECTION_REMOTE, "-spice", &p);
}

void display_add_spice(struct assembly *a)
{
	if (!a->vm->spice.enabled)
		return;
	add_spice_listener(a);
	add_adapters(a);

	add_spice_channel(a, "vdagent", "vdagent");
	controllers_add_serial_port(a, "vdagent", "com.redhat.spice.0");

	controllers_add_usb(a, "usb-tablet");
	for (int i = 0; i < USB_CHANNELS; i++) {
		const char *id = arena_printf(&a->topology.arena, "usbredir.%d", i);
		add_spice_channel(a, id, "usbredir");
		struct device *d = controllers_add_usb(a, "usb-redir");
		props_add(&d->props, "chardev", id);
	}
}

/* VNC's display N is TCP port 5900 + N. */
static void add_vnc_listener(struct assembly *a)
{
	CLEANUP(props_done) struct props p = {};
	if (by_port(a, &a->vm->vnc))
		props_addf(&p, "vnc", "127.0.0.1:%d", a->vm->vnc.port - 5900);
	else
		props_addf(&p, "vnc", "unix:%s", assembly_socket(a, "vnc"));
	assembly_option(a, SECTION_REMOTE, "-vnc", &p);
}

void display_add_others(struct assembly *a)
{
	const struct vm *vm = a->vm;
	if (vm->vnc.enabled)
		add_vnc_listener(a);
	if (vm->spice.enabled)
		return;
	add_adapters(a);
	/* Where the pointer is, and not how far it went: else the two pointers drift apart. */
	if (vm->vnc.enabled && vm->display != VM_DISPLAY_NONE)
		controllers_add_usb(a, "usb-tablet");
	assembly_check_room(a, vm->vnc.enabled ? "/attrs/vnc" : "/attrs/display");
}
