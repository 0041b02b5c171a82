/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys of the packet filter: the host's "firewall", and what networks, machines and connections
 * say about their own. Meaning: machina-firewall.7.
 */
#pragma once

#include "json/jbind.h"

/* Directions are the machine's: "in" is what it gets, "out" what it sends. */
enum fw_direction { FW_IN, FW_OUT, N_FW_DIRECTIONS };
enum fw_action { FW_ACCEPT, FW_DROP, FW_REJECT };
/* What a "default" says of one direction. */
enum fw_default { FW_DEFAULT_NONE = -1, FW_DEFAULT_ACCEPT, FW_DEFAULT_DROP };
/* How answers to what was allowed are known. */
enum fw_state { FW_STATE_AUTO, FW_STATE_CONNTRACK, FW_STATE_FLOWS, FW_STATE_NONE };
/* The config's words for them, in their order, with NULL at the end. */
extern const char *const fw_direction_names[];
extern const char *const fw_action_names[];
extern const char *const fw_default_names[];
extern const char *const fw_state_names[];

struct fw_rule_conf {
	int direction;	      /* enum fw_direction; -1: in */
	int action;	      /* enum fw_action; -1: accept */
	const char *protocol; /* NULL: any */
	struct jstrings port;
	struct jstrings type;
	struct jstrings from;
	struct jstrings to;
	int64_t priority; /* 0: 200 */
	bool log;
	const char *rate; /* NULL: none */
	const char *comment;
	bool enabled;
};

/* enum fw_default; -1: not said */
struct fw_default_conf {
	int in;
	int out;
};

/* Switches: -1: not said, 0, 1; address also 2, "strict". */
struct fw_guard_conf {
	int enabled; /* -1: there is no "guard" */
	int mac;
	int address;
	int router;
	int dhcp_server;
	int fragments;
	int other;
};

/* What a machine and each of its connections may say. */
struct fw_filter_conf {
	struct jstrings groups;
	struct jlist rules; /* struct fw_rule_conf */
	struct fw_default_conf defaults;
	struct fw_guard_conf guard;
};

struct fw_group_conf {
	const char *name;
	struct jlist rules; /* struct fw_rule_conf */
	int64_t priority;   /* 0: 100 */
	bool locked;
	struct fw_default_conf defaults;
	const char *comment;
};

struct firewall_conf {
	struct jlist addresses; /* struct jnamed */
	struct jlist groups;	/* struct fw_group_conf */
	int state;		/* enum fw_state; -1: auto */
};

extern const struct field fw_rule_fields[];
extern const struct field fw_default_fields[];
extern const struct field fw_guard_fields[];
extern const struct field firewall_fields[];

/* Rows for the struct fw_filter_conf @member of @type. @or_else: whose guard counts if there is
 * none;
 * @note: ends the texts about what does not fall back key by key */
#define FILTER_FIELDS(type, member, or_else, note)                                                 \
	FIELD_STRINGS(type, member.groups, "groups", MERGE_GATHER, form_firewall_name,             \
			"Groups of the host's \"firewall\" that it belongs to." note),             \
			FIELD_LIST(type, member.rules, struct fw_rule_conf, "rules", MERGE_GATHER, \
					fw_rule_fields, "Packet filter rules of its own." note),   \
			FIELD_OBJECT(type, member.defaults, struct fw_default_conf, "default",     \
					MERGE_FIELDS, fw_default_fields,                           \
					"What happens to packets that no rule decides."),          \
			FILTER_GUARD(type, member.guard, or_else)

#define FILTER_GUARD(type, member, standard)                                                       \
	FIELD_ROW(type, member, struct fw_guard_conf, "guard", FIELD_KIND_OBJECT, MERGE_FIRST,     \
			"What the guest must not send, whatever the rules say: true, false, or "   \
			"an object that turns parts off.",                                         \
			.flags = FIELD_SWITCHED, .fields = fw_guard_fields,                        \
			.default_text = standard)
