/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports of bridges: AF_BRIDGE messages of rtnetlink (net/bridge/br_netlink.c, br_fdb.c). */
#include "host/net/port.h"

#include <libmnl/libmnl.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "host/net/netlink-talk.h"
#include "util/mem.h"

#define VLAN_LAST 4094
/* By the last digit of the address; the second one is of frames that no bridge lets pass (PAUSE).
 */
#define ALL_RESERVED 0xfffd
/* A message without its VLANs, and what one VLAN needs in it (a range takes two entries). */
#define MESSAGE_BYTES 256
#define VLAN_BYTES 16

bool port_has_vlans(const struct port_settings *settings)
{
	return settings->vlan || settings->n_vlans;
}

static struct nlmsghdr *begin(char *space, uint16_t type, int index)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(space);
	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
	info->ifi_family = AF_BRIDGE;
	info->ifi_index = index;
	return message;
}

static void put_vlans(struct nlmsghdr *message, uint16_t first, uint16_t last, unsigned flags)
{
	struct bridge_vlan_info info = { .flags = (uint16_t)flags, .vid = first };
	if (first == last) {
		mnl_attr_put(message, IFLA_BRIDGE_VLAN_INFO, sizeof(info), &info);
		return;
	}
	info.flags = (uint16_t)(flags | BRIDGE_VLAN_INFO_RANGE_BEGIN);
	mnl_attr_put(message, IFLA_BRIDGE_VLAN_INFO, sizeof(info), &info);
	info.flags = (uint16_t)(flags | BRIDGE_VLAN_INFO_RANGE_END);
	info.vid = last;
	mnl_attr_put(message, IFLA_BRIDGE_VLAN_INFO, sizeof(info), &info);
}

static void put_all_vlans(struct nlmsghdr *message, const struct port_settings *settings)
{
	struct nlattr *spec = mnl_attr_nest_start(message, IFLA_AF_SPEC);
	if (settings->vlan)
		put_vlans(message, settings->vlan, settings->vlan,
				BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED);
	for (size_t i = 0, end; i < settings->n_vlans; i = end) {
		for (end = i + 1; end < settings->n_vlans &&
				  settings->vlans[end] == settings->vlans[end - 1] + 1;
				end++)
			;
		put_vlans(message, settings->vlans[i], settings->vlans[end - 1], 0);
	}
	mnl_attr_nest_end(message, spec);
}

static void put_guard(struct nlmsghdr *message, const struct port_settings *settings)
{
	mnl_attr_put_u8(message, IFLA_BRPORT_LEARNING, !settings->lock);
	mnl_attr_put_u8(message, IFLA_BRPORT_LOCKED, settings->lock);
	mnl_attr_put_u16(message, IFLA_BRPORT_GROUP_FWD_MASK,
			settings->catch_reserved ? ALL_RESERVED : 0);
}

static void put_flags(struct nlmsghdr *message, const struct port_settings *settings)
{
	struct nlattr *flags = mnl_attr_nest_start(message, IFLA_PROTINFO);
	mnl_attr_put_u8(message, IFLA_BRPORT_GUARD, settings->protect);
	mnl_attr_put_u8(message, IFLA_BRPORT_PROTECT, settings->protect);
	mnl_attr_put_u8(message, IFLA_BRPORT_ISOLATED, settings->isolate);
	put_guard(message, settings);
	mnl_attr_nest_end(message, flags);
}

/* What the bridge has given to the new port: its default VLAN. */
static int clear_vlans(struct netlink *nl, const struct link *port, struct error *err)
{
	char space[MESSAGE_BYTES] = {};
	struct nlmsghdr *message = begin(space, RTM_DELLINK, port->index);
	struct nlattr *spec = mnl_attr_nest_start(message, IFLA_AF_SPEC);
	put_vlans(message, 1, VLAN_LAST, 0);
	mnl_attr_nest_end(message, spec);
	CLEANUP(freep) char *what = xasprintf("take VLANs from port '%s'", port->name);
	return netlink_request(nl, message, what, err);
}

