/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's way to the world as it is now. */
#include "host/net/uplink.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <unistd.h>

#include "host/net/address.h"
#include "host/net/netlink-talk.h"
#include "host/net/route.h"
#include "util/mem.h"

#define MESSAGE_BYTES 256

void uplink_done(struct uplink *uplink)
{
	strv_done(&uplink->addresses);
	strv_done(&uplink->gateways);
	*uplink = (struct uplink){};
}

/* An address that a host makes up when nobody gives it one (RFC 3927). */
static bool is_made_up(const struct address *a)
{
	return a->family == FW_IPV4 && a->bytes[0] == 169 && a->bytes[1] == 254;
}

/* Families that have addresses of their own here, not lent ones. */
struct families {
	bool is_own[N_FW_FAMILIES], is_lent[N_FW_FAMILIES];
};

static int read_addresses(struct netlink *nl, const struct link *link, struct uplink *ret,
		struct families *families, struct error *err)
{
	CLEANUP(address_list_done) struct address_list list = {};
	int r = address_list(nl, link, &list, err);
	for (size_t i = 0; r >= 0 && i < list.n; i++) {
		const struct address *a = &list.items[i];
		char text[INET6_ADDRSTRLEN];
		if (is_made_up(a))
			continue;
		if (!a->is_permanent) {
			ret->is_lent = families->is_lent[a->family] = true;
			continue;
		}
		families->is_own[a->family] = true;
		inet_ntop(fw_address_domain(a->family), a->bytes, text, sizeof(text));
		strv_push_take(&ret->addresses, xasprintf("%s/%d", text, a->prefix));
	}
	return r < 0 ? r : 0;
}

/* ---- routes ---- */

struct routes {
	int index; /* of the interface */
	const struct families *families;
	struct strv *gateways;
};

static void take_route(void *data, const struct nlmsghdr *message)
{
	const struct routes *routes = data;
	struct route route;
	char gateway[INET6_ADDRSTRLEN];
	if (!route_read(message, &route) || route.prefix != 0 || route.type != RTN_UNICAST ||
			route.protocol == RTPROT_RA || route.protocol == RTPROT_DHCP)
		return;
	if (route.domain != AF_INET && route.domain != AF_INET6)
		return;
	enum fw_family family = route.domain == AF_INET ? FW_IPV4 : FW_IPV6;
	/* Clients of DHCP that are scripts add routes like anybody else. */
	if (!routes->families->is_own[family] || routes->families->is_lent[family])
		return;
	if (route.index == routes->index && route.table == RT_TABLE_MAIN && route.gateway &&
			inet_ntop(route.domain, route.gateway, gateway, sizeof(gateway)))
		strv_push(routes->gateways, gateway);
}

static int read_gateways(struct netlink *nl, const struct link *link,
		const struct families *families, struct strv *ret, struct error *err)
{
	struct routes routes = { .index = link->index, .families = families, .gateways = ret };
	struct netlink_answer answer = { .add = take_route, .data = &routes };
	char space[MESSAGE_BYTES] = {};
	struct nlmsghdr *message = mnl_nlmsg_put_header(space);
	message->nlmsg_type = RTM_GETROUTE;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	message->nlmsg_seq = ++nl->sequence;
	struct rtmsg *info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
	info->rtm_family = AF_UNSPEC;
	return netlink_talk(nl, message, message->nlmsg_len, &answer, "list routes", err);
}

int uplink_read(struct netlink *nl, const char *sys, const char *name, struct uplink *ret,
		struct error *err)
{
	CLEANUP(freep) char *wireless = xasprintf("%s/class/net/%s/phy80211", sys, name);
	struct families families = {};
	struct link link;
	*ret = (struct uplink){};
	int r = netlink_get(nl, name, &link, err);
	if (r != 0)
		return r;
	memcpy(ret->mac, link.address, sizeof(ret->mac));
	ret->is_wireless = access(wireless, F_OK) == 0;
	r = read_addresses(nl, &link, ret, &families, err);
	return r == 0 ? read_gateways(nl, &link, &families, &ret->gateways, err) : r;
}
