/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a connection's port on its bridge is set up. */
#include <inttypes.h>
#include <string.h>

#include "model/build.h"
#include "model/filter.h"
#include "model/network.h"
#include "model/plan.h"
#include "util/file.h"
#include "util/mem.h"

/* Sorted, each once. */
static void use_vlans(struct build *b, const struct jstrings *from, struct vm_nic *nic)
{
	struct fw_span *spans = arena_array(&b->vm->arena, from->n, sizeof(*spans));
	for (size_t i = 0; i < from->n; i++)
		spans[i] = fw_span_read(from->items[i]);
	size_t n_spans = fw_spans_merge(spans, from->n), n = 0;
	for (size_t i = 0; i < n_spans; i++)
		n += (size_t)(spans[i].last - spans[i].first) + 1;
	uint16_t *vlans = arena_array(&b->vm->arena, n, sizeof(*vlans));
	nic->vlans = vlans;
	for (size_t i = 0; i < n_spans; i++)
		for (unsigned vlan = spans[i].first; vlan <= spans[i].last; vlan++)
			vlans[nic->n_vlans++] = (uint16_t)vlan;
}

static bool has_vlan(const struct vm_nic *nic, int64_t vlan)
{
	for (size_t i = 0; i < nic->n_vlans; i++)
		if (nic->vlans[i] == vlan)
			return true;
	return false;
}

#define IN(mode) (1u << NETWORK_##mode)
#define IN_OWN_BRIDGE (IN(NAT) | IN(ROUTED) | IN(ISOLATED))
#define IN_BRIDGE (IN(BRIDGE) | IN_OWN_BRIDGE)
/* Networks of the Go program's form, which have no mode. */
#define IN_OLD (1u << 31)

/* A key that is set, and in which modes it does something. */
struct key_use {
	const char *key;
	bool is_set;
	unsigned modes;
};

static bool is_useless(const struct key_use *use, const struct network_conf *network)
{
	unsigned mode = network->mode < 0 ? IN_OLD : 1u << network->mode;
	return use->is_set && !(use->modes & mode);
}

/* "\"bridge\", \"nat\" or \"vf\"". The caller frees it. */
static char *modes_text(unsigned modes)
{
	CLEANUP(buf_done) struct buf text = {};
	modes &= ~IN_OLD;
	for (unsigned mode = 0; modes; mode++) {
		if (!(modes & (1u << mode)))
			continue;
		modes &= ~(1u << mode);
		const char *before = !text.len ? "" : modes ? ", " : " or ";
		buf_printf(&text, "%s\"%s\"", before, network_mode_names[mode]);
	}
	return buf_take(&text);
}

/* Keys that do nothing in a network of this mode. Networks with a bridge of their own are looked at
 * as a whole (model/network.h). */
static void check_network_keys(
		struct build *b, const struct network_conf *n, const struct vm_nic *nic)
{
	const struct key_use rows[] = {
		{ "up", nic->up, IN(BRIDGE) | IN_OLD },
		{ "down", nic->down, IN(BRIDGE) | IN_OLD },
		{ "vlan", n->vlan, IN(BRIDGE) | IN(VF) },
		{ "vlans", n->vlans.n, IN(BRIDGE) },
		{ "isolate", n->isolate, IN_BRIDGE },
		{ "backend", n->backend >= 0, IN(USER) },
		{ "forward", n->forward.n, IN(NAT) | IN(ROUTED) | IN(USER) },
		{ "address", n->address.n, IN_OWN_BRIDGE },
		{ "dhcp", n->dhcp.range, IN_OWN_BRIDGE },
		{ "domain", n->domain && n->domain[0], IN_OWN_BRIDGE },
		{ "host-access", n->host_access, IN_OWN_BRIDGE },
		{ "mtu", n->mtu, IN_BRIDGE | IN(MACVTAP) | IN_OLD },
		{ "virtual-functions", n->virtual_functions, IN(VF) },
		{ "spoof-check", !n->spoof_check, IN(VF) },
		{ "trust", n->trust, IN(VF) },
		{ "macvtap-mode", n->macvtap_mode >= 0, IN(MACVTAP) },
		{ "socket", n->socket && n->socket[0], IN(VHOST_USER) },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!is_useless(&rows[i], n))
			continue;
		CLEANUP(freep) char *modes = modes_text(rows[i].modes);
		CLEANUP(freep)
		char *text = xasprintf(
				"a network with \"%s\" needs \"mode\": %s", rows[i].key, modes);
		build_network_error(b, n, rows[i].key, text);
	}
}

