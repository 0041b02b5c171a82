/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packet filter rules and what one connection of a machine says about its own filter: the types
 * that the config is made into (model/vm.h), that a unit's plan carries (model/plan.h) and that
 * lib/firewall resolves against the host's groups and sets. Format and meaning: machina-firewall.7.
 *
 * Directions are the machine's: "in" is what it gets, "out" what it sends.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/firewall.h"
#include "util/arena.h"
#include "util/buf.h"
#include "util/error.h"

enum fw_family { FW_IPV4, FW_IPV6, N_FW_FAMILIES };
/* Bits of a mask of families. */
#define FW_FAMILY_BIT(family) (1u << (family))
#define FW_BOTH_FAMILIES (FW_FAMILY_BIT(FW_IPV4) | FW_FAMILY_BIT(FW_IPV6))
/* Bytes of an address: 4 or 16. */
size_t fw_address_size(enum fw_family family) PURE;
/* AF_INET or AF_INET6. */
int fw_address_domain(enum fw_family family) PURE;

/* Addresses from first to last, both included, in network byte order; of IPv4 the first four bytes
 * count, the rest are zero. A CIDR block is a range too. */
struct fw_range {
	uint8_t first[16];
	uint8_t last[16];
};
/* Sorted, without overlaps, and without neighbours that could be one. */
struct fw_ranges {
	const struct fw_range *items;
	size_t n;
};
struct fw_addresses {
	struct fw_ranges of[N_FW_FAMILIES];
};

/* Ports or ICMP types from first to last, both included. Lists of them are sorted and merged. */
struct fw_span {
	uint16_t first;
	uint16_t last;
};

/* A rule. Disabled ones are not kept. */
struct fw_rule {
	enum fw_direction direction;
	enum fw_action action;	     /* FW_REJECT in FW_OUT only */
	int protocol;		     /* -1: any; else IPPROTO_x, 0..255 */
	const struct fw_span *ports; /* destination; n 0: all. TCP, UDP, SCTP only */
	size_t n_ports;
	const struct fw_span *types; /* ICMP types; n 0: all. IPPROTO_ICMP, IPPROTO_ICMPV6 only */
	size_t n_types;

	/* The other end: source of FW_IN, destination of FW_OUT. Any of these three lists; all
	 * empty: everybody. A family that occurs in none of them is not matched. */
	struct fw_addresses addresses;
	const char *const *sets; /* names of address sets of the host, without "@" */
	size_t n_sets;
	const char *const *groups; /* names of groups whose members are meant, without "&" */
	size_t n_groups;

	bool log;
	uint32_t rate_count;   /* matches at most that often per rate_seconds; 0: no limit */
	uint32_t rate_seconds; /* 1, 60, 3600 or 86400 */
	int priority;	       /* 1..999 */
	const char *comment;   /* "" for none */
	const char *origin;    /* "group web #2", "vm #1", counted as they are listed */
	/* Where it is written: in the merged host's config (of a group) or the merged machine. NULL
	 * when it was read out of a unit. */
	const char *pointer;
};

struct fw_rules {
	struct fw_rule *items;
	size_t n;
};

/* Does it name another end at all? */
bool fw_rule_has_peers(const struct fw_rule *rule) PURE;

/* What must not come from a machine. All zero: no guard. */
struct fw_guard {
	bool mac;
	enum fw_guard_address {
		FW_GUARD_ADDRESS_OFF,
		FW_GUARD_ADDRESS_ON,	 /* the families in which the connection has addresses */
		FW_GUARD_ADDRESS_STRICT, /* the others may not be sent at all */
	} address;			 /* OFF when the connection has no address */
	bool router;
	bool dhcp_server;
	bool fragments;
	bool other;
};
bool fw_guard_is_on(const struct fw_guard *guard) PURE;

/* Who can say a connection's default, the strongest first. Groups come between, see
 * firewall/policy.h. */
enum fw_level { FW_LEVEL_CONNECTION, FW_LEVEL_MACHINE, FW_LEVEL_NETWORK, N_FW_LEVELS };

/* The filter of one connection, as far as its machine and its network say it. */
struct vm_filter {
	const char *const *groups; /* names, in the order of the config */
	size_t n_groups;
	struct fw_rule *rules; /* its own, as listed, of both directions */
	size_t n_rules;
	bool has_any; /* a group or a rule is written, be it disabled: "in" is closed by default */
	enum fw_default defaults[N_FW_LEVELS][N_FW_DIRECTIONS];
	struct fw_guard guard;
	struct fw_addresses ip; /* the connection's own addresses */
	const uint16_t *vlans;	/* tagged VLANs that may pass (guard.other), sorted */
	size_t n_vlans;
};

/*
 * Sort and merge ranges in place, as nftables' interval sets need it: the kernel takes no overlaps
 * (only nft merges them by itself).
 *
 * Returns how many are left.
 */
size_t fw_ranges_merge(struct fw_range *items, size_t n, enum fw_family family);
/* The same for ports and types. */
size_t fw_spans_merge(struct fw_span *items, size_t n);
/* @text: "80", "1000-2000": what form_ports() or form_vlans() takes (config/forms.h) */
struct fw_span fw_span_read(const char *text) PURE;

bool fw_ranges_contain(
		const struct fw_ranges *ranges, enum fw_family family, const uint8_t *address) PURE;
bool fw_spans_contain(const struct fw_span *items, size_t n, uint16_t value) PURE;

/*
 * One address ("192.0.2.1"), CIDR block ("2001:db8::/32") or range ("10.0.0.5-10.0.0.9").
 *
 * Errors: EINVAL with a text for what is none of them, for a block with bits of the host set (it
 * names the block that was probably meant), a range that goes down or that mixes families.
 */
MUST_CHECK int fw_range_parse(const char *text, struct fw_range *ret, enum fw_family *ret_family,
		struct error *err);
/* One address, with or without the length of its network's prefix, which does not count. */
bool fw_address_read(const char *text, struct fw_range *ret, enum fw_family *ret_family);
bool fw_is_address(const char *text);
/* The block with a prefix of @bits that an address is in. */
struct fw_range fw_block(const uint8_t *address, enum fw_family family, int bits) PURE;
/* What an address means wherever it is, "a group (multicast)"; NULL: that of a host or network. */
const char *fw_address_special(enum fw_family family, const uint8_t *bytes) PURE;
/* Append it as a block if it is one, else as a range; an address by itself without "/32". */
void fw_range_put(struct buf *out, const struct fw_range *range, enum fw_family family);

/* Append "tcp", "icmp6", "47"; "any" for -1. */
void fw_protocol_put(struct buf *out, int protocol);
