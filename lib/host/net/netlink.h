/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Network interfaces of the namespace this thread is in: read, change, delete (rtnetlink(7)).
 *
 *	CLEANUP(netlink_done) struct netlink nl = {};
 *	int r = netlink_open(&nl, err);
 *
 * Messages are built in memory by the link_message_...() functions and sent by the netlink_...()
 * functions.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/cleanup.h"
#include "util/error.h"

#define LINK_ADDRESS_LEN 6
/* The kernel's limit for an alias with its NUL (IFALIASZ). */
#define LINK_ALIAS_MAX 256
/* Room for any message that is built here. */
#define LINK_MESSAGE_MAX 1024

struct link {
	int index;
	char name[IFNAMSIZ];
	char alias[LINK_ALIAS_MAX]; /* "" for none */
	char kind[16];		    /* "bridge", "tun", ...; "" for a device of hardware */
	uint8_t address[LINK_ADDRESS_LEN];
	uint32_t mtu;
	int master; /* index; 0 for none */
	int lower;  /* index of the link that it sits on (macvtap, VLAN); 0 for none */
	bool up;
	bool carrier;	     /* of a tap: somebody has it open */
	bool vlan_filtering; /* a bridge that is VLAN-aware */
};

/* What to change on a link; zero members stay as they are. */
struct link_change {
	const char *alias;
	const uint8_t *address; /* LINK_ADDRESS_LEN bytes */
	uint32_t mtu;
	int master;
	bool no_ipv6_address; /* the kernel makes none up (addr_gen_mode none), if it has IPv6 */
	bool up;
	bool down;
	bool no_master;
};

struct netlink {
	struct mnl_socket *socket; /* NULL: not open */
	uint32_t sequence;
};

MUST_CHECK int netlink_open(struct netlink *ret, struct error *err);
void netlink_done(struct netlink *nl);

/*
 * Whether to look once more at what others change meanwhile: a dump that was cut, a change that was
 * made for what is no more. Of all who try, one gets on each time; that is long for the last one
 * where a host starts hundreds of machines at once. All of them wait in the kernel for their turn
 * to change nftables, so that a single try may take longer than many do elsewhere: who has tried
 * only a few times goes on, however late it is.
 *
 *	for (struct netlink_tries tries = {}; netlink_may_try(&tries);)
 */
#define NETLINK_TRIES_MIN 10
struct netlink_tries {
	unsigned n;
	uint64_t until_usec; /* more than NETLINK_TRIES_MIN; 0: it has not begun */
};
bool netlink_may_try(struct netlink_tries *tries);

/* One link by its name. Returns 0, or 1 when there is none. */
MUST_CHECK int netlink_get(
		struct netlink *nl, const char *name, struct link *ret, struct error *err);

/*
 * All links whose alias begins with @alias_prefix, in the kernel's order.
 *
 * @ret, @ret_n: the caller frees *ret
 */
MUST_CHECK int netlink_list(struct netlink *nl, const char *alias_prefix, struct link **ret,
		size_t *ret_n, struct error *err);

/* One message, so that the kernel's refusal of one part is a refusal, and its reason is told. */
MUST_CHECK int netlink_change(struct netlink *nl, const struct link *link,
		const struct link_change *change, struct error *err);

/* Returns 0, or 1 when it was gone already. */
MUST_CHECK int netlink_delete(struct netlink *nl, const struct link *link, struct error *err);

/*
 * Begin a request about one link in @space, about all of them or one that an attribute names
 * (@index 0); what else belongs to it is added with mnl_attr_put() (libmnl).
 *
 * @type: RTM_GETLINK and others
 * @flags: besides NLM_F_REQUEST
 *
 * Returns the message, which is in @space.
 */
struct nlmsghdr *link_message_begin(char space[LINK_MESSAGE_MAX], uint16_t type, uint16_t flags,
		uint32_t sequence, int index);

/* Each fills @space and returns the message's length. */
size_t link_message_get(const char *name, uint32_t sequence, char space[LINK_MESSAGE_MAX]);
size_t link_message_list(uint32_t sequence, char space[LINK_MESSAGE_MAX]);
size_t link_message_change(int index, const struct link_change *change, uint32_t sequence,
		char space[LINK_MESSAGE_MAX]);
size_t link_message_delete(int index, uint32_t sequence, char space[LINK_MESSAGE_MAX]);

/* Read an RTM_NEWLINK message; what does not fit its member is cut. */
struct nlmsghdr;
void link_parse(const struct nlmsghdr *message, struct link *ret);
