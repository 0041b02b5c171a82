/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Networks that the host makes: is what their units have set up still so, do other programs let
 * their guests through, is anything left of those that are no more?
 */
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config/network.h"
#include "host/doctor/doctor-forward.h"
#include "host/doctor/doctor-lease.h"
#include "host/doctor/doctor.h"
#include "host/net/bridge.h"
#include "host/net/net-rules.h"
#include "host/net/netlink-talk.h"
#include "host/net/route.h"
#include "host/os/sysfs.h"
#include "host/systemd/bus-unit.h"
#include "model/network.h"
#include "util/file.h"
#include "util/mem.h"

#define FIREWALLD "firewalld"

/* Bridges that are there. */
struct scene {
	struct link *links;
	size_t n;
	struct netlink nl;
	struct netlink rules; /* to nftables; not open for others than root */
	struct strv ruled;    /* networks with rules, sorted */
	bool has_rules;	      /* they could be listed */
	/* Networks whose units are up, or have failed, as far as systemd tells. */
	struct strv active, failed;
};

static void scene_done(struct scene *scene)
{
	free(scene->links);
	netlink_done(&scene->nl);
	netlink_done(&scene->rules);
	strv_done(&scene->ruled);
	strv_done(&scene->active);
	strv_done(&scene->failed);
}

static bool is_own(const struct network_conf *conf)
{
	return network_owns_bridge(conf->mode) && conf->device;
}

static const struct network_conf *find_network(const struct doctor *d, const char *name)
{
	const struct network_conf *confs = d->host->network.items;
	for (size_t i = 0; i < d->host->network.n; i++)
		if (!strcmp(confs[i].name, name) && is_own(&confs[i]))
			return &confs[i];
	return NULL;
}

static const struct link *find_bridge(const struct scene *scene, const char *network)
{
	CLEANUP(freep) char *alias = bridge_alias(network);
	for (size_t i = 0; i < scene->n; i++)
		if (!strcmp(scene->links[i].alias, alias) &&
				!strcmp(scene->links[i].kind, "bridge"))
			return &scene->links[i];
	return NULL;
}

static void find_users(const struct doctor *d, const char *network, struct doctor_group *ret)
{
	for (size_t i = 0; i < d->n_machines; i++) {
		const struct vm *vm = d->machines[i].vm;
		for (size_t k = 0; k < vm->n_nics; k++)
			if (!strcmp(vm->nics[k].network, network))
				doctor_group_add(ret, &d->machines[i]);
	}
}

/* "guests of network 'home' ...: machines 'a', 'b'" */
static void tell_why(struct doctor *d, const struct network_conf *conf, const char *what)
{
	CLEANUP(doctor_group_done) struct doctor_group users = {};
	find_users(d, conf->name, &users);
	if (users.names.n)
		doctor_why(d, "guests of network '%s' %s: %s", conf->name, what,
				doctor_machines(d, &users.names));
	else
		doctor_why(d, "guests of network '%s' %s", conf->name, what);
}

/* ---- DHCP ---- */

static void check_dnsmasq(struct doctor *d)
{
	CLEANUP(doctor_group_done) struct doctor_group users = {};
	CLEANUP(strv_done) struct strv networks = {};
	const struct network_conf *confs = d->host->network.items;
	for (size_t i = 0; i < d->host->network.n; i++) {
		if (!is_own(&confs[i]) || !confs[i].dhcp.range)
			continue;
		strv_push(&networks, confs[i].name);
		find_users(d, confs[i].name, &users);
	}
	if (!networks.n || access(d->dnsmasq, X_OK) == 0)
		return;
	bool is_there = errno != ENOENT;
	doctor_add(d, doctor_level_of(users.urgent), "%s'%s'%s%s",
			is_there ? "cannot execute " : "", d->dnsmasq,
			is_there ? ": " : " does not exist", is_there ? strerror(errno) : "");
	doctor_why(d, "network%s %s with \"dhcp\" cannot start%s%s", networks.n == 1 ? "" : "s",
			doctor_names(d, &networks), users.names.n ? ", nor can " : "",
			users.names.n ? doctor_machines(d, &users.names) : "");
	doctor_cure(d, "apt-get install %sdnsmasq-base", is_there ? "--reinstall " : "");
}

/* ---- the bridge ---- */

