/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's side of a network with a bridge of its own. */
#include "host/net/network.h"

#include <string.h>
#include <sys/stat.h>

#include "host/net/bridge.h"
#include "host/net/forwarding.h"
#include "host/net/net-rules.h"
#include "host/net/route.h"
#include "host/os/clock.h"
#include "host/os/lock.h"
#include "host/os/netns.h"
#include "model/dnsmasq.h"
#include "util/file.h"
#include "util/mem.h"

/* What the steps of one run share. */
struct context {
	const struct network *network;
	const char *run_dir;
	struct netns outside;
	struct netlink links, rules;
	char *port; /* IFNAMSIZ bytes: of a machine, for which the bridge stays */
};

static void context_done(struct context *c)
{
	netlink_done(&c->links);
	netlink_done(&c->rules);
	netns_done(&c->outside);
}

static bool is_routed(const struct network *network)
{
	return network->mode == NETWORK_NAT || network->mode == NETWORK_ROUTED;
}

/* ---- steps ---- */

static int write_file(const struct context *c, const char *name, const struct buf *text,
		struct error *err)
{
	CLEANUP(freep) char *path = path_join(c->run_dir, name);
	CLEANUP(buf_done) struct buf old = {};
	struct error ignored = {};
	/* dnsmasq, which runs as another user, has to read it. */
	if (file_read(path, (size_t)16 << 20, &old, &ignored) == 0 && old.len == text->len &&
			!memcmp(buf_text(&old), buf_text(text), text->len))
		return 0;
	return file_replace(path, buf_text(text), text->len, 0644, err);
}

static int run_files(struct context *c, struct error *err)
{
	CLEANUP(buf_done) struct buf hosts = {}, names = {};
	int r = mkdir_all(c->run_dir, 0755, err);
	if (r < 0 || !c->network->dhcp)
		return r;
	dnsmasq_hosts(c->network, &hosts);
	dnsmasq_names(c->network, &names);
	r = write_file(c, DNSMASQ_HOSTS, &hosts, err);
	return r < 0 ? r : write_file(c, DNSMASQ_NAMES, &names, err);
}

static int undo_files(struct context *c, struct error *err)
{
	int r = remove_tree(c->run_dir, err);
	return r < 0 ? r : 0;
}

static int run_forwarding(struct context *c, struct error *err)
{
	int r = 0;
	for (int family = 0; r == 0 && family < N_FW_FAMILIES; family++)
		if (is_routed(c->network) && network_has_family(c->network, (enum fw_family)family))
			r = forwarding_enable((enum fw_family)family, err);
	return r;
}

static int run_rules(struct context *c, struct error *err)
{
	return net_rules_install(&c->rules, c->network, err);
}

static int undo_rules(struct context *c, struct error *err)
{
	return net_rules_remove(&c->rules, c->network->name, c->network->bridge, err);
}

static int run_bridge(struct context *c, struct error *err)
{
	return bridge_make(&c->links, c->network, err);
}

static int undo_bridge(struct context *c, struct error *err)
{
	int r = bridge_remove(&c->links, c->network, c->port, err);
	return r < 0 ? r : 0;
}

static void text_files(const struct network *n, const char *run_dir, struct buf *ret)
{
	buf_printf(ret, "write the names and addresses of %zu connections to '%s'", n->n_leases,
			run_dir);
}

static void text_undo_files(const struct network *n, const char *run_dir, struct buf *ret)
{
	(void)n;
	buf_printf(ret, "remove directory '%s'", run_dir);
}

static void text_forwarding(const struct network *n, const char *run_dir, struct buf *ret)
{
	static const char *const settings[] = {
		[FW_IPV4] = "net.ipv4.ip_forward", [FW_IPV6] = "net.ipv6.conf.all.forwarding"
	};
	(void)run_dir;
	for (int family = 0; is_routed(n) && family < N_FW_FAMILIES; family++)
		if (network_has_family(n, (enum fw_family)family))
			buf_printf(ret, "%s%s", ret->len ? " and " : "set ", settings[family]);
	if (ret->len)
		buf_puts(ret, " to 1, for good");
}

static void text_rules(const struct network *n, const char *run_dir, struct buf *ret)
{
	(void)run_dir;
	buf_printf(ret, "install the packet filter of network '%s'", n->name);
	if (n->mode == NETWORK_NAT)
		buf_puts(ret, ", and have its guests speak as the host");
	if (n->n_forwards)
		buf_printf(ret, ", with %zu forwarded ports", n->n_forwards);
}

static void text_undo_rules(const struct network *n, const char *run_dir, struct buf *ret)
{
	(void)run_dir;
	buf_printf(ret, "remove the packet filter of network '%s'", n->name);
}

