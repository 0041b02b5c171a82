/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The field tables of the packet filter. */
#include "config/firewall.h"

#include "config/forms.h"

const char *const fw_direction_names[] = { "in", "out", NULL };
const char *const fw_action_names[] = { "accept", "drop", "reject", NULL };
const char *const fw_default_names[] = { "accept", "drop", NULL };
const char *const fw_state_names[] = { "auto", "conntrack", "flows", "none", NULL };

static const char *const address_names[] = { "false", "true", "strict", NULL };

const struct field fw_rule_fields[] = {
	FIELD_ENUM(struct fw_rule_conf, direction, "direction", fw_direction_names, "in",
			"\"in\": what is sent to the guest; \"out\": what it sends."),
	FIELD_ENUM(struct fw_rule_conf, action, "action", fw_action_names, "accept",
			"What happens to a packet that matches. \"reject\" drops it and tells the "
			"sender, only in direction \"out\"."),
	FIELD_TERM(struct fw_rule_conf, protocol, "protocol", form_protocol, "any",
			"\"tcp\", \"udp\", \"sctp\", \"icmp\", \"icmp6\", \"any\" or a number of "
			"IANA's list, 0 to 255."),
	FIELD_TERMS(struct fw_rule_conf, port, "port", form_ports, "all",
			"Destination port, a range such as \"1000-2000\", or a list of such; for "
			"\"tcp\", \"udp\" and \"sctp\"."),
	FIELD_TERMS(struct fw_rule_conf, type, "type", NULL, "all",
			"ICMP type by its name or number, or a list of such; for \"icmp\" and "
			"\"icmp6\". Names: see machina-firewall(7)."),
	FIELD_STRING_OR_LIST(struct fw_rule_conf, from, "from", form_peer,
			"In direction \"in\": who sends. An address, a block (\"192.0.2.0/24\"), a "
			"range (\"192.0.2.10-192.0.2.19\"), \"@SET\", \"&GROUP\" (the addresses of "
			"its members), or a list of such. Default: anybody."),
	FIELD_STRING_OR_LIST(struct fw_rule_conf, to, "to", form_peer,
			"In direction \"out\": to whom, in the same forms. Default: anybody."),
	FIELD_INT(struct fw_rule_conf, priority, "priority", 1, 999, 0, "200",
			"Rules of low numbers are tried first."),
	FIELD_BOOL(struct fw_rule_conf, log, "log", false,
			"Write packets that match to the kernel's log."),
	FIELD_STRING(struct fw_rule_conf, rate, "rate", form_rate, 0, "no limit",
			"How often the rule matches at most, such as \"10/second\": 1 to 65535 "
			"packets each second, minute, hour or day. Packets beyond that are not "
			"matched: the next rules are tried."),
	FIELD_STRING(struct fw_rule_conf, comment, "comment", form_text_line, 0, NULL,
			"For the reader."),
	FIELD_BOOL(struct fw_rule_conf, enabled, "enabled", true,
			"false: as if the rule were not there; it still counts when the default "
			"asks whether there are rules."),
	{},
};

const struct field fw_default_fields[] = {
	FIELD_ENUM(struct fw_default_conf, in, "in", fw_default_names, "see machina-firewall(7)",
			"For what is sent to the guest."),
	FIELD_ENUM(struct fw_default_conf, out, "out", fw_default_names, "see machina-firewall(7)",
			"For what the guest sends."),
	{},
};

const struct field fw_guard_fields[] = {
	FIELD_SWITCH(struct fw_guard_conf, enabled, "enabled", form_switch_names, "true",
			"Whether there is a guard; \"guard\": false is short for false here."),
	FIELD_SWITCH(struct fw_guard_conf, mac, "mac", form_switch_names, "true",
			"Drop other MAC addresses than the connection's."),
	FIELD_SWITCH(struct fw_guard_conf, address, "address", address_names, "true",
			"If the connection has addresses (\"ip\"): drop others of the same family. "
			"\"strict\": also drop the family in which it has none."),
	FIELD_SWITCH(struct fw_guard_conf, router, "router", form_switch_names, "true",
			"Drop IPv6 router advertisements and redirects."),
	FIELD_SWITCH(struct fw_guard_conf, dhcp_server, "dhcp-server", form_switch_names, "true",
			"Drop answers of DHCP servers."),
	FIELD_SWITCH(struct fw_guard_conf, fragments, "fragments", form_switch_names, "true",
			"Drop IPv6 fragments, which could carry the above past the check."),
	FIELD_SWITCH(struct fw_guard_conf, other, "other", form_switch_names, "true",
			"Drop all but ARP, IPv4 and IPv6: VLAN tags, STP, LLDP."),
	{},
};

static const struct field group_fields[] = {
	FIELD_LIST(struct fw_group_conf, rules, struct fw_rule_conf, "rules", MERGE_FIRST,
			fw_rule_fields, "The group's rules."),
	FIELD_INT(struct fw_group_conf, priority, "priority", 1, 999, 0, "100",
			"When the group is tried: groups and a machine's own rules, those of low "
			"numbers first."),
	FIELD_BOOL(struct fw_group_conf, locked, "locked", false,
			"Its rules come before all others, and its default wins over theirs."),
	FIELD_OBJECT(struct fw_group_conf, defaults, struct fw_default_conf, "default",
			MERGE_FIELDS, fw_default_fields,
			"What happens to packets of its members that no rule decides."),
	FIELD_STRING(struct fw_group_conf, comment, "comment", form_text_line, 0, NULL,
			"For the reader."),
	{},
};

const struct field firewall_fields[] = {
	FIELD_STRINGS_MAP(struct firewall_conf, addresses, "addresses", form_firewall_name,
			form_addresses,
			"Named sets of addresses, blocks and ranges, which rules call \"@NAME\". A "
			"name has up to 31 letters, digits, '_' and '-'."),
	FIELD_MAP(struct firewall_conf, groups, struct fw_group_conf, name, "groups", group_fields,
			form_firewall_name,
			"Groups of rules, which machines belong to, with such names."),
	FIELD_ENUM(struct firewall_conf, state, "state", fw_state_names, "auto",
			"How answers to allowed packets are known: see machina-firewall(7)."),
	{},
};
