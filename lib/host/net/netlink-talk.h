/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One request and its answer, in any protocol of netlink(7): for the modules that build messages.
 *
 *	struct netlink_answer answer = { .add = take, .data = &data };
 *	mnl_nlmsg->nlmsg_seq = ++nl->sequence;
 *	int r = netlink_talk(nl, message, message->nlmsg_len, &answer, "list the chains", err);
 */
#pragma once

#include <stdbool.h>

#include "host/net/netlink.h"

/* A socket of another protocol than rtnetlink (NETLINK_NETFILTER), released by netlink_done(). */
MUST_CHECK int netlink_open_protocol(int protocol, struct netlink *ret, struct error *err);

struct nlmsghdr;

/* What becomes of the messages of an answer. */
struct netlink_answer {
	void (*add)(void *data, const struct nlmsghdr *message); /* NULL: nothing */
	void *data;
	bool is_short;	    /* the kernel makes a dump in small pieces, each when it is read */
	bool is_enough;	    /* set by @add: no more is read, and the socket can only be closed */
	bool interrupted;   /* a dump that is not of one moment */
	const char *reason; /* of a failure, for netlink_talk() alone */
};

/*
 * Send a request, with nl->sequence as its number, and read its answer.
 *
 * @what: for messages, as in "cannot WHAT"
 *
 * Errors: the kernel's, with its reason in words if it has one.
 */
MUST_CHECK int netlink_talk(struct netlink *nl, const void *request, size_t len,
		struct netlink_answer *answer, const char *what, struct error *err);

/* The same for a message that asks for nothing but its NLM_F_ACK; its number is set. */
MUST_CHECK int netlink_request(
		struct netlink *nl, struct nlmsghdr *message, const char *what, struct error *err);

/* The kernel's reason in words that may follow an NLMSG_ERROR or NLMSG_DONE, in the message; NULL:
 * none. */
const char *netlink_reason(const struct nlmsghdr *message);
