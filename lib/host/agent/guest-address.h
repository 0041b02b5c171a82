/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The addresses of a machine's guest, from whoever knows any.
 *
 *	CLEANUP(guest_addresses_done) struct guest_addresses found = {};
 *	int r = guest_addresses_find(&plan, clock_deadline_usec(USEC_PER_SEC), &found, err);
 *
 * The guest's agent knows all of them, and is believed at the guest's risk alone: what it tells is
 * shown, never used for a rule. The host has seen some as a neighbour on the machine's bridge; a
 * network's DHCP server has lent some; the config has fixed some.
 */
#pragma once

#include <stddef.h>

#include "host/net/netlink.h"
#include "model/plan.h"
#include "model/vm.h"
#include "util/cleanup.h"
#include "util/error.h"

struct json_object;

enum guest_address_source {
	GUEST_ADDRESS_AGENT,
	GUEST_ADDRESS_NEIGHBOUR,
	GUEST_ADDRESS_LEASE,
	GUEST_ADDRESS_CONFIG,
	N_GUEST_ADDRESS_SOURCES,
};
extern const char *const guest_address_source_names[N_GUEST_ADDRESS_SOURCES];

struct guest_address {
	char *text;	  /* as inet_ntop(3) writes it */
	int prefix;	  /* -1: not known */
	unsigned sources; /* 1 << enum guest_address_source, of all who know it */
	char *interface;  /* what the guest calls it, fit for a terminal; NULL: not known */
	char *connection; /* of the machine, by the MAC address; NULL: none of them */
	char *mac;	  /* lower case; NULL: not known */
};

struct guest_addresses {
	struct guest_address *items;
	size_t n, n_alloc;
	struct error agent; /* why the agent told nothing; code 0: it did */
};

void guest_addresses_done(struct guest_addresses *list);

/*
 * Ask all who know but the config, in the order of their names above.
 *
 * @plan: by which the machine was started
 * @agent_deadline_usec: how long to wait for the agent; 0: it is not asked
 *
 * Errors: those of the kernel. An agent that does not answer and leases that can't be read are
 * none.
 */
MUST_CHECK int guest_addresses_find(const struct plan *plan, uint64_t agent_deadline_usec,
		struct guest_addresses *ret, struct error *err);

/* Add what the config gives the machine's connections. */
void guest_addresses_add_config(struct guest_addresses *list, const struct vm *vm);

/*
 * The parts. Each adds to @list; an address that is there gets one more source.
 *
 * @interfaces: what guest-network-get-interfaces returned. What of it makes no sense is passed
 * over, and so is what comes behind the first 256 addresses
 * @text: a file of leases, as dnsmasq(8) writes it: "EXPIRY MAC IP NAME ID" a line
 */
void guest_addresses_add_agent(struct guest_addresses *list, const struct plan *plan,
		struct json_object *interfaces);
MUST_CHECK int guest_addresses_add_neighbours(struct guest_addresses *list, const struct plan *plan,
		struct netlink *nl, struct error *err);
void guest_addresses_add_leases(
		struct guest_addresses *list, const struct plan *plan, const char *text);
