/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bridges of networks that make one themselves. */
#include "host/net/bridge.h"

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "host/net/address.h"
#include "host/net/netlink-talk.h"
#include "host/os/sysctl.h"
#include "util/mem.h"
#include "util/parse.h"

/* What the aliases of all machines' links begin with. */
#define OF_MACHINES "machina:"

/* And those of bridges. */
#define OF_NETWORKS OF_MACHINES "network:"

char *bridge_alias(const char *network)
{
	return xasprintf(OF_NETWORKS "%s", network);
}

const char *bridge_network_of(const struct link *link)
{
	size_t len = strlen(OF_NETWORKS);
	return strncmp(link->alias, OF_NETWORKS, len) ? NULL : link->alias + len;
}

int bridge_refuse_missing(const char *network, const char *bridge, struct error *err)
{
	CLEANUP(freep) char *unit = network_unit_name(network);
	return error_set(err, ENODEV,
			"network '%s': its bridge '%s' is not there; 'systemctl restart %s' makes "
			"it, and starts the network's machines again",
			network, bridge, unit);
}

static int create(struct netlink *nl, const struct network *network, const uint8_t *mac,
		struct error *err)
{
	char space[LINK_MESSAGE_MAX];
	struct nlmsghdr *message = link_message_begin(
			space, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, 0, 0);
	mnl_attr_put_strz(message, IFLA_IFNAME, network->bridge);
	mnl_attr_put(message, IFLA_ADDRESS, LINK_ADDRESS_LEN, mac);
	struct nlattr *info = mnl_attr_nest_start(message, IFLA_LINKINFO);
	mnl_attr_put_strz(message, IFLA_INFO_KIND, "bridge");
	mnl_attr_nest_end(message, info);
	CLEANUP(freep) char *what = xasprintf("make bridge '%s'", network->bridge);
	return netlink_request(nl, message, what, err);
}

/* One that was made and did not get its alias. */
static bool is_unfinished(const struct link *link, const uint8_t *mac)
{
	return !strcmp(link->kind, "bridge") && !link->alias[0] &&
	       !memcmp(link->address, mac, LINK_ADDRESS_LEN);
}

static bool is_finished(const struct link *link, const char *alias)
{
	return !strcmp(link->kind, "bridge") && !strcmp(link->alias, alias);
}

/* Another network's unit may have made it, for a network that was renamed. */
static int refuse_other(const struct link *link, struct error *err)
{
	const char *other = bridge_network_of(link);
	if (!other)
		return error_set(err, EEXIST,
				"interface '%s' exists and is not the bridge of this network (its "
				"alias is '%s'); it is left alone: rename or delete it, or choose "
				"another 'device'",
				link->name, link->alias);
	CLEANUP(freep) char *unit = network_unit_name(other);
	return error_set(err, EEXIST,
			"'%s' is the bridge of network '%s'; choose another 'device', or if that "
			"network goes, stop its machines, then 'systemctl stop %s' and 'machina "
			"teardown --network %s'",
			link->name, other, unit, other);
}

/* Returns 0: it is there, finished or not, 1: its name is free, or a negative errno. */
static int find(struct netlink *nl, const struct network *network, const uint8_t *mac,
		struct link *ret, struct error *err)
{
	CLEANUP(freep) char *alias = bridge_alias(network->name);
	int r = netlink_get(nl, network->bridge, ret, err);
	if (r != 0 || is_finished(ret, alias) || is_unfinished(ret, mac))
		return r;
	return refuse_other(ret, err);
}

static int read_mac(const struct network *network, uint8_t ret[LINK_ADDRESS_LEN], struct error *err)
{
	return parse_mac(network->mac, ret) < 0
			       ? error_set(err, EINVAL, "'%s' is not a MAC address", network->mac)
			       : 0;
}

int bridge_check(struct netlink *nl, const struct network *network, struct error *err)
{
	uint8_t mac[LINK_ADDRESS_LEN];
	struct link link;
	int r = read_mac(network, mac, err);
	if (r == 0)
		r = find(nl, network, mac, &link, err);
	return r < 0 ? r : 0;
}