static void check_connection_keys(struct build *b, const struct network_conf *network,
		const struct connection_conf *conf, const char *pointer)
{
	const struct key_use rows[] = {
		{ "vlan", conf->vlan, IN(BRIDGE) | IN(VF) },
		{ "vlans", conf->vlans.n, IN(BRIDGE) },
		{ "isolate", conf->isolate > 0, IN_BRIDGE },
		{ "mtu", conf->mtu, IN_BRIDGE | IN(MACVTAP) | IN_OLD },
		{ "queues", conf->queues > 1, IN_BRIDGE | IN(MACVTAP) | IN(VHOST_USER) | IN_OLD },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!is_useless(&rows[i], network))
			continue;
		CLEANUP(freep) char *modes = modes_text(rows[i].modes);
		CLEANUP(freep) char *at = xasprintf("%s/%s", pointer, rows[i].key);
		BUILD_ERROR(b, at, "\"%s\" needs a network of \"mode\": %s, and '%s' is none",
				rows[i].key, modes, network->name);
	}
}

/* Where it is written that a VLAN is to be both with and without a tag. */
static void check_both(struct build *b, const struct network_conf *network,
		const struct connection_conf *conf, const char *pointer, const struct vm_nic *nic)
{
	if (!nic->vlan || !has_vlan(nic, nic->vlan))
		return;
	CLEANUP(freep)
	char *text = xasprintf(
			"VLAN %u can't have tags: it is the \"vlan\" without them", nic->vlan);
	CLEANUP(freep) char *at = xasprintf("%s/vlans", pointer);
	if (conf->vlan || conf->vlans.n)
		BUILD_ERROR(b, at, "%s", text);
	else
		build_network_error(b, network, "vlans", text);
}

/* Addresses that the guest can't have on the network that gives them out. */
static void check_addresses(struct build *b, const struct network_conf *network,
		const struct connection_conf *conf, const char *pointer)
{
	struct network_address own = {};
	for (size_t i = 0; network->address.n && i < conf->ip.n; i++) {
		struct fw_range ip;
		enum fw_family family;
		bool is_held = false, is_hosts = false;
		/* Others have been told of. */
		if (!fw_address_read(conf->ip.items[i], &ip, &family))
			continue;
		for (size_t k = 0; k < network->address.n; k++) {
			network_address_read(network->address.items[k], &b->vm->arena, &own);
			is_held |= network_address_holds(&own, family, ip.first);
			is_hosts |= own.family == family &&
				    !memcmp(ip.first, own.bytes, fw_address_size(family));
		}
		CLEANUP(freep)
		char *at = conf->ip.n == 1 ? xasprintf("%s/ip", pointer)
					   : xasprintf("%s/ip/%zu", pointer, i);
		if (is_hosts)
			BUILD_ERROR(b, at, "%s is the host's own address on network '%s'",
					conf->ip.items[i], network->name);
		else if (!is_held)
			BUILD_ERROR(b, at, "%s is no address of network '%s' (%s%s)",
					conf->ip.items[i], network->name, network->address.items[0],
					network->address.n > 1 ? ", ..." : "");
	}
}

static void use_macvtap(struct build *b, const struct network_conf *network, struct vm_nic *nic)
{
	nic->device = build_text(b, network->device);
	nic->macvtap_mode = network->macvtap_mode < 0 ? MACVTAP_BRIDGE
						      : (enum macvtap_mode)network->macvtap_mode;
	nic->vhost = network->vhost;
	if (!nic->device[0])
		build_network_error(b, network, "device",
				"a network of \"mode\": \"macvtap\" needs \"device\": the "
				"interface of the host that its guests share");
}

