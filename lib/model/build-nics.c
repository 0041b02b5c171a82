/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections: networks become bridges and scripts. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model/build.h"
#include "util/mem.h"
#include "util/parse.h"

const struct network_conf *build_find_network(const struct build *b, const char *name)
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
	build_entry_error(b, "network", network->name, key, "%s", text);
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
	nic->join = network->mode < 0 ? !up[0] : network_has_bridge(nic->mode);
	if (nic->mode == NETWORK_USER) {
		nic->passt = network->backend == USER_BACKEND_PASST;
		nic->forward = network->forward.items;
		nic->n_forward = network->forward.n;
	}
	if (nic->mode == NETWORK_BRIDGE && nic->join && !nic->bridge[0])
		build_network_error(b, network, "device",
				network->mode < 0 ? "the network needs \"device\", an \"up\" "
						    "script, or \"mode\": \"user\""
						  : "a network of \"mode\": \"bridge\" needs "
						    "\"device\"");
}

/* Both QEMU and passt know IPv4 addresses alone (QEMU: net/slirp.c, slirp_hostfwd). */
static void check_forward(
		struct build *b, const struct network_conf *network, const struct forward_conf *f)
{
	struct fw_range range;
	enum fw_family family;
	if (f->to && f->to[0])
		build_network_error(b, network, "forward",
				"\"to\" is for \"mode\": \"nat\" and \"routed\": with \"user\" "
				"each guest is alone on its network");
	if (!fw_address_read(f->address, &range, &family) || family != FW_IPV4)
		build_entry_error(b, "network", network->name, "forward",
				"%s is not an IPv4 address: with \"mode\": \"user\" ports of "
				"others can't be forwarded",
				f->address);
}

static void copy_forwards(struct build *b, const struct network_conf *network, struct vm_nic *nic)
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
		check_forward(b, network, &copy[i]);
	}
	nic->forward = copy;
}

/* What no guest can have as its own: each has one of IPv6's link-local ones. */
static const char *special_address(const char *text)
{
	struct fw_range range;
	enum fw_family family;
	if (!fw_address_read(text, &range, &family) ||
			(family == FW_IPV6 && range.first[0] == 0xfe))
		return NULL;
	return fw_address_special(family, range.first);
}

/* The Go program only showed addresses, so that a text which is none is no error where nothing
 * else is done with it. */