static void text_bridge(const struct network *n, const char *run_dir, struct buf *ret)
{
	(void)run_dir;
	buf_printf(ret, "make bridge '%s'", n->bridge);
	for (size_t i = 0; i < n->n_addresses; i++)
		buf_printf(ret, "%s %s/%d", i ? "," : " with", n->addresses[i].ip,
				n->addresses[i].prefix);
}

static void text_undo_bridge(const struct network *n, const char *run_dir, struct buf *ret)
{
	(void)run_dir;
	buf_printf(ret, "delete the bridge of network '%s' if no machine is connected", n->name);
}

/* In the order in which they are done: the filter is there before there is anything to filter. */
static const struct {
	int (*run)(struct context *c, struct error *err);
	int (*undo)(struct context *c, struct error *err); /* NULL: it stays */
	/* No text: there is nothing to do. */
	void (*describe)(const struct network *n, const char *run_dir, struct buf *ret);
	void (*describe_undo)(const struct network *n, const char *run_dir, struct buf *ret);
	bool is_refreshed;
} steps[] = {
	{ run_files, undo_files, text_files, text_undo_files, true },
	{ run_forwarding, NULL, text_forwarding, NULL, true },
	{ run_rules, undo_rules, text_rules, text_undo_rules, true },
	{ run_bridge, undo_bridge, text_bridge, text_undo_bridge, false },
};

/* ---- runs ---- */

/* In the host's network, both kinds of netlink. */
static int open_sockets(struct context *c, const struct network_options *options, struct error *err)
{
	int r = netns_enter(options->netns ? options->netns : NETNS_HOST, &c->outside, err);
	if (r == 0)
		r = netlink_open(&c->links, err);
	return r < 0 ? r : nft_open(&c->rules, err);
}

/* The lock, with its directory, and the sockets. */
static int begin(struct context *c, const struct network_options *options, struct lock *lock,
		struct error *err)
{
	CLEANUP(freep)
	char *parent = xstrndup(c->run_dir, (size_t)(strrchr(c->run_dir, '/') - c->run_dir));
	CLEANUP(freep) char *path = xasprintf("%s/.%s.lock", parent, c->network->name);
	int r = mkdir_all(parent, 0755, err);
	if (r == 0)
		r = lock_take(path, clock_deadline_usec(LOCK_WAIT_USEC), lock, err);
	return r < 0 ? r : open_sockets(c, options, err);
}

/* Nothing where there is nothing to do. */
static void describe(const struct network *network, const char *run_dir, size_t i, bool undo,
		struct buf *ret)
{
	if (!undo)
		steps[i].describe(network, run_dir, ret);
	else if (steps[i].undo)
		steps[i].describe_undo(network, run_dir, ret);
}

static void tell(
		const struct context *c, const struct network_options *options, size_t i, bool undo)
{
	CLEANUP(buf_done) struct buf line = {};
	describe(c->network, c->run_dir, i, undo, &line);
	if (line.len && options->on_step)
		options->on_step(options->data, buf_text(&line));
}

/* It may be a bridge of ours: of a network that was renamed, for one. */
static int refuse_route(struct context *c, const struct network_address *address, const char *name,
		struct error *err)
{
	struct link link = {};
	const char *other = netlink_get(&c->links, name, &link, NULL) == 0
					    ? bridge_network_of(&link)
					    : NULL;
	if (!other)
		return error_set(err, EADDRINUSE,
				"the host reaches the network of '%s/%d' over interface '%s' "
				"already, and would not any more: choose another 'address' ('ip "
				"route' shows what is taken)",
				address->ip, address->prefix, name);
	CLEANUP(freep) char *unit = network_unit_name(other);
	return error_set(err, EADDRINUSE,
			"'%s', the bridge of network '%s', leads to the network of '%s/%d' "
			"already; choose another 'address', or if that network goes, stop its "
			"machines, then 'systemctl stop %s' and 'machina teardown --network %s'",
			name, other, address->ip, address->prefix, unit, other);
}

/* A network that is up stays up, whatever has come beside it. */
static int check_routes(struct context *c, struct error *err)
{
	const struct network *network = c->network;
	char link[IFNAMSIZ];
	int r = bridge_find(&c->links, network->name, network->bridge, err);
	bool is_up = r == 0;
	for (size_t i = 0; r >= 0 && !is_up && i < network->n_addresses; i++) {
		const struct network_address *address = &network->addresses[i];
		r = route_find(&c->links, address, link, err);
		if (r == 1)
			return refuse_route(c, address, link, err);
	}
	return r < 0 ? r : 0;
}

/* The bridge first: when it stays, so does all that its guests need. */
static int undo_all(
		struct context *c, const struct network_options *options, struct strv *ret_failures)
{
	int first = 0;
	for (size_t i = ARRAY_SIZE(steps); i-- > 0 && !c->port[0];) {
		struct error err = {};
		if (!steps[i].undo)
			continue;
		tell(c, options, i, true);
		int r = steps[i].undo(c, &err);
		if (r >= 0)
			continue;
		strv_push(ret_failures, err.text);
		if (first == 0)
			first = r;
	}
	return first;
}

