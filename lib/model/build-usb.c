/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices of a class of "usb-device": where on the host they may be plugged in. */
#include <string.h>

#include "model/build.h"
#include "util/mem.h"

void build_usb_classes(const struct build *b, struct strv *names)
{
	const struct usb_device_conf *items = b->host->conf.usb_device.items;
	for (size_t i = 0; i < b->host->conf.usb_device.n; i++)
		build_gather(names, &items[i].classes);
}

void build_usb(struct build *b, const struct device_conf *conf, const char *pointer, size_t index)
{
	(void)pointer;
	const struct usb_device_conf *items = b->host->conf.usb_device.items;
	size_t n = b->host->conf.usb_device.n;
	struct vm_usb_candidate *candidates = arena_array(&b->vm->arena, n, sizeof(*candidates));
	struct vm_usb *usb = &b->vm->usbs[b->vm->n_usbs++];
	*usb = (struct vm_usb){
		.name = build_text(b, conf->name),
		.class_name = build_text(b, conf->class_name),
		.candidates = candidates,
		.index = index,
	};
	for (size_t i = 0; i < n; i++) {
		if (!build_lists(&items[i].classes, usb->class_name))
			continue;
		struct vm_usb_candidate *c = &candidates[usb->n_candidates++];
		*c = (struct vm_usb_candidate){
			.id = build_lower(b, items[i].id),
			.port = build_lower(b, items[i].port),
		};
		if (!c->id && !c->port)
			build_entry_error(b, "usb-device", items[i].name, "id",
					"a USB device needs \"id\", \"port\", or both");
	}
}