static void check_addresses(struct build *b, const struct connection_conf *conf,
		const struct vm_filter *filter, const char *pointer)
{
	for (size_t i = 0; i < conf->ip.n; i++) {
		const char *special = filter ? special_address(conf->ip.items[i]) : NULL;
		bool is_address = fw_is_address(conf->ip.items[i]);
		if ((is_address && !special) || (!conf->ip.items[i][0] && !filter))
			continue;
		/* One address may be written without a list. */
		CLEANUP(freep)
		char *at = conf->ip.n == 1 ? xasprintf("%s/ip", pointer)
					   : xasprintf("%s/ip/%zu", pointer, i);
		if (special)
			BUILD_ERROR(b, at,
					"%s stands for %s, and the packet filter takes \"ip\" "
					"for the guest's own",
					conf->ip.items[i], special);
		else if (filter)
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
	bool is_zero = strspn(mac, "0:-") == strlen(mac);
	bool is_group = !is_zero && strchr("13579bBdDfF", mac[1]);
	if (!is_zero && !is_group)
		return;
	CLEANUP(freep) char *at = xasprintf("%s/mac", pointer);
	if (is_zero)
		BUILD_ADVICE(b, at, "QEMU does not use the MAC address %s, but one of its own",
				mac);
	else
		BUILD_ADVICE(b, at,
				"%s is the MAC address of a group (multicast): guests may not take "
				"it; 'machina gen-mac' makes one",
				mac);
}

/* The kernel takes neither (dev_valid_name(), __dev_alloc_name() in its net/core/dev.c). */
static void check_link(struct build *b, const struct vm_nic *nic, const char *pointer)
{
	if (vm_nic_has_link(nic) && strpbrk(nic->link, ":%"))
		BUILD_ERROR(b, pointer,
				"connection '%s': its interface would be called '%s', but the name "
				"of an interface has no ':' and no '%%'",
				nic->name, nic->link);
}

static void check_queues(struct build *b, const struct vm_nic *nic, const char *pointer)
{
	int64_t n = vm_n_processors(b->vm);
	CLEANUP(freep) char *at = xasprintf("%s/queues", pointer);
	if (nic->queues > n)
		BUILD_ADVICE(b, at,
				"connection '%s' has %d queues, of which the guest uses %" PRId64
				": one for each of its processors",
				nic->name, nic->queues, n);
}

static void refuse_disconnected(struct build *b, const char *name, const char *pointer)
{
	CLEANUP(freep) char *at = xasprintf("%s/connected", pointer);
	BUILD_ERROR(b, at,
			"connection '%s' is a virtual function of a network card, whose link is "
			"not QEMU's: it can't start without it",
			name);
}

static void build_nic(struct build *b, const struct connection_conf *conf, const char *pointer,
		size_t index, struct vm_nic *ret)
{
	const char *name = build_text(b, conf->name);
	struct vm_nic nic = {
		.name = name,
		.network = build_text(b, conf->network),
		.link = build_derive_link(b, name),
		.mac = conf->mac && conf->mac[0] ? build_text(b, conf->mac)
						 : build_derive_mac(b, name),
		.ip = build_texts(b, &conf->ip),
		.disconnected = !conf->connected,
		.queues = conf->queues ? (int)conf->queues : 1,
	};
	check_mac(b, nic.mac, pointer);
	if (conf->link && conf->link[0] && strcmp(conf->link, nic.link) != 0) {
		CLEANUP(freep) char *at = xasprintf("%s/link", pointer);
		BUILD_ERROR(b, at,
				"the interface of connection '%s' is called '%s'; another name "
				"can't be chosen",
				name, nic.link);
	}
	const struct network_conf *network = build_find_network(b, nic.network);
	if (network) {
		use_network(b, network, &nic);
		check_link(b, &nic, pointer);
		build_nic_port(b, network, conf, pointer, &nic);
		if (nic.queues > 1)
			check_queues(b, &nic, pointer);
		if (nic.mode == NETWORK_VF)
			build_vf(b, network, &nic, index);
		if (nic.mode == NETWORK_VF && nic.disconnected)
			refuse_disconnected(b, name, pointer);
		copy_forwards(b, network, &nic);
		build_filter(b, conf, pointer, network, &nic);
	} else {
		const struct jlist *networks = &b->host->conf.network;
		build_unknown(b,
				&(struct reference){ "connection", name, "network", pointer,
						"network", nic.network, "network" },
				build_names(b, networks, sizeof(*network)), networks->n);
	}
	check_addresses(b, conf, nic.filter, pointer);
	*ret = nic;
}

void build_nics(struct build *b)
{
	const struct connection_conf *confs = b->conf->connections.items;
	size_t n = b->conf->connections.n, n_passt = 0;
	b->vm->nics = arena_array(&b->vm->arena, n, sizeof(*b->vm->nics));
	b->vm->n_nics = n;
	b->vm->pcis = arena_array(&b->vm->arena, n + b->conf->devices.n, sizeof(*b->vm->pcis));
	build_machine_rules(b);
	for (size_t i = 0; i < n; i++) {
		const char *pointer = arena_printf(&b->vm->arena, "/connections/%zu", i);
		build_nic(b, &confs[i], pointer, i, &b->vm->nics[i]);
		n_passt += b->vm->nics[i].passt;
	}
	if (n_passt > VM_PASST_MAX)
		BUILD_ERROR(b, "/connections",
				"%zu connections to networks of \"backend\": \"passt\" are more "
				"than %d",
				n_passt, VM_PASST_MAX);
}
