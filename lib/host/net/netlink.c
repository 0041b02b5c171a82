/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The conversation with the kernel about links. */
#include "host/net/netlink.h"

#include <linux/rtnetlink.h>
#include <string.h>

#include "host/net/netlink-talk.h"
#include "util/mem.h"

int netlink_open(struct netlink *ret, struct error *err)
{
	return netlink_open_protocol(NETLINK_ROUTE, ret, err);
}

static void take_one(void *data, const struct nlmsghdr *message)
{
	if (message->nlmsg_type == RTM_NEWLINK)
		link_parse(message, data);
}

int netlink_get(struct netlink *nl, const char *name, struct link *ret, struct error *err)
{
	char request[LINK_MESSAGE_MAX];
	if (!*name || strlen(name) >= IFNAMSIZ)
		return error_set(err, EINVAL, "'%s' is no name of an interface", name);
	size_t len = link_message_get(name, ++nl->sequence, request);

	CLEANUP(freep) char *what = xasprintf("look for interface '%s'", name);
	struct link link = {};
	struct netlink_answer answer = { .add = take_one, .data = &link };
	int r = netlink_talk(nl, request, len, &answer, what, err);
	if (r == -ENODEV)
		return 1;
	if (r < 0)
		return r;
	*ret = link;
	return 0;
}

struct collection {
	const char *prefix;
	struct link *links;
	size_t n, n_alloc;
};

static void collect(void *data, const struct nlmsghdr *message)
{
	struct collection *c = data;
	struct link link;

	if (message->nlmsg_type != RTM_NEWLINK)
		return;
	link_parse(message, &link);
	if (strncmp(link.alias, c->prefix, strlen(c->prefix)) != 0)
		return;
	c->links = grow_array(c->links, &c->n_alloc, c->n, sizeof(*c->links));
	c->links[c->n++] = link;
}

int netlink_list(struct netlink *nl, const char *alias_prefix, struct link **ret, size_t *ret_n,
		struct error *err)
{
	char request[LINK_MESSAGE_MAX];
	struct collection found = { .prefix = alias_prefix };

	for (struct netlink_tries tries = {}; netlink_may_try(&tries);) {
		found.n = 0;
		struct netlink_answer answer = { .add = collect, .data = &found };
		size_t len = link_message_list(++nl->sequence, request);
		int r = netlink_talk(nl, request, len, &answer, "list the interfaces", err);
		if (r < 0) {
			free(found.links);
			return r;
		}
		if (!answer.interrupted) {
			*ret = found.links;
			*ret_n = found.n;
			return 0;
		}
	}
	free(found.links);
	return error_set(err, EAGAIN, "cannot list the interfaces: they change all the time");
}

int netlink_change(struct netlink *nl, const struct link *link, const struct link_change *change,
		struct error *err)
{
	char request[LINK_MESSAGE_MAX];
	if (change->alias && strlen(change->alias) >= LINK_ALIAS_MAX)
		return error_set(err, ENAMETOOLONG, "alias '%s' is longer than %d bytes",
				change->alias, LINK_ALIAS_MAX - 1);
	size_t len = link_message_change(link->index, change, ++nl->sequence, request);

	CLEANUP(freep) char *what = xasprintf("change interface '%s'", link->name);
	struct netlink_answer answer = {};
	int r = netlink_talk(nl, request, len, &answer, what, err);
	if (r != -EAFNOSUPPORT || !change->no_ipv6_address)
		return r;
	/* No IPv6 on this host, or not on this link: no address to prevent. */
	struct link_change rest = *change;
	rest.no_ipv6_address = false;
	return netlink_change(nl, link, &rest, err);
}

int netlink_delete(struct netlink *nl, const struct link *link, struct error *err)
{
	char request[LINK_MESSAGE_MAX];
	size_t len = link_message_delete(link->index, ++nl->sequence, request);

	CLEANUP(freep) char *what = xasprintf("delete interface '%s'", link->name);
	struct netlink_answer answer = {};
	int r = netlink_talk(nl, request, len, &answer, what, err);
	return r == -ENODEV ? 1 : r;
}
