/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a network card does for one of its virtual functions: its MAC address, VLAN, what it may
 * send. All of it is set through the card's own interface (rtnetlink(7), IFLA_VFINFO_LIST;
 * "ip link set INTERFACE vf N ...").
 */
#pragma once

#include "host/net/netlink.h"

struct vf_settings {
	uint8_t mac[LINK_ADDRESS_LEN];
	int vlan;	 /* 0: none */
	int spoof_check; /* 1, 0; -1: the card does not tell */
	int trust;	 /* likewise */
};

/* Each is a request of its own: not every card knows all of them. */
enum vf_part { VF_MAC, VF_VLAN, VF_SPOOF_CHECK, VF_TRUST, N_VF_PARTS };

/* How the functions of cards are reached; tests have one of their own. */
struct vf_access {
	int (*get)(void *data, const char *interface, unsigned function, struct vf_settings *ret,
			struct error *err);
	/* What @now differs in from @wanted is set. -1 in @wanted: whatever it is. */
	int (*set)(void *data, const char *interface, unsigned function,
			const struct vf_settings *now, const struct vf_settings *wanted,
			struct error *err);
	void *data;
};

/* The functions of interfaces in the network namespace of @nl. Errors: ENODEV: there is none. */
MUST_CHECK int vf_get(struct netlink *nl, const char *interface, unsigned function,
		struct vf_settings *ret, struct error *err);
MUST_CHECK int vf_set(struct netlink *nl, const char *interface, unsigned function,
		const struct vf_settings *now, const struct vf_settings *wanted, struct error *err);

/* Each fills @space and returns the message's length. */
size_t vf_message_get(const char *interface, uint32_t sequence, char space[LINK_MESSAGE_MAX]);
size_t vf_message_set(const char *interface, unsigned function, enum vf_part part,
		const struct vf_settings *settings, uint32_t sequence,
		char space[LINK_MESSAGE_MAX]);

/* Read an RTM_NEWLINK message. Returns 0, or 1 if it does not tell of that function. */
struct nlmsghdr;
int vf_parse(const struct nlmsghdr *message, unsigned function, struct vf_settings *ret);
