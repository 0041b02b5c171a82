/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files that make up batch.h share: parts (batch-parts.c), and what is made of them.
 */
#pragma once

#include "firewall/batch.h"

#define RULE_PARTS_MAX 16

/* A rule while it is put together; afterwards its parts are copied. */
struct rule {
	struct nft_part parts[RULE_PARTS_MAX];
	size_t n;
	enum nft_field rejection; /* what "reject" answers with: see NFT_PART_REJECT */
};

/* A batch that is being made. */
struct maker {
	struct nft_batch *batch;
	const struct fw_policy *policy;
	enum fw_state state;
	const char *chain; /* to which rules are added */
	enum fw_direction direction;
	bool is_all;
	bool is_own;	  /* the chain is of one connection alone */
	struct strv done; /* chains and sets that are shared and are in the batch */
};

/* Append a part, which is returned to be filled in; a value or text is borrowed. */
struct nft_part *rule_part(struct rule *rule, enum nft_part_kind kind);
void rule_match(struct rule *rule, enum nft_field field, bool negate, const struct fw_range *values,
		size_t n);
void rule_match_set(struct rule *rule, enum nft_field field, const char *set);
void rule_bits(struct rule *rule, enum nft_field field, uint32_t bits);
void rule_map(struct rule *rule, enum nft_field field, const char *map);
void rule_counter(struct rule *rule);
void rule_verdict(struct rule *rule, enum nft_verdict verdict, const char *chain);
/* The numbers that every rule may need, as values of their fields. */
void rule_protocol(struct rule *rule, enum fw_family family);
void rule_arp(struct rule *rule);
void rule_l4proto(struct maker *m, struct rule *rule, int protocol);
void rule_number(struct maker *m, struct rule *rule, enum nft_field field, uint16_t number);
void rule_spans(struct maker *m, struct rule *rule, enum nft_field field,
		const struct fw_span *spans, size_t n);

/* "accept", or where that has to be remembered, what does both. */
void rule_accept(const struct maker *m, struct rule *rule);
/* Counter and drop. */
void rule_drop(struct rule *rule);

/* A shared chain of the maker's direction: "grp-web-in", and of no name "ess-in". */
const char *maker_chain(const struct maker *m, const char *prefix, const char *name);

/* Add it to m->chain. */
void maker_rule(struct maker *m, const struct rule *rule, const char *comment);

/* The set of that name. */
const struct nft_set *maker_set(struct maker *m, const char *prefix, const char *name,
		enum fw_family family, bool is_interval);

/* The rows of one direction: what each has in common is above. */
void maker_guard(struct maker *m, const struct fw_port *port);
void maker_fw_rule(struct maker *m, const struct fw_rule *rule);
void maker_default(struct maker *m, const struct fw_resolved_default *def);

/* ---- what is shared ---- */

/* A section, and the chains in it, which are emptied; the first one begins with the digest. */
void section_begin(struct maker *m);
void section_chain(struct maker *m, const char *chain, enum nft_hook hook);
void section_end(struct maker *m);

/* Add it unless it is in the batch already. */
void maker_base(struct maker *m);
void maker_state(struct maker *m);
void maker_essentials(struct maker *m);
void maker_group(struct maker *m, const struct fw_group *group);
/* Sets that a rule names. */
void maker_sets_of(struct maker *m, const struct fw_rule *rule);
/* The sets of a group's members. */
void maker_members(struct maker *m, const char *group);

extern const struct nft_set *const batch_maps[2]; /* from-vm, to-vm */
