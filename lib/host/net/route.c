/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the host's routes lead. */
#include "host/net/route.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "host/net/netlink-talk.h"

#define MESSAGE_BYTES 128

static int take_attribute(const struct nlattr *attr, void *data)
{
	struct route *route = data;
	uint16_t type = mnl_attr_get_type(attr), len = mnl_attr_get_payload_len(attr);
	if (type == RTA_OIF && len == sizeof(uint32_t))
		route->index = (int)mnl_attr_get_u32(attr);
	else if (type == RTA_TABLE && len == sizeof(uint32_t))
		route->table = mnl_attr_get_u32(attr);
	else if (type == RTA_GATEWAY && len == (route->domain == AF_INET ? 4 : 16))
		route->gateway = mnl_attr_get_payload(attr);
	return MNL_CB_OK;
}

bool route_read(const struct nlmsghdr *message, struct route *ret)
{
	const struct rtmsg *info = mnl_nlmsg_get_payload(message);
	if (message->nlmsg_type != RTM_NEWROUTE)
		return false;
	*ret = (struct route){ .domain = info->rtm_family,
		.prefix = info->rtm_dst_len,
		.type = info->rtm_type,
		.protocol = info->rtm_protocol };
	mnl_attr_parse(message, sizeof(*info), take_attribute, ret);
	return true;
}

static void take_route(void *data, const struct nlmsghdr *message)
{
	(void)route_read(message, data);
}

/* What the kernel says where it has no route, or one that lets nothing through. */
static bool leads_nowhere(int r)
{
	return r == -ENETUNREACH || r == -EHOSTUNREACH || r == -EACCES || r == -EINVAL;
}

int route_find(struct netlink *nl, const struct network_address *address, char ret_link[IFNAMSIZ],
		struct error *err)
{
	char space[MESSAGE_BYTES] = {};
	struct route route = {};
	struct netlink_answer answer = { .add = take_route, .data = &route };
	size_t size = fw_address_size(address->family);
	struct nlmsghdr *message = mnl_nlmsg_put_header(space);
	message->nlmsg_type = RTM_GETROUTE;
	message->nlmsg_flags = NLM_F_REQUEST;
	message->nlmsg_seq = ++nl->sequence;
	struct rtmsg *info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
	info->rtm_family = (uint8_t)fw_address_domain(address->family);
	info->rtm_dst_len = (unsigned char)(8 * size);
	/* The route itself, and not what follows from it for this address. */
	info->rtm_flags = RTM_F_FIB_MATCH;
	mnl_attr_put(message, RTA_DST, size, address->bytes);
	int r = netlink_talk(nl, message, message->nlmsg_len, &answer, "look for a route", err);
	if (r < 0)
		return leads_nowhere(r) ? 0 : r;
	return route.prefix >= address->prefix && route.index &&
	       if_indextoname((unsigned)route.index, ret_link) != NULL;
}