static int set_flags(struct netlink *nl, const struct link *port,
		const struct port_settings *settings, struct error *err)
{
	CLEANUP(freep)
	char *space = xcalloc(1, MESSAGE_BYTES + settings->n_vlans * VLAN_BYTES);
	struct nlmsghdr *message = begin(space, RTM_SETLINK, port->index);
	put_flags(message, settings);
	if (port_has_vlans(settings))
		put_all_vlans(message, settings);
	CLEANUP(freep) char *what = xasprintf("set up port '%s'", port->name);
	return netlink_request(nl, message, what, err);
}

/* Where frames to the guest go, and whose frames a locked port takes: in each VLAN of the port. */
static int add_address(
		struct netlink *nl, const struct link *port, const uint8_t *mac, struct error *err)
{
	char space[MESSAGE_BYTES] = {};
	struct nlmsghdr *message = mnl_nlmsg_put_header(space);
	message->nlmsg_type = RTM_NEWNEIGH;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE;
	struct ndmsg *entry = mnl_nlmsg_put_extra_header(message, sizeof(*entry));
	entry->ndm_family = AF_BRIDGE;
	entry->ndm_ifindex = port->index;
	/* Static, and not an address of the host's own. Without NTF_STICKY it would follow the
	 * first frame that another port sends with this address. */
	entry->ndm_state = NUD_NOARP;
	entry->ndm_flags = NTF_MASTER | NTF_STICKY;
	mnl_attr_put(message, NDA_LLADDR, LINK_ADDRESS_LEN, mac);
	CLEANUP(freep) char *what = xasprintf("give port '%s' its guest's address", port->name);
	return netlink_request(nl, message, what, err);
}

int port_set_up(struct netlink *nl, const struct link *port, const struct port_settings *settings,
		struct error *err)
{
	int r = port_has_vlans(settings) ? clear_vlans(nl, port, err) : 0;
	if (r == 0)
		r = set_flags(nl, port, settings, err);
	/* After the VLANs: it is made in those that are there. */
	if (r == 0 && settings->lock)
		r = add_address(nl, port, settings->mac, err);
	return r;
}

int port_renew(struct netlink *nl, const struct link *port, const struct port_settings *settings,
		struct error *err)
{
	char space[MESSAGE_BYTES] = {};
	/* Without the address a locked port drops the guest's frames. */
	int r = settings->lock ? add_address(nl, port, settings->mac, err) : 0;
	if (r < 0)
		return r;
	struct nlmsghdr *message = begin(space, RTM_SETLINK, port->index);
	struct nlattr *flags = mnl_attr_nest_start(message, IFLA_PROTINFO);
	put_guard(message, settings);
	mnl_attr_nest_end(message, flags);
	CLEANUP(freep) char *what = xasprintf("set up port '%s'", port->name);
	return netlink_request(nl, message, what, err);
}

static int set_state(struct netlink *nl, const struct link *port, bool open, struct error *err)
{
	char space[MESSAGE_BYTES] = {};
	struct nlmsghdr *message = begin(space, RTM_SETLINK, port->index);
	struct nlattr *flags = mnl_attr_nest_start(message, IFLA_PROTINFO);
	mnl_attr_put_u8(message, IFLA_BRPORT_STATE, open ? BR_STATE_FORWARDING : BR_STATE_DISABLED);
	mnl_attr_nest_end(message, flags);
	CLEANUP(freep)
	char *what = xasprintf("%s port '%s'", open ? "open" : "close", port->name);
	return netlink_request(nl, message, what, err);
}

int port_set_open(struct netlink *nl, const struct link *port, bool open, struct error *err)
{
	const struct link_change change = { .up = open, .down = !open };
	if (open && !port->up)
		return netlink_change(nl, port, &change, err);
	int r = set_state(nl, port, open, err);
	/* EBUSY: the state is the protocol's (br_set_port_state() in net/bridge/br_stp_if.c). */
	if (r == -EBUSY)
		r = open ? 0 : netlink_change(nl, port, &change, err);
	return r;
}