static void check_bridge_up(
		struct doctor *d, const struct network_conf *conf, const struct link *bridge)
{
	if (bridge->up || strcmp(bridge->name, conf->device) != 0)
		return;
	doctor_add(d, DOCTOR_FAULT, "bridge '%s' is down", bridge->name);
	tell_why(d, conf, "reach nobody");
	doctor_cure(d, "ip link set %s up", doctor_quote(d, bridge->name));
}

/* The unit is up, and has nothing to notice that by. */
static void tell_gone(struct doctor *d, const struct network_conf *conf)
{
	doctor_add(d, DOCTOR_FAULT, "network '%s' is up, and its bridge '%s' has gone", conf->name,
			conf->device);
	tell_why(d, conf, "reach nobody: something else has deleted the bridge");
	doctor_cure(d, "# ends the guests on it, and starts them again:");
	doctor_cure(d, "systemctl restart machina-network-%s.service", doctor_quote(d, conf->name));
	d->findings[d->n - 1].restarts = true;
}

/* Its start, or dnsmasq again and again. */
static void tell_failed(struct doctor *d, const struct network_conf *conf)
{
	CLEANUP(doctor_group_done) struct doctor_group users = {};
	CLEANUP(freep) char *unit = network_unit_name(conf->name);
	const char *word = doctor_quote(d, unit);
	find_users(d, conf->name, &users);
	doctor_add(d, doctor_level_of(users.urgent), "network '%s' has failed", conf->name);
	tell_why(d, conf, "start only if it does, and those that run may reach nobody");
	doctor_cure(d, "systemctl status %s", word);
	doctor_cure(d, "systemctl reset-failed %s && systemctl start %s", word, word);
}

/* ---- forwarding ---- */

static const struct {
	enum fw_family family;
	const char *dir, *key, *sysctl, *name;
} settings[] = {
	{ FW_IPV4, "net/ipv4", "ip_forward", "net.ipv4.ip_forward", "IPv4" },
	{ FW_IPV6, "net/ipv6/conf/all", "forwarding", "net.ipv6.conf.all.forwarding", "IPv6" },
};

static bool has_family(struct doctor *d, const struct network_conf *conf, enum fw_family family)
{
	for (size_t i = 0; i < conf->address.n; i++) {
		struct network_address address;
		network_address_read(conf->address.items[i], &d->arena, &address);
		if (address.ip && address.family == family)
			return true;
	}
	return false;
}

/* The unit has set it when it started: somebody has set it back. */
static void check_setting(struct doctor *d, const struct network_conf *conf)
{
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		CLEANUP(freep) char *dir = xasprintf("%s/sys/%s", d->proc, settings[i].dir);
		CLEANUP(buf_done) struct buf text = {};
		if (!has_family(d, conf, settings[i].family) ||
				sysfs_read(dir, settings[i].key, &text, NULL) < 0 ||
				strcmp(buf_text(&text), "0") != 0)
			continue;
		doctor_add(d, DOCTOR_FAULT, "the host does not forward %s: %s is 0",
				settings[i].name, settings[i].sysctl);
		tell_why(d, conf, "reach the host, and nothing beyond");
		doctor_cure(d, "sysctl -w %s=1", settings[i].sysctl);
		doctor_cure(d, "grep -rs %s /etc/sysctl.conf /etc/sysctl.d   # who sets it back?",
				settings[i].key);
	}
}

/* ---- firewalld ---- */

/* An interface of no zone is in the default zone, which is there to refuse what is forwarded. */
static void check_zone(struct doctor *d, struct scene *scene, const struct network_conf *conf)
{
	struct forward_table table = { NFPROTO_INET, FIREWALLD };
	if (!scene->has_rules ||
			forward_table_look(&scene->rules, &table, conf->device, NULL) < 0 ||
			!table.has_rules || table.is_about_it)
		return;
	const char *name = doctor_quote(d, conf->device);
	doctor_add(d, DOCTOR_WARNING, "firewalld has bridge '%s' in no zone", conf->device);
	tell_why(d, conf,
			"may reach the host, but nothing beyond: the default zone forwards "
			"nothing");
	doctor_cure(d, "firewall-cmd --permanent --zone=trusted --add-interface=%s", name);
	doctor_cure(d, "firewall-cmd --reload");
}

/* ---- what the host has already ---- */

