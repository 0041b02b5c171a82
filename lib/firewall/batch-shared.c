/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the chains of all machines share. */
#include <assert.h>
#include <inttypes.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>

#include "firewall/batch-parts.h"
#include "util/fnv.h"
#include "util/mem.h"

/*
 * Without connection tracking: how long an answer may take, and how many conversations there are.
 * When that many are known, new ones get no answer.
 */
#define FLOWS_MAX 65536
#define TCP_SECONDS 3600
#define UDP_SECONDS 180
#define PING_SECONDS 30

static const enum nft_field in_name = NFT_FIELD_IN_NAME, out_name = NFT_FIELD_OUT_NAME;
static const struct nft_set from_vm = {
	.name = "from-vm", .fields = &in_name, .n_fields = 1, .is_map = true
};
static const struct nft_set to_vm = {
	.name = "to-vm", .fields = &out_name, .n_fields = 1, .is_map = true
};
const struct nft_set *const batch_maps[2] = { &from_vm, &to_vm };

/* Returns false if it was there. */
static bool note(struct maker *m, const char *name)
{
	if (strv_contains(&m->done, name))
		return false;
	strv_push(&m->done, name);
	return true;
}

/* ---- sections ---- */

/* The one that is being made: none is within another. */
static struct nft_section *current_section(struct maker *m)
{
	return &m->batch->sections[m->batch->n_sections - 1];
}

void section_begin(struct maker *m)
{
	struct nft_batch *b = m->batch;
	b->sections = grow_array(
			b->sections, &b->n_sections_alloc, b->n_sections, sizeof(*b->sections));
	b->sections[b->n_sections++] = (struct nft_section){ .first = b->n };
}

void section_chain(struct maker *m, const char *chain, enum nft_hook hook)
{
	struct nft_section *section = current_section(m);
	bool is_first = !section->chain;
	m->chain = chain;
	nft_batch_chain(m->batch, NFT_ADD_CHAIN, chain, hook);
	nft_batch_chain(m->batch, NFT_FLUSH_CHAIN, chain, NFT_HOOK_NONE);
	if (!is_first)
		return;
	section->chain = chain;
	/* Packets that are nobody's business pass base chains: no rule more than needed. */
	if (!hook) {
		struct rule digest = {};
		rule_verdict(&digest, NFT_VERDICT_CONTINUE, NULL);
		maker_rule(m, &digest, NULL);
	}
}

void section_end(struct maker *m)
{
	struct nft_batch *b = m->batch;
	struct nft_section *s = current_section(m);
	CLEANUP(buf_done) struct buf text = {};
	size_t first_rule = b->n;

	s->n = b->n - s->first;
	for (size_t i = s->first; i < b->n; i++) {
		nft_text_change(&b->items[i], &text);
		if (first_rule == b->n && b->items[i].kind == NFT_ADD_RULE)
			first_rule = i;
	}
	/* It tells whether the host's config has changed, which only root can do. */
	s->digest = arena_printf(&b->arena, "machina:%016" PRIx64,
			fnv_add(FNV_BEGIN, buf_text(&text), text.len));
	assert(first_rule < b->n);
	b->items[first_rule].comment = s->digest;
}

static void named_chain(
		struct maker *m, const char *prefix, const char *name, enum fw_direction direction)
{
	m->direction = direction;
	section_chain(m, maker_chain(m, prefix, name), NFT_HOOK_NONE);
}

void maker_base(struct maker *m)
{
	static const struct {
		const char *chain;
		enum nft_hook hook;
		enum nft_field field;
	} bases[] = { { "prerouting", NFT_HOOK_PREROUTING, NFT_FIELD_IN_NAME },
		{ "postrouting", NFT_HOOK_POSTROUTING, NFT_FIELD_OUT_NAME } };
	section_begin(m);
	for (size_t i = 0; i < ARRAY_SIZE(bases); i++) {
		struct rule rule = {};
		section_chain(m, bases[i].chain, bases[i].hook);
		nft_batch_set(m->batch, NFT_ADD_SET, batch_maps[i]);
		rule_map(&rule, bases[i].field, batch_maps[i]->name);
		maker_rule(m, &rule, NULL);
	}
	section_end(m);
}

