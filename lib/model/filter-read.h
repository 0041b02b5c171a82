/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packet filter rules of the config files as struct fw_rule: for machines and connections
 * (lib/model) and for the groups of the host (lib/firewall). What concerns one rule alone is
 * checked here; what needs the host's sets and groups is checked by firewall/policy.h.
 */
#pragma once

#include "config/firewall.h"
#include "model/filter.h"

struct filter_reader {
	struct arena *arena; /* of all that is returned */
	/* A finding at a place of the merged file. */
	void (*report)(void *context, const char *pointer, const char *text);
	void *context;
};

void filter_report(const struct filter_reader *reader, const char *pointer, const char *format, ...)
		PRINTF(3, 4);

/*
 * Read a list of rules. Disabled ones are checked like others and left out.
 *
 * @rules: of struct fw_rule_conf
 * @pointer: of the list
 * @owner: "group web", "vm": a rule's origin is that and its number
 */
struct fw_rules filter_read_rules(const struct filter_reader *reader, const struct jlist *rules,
		const char *pointer, const char *owner);

/* Addresses, blocks and ranges, sorted and merged for each family. @pointer: of the list */
struct fw_addresses filter_read_addresses(const struct filter_reader *reader,
		const struct jstrings *texts, const char *pointer);

/* All parts off if it is disabled; else each is on that is not off. Whether the connection has
 * addresses is not asked. */
struct fw_guard filter_read_guard(const struct fw_guard_conf *conf);

/* Names, in @arena. */
const char *const *filter_copy_names(struct arena *arena, const struct jstrings *names);

/* IPPROTO_x of a "protocol"; -1 for NULL, "any" and what is none. */
int filter_protocol(const char *text);

/* The names of ICMP types, sorted by number, in the words of nft(8). NULL ends the table. */
struct fw_icmp_type {
	const char *name;
	uint8_t number;
};
extern const struct fw_icmp_type fw_icmp_types[];
extern const struct fw_icmp_type fw_icmp6_types[];
/* The table of a protocol, or NULL: it has no types. */
const struct fw_icmp_type *fw_icmp_types_of(int protocol);
/* A type by its name or number. Returns false if it is neither. */
bool filter_icmp_type(const struct fw_icmp_type *types, const char *text, uint16_t *ret);
