/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel decides about packets what the model says: random groups, sets, rules and guards,
 * random packets, one machine that is sent to and sends. The seed is printed; MACHINA_SEED=N
 * repeats a run.
 */
#include "host/net/firewall.h"

#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <time.h>

#include "firewall/walk.h"
#include "frames.h"

enum { N_GROUPS = 3, N_SETS = 2, N_RULES = 6, N_WORLDS = 60, N_PACKETS = 40 };

static struct netlink nl;
static bool can_reject, can_track;
static enum fw_state state; /* of the worlds */

/* ---- chance ---- */

static uint64_t seed;

static unsigned chance(unsigned n)
{
	/* Knuth's MMIX; the high bits are the good ones. */
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

/* ---- a world ---- */

struct world {
	struct fw_policy policy;
	struct fw_group groups[N_GROUPS];
	struct fw_set sets[N_SETS];
	struct fw_set members[N_GROUPS];
	struct vm_filter filters[2]; /* of web and peer */
	struct fw_port ports[2];
	struct arena arena;
};

static const char *const group_names[] = { "a", "b", "c" };
static const char *const set_names[] = { "s", "t" };
/* The own addresses, and those that rules name and packets come from: ends of ranges, and what is
 * beside them. */
static const char *const own_4[] = { "10.0.0.5", "10.0.0.9" };
static const char *const own_6[] = { "2001:db8::5", "2001:db8::9" };
static const char *const ranges[] = { "192.0.2.0/24", "192.0.2.7", "192.0.2.250-192.0.3.5",
	"198.51.100.0/25", "10.0.0.0/8", "2001:db8:1::/48", "2001:db8:1::7", "2001:db8::/32",
	"2001:db8:1::fffe-2001:db8:1::1:1" };
static const char *const peers_4[] = { "192.0.2.0", "192.0.2.7", "192.0.2.255", "192.0.3.0",
	"192.0.3.5", "192.0.3.6", "198.51.100.127", "198.51.100.128", "10.0.0.9", "203.0.113.1" };
static const char *const peers_6[] = { "2001:db8:1::7", "2001:db8:1::fffe", "2001:db8:1::1:2",
	"2001:db8:2::1", "2001:db8::9", "2001:dba::1" };
/* Whom the guest says it is; the first one is true. */
static const char *const sources_4[] = { "10.0.0.5", "10.0.0.5", "10.0.0.9", "0.0.0.0",
	"192.0.2.7" };
static const char *const sources_6[] = { "2001:db8::5", "2001:db8::5", "2001:db8::9",
	"::", "fe80::5", "2001:dba::1" };
static const struct fw_span port_spans[] = { { 22, 22 }, { 80, 80 }, { 443, 443 }, { 1000, 2000 },
	{ 1, 65535 } };
static const uint16_t ports[] = { 22, 23, 67, 68, 80, 443, 546, 547, 999, 1000, 1500, 2000, 2001,
	65535 };

static struct fw_range range_of(const char *text, enum fw_family *family)
{
	struct fw_range range;
	struct error err;
	if (fw_range_parse(text, &range, family, &err) < 0)
		TEST_FAIL("%s", err.text);
	return range;
}

/* Up to @n of the ranges. */
static struct fw_addresses some_addresses(struct world *w, unsigned n)
{
	struct fw_addresses ret = {};
	struct fw_range *items[N_FW_FAMILIES];
	for (int f = 0; f < N_FW_FAMILIES; f++)
		items[f] = arena_array(&w->arena, n, sizeof(*items[f]));
	for (unsigned i = 0; i < n; i++) {
		enum fw_family family;
		struct fw_range range = range_of(ranges[chance(ARRAY_SIZE(ranges))], &family);
		items[family][ret.of[family].n++] = range;
	}
	for (int f = 0; f < N_FW_FAMILIES; f++) {
		ret.of[f].items = items[f];
		ret.of[f].n = fw_ranges_merge(items[f], ret.of[f].n, (enum fw_family)f);
	}
	return ret;
}

static void add_peers(struct world *w, struct fw_rule *rule)
{
	switch (chance(8)) {
	case 0:
		rule->addresses = some_addresses(w, 1);
		break;
	case 1:
		rule->addresses = some_addresses(w, 6);
		break;
	case 2:
		rule->sets = &set_names[chance(N_SETS)];
		rule->n_sets = 1;
		break;
	case 3:
		rule->groups = &group_names[chance(N_GROUPS)];
		rule->n_groups = 1;
		break;
	case 4:
		rule->addresses = some_addresses(w, 2);
		rule->sets = set_names;
		rule->n_sets = N_SETS;
		break;
	default:
		break;
	}
}

static void add_protocol(struct world *w, struct fw_rule *rule)
{
	static const int protocols[] = { -1, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_ICMP,
		IPPROTO_ICMPV6, -1 };
	static const struct fw_span types[] = { { 8, 8 }, { 13, 14 } },
				    types_6[] = { { 128, 128 } };
	rule->protocol = protocols[chance(ARRAY_SIZE(protocols))];
	if (rule->protocol == IPPROTO_ICMP) {
		rule->types = types;
		rule->n_types = chance(3);
	} else if (rule->protocol == IPPROTO_ICMPV6) {
		rule->types = types_6;
		rule->n_types = chance(2);
	} else if (rule->protocol >= 0) {
		size_t n = chance(6);
		struct fw_span *spans = arena_array(&w->arena, n, sizeof(*spans));
		for (size_t i = 0; i < n; i++)
			spans[i] = port_spans[chance(ARRAY_SIZE(port_spans) - (n > 1))];
		rule->ports = spans;
		rule->n_ports = fw_spans_merge(spans, n);
	}
}

static struct fw_rule some_rule(struct world *w, enum fw_direction direction)
{
	unsigned actions = direction == FW_OUT && can_reject ? 3 : 2;
	struct fw_rule rule = {
		.direction = direction,
		.action = (enum fw_action)chance(actions),
		.priority = 100 + (int)chance(3) * 50,
		.origin = "some rule",
		.comment = "",
	};
	add_protocol(w, &rule);
	add_peers(w, &rule);
	return rule;
}

static struct fw_rules some_rules(struct world *w, enum fw_direction direction)
{
	size_t n = chance(N_RULES);
	struct fw_rule *items = arena_array(&w->arena, n, sizeof(*items));
	for (size_t i = 0; i < n; i++)
		items[i] = some_rule(w, direction);
	return (struct fw_rules){ .items = items, .n = n };
}

static enum fw_default some_default(void)
{
	return (enum fw_default)((int)chance(3) - 1);
}

static void make_filter(struct world *w, size_t i)
{
	struct vm_filter *filter = &w->filters[i];
	struct fw_rules rules[] = { some_rules(w, FW_IN), some_rules(w, FW_OUT) };
	struct fw_rule *all = arena_array(&w->arena, rules[0].n + rules[1].n, sizeof(*all));
	enum fw_family family;

	memcpy(all, rules[0].items, rules[0].n * sizeof(*all));
	memcpy(all + rules[0].n, rules[1].items, rules[1].n * sizeof(*all));
	*filter = (struct vm_filter){
		.groups = group_names,
		.n_groups = chance(N_GROUPS + 1),
		.rules = all,
		.n_rules = rules[0].n + rules[1].n,
		.guard = { .mac = chance(4) > 0,
				.address = chance(4)   ? FW_GUARD_ADDRESS_ON
					   : chance(2) ? FW_GUARD_ADDRESS_STRICT
						       : FW_GUARD_ADDRESS_OFF,
				.router = chance(4) > 0,
				.dhcp_server = chance(4) > 0,
				.fragments = chance(4) > 0,
				.other = chance(4) > 0 },
	};
	filter->has_any = filter->n_groups || filter->n_rules;
	for (int level = 0; level < N_FW_LEVELS; level++)
		for (int d = 0; d < N_FW_DIRECTIONS; d++)
			filter->defaults[level][d] = chance(4) ? FW_DEFAULT_NONE : some_default();
	const char *const own[] = { own_4[i], own_6[i] };
	for (int f = 0; f < N_FW_FAMILIES; f++) {
		struct fw_range *range = ARENA_NEW(&w->arena, struct fw_range);
		*range = range_of(own[f], &family);
		filter->ip.of[f] = (struct fw_ranges){ .items = range, .n = chance(4) > 0 };
	}
}

static void make_port(struct world *w, size_t i)
{
	static const char *const names[] = { "web", "peer" },
				 *const links[] = { "web.0", "peer.0" },
				 *const macs[] = { "52:54:00:00:00:01", "52:54:00:00:00:02" };
	const struct vm vm = { .name = names[i] };
	const struct vm_nic nic = { .name = "0",
		.network = "lan",
		.link = links[i],
		.mac = macs[i],
		.filter = &w->filters[i] };
	struct error err = {};
	fw_policy_add_members(&w->policy, &w->filters[i]);
	if (fw_port_of_nic(&w->policy, &vm, &nic, &w->ports[i], &err) < 0)
		TEST_FAIL("%s", err.text);
}

static void world_begin(struct world *w)
{
	*w = (struct world){};
	for (size_t i = 0; i < N_SETS; i++)
		w->sets[i] = (struct fw_set){ set_names[i], some_addresses(w, 1 + chance(4)) };
	for (size_t i = 0; i < N_GROUPS; i++)
		w->groups[i] = (struct fw_group){
			.name = group_names[i],
			.priority = 100 + (int)chance(3) * 50,
			.locked = chance(3) == 0,
			.defaults = { some_default(), some_default() },
			.rules = { some_rules(w, FW_IN), some_rules(w, FW_OUT) },
			.comment = "",
		};
	w->policy = (struct fw_policy){ .state = state,
		.sets = w->sets,
		.n_sets = N_SETS,
		.groups = w->groups,
		.n_groups = N_GROUPS,
		.members = w->members };
	for (size_t i = 0; i < N_GROUPS; i++)
		w->members[i].name = group_names[i];
	for (size_t i = 0; i < 2; i++)
		make_filter(w, i);
	for (size_t i = 0; i < 2; i++)
		make_port(w, i);
}

static void world_end(struct world *w)
{
	for (size_t i = 0; i < 2; i++)
		fw_port_done(&w->ports[i]);
	fw_policy_done(&w->policy);
	arena_done(&w->arena);
}

static bool install(struct world *w)
{
	struct error err = {};
	const struct firewall_port all[] = { { .port = &w->ports[0] }, { .port = &w->ports[1] } };
	const struct firewall_request request = {
		.policy = &w->policy, .ports = all, .n = 2, .is_all = true
	};
	int r = firewall_install(&nl, &request, &err);
	if (r < 0)
		TEST_FAIL("%s", err.text);
	return r == 0;
}

/* ---- packets ---- */

/* A redirect of IPv4 that answers nothing begins no connection, and is no essential; tracking knows
 * that. */
static uint8_t some_icmp_type(enum fw_family family)
{
	static const uint8_t types[] = { ICMP_ECHO, ICMP_TIMESTAMP, ICMP_DEST_UNREACH,
		ICMP_TIME_EXCEEDED, ICMP_REDIRECT };
	static const uint8_t types_6[] = { ICMP6_ECHO_REQUEST, ND_ROUTER_SOLICIT, ND_ROUTER_ADVERT,
		ND_NEIGHBOR_SOLICIT, ND_REDIRECT, 143, ICMP6_DST_UNREACH, ICMP6_TIME_EXCEEDED };
	bool tracks = state == FW_STATE_CONNTRACK;
	return family == FW_IPV4 ? types[chance(ARRAY_SIZE(types) - tracks)]
				 : types_6[chance(ARRAY_SIZE(types_6))];
}

/* Half of the packets to these ports are of DHCP. The answers to them are let pass as well, so that
 * what was sent before does not matter. */
static void use_dhcp_ports(struct fw_packet *p)
{
	bool six = p->family == FW_IPV6, in = p->direction == FW_IN;
	uint16_t client = six ? 546 : 68, server = six ? 547 : 67;
	if (p->protocol == IPPROTO_UDP && p->to_port == (in ? client : server) && chance(2))
		p->from_port = in ? server : client;
}

static struct fw_packet some_packet(struct fw_range *peer, struct fw_range *source)
{
	/* Connection tracking knows the beginnings of these only. */
	static const int protocols[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_SCTP };
	/* Each packet begins a connection of its own. */
	static uint16_t from_port = 20000;
	enum fw_family family;
	struct fw_packet p = {
		.direction = (enum fw_direction)chance(2),
		.family = (enum fw_family)chance(2),
		.protocol = protocols[chance(can_track ? 3 : 4)],
		.from_port = ++from_port,
	};
	if (p.protocol == IPPROTO_ICMP) {
		p.protocol = p.family == FW_IPV4 ? (int)IPPROTO_ICMP : (int)IPPROTO_ICMPV6;
		p.type = some_icmp_type(p.family);
	} else {
		p.to_port = ports[chance(ARRAY_SIZE(ports))];
		use_dhcp_ports(&p);
	}
	*peer = range_of(p.family == FW_IPV4 ? peers_4[chance(ARRAY_SIZE(peers_4))]
					     : peers_6[chance(ARRAY_SIZE(peers_6))],
			&family);
	p.peer = peer->first;
	*source = range_of(p.family == FW_IPV4 ? sources_4[chance(ARRAY_SIZE(sources_4))]
					       : sources_6[chance(ARRAY_SIZE(sources_6))],
			&family);
	p.source = p.direction == FW_OUT ? source->first : NULL;
	return p;
}

static bool kernel_passes(const struct world *w, const struct fw_packet *p)
{
	const uint8_t *own = w->filters[0].ip.of[p->family].items->first;
	bool in = p->direction == FW_IN;
	const struct packet packet = {
		.from_mac = in ? mac_up : mac_web,
		.to_mac = in ? mac_web : mac_up,
		.family = p->family == FW_IPV4 ? AF_INET : AF_INET6,
		.from = in ? p->peer : p->source,
		.to = in ? own : p->peer,
		.protocol = (uint8_t)p->protocol,
		.from_port = p->from_port,
		.to_port = p->to_port,
		.type = (uint8_t)p->type,
	};
	struct frame frame = frame_ip(&packet);
	return in ? frame_passes(PORT_UP, PORT_WEB, &frame)
		  : frame_passes(PORT_WEB, PORT_UP, &frame);
}

static void compare(struct world *w, unsigned number)
{
	struct fw_range peer, source;
	const struct fw_packet p = some_packet(&peer, &source);
	const struct fw_decision decision = fw_walk(&w->policy, &w->ports[0], &p);
	bool passes = kernel_passes(w, &p);
	if (passes == (decision.action == FW_ACCEPT))
		return;
	CLEANUP(buf_done) struct buf address = {}, from = {};
	fw_range_put(&address, &peer, p.family);
	fw_range_put(&from, &source, p.family);
	TEST_FAIL("world %u: %s protocol %d port %d type %d peer %s as %s: the model says %s (%s), "
		  "the kernel %s",
			number, fw_direction_names[p.direction], p.protocol, p.to_port, p.type,
			buf_text(&address), buf_text(&from), fw_action_names[decision.action],
			decision.origin, passes ? "lets it pass" : "drops it");
}

static void compare_worlds(enum fw_state with)
{
	state = with;
	for (unsigned i = 0; i < N_WORLDS && !test_failures; i++) {
		struct world w;
		world_begin(&w);
		if (install(&w))
			for (unsigned k = 0; k < N_PACKETS; k++)
				compare(&w, i);
		world_end(&w);
	}
}

static const char *begin(void)
{
	const char *reason = frames_begin();
	struct error err = {};
	if (reason || nl.socket)
		return reason;
	if (nft_open(&nl, &err) < 0)
		return "the kernel has no netfilter";
	if (!frames_run("nft add table bridge x") ||
			!frames_run("nft add chain bridge x c { type filter hook prerouting "
				    "priority 0; }"))
		return "nft is missing, or the kernel has no nftables for bridges";
	can_reject = frames_run("nft add rule bridge x c reject");
	can_track = frames_run("nft add rule bridge x c ct state new");
	frames_run("nft delete table bridge x");
	const char *given = getenv("MACHINA_SEED");
	seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
	printf("# MACHINA_SEED=%" PRIu64 "\n", seed);
	return NULL;
}

TEST(the_kernel_decides_what_the_model_says_with_flows)
{
	const char *reason = begin();
	if (reason)
		SKIP(reason);
	compare_worlds(FW_STATE_FLOWS);
}

TEST(the_kernel_decides_what_the_model_says_with_connection_tracking)
{
	const char *reason = begin();
	if (reason)
		SKIP(reason);
	if (!can_track)
		SKIP("the kernel has no nf_conntrack_bridge");
	compare_worlds(FW_STATE_CONNTRACK);
}

TEST_MAIN()