/* ---- sets ---- */

static void add_addresses(struct maker *m, const struct fw_set *from)
{
	const char *chain = arena_printf(&m->batch->arena, "set-%s", from->name);
	if (!note(m, chain))
		return;
	section_begin(m);
	section_chain(m, chain, NFT_HOOK_NONE);
	for (int f = 0; f < N_FW_FAMILIES; f++) {
		const struct fw_ranges *ranges = &from->addresses.of[f];
		if (!ranges->n)
			continue;
		const struct nft_set *set =
				maker_set(m, "set", from->name, (enum fw_family)f, true);
		nft_batch_set(m->batch, NFT_ADD_SET, set);
		nft_batch_set(m->batch, NFT_FLUSH_SET, set);
		nft_batch_values(m->batch, NFT_ADD_ELEMENTS, set, ranges->items, ranges->n);
	}
	section_end(m);
}

/*
 * In a set, it says that nobody has emptied it. A frame that pretends to come from there is one of
 * a member for the rules, so it must be one that every guest drops: reserved addresses of multicast
 * are no sources (RFC 1122, 3.2.1.3; RFC 4291, 2.7), and nobody listens to them (RFC 5771, 4; RFC
 * 4291, 2.7.1). One of loopback would pass where a guest routes it (route_localnet, ip-sysctl).
 */
static const struct fw_range reserved[N_FW_FAMILIES] = {
	[FW_IPV4] = { .first = { 224 }, .last = { 224 } },
	[FW_IPV6] = { .first = { 0xff }, .last = { 0xff } },
};

void maker_members(struct maker *m, const char *group)
{
	for (int f = 0; f < N_FW_FAMILIES; f++) {
		const struct nft_set *set = maker_set(m, "grp", group, (enum fw_family)f, false);
		if (!note(m, set->name))
			continue;
		section_begin(m);
		nft_batch_set(m->batch, NFT_ADD_SET, set);
		if (m->is_all)
			nft_batch_set(m->batch, NFT_FLUSH_SET, set);
		nft_batch_values(m->batch, NFT_ADD_ELEMENTS, set, &reserved[f], 1);
		/* Of all members the set is filled anew, whatever it has. */
		if (m->is_all)
			m->batch->n_sections--;
		else
			current_section(m)->n = m->batch->n - current_section(m)->first;
	}
}

void maker_sets_of(struct maker *m, const struct fw_rule *rule)
{
	for (size_t i = 0; i < rule->n_sets; i++) {
		const struct fw_set *set = fw_policy_set(m->policy, rule->sets[i]);
		if (set)
			add_addresses(m, set);
	}
	for (size_t i = 0; i < rule->n_groups; i++)
		maker_members(m, rule->groups[i]);
}

/* ---- answers ---- */

/* What "reject" answers is made by the bridge, behind the place where connections are looked up: it
 * belongs to none, and the guest is to have it all the same. Its ICMP errors are essentials. */
static void add_rejections(struct maker *m, bool tracked)
{
	struct rule reset = {};
	if (tracked)
		rule_bits(&reset, NFT_FIELD_CT_STATE, NFT_CT_INVALID);
	rule_l4proto(m, &reset, IPPROTO_TCP);
	rule_bits(&reset, NFT_FIELD_TCP_FLAGS, NFT_TCP_RST);
	rule_verdict(&reset, NFT_VERDICT_ACCEPT, NULL);
	maker_rule(m, &reset, "rejected");
}

static void add_tracked(struct maker *m)
{
	struct rule known = {};
	rule_bits(&known, NFT_FIELD_CT_STATE, NFT_CT_ESTABLISHED | NFT_CT_RELATED);
	rule_verdict(&known, NFT_VERDICT_ACCEPT, NULL);
	maker_rule(m, &known, "answers");
}

/* Behind the essentials, among which are some that tracking takes for invalid: errors and redirects
 * whose connection it does not know. */
static void add_invalid(struct maker *m)
{
	struct rule invalid = {};
	add_rejections(m, true);
	rule_bits(&invalid, NFT_FIELD_CT_STATE, NFT_CT_INVALID);
	rule_drop(&invalid);
	maker_rule(m, &invalid, "invalid");
}

