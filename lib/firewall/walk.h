/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happens to a packet: the list of firewall/policy.h walked for one of a new connection. It
 * says what the rules mean, and is what "machina firewall test" tells. Pure.
 */
#pragma once

#include "firewall/policy.h"

struct fw_packet {
	enum fw_direction direction;
	enum fw_family family;
	int protocol;	    /* IPPROTO_x */
	uint16_t from_port; /* 0: the one that a client or server of that kind uses */
	uint16_t to_port;   /* TCP, UDP, SCTP; 0: the packet has none */
	uint16_t type;	    /* ICMP of the packet's family */
	/* The other end: the source of FW_IN, the destination of FW_OUT. NULL: one that no rule
	 * names. */
	const uint8_t *peer;
	/* FW_OUT: the source; NULL: one that the guard lets pass, if there is any. */
	const uint8_t *source;
};

struct fw_decision {
	enum fw_action action;
	const struct fw_entry *entry;	      /* the one that decided, in port->entries */
	const struct fw_rule *rule;	      /* GROUP, RULE */
	const struct fw_essential *essential; /* ESSENTIALS */
	/* Part of the guard ("guard address"), kind of essential, origin of rule or default. */
	const char *origin;
};

/* Policy's members must have been added, if rules name groups. Strings are borrowed from @policy
 * and @port. */
struct fw_decision fw_walk(const struct fw_policy *policy, const struct fw_port *port,
		const struct fw_packet *packet);

/* Is the rule about such a packet? Its direction is not looked at. */
bool fw_rule_matches(const struct fw_policy *policy, const struct fw_rule *rule,
		const struct fw_packet *packet);
