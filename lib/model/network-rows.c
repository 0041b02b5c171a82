/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A network as rows of words, and back. */
#include <string.h>

#include "model/network.h"
#include "model/words.h"
#include "util/mem.h"

static const struct word network_words[] = {
	WORD(network, name, "name", TEXT),
	WORD_OF(network, mode, "mode", network_mode_names),
	WORD(network, bridge, "bridge", TEXT),
	WORD(network, mac, "mac", TEXT),
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
	WORD(network_address, ip, "ip", TEXT),
	WORD(network_address, prefix, "prefix", INT),
	{},
};

static const struct word forward_words[] = {
	WORD_OF(network_forward, protocol, "protocol", forward_protocol_names),
	WORD(network_forward, address, "address", TEXT),
	WORD(network_forward, port, "port", INT),
	WORD(network_forward, to, "to", TEXT),
	WORD(network_forward, to_port, "to-port", INT),
	{},
};

size_t network_n_rows(const struct network *network)
{
	return 1 + network->n_addresses + network->n_forwards + network->n_leases;
}

static void lease_row(const struct network_lease *lease, struct strv *out)
{
	strv_push(out, "lease");
	strv_pushf(out, "mac=%s", lease->mac);
	if (lease->host)
		strv_pushf(out, "host=%s", lease->host);
	for (size_t i = 0; i < lease->ip.n; i++)
		strv_pushf(out, "ip=%s", lease->ip.items[i]);
}

void network_row(const struct network *network, size_t i, struct strv *ret_words)
{
	if (i == 0) {
		strv_push(ret_words, "network");
		words_put(network_words, network, ret_words);
		return;
	}
	i--;
	if (i < network->n_addresses) {
		strv_push(ret_words, "address");
		words_put(address_words, &network->addresses[i], ret_words);
		return;
	}
	i -= network->n_addresses;
	if (i < network->n_forwards) {
		strv_push(ret_words, "forward");
		words_put(forward_words, &network->forwards[i], ret_words);
		return;
	}
	lease_row(&network->leases[i - network->n_forwards], ret_words);
}

static int parse_address(struct network *n, const struct strv *words, struct error *err)
{
	struct network_address address = {};
	n->addresses = words_append(&n->arena, n->addresses, n->n_addresses, sizeof(*n->addresses));
	int r = words_parse(address_words, words, &address, &n->arena, err);
	if (r < 0)
		return r;
	CLEANUP(freep)
	char *text = xasprintf("%s/%d", address.ip ? address.ip : "", address.prefix);
	network_address_read(text, &n->arena, &address);
	if (!address.ip)
		return error_set(err, EINVAL, "'%s' is no address", text);
	n->addresses[n->n_addresses++] = address;
	return 0;
}

static int parse_forward(struct network *n, const struct strv *words, struct error *err)
{
	n->forwards = words_append(&n->arena, n->forwards, n->n_forwards, sizeof(*n->forwards));
	struct network_forward *f = &n->forwards[n->n_forwards];
	*f = (struct network_forward){};
	int r = words_parse(forward_words, words, f, &n->arena, err);
	if (r < 0)
		return r;
	if (!f->port || !f->to_port || !f->to || !fw_is_address(f->to) ||
			(f->address && !fw_is_address(f->address)))
		return error_set(err, EINVAL, "a 'forward' lacks what it needs");
	n->n_forwards++;
	return 0;
}

static int parse_lease(struct network *n, const struct strv *words, struct error *err)
{
	n->leases = words_append(&n->arena, n->leases, n->n_leases, sizeof(*n->leases));
	struct network_lease *lease = &n->leases[n->n_leases];
	const char **ip = arena_array(&n->arena, words->n, sizeof(*ip));
	*lease = (struct network_lease){ .ip.items = ip };
	for (size_t i = 1; i < words->n; i++) {
		const char *word = words->items[i];
		if (!strncmp(word, "mac=", 4))
			lease->mac = arena_strdup(&n->arena, word + 4);
		else if (!strncmp(word, "host=", 5))
			lease->host = arena_strdup(&n->arena, word + 5);
		else if (!strncmp(word, "ip=", 3) && fw_is_address(word + 3))
			ip[lease->ip.n++] = arena_strdup(&n->arena, word + 3);
		else
			return error_set(err, EINVAL, "'%s' is not understood", word);
	}
	if (!lease->mac)
		return error_set(err, EINVAL, "a 'lease' has no 'mac'");
	n->n_leases++;
	return 0;
}

int network_parse_row(struct network *network, const struct strv *words, struct error *err)
{
	const char *kind = words->n ? words->items[0] : "";
	if (!strcmp(kind, "network"))
		return words_parse(network_words, words, network, &network->arena, err);
	if (!strcmp(kind, "address"))
		return parse_address(network, words, err);
	if (!strcmp(kind, "forward"))
		return parse_forward(network, words, err);
	if (!strcmp(kind, "lease"))
		return parse_lease(network, words, err);
	return error_set(err, EINVAL, "'%s' is not understood", kind);
}

int network_parse_end(const struct network *network, struct error *err)
{
	if (!network->name || !network->bridge || !network->mac ||
			!network_owns_bridge(network->mode))
		return error_set(err, EINVAL, "the plan does not say of which network it is");
	return 0;
}
