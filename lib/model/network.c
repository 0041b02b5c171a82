/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A network with a bridge of its own: from the config, and its leases. */
#include "model/network.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "config/forms.h"
#include "json/jlocate.h"
#include "util/hash.h"
#include "util/mem.h"
#include "util/parse.h"

/* The longest user name (model/vm.h). */
#define USER_NAME_MAX 31
#define LEASE_SECONDS 3600
/* The length of a prefix with which hosts make addresses up by themselves (RFC 4862). */
#define SLAAC_PREFIX 64
#define IPV6_MTU_MIN 1280

void network_done(struct network *network)
{
	arena_done(&network->arena);
	*network = (struct network){};
}

char *network_unit_name(const char *network)
{
	return xasprintf("machina-network-%s.service", network);
}

char *network_user_name(const char *network)
{
	char *name = xasprintf("machina-net-%s", network);
	if (strlen(name) <= USER_NAME_MAX)
		return name;
	free(name);
	uint8_t digest[28];
	char digits[2 * 8 + 1];
	sha3_224(network, strlen(network), digest);
	format_hex(digest, 8, HEX_LOWER, digits);
	return xasprintf("machina-net-%s", digits);
}

char *network_run_dir(const char *run_dir, const char *network)
{
	return xasprintf("%s-network/%s", run_dir, network);
}

/* ---- addresses ---- */

void network_address_read(const char *text, struct arena *arena, struct network_address *ret)
{
	char canonical[INET6_ADDRSTRLEN];
	struct fw_range range;
	*ret = (struct network_address){};
	const char *slash = strchr(text, '/');
	if (!slash || !fw_address_read(text, &range, &ret->family) ||
			parse_int(slash + 1, 0, 8 * (int)fw_address_size(ret->family),
					&ret->prefix) < 0)
		return;
	memcpy(ret->bytes, range.first, sizeof(ret->bytes));
	ret->block = fw_block(ret->bytes, ret->family, ret->prefix);
	inet_ntop(fw_address_domain(ret->family), ret->bytes, canonical, sizeof(canonical));
	ret->ip = arena_strdup(arena, canonical);
}

static bool is_in(const struct fw_range *block, const uint8_t *bytes, size_t size)
{
	return memcmp(bytes, block->first, size) >= 0 && memcmp(bytes, block->last, size) <= 0;
}

bool network_has_family(const struct network *network, enum fw_family family)
{
	for (size_t i = 0; i < network->n_addresses; i++)
		if (network->addresses[i].family == family)
			return true;
	return false;
}

/* The lowest address is the network itself, the highest one of IPv4 all of its hosts. */
bool network_address_holds(
		const struct network_address *network, enum fw_family family, const uint8_t *bytes)
{
	size_t size = fw_address_size(family);
	if (family != network->family || !is_in(&network->block, bytes, size))
		return false;
	bool has_ends = network->prefix < 8 * (int)size - 1;
	return !has_ends || (memcmp(bytes, network->block.first, size) != 0 &&
					    (family == FW_IPV6 || memcmp(bytes, network->block.last,
										  size) != 0));
}

/* ---- from the config ---- */

struct build_network {
	const struct host *host;
	const struct network_conf *conf;
	struct network *network;
	struct report *report;
	bool failed;
};

/* @i: of a list at @key, or -1 */
static void fail(struct build_network *b, const char *key, int i, const char *format, ...)
		PRINTF(4, 5);

static void fail(struct build_network *b, const char *key, int i, const char *format, ...)
{
	CLEANUP(buf_done) struct buf at = {};
	buf_puts(&at, "/network");
	jpointer_push(&at, b->conf->name);
	if (key[0])
		jpointer_push(&at, key);
	if (i >= 0)
		jpointer_push_index(&at, (size_t)i);
	va_list ap;
	va_start(ap, format);
	CLEANUP(freep) char *text = xvasprintf(format, ap);
	va_end(ap);
	host_report(b->host, b->report, SEVERITY_ERROR, buf_text(&at), "%s", text);
	b->failed = true;
}

static const char *mode_name(const struct build_network *b)
{
	return network_mode_names[b->conf->mode];
}

