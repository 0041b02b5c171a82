/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections and devices: networks become bridges and scripts, classes become physical devices. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json/jlocate.h"
#include "model/build.h"
#include "util/mem.h"
#include "util/parse.h"

static const struct network_conf *find_network(const struct build *b, const char *name)
{
	const struct network_conf *networks = b->host->conf.network.items;
	for (size_t i = 0; i < b->host->conf.network.n; i++)
		if (!strcmp(networks[i].name, name))
			return &networks[i];
	return NULL;
}

void build_network_error(struct build *b, const struct network_conf *network, const char *key,
		const char *text)
{
	CLEANUP(buf_done) struct buf at = {};
	buf_puts(&at, "/network");
	jpointer_push(&at, network->name);
	jpointer_push(&at, key);
	host_report(b->host, b->report, SEVERITY_ERROR, buf_text(&at),
			"%s (used by machine \"%s\")", text, b->vm->name);
}

/* The script of a network, or "" for the Go program's own one: there is no such script any more,
 * and what it did is done without. */
static const char *script_of(const char *text, const char *own)
{
	return text && strcmp(text, own) != 0 ? text : "";
}

/*
 * The Go program's networks have no mode: the empty "up" stood for its own script, which joined the
 * bridge; any other script did what it did; "no" did nothing.
 */
static void use_network(struct build *b, const struct network_conf *network, struct vm_nic *nic)
{
	const char *up = script_of(network->up, "/usr/bin/machina-ifup");
	const char *down = script_of(network->down, "/usr/bin/machina-ifdown");
	nic->mode = network->mode < 0 ? NETWORK_BRIDGE : (enum network_mode)network->mode;
	nic->bridge = build_text(b, network->device);
	nic->up = up[0] && strcmp(up, "no") != 0 ? build_text(b, up) : NULL;
	nic->down = down[0] && strcmp(down, "no") != 0 ? build_text(b, down) : NULL;
	nic->join = network->mode == NETWORK_BRIDGE || (network->mode < 0 && !up[0]);
	nic->forward = network->forward.items;
	nic->n_forward = network->forward.n;
	if (nic->mode == NETWORK_BRIDGE && nic->join && !nic->bridge[0])
		build_network_error(b, network, "device",
				network->mode < 0 ? "the network needs \"device\", an \"up\" "
						    "script, or \"mode\": \"user\""
						  : "a network of \"mode\": \"bridge\" needs "
						    "\"device\"");
	if (nic->mode != NETWORK_USER && nic->n_forward)
		build_network_error(b, network, "forward",
				"a network with \"forward\" needs \"mode\": \"user\"");
}

static void copy_forwards(struct build *b, struct vm_nic *nic)
{
	struct forward_conf *copy = arena_array(&b->vm->arena, nic->n_forward, sizeof(*copy));
	for (size_t i = 0; i < nic->n_forward; i++) {
		copy[i] = nic->forward[i];
		copy[i].address = build_text(b, copy[i].address);
		if (!copy[i].address[0])
			copy[i].address = "127.0.0.1";
		if (!copy[i].to_port)
			copy[i].to_port = copy[i].port;
		if (copy[i].protocol < 0)
			copy[i].protocol = FORWARD_TCP;
	}
	nic->forward = copy;
}

/* The Go program only showed addresses, so that a text which is none is no error where nothing
 * else is done with it. */
static void check_addresses(struct build *b, const struct connection_conf *conf,
		const struct vm_filter *filter, const char *pointer)
{
	for (size_t i = 0; i < conf->ip.n; i++) {
		if (build_is_address(conf->ip.items[i]) || (!conf->ip.items[i][0] && !filter))
			continue;
		/* One address may be written without a list. */
		CLEANUP(freep)
		char *at = conf->ip.n == 1 ? xasprintf("%s/ip", pointer)
					   : xasprintf("%s/ip/%zu", pointer, i);
		if (filter)
			BUILD_ERROR(b, at,
					"\"%s\" is not an IP address, and the packet filter takes "
					"\"ip\" for the guest's",
					conf->ip.items[i]);
		else
			BUILD_ADVICE(b, at,
					"\"%s\" is not an IP address: it is not compared with "
					"those of other machines",
					conf->ip.items[i]);
	}
}

/* QEMU takes one of its own for zeros, and Linux guests for an address that is not one card's. */
static void check_mac(struct build *b, const char *mac, const char *pointer)
{
	CLEANUP(freep) char *at = xasprintf("%s/mac", pointer);
	if (strspn(mac, "0:-") == strlen(mac))
		BUILD_ADVICE(b, at, "QEMU does not use the MAC address %s, but one of its own",
				mac);
	else if (strchr("13579bBdDfF", mac[1]))
		BUILD_ADVICE(b, at,
				"%s is the MAC address of a group (multicast): guests may not "
				"take it; 'machina gen-mac' makes one",
				mac);
}

