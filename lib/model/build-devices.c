/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices: classes become what the host has of them. Mediated devices are here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json/jtree.h"
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

static void list_classes(const struct jlist *map, struct strv *names)
{
	const struct mdev_class_conf *classes = map->items;
	for (size_t i = 0; i < map->n; i++)
		if (!strv_contains(names, classes[i].name))
			strv_push(names, classes[i].name);
}

static void build_mdev_classes(const struct build *b, struct strv *names)
{
	const struct jlist *maps[] = { &b->host->conf.mediated_device, &b->host->conf.mdev };
	for (size_t m = 0; m < ARRAY_SIZE(maps); m++) {
		const struct mdev_conf *items = maps[m]->items;
		for (size_t i = 0; i < maps[m]->n; i++) {
			list_classes(&items[i].classes, names);
			list_classes(&items[i].types, names);
		}
	}
}

static void build_mdev(
		struct build *b, const struct device_conf *conf, const char *pointer, size_t index)
{
	const struct host_conf *host = &b->host->conf;
	size_t n_max = host->mediated_device.n + host->mdev.n;
	struct vm_mdev_parent *parents = arena_array(&b->vm->arena, n_max, sizeof(*parents));
	struct vm_mdev *mdev = &b->vm->mdevs[b->vm->n_mdevs++];
	uint8_t uuid[16] = {};
	static const uint8_t unset[16];

	(void)pointer;
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
static const struct kind {
	const char *section;
	void (*classes)(const struct build *b, struct strv *names);
	void (*build)(struct build *b, const struct device_conf *conf, const char *pointer,
			size_t index);
	bool has_id;
} kinds[] = {
	{ "mediated-device", build_mdev_classes, build_mdev, true },
	{ "pci-device", build_pci_classes, build_pci, false },
	{ "usb-device", build_usb_classes, build_usb, false },
};

static const char *const sections[] = { "mediated-device", "mdev", "pci-device", "usb-device" };

static void report_unknown(struct build *b, const struct device_conf *conf, const char *pointer)
{
	CLEANUP(strv_done) struct strv classes = {};
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		kinds[i].classes(b, &classes);
	/* Any device may offer it. */
	bool is_known = true;
	for (size_t i = 0; b->host->has_flaws && i < ARRAY_SIZE(sections); i++)
		is_known &= !jtree_has_flaw(jtree_get(b->host->merged, sections[i]));
	if (!is_known) {
		report_withhold(b->report, SEVERITY_ERROR);
		return;
	}
	build_unknown(b,
			&(struct reference){ "device", build_text(b, conf->name), "device class",
					pointer, "class", build_text(b, conf->class_name),
					"pci-device" },
			(const char *const *)classes.items, classes.n);
}

/* A class has to be of one kind: the guest's hardware depends on it. NULL after a finding. */
static const struct kind *find_kind(
		struct build *b, const struct device_conf *conf, const char *pointer)
{
	const char *class_name = conf->class_name ? conf->class_name : "";
	const struct kind *first = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		CLEANUP(strv_done) struct strv classes = {};
		kinds[i].classes(b, &classes);
		if (!strv_contains(&classes, class_name))
			continue;
		if (first) {
			CLEANUP(freep) char *at = xasprintf("%s/class", pointer);
			BUILD_ERROR(b, at,
					"class '%s' is offered in \"%s\" and in \"%s\" of the "
					"host's config: it must be one kind of device",
					class_name, first->section, kinds[i].section);
			return NULL;
		}
		first = &kinds[i];
	}
	if (!first)
		report_unknown(b, conf, pointer);
	return first;
}

static void build_device(
		struct build *b, const struct device_conf *conf, const char *pointer, size_t index)
{
	const struct kind *kind = find_kind(b, conf, pointer);
	if (!kind)
		return;
	if (conf->id && conf->id[0] && !kind->has_id) {
		CLEANUP(freep) char *at = xasprintf("%s/id", pointer);
		BUILD_ERROR(b, at, "\"id\" is for mediated devices; class '%s' is one of \"%s\"",
				conf->class_name, kind->section);
	}
	kind->build(b, conf, pointer, index);
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
