/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A network as rows of words, and back. */
#include <string.h>

#include "model/network.h"
#include "model/words.h"
#include "util/mem.h"

static const struct word network_words[] = {
	WORD_NEEDED(network, name, "name", TEXT),
	WORD_OF(network, mode, "mode", network_mode_names),
	WORD_NEEDED(network, bridge, "bridge", TEXT),
	WORD_NEEDED(network, mac, "mac", TEXT),
	WORD(network, mtu, "mtu", INT64),
	WORD(network, isolate, "isolate", BOOL),
	WORD(network, host_access, "host-access", BOOL),
	WORD(network, domain, "domain", TEXT),
	WORD(network, dhcp, "dhcp", BOOL),
	WORD(network, dhcp_first, "first", TEXT),
	WORD(network, dhcp_last, "last", TEXT),
	WORD(network, lease_seconds, "lease", INT64),
	{},
};

static const struct word address_words[] = {
	WORD_NEEDED(network_address, ip, "ip", TEXT),
	WORD(network_address, prefix, "prefix", INT),
	{},
};

static const struct word forward_words[] = {
	WORD_OF(network_forward, protocol, "protocol", forward_protocol_names),
	WORD(network_forward, address, "address", TEXT),
	WORD_NEEDED(network_forward, port, "port", INT),
	WORD_NEEDED(network_forward, to, "to", TEXT),
	WORD_NEEDED(network_forward, to_port, "to-port", INT),
	{},
};

static const struct word lease_words[] = {
	WORD_NEEDED(network_lease, mac, "mac", TEXT),
	WORD(network_lease, host, "host", TEXT),
	WORD_LIST(network_lease, ip.items, ip.n, "ip", TEXTS),
	{},
};

static int check_address(void *item, struct arena *arena, struct error *err)
{
	struct network_address *address = item;
	CLEANUP(freep) char *text = xasprintf("%s/%d", address->ip, address->prefix);
	network_address_read(text, arena, address);
	return address->ip ? 0 : error_set(err, EINVAL, "'%s' is no address", text);
}

static int check_forward(void *item, struct arena *arena, struct error *err)
{
	const struct network_forward *f = item;
	(void)arena;
	bool good = fw_is_address(f->to) && (!f->address || fw_is_address(f->address));
	return good ? 0 : error_set(err, EINVAL, "a 'forward' leads to no address");
}

static int check_lease(void *item, struct arena *arena, struct error *err)
{
	const struct network_lease *lease = item;
	(void)arena;
	for (size_t i = 0; i < lease->ip.n; i++)
		if (!fw_is_address(lease->ip.items[i]))
			return error_set(err, EINVAL, "'ip=%s' is not understood",
					lease->ip.items[i]);
	return 0;
}

static const struct row_kind kinds[] = {
	{ ROWS(network, addresses, "address", address_words), .check = check_address },
	{ ROWS(network, forwards, "forward", forward_words), .check = check_forward },
	{ ROWS(network, leases, "lease", lease_words), .check = check_lease },
	{},
};

void network_put_rows(const struct network *network, struct buf *ret)
{
	row_put(ret, "network", network_words, network);
	rows_put(ret, kinds, network);
}

int network_parse_row(struct network *network, const struct strv *words, struct error *err)
{
	if (!words->n)
		return error_set(err, EINVAL, "an empty row");
	const char *kind = words->items[0];
	if (!strcmp(kind, "network"))
		return words_parse(network_words, words, network, &network->arena, err);
	int r = row_parse(kinds, words, network, &network->arena, err);
	return r == 1 ? error_set(err, EINVAL, "'%s' is not understood", kind) : r;
}

int network_parse_end(const struct network *network, struct error *err)
{
	if (!network->name || !network_owns_bridge(network->mode))
		return error_set(err, EINVAL, "the plan does not say of which network it is");
	return 0;
}
