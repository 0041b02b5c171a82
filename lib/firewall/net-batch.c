/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Networks that the host routes as changes to nftables. */
#include "firewall/net-batch.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "firewall/batch-parts.h"
#include "util/mem.h"

#define PREFIX "net-"

static const enum nft_field in_name = NFT_FIELD_IN_NAME, out_name = NFT_FIELD_OUT_NAME;

/* What leads to the chains of networks: maps that base chains look into. */
static const struct {
	struct nft_set map;
	const char *base;
	enum nft_hook hook;
	const char *ending; /* of the network's chain */
} ways[] = {
	/* Senders are looked at first: what may come in has to be one, too. */
	{ { .name = PREFIX "from", .fields = &in_name, .n_fields = 1, .is_map = true }, "forward",
			NFT_HOOK_FORWARD, "from" },
	{ { .name = PREFIX "to", .fields = &out_name, .n_fields = 1, .is_map = true }, "forward",
			NFT_HOOK_FORWARD, "to" },
	{ { .name = PREFIX "host", .fields = &in_name, .n_fields = 1, .is_map = true }, "input",
			NFT_HOOK_INPUT, "host" },
};

/* Base chains of a network's own, for packets that begin a connection. */
static const struct {
	const char *ending;
	enum nft_hook hook;
} translations[] = {
	{ "dstnat", NFT_HOOK_NAT_PREROUTING },
	{ "output", NFT_HOOK_NAT_OUTPUT },
	{ "srcnat", NFT_HOOK_NAT_POSTROUTING },
};

static const char *chain_of(struct nft_batch *batch, const char *network, const char *ending)
{
	return arena_printf(&batch->arena, PREFIX "%s-%s", network, ending);
}

char *net_batch_network_of(const char *chain)
{
	size_t len = strlen(chain);
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		size_t n = strlen(ways[i].ending) + 1;
		if (!strncmp(chain, PREFIX, strlen(PREFIX)) && len > strlen(PREFIX) + n &&
				chain[len - n] == '-' &&
				!strcmp(chain + len - n + 1, ways[i].ending))
			return xstrndup(chain + strlen(PREFIX), len - strlen(PREFIX) - n);
	}
	return NULL;
}

/* ---- parts of rules ---- */

/* A network while its chains are filled. */
struct filler {
	struct maker m;
	const struct network *network;
	struct fw_range *bridge; /* its name as a value */
};

static void match_bridge(struct filler *f, struct rule *rule, enum nft_field field, bool negate)
{
	rule_match(rule, field, negate, f->bridge, 1);
}

/* The networks of a family, as values; *ret_n 0: it has no address of it. */
static const struct fw_range *blocks_of(struct filler *f, enum fw_family family, size_t *ret_n)
{
	const struct network *n = f->network;
	struct fw_range *blocks = arena_array(&f->m.batch->arena, n->n_addresses, sizeof(*blocks));
	*ret_n = 0;
	for (size_t i = 0; i < n->n_addresses; i++)
		if (n->addresses[i].family == family)
			blocks[(*ret_n)++] = n->addresses[i].block;
	*ret_n = fw_ranges_merge(blocks, *ret_n, family);
	return blocks;
}

/* In a table of both families nft takes addresses for what they are only behind this. */
static void match_family(struct rule *rule, enum fw_family family)
{
	static const struct fw_range families[] = {
		[FW_IPV4] = { { NFPROTO_IPV4 }, { NFPROTO_IPV4 } },
		[FW_IPV6] = { { NFPROTO_IPV6 }, { NFPROTO_IPV6 } },
	};
	rule_match(rule, NFT_FIELD_FAMILY, false, &families[family], 1);
}

static const enum nft_field sources[] = { NFT_FIELD_IP_SOURCE, NFT_FIELD_IP6_SOURCE };
static const enum nft_field destinations[] = { NFT_FIELD_IP_DEST, NFT_FIELD_IP6_DEST };

static void add_rule(struct filler *f, struct rule *rule, enum nft_verdict verdict)
{
	if (verdict == NFT_VERDICT_DROP)
		rule_drop(rule);
	else
		rule_verdict(rule, verdict, NULL);
	maker_rule(&f->m, rule, NULL);
}

static void accept_known(struct filler *f)
{
	struct rule rule = {};
	rule_bits(&rule, NFT_FIELD_CT_STATE, NFT_CT_ESTABLISHED | NFT_CT_RELATED);
	add_rule(f, &rule, NFT_VERDICT_ACCEPT);
}

/* ---- the filter ---- */

static void fill_from(struct filler *f)
{
	if (f->network->mode == NETWORK_ISOLATED) {
		struct rule rule = {};
		match_bridge(f, &rule, NFT_FIELD_OUT_NAME, true);
		add_rule(f, &rule, NFT_VERDICT_DROP);
		return;
	}
	for (int family = 0; family < N_FW_FAMILIES; family++) {
		struct rule rule = {};
		size_t n;
		const struct fw_range *blocks = blocks_of(f, (enum fw_family)family, &n);
		match_bridge(f, &rule, NFT_FIELD_OUT_NAME, true);
		match_family(&rule, (enum fw_family)family);
		if (n)
			rule_match(&rule, sources[family], true, blocks, n);
		add_rule(f, &rule, NFT_VERDICT_DROP);
	}
}