static int run(const struct network *network, const struct network_options *options,
		bool only_refreshed, struct error *err)
{
	char port[IFNAMSIZ] = "";
	CLEANUP(lock_done) struct lock lock = {};
	CLEANUP(context_done)
	struct context c = { .network = network, .run_dir = options->run_dir, .port = port };
	int r = begin(&c, options, &lock, err);
	/* Before the filter: of two networks with one bridge nftables would know just that. */
	if (r == 0 && !only_refreshed)
		r = bridge_check(&c.links, network, err);
	if (r == 0 && !only_refreshed)
		r = check_routes(&c, err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(steps); i++) {
		if (only_refreshed && !steps[i].is_refreshed)
			continue;
		tell(&c, options, i, false);
		r = steps[i].run(&c, err);
		CLEANUP(strv_done) struct strv ignored = {};
		if (r < 0 && !only_refreshed)
			(void)undo_all(&c, options, &ignored);
	}
	return r < 0 ? error_wrap(err, "network '%s'", network->name) : 0;
}

int network_prepare(const struct network *network, const struct network_options *options,
		struct error *err)
{
	return run(network, options, false, err);
}

int network_check(const struct network *network, const struct network_options *options, bool is_up,
		struct error *err)
{
	CLEANUP(context_done) struct context c = { .network = network };
	int r = open_sockets(&c, options, err);
	if (r == 0)
		r = bridge_check(&c.links, network, err);
	if (r == 0 && !is_up)
		r = check_routes(&c, err);
	if (r < 0)
		return error_wrap(err, "network '%s'", network->name);
	r = is_up ? bridge_find(&c.links, network->name, network->bridge, err) : 0;
	return r > 0 ? bridge_refuse_missing(network->name, network->bridge, err) : r;
}

int network_refresh(const struct network *network, const struct network_options *options,
		struct error *err)
{
	return run(network, options, true, err);
}

int network_restore_rules(const struct network *network, const struct network_options *options,
		struct buf *ret_text, struct error *err)
{
	CLEANUP(lock_done) struct lock lock = {};
	CLEANUP(context_done)
	struct context c = { .network = network, .run_dir = options->run_dir };
	int r = begin(&c, options, &lock, err);
	if (r == 0)
		r = bridge_find(&c.links, network->name, network->bridge, err);
	if (r == 0 && ret_text)
		net_rules_text(network, ret_text);
	else if (r == 0)
		r = run_rules(&c, err);
	return r < 0 ? error_wrap(err, "network '%s'", network->name) : r;
}

/* Without the lock: many machines of a network may start at once, and mostly nothing is found. */
static int find_changed(const struct network *network, const struct network_options *options,
		struct strv *ret_changed, struct error *err)
{
	CLEANUP(context_done) struct context c = { .network = network };
	int r = open_sockets(&c, options, err);
	return r < 0 ? r : net_rules_find_changed(&c.rules, &c.links, network, ret_changed, err);
}

int network_mend_rules(const struct network *network, const struct network_options *options,
		struct strv *ret_changed, struct error *err)
{
	CLEANUP(strv_done) struct strv changed = {};
	int r = find_changed(network, options, &changed, err);
	if (r < 0)
		return error_wrap(err, "network '%s'", network->name);
	if (!changed.n)
		return 0;
	strv_extend(ret_changed, &changed);
	return network_restore_rules(network, options, NULL, err);
}

int network_teardown(const struct network *network, const struct network_options *options,
		struct strv *ret_failures, char ret_port[16])
{
	CLEANUP(lock_done) struct lock lock = {};
	CLEANUP(context_done)
	struct context c = { .network = network, .run_dir = options->run_dir, .port = ret_port };
	struct error err = {};
	ret_port[0] = '\0';
	int r = begin(&c, options, &lock, &err);
	if (r < 0) {
		strv_push(ret_failures, err.text);
		return r;
	}
	return undo_all(&c, options, ret_failures);
}

static void push_line(const struct network *network, const char *run_dir, size_t i, bool undo,
		struct strv *ret_lines)
{
	CLEANUP(buf_done) struct buf line = {};
	describe(network, run_dir, i, undo, &line);
	if (line.len)
		strv_push(ret_lines, buf_text(&line));
}

void network_describe(const struct network *network, const char *run_dir, struct strv *ret_lines)
{
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		push_line(network, run_dir, i, false, ret_lines);
}

void network_describe_teardown(
		const struct network *network, const char *run_dir, struct strv *ret_lines)
{
	for (size_t i = ARRAY_SIZE(steps); i-- > 0;)
		push_line(network, run_dir, i, true, ret_lines);
}
