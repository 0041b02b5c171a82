/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IP addresses of the host's interfaces. */
#include "host/net/address.h"

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "host/net/netlink-talk.h"
#include "util/mem.h"

#define MESSAGE_BYTES 256

void address_list_done(struct address_list *list)
{
	free(list->items);
	*list = (struct address_list){};
}

struct taker {
	int index; /* of the interface */
	struct address_list *list;
};

/* By their types. */
static int take_attribute(const struct nlattr *attr, void *data)
{
	const struct nlattr **found = data;
	unsigned type = mnl_attr_get_type(attr);
	if (type == IFA_LOCAL || type == IFA_ADDRESS)
		found[type] = attr;
	return MNL_CB_OK;
}

static void take(void *data, const struct nlmsghdr *message)
{
	const struct taker *taker = data;
	struct address_list *list = taker->list;
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
	if (message->nlmsg_type != RTM_NEWADDR || (int)info->ifa_index != taker->index)
		return;
	if (info->ifa_family != AF_INET &&
			(info->ifa_family != AF_INET6 || info->ifa_scope == RT_SCOPE_LINK))
		return;
	const struct nlattr *found[IFA_LOCAL + 1] = {};
	mnl_attr_parse(message, sizeof(*info), take_attribute, found);
	/* IPv6 has IFA_LOCAL only where there is another end, which is IFA_ADDRESS then. */
	const struct nlattr *own = found[IFA_LOCAL] ? found[IFA_LOCAL] : found[IFA_ADDRESS];
	struct address held = {
		.family = info->ifa_family == AF_INET ? FW_IPV4 : FW_IPV6,
		.prefix = info->ifa_prefixlen,
		/* All flags that were there before 2010 have a place here, too. */
		.is_permanent = info->ifa_flags & IFA_F_PERMANENT,
	};
	size_t size = fw_address_size(held.family);
	if (own && mnl_attr_get_payload_len(own) == size)
		memcpy(held.bytes, mnl_attr_get_payload(own), size);
	list->items = grow_array(list->items, &list->n_alloc, list->n, sizeof(*list->items));
	list->items[list->n++] = held;
}

static struct nlmsghdr *begin(char *space, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(space);
	message->nlmsg_type = type;
	message->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	return message;
}

int address_list(struct netlink *nl, const struct link *link, struct address_list *ret,
		struct error *err)
{
	struct taker taker = { .index = link->index, .list = ret };
	for (struct netlink_tries tries = {}; netlink_may_try(&tries);) {
		char space[MESSAGE_BYTES] = {};
		struct nlmsghdr *message = begin(space, RTM_GETADDR, NLM_F_DUMP);
		mnl_nlmsg_put_extra_header(message, sizeof(struct ifaddrmsg));
		message->nlmsg_seq = ++nl->sequence;
		struct netlink_answer answer = { .add = take, .data = &taker };
		ret->n = 0;
		int r = netlink_talk(
				nl, message, message->nlmsg_len, &answer, "list addresses", err);
		if (r < 0 || !answer.interrupted)
			return r;
	}
	return error_set(err, EAGAIN, "cannot list addresses: they change all the time");
}

static int change(struct netlink *nl, const struct link *link, uint16_t type,
		const struct address *address, struct error *err)
{
	char space[MESSAGE_BYTES] = {};
	bool is_new = type == RTM_NEWADDR;
	struct nlmsghdr *message =
			begin(space, type, NLM_F_ACK | (is_new ? NLM_F_CREATE | NLM_F_REPLACE : 0));
	struct ifaddrmsg *info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
	size_t size = fw_address_size(address->family);
	info->ifa_family = (uint8_t)fw_address_domain(address->family);
	info->ifa_prefixlen = address->prefix;
	info->ifa_index = (uint32_t)link->index;
	mnl_attr_put(message, IFA_LOCAL, size, address->bytes);
	mnl_attr_put(message, IFA_ADDRESS, size, address->bytes);
	if (is_new && address->family == FW_IPV6)
		mnl_attr_put_u32(message, IFA_FLAGS, IFA_F_NODAD);
	CLEANUP(freep)
	char *what = xasprintf(
			"%s an address of interface '%s'", is_new ? "set" : "remove", link->name);
	return netlink_request(nl, message, what, err);
}

static bool is_same(const struct address *held, const struct network_address *address)
{
	return held->family == address->family && held->prefix == address->prefix &&
	       !memcmp(held->bytes, address->bytes, fw_address_size(address->family));
}

int address_set_all(struct netlink *nl, const struct link *link,
		const struct network_address *addresses, size_t n, struct error *err)
{
	CLEANUP(address_list_done) struct address_list list = {};
	int r = address_list(nl, link, &list, err);
	for (size_t i = 0; r >= 0 && i < n; i++) {
		bool is_there = false;
		for (size_t k = 0; k < list.n; k++)
			is_there |= is_same(&list.items[k], &addresses[i]);
		struct address wanted = {
			.family = addresses[i].family,
			.prefix = (uint8_t)addresses[i].prefix,
		};
		memcpy(wanted.bytes, addresses[i].bytes, sizeof(wanted.bytes));
		r = is_there ? 0 : change(nl, link, RTM_NEWADDR, &wanted, err);
	}
	for (size_t k = 0; r >= 0 && k < list.n; k++) {
		bool is_wanted = false;
		for (size_t i = 0; i < n; i++)
			is_wanted |= is_same(&list.items[k], &addresses[i]);
		r = is_wanted ? 0 : change(nl, link, RTM_DELADDR, &list.items[k], err);
		/* With the first address of a network those after it may go. */
		if (r == -EADDRNOTAVAIL)
			r = 0;
	}
	return r;
}
