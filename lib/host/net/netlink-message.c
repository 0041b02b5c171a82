/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rtnetlink's messages about links: building and reading, without a socket. */
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "host/net/netlink.h"

struct nlmsghdr *link_message_begin(char space[LINK_MESSAGE_MAX], uint16_t type, uint16_t flags,
		uint32_t sequence, int index)
{
	/* libmnl leaves the bytes between attributes as they are. */
	memset(space, 0, LINK_MESSAGE_MAX);
	struct nlmsghdr *message = mnl_nlmsg_put_header(space);
	message->nlmsg_type = type;
	message->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	message->nlmsg_seq = sequence;
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
	info->ifi_family = AF_UNSPEC;
	info->ifi_index = index;
	return message;
}

size_t link_message_get(const char *name, uint32_t sequence, char space[LINK_MESSAGE_MAX])
{
	struct nlmsghdr *message = link_message_begin(space, RTM_GETLINK, 0, sequence, 0);
	mnl_attr_put_strz(message, IFLA_IFNAME, name);
	mnl_attr_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return message->nlmsg_len;
}

size_t link_message_list(uint32_t sequence, char space[LINK_MESSAGE_MAX])
{
	struct nlmsghdr *message = link_message_begin(space, RTM_GETLINK, NLM_F_DUMP, sequence, 0);
	mnl_attr_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return message->nlmsg_len;
}

size_t link_message_change(int index, const struct link_change *change, uint32_t sequence,
		char space[LINK_MESSAGE_MAX])
{
	struct nlmsghdr *message =
			link_message_begin(space, RTM_NEWLINK, NLM_F_ACK, sequence, index);

	if (change->up || change->down) {
		struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
		info->ifi_flags = change->up ? IFF_UP : 0;
		info->ifi_change = IFF_UP;
	}
	if (change->alias)
		mnl_attr_put_str(message, IFLA_IFALIAS, change->alias);
	if (change->address)
		mnl_attr_put(message, IFLA_ADDRESS, LINK_ADDRESS_LEN, change->address);
	if (change->mtu)
		mnl_attr_put_u32(message, IFLA_MTU, change->mtu);
	if (change->master || change->no_master)
		mnl_attr_put_u32(message, IFLA_MASTER, (uint32_t)change->master);
	if (change->no_ipv6_address) {
		struct nlattr *families = mnl_attr_nest_start(message, IFLA_AF_SPEC);
		struct nlattr *ipv6 = mnl_attr_nest_start(message, AF_INET6);
		mnl_attr_put_u8(message, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
		mnl_attr_nest_end(message, ipv6);
		mnl_attr_nest_end(message, families);
	}
	return message->nlmsg_len;
}

size_t link_message_delete(int index, uint32_t sequence, char space[LINK_MESSAGE_MAX])
{
	return link_message_begin(space, RTM_DELLINK, NLM_F_ACK, sequence, index)->nlmsg_len;
}

static void copy_text(const struct nlattr *attr, char *text, size_t size)
{
	size_t len = strnlen(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));
	if (len >= size)
		len = size - 1;
	memcpy(text, mnl_attr_get_payload(attr), len);
	text[len] = '\0';
}

/* Numbers of another length than the kernel's are left out. */
static uint32_t number(const struct nlattr *attr)
{
	return mnl_attr_get_payload_len(attr) == sizeof(uint32_t) ? mnl_attr_get_u32(attr) : 0;
}

static int parse_bridge(const struct nlattr *attr, void *data)
{
	struct link *link = data;
	if (mnl_attr_get_type(attr) == IFLA_BR_VLAN_FILTERING &&
			mnl_attr_get_payload_len(attr) == 1)
		link->vlan_filtering = mnl_attr_get_u8(attr);
	return MNL_CB_OK;
}

/* The kernel tells the kind before what belongs to it (rtnl_link_fill() in net/core/rtnetlink.c).
 */
static int parse_kind(const struct nlattr *attr, void *data)
{
	struct link *link = data;
	if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
		copy_text(attr, link->kind, sizeof(link->kind));
	if (mnl_attr_get_type(attr) == IFLA_INFO_DATA && !strcmp(link->kind, "bridge"))
		mnl_attr_parse_nested(attr, parse_bridge, link);
	return MNL_CB_OK;
}

static int parse_attribute(const struct nlattr *attr, void *data)
{
	struct link *link = data;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		copy_text(attr, link->name, sizeof(link->name));
		break;
	case IFLA_IFALIAS:
		copy_text(attr, link->alias, sizeof(link->alias));
		break;
	case IFLA_LINKINFO:
		mnl_attr_parse_nested(attr, parse_kind, link);
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(attr) == LINK_ADDRESS_LEN)
			memcpy(link->address, mnl_attr_get_payload(attr), LINK_ADDRESS_LEN);
		break;
	case IFLA_MTU:
		link->mtu = number(attr);
		break;
	case IFLA_CARRIER:
		link->carrier = mnl_attr_get_payload_len(attr) == 1 && mnl_attr_get_u8(attr);
		break;
	case IFLA_MASTER:
		link->master = (int)number(attr);
		break;
	case IFLA_LINK:
		link->lower = (int)number(attr);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

void link_parse(const struct nlmsghdr *message, struct link *ret)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	*ret = (struct link){ .index = info->ifi_index, .up = info->ifi_flags & IFF_UP };
	mnl_attr_parse(message, sizeof(*info), parse_attribute, ret);
}