/* What belongs to bridges that the host has anyway, or to other modes. */
static void check_keys(struct build_network *b)
{
	const struct network_conf *c = b->conf;
	const struct {
		const char *key;
		bool is_there;
	} rows[] = {
		{ "up", c->up && c->up[0] },
		{ "down", c->down && c->down[0] },
		{ "vlan", c->vlan },
		{ "vlans", c->vlans.n },
		{ "forward", c->forward.n && c->mode == NETWORK_ISOLATED },
		{ "virtual-functions", c->virtual_functions },
		{ "spoof-check", !c->spoof_check },
		{ "trust", c->trust },
		{ "macvtap-mode", c->macvtap_mode >= 0 },
		{ "socket", c->socket && c->socket[0] },
		{ "backend", c->backend >= 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].is_there)
			fail(b, rows[i].key, -1, "a network of \"mode\": \"%s\" can't have \"%s\"",
					mode_name(b), rows[i].key);
}

/* The kernel has settings of the first two, and an interface that is the third. */
static bool is_taken_name(const char *bridge)
{
	return !strcmp(bridge, "all") || !strcmp(bridge, "default") || !strcmp(bridge, "lo");
}

static void build_name(struct build_network *b)
{
	struct network *n = b->network;
	const char *expected;
	n->name = arena_strdup(&n->arena, b->conf->name);
	if (!form_firewall_name(n->name, &expected))
		fail(b, "", -1,
				"a network of \"mode\": \"%s\" has a unit of its own, so that its "
				"name has to be %s",
				mode_name(b), expected);
	if (!b->conf->device || !b->conf->device[0]) {
		fail(b, "device", -1,
				"a network of \"mode\": \"%s\" needs \"device\", the name of the "
				"bridge that it makes",
				mode_name(b));
		return;
	}
	n->bridge = arena_strdup(&n->arena, b->conf->device);
	if (!form_firewall_name(n->bridge, &expected))
		fail(b, "device", -1,
				"a bridge that this program makes is called by a letter or digit, "
				"then up to 14 letters, digits, '_' or '-'");
	else if (is_taken_name(n->bridge))
		fail(b, "device", -1, "a bridge can't be called '%s': that name is the kernel's",
				n->bridge);
}

char *network_mac(const char *name)
{
	static const char domain[] = "machina network ";
	CLEANUP(freep) char *text = xasprintf("%s%s", domain, name);
	uint8_t digest[28];
	sha3_224(text, strlen(text), digest);
	/* Of one interface, given by its user (IEEE 802). */
	return xasprintf("02:%02x:%02x:%02x:%02x:%02x", digest[0], digest[1], digest[2], digest[3],
			digest[4]);
}

static void check_address(struct build_network *b, const struct network_address *a, int at)
{
	const char *special = fw_address_special(a->family, a->bytes);
	if (special)
		fail(b, "address", at, "%s stands for %s: no network can have it", a->ip, special);
	/* The kernel has no IPv6 on such a link (RFC 8200, 5). */
	if (a->family == FW_IPV6 && b->conf->mtu && b->conf->mtu < IPV6_MTU_MIN)
		fail(b, "mtu", -1, "IPv6 (%s) needs an \"mtu\" of %d or more", a->ip, IPV6_MTU_MIN);
}

static void build_addresses(struct build_network *b)
{
	struct network *n = b->network;
	const struct jstrings *texts = &b->conf->address;
	n->addresses = arena_array(&n->arena, texts->n, sizeof(*n->addresses));
	for (size_t i = 0; i < texts->n; i++) {
		struct network_address a;
		/* One address may be written without a list. */
		int at = texts->n == 1 ? -1 : (int)i;
		network_address_read(texts->items[i], &n->arena, &a);
		if (!network_address_holds(&a, a.family, a.bytes)) {
			fail(b, "address", at,
					"%s is no address that a host can have in its network",
					texts->items[i]);
			continue;
		}
		check_address(b, &a, at);
		for (size_t k = 0; k < n->n_addresses; k++)
			if (n->addresses[k].family == a.family &&
					(is_in(&a.block, n->addresses[k].block.first,
							 fw_address_size(a.family)) ||
							is_in(&n->addresses[k].block, a.block.first,
									fw_address_size(a.family))))
				fail(b, "address", at,
						"%s overlaps with another of its addresses, %s",
						texts->items[i], n->addresses[k].ip);
		n->addresses[n->n_addresses++] = a;
	}
	if (!texts->n && n->mode != NETWORK_ISOLATED)
		fail(b, "address", -1, "a network of \"mode\": \"%s\" needs \"address\"",
				mode_name(b));
}