/* What QEMU can't see in its unit: PrivateTmp=, ProtectHome=. */
static bool is_hidden(const char *path)
{
	static const char *const places[] = { "/tmp/", "/var/tmp/", "/home/", "/root/",
		"/run/user/" };
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (!strncmp(path, places[i], strlen(places[i])))
			return true;
	return false;
}

static void check_own_socket(struct build *b, const char *pointer, const struct vm_nic *nic)
{
	CLEANUP(freep) char *path = plan_net_path("/run/machina-qemu", b->vm->name, nic->name);
	if (strchr(nic->name, '/'))
		BUILD_ERROR(b, pointer,
				"connection '%s': its socket is called after it, and so can't have "
				"a '/' in its name",
				nic->name);
	else if (strlen(path) > SOCKET_PATH_MAX)
		BUILD_ERROR(b, pointer,
				"connection '%s': together with the machine's, the name is too "
				"long for the path of a socket",
				nic->name);
}

static void use_vhost_user(struct build *b, const struct network_conf *network, const char *pointer,
		struct vm_nic *nic)
{
	struct vars vars = build_port_vars(b);
	struct var *rows = arena_array(&b->vm->arena, vars.n + 1, sizeof(*rows));
	CLEANUP(buf_done) struct buf text = {};
	struct error err = {};
	/* The switch reads and writes the guest's packets where they are. */
	b->vm->memory.shared = true;
	if (!b->vm->memory.shared_for)
		b->vm->memory.shared_for = arena_printf(
				&b->vm->arena, "connection '%s' (vhost-user)", nic->name);
	if (!network->socket || !network->socket[0]) {
		check_own_socket(b, pointer, nic);
		return;
	}
	rows[0] = (struct var){ "connection", nic->name };
	memcpy(rows + 1, vars.rows, vars.n * sizeof(*rows));
	if (vars_expand(&(struct vars){ rows, vars.n + 1 }, network->socket, &text, &err) < 0) {
		if (machine_is_flawed(b->machine, "/vars"))
			report_withhold(b->report, SEVERITY_ERROR);
		else
			build_network_error(b, network, "socket", err.text);
		return;
	}
	CLEANUP(freep) char *path = path_clean(buf_text(&text));
	CLEANUP(freep)
	char *message = xasprintf("'%s' is no path that QEMU can use: it begins with '/', has at "
				  "most %zu bytes and is not below /tmp, /var/tmp, /home, /root or "
				  "/run/user, which are hidden from the unit",
			path, SOCKET_PATH_MAX);
	if (path[0] != '/' || strlen(path) > SOCKET_PATH_MAX || is_hidden(path))
		build_network_error(b, network, "socket", message);
	nic->socket = build_text(b, path);
}

void build_nic_port(struct build *b, const struct network_conf *network,
		const struct connection_conf *conf, const char *pointer, struct vm_nic *nic)
{
	bool owns_bridge = network_owns_bridge(network->mode);
	nic->managed = network->mode >= 0;
	nic->mtu = conf->mtu ? conf->mtu : network->mtu;
	if (!owns_bridge)
		check_network_keys(b, network, nic);
	else
		check_addresses(b, network, conf, pointer);
	check_connection_keys(b, network, conf, pointer);
	if (nic->mode == NETWORK_VF)
		nic->vlan = (uint16_t)(conf->vlan ? conf->vlan : network->vlan);
	if (nic->mode == NETWORK_MACVTAP)
		use_macvtap(b, network, nic);
	if (nic->mode == NETWORK_VHOST_USER)
		use_vhost_user(b, network, pointer, nic);
	if (!nic->managed || !network_has_bridge(nic->mode))
		return;
	nic->isolate = conf->isolate < 0 ? network->isolate : conf->isolate;
	nic->vhost = network->vhost;
	if (owns_bridge)
		return;
	bool own = conf->vlan || conf->vlans.n;
	nic->vlan = (uint16_t)(own ? conf->vlan : network->vlan);
	use_vlans(b, own ? &conf->vlans : &network->vlans, nic);
	check_both(b, network, conf, pointer, nic);
}
