/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes in the language of nft(8), one a line. */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "firewall/nft.h"
#include "util/mem.h"
#include "util/parse.h"

/* A number and its name in nft's own tables. */
struct name {
	uint32_t number;
	const char *name;
};
static const struct name ether_types[] = { { 0x0800, "ip" }, { 0x0806, "arp" }, { 0x86dd, "ip6" },
	{ 0x8100, "8021q" }, {} };
static const struct name families[] = { { NFPROTO_IPV4, "ipv4" }, { NFPROTO_IPV6, "ipv6" }, {} };
static const struct name protocols[] = { { 1, "icmp" }, { 6, "tcp" }, { 17, "udp" },
	{ 58, "icmpv6" }, { 132, "sctp" }, {} };
static const struct name ct_states[] = { { NFT_CT_INVALID, "invalid" },
	{ NFT_CT_ESTABLISHED, "established" }, { NFT_CT_RELATED, "related" }, {} };
static const struct name ct_statuses[] = { { NFT_CT_DNAT, "dnat" }, {} };
static const struct name address_kinds[] = { { RTN_LOCAL, "local" }, {} };
static const struct name tcp_flags[] = { { NFT_TCP_RST, "rst" }, {} };

static const struct name *names_of(enum nft_notation notation)
{
	switch ((int)notation) {
	case NFT_NOTATION_ETHER_TYPE:
		return ether_types;
	case NFT_NOTATION_FAMILY:
		return families;
	case NFT_NOTATION_L4PROTO:
		return protocols;
	case NFT_NOTATION_CT_STATE:
		return ct_states;
	case NFT_NOTATION_CT_STATUS:
		return ct_statuses;
	case NFT_NOTATION_ADDRESS_KIND:
		return address_kinds;
	case NFT_NOTATION_TCP_FLAGS:
		return tcp_flags;
	default:
		return NULL;
	}
}

static void put_number(struct buf *out, const struct name *names, uint32_t number)
{
	for (; names && names->name; names++) {
		if (names->number != number)
			continue;
		buf_puts(out, names->name);
		return;
	}
	buf_printf(out, "%u", number);
}

static uint32_t number_of(const struct nft_field_row *field, const uint8_t *value)
{
	uint32_t number = 0;
	if (field->host_order) {
		memcpy(&number, value, sizeof(number));
		return number;
	}
	for (uint32_t i = 0; i < field->size; i++)
		number = number << 8 | value[i];
	return number;
}

static void put_hex(struct buf *out, const uint8_t *value, size_t size)
{
	char text[2 * 16 + 1];
	format_hex(value, size, HEX_LOWER, text);
	buf_printf(out, "0x%s", text);
}

static void put_mac(struct buf *out, const uint8_t *value)
{
	char text[MAC_TEXT_MAX];
	format_mac(value, text);
	buf_puts(out, text);
}

static void put_single(struct buf *out, const struct nft_field_row *field, const uint8_t *value)
{
	switch ((int)field->notation) {
	case NFT_NOTATION_MAC:
		put_mac(out, value);
		return;
	case NFT_NOTATION_EXISTS:
		buf_puts(out, value[0] ? "exists" : "missing");
		return;
	case NFT_NOTATION_NAME:
		buf_printf(out, "\"%.16s\"", (const char *)value);
		return;
	case NFT_NOTATION_HEX:
		put_hex(out, value, field->size);
		return;
	default:
		put_number(out, names_of(field->notation), number_of(field, value));
	}
}

/* What stands behind the field's name: one value, block or range. */
static void put_value(
		struct buf *out, const struct nft_field_row *field, const struct fw_range *value)
{
	if (field->notation == NFT_NOTATION_ADDRESS) {
		fw_range_put(out, value, field->size == 4 ? FW_IPV4 : FW_IPV6);
		return;
	}
	put_single(out, field, value->first);
	if (!memcmp(value->first, value->last, field->size))
		return;
	buf_putc(out, '-');
	put_single(out, field, value->last);
}

