/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses, ranges and ports of the packet filter: what is taken, what is refused, how lists of
 * them become what nftables can hold. */
#include "model/filter.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "test.h"
#include "util/cleanup.h"

/* "4 192.0.2.0/24", or the refusal. */
static char *parsed(const char *text)
{
	struct fw_range range;
	enum fw_family family;
	struct error err = {};
	struct buf out = {};
	if (fw_range_parse(text, &range, &family, &err) < 0) {
		CHECK_INT(err.code, EINVAL);
		buf_puts(&out, err.text);
	} else {
		buf_puts(&out, family == FW_IPV4 ? "4 " : "6 ");
		fw_range_put(&out, &range, family);
	}
	return buf_take(&out);
}

#define CHECK_PARSED(text, expected)                                                               \
	do {                                                                                       \
		CLEANUP(freep) char *parsed_ = parsed(text);                                       \
		CHECK_STR(parsed_, expected);                                                      \
	} while (0)

TEST(addresses_blocks_and_ranges_are_shown_in_their_shortest_form)
{
	CHECK_PARSED("192.0.2.1", "4 192.0.2.1");
	CHECK_PARSED("192.0.2.1/32", "4 192.0.2.1");
	CHECK_PARSED("192.0.2.0/24", "4 192.0.2.0/24");
	CHECK_PARSED("0.0.0.0/0", "4 0.0.0.0/0");
	CHECK_PARSED("10.0.0.5-10.0.0.9", "4 10.0.0.5-10.0.0.9");
	CHECK_PARSED("10.0.0.0-10.0.0.255", "4 10.0.0.0/24");
	CHECK_PARSED("10.0.0.1-10.0.0.1", "4 10.0.0.1");
	CHECK_PARSED("2001:DB8:0::1", "6 2001:db8::1");
	CHECK_PARSED("2001:db8::/32", "6 2001:db8::/32");
	CHECK_PARSED("fe80::/10", "6 fe80::/10");
	CHECK_PARSED("::/0", "6 ::/0");
	CHECK_PARSED("2001:db8::1-2001:db8::ff", "6 2001:db8::1-2001:db8::ff");
}

TEST(what_is_no_address_is_refused)
{
	CHECK_PARSED("", "'' is no IP address");
	CHECK_PARSED("192.0.2", "'192.0.2' is no IP address");
	CHECK_PARSED("192.0.2.256", "'192.0.2.256' is no IP address");
	CHECK_PARSED(" 192.0.2.1", "' 192.0.2.1' is no IP address");
	CHECK_PARSED("example.org", "'example.org' is no IP address");
	CHECK_PARSED("fe80::1%eth0", "'fe80::1%eth0' is no IP address");
	CHECK_PARSED("192.0.2.0/33", "'192.0.2.0/33' is no block of addresses such as "
				     "'192.0.2.0/24' or '2001:db8::/32'");
	CHECK_PARSED("192.0.2.0/", "'192.0.2.0/' is no block of addresses such as "
				   "'192.0.2.0/24' or '2001:db8::/32'");
	CHECK_PARSED("192.0.2.0/24/8", "'192.0.2.0/24/8' is no block of addresses such as "
				       "'192.0.2.0/24' or '2001:db8::/32'");
	CHECK_PARSED("2001:db8::/129", "'2001:db8::/129' is no block of addresses such as "
				       "'192.0.2.0/24' or '2001:db8::/32'");
	CHECK_PARSED("10.0.0.5-", "'10.0.0.5-' is no range of addresses such as "
				  "'192.0.2.10-192.0.2.19'");
	CHECK_PARSED("10.0.0.5-9", "'10.0.0.5-9' is no range of addresses such as "
				   "'192.0.2.10-192.0.2.19'");
}

TEST(blocks_with_bits_of_a_host_name_the_block_that_was_meant)
{
	CHECK_PARSED("192.0.2.1/24", "'192.0.2.1/24' has bits set behind its first 24; the block "
				     "is '192.0.2.0/24', the address '192.0.2.1'");
	CHECK_PARSED("10.1.2.3/0", "'10.1.2.3/0' has bits set behind its first 0; the block is "
				   "'0.0.0.0/0', the address '10.1.2.3'");
	CHECK_PARSED("2001:db8::1/63", "'2001:db8::1/63' has bits set behind its first 63; the "
				       "block is '2001:db8::/63', the address '2001:db8::1'");
}

TEST(ranges_go_up_in_one_family)
{
	CHECK_PARSED("10.0.0.9-10.0.0.5",
			"the range '10.0.0.9-10.0.0.5' goes down; its lower end comes first");
	CHECK_PARSED("10.0.0.1-fe80::1", "the range '10.0.0.1-fe80::1' begins with an address of "
					 "one family and ends with one of the other");
}

