/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a connection's port on its bridge is set up. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model/build.h"
#include "model/filter.h"
#include "util/mem.h"

/* Sorted, each once. */
static void use_vlans(struct build *b, const struct jstrings *from, struct vm_nic *nic)
{
	struct fw_span *spans = arena_array(&b->vm->arena, from->n, sizeof(*spans));
	for (size_t i = 0; i < from->n; i++) {
		char *end;
		spans[i].first = (uint16_t)strtoul(from->items[i], &end, 10);
		spans[i].last = *end ? (uint16_t)strtoul(end + 1, NULL, 10) : spans[i].first;
	}
	size_t n_spans = fw_spans_merge(spans, from->n), n = 0;
	for (size_t i = 0; i < n_spans; i++)
		n += (size_t)(spans[i].last - spans[i].first) + 1;
	uint16_t *vlans = arena_array(&b->vm->arena, n, sizeof(*vlans));
	nic->vlans = vlans;
	for (size_t i = 0; i < n_spans; i++)
		for (unsigned vlan = spans[i].first; vlan <= spans[i].last; vlan++)
			vlans[nic->n_vlans++] = (uint16_t)vlan;
}

static bool has_vlan(const struct vm_nic *nic, int64_t vlan)
{
	for (size_t i = 0; i < nic->n_vlans; i++)
		if (nic->vlans[i] == vlan)
			return true;
	return false;
}

/* Ports of other networks have nothing of the kind. */
static void check_network_keys(struct build *b, const struct network_conf *network)
{
	const struct {
		const char *key;
		bool is_there;
	} rows[] = {
		{ "vlan", network->vlan },
		{ "vlans", network->vlans.n },
		{ "isolate", network->isolate },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(freep)
		char *text = xasprintf(
				"a network with \"%s\" needs \"mode\": \"bridge\"", rows[i].key);
		if (rows[i].is_there)
			build_network_error(b, network, rows[i].key, text);
	}
}

static void check_connection_keys(struct build *b, const struct network_conf *network,
		const struct connection_conf *conf, const char *pointer)
{
	const struct {
		const char *key;
		bool is_there;
	} rows[] = {
		{ "vlan", conf->vlan },
		{ "vlans", conf->vlans.n },
		{ "isolate", conf->isolate > 0 },
		{ "mtu", conf->mtu && network->mode == NETWORK_USER },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(freep) char *at = xasprintf("%s/%s", pointer, rows[i].key);
		if (rows[i].is_there)
			BUILD_ERROR(b, at,
					"\"%s\" needs a network of \"mode\": \"bridge\", and "
					"\"%s\" "
					"is none",
					rows[i].key, network->name);
	}
}

/* Where it is written that a VLAN is to be both with and without a tag. */
static void check_both(struct build *b, const struct network_conf *network,
		const struct connection_conf *conf, const char *pointer, const struct vm_nic *nic)
{
	if (!nic->vlan || !has_vlan(nic, nic->vlan))
		return;
	CLEANUP(freep)
	char *text = xasprintf(
			"VLAN %u can't have tags: it is the \"vlan\" without them", nic->vlan);
	CLEANUP(freep) char *at = xasprintf("%s/vlans", pointer);
	if (conf->vlan || conf->vlans.n)
		BUILD_ERROR(b, at, "%s", text);
	else
		build_network_error(b, network, "vlans", text);
}

void build_nic_port(struct build *b, const struct network_conf *network,
		const struct connection_conf *conf, const char *pointer, struct vm_nic *nic)
{
	nic->managed = network->mode >= 0;
	nic->mtu = conf->mtu ? conf->mtu : network->mtu;
	if (network->mode != NETWORK_BRIDGE) {
		check_network_keys(b, network);
		check_connection_keys(b, network, conf, pointer);
		return;
	}
	bool own = conf->vlan || conf->vlans.n;
	nic->vlan = (uint16_t)(own ? conf->vlan : network->vlan);
	use_vlans(b, own ? &conf->vlans : &network->vlans, nic);
	nic->isolate = conf->isolate < 0 ? network->isolate : conf->isolate;
	nic->vhost = network->vhost;
	check_both(b, network, conf, pointer, nic);
}
