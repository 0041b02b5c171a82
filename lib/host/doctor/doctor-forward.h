/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Chains of packet filters that see what a host forwards and drop what no rule accepts, whoever
 * made them. Private to the checks of forwarding and networks (host/doctor/doctor-forwarding.c,
 * host/doctor/doctor-own-network.c).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/net/netlink.h"
#include "util/cleanup.h"
#include "util/error.h"

struct forward_chain {
	uint8_t family; /* NFPROTO_IPV4, NFPROTO_IPV6 or NFPROTO_INET */
	char table[64]; /* cut to fit, as the next one */
	char name[64];
	bool has_docker; /* its table has Docker's chain for the administrator, DOCKER-USER */
};

struct forward_chains {
	struct forward_chain *items;
	size_t n, n_alloc;
};
void forward_chains_done(struct forward_chains *chains);

/* Those of nftables, with iptables-nft among them. Needs CAP_NET_ADMIN. */
MUST_CHECK int forward_chains_list(
		struct netlink *nl, struct forward_chains *ret, struct error *err);

/* A table of another program, and what of it is asked. */
struct forward_table {
	uint8_t family;
	const char *name;
	bool has_rules;
	bool is_about_it; /* one of them compares something with the interface */
};

/* Look at all rules of a table; has none if it is not there. Needs CAP_NET_ADMIN. */
MUST_CHECK int forward_table_look(struct netlink *nl, struct forward_table *table,
		const char *interface, struct error *err);

/* Does the chain, or Docker's beside it, accept what comes from or goes to an interface? */
MUST_CHECK int forward_chain_accepts(struct netlink *nl, const struct forward_chain *chain,
		const char *interface, bool *ret, struct error *err);