/* Several ranges, separated by blanks, merged. */
static char *merged(const char *texts)
{
	struct fw_range items[16];
	enum fw_family family = FW_IPV4;
	struct error err = {};
	struct buf out = {};
	size_t n = 0;
	CLEANUP(freep) char *copy = strdup(texts);
	char *state = NULL;
	for (char *word = strtok_r(copy, " ", &state); word; word = strtok_r(NULL, " ", &state))
		CHECK_INT(fw_range_parse(word, &items[n++], &family, &err), 0);
	n = fw_ranges_merge(items, n, family);
	for (size_t i = 0; i < n; i++) {
		buf_puts(&out, i ? " " : "");
		fw_range_put(&out, &items[i], family);
	}
	return buf_take(&out);
}

#define CHECK_MERGED(texts, expected)                                                              \
	do {                                                                                       \
		CLEANUP(freep) char *merged_ = merged(texts);                                      \
		CHECK_STR(merged_, expected);                                                      \
	} while (0)

TEST(ranges_that_overlap_or_touch_become_one)
{
	CHECK_MERGED("", "");
	CHECK_MERGED("10.0.0.9 10.0.0.1", "10.0.0.1 10.0.0.9");
	CHECK_MERGED("10.0.0.0/24 10.0.0.5", "10.0.0.0/24");
	CHECK_MERGED("10.0.0.5 10.0.0.0/24", "10.0.0.0/24");
	CHECK_MERGED("10.0.1.0/24 10.0.0.0/24", "10.0.0.0/23");
	CHECK_MERGED("10.0.0.1-10.0.0.5 10.0.0.4-10.0.0.9", "10.0.0.1-10.0.0.9");
	CHECK_MERGED("10.0.0.1 10.0.0.2 10.0.0.4", "10.0.0.1-10.0.0.2 10.0.0.4");
	CHECK_MERGED("0.0.0.0/0 255.255.255.255 1.2.3.4", "0.0.0.0/0");
	CHECK_MERGED("255.255.255.255 255.255.255.254", "255.255.255.254/31");
	CHECK_MERGED("9.255.255.255 10.0.0.0", "9.255.255.255-10.0.0.0");
	CHECK_MERGED("::/0 ffff::1", "::/0");
	CHECK_MERGED("2001:db8::ffff 2001:db8::1:0", "2001:db8::ffff-2001:db8::1:0");
	CHECK_MERGED("2001:db8::/64 2001:db8:0:1::/64 2001:db8:0:3::1",
			"2001:db8::/63 2001:db8:0:3::1");
}

TEST(a_list_contains_its_ends_and_not_what_is_beside_them)
{
	struct fw_range items[3];
	enum fw_family family;
	struct error err = {};
	uint8_t address[16] = {};
	CHECK_INT(fw_range_parse("10.0.0.5-10.0.0.9", &items[0], &family, &err), 0);
	CHECK_INT(fw_range_parse("10.0.1.0/30", &items[1], &family, &err), 0);
	CHECK_INT(fw_range_parse("10.9.0.1", &items[2], &family, &err), 0);
	const struct fw_ranges list = { .items = items, .n = 3 }, none = {};
	const struct {
		const char *address;
		bool inside;
	} rows[] = { { "0.0.0.0", false }, { "10.0.0.4", false }, { "10.0.0.5", true },
		{ "10.0.0.7", true }, { "10.0.0.9", true }, { "10.0.0.10", false },
		{ "10.0.0.255", false }, { "10.0.1.0", true }, { "10.0.1.3", true },
		{ "10.0.1.4", false }, { "10.9.0.0", false }, { "10.9.0.1", true },
		{ "10.9.0.2", false }, { "255.255.255.255", false } };
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CHECK_INT(inet_pton(AF_INET, rows[i].address, address), 1);
		if (fw_ranges_contain(&list, FW_IPV4, address) != rows[i].inside)
			TEST_FAIL("%s: expected %d", rows[i].address, rows[i].inside);
		CHECK(!fw_ranges_contain(&none, FW_IPV4, address));
	}
}

TEST(ports_that_overlap_or_touch_become_one_span)
{
	struct fw_span items[] = { { 443, 443 }, { 80, 81 }, { 82, 90 }, { 85, 86 },
		{ 65535, 65535 }, { 1000, 2000 }, { 2002, 2002 } };
	CHECK_INT(fw_spans_merge(items, ARRAY_SIZE(items)), 5);
	CHECK_INT(items[0].first, 80);
	CHECK_INT(items[0].last, 90);
	CHECK_INT(items[1].first, 443);
	CHECK_INT(items[2].last, 2000);
	CHECK_INT(items[3].first, 2002);
	CHECK_INT(items[4].first, 65535);
	CHECK(fw_spans_contain(items, 5, 80) && fw_spans_contain(items, 5, 90));
	CHECK(!fw_spans_contain(items, 5, 79) && !fw_spans_contain(items, 5, 91));
	CHECK(!fw_spans_contain(items, 0, 80));
	CHECK_INT(fw_spans_merge(items, 0), 0);
}

TEST_MAIN()
