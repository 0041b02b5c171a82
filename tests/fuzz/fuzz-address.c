/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target of host/agent/guest-address.h: what a guest's agent tells of its interfaces, as JSON,
 * and behind a line "---" a file of leases, in which a guest's DHCP client has words of its own.
 */
#include "fuzz/fuzz.h"

#include <arpa/inet.h>
#include <json-c/json.h>
#include <string.h>

#include "host/agent/guest-address.h"
#include "taps-sample.h"
#include "util/mem.h"

#define ADDRESSES_MAX 256

static const char separator[] = "\n---\n";

static void check_address(const struct guest_address *a)
{
	const bool is_v6 = strchr(a->text, ':') != NULL;
	char bytes[16], text[INET6_ADDRSTRLEN];
	FUZZ_CHECK(inet_pton(is_v6 ? AF_INET6 : AF_INET, a->text, bytes) == 1);
	FUZZ_CHECK(inet_ntop(is_v6 ? AF_INET6 : AF_INET, bytes, text, sizeof(text)) &&
			strcmp(text, a->text) == 0);
	FUZZ_CHECK(a->prefix >= -1 && a->prefix <= (is_v6 ? 128 : 32));
	FUZZ_CHECK(a->sources);
	FUZZ_CHECK(!a->mac || strspn(a->mac, "0123456789abcdef:") == 17);
	FUZZ_CHECK(!a->connection || !strcmp(a->connection, "lan") ||
			!strcmp(a->connection, "dmz"));
	for (const char *c = a->interface; c && *c; c++)
		FUZZ_CHECK((unsigned char)*c >= ' ' && *c != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(guest_addresses_done) struct guest_addresses list = {};
	CLEANUP(freep) char *json = xstrndup(size ? (const char *)data : "", size);
	char *leases = strstr(json, separator);
	if (leases) {
		*leases = '\0';
		leases += strlen(separator);
	}
	struct json_object *interfaces = json_tokener_parse(json);
	guest_addresses_add_agent(&list, &sample_plan, interfaces);
	json_object_put(interfaces);
	FUZZ_CHECK(list.n <= ADDRESSES_MAX);
	const size_t told = list.n;
	if (leases)
		guest_addresses_add_leases(&list, &sample_plan, leases);
	for (size_t i = 0; i < list.n; i++) {
		check_address(&list.items[i]);
		/* The host's own word: of the machine's connections alone. */
		FUZZ_CHECK(i < told || list.items[i].connection);
	}
	return 0;
}