static void put_match(struct buf *out, const struct nft_part *part)
{
	const char *field = nft_fields[part->field].text;
	const char *sign = part->negate ? "!= " : "";
	bool is_set = nft_part_needs_set(part);
	buf_puts(out, field);
	buf_putc(out, ' ');
	buf_puts(out, sign);
	if (part->name) {
		buf_putc(out, '@');
		buf_puts(out, part->name);
		return;
	}
	if (is_set)
		buf_puts(out, "{ ");
	for (size_t i = 0; i < part->n_values; i++) {
		/* "a != 1 a != 2": both must hold. */
		if (i && !is_set)
			buf_printf(out, " %s %s", field, sign);
		else if (i)
			buf_puts(out, ", ");
		put_value(out, &nft_fields[part->field], &part->values[i]);
	}
	if (is_set)
		buf_puts(out, " }");
}

static void put_bits(struct buf *out, const struct nft_part *part)
{
	const struct nft_field_row *field = &nft_fields[part->field];
	buf_printf(out, "%s ", field->text);
	bool more = false;
	for (uint32_t bit = 1; bit; bit <<= 1) {
		if (!(part->bits & bit))
			continue;
		if (more)
			buf_putc(out, ',');
		put_number(out, names_of(field->notation), bit);
		more = true;
	}
}

static void put_fields(struct buf *out, const enum nft_field *fields, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_puts(out, i ? " . " : "");
		buf_puts(out, nft_fields[fields[i]].text);
	}
}

static void put_limit(struct buf *out, const struct nft_part *part)
{
	static const struct name units[] = { { 1, "second" }, { 60, "minute" }, { 3600, "hour" },
		{ 86400, "day" }, {} };
	buf_printf(out, "limit rate %u/", part->count);
	put_number(out, units, part->seconds);
}

static void put_verdict(struct buf *out, const struct nft_part *part)
{
	static const char *const verdicts[] = {
		[NFT_VERDICT_ACCEPT] = "accept",
		[NFT_VERDICT_DROP] = "drop",
		[NFT_VERDICT_CONTINUE] = "continue",
		[NFT_VERDICT_JUMP] = "jump",
		[NFT_VERDICT_GOTO] = "goto",
	};
	buf_puts(out, verdicts[part->verdict]);
	if (part->name)
		buf_printf(out, " %s", part->name);
}

static void put_dnat(struct buf *out, const struct nft_part *part)
{
	bool is_ipv6 = nft_fields[part->field].size == 16;
	buf_puts(out, is_ipv6 ? "dnat ip6 to [" : "dnat ip to ");
	fw_range_put(out, part->values, is_ipv6 ? FW_IPV6 : FW_IPV4);
	buf_printf(out, is_ipv6 ? "]:%u" : ":%u", part->count);
}

static void put_reject(struct buf *out, const struct nft_part *part)
{
	const char *kind = part->field == NFT_FIELD_ICMP_TYPE	 ? "icmp"
			   : part->field == NFT_FIELD_ICMP6_TYPE ? "icmpv6"
								 : "icmpx";
	if (part->reset)
		buf_puts(out, "reject with tcp reset");
	else
		buf_printf(out, "reject with %s type port-unreachable", kind);
}

static void put_part(struct buf *out, const struct nft_part *part)
{
	switch (part->kind) {
	case NFT_PART_MATCH:
		put_match(out, part);
		return;
	case NFT_PART_BITS:
		put_bits(out, part);
		return;
	case NFT_PART_KNOWN:
		put_fields(out, part->fields, part->n_fields);
		buf_printf(out, " @%s", part->name);
		return;
	case NFT_PART_REMEMBER:
		buf_printf(out, "update @%s { ", part->name);
		put_fields(out, part->fields, part->n_fields);
		buf_printf(out, " timeout %us }", part->seconds);
		return;
	case NFT_PART_COUNTER:
		buf_puts(out, "counter");
		return;
	case NFT_PART_LIMIT:
		put_limit(out, part);
		return;
	case NFT_PART_LOG:
		buf_printf(out, "log prefix \"%s\"", part->name);
		return;
	case NFT_PART_MAP:
		buf_printf(out, "%s vmap @%s", nft_fields[part->field].text, part->name);
		return;
	case NFT_PART_VERDICT:
		put_verdict(out, part);
		return;
	case NFT_PART_REJECT:
		put_reject(out, part);
		return;
	case NFT_PART_MASQUERADE:
		buf_puts(out, "masquerade");
		return;
	case NFT_PART_DNAT:
		put_dnat(out, part);
		return;
	}
}

