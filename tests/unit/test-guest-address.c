/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses of guests: what an agent says, a file of leases, the host's neighbours. */
#include "host/agent/guest-address.h"

#include <json-c/json.h>

#include "own-network.h"
#include "taps-sample.h"
#include "test.h"
#include "util/mem.h"

#define MAC0 "52:54:00:00:00:01"
#define MAC1 "52:54:00:00:00:02"

/* "ADDRESS/PREFIX SOURCES CONNECTION INTERFACE MAC" of each. The caller frees it. */
static char *text_of(const struct guest_addresses *list)
{
	CLEANUP(buf_done) struct buf text = {};
	for (size_t i = 0; i < list->n; i++) {
		const struct guest_address *a = &list->items[i];
		buf_printf(&text, "%s/%d %x %s %s %s\n", a->text, a->prefix, a->sources,
				a->connection ? a->connection : "-",
				a->interface ? a->interface : "-", a->mac ? a->mac : "-");
	}
	return buf_take(&text);
}

#define ETH "'name': 'eth0', 'hardware-address': '" MAC0 "'"

TEST(what_an_agent_says_is_read_as_far_as_it_makes_sense)
{
	static const struct {
		const char *says, *expected;
	} rows[] = {
		{ "[{" ETH
		  ", 'ip-addresses': [{'ip-address': '10.0.0.5', 'ip-address-type': 'ipv4', "
		  "'prefix': 24}, {'ip-address': 'FE80::1', 'prefix': 64}]}]",
				"10.0.0.5/24 1 lan eth0 " MAC0 "\nfe80::1/64 1 lan eth0 " MAC0
				"\n" },
		{ "[{'name': 'lo', 'hardware-address': '00:00:00:00:00:00', 'ip-addresses': ["
		  "{'ip-address': '127.0.0.1', 'prefix': 8}, {'ip-address': '::1', 'prefix': "
		  "128}]}]",
				"" },
		{ "[{'name': 'docker0', 'hardware-address': '02:42:00:00:00:01', 'ip-addresses': ["
		  "{'ip-address': '172.17.0.1', 'prefix': 16}]}]",
				"172.17.0.1/16 1 - docker0 02:42:00:00:00:01\n" },
		{ "[{'name': 'tun0', 'ip-addresses': [{'ip-address': '10.8.0.2', 'prefix': 32}]}]",
				"10.8.0.2/32 1 - tun0 -\n" },
		/* The same twice is one; on two cards it is two. */
		{ "[{" ETH ", 'ip-addresses': [{'ip-address': '10.0.0.5'}, {'ip-address': "
		  "'10.0.0.5'}]}, {'name': 'eth1', 'hardware-address': '52:54:00:00:00:0a', "
		  "'ip-addresses': [{'ip-address': '10.0.0.5'}]}]",
				"10.0.0.5/-1 1 lan eth0 " MAC0
				"\n10.0.0.5/-1 1 dmz eth1 52:54:00:00:00:0a\n" },
		/* A terminal is not steered by it. */
		{ "[{'name': '\\u001b[2Jx', 'ip-addresses': [{'ip-address': '10.0.0.5'}]}]",
				"10.0.0.5/-1 1 - \\x1b[2Jx -\n" },
		{ "[{" ETH
		  ", 'ip-addresses': [{'ip-address': '10.0.0.5\\n'}, {'ip-address': '999.1.1.1'},"
		  "{'ip-address': '\\u001b'}, {'ip-address': ''}, {'ip-address': 5}, {}, 7, "
		  "null]}]",
				"" },
		{ "[{" ETH ", 'ip-addresses': [{'ip-address': '10.0.0.5', 'prefix': 33}, "
		  "{'ip-address': '10.0.0.6', 'prefix': -1}, {'ip-address': 'fc00::1', 'prefix': "
		  "129}, {'ip-address': 'fc00::2', 'prefix': '64'}]}]",
				"10.0.0.5/-1 1 lan eth0 " MAC0 "\n10.0.0.6/-1 1 lan eth0 " MAC0
				"\nfc00::1/-1 1 lan eth0 " MAC0 "\nfc00::2/-1 1 lan eth0 " MAC0
				"\n" },
		{ "[{'hardware-address': 'garbage', 'name': 7, 'ip-addresses': [{'ip-address': "
		  "'10.0.0.5'}]}]",
				"10.0.0.5/-1 1 - - -\n" },
		{ "[1, null, 'x', [], {}, {'ip-addresses': 5}, {'ip-addresses': {}}]", "" },
		{ "{}", "" },
		{ "null", "" },
		{ "7", "" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(guest_addresses_done) struct guest_addresses list = {};
		CLEANUP(freep) char *says = xstrdup(rows[i].says);
		for (char *c = says; *c; c++)
			*c = *c == '\'' ? '"' : *c;
		struct json_object *value = json_tokener_parse(says);
		guest_addresses_add_agent(&list, &sample_plan, value);
		json_object_put(value);
		CLEANUP(freep) char *got = text_of(&list);
		CHECK_STR(got, rows[i].expected);
	}
}

/* Nor does it keep the host from telling what it knows itself. */
TEST(a_guest_does_not_tell_without_end)
{
	CLEANUP(guest_addresses_done) struct guest_addresses list = {};
	CLEANUP(buf_done) struct buf text = {};
	buf_puts(&text, "[{\"ip-addresses\": [");
	for (int i = 0; i < 20000; i++)
		buf_printf(&text, "%s{\"ip-address\": \"10.1.%d.%d\"}", i ? ", " : "", i / 250,
				i % 250);
	buf_puts(&text, "]}]");
	struct json_object *value = json_tokener_parse(buf_text(&text));
	guest_addresses_add_agent(&list, &sample_plan, value);
	json_object_put(value);
	CHECK_INT(list.n, 256);
	guest_addresses_add_leases(&list, &sample_plan, "1 52:54:00:00:00:01 10.77.0.5 web *\n");
	CHECK_INT(list.n, 257);
}

TEST(leases_of_the_machines_cards_are_read)
{
	CLEANUP(guest_addresses_done) struct guest_addresses list = {};
	guest_addresses_add_leases(&list, &sample_plan,
			"1767225600 52:54:00:00:00:01 10.77.0.5 web 01:52:54:00:00:00:01\n"
			"1767225600 52:54:00:00:00:99 10.77.0.6 other *\n"
			"1767225600 52:54:00:00:00:0a 10.77.0.7 * *\n"
			"1767225600 52:54:00:00:00:01 nonsense * *\n"
			"1767225600 52:54:00:00:00:01\n"
			"\n"
			"duid 00:01:00:01:2e:00\n"
			"1767225600 12345 fc00::5 web 00:01\n");
	CLEANUP(freep) char *got = text_of(&list);
	CHECK_STR(got, "10.77.0.5/-1 4 lan - 52:54:00:00:00:01\n"
		       "10.77.0.7/-1 4 dmz - 52:54:00:00:00:0a\n");
}

TEST(one_address_has_all_its_sources)
{
	CLEANUP(guest_addresses_done) struct guest_addresses list = {};
	const char *ip[] = { "10.0.0.5", "10.0.0.9" };
	struct vm_nic nic = { .name = "lan", .mac = MAC0, .ip = { .items = ip, .n = 2 } };
	const struct vm vm = { .nics = &nic, .n_nics = 1 };
	struct json_object *value = json_tokener_parse(
			"[{\"name\": \"eth0\", \"hardware-address\": \"52:54:00:00:00:01\", "
			"\"ip-addresses\": [{\"ip-address\": \"10.0.0.5\", \"prefix\": 24}]}]");
	guest_addresses_add_agent(&list, &sample_plan, value);
	json_object_put(value);
	guest_addresses_add_leases(&list, &sample_plan, "1 52:54:00:00:00:01 10.0.0.5 web *\n");
	guest_addresses_add_config(&list, &vm);
	CLEANUP(freep) char *got = text_of(&list);
	CHECK_STR(got, "10.0.0.5/24 d lan eth0 " MAC0 "\n10.0.0.9/-1 8 lan - " MAC0 "\n");
}

TEST(the_hosts_neighbours_on_the_bridge_count)
{
	SKIP_BECAUSE(own_network("only root makes bridges"));
	if (!shell_works("command -v ip && ip link add br0 type bridge && ip link add br1 type "
			 "bridge && "
			 "ip link set br0 up && ip link set br1 up"))
		SKIP("no bridges can be made here");
	CHECK(shell_works("ip neigh add 10.0.0.5 lladdr " MAC0 " nud reachable dev br0 && "
			  "ip neigh add fe80::5 lladdr " MAC0 " nud stale dev br0 && "
			  "ip neigh add 10.0.0.6 lladdr " MAC0 " nud reachable dev br1 && "
			  "ip neigh add 10.0.0.7 lladdr " MAC1 " nud reachable dev br0 && "
			  "ip neigh add 10.0.0.8 lladdr " MAC0 " nud failed dev br0"));
	CLEANUP(guest_addresses_done) struct guest_addresses list = {};
	CLEANUP(netlink_done) struct netlink nl = {};
	struct error err = {};
	CHECK_INT(netlink_open(&nl, &err), 0);
	CHECK_INT(guest_addresses_add_neighbours(&list, &sample_plan, &nl, &err), 0);
	CLEANUP(freep) char *got = text_of(&list);
	CHECK_STR(got, "10.0.0.5/-1 2 lan - " MAC0 "\nfe80::5/-1 2 lan - " MAC0 "\n");
	/* A config may call the bridge by another of its names (ip-link(8), altname). */
	CLEANUP(guest_addresses_done) struct guest_addresses same = {};
	CHECK(shell_works("ip link set br0 name bridge0 && ip link property add dev bridge0 "
			  "altname br0"));
	CHECK_INT(guest_addresses_add_neighbours(&same, &sample_plan, &nl, &err), 0);
	CLEANUP(freep) char *again = text_of(&same);
	CHECK_STR(again, got);
}

TEST_MAIN()
