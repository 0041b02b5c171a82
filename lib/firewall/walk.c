/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What happens to a packet of a new connection. */
#include "firewall/walk.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <string.h>

#include "util/cleanup.h"

static bool is_icmp(const struct fw_packet *packet)
{
	return packet->protocol ==
	       (packet->family == FW_IPV4 ? (int)IPPROTO_ICMP : (int)IPPROTO_ICMPV6);
}

static bool is_peer(const struct fw_policy *policy, const struct fw_rule *rule,
		const struct fw_packet *packet)
{
	enum fw_family family = packet->family;
	if (!fw_rule_has_peers(rule))
		return true;
	if (!packet->peer)
		return false;
	if (fw_ranges_contain(&rule->addresses.of[family], family, packet->peer))
		return true;
	for (size_t i = 0; i < rule->n_sets; i++) {
		const struct fw_set *set = fw_policy_set(policy, rule->sets[i]);
		if (set && fw_ranges_contain(&set->addresses.of[family], family, packet->peer))
			return true;
	}
	for (size_t i = 0; i < rule->n_groups; i++) {
		const struct fw_set *members = fw_policy_members(policy, rule->groups[i]);
		if (members && fw_ranges_contain(&members->addresses.of[family], family,
					       packet->peer))
			return true;
	}
	return false;
}

bool fw_rule_matches(const struct fw_policy *policy, const struct fw_rule *rule,
		const struct fw_packet *packet)
{
	if (!(fw_rule_families(policy, rule) & FW_FAMILY_BIT(packet->family)))
		return false;
	if (rule->protocol >= 0 && rule->protocol != packet->protocol)
		return false;
	if (rule->n_ports && !fw_spans_contain(rule->ports, rule->n_ports, packet->to_port))
		return false;
	if (rule->n_types && !fw_spans_contain(rule->types, rule->n_types, packet->type))
		return false;
	return is_peer(policy, rule, packet);
}

static bool is_from_port(const struct fw_packet *packet, uint16_t port)
{
	return !packet->from_port || packet->from_port == port;
}

static bool is_dhcp_answer(const struct fw_packet *packet)
{
	return packet->protocol == IPPROTO_UDP &&
	       packet->to_port == (packet->family == FW_IPV4 ? 68 : 546);
}

/* What a machine sends before it has an address (machina-firewall.7). */
static bool is_first_word(const struct fw_packet *packet)
{
	if (packet->family == FW_IPV6)
		return packet->protocol == IPPROTO_ICMPV6;
	return packet->protocol == IPPROTO_IGMP ||
	       (packet->protocol == IPPROTO_UDP && packet->to_port == 67);
}

/* What is no machine's own address, and yet must pass: 0.0.0.0 and ::, from whom that is all that
 * there is, and fe80::/10. */
static bool is_always_own(const struct fw_packet *packet)
{
	static const uint8_t unspecified[16];
	const uint8_t *source = packet->source;
	if (!memcmp(source, unspecified, fw_address_size(packet->family)))
		return is_first_word(packet);
	return packet->family == FW_IPV6 && source[0] == 0xfe && (source[1] & 0xc0) == 0x80;
}

/* The part of the guard that drops a packet, or NULL. */
static const char *guarded(const struct vm_filter *filter, const struct fw_packet *packet)
{
	const struct fw_guard *guard = &filter->guard;
	const struct fw_ranges *own = &filter->ip.of[packet->family];
	if (guard->address == FW_GUARD_ADDRESS_STRICT && !own->n)
		return "guard address";
	if (guard->address != FW_GUARD_ADDRESS_OFF && own->n && packet->source &&
			!is_always_own(packet) &&
			!fw_ranges_contain(own, packet->family, packet->source))
		return "guard address";
	if (guard->router && packet->family == FW_IPV6 && is_icmp(packet) &&
			(packet->type == ND_ROUTER_ADVERT || packet->type == ND_REDIRECT))
		return "guard router";
	if (guard->dhcp_server && is_dhcp_answer(packet))
		return "guard dhcp-server";
	return NULL;
}

static const struct fw_essential *essential(const struct fw_packet *packet)
{
	for (const struct fw_essential *e = fw_essentials; e->what; e++) {
		if (e->arp || e->direction != packet->direction || e->family != packet->family ||
				e->protocol != packet->protocol)
			continue;
		if (e->to_port ? packet->to_port == e->to_port && is_from_port(packet, e->from_port)
			       : fw_spans_contain(e->types, ARRAY_SIZE(e->types), packet->type) &&
								packet->type)
			return e;
	}
	return NULL;
}

static bool decides_rule(const struct fw_policy *policy, const struct fw_rule *rule,
		const struct fw_packet *packet, struct fw_decision *ret)
{
	if (!fw_rule_matches(policy, rule, packet))
		return false;
	ret->rule = rule;
	ret->action = rule->action;
	ret->origin = rule->origin;
	return true;
}

static bool decides(const struct fw_policy *policy, const struct fw_port *port,
		const struct fw_entry *entry, const struct fw_packet *packet,
		struct fw_decision *ret)
{
	enum fw_direction direction = packet->direction;
	*ret = (struct fw_decision){ .entry = entry };
	switch (entry->kind) {
	case FW_ENTRY_GUARD:
		ret->action = FW_DROP;
		ret->origin = guarded(port->filter, packet);
		return ret->origin != NULL;
	case FW_ENTRY_STATE:
		/* It is the first packet of its connection, and a valid one. */
		return false;
	case FW_ENTRY_ESSENTIALS:
		ret->action = FW_ACCEPT;
		ret->essential = essential(packet);
		ret->origin = ret->essential ? ret->essential->what : NULL;
		return ret->origin != NULL;
	case FW_ENTRY_GROUP:
		for (size_t i = 0; i < entry->group->rules[direction].n; i++)
			if (decides_rule(policy, &entry->group->rules[direction].items[i], packet,
					    ret))
				return true;
		return false;
	case FW_ENTRY_RULE:
		return decides_rule(policy, entry->rule, packet, ret);
	case FW_ENTRY_DEFAULT:
		ret->action = port->defaults[direction].action;
		ret->origin = port->defaults[direction].origin;
		return true;
	}
	return false;
}

struct fw_decision fw_walk(const struct fw_policy *policy, const struct fw_port *port,
		const struct fw_packet *packet)
{
	const struct fw_entries *entries = &port->entries[packet->direction];
	struct fw_decision decision = {};
	for (size_t i = 0; i < entries->n; i++)
		if (decides(policy, port, &entries->items[i], packet, &decision))
			break;
	return decision;
}