static struct jstrings copy_strings(struct build *b, const struct jstrings *from)
{
	const char **items = arena_array(&b->vm->arena, from->n, sizeof(*items));
	for (size_t i = 0; i < from->n; i++)
		items[i] = build_text(b, from->items[i]);
	return (struct jstrings){ .items = items, .n = from->n };
}

static void build_nic(struct build *b, const struct connection_conf *conf, const char *pointer,
		struct vm_nic *ret)
{
	const char *name = build_text(b, conf->name);
	struct vm_nic nic = {
		.name = name,
		.network = build_text(b, conf->network),
		.link = build_derive_link(b, name),
		.mac = conf->mac && conf->mac[0] ? build_text(b, conf->mac)
						 : build_derive_mac(b, name),
		.ip = copy_strings(b, &conf->ip),
	};
	check_mac(b, nic.mac, pointer);
	if (conf->link && conf->link[0] && strcmp(conf->link, nic.link) != 0) {
		CLEANUP(freep) char *at = xasprintf("%s/link", pointer);
		BUILD_ERROR(b, at,
				"the interface of connection \"%s\" is called \"%s\"; another name "
				"can't be chosen",
				name, nic.link);
	}
	const struct network_conf *network = find_network(b, nic.network);
	if (network) {
		use_network(b, network, &nic);
		build_nic_port(b, network, conf, pointer, &nic);
		copy_forwards(b, &nic);
		build_filter(b, conf, pointer, network, &nic);
	} else {
		const struct jlist *networks = &b->host->conf.network;
		build_unknown(b,
				&(struct reference){ "connection", name, "network", pointer,
						"network", nic.network },
				build_names(b, networks, sizeof(*network)), networks->n);
	}
	check_addresses(b, conf, nic.filter, pointer);
	*ret = nic;
}

void build_nics(struct build *b)
{
	const struct connection_conf *confs = b->conf->connections.items;
	size_t n = b->conf->connections.n;
	b->vm->nics = arena_array(&b->vm->arena, n, sizeof(*b->vm->nics));
	b->vm->n_nics = n;
	build_machine_rules(b);
	for (size_t i = 0; i < n; i++) {
		char pointer[sizeof("/connections/") + 20];
		snprintf(pointer, sizeof(pointer), "/connections/%zu", i);
		build_nic(b, &confs[i], pointer, &b->vm->nics[i]);
	}
}

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
		int64_t *placements = arena_array(
				&b->vm->arena, class->placements.n, sizeof(*placements));
		if (class->placements.n)
			memcpy(placements, class->placements.items,
					class->placements.n * sizeof(*placements));
		parents[(*n)++] = (struct vm_mdev_parent){
			.address = build_text(b, items[i].address),
			.type_name = build_text(b, class->type_name),
			.heterogeneous = items[i].heterogeneous,
			.placements = placements,
			.n_placements = class->placements.n,
		};
	}
}

/* The classes that some device of the host offers. */
static void list_classes(const struct jlist *devices, struct strv *names)
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

static void build_mdev(struct build *b, const struct device_conf *conf, const char *pointer,
		struct vm_mdev *mdev)
{
	const struct host_conf *host = &b->host->conf;
	size_t n_max = host->mediated_device.n + host->mdev.n;
	struct vm_mdev_parent *parents = arena_array(&b->vm->arena, n_max, sizeof(*parents));
	uint8_t uuid[16] = {};
	static const uint8_t unset[16];

	*mdev = (struct vm_mdev){
		.name = build_text(b, conf->name),
		.class_name = build_text(b, conf->class_name),
		.parents = parents,
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
	if (!mdev->n_parents) {
		CLEANUP(strv_done) struct strv classes = {};
		list_classes(&host->mediated_device, &classes);
		list_classes(&host->mdev, &classes);
		build_unknown(b,
				&(struct reference){ "device", mdev->name, "device class", pointer,
						"class", mdev->class_name },
				(const char *const *)classes.items, classes.n);
	}
}

void build_mdevs(struct build *b)
{
	const struct device_conf *confs = b->conf->devices.items;
	size_t n = b->conf->devices.n;
	b->vm->mdevs = arena_array(&b->vm->arena, n, sizeof(*b->vm->mdevs));
	b->vm->n_mdevs = n;
	for (size_t i = 0; i < n; i++) {
		char pointer[sizeof("/devices/") + 20];
		snprintf(pointer, sizeof(pointer), "/devices/%zu", i);
		build_mdev(b, &confs[i], pointer, &b->vm->mdevs[i]);
	}
}