static void tell_route(struct doctor *d, const struct network_conf *conf, bool is_up,
		const char *address, const char *link)
{
	CLEANUP(doctor_group_done) struct doctor_group users = {};
	CLEANUP(arena_done) struct arena arena = {};
	struct network_address parts;
	find_users(d, conf->name, &users);
	network_address_read(address, &arena, &parts);
	doctor_add(d, is_up ? DOCTOR_FAULT : doctor_level_of(users.urgent),
			"the host reaches the network of '%s' over interface '%s'", address, link);
	if (is_up)
		tell_why(d, conf, "may not be reached");
	else
		doctor_why(d, "network '%s' cannot start%s%s", conf->name,
				users.names.n ? ", nor can " : "",
				users.names.n ? doctor_machines(d, &users.names) : "");
	doctor_cure(d, "ip route get fibmatch %s", parts.ip);
	doctor_cure(d, "# take that route away, or give the network another \"address\"");
}

static void check_routes(struct doctor *d, struct scene *scene, const struct network_conf *conf)
{
	CLEANUP(arena_done) struct arena arena = {};
	for (size_t i = 0; i < conf->address.n; i++) {
		struct network_address address;
		char link[IFNAMSIZ];
		network_address_read(conf->address.items[i], &arena, &address);
		if (address.ip && route_find(&scene->nl, &address, link, NULL) == 1 &&
				strcmp(link, conf->device) != 0)
			tell_route(d, conf, find_bridge(scene, conf->name) != NULL,
					conf->address.items[i], link);
	}
}

/* What the kernel lists of sockets, and how one that waits for others is marked (tcp_states.h). */
static const struct {
	const char *file;
	enum forward_protocol protocol;
	unsigned state;
	const char *loopback; /* as it is written there */
} sockets[] = {
	{ "net/tcp", FORWARD_TCP, 0x0a, "0100007F" },
	{ "net/tcp6", FORWARD_TCP, 0x0a, "00000000000000000000000001000000" },
	{ "net/udp", FORWARD_UDP, 0x07, "0100007F" },
	{ "net/udp6", FORWARD_UDP, 0x07, "00000000000000000000000001000000" },
};

/* Does a program wait at a port, and not for this host alone? With @all: on all addresses. */
static bool is_listened(
		const struct doctor *d, enum forward_protocol protocol, int64_t port, bool all)
{
	bool found = false;
	for (size_t i = 0; !found && i < ARRAY_SIZE(sockets); i++) {
		CLEANUP(freep) char *path = path_join(d->proc, sockets[i].file);
		char line[512], address[33];
		unsigned number, state;
		FILE *f = sockets[i].protocol == protocol ? fopen(path, "re") : NULL;
		while (f && !found && fgets(line, sizeof(line), f))
			found = sscanf(line, "%*s %32[0-9A-F]:%x %*s %x", address, &number,
						&state) == 3 &&
				number == (unsigned)port && state == sockets[i].state &&
				(all ? strspn(address, "0") == strlen(address)
				     : strcmp(address, sockets[i].loopback) != 0);
		if (f)
			fclose(f);
	}
	return found;
}

/* Rules for what comes in are older than the program: it would be there in vain. */
static void check_forwards(struct doctor *d, const struct network_conf *conf)
{
	const struct forward_conf *forwards = conf->forward.items;
	for (size_t i = 0; i < conf->forward.n; i++) {
		const struct forward_conf *forward = &forwards[i];
		bool is_udp = forward->protocol == FORWARD_UDP;
		bool has_address = forward->address && forward->address[0];
		if (!is_listened(d, is_udp ? FORWARD_UDP : FORWARD_TCP, forward->port, has_address))
			continue;
		doctor_add(d, DOCTOR_WARNING,
				"the host's %s port %d leads to '%s', and a program of the host "
				"listens there",
				is_udp ? "UDP" : "TCP", (int)forward->port, forward->to);
		doctor_why(d, "while network '%s' is up nobody reaches that program from outside",
				conf->name);
		doctor_cure(d, "ss -ln%sp 'sport = :%d'", is_udp ? "u" : "t", (int)forward->port);
		doctor_cure(d, "# let it listen elsewhere, or forward another \"port\"");
	}
}

/* ---- what is left ---- */

static void check_bridges(struct doctor *d, const struct scene *scene)
{
	CLEANUP(freep) char *prefix = bridge_alias("");
	for (size_t i = 0; i < scene->n; i++) {
		const struct link *link = &scene->links[i];
		const char *name = link->alias + strlen(prefix);
		const struct network_conf *conf = find_network(d, name);
		if (strcmp(link->kind, "bridge") != 0 ||
				(conf && !strcmp(conf->device, link->name)))
			continue;
		const char *word = doctor_quote(d, name);
		doctor_add(d, DOCTOR_WARNING, "bridge '%s' is of network '%s', which %s",
				link->name, name,
				conf ? "has another one by now" : "is not configured any more");
		doctor_why(d, "it takes part in the host's routing until it goes");
		if (conf) {
			doctor_cure(d, "# ends the guests on it, and starts them again:");
			doctor_cure(d, "# systemctl restart machina-network-%s.service", word);
		} else {
			doctor_cure(d, "systemctl stop machina-network-%s.service", word);
			doctor_cure(d, "machina teardown --network %s", word);
		}
	}
}