static int find_or_create(struct netlink *nl, const struct network *network, struct link *ret,
		struct error *err)
{
	uint8_t mac[LINK_ADDRESS_LEN];
	int r = read_mac(network, mac, err);
	if (r == 0)
		r = find(nl, network, mac, ret, err);
	if (r <= 0)
		return r;
	r = create(nl, network, mac, err);
	if (r == 0)
		r = find(nl, network, mac, ret, err);
	return r > 0 ? error_set(err, ENODEV, "bridge '%s' has gone", network->bridge) : r;
}

/* Guests are not to be the host's routers, nor neighbours where it has no address. */
static int confine_ipv6(const struct network *network, struct error *err)
{
	static const struct {
		const char *key, *value;
	} rows[] = { { "accept_ra", "0" }, { "accept_redirects", "0" }, { "autoconf", "0" } };
	int r = 0;
	if (!sysctl_exists("net/ipv6/conf/all/forwarding"))
		return 0;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(rows); i++)
		r = sysctl_set(rows[i].value, err, "net/ipv6/conf/%s/%s", network->bridge,
				rows[i].key);
	return r < 0 ? r
		     : sysctl_set(network_has_family(network, FW_IPV6) ? "0" : "1", err,
				       "net/ipv6/conf/%s/disable_ipv6", network->bridge);
}

int bridge_make(struct netlink *nl, const struct network *network, struct error *err)
{
	CLEANUP(freep) char *alias = bridge_alias(network->name);
	struct link link;
	int r = find_or_create(nl, network, &link, err);
	const struct link_change change = { .alias = alias, .mtu = (uint32_t)network->mtu };
	if (r == 0)
		r = netlink_change(nl, &link, &change, err);
	if (r == 0)
		r = confine_ipv6(network, err);
	if (r == 0)
		r = address_set_all(nl, &link, network->addresses, network->n_addresses, err);
	if (r == 0)
		r = netlink_change(nl, &link, &(struct link_change){ .up = true }, err);
	return r;
}

int bridge_find(struct netlink *nl, const char *network, const char *bridge, struct error *err)
{
	CLEANUP(freep) char *alias = bridge_alias(network);
	struct link link;
	int r = netlink_get(nl, bridge, &link, err);
	return r != 0 ? r : !is_finished(&link, alias);
}

/* A port of the bridge that belongs to a machine; NULL: there is none. */
static const struct link *find_port(const struct link *links, size_t n, int bridge)
{
	for (size_t i = 0; i < n; i++)
		if (links[i].master == bridge)
			return &links[i];
	return NULL;
}

static int remove_unfinished(struct netlink *nl, const struct network *network, struct error *err)
{
	uint8_t mac[LINK_ADDRESS_LEN];
	struct link link;
	if (!network->bridge || !network->mac || parse_mac(network->mac, mac) < 0)
		return 0;
	int r = netlink_get(nl, network->bridge, &link, err);
	if (r != 0 || !is_unfinished(&link, mac))
		return r < 0 ? r : 0;
	r = netlink_delete(nl, &link, err);
	return r < 0 ? r : 0;
}

int bridge_remove(struct netlink *nl, const struct network *network, char ret_port[IFNAMSIZ],
		struct error *err)
{
	CLEANUP(freep) char *alias = bridge_alias(network->name);
	CLEANUP(freep) struct link *links = NULL;
	size_t n;
	int stays = 0, r = netlink_list(nl, OF_MACHINES, &links, &n, err);
	for (size_t i = 0; r >= 0 && i < n; i++) {
		if (!is_finished(&links[i], alias))
			continue;
		const struct link *port = find_port(links, n, links[i].index);
		if (port) {
			memcpy(ret_port, port->name, IFNAMSIZ);
			stays = 1;
		} else {
			r = netlink_delete(nl, &links[i], err);
		}
	}
	if (r >= 0)
		r = remove_unfinished(nl, network, err);
	return r < 0 ? r : stays;
}
