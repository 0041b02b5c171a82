/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The conversation with the kernel about links. */
#include "host/netlink.h"

#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "util/mem.h"

/* A dump is cut where links come and go in the middle of it; that often it is asked for again. */
#define DUMP_ATTEMPTS 10

int netlink_open(struct netlink *ret, struct error *err)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!socket)
		return error_errno(err, "cannot open a netlink socket");
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		int r = error_errno(err, "cannot bind a netlink socket");
		mnl_socket_close(socket);
		return r;
	}
	/* The reason of a refusal in words; a kernel that has none is understood as well. */
	int yes = 1;
	if (mnl_socket_setsockopt(socket, NETLINK_EXT_ACK, &yes, sizeof(yes)) < 0 ||
			mnl_socket_setsockopt(socket, NETLINK_CAP_ACK, &yes, sizeof(yes)) < 0)
		errno = 0;
	*ret = (struct netlink){ .socket = socket };
	return 0;
}

void netlink_done(struct netlink *nl)
{
	if (nl->socket)
		mnl_socket_close(nl->socket);
	*nl = (struct netlink){};
}

/* What becomes of the messages of an answer. */
struct answer {
	void (*add)(void *data, const struct nlmsghdr *message);
	void *data;
	bool interrupted;   /* a dump that is not of one moment */
	const char *reason; /* of a failure, in the buffer that was received; or NULL */
};

static int take_reason(const struct nlattr *attr, void *data)
{
	size_t len = mnl_attr_get_payload_len(attr);
	const char *text = mnl_attr_get_payload(attr);
	if (mnl_attr_get_type(attr) != NLMSGERR_ATTR_MSG || len == 0 || text[len - 1] != '\0')
		return MNL_CB_OK;
	*(const char **)data = text;
	return MNL_CB_STOP;
}

/* The text that may follow an NLMSG_ERROR. With NETLINK_CAP_ACK, no request is in between. */
static const char *reason_of(const struct nlmsghdr *message)
{
	const char *reason = NULL;
	if (message->nlmsg_flags & NLM_F_ACK_TLVS)
		mnl_attr_parse(message, sizeof(struct nlmsgerr), take_reason, &reason);
	return reason;
}

/* One datagram of an answer. 1: more to come; 0: done; else a negative errno of the kernel. */
static int read_datagram(const char *data, size_t len, uint32_t sequence, struct answer *answer)
{
	const struct nlmsghdr *message = (const void *)data;

	/* libmnl counts in int. */
	for (int left = (int)len; mnl_nlmsg_ok(message, left);
			message = mnl_nlmsg_next(message, &left)) {
		if (message->nlmsg_seq != sequence)
			continue;
		if (message->nlmsg_flags & NLM_F_DUMP_INTR)
			answer->interrupted = true;
		if (message->nlmsg_type == NLMSG_DONE)
			return 0;
		if (message->nlmsg_type == NLMSG_ERROR) {
			const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);
			answer->reason = reason_of(message);
			return error->error;
		}
		if (answer->add)
			answer->add(answer->data, message);
		if (!(message->nlmsg_flags & NLM_F_MULTI))
			return 0;
	}
	return 1;
}

/* Send a request and read its answer. Returns 0 or a negative errno with a text. */
static int talk(struct netlink *nl, const char *request, size_t len, struct answer *answer,
		const char *what, struct error *err)
{
	/* Dumps come in pieces of up to 32 KiB (netlink_dump in net/netlink/af_netlink.c). */
	static const size_t size = 32768;
	CLEANUP(freep) char *data = xmalloc(size);

	if (mnl_socket_sendto(nl->socket, request, len) < 0)
		return error_errno(err, "cannot %s", what);
	for (;;) {
		ssize_t n = mnl_socket_recvfrom(nl->socket, data, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, "cannot %s", what);
		int r = read_datagram(data, (size_t)n, nl->sequence, answer);
		if (r > 0)
			continue;
		if (r < 0 && answer->reason)
			return error_code(err, r, "cannot %s: %s", what, answer->reason);
		return r < 0 ? error_code(err, r, "cannot %s", what) : 0;
	}
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
	struct answer answer = { .add = take_one, .data = &link };
	int r = talk(nl, request, len, &answer, what, err);
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

	for (unsigned i = 0; i < DUMP_ATTEMPTS; i++) {
		found.n = 0;
		struct answer answer = { .add = collect, .data = &found };
		size_t len = link_message_list(++nl->sequence, request);
		int r = talk(nl, request, len, &answer, "list the interfaces", err);
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

	CLEANUP(freep) char *what = xasprintf("set up interface '%s'", link->name);
	struct answer answer = {};
	return talk(nl, request, len, &answer, what, err);
}

int netlink_delete(struct netlink *nl, const struct link *link, struct error *err)
{
	char request[LINK_MESSAGE_MAX];
	size_t len = link_message_delete(link->index, ++nl->sequence, request);

	CLEANUP(freep) char *what = xasprintf("delete interface '%s'", link->name);
	struct answer answer = {};
	int r = talk(nl, request, len, &answer, what, err);
	return r == -ENODEV ? 1 : r;
}
