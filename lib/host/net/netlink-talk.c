/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One request and its answer, in any protocol of netlink. */
#include "host/net/netlink-talk.h"

#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "host/os/clock.h"
#include "util/mem.h"

/* How long others may get in the way. */
#define TRY_USEC (30 * USEC_PER_SEC)

int netlink_open_protocol(int protocol, struct netlink *ret, struct error *err)
{
	struct mnl_socket *socket = mnl_socket_open2(protocol, SOCK_CLOEXEC);
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

bool netlink_may_try(struct netlink_tries *tries)
{
	uint64_t now = clock_now_usec();
	if (!tries->until_usec)
		tries->until_usec = now + TRY_USEC;
	return tries->n++ < NETLINK_TRIES_MIN || now < tries->until_usec;
}

static int take_reason(const struct nlattr *attr, void *data)
{
	size_t len = mnl_attr_get_payload_len(attr);
	const char *text = mnl_attr_get_payload(attr);
	if (mnl_attr_get_type(attr) != NLMSGERR_ATTR_MSG || len == 0 || text[len - 1] != '\0')
		return MNL_CB_OK;
	*(const char **)data = text;
	return MNL_CB_STOP;
}

/* With NETLINK_CAP_ACK, no request is between the error and its attributes. */
const char *netlink_reason(const struct nlmsghdr *message)
{
	const size_t fixed =
			message->nlmsg_type == NLMSG_DONE ? sizeof(int) : sizeof(struct nlmsgerr);
	const char *reason = NULL;
	if (message->nlmsg_flags & NLM_F_ACK_TLVS)
		mnl_attr_parse(message, (unsigned)fixed, take_reason, &reason);
	return reason;
}

/* One datagram of an answer. 1: more to come; 0: done; else a negative errno of the kernel. */
static int read_datagram(
		const char *data, size_t len, uint32_t sequence, struct netlink_answer *answer)
{
	const struct nlmsghdr *message = (const void *)data;

	/* libmnl counts in int. */
	for (int left = (int)len; mnl_nlmsg_ok(message, left);
			message = mnl_nlmsg_next(message, &left)) {
		if (message->nlmsg_seq != sequence)
			continue;
		if (message->nlmsg_flags & NLM_F_DUMP_INTR)
			answer->interrupted = true;
		/* A dump that fails after its beginning says so at its end. */
		if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR) {
			const int *error = mnl_nlmsg_get_payload(message);
			answer->reason = netlink_reason(message);
			return mnl_nlmsg_get_payload_len(message) < sizeof(*error) ? 0 : *error;
		}
		if (answer->add)
			answer->add(answer->data, message);
		if (answer->is_enough || !(message->nlmsg_flags & NLM_F_MULTI))
			return 0;
	}
	return 1;
}

int netlink_talk(struct netlink *nl, const void *request, size_t len, struct netlink_answer *answer,
		const char *what, struct error *err)
{
	/* Dumps come in pieces as big as what was asked for, up to 32 KiB (netlink_dump in
	 * net/netlink/af_netlink.c); a card with hundreds of virtual functions is one that is
	 * longer. */
	const size_t size = answer->is_short ? 4096 : 65536;
	CLEANUP(freep) char *data = xmalloc(size);

	ssize_t sent;
	do
		sent = mnl_socket_sendto(nl->socket, request, len);
	while (sent < 0 && errno == EINTR);
	if (sent < 0)
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

int netlink_request(
		struct netlink *nl, struct nlmsghdr *message, const char *what, struct error *err)
{
	struct netlink_answer answer = {};
	message->nlmsg_seq = ++nl->sequence;
	return netlink_talk(nl, message, message->nlmsg_len, &answer, what, err);
}
