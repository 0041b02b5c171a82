/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's interfaces as its cloud-init is told of them: its network config, version 2. */
#include <string.h>

#include "json/jtree.h"
#include "json/jwrite.h"
#include "model/build.h"
#include "model/network.h"
#include "util/mem.h"
#include "util/parse.h"

/* The address of a network that holds a guest's. Returns false where there is none. */
static bool find_address(struct build *b, const struct network_conf *conf, const char *text,
		struct network_address *ret)
{
	struct fw_range range;
	enum fw_family family;
	if (!fw_address_read(text, &range, &family))
		return false;
	for (size_t i = 0; i < conf->address.n; i++) {
		network_address_read(conf->address.items[i], &b->vm->arena, ret);
		if (ret->ip && network_address_holds(ret, family, range.first))
			return true;
	}
	return false;
}

/* Takes over @list, which may be empty. */
static void put_list(struct json_object *to, const char *key, struct json_object *list)
{
	if (json_object_array_length(list))
		jtree_set(to, key, list);
	else
		json_object_put(list);
}

/* On a network of this host's that nobody answers DHCP on: its addresses, and the way out. */
static void put_static(struct build *b, struct json_object *to, const struct vm_nic *nic,
		const struct network_conf *conf)
{
	struct json_object *addresses = jtree_list(), *routes = jtree_list();
	for (size_t i = 0; i < nic->ip.n; i++) {
		const char *ip = nic->ip.items[i];
		struct network_address own;
		if (!find_address(b, conf, ip, &own))
			continue;
		CLEANUP(freep)
		char *text = xasprintf("%.*s/%d", (int)strcspn(ip, "/"), ip, own.prefix);
		jtree_push(addresses, jtree_string(text));
		if (nic->mode == NETWORK_ISOLATED)
			continue;
		struct json_object *route = jtree_object();
		jtree_set(route, "to", jtree_string(own.family == FW_IPV4 ? "0.0.0.0/0" : "::/0"));
		jtree_set(route, "via", jtree_string(own.ip));
		jtree_push(routes, route);
	}
	put_list(to, "addresses", addresses);
	put_list(to, "routes", routes);
}

/* Found by their MAC addresses: names are the guest's own, and change with its hardware. */
static struct json_object *describe(struct build *b, const struct vm_nic *nic)
{
	struct json_object *entry = jtree_object(), *match = jtree_object();
	CLEANUP(freep) char *mac = xstrdup(build_lower(b, nic->mac));
	mac_use_colons(mac);
	jtree_set(match, "macaddress", jtree_string(mac));
	jtree_set(entry, "match", match);

	const struct network_conf *conf = build_find_network(b, nic->network);
	bool asks = !conf || !network_owns_bridge(nic->mode) || conf->dhcp.range;
	jtree_set(entry, "dhcp4", jtree_bool(asks));
	if (!asks)
		put_static(b, entry, nic, conf);
	return entry;
}

const char *build_network_config(struct build *b)
{
	CLEANUP(jtree_putp) struct json_object *root = jtree_object();
	CLEANUP(buf_done) struct buf text = {};
	struct json_object *all = jtree_object();
	for (size_t i = 0; i < b->vm->n_nics; i++)
		jtree_set(all, b->vm->nics[i].name, describe(b, &b->vm->nics[i]));
	jtree_set(root, "version", jtree_int(2));
	jtree_set(root, "ethernets", all);
	jwrite(&text, root, JWRITE_LINE);
	return build_text(b, buf_text(&text));
}