static void check_leftovers(struct doctor *d, const struct scene *scene)
{
	for (size_t i = 0; i < scene->ruled.n; i++) {
		const char *name = scene->ruled.items[i], *word = doctor_quote(d, name);
		bool is_active = strv_contains(&scene->active, name);
		/* Of one that has lost its bridge that is told. */
		if (find_bridge(scene, name) || (is_active && find_network(d, name)))
			continue;
		doctor_add(d, DOCTOR_WARNING, "nftables still has rules of network '%s', %s", name,
				is_active ? "whose bridge has gone" : "which is not up");
		doctor_why(d, "ports that they forward lead nowhere");
		if (is_active)
			doctor_cure(d, "systemctl stop machina-network-%s.service", word);
		doctor_cure(d, "machina teardown --network %s", word);
	}
}

static int look(struct doctor *d, struct scene *scene, struct error *err)
{
	CLEANUP(freep) char *prefix = bridge_alias("");
	int r = netlink_open(&scene->nl, err);
	if (r == 0)
		r = netlink_list(&scene->nl, prefix, &scene->links, &scene->n, err);
	if (r < 0 || !d->is_root)
		return r;
	/* Without nftables there are no rules to look for. */
	scene->has_rules = nft_open(&scene->rules, NULL) == 0 &&
			   net_rules_list(&scene->rules, &scene->ruled, NULL) == 0;
	return 0;
}

/* Which units are up, or have failed, of networks that are configured or have rules. */
static void ask_units(struct doctor *d, struct scene *scene)
{
	CLEANUP(unit_list_done) struct unit_list list = {};
	CLEANUP(strv_done) struct strv names = {}, units = {};
	const struct network_conf *confs = d->host->network.items;
	strv_extend(&names, &scene->ruled);
	for (size_t i = 0; i < d->host->network.n; i++)
		if (is_own(&confs[i]) && !strv_contains(&names, confs[i].name))
			strv_push(&names, confs[i].name);
	for (size_t i = 0; i < names.n; i++)
		strv_push_take(&units, network_unit_name(names.items[i]));
	if (!d->bus || !units.n || bus_list_units(d->bus, &units, &list, NULL) < 0)
		return;
	for (size_t i = 0; i < list.n; i++) {
		const char *state = list.rows[i].active_state;
		if (unit_is_up(state))
			strv_push(&scene->active, names.items[i]);
		else if (!strcmp(state, "failed"))
			strv_push(&scene->failed, names.items[i]);
	}
}

void doctor_check_networks(struct doctor *d)
{
	CLEANUP(scene_done) struct scene scene = {};
	const struct network_conf *confs = d->host->network.items;
	struct error err = {};
	size_t n_up = 0, n_own = 0;
	if (look(d, &scene, &err) < 0) {
		doctor_leave_out(d, "%s", err.text);
		return;
	}
	ask_units(d, &scene);
	check_dnsmasq(d);
	for (size_t i = 0; i < d->host->network.n; i++) {
		n_own += is_own(&confs[i]);
		if (!is_own(&confs[i]))
			continue;
		check_routes(d, &scene, &confs[i]);
		check_forwards(d, &confs[i]);
		doctor_check_targets(d, &confs[i]);
		const struct link *bridge = find_bridge(&scene, confs[i].name);
		if (!bridge && strv_contains(&scene.active, confs[i].name))
			tell_gone(d, &confs[i]);
		if (strv_contains(&scene.failed, confs[i].name))
			tell_failed(d, &confs[i]);
		if (!bridge)
			continue;
		n_up++;
		check_bridge_up(d, &confs[i], bridge);
		doctor_check_leases(d, &confs[i]);
		if (confs[i].mode == NETWORK_ISOLATED)
			continue;
		check_setting(d, &confs[i]);
		check_zone(d, &scene, &confs[i]);
	}
	doctor_note(d, "%zu of %zu that the host makes are up", n_up, n_own);
	if (!d->is_partial) {
		check_bridges(d, &scene);
		check_leftovers(d, &scene);
	}
}
