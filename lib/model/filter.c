/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packet filter rules: addresses, ports and names as numbers. */
#include "model/filter.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "util/mem.h"
#include "util/parse.h"

static const struct {
	int family;
	size_t size;
} families[N_FW_FAMILIES] = {
	[FW_IPV4] = { AF_INET, 4 },
	[FW_IPV6] = { AF_INET6, 16 },
};

size_t fw_address_size(enum fw_family family)
{
	return families[family].size;
}

int fw_address_domain(enum fw_family family)
{
	return families[family].family;
}

bool fw_rule_has_peers(const struct fw_rule *rule)
{
	return rule->addresses.of[FW_IPV4].n || rule->addresses.of[FW_IPV6].n || rule->n_sets ||
	       rule->n_groups;
}

bool fw_guard_is_on(const struct fw_guard *guard)
{
	return guard->mac || guard->address != FW_GUARD_ADDRESS_OFF || guard->router ||
	       guard->dhcp_server || guard->fragments || guard->other;
}

/* By the whole of the 16 bytes: those behind an IPv4 address are zero. */
static int compare_ranges(const void *a, const void *b)
{
	const struct fw_range *x = a, *y = b;
	int r = memcmp(x->first, y->first, sizeof(x->first));
	return r ? r : memcmp(x->last, y->last, sizeof(x->last));
}

/* The next address. Returns false behind the last one there is. */
static bool increment(uint8_t *address, size_t size)
{
	while (size-- > 0)
		if (++address[size] != 0)
			return true;
	return false;
}

size_t fw_ranges_merge(struct fw_range *items, size_t n, enum fw_family family)
{
	size_t size = fw_address_size(family), n_out = 0;
	if (n > 1)
		qsort(items, n, sizeof(*items), compare_ranges);
	for (size_t i = 0; i < n; i++) {
		struct fw_range *before = n_out ? &items[n_out - 1] : NULL;
		uint8_t next[16] = {};
		bool joins = false;
		if (before) {
			memcpy(next, before->last, size);
			joins = !increment(next, size) || memcmp(items[i].first, next, size) <= 0;
		}
		if (!joins)
			items[n_out++] = items[i];
		else if (memcmp(items[i].last, before->last, size) > 0)
			memcpy(before->last, items[i].last, size);
	}
	return n_out;
}

static int compare_spans(const void *a, const void *b)
{
	const struct fw_span *x = a, *y = b;
	return x->first != y->first ? (x->first > y->first) - (x->first < y->first)
				    : (x->last > y->last) - (x->last < y->last);
}

size_t fw_spans_merge(struct fw_span *items, size_t n)
{
	size_t n_out = 0;
	if (n > 1)
		qsort(items, n, sizeof(*items), compare_spans);
	for (size_t i = 0; i < n; i++) {
		struct fw_span *before = n_out ? &items[n_out - 1] : NULL;
		if (!before || items[i].first > before->last + 1)
			items[n_out++] = items[i];
		else if (items[i].last > before->last)
			before->last = items[i].last;
	}
	return n_out;
}

struct fw_span fw_span_read(const char *text)
{
	char *end;
	uint16_t first = (uint16_t)strtoul(text, &end, 10);
	return (struct fw_span){ first, *end ? (uint16_t)strtoul(end + 1, NULL, 10) : first };
}

bool fw_ranges_contain(
		const struct fw_ranges *ranges, enum fw_family family, const uint8_t *address)
{
	size_t size = fw_address_size(family), low = 0, high = ranges->n;
	/* The last range that begins at or before the address. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (memcmp(ranges->items[middle].first, address, size) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && memcmp(address, ranges->items[low - 1].last, size) <= 0;
}

bool fw_spans_contain(const struct fw_span *items, size_t n, uint16_t value)
{
	for (size_t i = 0; i < n; i++)
		if (value >= items[i].first && value <= items[i].last)
			return true;
	return false;
}

static bool parse_address(const char *text, size_t len, uint8_t *ret, enum fw_family *ret_family)
{
	char copy[INET6_ADDRSTRLEN];
	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	memset(ret, 0, 16);
	for (int f = 0; f < N_FW_FAMILIES; f++) {
		if (inet_pton(families[f].family, copy, ret) != 1)
			continue;
		*ret_family = (enum fw_family)f;
		return true;
	}
	return false;
}

struct fw_range fw_block(const uint8_t *address, enum fw_family family, int bits)
{
	size_t size = fw_address_size(family);
	struct fw_range block = {};
	for (size_t i = 0; i < size; i++) {
		int covered = bits - 8 * (int)i;
		uint8_t mask = (uint8_t)(covered >= 8 ? 0 : 0xff >> (covered > 0 ? covered : 0));
		block.first[i] = (uint8_t)(address[i] & ~mask);
		block.last[i] = (uint8_t)(address[i] | mask);
	}
	return block;
}

const char *fw_address_special(enum fw_family family, const uint8_t *bytes)
{
	static const struct {
		enum fw_family family;
		uint8_t first[16];
		int prefix;
		const char *what;
	} rows[] = {
		{ FW_IPV4, {}, 8, "no host" },
		{ FW_IPV4, { 127 }, 8, "each host itself" },
		{ FW_IPV4, { 224 }, 4, "a group (multicast)" },
		/* Not 64:ff9b::, that of translators to IPv4 (RFC 6052, 8215). */
		{ FW_IPV6, {}, 16, "no network (reserved)" },
		{ FW_IPV6, { 0xfe, 0x80 }, 10, "one link alone, where each interface has one" },
		{ FW_IPV6, { 0xff }, 8, "a group (multicast)" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct fw_range block =
				fw_block(rows[i].first, rows[i].family, rows[i].prefix);
		const struct fw_ranges ranges = { .items = &block, .n = 1 };
		if (rows[i].family == family && fw_ranges_contain(&ranges, family, bytes))
			return rows[i].what;
	}
	return NULL;
}

