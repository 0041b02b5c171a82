/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices of a class of "usb-device": where on the host they may be plugged in. */
#include <string.h>

#include "model/build.h"
#include "util/mem.h"

bool build_usb_offers(const struct build *b, const char *class_name)
{
	const struct usb_device_conf *items = b->host->conf.usb_device.items;
	for (size_t i = 0; i < b->host->conf.usb_device.n; i++)
		if (build_lists(&items[i].classes, class_name))
			return true;
	return false;
}

void build_usb_classes(const struct build *b, struct strv *names)
{
	const struct usb_device_conf *items = b->host->conf.usb_device.items;
	for (size_t i = 0; i < b->host->conf.usb_device.n; i++)
		for (size_t k = 0; k < items[i].classes.n; k++)
			if (!strv_contains(names, items[i].classes.items[k]))
				strv_push(names, items[i].classes.items[k]);
}

void build_usb(struct build *b, const struct device_conf *conf, size_t index)
{
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