static void put_comment(struct buf *out, const char *comment)
{
	buf_printf(out, "comment \"%s\"", comment);
}

/* "add chain bridge machina ess-in" */
static void put_verb(struct buf *out, const struct nft_change *change, const char *verb,
		const char *name)
{
	buf_printf(out, "%s %s " NFT_TABLE " %s", verb, nft_family_names[change->family], name);
}

static void put_chain(struct buf *out, const struct nft_change *change)
{
	const struct nft_hook_row *row = &nft_hooks[change->hook];
	put_verb(out, change, "add chain", change->chain);
	if (!change->hook && !change->comment)
		return;
	buf_puts(out, " { ");
	if (change->hook)
		buf_printf(out, "type %s hook %s priority %d; policy accept; ", row->type,
				row->text, row->priority);
	if (change->comment) {
		put_comment(out, change->comment);
		buf_puts(out, "; ");
	}
	buf_putc(out, '}');
}

static void put_rule(struct buf *out, const struct nft_change *change)
{
	put_verb(out, change, "add rule", change->chain);
	for (size_t i = 0; i < change->n_parts; i++) {
		buf_putc(out, ' ');
		put_part(out, &change->parts[i]);
	}
	if (change->comment) {
		buf_putc(out, ' ');
		put_comment(out, change->comment);
	}
}

static void put_set(struct buf *out, const struct nft_change *change)
{
	const struct nft_set *set = change->set;
	put_verb(out, change, set->is_map ? "add map" : "add set", set->name);
	buf_puts(out, " { type ");
	for (size_t i = 0; i < set->n_fields; i++)
		buf_printf(out, "%s%s", i ? " . " : "", nft_fields[set->fields[i]].type);
	if (set->is_map)
		buf_puts(out, " : verdict");
	buf_puts(out, "; ");
	if (set->is_interval)
		buf_puts(out, "flags interval; ");
	if (set->size)
		buf_printf(out, "size %u; flags dynamic,timeout; ", set->size);
	buf_putc(out, '}');
}

static void put_elements(struct buf *out, const char *verb, const struct nft_change *change)
{
	const struct nft_set *set = change->set;
	put_verb(out, change, verb, set->name);
	buf_puts(out, " { ");
	if (change->interface)
		buf_printf(out, "\"%s\" : jump %s", change->interface, change->jump);
	for (size_t i = 0; i < change->n_values; i++) {
		if (i)
			buf_puts(out, ", ");
		put_value(out, &nft_fields[set->fields[0]], &change->values[i]);
	}
	buf_puts(out, " }");
}

void nft_text_change(const struct nft_change *change, struct buf *out)
{
	switch (change->kind) {
	case NFT_ADD_TABLE:
		put_verb(out, change, "add table", "{ ");
		put_comment(out, NFT_TABLE_COMMENT);
		buf_puts(out, "; }");
		break;
	case NFT_DELETE_TABLE:
		buf_printf(out, "delete table %s " NFT_TABLE, nft_family_names[change->family]);
		break;
	case NFT_ADD_CHAIN:
		put_chain(out, change);
		break;
	case NFT_FLUSH_CHAIN:
		put_verb(out, change, "flush chain", change->chain);
		break;
	case NFT_DELETE_CHAIN:
		put_verb(out, change, "delete chain", change->chain);
		break;
	case NFT_ADD_RULE:
		put_rule(out, change);
		break;
	case NFT_ADD_SET:
		put_set(out, change);
		break;
	case NFT_FLUSH_SET:
		put_verb(out, change, change->set->is_map ? "flush map" : "flush set",
				change->set->name);
		break;
	case NFT_DELETE_SET:
		put_verb(out, change, change->set->is_map ? "delete map" : "delete set",
				change->set->name);
		break;
	case NFT_ADD_ELEMENTS:
		put_elements(out, "add element", change);
		break;
	case NFT_DELETE_ELEMENTS:
		put_elements(out, "delete element", change);
		break;
	case N_NFT_CHANGES:
		break;
	}
	buf_putc(out, '\n');
}

void nft_text_batch(const struct nft_batch *batch, struct buf *out)
{
	for (size_t i = 0; i < batch->n; i++)
		nft_text_change(&batch->items[i], out);
}