/* The network that an address is in; NULL: none, or no guest can have it there. */
static const struct network_address *network_of(
		const struct network *n, enum fw_family family, const uint8_t *bytes)
{
	for (size_t i = 0; i < n->n_addresses; i++)
		if (network_address_holds(&n->addresses[i], family, bytes) &&
				memcmp(bytes, n->addresses[i].bytes, fw_address_size(family)) != 0)
			return &n->addresses[i];
	return NULL;
}

static void build_range(struct build_network *b, const char *text)
{
	struct network *n = b->network;
	struct fw_range range;
	enum fw_family family;
	struct error err = {};
	if (!strcmp(text, "static"))
		return;
	int r = fw_range_parse(text, &range, &family, &err);
	if (r < 0) {
		fail(b, "dhcp", -1, "%s", err.text);
		return;
	}
	const struct network_address *first = network_of(n, family, range.first),
				     *last = network_of(n, family, range.last);
	if (!first || first != last)
		fail(b, "dhcp", -1,
				"not all of %s are addresses of guests in one network of "
				"\"address\"",
				text);
	else if (is_in(&range, first->bytes, 4))
		fail(b, "dhcp", -1, "%s has the host's own address %s in it", text, first->ip);
	const char *dash = strchr(text, '-');
	n->dhcp_first = arena_strndup(&n->arena, text, (size_t)(dash - text));
	n->dhcp_last = arena_strdup(&n->arena, dash + 1);
}

static void build_dhcp(struct build_network *b)
{
	struct network *n = b->network;
	const struct dhcp_conf *c = &b->conf->dhcp;
	const char *range = c->range;
	uint64_t usec = 0;
	n->dhcp = range != NULL;
	if (b->conf->domain && b->conf->domain[0]) {
		n->domain = arena_strdup(&n->arena, b->conf->domain);
		if (!n->dhcp)
			fail(b, "domain", -1, "a network with \"domain\" needs \"dhcp\"");
	}
	if (!range)
		return;
	n->lease_seconds = LEASE_SECONDS;
	if (c->lease && c->lease[0] && parse_span(c->lease, &usec) == 0)
		n->lease_seconds = (int64_t)(usec / 1000000);
	if (!b->conf->address.n)
		fail(b, "dhcp", -1, "a network with \"dhcp\" needs \"address\"");
	else
		build_range(b, range);
	for (size_t i = 0; i < n->n_addresses; i++)
		if (n->addresses[i].family == FW_IPV6 && n->addresses[i].prefix != SLAAC_PREFIX)
			fail(b, "address", -1,
					"guests make up IPv6 addresses by themselves with a prefix "
					"of %d bits only, not as in %s/%d; without \"dhcp\" it may "
					"have any",
					SLAAC_PREFIX, n->addresses[i].ip, n->addresses[i].prefix);
}

bool network_forward_is_any(const char *address)
{
	static const uint8_t unspecified[16];
	struct fw_range range;
	enum fw_family family;
	return !address || !address[0] ||
	       (fw_address_read(address, &range, &family) &&
			       !memcmp(range.first, unspecified, sizeof(unspecified)));
}

static void build_forward(struct build_network *b, const struct forward_conf *c, size_t i)
{
	struct network *n = b->network;
	struct network_forward *f = &n->forwards[n->n_forwards++];
	struct fw_range to, address;
	enum fw_family family, of_address;
	*f = (struct network_forward){
		.protocol = c->protocol < 0 ? FORWARD_TCP : (enum forward_protocol)c->protocol,
		.port = (int)c->port,
		.to_port = (int)(c->to_port ? c->to_port : c->port),
		.to = c->to && c->to[0] ? arena_strdup(&n->arena, c->to) : NULL,
		.address = network_forward_is_any(c->address) ? NULL
							      : arena_strdup(&n->arena, c->address),
	};
	if (!f->to || !fw_address_read(f->to, &to, &family)) {
		fail(b, "forward", (int)i,
				"a port that leads to a guest needs \"to\", its address");
		return;
	}
	if (!network_of(n, family, to.first))
		fail(b, "forward", (int)i, "%s is no address of a guest in this network", f->to);
	/* Also one that stands for all. */
	if (c->address && c->address[0] &&
			(!fw_address_read(c->address, &address, &of_address) ||
					of_address != family))
		fail(b, "forward", (int)i, "%s and %s are of two families", c->address, f->to);
	else if (f->address && fw_address_special(of_address, address.first))
		fail(b, "forward", (int)i,
				"%s stands for %s: no port there can lead to a guest; name another "
				"address of the host, or none",
				f->address, fw_address_special(of_address, address.first));
}

