/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices: classes become what the host has of them. Mediated devices are here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/build.h"
#include "util/mem.h"
#include "util/parse.h"

static const struct mdev_class_conf *find_class(const struct jlist *classes, const char *name)
{
	const struct mdev_class_conf *items = classes->items;
	for (size_t i = 0; i < classes->n; i++)
		if (!strcmp(items[i].name, name))
			return &items[i];
	return NULL;
}

static int by_address(const void *a, const void *b)
{
	const struct vm_mdev_parent *x = a, *y = b;
	return strcmp(x->address, y->address);
}

static void add_parents(struct build *b, const struct jlist *devices, const char *class_name,
		struct vm_mdev_parent *parents, size_t *n)
{
	const struct mdev_conf *items = devices->items;
	for (size_t i = 0; i < devices->n; i++) {
		const struct mdev_class_conf *class = find_class(&items[i].classes, class_name);
		if (!class)
			class = find_class(&items[i].types, class_name);
		if (!class)
			continue;
		const char *address = build_lower(b, items[i].address);
		int64_t *placements = arena_array(
				&b->vm->arena, class->placements.n, sizeof(*placements));
		if (class->placements.n)
			memcpy(placements, class->placements.items,
					class->placements.n * sizeof(*placements));
		parents[(*n)++] = (struct vm_mdev_parent){
			.address = address ? address : "",
			.type_name = build_text(b, class->type_name),
			.heterogeneous = items[i].heterogeneous,
			.placements = placements,
			.n_placements = class->placements.n,
		};
	}
}

/* The classes that some device of one map offers. */
static void list_mdev_classes(const struct jlist *devices, struct strv *names)
{
	const struct mdev_conf *items = devices->items;
	for (size_t i = 0; i < devices->n; i++) {
		const struct jlist *maps[] = { &items[i].classes, &items[i].types };
		for (size_t m = 0; m < ARRAY_SIZE(maps); m++) {
			const struct mdev_class_conf *classes = maps[m]->items;
			for (size_t k = 0; k < maps[m]->n; k++)
				if (!strv_contains(names, classes[k].name))
					strv_push(names, classes[k].name);
		}
	}
}

static bool mdev_offers(const struct jlist *devices, const char *class_name)
{
	const struct mdev_conf *items = devices->items;
	for (size_t i = 0; i < devices->n; i++)
		if (find_class(&items[i].classes, class_name) ||
				find_class(&items[i].types, class_name))
			return true;
	return false;
}

static void build_mdev(struct build *b, const struct device_conf *conf, size_t index)
{
	const struct host_conf *host = &b->host->conf;
	size_t n_max = host->mediated_device.n + host->mdev.n;
	struct vm_mdev_parent *parents = arena_array(&b->vm->arena, n_max, sizeof(*parents));
	struct vm_mdev *mdev = &b->vm->mdevs[b->vm->n_mdevs++];
	uint8_t uuid[16] = {};
	static const uint8_t unset[16];

	*mdev = (struct vm_mdev){
		.name = build_text(b, conf->name),
		.class_name = build_text(b, conf->class_name),
		.parents = parents,
		.index = index,
	};
	if (conf->id && parse_uuid(conf->id, uuid) == 0 && memcmp(uuid, unset, sizeof(uuid)) != 0) {
		char text[UUID_TEXT_MAX];
		format_uuid(uuid, text);
		mdev->uuid = arena_strdup(&b->vm->arena, text);
	} else {
		mdev->uuid = build_derive_device_id(b, mdev->class_name, mdev->name);
	}
	add_parents(b, &host->mediated_device, mdev->class_name, parents, &mdev->n_parents);
	add_parents(b, &host->mdev, mdev->class_name, parents, &mdev->n_parents);
	if (mdev->n_parents > 1)
		qsort(parents, mdev->n_parents, sizeof(*parents), by_address);
}

/* The sections of the host's config that devices come from. */
struct kind {
	const char *section;
	bool offers;
	bool has_id;
};

static void report_unknown(struct build *b, const struct device_conf *conf, const char *pointer)
{
	CLEANUP(strv_done) struct strv classes = {};
	list_mdev_classes(&b->host->conf.mediated_device, &classes);
	list_mdev_classes(&b->host->conf.mdev, &classes);
	build_pci_classes(b, &classes);
	build_usb_classes(b, &classes);
	build_unknown(b,
			&(struct reference){ "device", build_text(b, conf->name), "device class",
					pointer, "class", build_text(b, conf->class_name) },
			(const char *const *)classes.items, classes.n);
}

/* A class has to be of one kind: the guest's hardware depends on it. */
static bool check_kinds(struct build *b, const struct device_conf *conf, const char *pointer,
		const struct kind *kinds, size_t n)
{
	const struct kind *first = NULL;
	for (size_t i = 0; i < n; i++) {
		if (!kinds[i].offers)
			continue;
		if (first) {
			CLEANUP(freep) char *at = xasprintf("%s/class", pointer);
			BUILD_ERROR(b, at,
					"class '%s' is offered in \"%s\" and in \"%s\" of the "
					"host's config: it must be one kind of device",
					conf->class_name, first->section, kinds[i].section);
			return false;
		}
		first = &kinds[i];
	}
	if (!first)
		report_unknown(b, conf, pointer);
	else if (conf->id && conf->id[0] && !first->has_id) {
		CLEANUP(freep) char *at = xasprintf("%s/id", pointer);
		BUILD_ERROR(b, at, "\"id\" is for mediated devices; class '%s' is one of \"%s\"",
				conf->class_name, first->section);
	}
	return first != NULL;
}

static void build_device(
		struct build *b, const struct device_conf *conf, const char *pointer, size_t index)
{
	const struct host_conf *host = &b->host->conf;
	const char *class_name = conf->class_name ? conf->class_name : "";
	const struct kind kinds[] = {
		{ "mediated-device",
				mdev_offers(&host->mediated_device, class_name) ||
						mdev_offers(&host->mdev, class_name),
				true },
		{ "pci-device", build_pci_offers(b, class_name), false },
		{ "usb-device", build_usb_offers(b, class_name), false },
	};
	if (!check_kinds(b, conf, pointer, kinds, ARRAY_SIZE(kinds)))
		return;
	if (kinds[0].offers)
		build_mdev(b, conf, index);
	else if (kinds[1].offers)
		build_pci(b, conf, pointer, index);
	else
		build_usb(b, conf, index);
}

void build_devices(struct build *b)
{
	const struct device_conf *confs = b->conf->devices.items;
	size_t n = b->conf->devices.n;
	b->vm->mdevs = arena_array(&b->vm->arena, n, sizeof(*b->vm->mdevs));
	b->vm->usbs = arena_array(&b->vm->arena, n, sizeof(*b->vm->usbs));
	for (size_t i = 0; i < n; i++) {
		char pointer[sizeof("/devices/") + 20];
		snprintf(pointer, sizeof(pointer), "/devices/%zu", i);
		build_device(b, &confs[i], pointer, i);
	}
}
