/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules and guards in words. */
#include "firewall/text.h"

#include <inttypes.h>

#include "model/filter-read.h"

static void put_between(struct buf *out, size_t begin)
{
	if (out->len > begin)
		buf_puts(out, ", ");
}

static void put_ranges(struct buf *out, size_t begin, const struct fw_addresses *addresses)
{
	for (int f = 0; f < N_FW_FAMILIES; f++)
		for (size_t i = 0; i < addresses->of[f].n; i++) {
			put_between(out, begin);
			fw_range_put(out, &addresses->of[f].items[i], (enum fw_family)f);
		}
}

void fw_addresses_put(struct buf *out, const struct fw_addresses *addresses)
{
	put_ranges(out, out->len, addresses);
}

static void put_names(struct buf *out, size_t begin, char mark, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		put_between(out, begin);
		buf_printf(out, "%c%s", mark, names[i]);
	}
}

static void put_spans(struct buf *out, const struct fw_span *spans, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_printf(out, "%s%u", i ? ", " : " ", spans[i].first);
		if (spans[i].last != spans[i].first)
			buf_printf(out, "-%u", spans[i].last);
	}
}

/* Types that touch were merged; one by one they have names. */
static void put_types(struct buf *out, const struct fw_rule *rule)
{
	const char *between = " ";
	for (size_t i = 0; i < rule->n_types; i++) {
		for (unsigned type = rule->types[i].first; type <= rule->types[i].last; type++) {
			const struct fw_icmp_type *t = fw_icmp_types_of(rule->protocol);
			while (t && t->name && t->number != type)
				t++;
			if (t && t->name)
				buf_printf(out, "%s%s", between, t->name);
			else
				buf_printf(out, "%s%u", between, type);
			between = ", ";
		}
	}
}

void fw_rate_put(struct buf *out, const struct fw_rule *rule)
{
	if (rule->rate_count)
		buf_printf(out, ", at most %" PRIu32 " %s", rule->rate_count,
				rule->rate_seconds == 1	     ? "a second"
				: rule->rate_seconds == 60   ? "a minute"
				: rule->rate_seconds == 3600 ? "an hour"
							     : "a day");
}

void fw_rule_put(struct buf *out, const struct fw_rule *rule)
{
	if (rule->protocol < 0)
		buf_puts(out, "everything");
	else
		fw_protocol_put(out, rule->protocol);
	put_spans(out, rule->ports, rule->n_ports);
	put_types(out, rule);
	if (fw_rule_has_peers(rule)) {
		buf_puts(out, rule->direction == FW_IN ? " from " : " to ");
		size_t begin = out->len;
		put_ranges(out, begin, &rule->addresses);
		put_names(out, begin, '@', rule->sets, rule->n_sets);
		put_names(out, begin, '&', rule->groups, rule->n_groups);
	}
	fw_rate_put(out, rule);
	if (rule->log)
		buf_puts(out, ", logged");
}

static void describe_address(
		const struct fw_port *port, struct strv *ret_parts, struct strv *ret_texts)
{
	static const char *const names[] = { [FW_IPV4] = "IPv4", [FW_IPV6] = "IPv6" };
	const struct vm_filter *filter = port->filter;
	for (int f = 0; f < N_FW_FAMILIES; f++) {
		CLEANUP(buf_done) struct buf own = {};
		struct fw_addresses one = {};
		one.of[f] = filter->ip.of[f];
		fw_addresses_put(&own, &one);
		if (!own.len && filter->guard.address != FW_GUARD_ADDRESS_STRICT)
			continue;
		strv_push(ret_parts, "guard address");
		if (own.len)
			strv_pushf(ret_texts, "%s and %s from others than %s", names[f],
					f == FW_IPV4 ? "ARP" : "neighbour advertisements",
					buf_text(&own));
		else
			strv_pushf(ret_texts, "%s: it has no address of it", names[f]);
	}
}

void fw_guard_describe(const struct fw_port *port, struct strv *ret_parts, struct strv *ret_texts)
{
	const struct fw_guard *guard = &port->filter->guard;
	if (guard->mac) {
		strv_push(ret_parts, "guard mac");
		strv_pushf(ret_texts, "frames and ARP from other MAC addresses than %s", port->mac);
	}
	if (guard->address != FW_GUARD_ADDRESS_OFF)
		describe_address(port, ret_parts, ret_texts);
	if (guard->router) {
		strv_push(ret_parts, "guard router");
		strv_push(ret_texts, "IPv6 router advertisements and redirects");
	}
	if (guard->dhcp_server) {
		strv_push(ret_parts, "guard dhcp-server");
		strv_push(ret_texts, "answers of a DHCP server");
	}
	if (guard->fragments) {
		strv_push(ret_parts, "guard fragments");
		strv_push(ret_texts, "IPv6 fragments");
	}
	if (!guard->other)
		return;
	strv_push(ret_parts, "guard other");
	CLEANUP(buf_done) struct buf text = {};
	buf_puts(&text, "all but ARP, IPv4 and IPv6");
	for (size_t i = 0; i < port->filter->n_vlans; i++)
		buf_printf(&text, "%s%u", i ? ", " : ", and VLANs ", port->filter->vlans[i]);
	strv_push(ret_texts, buf_text(&text));
}