/* What makes up a conversation, for its machine: the port, own address and port, the other's. */
struct flow {
	const char *set;
	enum fw_family family;
	int protocol;
	uint32_t seconds;
	/* An echo: type of the request, of the answer. */
	uint16_t request, answer;
	enum nft_field fields[N_FW_DIRECTIONS][5];
	size_t n_fields;
};

#define FLOW_FIELDS(IP)                                                                            \
	{                                                                                          \
		[FW_IN] = { NFT_FIELD_OUT_NAME, NFT_FIELD_##IP##_DEST, NFT_FIELD_DEST_PORT,        \
			NFT_FIELD_##IP##_SOURCE, NFT_FIELD_SOURCE_PORT },                          \
		[FW_OUT] = { NFT_FIELD_IN_NAME, NFT_FIELD_##IP##_SOURCE, NFT_FIELD_SOURCE_PORT,    \
			NFT_FIELD_##IP##_DEST, NFT_FIELD_DEST_PORT },                              \
	}
#define PING_FIELDS(IP)                                                                            \
	{                                                                                          \
		[FW_IN] = { NFT_FIELD_OUT_NAME, NFT_FIELD_##IP##_DEST, NFT_FIELD_##IP##_SOURCE },  \
		[FW_OUT] = { NFT_FIELD_IN_NAME, NFT_FIELD_##IP##_SOURCE, NFT_FIELD_##IP##_DEST },  \
	}

static const struct flow flows[] = {
	{ "flow-tcp-4", FW_IPV4, IPPROTO_TCP, TCP_SECONDS, 0, 0, FLOW_FIELDS(IP), 5 },
	{ "flow-tcp-6", FW_IPV6, IPPROTO_TCP, TCP_SECONDS, 0, 0, FLOW_FIELDS(IP6), 5 },
	{ "flow-udp-4", FW_IPV4, IPPROTO_UDP, UDP_SECONDS, 0, 0, FLOW_FIELDS(IP), 5 },
	{ "flow-udp-6", FW_IPV6, IPPROTO_UDP, UDP_SECONDS, 0, 0, FLOW_FIELDS(IP6), 5 },
	{ "flow-ping-4", FW_IPV4, IPPROTO_ICMP, PING_SECONDS, ICMP_ECHO, ICMP_ECHOREPLY,
			PING_FIELDS(IP), 3 },
	{ "flow-ping-6", FW_IPV6, IPPROTO_ICMPV6, PING_SECONDS, ICMP6_ECHO_REQUEST,
			ICMP6_ECHO_REPLY, PING_FIELDS(IP6), 3 },
};

static void add_flow_set(struct maker *m, const struct flow *flow)
{
	if (!note(m, flow->set))
		return;
	struct nft_set *set = ARENA_NEW(&m->batch->arena, struct nft_set);
	*set = (struct nft_set){
		.name = flow->set,
		.fields = flow->fields[FW_OUT],
		.n_fields = flow->n_fields,
		.size = FLOWS_MAX,
	};
	nft_batch_set(m->batch, NFT_ADD_SET, set);
}

static void flow_condition(
		struct maker *m, struct rule *rule, const struct flow *flow, uint16_t type)
{
	rule_protocol(rule, flow->family);
	rule_l4proto(m, rule, flow->protocol);
	if (type || flow->protocol == IPPROTO_ICMP)
		rule_number(m, rule,
				flow->family == FW_IPV4 ? NFT_FIELD_ICMP_TYPE
							: NFT_FIELD_ICMP6_TYPE,
				type);
}

static void flow_part(const struct maker *m, struct rule *rule, enum nft_part_kind kind,
		const struct flow *flow)
{
	struct nft_part *part = rule_part(rule, kind);
	part->name = flow->set;
	part->fields = flow->fields[m->direction];
	part->n_fields = flow->n_fields;
	part->seconds = flow->seconds;
}

static void add_flows(struct maker *m)
{
	for (size_t i = 0; i < ARRAY_SIZE(flows); i++) {
		struct rule rule = {};
		add_flow_set(m, &flows[i]);
		flow_condition(m, &rule, &flows[i], flows[i].answer);
		flow_part(m, &rule, NFT_PART_KNOWN, &flows[i]);
		flow_part(m, &rule, NFT_PART_REMEMBER, &flows[i]);
		rule_verdict(&rule, NFT_VERDICT_ACCEPT, NULL);
		maker_rule(m, &rule, "answers");
	}
	if (m->direction == FW_IN)
		add_rejections(m, false);
}

/* Accept, and remember it. */
static void add_track(struct maker *m)
{
	struct rule accept = {};
	named_chain(m, "track", "", m->direction);
	for (size_t i = 0; i < ARRAY_SIZE(flows); i++) {
		struct rule rule = {};
		add_flow_set(m, &flows[i]);
		flow_condition(m, &rule, &flows[i], flows[i].request);
		flow_part(m, &rule, NFT_PART_REMEMBER, &flows[i]);
		rule_verdict(&rule, NFT_VERDICT_ACCEPT, NULL);
		maker_rule(m, &rule, "remember");
	}
	rule_verdict(&accept, NFT_VERDICT_ACCEPT, NULL);
	maker_rule(m, &accept, NULL);
}

void maker_state(struct maker *m)
{
	if (!note(m, "state"))
		return;
	section_begin(m);
	for (int d = 0; d < N_FW_DIRECTIONS; d++) {
		m->direction = (enum fw_direction)d;
		if (m->state == FW_STATE_FLOWS)
			add_track(m);
		named_chain(m, "state", "", (enum fw_direction)d);
		if (m->state == FW_STATE_FLOWS)
			add_flows(m);
		else if (m->state == FW_STATE_CONNTRACK)
			add_tracked(m);
	}
	section_end(m);
}

/* ---- essentials and groups ---- */

static void add_essential(struct maker *m, const struct fw_essential *e)
{
	struct rule rule = {};
	size_t n_types = 0;
	while (n_types < ARRAY_SIZE(e->types) && e->types[n_types].last)
		n_types++;
	if (e->arp) {
		rule_arp(&rule);
	} else {
		rule_protocol(&rule, e->family);
		rule_l4proto(m, &rule, e->protocol);
		if (e->protocol == IPPROTO_UDP) {
			rule_number(m, &rule, NFT_FIELD_SOURCE_PORT, e->from_port);
			rule_number(m, &rule, NFT_FIELD_DEST_PORT, e->to_port);
		} else {
			rule_spans(m, &rule,
					e->family == FW_IPV4 ? NFT_FIELD_ICMP_TYPE
							     : NFT_FIELD_ICMP6_TYPE,
					e->types, n_types);
		}
	}
	rule_verdict(&rule, NFT_VERDICT_ACCEPT, NULL);
	maker_rule(m, &rule, e->what);
}

void maker_essentials(struct maker *m)
{
	if (!note(m, "essentials"))
		return;
	section_begin(m);
	for (int d = 0; d < N_FW_DIRECTIONS; d++) {
		named_chain(m, "ess", "", (enum fw_direction)d);
		for (const struct fw_essential *e = fw_essentials; e->what; e++)
			if ((int)e->direction == d)
				add_essential(m, e);
		if (d == FW_IN && m->state == FW_STATE_CONNTRACK)
			add_invalid(m);
	}
	section_end(m);
}

void maker_group(struct maker *m, const struct fw_group *group)
{
	CLEANUP(freep) char *name = xasprintf("group %s", group->name);
	if (!note(m, name))
		return;
	for (int d = 0; d < N_FW_DIRECTIONS; d++)
		for (size_t i = 0; i < group->rules[d].n; i++)
			maker_sets_of(m, &group->rules[d].items[i]);
	section_begin(m);
	for (int d = 0; d < N_FW_DIRECTIONS; d++) {
		named_chain(m, "grp", group->name, (enum fw_direction)d);
		for (size_t i = 0; i < group->rules[d].n; i++)
			maker_fw_rule(m, &group->rules[d].items[i]);
	}
	section_end(m);
}