static void fill_to(struct filler *f)
{
	struct rule among = {}, forwarded = {}, rest = {};
	accept_known(f);
	/* The way around isolated ports, by the host's routing. */
	match_bridge(f, &among, NFT_FIELD_IN_NAME, false);
	if (!f->network->isolate)
		add_rule(f, &among, NFT_VERDICT_ACCEPT);
	rule_bits(&forwarded, NFT_FIELD_CT_STATUS, NFT_CT_DNAT);
	add_rule(f, &forwarded, NFT_VERDICT_ACCEPT);
	if (f->network->isolate)
		add_rule(f, &among, NFT_VERDICT_DROP);
	add_rule(f, &rest,
			f->network->mode == NETWORK_ROUTED ? NFT_VERDICT_ACCEPT : NFT_VERDICT_DROP);
}

static void accept_port(struct filler *f, int protocol, uint16_t port)
{
	struct rule rule = {};
	rule_l4proto(&f->m, &rule, protocol);
	rule_number(&f->m, &rule, NFT_FIELD_DEST_PORT, port);
	add_rule(f, &rule, NFT_VERDICT_ACCEPT);
}

static void fill_host(struct filler *f)
{
	struct rule rest = {};
	if (f->network->host_access) {
		add_rule(f, &rest, NFT_VERDICT_ACCEPT);
		return;
	}
	accept_known(f);
	if (f->network->dhcp) {
		accept_port(f, IPPROTO_UDP, 67);
		accept_port(f, IPPROTO_UDP, 547);
		accept_port(f, IPPROTO_UDP, 53);
		accept_port(f, IPPROTO_TCP, 53);
	}
	for (size_t i = 0; f->network->n_addresses && i < 2; i++) {
		struct rule rule = {};
		rule_l4proto(&f->m, &rule, i ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
		add_rule(f, &rule, NFT_VERDICT_ACCEPT);
	}
	add_rule(f, &rest, NFT_VERDICT_DROP);
}

/* ---- translation of addresses ---- */

/* RTN_LOCAL in the host's byte order. */
static const struct fw_range *local_kind(struct filler *f)
{
	struct fw_range *kind = ARENA_NEW(&f->m.batch->arena, struct fw_range);
	uint32_t number = RTN_LOCAL;
	memcpy(kind->first, &number, sizeof(number));
	memcpy(kind->last, &number, sizeof(number));
	return kind;
}

/* What a host sends to itself at 127.0.0.1 can't leave it. */
static const struct fw_range *loopback(enum fw_family family)
{
	static const struct fw_range ranges[] = {
		[FW_IPV4] = { { 127, 0, 0, 0 }, { 127, 255, 255, 255 } },
		[FW_IPV6] = { { [15] = 1 }, { [15] = 1 } },
	};
	return &ranges[family];
}

static struct fw_range *range_of(struct filler *f, const char *text, enum fw_family *ret_family)
{
	struct fw_range *range = ARENA_NEW(&f->m.batch->arena, struct fw_range);
	return fw_address_read(text, range, ret_family) ? range : NULL;
}

static void add_forward(struct filler *f, const struct network_forward *forward)
{
	struct rule rule = {};
	enum fw_family family;
	const struct fw_range *to = range_of(f, forward->to, &family),
			      *at = forward->address ? range_of(f, forward->address, &family)
						     : NULL;
	match_family(&rule, family);
	if (at) {
		rule_match(&rule, destinations[family], false, at, 1);
	} else {
		rule_match(&rule, NFT_FIELD_DEST_KIND, false, local_kind(f), 1);
		rule_match(&rule, destinations[family], true, loopback(family), 1);
	}
	rule_l4proto(&f->m, &rule, forward->protocol == FORWARD_UDP ? IPPROTO_UDP : IPPROTO_TCP);
	rule_number(&f->m, &rule, NFT_FIELD_DEST_PORT, (uint16_t)forward->port);
	struct nft_part *dnat = rule_part(&rule, NFT_PART_DNAT);
	dnat->field = destinations[family];
	dnat->values = to;
	dnat->n_values = 1;
	dnat->count = (uint32_t)forward->to_port;
	maker_rule(&f->m, &rule, NULL);
}

static void fill_forwards(struct filler *f)
{
	for (size_t i = 0; i < f->network->n_forwards; i++)
		add_forward(f, &f->network->forwards[i]);
}

static void masquerade(struct filler *f, struct rule *rule)
{
	rule_part(rule, NFT_PART_MASQUERADE);
	maker_rule(&f->m, rule, NULL);
}

/* A guest that goes to a forwarded port of the host, and so to another guest, has to get its
 * answer from the host. */
static void fill_srcnat(struct filler *f)
{
	for (int family = 0; family < N_FW_FAMILIES; family++) {
		struct rule around = {}, out = {};
		size_t n;
		const struct fw_range *blocks = blocks_of(f, (enum fw_family)family, &n);
		if (!n)
			continue;
		if (f->network->n_forwards) {
			match_bridge(f, &around, NFT_FIELD_OUT_NAME, false);
			match_family(&around, (enum fw_family)family);
			rule_match(&around, sources[family], false, blocks, n);
			rule_bits(&around, NFT_FIELD_CT_STATUS, NFT_CT_DNAT);
			masquerade(f, &around);
		}
		if (f->network->mode != NETWORK_NAT)
			continue;
		match_bridge(f, &out, NFT_FIELD_OUT_NAME, true);
		match_family(&out, (enum fw_family)family);
		rule_match(&out, sources[family], false, blocks, n);
		rule_match(&out, destinations[family], true, blocks, n);
		masquerade(f, &out);
	}
}

/* ---- all of it ---- */

/* The base chains that all networks share. */
static void add_base(struct filler *f)
{
	struct nft_batch *b = f->m.batch;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		struct rule rule = {};
		nft_batch_set(b, NFT_ADD_SET, &ways[i].map);
		if (i == 0 || strcmp(ways[i].base, ways[i - 1].base) != 0) {
			nft_batch_chain(b, NFT_ADD_CHAIN, ways[i].base, ways[i].hook);
			nft_batch_chain(b, NFT_FLUSH_CHAIN, ways[i].base, NFT_HOOK_NONE);
		}
		f->m.chain = ways[i].base;
		rule_map(&rule, ways[i].map.fields[0], ways[i].map.name);
		maker_rule(&f->m, &rule, NULL);
	}
}