static void build_forwards(struct build_network *b)
{
	struct network *n = b->network;
	const struct forward_conf *items = b->conf->forward.items;
	n->forwards = arena_array(&n->arena, b->conf->forward.n, sizeof(*n->forwards));
	for (size_t i = 0; i < b->conf->forward.n; i++)
		build_forward(b, &items[i], i);
}

int network_build(const struct host *host, const struct network_conf *conf, struct network *ret,
		struct report *report)
{
	struct build_network b = { .host = host, .conf = conf, .network = ret, .report = report };
	*ret = (struct network){
		.mode = (enum network_mode)conf->mode,
		.mtu = conf->mtu,
		.isolate = conf->isolate,
		.host_access = conf->host_access,
	};
	check_keys(&b);
	build_name(&b);
	CLEANUP(freep) char *mac = network_mac(ret->name);
	ret->mac = arena_strdup(&ret->arena, mac);
	build_addresses(&b);
	build_dhcp(&b);
	if (conf->mode != NETWORK_ISOLATED)
		build_forwards(&b);
	return b.failed ? 1 : 0;
}

/* ---- leases ---- */

/* A machine's name as a label of a domain name (RFC 1123); NULL: it can be none. */
static char *host_name_of(struct arena *arena, const char *machine)
{
	char *name = arena_strdup(arena, machine);
	for (char *c = name; *c; c++)
		*c = *c == '_' || *c == '.' ? '-' : (char)tolower((unsigned char)*c);
	size_t len = strlen(name);
	while (len > 0 && name[len - 1] == '-')
		name[--len] = '\0';
	return len ? name : NULL;
}

static bool has_host(const struct network *n, const char *host)
{
	for (size_t i = 0; i < n->n_leases; i++)
		if (n->leases[i].host && !strcmp(n->leases[i].host, host))
			return true;
	return false;
}

static bool has_ip(const struct network *n, const char *ip)
{
	for (size_t i = 0; i < n->n_leases; i++)
		for (size_t k = 0; k < n->leases[i].ip.n; k++)
			if (!strcmp(n->leases[i].ip.items[k], ip))
				return true;
	return false;
}

/* "MACHINE MAC [IP]...". Of two that would have one name or address the first one has it. */
static void add_lease(struct network *n, char *words)
{
	struct network_lease lease = {};
	char *machine = strsep(&words, " ");
	lease.mac = arena_strdup(&n->arena, strsep(&words, " "));
	const char *host = host_name_of(&n->arena, machine);
	lease.host = host && !has_host(n, host) ? host : NULL;
	const char **ip = arena_array(&n->arena, words ? strlen(words) : 0, sizeof(*ip));
	for (char *word; words && (word = strsep(&words, " ")) != NULL;) {
		struct network_address a;
		CLEANUP(freep) char *text = xasprintf("%s/0", word);
		network_address_read(text, &n->arena, &a);
		if (a.ip && network_of(n, a.family, a.bytes) && !has_ip(n, a.ip))
			ip[lease.ip.n++] = a.ip;
	}
	lease.ip.items = ip;
	n->leases[n->n_leases++] = lease;
}

void network_add_leases(struct network *network, const struct leases *leases)
{
	size_t len = strlen(network->name);
	network->leases = arena_array(&network->arena, leases->items.n, sizeof(*network->leases));
	for (size_t i = 0; i < leases->items.n; i++) {
		const char *item = leases->items.items[i];
		if (strncmp(item, network->name, len) != 0 || item[len] != ' ')
			continue;
		CLEANUP(freep) char *words = xstrdup(item + len + 1);
		add_lease(network, words);
	}
}