static int parse_block(const char *text, const char *slash, struct fw_range *ret,
		enum fw_family *ret_family, struct error *err)
{
	int bits;
	if (!parse_address(text, (size_t)(slash - text), ret->first, ret_family) ||
			parse_int(slash + 1, 0, 8 * (int)fw_address_size(*ret_family), &bits) < 0)
		return error_set(err, EINVAL,
				"'%s' is no block of addresses such as '192.0.2.0/24' or "
				"'2001:db8::/32'",
				text);
	const struct fw_range block = fw_block(ret->first, *ret_family, bits);
	if (memcmp(block.first, ret->first, sizeof(block.first)) != 0) {
		char name[INET6_ADDRSTRLEN];
		inet_ntop(families[*ret_family].family, block.first, name, sizeof(name));
		return error_set(err, EINVAL,
				"'%s' has bits set behind its first %d; the block is '%s/%d', the "
				"address '%.*s'",
				text, bits, name, bits, (int)(slash - text), text);
	}
	*ret = block;
	return 0;
}

static int parse_pair(const char *text, const char *dash, struct fw_range *ret,
		enum fw_family *ret_family, struct error *err)
{
	enum fw_family other;
	if (!parse_address(text, (size_t)(dash - text), ret->first, ret_family) ||
			!parse_address(dash + 1, strlen(dash + 1), ret->last, &other))
		return error_set(err, EINVAL,
				"'%s' is no range of addresses such as '192.0.2.10-192.0.2.19'",
				text);
	if (other != *ret_family)
		return error_set(err, EINVAL,
				"the range '%s' begins with an address of one family and ends with "
				"one of the other",
				text);
	if (memcmp(ret->first, ret->last, fw_address_size(other)) > 0)
		return error_set(err, EINVAL, "the range '%s' goes down; its lower end comes first",
				text);
	return 0;
}

int fw_range_parse(const char *text, struct fw_range *ret, enum fw_family *ret_family,
		struct error *err)
{
	const char *slash = strchr(text, '/'), *dash = strchr(text, '-');
	*ret = (struct fw_range){};
	if (slash)
		return parse_block(text, slash, ret, ret_family, err);
	if (dash)
		return parse_pair(text, dash, ret, ret_family, err);
	if (!parse_address(text, strlen(text), ret->first, ret_family))
		return error_set(err, EINVAL, "'%s' is no IP address", text);
	memcpy(ret->last, ret->first, sizeof(ret->last));
	return 0;
}

bool fw_address_read(const char *text, struct fw_range *ret, enum fw_family *ret_family)
{
	struct error err = {};
	CLEANUP(freep) char *address = xstrdup(text);
	address[strcspn(address, "/")] = '\0';
	return !strchr(address, '-') && fw_range_parse(address, ret, ret_family, &err) == 0;
}

bool fw_is_address(const char *text)
{
	struct fw_range range;
	enum fw_family family;
	return fw_address_read(text, &range, &family);
}

void fw_range_put(struct buf *out, const struct fw_range *range, enum fw_family family)
{
	char first[INET6_ADDRSTRLEN], last[INET6_ADDRSTRLEN];
	int size_bits = 8 * (int)fw_address_size(family), bits = 0;
	inet_ntop(families[family].family, range->first, first, sizeof(first));
	inet_ntop(families[family].family, range->last, last, sizeof(last));
	buf_puts(out, first);
	/* The shortest prefix behind which the first address is all zeros and the last all ones. */
	for (; bits <= size_bits; bits++) {
		const struct fw_range block = fw_block(range->first, family, bits);
		if (compare_ranges(&block, range) == 0)
			break;
	}
	if (bits < size_bits)
		buf_printf(out, "/%d", bits);
	else if (bits > size_bits)
		buf_printf(out, "-%s", last);
}

void fw_protocol_put(struct buf *out, int protocol)
{
	switch (protocol) {
	case -1:
		buf_puts(out, "any");
		return;
	case IPPROTO_TCP:
		buf_puts(out, "tcp");
		return;
	case IPPROTO_UDP:
		buf_puts(out, "udp");
		return;
	case IPPROTO_SCTP:
		buf_puts(out, "sctp");
		return;
	case IPPROTO_ICMP:
		buf_puts(out, "icmp");
		return;
	case IPPROTO_ICMPV6:
		buf_puts(out, "icmp6");
		return;
	default:
		buf_printf(out, "%d", protocol);
		return;
	}
}