void net_batch_install(struct nft_batch *batch, const struct network *network)
{
	static void (*const fill_way[])(struct filler *) = { fill_from, fill_to, fill_host };
	static void (*const fill_translation[])(
			struct filler *) = { fill_forwards, fill_forwards, fill_srcnat };
	struct filler f = {
		.m = { .batch = batch, .state = FW_STATE_CONNTRACK },
		.network = network,
		.bridge = ARENA_NEW(&batch->arena, struct fw_range),
	};
	memcpy(f.bridge->first, network->bridge, strnlen(network->bridge, 15));
	memcpy(f.bridge->last, f.bridge->first, sizeof(f.bridge->last));

	batch->family = NFT_INET;
	batch->subject = arena_printf(&batch->arena, "network '%s'", network->name);
	nft_batch_add(batch, &(struct nft_change){ .kind = NFT_ADD_TABLE });
	add_base(&f);
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		f.m.chain = chain_of(batch, network->name, ways[i].ending);
		nft_batch_chain(batch, NFT_ADD_CHAIN, f.m.chain, NFT_HOOK_NONE);
		nft_batch_chain(batch, NFT_FLUSH_CHAIN, f.m.chain, NFT_HOOK_NONE);
		fill_way[i](&f);
		nft_batch_jump(batch, NFT_ADD_ELEMENTS, &ways[i].map,
				arena_strdup(&batch->arena, network->bridge), f.m.chain);
	}
	for (size_t i = 0; i < ARRAY_SIZE(translations); i++) {
		f.m.chain = chain_of(batch, network->name, translations[i].ending);
		nft_batch_chain(batch, NFT_ADD_CHAIN, f.m.chain, translations[i].hook);
		nft_batch_chain(batch, NFT_FLUSH_CHAIN, f.m.chain, NFT_HOOK_NONE);
		fill_translation[i](&f);
	}
	batch->subject = NULL;
}

/* What is removed is made first, so that it is there. */
void net_batch_remove(struct nft_batch *batch, const char *network, const char *bridge)
{
	const char *interface = bridge ? arena_strdup(&batch->arena, bridge) : NULL;
	batch->family = NFT_INET;
	batch->subject = arena_printf(&batch->arena, "network '%s'", network);
	nft_batch_add(batch, &(struct nft_change){ .kind = NFT_ADD_TABLE });
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		const char *chain = chain_of(batch, network, ways[i].ending);
		nft_batch_chain(batch, NFT_ADD_CHAIN, chain, NFT_HOOK_NONE);
		if (interface) {
			nft_batch_set(batch, NFT_ADD_SET, &ways[i].map);
			nft_batch_jump(batch, NFT_ADD_ELEMENTS, &ways[i].map, interface, chain);
			nft_batch_jump(batch, NFT_DELETE_ELEMENTS, &ways[i].map, interface, chain);
		}
		nft_batch_chain(batch, NFT_DELETE_CHAIN, chain, NFT_HOOK_NONE);
	}
	for (size_t i = 0; i < ARRAY_SIZE(translations); i++) {
		const char *chain = chain_of(batch, network, translations[i].ending);
		nft_batch_chain(batch, NFT_ADD_CHAIN, chain, translations[i].hook);
		nft_batch_chain(batch, NFT_DELETE_CHAIN, chain, NFT_HOOK_NONE);
	}
	batch->subject = NULL;
}

void net_batch_remove_table(struct nft_batch *batch)
{
	batch->family = NFT_INET;
	nft_batch_add(batch, &(struct nft_change){ .kind = NFT_DELETE_TABLE });
}
