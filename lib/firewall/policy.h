/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's firewall, and the filter of one connection resolved against it: which rules are tried
 * in which order. The order is decided here and nowhere else; the nftables batch, "firewall show"
 * and "firewall test" walk the same list. Meaning: machina-firewall.7. Pure.
 *
 *	CLEANUP(fw_policy_done) struct fw_policy policy = {};
 *	r = fw_policy_build(&host, &policy, &report);
 *	CLEANUP(fw_port_done) struct fw_port port = {};
 *	r = fw_port_of_plan(&policy, plan, fd, &port, &err);
 *	for (size_t i = 0; i < port.entries[FW_OUT].n; i++)
 *		... port.entries[FW_OUT].items[i] ...
 */
#pragma once

#include "model/filter.h"
#include "model/plan.h"
#include "model/vm.h"

/* Named addresses: a set of the host's config, or the members of a group. */
struct fw_set {
	const char *name; /* without "@" or "&" */
	struct fw_addresses addresses;
};

struct fw_group {
	const char *name;
	int priority; /* among the other groups and the connection's own rules */
	bool locked;
	enum fw_default defaults[N_FW_DIRECTIONS];
	struct fw_rules rules[N_FW_DIRECTIONS]; /* in the order in which they are tried: by their
						   priority, then as listed */
	const char *comment;			/* "" for none */
};

/* The "firewall" section of the host's config; {} is that of a host without one. */
struct fw_policy {
	struct arena arena;
	enum fw_state state;
	struct fw_set *sets; /* sorted by name */
	size_t n_sets;
	struct fw_group *groups; /* sorted by name */
	size_t n_groups;
	struct json_object *flawed; /* the section, if it has faults that were told: names that are
				       not above may be in it; or NULL */
	struct fw_set *members; /* one for each group, in their order; see fw_policy_add_members()
				 */
};

void fw_policy_done(struct fw_policy *policy);

/*
 * @host: merged; not needed afterwards
 * @ret: released with fw_policy_done() in every case; its members are empty
 *
 * Returns 0, or 1 when errors were added to @report, or were for this section when @host was read:
 * @ret is good for looking for more of them only.
 */
MUST_CHECK int fw_policy_build(
		const struct host *host, struct fw_policy *ret, struct report *report);

/* NULL: there is none. */
const struct fw_set *fw_policy_set(const struct fw_policy *policy, const char *name);
const struct fw_group *fw_policy_group(const struct fw_policy *policy, const char *name);
/* The addresses of a group's members that were added so far; NULL: no such group. */
const struct fw_set *fw_policy_members(const struct fw_policy *policy, const char *group);

/* Add a connection's addresses to the members of its groups. Groups that are not there are passed
 * over. Pointers from fw_policy_members() stay good. */
void fw_policy_add_members(struct fw_policy *policy, const struct vm_filter *filter);

/*
 * Look for what is wrong in a machine's filters that only shows against the host's firewall:
 * unknown groups and sets, addresses that share no family with the protocol, a default of "drop"
 * where there is no state.
 *
 * @vm: also one of which vm_build() has had findings
 *
 * Returns 0, or 1 when errors were added to @report.
 */
MUST_CHECK int fw_check_machine(const struct fw_policy *policy, const struct machine *machine,
		const struct vm *vm, struct report *report);

/*
 * The families (a mask of FW_FAMILY_BIT) for which a rule is to be made: both, if it names no other
 * end; else those of its addresses and sets, and both for members of groups. ICMP and ICMPv6 are of
 * one family each. A family that is not in it must not be matched.
 */
unsigned fw_rule_families(const struct fw_policy *policy, const struct fw_rule *rule);

/* One thing that is tried. */
enum fw_entry_kind {
	FW_ENTRY_GUARD,	     /* out only; port->filter->guard */
	FW_ENTRY_STATE,	     /* established and related: accept */
	FW_ENTRY_ESSENTIALS, /* the rows of fw_essentials for this direction; in: what connection
				tracking takes for invalid then: drop */
	FW_ENTRY_GROUP,	     /* group->rules of this direction */
	FW_ENTRY_RULE,	     /* one of the connection's own */
	FW_ENTRY_DEFAULT,    /* always the last one; port->defaults of this direction */
};

struct fw_entry {
	enum fw_entry_kind kind;
	const struct fw_group *group; /* GROUP */
	const struct fw_rule *rule;   /* RULE */
};

struct fw_entries {
	const struct fw_entry *items;
	size_t n;
};

/* What happens to what no rule decides. */
struct fw_resolved_default {
	enum fw_action action; /* FW_ACCEPT or FW_DROP */
	enum fw_default_source {
		FW_SOURCE_GROUP, /* @group */
		FW_SOURCE_CONNECTION,
		FW_SOURCE_MACHINE,
		FW_SOURCE_NETWORK,
		FW_SOURCE_NONE, /* nobody says anything */
	} source;
	const struct fw_group *group;
	const char *origin; /* "group corp (locked)", "connection", "machine", "group web",
			       "network lan", "closed by groups or rules"
			     */
};

/* The filter of one connection, in the order in which it is applied. */
struct fw_port {
	struct arena arena;
	const char *machine; /* this and all below are copies */
	const char *connection;
	const char *network;
	const char *link; /* the interface on the host */
	const char *mac;
	const struct vm_filter *filter; /* borrowed */
	const struct fw_group **groups; /* filter->groups, of the policy */
	size_t n_groups;
	bool has_essentials; /* something can be dropped by a rule or by default, so that there are
				entries of kind ESSENTIALS */
	bool has_state;	     /* likewise of kind STATE: the policy's state is not "none" */
	struct fw_resolved_default defaults[N_FW_DIRECTIONS];
	struct fw_entries entries[N_FW_DIRECTIONS];
};

void fw_port_done(struct fw_port *port);

/*
 * Resolve a connection of a machine, or of a plan: one whose filter is not NULL.
 *
 * @policy, @vm, @plan: must outlive @ret
 * @ret: released with fw_port_done() in every case
 *
 * Errors: ENOENT: a group or set that it names is not in the host's config (any more).
 */
MUST_CHECK int fw_port_of_nic(const struct fw_policy *policy, const struct vm *vm,
		const struct vm_nic *nic, struct fw_port *ret, struct error *err);
MUST_CHECK int fw_port_of_plan(const struct fw_policy *policy, const struct plan *plan,
		const struct plan_fd *fd, struct fw_port *ret, struct error *err);

/* What a machine cannot do without, whatever the rules say: accepted before any rule. */
struct fw_essential {
	const char *what; /* "neighbour discovery"; NULL ends the table */
	enum fw_direction direction;
	bool arp; /* all of ARP; nothing of what follows counts then */
	enum fw_family family;
	int protocol;	    /* IPPROTO_UDP: the ports count; else ICMP of the family: the types */
	uint16_t from_port; /* source */
	uint16_t to_port;   /* destination */
	struct fw_span types[3]; /* { 0, 0 } ends them: 0 alone is none of these */
};
extern const struct fw_essential fw_essentials[];
